// MS-PPGRH 3.1.7.5, 3.1.7.12-13, 3.1.6.3, 3.1.6.5: contacts, and partitions seen by them.
import * as assert from 'uvu/assert'
import type { RecordFields } from '#lib/wire/graph/record.js'
import { LIMITS } from '#lib/core/limits.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { contactRange } from '#lib/graph/contacts.js'
import { ticks } from '#lib/graph/peer-time.js'
import { decodeContact, encodeContact } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import { host, MaintenanceHarness } from '../../support/graph-maintenance-harness.js'

/** A signature of a small graph: Cmin 5, Cmax 10. */
const SIGNATURE = 1n << 60n
const NODE = SIGNATURE + 5n

/** A listening node in a graph with that signature and so many contacts, numbered from 1. */
function member(contacts: number, seed = 1): MaintenanceHarness {
  const harness = new MaintenanceHarness({ nodeId: NODE, seed })
  harness.context.properties = { ...harness.context.properties, maxPresenceRecords: 0 }
  harness.receiveSignature(SIGNATURE, { expirationTime: harness.context.peerTime + ticks(900) })
  for (let n = 1; n <= contacts; n++) harness.receiveContact(n, SIGNATURE)
  harness.listen(host(99))
  harness.takeAttempts()
  return harness
}

const own = (harness: MaintenanceHarness) => harness.own(RECORD_TYPE.contact)

test('G-155 Cmin and Cmax by the signature', () => {
  // Digest C.2
  const expected: [bigint, number][] = [
    [1n << 60n, 5],
    [(1n << 64n) - 1n, 5],
    [1n << 59n, 1],
    [1n << 55n, 5],
    [1n << 50n, 10],
    [1n << 40n, 20],
    [1n, 60],
    [0n, 60],
  ]
  for (const [signature, min] of expected) {
    assert.equal(contactRange(signature), { min, max: min + 5 })
  }
})

test('G-048 G-129 G-155 too few contacts: this node becomes one after 10 to 180 s', () => {
  const delays = new Set<number>()
  for (let seed = 1; seed <= 60; seed++) {
    const harness = member(4, seed)
    while (own(harness) === undefined) harness.run(1)
    const delay = (harness.context.now - 1_000_000_000) / 1e6
    assert.ok(delay >= 10 && delay <= 180, `${delay} s`)
    delays.add(delay)
  }
  // Uniform over 171 whole seconds: sixty draws meet both ends of the range, and many values.
  assert.ok(Math.min(...delays) < 40 && Math.max(...delays) > 150 && delays.size > 30)
})

test('G-129 enough contacts: nothing happens, also when there were too few before', () => {
  const harness = member(5)
  harness.run(200)
  assert.is(own(harness), undefined)
  const late = member(4)
  late.run(5)
  late.receiveContact(5, SIGNATURE)
  late.run(200)
  assert.is(own(late), undefined)
})

test('G-129 G-155 more than Cmax contacts: this one stops after a while, if they still are', () => {
  const harness = member(4)
  while (own(harness) === undefined) harness.run(1)
  for (let n = 5; n <= 10; n++) harness.receiveContact(n, SIGNATURE)
  harness.run(9)
  assert.ok(own(harness))
  harness.run(171)
  assert.is(own(harness), undefined)

  const relieved = member(4)
  while (own(relieved) === undefined) relieved.run(1)
  const surplus = [5, 6, 7, 8, 9, 10].map((n) => relieved.receiveContact(n, SIGNATURE))
  relieved.run(5)
  relieved.receiveDeletion(surplus[0] as RecordFields as never)
  relieved.run(180)
  assert.ok(own(relieved))
})

test('G-142 the contact record: signature, node ID, addresses, 900 s, refreshed by itself', () => {
  const harness = member(0)
  let record = own(harness)
  while (record === undefined) {
    harness.run(1)
    record = own(harness)
  }
  const decoded = decodeContact(record.payload)
  assert.ok(decoded.ok)
  assert.equal(decoded.payload, { signature: SIGNATURE, nodeId: NODE, addresses: [host(99)] })
  assert.ok(record.expirationTime - harness.context.peerTime <= ticks(900))
  assert.ok(record.expirationTime - harness.context.peerTime > ticks(898))
  assert.is(harness.autorefresh.get(record.id), true)
})

test('G-142 a change of the signature updates the contact record (GA-26)', () => {
  const harness = member(4)
  while (own(harness) === undefined) harness.run(1)
  const before = own(harness)
  harness.receiveSignature(SIGNATURE - 1n, { version: 2 })
  harness.run(1)
  const record = own(harness)
  assert.is(record?.id, before?.id)
  assert.is(record?.version, 2)
  const decoded = decodeContact(record?.payload ?? new Uint8Array(0))
  assert.ok(decoded.ok && decoded.payload.signature === SIGNATURE - 1n)
})

test('G-151 the contact list adds, replaces and removes by record ID, then counts', () => {
  const harness = member(0)
  for (const n of [50, 51, 52]) harness.neighbor(n)
  const record = harness.receiveContact(1, SIGNATURE)
  // Another signature in the same record: a mismatch.
  const payload = encodeContact({ signature: 7n, nodeId: 1n, addresses: [host(1)] })
  const changed = harness.receive({ ...record, version: 2, payload })
  harness.run(30)
  assert.is(harness.takeAttempts().filter(({ options }) => options.repair === true).length, 1)
  harness.receiveDeletion(changed)
  harness.run(61)
  assert.equal(
    harness.takeAttempts().filter(({ to }) => to.address[15] === 1),
    [],
  )
})

test('G-165 an expired contact leaves room for another', () => {
  const harness = member(0)
  // With a neighbour graph maintenance comes every 300 s only: it is not what notices.
  harness.neighbor(1)
  const records = [1, 2, 3, 4, 5].map((n) => harness.receiveContact(n, SIGNATURE))
  harness.run(301)
  assert.is(own(harness), undefined)
  for (const record of records) harness.expire(record)
  harness.run(181)
  assert.ok(own(harness))
})

test('a node that does not listen is no contact', () => {
  const harness = new MaintenanceHarness({ nodeId: NODE })
  harness.receiveSignature(SIGNATURE)
  harness.neighbor(1, { initiator: false })
  harness.run(290)
  assert.is(own(harness), undefined)
  const member4 = member(4)
  while (own(member4) === undefined) member4.run(1)
  member4.listen()
  assert.is(own(member4), undefined)
})

test('a contact record lives at least ten minutes more, so that it outlasts a split', () => {
  const harness = member(4)
  harness.neighbor(1)
  while (own(harness) === undefined) harness.run(1)
  for (let s = 0; s < 3000; s += 10) {
    harness.run(10)
    const left = (own(harness)?.expirationTime ?? 0n) - harness.context.peerTime
    assert.ok(left >= ticks(300), `${left}`)
  }
})

test('G-049 G-156 a contact of another signature: after 5 to 30 s a connection to it', () => {
  const delays = new Set<number>()
  for (let seed = 1; seed <= 40; seed++) {
    const harness = member(5, seed)
    for (const n of [50, 51, 52]) harness.neighbor(n)
    const start = harness.context.now
    harness.receiveContact(6, SIGNATURE + 9n)
    for (;;) {
      harness.run(1)
      const [attempt] = harness.takeAttempts()
      if (attempt === undefined) continue
      assert.equal(attempt.to, host(6))
      assert.equal(attempt.options, { direct: false, repair: true, peerId: 'p6' })
      break
    }
    delays.add((harness.context.now - start) / 1e6)
  }
  assert.ok(Math.min(...delays) >= 5 && Math.max(...delays) <= 30)
  assert.ok(Math.min(...delays) <= 8 && Math.max(...delays) >= 27 && delays.size > 10)
})

test('G-131 what matches again by then is left alone', () => {
  const harness = member(5)
  for (const n of [50, 51, 52]) harness.neighbor(n)
  const record = harness.receiveContact(6, SIGNATURE + 9n)
  harness.run(4)
  const payload = encodeContact({ signature: SIGNATURE, nodeId: 6n, addresses: [host(6)] })
  harness.receive({ ...record, version: 2, payload })
  harness.run(30)
  assert.equal(harness.attempts, [])
})

test('G-131 no second connection to a contact, and none beyond the maximum', () => {
  const connected = member(5)
  for (const n of [6, 51, 52]) connected.neighbor(n)
  connected.receiveContact(6, SIGNATURE + 9n)
  connected.run(31)
  assert.equal(connected.attempts, [])
  const full = member(5)
  for (const n of [50, 51, 52, 53, 54, 55, 56]) full.neighbor(n)
  full.receiveContact(6, SIGNATURE + 9n)
  full.run(31)
  assert.equal(full.attempts, [])
})

test('G-156 maintenance looks for partitions each time, as long as the mismatch lasts', () => {
  const harness = member(5)
  for (const n of [50, 51, 52]) harness.neighbor(n)
  harness.receiveContact(6, SIGNATURE + 9n)
  harness.run(31)
  harness.fail(harness.takeAttempts()[0])
  harness.run(331)
  const again = harness.takeAttempts().filter(({ to }) => to.address[15] === 6)
  assert.ok(again.length >= 1)
})

test('a forged contact with a life beyond all bounds is not listed', () => {
  const harness = member(5)
  for (const n of [50, 51, 52]) harness.neighbor(n)
  const expirationTime = harness.context.peerTime + ticks(900 + 1201)
  harness.receiveContact(6, SIGNATURE + 9n, { expirationTime })
  harness.run(31)
  assert.equal(harness.attempts, [])
})

test('the contact list is bounded', () => {
  const harness = member(0)
  for (let n = 0; n < LIMITS.graphContactEntries + 50; n++) harness.receiveContact(n, SIGNATURE)
  assert.is(harness.context.counters.get('graph.contact-list-full'), 50)
})

test('who overwrites our contact record is corrected', () => {
  const harness = member(4)
  while (own(harness) === undefined) harness.run(1)
  const record = own(harness)
  assert.ok(record)
  const payload = encodeContact({ signature: 0n, nodeId: 666n, addresses: [host(66)] })
  harness.receive({ ...record, version: 2, lastModifiedBy: 'mallory', payload })
  harness.run(1)
  const decoded = decodeContact(own(harness)?.payload ?? new Uint8Array(0))
  assert.ok(decoded.ok && decoded.payload.nodeId === NODE)
  assert.is(own(harness)?.version, 3)
})

test('G-074 a node that leaves deletes its contact record', () => {
  const harness = member(4)
  while (own(harness) === undefined) harness.run(1)
  harness.maintenance.withdraw()
  assert.is(own(harness), undefined)
  assert.is(harness.ofType(RECORD_TYPE.contact).length, 4)
})

test.run()
