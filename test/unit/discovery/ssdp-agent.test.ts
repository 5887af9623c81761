// The SSDP machine under a clock of its own.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { milliseconds, NEVER, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { SsdpAgent, type SsdpTransmit } from '#lib/discovery/ssdp/agent.js'
import {
  decodeSsdp,
  encodeAlive,
  encodeByebye,
  encodeResponse,
  encodeSearch,
  SSDP_GROUP,
} from '#lib/discovery/ssdp/messages.js'
import { test } from '../../harness.js'

const TARGET = 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal'
const OTHER = 'upnp:rootdevice'
const ETH0 = 2
const ETH1 = 3

function linkLocal(n: number, port = 50_000): Endpoint {
  const address = new Uint8Array(16)
  address.set([0xfe, 0x80])
  new DataView(address.buffer).setUint16(14, n)
  return { address, port }
}

function global(prefix: number, n: number, port = 50_000): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, prefix])
  address[15] = n
  return { address, port }
}

/** Windows' search with another MX. */
const searchWithMx = (mx: number): Uint8Array =>
  new Uint8Array(
    Buffer.from(Buffer.from(encodeSearch(TARGET)).toString().replace('MX:3', `MX:${mx}`)),
  )

class Bench {
  now = 0
  readonly agent = new SsdpAgent({
    rng: new SeededRng(4),
    links: [
      { index: ETH0, addresses: [linkLocal(1).address, global(1, 1).address] },
      { index: ETH1, addresses: [linkLocal(2).address] },
    ],
  })

  hear(from: Endpoint, data: Uint8Array, zone = ETH0): void {
    this.agent.handleDatagram(this.now, from, zone, data)
  }

  /** What is to be sent until then, with the time of each. */
  sentFor(us: number): (SsdpTransmit & { at: number; type: string })[] {
    const out: (SsdpTransmit & { at: number; type: string })[] = []
    const until = this.now + us
    for (;;) {
      for (let t = this.agent.pollTransmit(); t; t = this.agent.pollTransmit()) {
        const decoded = decodeSsdp(t.data)
        assert.ok(decoded.ok)
        out.push({ ...t, at: this.now, type: decoded.message.type })
      }
      if (this.agent.pollTimeout() > until) break
      this.now = Math.max(this.now, this.agent.pollTimeout())
      this.agent.handleTimeout(this.now)
    }
    this.now = until
    return out
  }

  found(): number[] {
    const out: number[] = []
    for (let f = this.agent.pollFinding(); f; f = this.agent.pollFinding()) {
      out.push(f.endpoint.address[15] as number)
    }
    return out
  }

  count(name: string): number {
    return this.agent.counters.get(name)
  }
}

test('N-39 a search goes to ff02::c port 1900 on every interface, twice', () => {
  const bench = new Bench()
  bench.agent.search(0, TARGET)
  const sent = bench.sentFor(seconds(10))
  assert.equal(
    sent.map(({ at, zone, via, type }) => [at, zone, via, type]),
    [
      [0, ETH0, 'search', 'search'],
      [0, ETH1, 'search', 'search'],
      [LIMITS.ssdpRepeatUs, ETH0, 'search', 'search'],
      [LIMITS.ssdpRepeatUs, ETH1, 'search', 'search'],
    ],
  )
  for (const { to } of sent) assert.equal(to, SSDP_GROUP)
  assert.is(bench.agent.pollTimeout(), NEVER)
})

test('PNRP-3.1.5.1-3 PNRP-3.1.5.1-5 the first five different answers to a search are used', () => {
  const bench = new Bench()
  bench.agent.search(0, TARGET)
  for (const n of [10, 10, 11, 12, 13, 14, 15]) {
    bench.hear(linkLocal(n), encodeResponse(TARGET, linkLocal(n, 3540)))
  }
  assert.equal(bench.found(), [10, 11, 12, 13, 14])
  assert.is(bench.count('drop.ssdp-repeated'), 1)
  assert.is(bench.count('drop.ssdp-enough'), 1)
})

test('PNRP-3.1.5.1-1 answers that nobody asked for, wrong or late ones are dropped', () => {
  const bench = new Bench()
  const answer = encodeResponse(TARGET, linkLocal(9, 3540))
  bench.hear(linkLocal(9), answer)
  bench.agent.search(0, TARGET)
  bench.hear(linkLocal(9), encodeResponse(OTHER, linkLocal(9, 3540)))
  bench.now = LIMITS.ssdpSearchUs + 1
  bench.hear(linkLocal(9), answer)
  assert.equal(bench.found(), [])
  assert.is(bench.count('drop.ssdp-search-target'), 2)
  assert.is(bench.count('drop.ssdp-late'), 1)
})

test('what comes from elsewhere than the links is dropped', () => {
  const bench = new Bench()
  bench.agent.search(0, TARGET)
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.sentFor(seconds(1))
  const foreign: [Endpoint, number][] = [
    [linkLocal(9), 7], // an interface that is not of this cloud
    [linkLocal(9), 0], // a zone the system did not tell
    [global(2, 9), 0], // another prefix
    [global(1, 9), ETH1], // the prefix of another link
  ]
  for (const [from, zone] of foreign) {
    bench.hear(from, encodeResponse(TARGET, linkLocal(9, 3540)), zone)
    bench.hear(from, encodeSearch(TARGET), zone)
  }
  assert.equal(bench.found(), [])
  assert.equal(bench.sentFor(seconds(5)), [])
  assert.is(bench.count('drop.ssdp-not-on-link'), 8)
  bench.hear(global(1, 9), encodeSearch(TARGET), 0)
  bench.hear(linkLocal(9), encodeSearch(TARGET), ETH1)
  assert.is(bench.sentFor(seconds(5)).length, 2)
})

test('PNRP-3.2.4.1-18 PNRP-3.2.4.2-5 searches are answered while something is announced', () => {
  const bench = new Bench()
  bench.hear(linkLocal(9), encodeSearch(TARGET))
  assert.equal(bench.sentFor(seconds(5)), [])
  bench.agent.announce(bench.now, TARGET, linkLocal(1, 3540))
  assert.equal(
    bench.sentFor(0).map(({ type, zone }) => [type, zone]),
    [
      ['alive', ETH0],
      ['alive', ETH1],
    ],
  )
  bench.hear(linkLocal(9), encodeSearch(OTHER))
  bench.hear(linkLocal(9), encodeSearch('ssdp:all'))
  bench.hear(linkLocal(9), encodeSearch(TARGET))
  const [answer, ...more] = bench.sentFor(seconds(5))
  assert.equal(more, [])
  assert.ok(answer)
  assert.is(answer.type, 'response')
  assert.equal(answer.to, linkLocal(9))
  assert.is(answer.zone, ETH0)
  assert.equal(answer.data, encodeResponse(TARGET, linkLocal(1, 3540)))
  bench.agent.withdraw(TARGET)
  assert.equal(
    bench.sentFor(0).map(({ type }) => type),
    ['byebye', 'byebye'],
  )
  bench.hear(linkLocal(9), encodeSearch(TARGET))
  assert.equal(bench.sentFor(seconds(5)), [])
  assert.is(bench.agent.pollTimeout(), NEVER)
})

test('an answer that waits is not sent any more after the withdrawal', () => {
  const bench = new Bench()
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.hear(linkLocal(9), encodeSearch(TARGET))
  bench.agent.withdraw(TARGET)
  assert.ok(bench.sentFor(seconds(5)).every(({ type }) => type !== 'response'))
})

test('answers are spread at random over MX, at most a second', () => {
  for (const [mx, window] of [
    [0, 0],
    [1, seconds(1)],
    [3, LIMITS.ssdpAnswerWindowUs],
  ] as const) {
    const bench = new Bench()
    bench.agent.announce(0, TARGET, linkLocal(1, 3540))
    bench.sentFor(0)
    const times: number[] = []
    for (let n = 0; n < 100; n++) {
      const start = bench.now
      bench.hear(linkLocal(100 + n), searchWithMx(mx))
      for (const { at } of bench.sentFor(seconds(2))) times.push(at - start)
    }
    assert.is(times.length, 100)
    assert.ok(Math.max(...times) <= window)
    if (window === 0) continue
    assert.ok(Math.min(...times) < window * 0.1 && Math.max(...times) > window * 0.9)
    const mean = times.reduce((a, b) => a + b) / times.length
    assert.ok(Math.abs(mean - window / 2) < window * 0.1, `mean ${mean}`)
  }
})

test('a source that searches on and on gets one answer in two seconds', () => {
  const bench = new Bench()
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.sentFor(0)
  let answers = 0
  for (let i = 0; i < 1000; i++) {
    bench.hear(linkLocal(9), searchWithMx(0))
    answers += bench.sentFor(milliseconds(10)).length
  }
  assert.is(answers, 5)
  assert.is(bench.count('drop.ssdp-source-rate'), 995)
})

test('a storm of sources draws no more than the total rate, and remembers a bounded number', () => {
  const bench = new Bench()
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.sentFor(0)
  let answers = 0
  let bytes = 0
  for (let i = 0; i < 10_000; i++) {
    bench.hear(linkLocal(9, 1025 + (i % 60_000)), encodeSearch(TARGET))
    const sent = bench.sentFor(milliseconds(1))
    answers += sent.length
    bytes += sent.reduce((sum, { data }) => sum + data.length, 0)
  }
  const most = LIMITS.ssdpAnswersPerSecond * 11
  assert.ok(answers > most / 3 && answers <= most, `${answers} answers`)
  // 10,000 searches in ten seconds: what goes out is a small part of what came in.
  assert.ok(bytes < 10_000 * encodeSearch(TARGET).length * 0.05, `${bytes} bytes`)
})

test('own searches and announcements that come back by the group are not news', () => {
  const bench = new Bench()
  bench.agent.setSearchPort(40_000)
  bench.agent.search(0, TARGET)
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.sentFor(seconds(1))
  bench.hear(linkLocal(1, 40_000), encodeSearch(TARGET))
  bench.hear(linkLocal(1, 1900), encodeAlive(TARGET, linkLocal(1, 3540)))
  bench.hear(linkLocal(1, 1900), encodeResponse(TARGET, linkLocal(1, 3540)))
  assert.equal(bench.sentFor(seconds(5)), [])
  assert.equal(bench.found(), [])
  // Another program on this host searches from another port: it is answered.
  bench.hear(linkLocal(1, 40_001), encodeSearch(TARGET))
  assert.is(bench.sentFor(seconds(5)).length, 1)
})

test('a node that announces itself for the target searched before is found', () => {
  const bench = new Bench()
  bench.hear(linkLocal(8), encodeAlive(TARGET, linkLocal(8, 3540)))
  bench.agent.search(0, TARGET)
  bench.now = seconds(3600)
  bench.hear(linkLocal(9), encodeAlive(TARGET, linkLocal(9, 3540)))
  bench.hear(linkLocal(9), encodeAlive(OTHER, linkLocal(9, 3540)))
  bench.hear(linkLocal(9), encodeByebye(TARGET, linkLocal(9, 3540)))
  assert.equal(bench.found(), [9])
})

test('announcements are taken in slowly: five at once, then one in ten seconds', () => {
  const bench = new Bench()
  bench.agent.search(0, TARGET)
  for (let n = 10; n < 110; n++) {
    bench.hear(linkLocal(n), encodeAlive(TARGET, linkLocal(n, 3540)))
    bench.now += milliseconds(200)
  }
  assert.is(bench.found().length, 5 + 1)
  assert.is(bench.count('drop.ssdp-alive-rate'), 94)
})

test('an announcement is repeated before half of its lifetime has passed', () => {
  const bench = new Bench()
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  const sent = bench.sentFor(seconds(14_400)).filter(({ zone }) => zone === ETH0)
  assert.ok(sent.length >= 3 && sent.length <= 5, String(sent.length))
  for (const [i, { at }] of sent.entries()) {
    assert.ok(at - (sent[i - 1]?.at ?? 0) <= seconds(7200))
  }
})

test('announcing another endpoint replaces the one before', () => {
  const bench = new Bench()
  bench.agent.announce(0, TARGET, linkLocal(1, 3540))
  bench.agent.announce(0, TARGET, linkLocal(1, 3541))
  bench.sentFor(0)
  bench.hear(linkLocal(9), encodeSearch(TARGET))
  const [answer, ...more] = bench.sentFor(seconds(2))
  assert.equal(more, [])
  assert.equal(answer?.data, encodeResponse(TARGET, linkLocal(1, 3541)))
})

test('more targets than the limit are refused', () => {
  const bench = new Bench()
  for (let i = 0; i <= LIMITS.ssdpAnnouncements; i++) {
    bench.agent.announce(0, `${TARGET}${i}`, linkLocal(1, 3540))
  }
  assert.is(bench.sentFor(0).length, 2 * LIMITS.ssdpAnnouncements)
  assert.is(bench.count('refused.ssdp-announcements'), 1)
})

test('malformed datagrams are counted by reason', () => {
  const bench = new Bench()
  bench.hear(linkLocal(9), new Uint8Array(3))
  bench.hear(linkLocal(9), new Uint8Array(Buffer.from('HTTP/1.1 200 OK\r\nST:x\r\n\r\n')))
  assert.is(bench.count('drop.ssdp-malformed-not-text'), 1)
  assert.is(bench.count('drop.ssdp-malformed-endpoint'), 1)
})

test.run()
