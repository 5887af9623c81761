// MS-PPGRH 3.1.7.14: how many neighbours, and which.
import * as assert from 'uvu/assert'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { ticks } from '#lib/graph/peer-time.js'
import { encodePresence } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import {
  host,
  MaintenanceHarness,
  type FakeLink,
  type HarnessOptions,
} from '../../support/graph-maintenance-harness.js'

const NODE = 0x777n

/** A synchronised node that knows so many others by their presence, numbered from 1. */
function harnessWith(known: number, more: HarnessOptions = {}): MaintenanceHarness {
  const properties = { maxPresenceRecords: 0 }
  const harness = new MaintenanceHarness({ nodeId: NODE, properties, ...more })
  const expirationTime = harness.context.peerTime + ticks(86_400)
  harness.receiveSignature(1n, { expirationTime: harness.context.peerTime + ticks(1200) })
  for (let n = 1; n <= known; n++) harness.receivePresence(n, { expirationTime })
  return harness
}

/** Numbers of the hosts of the attempts since the last call. */
const tried = (harness: MaintenanceHarness): number[] =>
  harness
    .takeAttempts()
    .map(({ to }) => (to.address[14] as number) * 256 + (to.address[15] as number))

/** Links with this many neighbours; what they made it attempt has failed. */
function neighbors(harness: MaintenanceHarness, count: number): FakeLink[] {
  const links = Array.from({ length: count }, (_, n) => harness.neighbor(n + 1))
  for (const attempt of harness.takeAttempts()) harness.fail(attempt)
  return links
}

test('G-157 a: at the timer, with more than three, the least useful goes', () => {
  const harness = harnessWith(0)
  const utilities = [500, 300, 128, 400]
  const links = utilities.map((utility, n) => harness.neighbor(n + 1, { utility }))
  harness.run(299)
  assert.equal(harness.disconnected, [])
  harness.run(1)
  assert.equal(harness.disconnected, [{ link: links[2], reason: 'least-useful' }])
  harness.run(300)
  assert.is(harness.disconnected.length, 1)
})

test('G-157 a: one at a time', () => {
  const harness = harnessWith(0)
  for (let n = 1; n <= 7; n++) harness.neighbor(n)
  harness.run(300)
  assert.is(harness.disconnected.length, 1)
  // Of equals the newest.
  assert.is(harness.disconnected[0]?.link.nodeId, 7n)
  harness.run(1199)
  assert.is(harness.neighbors.length, 3)
})

test('G-157 a: losing a neighbour is no reason to drop another', () => {
  const harness = harnessWith(0)
  const links = neighbors(harness, 6)
  harness.lose(links[0] as FakeLink)
  assert.equal(harness.disconnected, [])
})

test('G-157 b, c: the last neighbour gone, two attempts at once', () => {
  const harness = harnessWith(20)
  const [link] = neighbors(harness, 1)
  harness.lose(link as FakeLink)
  assert.is(tried(harness).length, 2)
})

test('G-157 b: also for a node that never synchronised, but one only', () => {
  const harness = harnessWith(20, { fresh: true })
  const [link] = neighbors(harness, 1)
  harness.lose(link as FakeLink)
  assert.is(tried(harness).length, 1)
})

test('G-157 c: below two, unless it never synchronised', () => {
  const harness = harnessWith(20)
  const links = neighbors(harness, 2)
  harness.lose(links[0] as FakeLink)
  assert.is(tried(harness).length, 1)
  const fresh = harnessWith(20, { fresh: true })
  const others = neighbors(fresh, 2)
  fresh.lose(others[0] as FakeLink)
  assert.equal(tried(fresh), [])
  fresh.context.neverConnected = false
  fresh.maintenance.synchronized()
  assert.is(tried(fresh).length, 1)
})

test('G-157 d: below three not at once, but 5 to 15 s later', () => {
  const harness = harnessWith(20)
  const links = neighbors(harness, 3)
  harness.run(30)
  harness.lose(links[0] as FakeLink)
  harness.run(4.9)
  assert.equal(tried(harness), [])
  harness.run(10.2)
  assert.ok(tried(harness).length > 0)
  // Nor without end: with three there is nothing to do.
  neighbors(harness, 1)
  harness.run(200)
  assert.equal(tried(harness), [])
})

test('G-157 d: at the timer, whoever has come meanwhile', () => {
  const harness = harnessWith(0)
  neighbors(harness, 2)
  harness.run(299)
  const expirationTime = harness.context.peerTime + ticks(86_400)
  harness.receivePresence(9, { expirationTime })
  harness.takeAttempts()
  harness.run(1)
  assert.equal(tried(harness), [9])
})

test('G-157 with three neighbours about half of the timers try one more, and no event does', () => {
  let attempts = 0
  for (let seed = 1; seed <= 100; seed++) {
    const harness = harnessWith(20, { seed })
    neighbors(harness, 3)
    harness.run(299)
    assert.equal(tried(harness), [])
    harness.run(1)
    attempts += tried(harness).length
  }
  // 100 draws of 0.55: more than three standard deviations to either side.
  assert.ok(attempts > 38 && attempts < 72, `${attempts}`)
})

test('G-158 each candidate is as likely as the next', () => {
  const counts = new Map<number, number>()
  for (let seed = 1; seed <= 600; seed++) {
    const harness = harnessWith(4, { seed })
    harness.receiveContact(5, 1n)
    harness.referrals = [host(6)]
    const [link] = [harness.neighbor(100)]
    harness.takeAttempts()
    harness.lose(link)
    const [first] = tried(harness)
    counts.set(first ?? 0, (counts.get(first ?? 0) ?? 0) + 1)
  }
  assert.equal([...counts.keys()].sort(), [1, 2, 3, 4, 5, 6])
  for (const count of counts.values()) assert.ok(count > 60 && count < 145, `${count}`)
})

test('G-158 never itself, nor one that it is connected with, nor one twice', () => {
  const harness = harnessWith(2)
  const payload = encodePresence(
    { nodeId: NODE, attributes: '', addresses: [host(50)] },
    { stringOrder: 'big-endian' },
  )
  harness.receive(harness.record({ type: RECORD_TYPE.presence, payload }))
  harness.neighbor(1)
  harness.listen(host(60))
  harness.referrals = [host(60), host(2), host(1)]
  harness.run(1000)
  assert.equal([...new Set(tried(harness))], [2])
})

test('a node without a name for its address is found by its next address', () => {
  const harness = harnessWith(0)
  const payload = encodePresence(
    { nodeId: 5n, attributes: '', addresses: [host(51), host(52)] },
    { stringOrder: 'big-endian' },
  )
  const link = harness.neighbor(1)
  harness.receive(harness.record({ type: RECORD_TYPE.presence, payload }))
  harness.takeAttempts()
  harness.lose(link)
  const [first] = harness.attempts
  assert.equal(first?.to, host(51))
  assert.is(first?.options.peerId, 'other')
  harness.fail(first)
  harness.takeAttempts()
  harness.run(3)
  assert.equal(tried(harness), [52])
})

test('a silent candidate holds nobody up', () => {
  const harness = harnessWith(20)
  const links = neighbors(harness, 3)
  harness.lose(links[0] as FakeLink)
  harness.lose(links[1] as FakeLink)
  const silent = tried(harness)
  assert.is(silent.length, 1)
  harness.run(12)
  const next = tried(harness)
  assert.ok(next.length >= 1 && !next.includes(silent[0] as number))
})

test('who failed is not tried again for a minute', () => {
  const harness = harnessWith(0)
  const link = harness.neighbor(100)
  harness.receivePresence(1, { expirationTime: harness.context.peerTime + ticks(900) })
  harness.lose(link)
  const times: number[] = []
  const start = harness.context.now
  for (let s = 0; s < 300; s++) {
    harness.run(1)
    for (const attempt of harness.takeAttempts()) {
      times.push((harness.context.now - start) / 1e6)
      harness.fail(attempt)
    }
  }
  assert.ok(times.length >= 2 && times.length <= 5, times.join())
  for (let i = 1; i < times.length; i++) {
    assert.ok((times[i] as number) - (times[i - 1] as number) >= 59, times.join())
  }
})

test('nobody to connect to: the application is asked, and not more often than each 30 s', () => {
  const harness = harnessWith(0)
  harness.listen(host(1))
  harness.run(300)
  const alone = harness
    .drain()
    .filter((event) => event.type === 'connection-required' && event.why === 'alone')
  assert.ok(alone.length >= 5 && alone.length <= 11, `${alone.length}`)
})

test('a lonely node tries at once whoever turns up', () => {
  const harness = harnessWith(0)
  harness.listen(host(1))
  harness.receivePresence(9)
  harness.run(3)
  assert.equal(tried(harness), [9])
})

test('a join that all refused goes on with the referrals that it brought', () => {
  const harness = harnessWith(0, { fresh: true })
  harness.maintenance.attemptFailed(77)
  harness.run(600)
  assert.equal(tried(harness), [])
  assert.equal(harness.drain(), [])
  harness.referrals = [host(5)]
  harness.maintenance.attemptFailed(78, 79)
  harness.run(600)
  assert.equal(tried(harness), [])
  harness.maintenance.attemptFailed(79)
  harness.run(3)
  assert.equal(tried(harness), [5])
})

test('attempts that are refused at once do not go on for ever', () => {
  const harness = harnessWith(50)
  harness.refuse = { code: 'ERR_PEERNET_LIMIT', message: 'no more' }
  const link = harness.neighbor(100)
  harness.lose(link)
  harness.run(10)
  assert.equal(harness.attempts, [])
  harness.refuse = undefined
  harness.run(6)
  assert.ok(tried(harness).length >= 1)
})

test('G-131 a node whose presence ended without a word is met with a repair (GA-54)', () => {
  const harness = harnessWith(0)
  const links = neighbors(harness, 3)
  const record = harness.receivePresence(9)
  const renewed = record.modificationTime
  harness.run(299)
  harness.expire(record)
  harness.referrals = [host(9), host(10)]
  for (const link of links) harness.lose(link)
  const attempts = harness.takeAttempts()
  assert.equal(attempts.map(({ to, options }) => [to.address[15], options.repair]).sort(), [
    [10, false],
    [9, true],
  ])
  // A minute before it was last renewed; of others nothing is known for a day.
  assert.is(harness.maintenance.agreedUntil(harness.link(9, 1)), renewed - ticks(60))
  const { peerTime } = harness.context
  assert.is(harness.maintenance.agreedUntil(harness.link(10, 1)), peerTime - ticks(86_400))
  harness.receivePresence(9)
  assert.is(harness.maintenance.agreedUntil(harness.link(9, 1)), peerTime - ticks(60))
})

test.run()
