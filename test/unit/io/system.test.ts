// The host's clock, random numbers, event loop, zones and error texts.
import { networkInterfaces } from 'node:os'
import * as assert from 'uvu/assert'
import { bindError, multicastError } from '#lib/io/socket-errors.js'
import { SystemClock } from '#lib/io/system-clock.js'
import { SystemRng } from '#lib/io/system-rng.js'
import { zoneIndex, zoneText } from '#lib/io/zones.js'
import { systemScheduler } from '#lib/runtime/scheduler.js'
import { suite } from '../../harness.js'
import { loopback } from '../../helpers/inbox.js'

const clockTest = suite('clock')

const hrtimeUs = (): number => Number(process.hrtime.bigint() / 1000n)

clockTest('counts whole microseconds on the clock of process.hrtime', () => {
  const clock = new SystemClock()
  let last = 0
  for (let i = 0; i < 1000; i++) {
    const before = hrtimeUs()
    const now = clock.now()
    const after = hrtimeUs()
    assert.ok(Number.isInteger(now))
    assert.ok(now >= last, 'never goes back')
    // Its origin is known to what passes between two reads of a clock.
    assert.ok(now >= before - 100 && now <= after + 1, `${before} ${now} ${after}`)
    last = now
  }
})

clockTest('tells the wall clock in milliseconds', () => {
  const before = Date.now()
  const now = new SystemClock().wallMs()
  assert.ok(now >= before && now <= Date.now())
})

clockTest.run()

const rngTest = suite('random numbers')

rngTest('every array is the caller’s own and of the length asked for', () => {
  const rng = new SystemRng()
  const seen = new Set<string>()
  for (const length of [0, 1, 4, 16, 20, 4095, 4096, 4097, 10_000]) {
    const first = rng.bytes(length)
    const second = rng.bytes(length)
    assert.is(first.length, length)
    assert.is(first.byteOffset, 0)
    assert.is(first.buffer.byteLength, length, 'no view of a shared pool')
    if (length < 16) continue
    assert.not.equal(first, second)
    for (const bytes of [first, second]) seen.add(Buffer.from(bytes).toString('hex'))
  }
  assert.is(seen.size, 12)
})

rngTest('nothing is handed out twice across the edges of the pool', () => {
  const rng = new SystemRng()
  const seen = new Set<string>()
  // 13 does not divide the pool, so that its ends are reached in all ways.
  for (let i = 0; i < 5000; i++) seen.add(Buffer.from(rng.bytes(13)).toString('hex'))
  assert.is(seen.size, 5000)
})

rngTest('32-bit numbers cover their whole range', () => {
  const rng = new SystemRng()
  let or = 0
  let and = 0xffff_ffff
  let sum = 0
  const draws = 20_000
  for (let i = 0; i < draws; i++) {
    const value = rng.uint32()
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32)
    or = (or | value) >>> 0
    and = (and & value) >>> 0
    sum += value / 2 ** 32
  }
  assert.is(or, 0xffff_ffff)
  assert.is(and, 0)
  // The mean of 20,000 uniform draws has a standard deviation of 0.002: this is 15 of them.
  assert.ok(Math.abs(sum / draws - 0.5) < 0.03)
})

rngTest.run()

const loopTest = suite('event loop')

loopTest('a timer can be cancelled, and fires otherwise', async () => {
  const fired: string[] = []
  const alive = setInterval(() => undefined, 1000)
  const cancel = systemScheduler.timer(1, () => fired.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    systemScheduler.timer(5, resolve)
  })
  // Longer than setTimeout can wait: it must not fire at once.
  const cancelLong = systemScheduler.timer(2 ** 40, () => fired.push('long'))
  await new Promise<void>((resolve) => {
    systemScheduler.timer(5, resolve)
  })
  cancelLong()
  clearInterval(alive)
  assert.equal(fired, [])
})

loopTest('what is raised reaches the process', async () => {
  const caught = new Promise<Error>((resolve) => {
    process.once('uncaughtException', resolve)
  })
  systemScheduler.raise(new Error('nobody’s'))
  assert.is((await caught).message, 'nobody’s')
})

loopTest.run()

const zoneTest = suite('zones')

zoneTest('every interface with a link-local address has a zone, both ways', () => {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const entry of addresses ?? []) {
      if (entry.family !== 'IPv6' || entry.scopeid === 0) continue
      assert.is(zoneIndex(name), entry.scopeid)
      if (process.platform !== 'win32') assert.is(zoneText(entry.scopeid), name)
    }
  }
  assert.is(zoneIndex('17'), 17)
  assert.is(zoneIndex('no-such-interface'), 0)
  if (process.platform !== 'win32') assert.is(zoneText(0xffff_fff0), undefined)
})

zoneTest.run()

const errorTest = suite('errors')

errorTest('each reason of the system has its code and a remedy', () => {
  const documentation = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), 1])
  const expected: Record<string, [string, RegExp]> = {
    EADDRINUSE: ['ERR_PEERNET_PORT_IN_USE', /another port/],
    EACCES: ['ERR_PEERNET_PERMISSION', /may not bind/],
    EPERM: ['ERR_PEERNET_PERMISSION', /security policy/],
    EADDRNOTAVAIL: ['ERR_PEERNET_NO_ADDRESS', /no address of this host/],
    EINVAL: ['ERR_PEERNET_NO_ADDRESS', /scope id/],
    ENODEV: ['ERR_PEERNET_NO_ADDRESS', /no such interface/],
    EAFNOSUPPORT: ['ERR_PEERNET_NO_IPV6', /enable IPv6/],
    EMFILE: ['ERR_PEERNET_LIMIT', /ulimit -n/],
    ENOMEM: ['ERR_PEERNET_LIMIT', /memory/],
    EIO: ['ERR_PEERNET_SYSTEM', /EIO/],
  }
  for (const [name, [code, text]] of Object.entries(expected)) {
    const error = bindError(name, documentation, 3540)
    assert.is(error.code, code)
    assert.match(error.message, text)
    assert.match(error.message, /UDP port 3540 on 2001:db8::1/)
    assert.is((error.cause as { code: string }).code, name)
  }
  assert.is(bindError('EADDRNOTAVAIL', loopback, 0).code, 'ERR_PEERNET_NO_IPV6')
  assert.is(multicastError('ENODEV', 'cannot join').code, 'ERR_PEERNET_MULTICAST')
})

errorTest.run()
