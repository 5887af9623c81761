// MS-PPGRH 3.1.7.15-16, 3.1.7.23, 3.1.6.6: graph maintenance as a whole.
import * as assert from 'uvu/assert'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { ticks } from '#lib/graph/peer-time.js'
import { decodeContact, decodePresence } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import { host, MaintenanceHarness } from '../../support/graph-maintenance-harness.js'

const SIGNATURE = 1n << 60n

function harnessWith(): MaintenanceHarness {
  const harness = new MaintenanceHarness({ nodeId: SIGNATURE + 1n })
  harness.receiveSignature(SIGNATURE, { expirationTime: harness.context.peerTime + ticks(900) })
  return harness
}

/** Seconds between the times at which attempted referrals were cleared: one a maintenance. */
function maintenanceTimes(harness: MaintenanceHarness, s: number): number[] {
  const times: number[] = []
  const start = harness.context.now
  for (let i = 0; i < s; i++) {
    const { cleared } = harness
    harness.run(1)
    if (harness.cleared > cleared) times.push((harness.context.now - start) / 1e6)
  }
  return times
}

test('G-050 G-132 G-160 maintenance each 30 s without neighbours', () => {
  const harness = harnessWith()
  harness.listen(host(1))
  assert.is(harness.cleared, 1)
  assert.equal(maintenanceTimes(harness, 100), [30, 60, 90])
})

test('G-050 G-132 G-160 maintenance each 300 s with a neighbour', () => {
  const harness = harnessWith()
  harness.listen(host(1))
  harness.neighbor(5)
  assert.is(harness.cleared, 2)
  assert.equal(maintenanceTimes(harness, 700), [300, 600])
  harness.lose(harness.neighbors[0] as never)
  assert.equal(maintenanceTimes(harness, 65), [30, 60])
})

test('G-050 a first neighbour that came by itself puts the timer at 300 s', () => {
  const harness = harnessWith()
  harness.listen(host(1))
  harness.neighbor(5, { initiator: false })
  assert.is(harness.cleared, 1)
  assert.equal(maintenanceTimes(harness, 320), [300])
})

test('G-160 maintenance runs when listening starts, with the first WELCOME, and when a link ends', () => {
  const harness = harnessWith()
  harness.listen(host(1))
  const first = harness.neighbor(5)
  assert.is(harness.cleared, 2)
  harness.neighbor(6)
  assert.is(harness.cleared, 2)
  harness.lose(first)
  assert.is(harness.cleared, 3)
})

test('G-160 dropping a neighbour brings one more maintenance, not a chain of them', () => {
  const harness = harnessWith()
  harness.listen(host(1))
  for (let n = 5; n < 12; n++) harness.neighbor(n)
  const { cleared } = harness
  harness.run(300)
  assert.is(harness.disconnected.length, 1)
  assert.is(harness.cleared, cleared + 2)
})

test('G-159 long-term repair is asked for by contacts only', () => {
  const harness = harnessWith()
  harness.neighbor(5)
  harness.listen(host(1))
  const asked = (): number =>
    harness.drain().filter((e) => e.type === 'connection-required' && e.why === 'long-term-repair')
      .length
  let before = 0
  while (harness.own(RECORD_TYPE.contact) === undefined) {
    harness.run(1)
    before += asked()
  }
  assert.is(before, 0)
  harness.run(300)
  assert.is(asked(), 1)
  harness.run(300)
  assert.is(asked(), 1)
  const others = harnessWith()
  for (let n = 1; n < 6; n++) others.receiveContact(n, SIGNATURE)
  others.listen(host(1))
  others.run(301)
  assert.not(
    others.drain().some((e) => e.type === 'connection-required' && e.why === 'long-term-repair'),
  )
})

test('G-159 who was asked for a connection may make one, in time', () => {
  const harness = harnessWith()
  harness.neighbor(5)
  harness.listen(host(1))
  assert.not(harness.maintenance.takeRepairTurn())
  const isAsked = (): boolean =>
    harness.drain().some((e) => e.type === 'connection-required' && e.why === 'long-term-repair')
  while (!isAsked()) harness.run(1)
  assert.ok(harness.maintenance.takeRepairTurn())
  assert.not(harness.maintenance.takeRepairTurn())
  while (!isAsked()) harness.run(1)
  harness.run(61)
  assert.not(harness.maintenance.takeRepairTurn())
})

test('G-167 other addresses: presence and contact records follow, then maintenance', () => {
  const harness = harnessWith()
  harness.neighbor(5)
  harness.listen(host(1))
  while (harness.own(RECORD_TYPE.contact) === undefined) harness.run(1)
  const contact = harness.own(RECORD_TYPE.contact)
  const presence = harness.own(RECORD_TYPE.presence)
  const { cleared } = harness
  harness.listen(host(2))
  const newContact = harness.own(RECORD_TYPE.contact)
  const newPresence = harness.own(RECORD_TYPE.presence)
  assert.is(newContact?.id, contact?.id)
  assert.is(newPresence?.id, presence?.id)
  assert.is(newPresence?.version, (presence?.version ?? 0) + 1)
  const c = decodeContact(newContact?.payload ?? new Uint8Array(0))
  const p = decodePresence(newPresence?.payload ?? new Uint8Array(0), { stringOrder: 'big-endian' })
  assert.ok(c.ok && p.ok)
  assert.equal([c.payload.addresses, p.payload.addresses], [[host(2)], [host(2)]])
  assert.is(harness.cleared, cleared + 1)
})

test('G-074 after closing nothing stirs', () => {
  const harness = harnessWith()
  harness.neighbor(5)
  harness.listen(host(1))
  harness.run(200)
  harness.maintenance.withdraw()
  harness.context.closing = true
  assert.equal(harness.ofType(RECORD_TYPE.presence), [])
  assert.equal(harness.ofType(RECORD_TYPE.contact), [])
  harness.maintenance.linkClosed(harness.neighbors[0] as never)
  harness.maintenance.attemptFailed(1)
  harness.maintenance.listeningChanged()
  harness.maintenance.synchronized()
  harness.receiveSignature(SIGNATURE + 99n, { version: 9 })
  assert.is(harness.nextTimer, Infinity)
})

test.run()
