import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { milliseconds, NEVER, seconds, type Instant } from '#lib/core/instant.js'
import { SimKernel, type SimHost } from '#lib/testing/kernel.js'
import type { LinkOptions } from '#lib/testing/link-options.js'
import type { Packet } from '#lib/testing/packet-network.js'
import { suite } from '../../harness.js'

const test = suite('packet network')

function endpointOf(n: number): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8])
  address[15] = n
  return { address, port: 3540 }
}

/** Sends a counter on a timer, answers what does not start with 'e', remembers what comes. */
class Echo implements SimHost {
  readonly heard: { at: Instant; number: number; data: Uint8Array }[] = []
  readonly endpoint: Endpoint
  readonly index: number
  #next: Instant = NEVER
  #left = 0
  #interval = 0
  #to: Endpoint | undefined

  constructor(
    readonly kernel: SimKernel,
    n: number,
    readonly answers = true,
  ) {
    this.endpoint = endpointOf(n)
    this.index = kernel.addHost(this)
    kernel.network.bind(this.index, this.endpoint)
  }

  sendMany(to: Endpoint, count: number, intervalUs: number): void {
    this.#to = to
    this.#left = count
    this.#interval = intervalUs
    this.#next = this.kernel.now
    this.kernel.poll(this.index)
  }

  handlePacket(now: Instant, packet: Packet): void {
    this.heard.push({ at: now, number: packet.number, data: packet.data })
    if (!this.answers || packet.data[0] === 0x65) return
    this.kernel.send(this.index, this.endpoint, packet.from, Uint8Array.of(0x65, 1))
  }

  handleTimeout(now: Instant): void {
    this.kernel.send(this.index, this.endpoint, this.#to as Endpoint, Uint8Array.of(0, this.#left))
    this.#next = --this.#left > 0 ? now + this.#interval : NEVER
  }

  pollTimeout(): Instant {
    return this.#next
  }
}

function pair(seed: number, link: Partial<LinkOptions>, answers = false): [SimKernel, Echo, Echo] {
  const kernel = new SimKernel(seed, link, 100)
  return [kernel, new Echo(kernel, 1), new Echo(kernel, 2, answers)]
}

test('a packet takes the latency of its link, both ways, and the clock stands at the limit', () => {
  const [kernel, a, b] = pair(1, { delayMinMs: 10, delayMeanMs: 10, jitterMs: 0 }, true)
  a.sendMany(b.endpoint, 1, 0)
  kernel.runUntil(seconds(1))
  // min = mean leaves no spread: every link takes exactly 10 ms.
  assert.equal(
    b.heard.map((p) => p.at),
    [10_000],
  )
  assert.equal(
    a.heard.map((p) => p.at),
    [20_000],
  )
  assert.is(kernel.now, seconds(1))
})

test('latencies have the minimum and about the mean asked for, and do not depend on direction', () => {
  const kernel = new SimKernel(7, { delayMinMs: 5, delayMeanMs: 30 })
  const options = kernel.network.defaults
  let sum = 0
  for (let n = 0; n < 20_000; n++) {
    const us = kernel.network.latencyUs(n, n + 1, options)
    assert.ok(us >= 5000)
    assert.is(us, kernel.network.latencyUs(n + 1, n, options))
    sum += us
  }
  // Mean of min + exp(25 ms) cut at 6 means: 5 + 25 * (1 - e^-6) = 29.94; 3 sigma = 0.53.
  assert.ok(Math.abs(sum / 20_000 / 1000 - 29.94) < 0.6, `mean ${sum / 20_000}`)
})

test('loss, duplication and reordering happen as often as asked', () => {
  const count = 20_000
  const run = (link: Partial<LinkOptions>): Echo => {
    const [kernel, a, b] = pair(3, { delayMinMs: 10, delayMeanMs: 10, jitterMs: 0, ...link })
    a.sendMany(b.endpoint, count, 1000)
    kernel.runUntil(seconds(60))
    return b
  }
  // Three standard deviations of a binomial with p = 0.1 and n = 20,000 are 127.
  assert.ok(Math.abs(run({ loss: 0.1 }).heard.length - count * 0.9) < 130)
  assert.ok(Math.abs(run({ duplication: 0.1 }).heard.length - count * 1.1) < 130)
  const swapped = (echo: Echo): number =>
    echo.heard.filter((p, i) => i > 0 && p.number < (echo.heard[i - 1]?.number ?? 0)).length
  assert.is(swapped(run({})), 0)
  const reordered = swapped(run({ reordering: 0.1, reorderingDelayMs: 50 }))
  assert.ok(reordered > 1000 && reordered < 2200, `${reordered} overtaken`)
})

test('capacity spaces packets out and drops what the queue cannot hold', () => {
  // 10,000 bytes/s and 2 + 48 bytes a packet: 5 ms each; a queue of 500 bytes holds 50 ms.
  const link = {
    delayMinMs: 0,
    delayMeanMs: 0,
    jitterMs: 0,
    bytesPerSecond: 10_000,
    queueBytes: 500,
  }
  const [kernel, a, b] = pair(4, link)
  a.sendMany(b.endpoint, 100, 1)
  kernel.runUntil(seconds(2))
  assert.is(kernel.network.counts.dropped['queue-full'], 100 - b.heard.length)
  assert.is(b.heard.length, 11)
  for (const [i, packet] of b.heard.entries()) assert.is(packet.at, 5000 * (i + 1))
})

test('a cut stops packets in the directions asked until it is healed', () => {
  for (const [direction, heardByB, heardByA] of [
    ['both', 0, 0],
    ['a-to-b', 0, 0],
    ['b-to-a', 5, 0],
  ] as const) {
    const [kernel, a, b] = pair(5, {}, true)
    kernel.network.cut([a.index], [b.index], direction)
    a.sendMany(b.endpoint, 5, 1000)
    kernel.runUntil(seconds(1))
    assert.is(b.heard.length, heardByB, direction)
    assert.is(a.heard.length, heardByA, direction)
    kernel.network.cuts.clear()
    a.sendMany(b.endpoint, 5, 1000)
    kernel.runUntil(seconds(2))
    assert.is(a.heard.length, 5, `${direction}, healed`)
  }
})

test('a cut between groups leaves each group whole', () => {
  const kernel = new SimKernel(6)
  const hosts = Array.from({ length: 6 }, (_, n) => new Echo(kernel, n + 1))
  kernel.network.cut([0, 1, 2], [3, 4, 5], 'both')
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) assert.is(kernel.network.cuts.separates(i, j), i < 3 !== j < 3)
  }
  assert.is(kernel.network.cuts.separates(0, 6), false, 'a host added later is in no group')
  assert.is(hosts.length, kernel.hostCount)
})

test('a firewall lets in only answers, and only for a while', () => {
  const [kernel, a, b] = pair(8, { delayMinMs: 1, delayMeanMs: 1, jitterMs: 0 }, true)
  kernel.network.firewalls.add(b.index, 5000)
  a.sendMany(b.endpoint, 1, 0)
  kernel.runUntil(seconds(1))
  assert.is(b.heard.length, 0)
  assert.is(kernel.network.counts.dropped.firewall, 1)
  b.sendMany(a.endpoint, 1, 0)
  kernel.runUntil(seconds(2))
  assert.is(a.heard.length, 1)
  assert.is(b.heard.length, 1, 'the echo comes in')
  a.sendMany(b.endpoint, 1, 0)
  kernel.runUntil(seconds(5))
  assert.is(b.heard.length, 2, 'still open 4 s later')
  kernel.runUntil(seconds(20))
  const dropped = kernel.network.counts.dropped.firewall
  a.sendMany(b.endpoint, 1, 0)
  kernel.runUntil(seconds(21))
  assert.is(kernel.network.counts.dropped.firewall, dropped + 1, 'closed when idle')
})

test('options of a host and of a pair override the defaults', () => {
  const [kernel, a, b] = pair(9, { delayMinMs: 1, delayMeanMs: 1, jitterMs: 0 }, true)
  kernel.network.setHostLink(b.index, { delayMinMs: 7, delayMeanMs: 7 })
  a.sendMany(b.endpoint, 1, 0)
  kernel.runUntil(seconds(1))
  assert.equal(
    a.heard.map((p) => p.at),
    [8000],
  )
  kernel.network.setPairLink(a.index, b.index, { loss: 1 })
  a.sendMany(b.endpoint, 3, 1000)
  kernel.runUntil(seconds(2))
  assert.is(b.heard.length, 1)
  assert.is(kernel.network.counts.dropped.loss, 3)
})

test('a removed host and an unknown address swallow packets, counted', () => {
  const [kernel, a, b] = pair(10, {})
  a.sendMany(endpointOf(9), 2, 1000)
  kernel.runUntil(seconds(1))
  assert.is(kernel.network.counts.dropped['no-host'], 2)
  kernel.network.unbind(b.endpoint)
  kernel.removeHost(b.index)
  a.sendMany(b.endpoint, 2, 1000)
  kernel.runUntil(seconds(2))
  assert.is(b.heard.length, 0)
  assert.is(kernel.network.counts.dropped['no-host'], 4)
})

test('same seed, same hash; another seed, byte or microsecond, another hash', () => {
  const rough = { loss: 0.2, duplication: 0.1, reordering: 0.2, jitterMs: 20 }
  const run = (seed: number, interval: number, n: number): string => {
    const [kernel, a, b] = pair(seed, rough, true)
    a.sendMany(b.endpoint, n, interval)
    kernel.runUntil(seconds(10))
    assert.ok(kernel.log.count > n)
    return kernel.log.hash
  }
  const first = run(1, 1000, 500)
  assert.match(first, /^[0-9a-f]{16}$/)
  assert.is(run(1, 1000, 500), first)
  assert.is.not(run(2, 1000, 500), first)
  assert.is.not(run(1, 1001, 500), first)
  assert.is.not(run(1, 1000, 501), first)
})

test('what befalls one sender does not depend on the traffic of others', () => {
  const fates = (noise: boolean): number[] => {
    const kernel = new SimKernel(11, { loss: 0.3, jitterMs: 50 })
    const [a, b, c] = [new Echo(kernel, 1), new Echo(kernel, 2, false), new Echo(kernel, 3)]
    if (noise) c.sendMany(b.endpoint, 300, 700)
    a.sendMany(b.endpoint, 200, 1000)
    kernel.runUntil(seconds(5))
    const fromA = b.heard.filter((p) => p.data[1] !== undefined)
    return fromA.map((p) => p.at)
  }
  const quiet = fates(false)
  const noisy = new Set(fates(true))
  assert.ok(quiet.length > 100)
  assert.ok(quiet.every((at) => noisy.has(at)))
})

test('the log keeps its latest entries on request', () => {
  const [kernel, a, b] = pair(12, { delayMinMs: 1, delayMeanMs: 1, jitterMs: 0 })
  a.sendMany(b.endpoint, 500, 10)
  kernel.runUntil(milliseconds(100))
  const tail = kernel.log.tail()
  assert.is(tail.length, 100)
  const last = tail.at(-1)
  assert.equal(
    [last?.kind, last?.node, last?.packet, last?.detail],
    ['deliver', b.index, 500, a.index],
  )
})

test.run()
