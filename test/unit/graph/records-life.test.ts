import * as assert from 'uvu/assert'
import { minutes, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { encodeContact, encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { PROPERTIES, settle, TestNode, type TestLink } from '../../support/graph-node.js'
import {
  HOUR,
  record,
  recordId,
  SECOND,
  T0,
  tombstone,
  version,
} from '../../support/graph-records.js'
import {
  SPEC,
  good,
  neighbourhood,
  floods,
  settleOne,
  changes,
  provider,
} from '../../support/graph-neighbourhood.js'
import { test } from '../../harness.js'

test('G-133 G-162 an expired record is taken out and told', () => {
  const node = new TestNode()
  node.records.start()
  const short = good(node.records.publish({ ...SPEC, expirationTime: T0 + 100n * SECOND }))
  good(node.records.publish(SPEC))
  node.takeEvents()
  node.takeWrites()
  node.pass(seconds(99))
  assert.is(node.database.size, 2)
  node.pass(seconds(17))
  assert.is(node.database.size, 1)
  assert.equal(changes(node.takeEvents()), ['expired v1 false'])
  assert.equal(node.takeWrites(), [{ type: 'remove', id: short.id }])
})

test('G-133 expired internal records go to maintenance, tombstones go silently', () => {
  const node = new TestNode()
  node.records.start()
  const expirationTime = T0 + SECOND
  const contact = record({ type: RECORD_TYPE.contact, expirationTime })
  const dead = version(record(), 2, { deleted: true, expirationTime: T0 + 3n * SECOND })
  node.database.put(contact)
  node.database.put(dead)
  node.pass(seconds(40))
  assert.is(node.database.size, 0)
  assert.equal(node.listener.expired, [contact])
  assert.equal(node.takeEvents(), [])
  assert.equal(node.takeWrites(), [{ type: 'remove', id: dead.id }])
})

test('G-140 G-133 the scan comes at an expiration, 15 s to 24 h after the one before', () => {
  const node = new TestNode()
  const scan = () => (node.context.timers.next() - node.context.now) / 1e6
  node.records.start()
  node.pass(0)
  const { timers } = node.context
  // Autorefresh is armed, too: let it pass.
  node.pass(seconds(5))
  assert.is(timers.size, 1)
  assert.is(scan(), 24 * 3600 - 5)
  const publish = (after: bigint) =>
    good(node.records.publish({ ...SPEC, expirationTime: T0 + after * SECOND }))
  publish(1005n)
  assert.is(scan(), 1000)
  // 15 s earlier is worth it, less is not.
  publish(990n)
  assert.is(scan(), 1000)
  publish(989n)
  assert.is(scan(), 984)
  node.pass(seconds(984))
  // The next one is due in one second.
  assert.is(node.database.size, 2)
  assert.is(scan(), 15)
  node.pass(seconds(15))
  assert.is(node.database.size, 1)
})

test('many records that expire at once are taken out in turns', () => {
  const node = new TestNode()
  node.records.start()
  const count = LIMITS.graphExpiriesPerTurn + 10
  for (let n = 0; n < count; n++) node.database.put(record({ expirationTime: T0 + SECOND }))
  node.pass(seconds(1))
  node.records.scanNow()
  const { context } = node
  context.timers.takeDue(context.now)?.onTimer()
  assert.is(node.database.size, 10)
  assert.is(context.timers.next(), context.now)
  node.pass(0)
  assert.is(node.database.size, 0)
})

test('G-054 G-059 with deferred expiration nothing expires while the node is alone', () => {
  const properties = { ...PROPERTIES, deferExpiration: true }
  const node = new TestNode({ properties })
  node.records.start()
  good(node.records.publish({ ...SPEC, expirationTime: T0 + 10n * SECOND }))
  node.pass(minutes(10))
  assert.is(node.database.size, 1)
  assert.equal(changes(node.takeEvents()), ['added v1 true'])
  new TestNode().connect(node, { start: false })
  node.records.scanNow()
  node.pass(0)
  assert.is(node.database.size, 0)
  assert.equal(changes(node.takeEvents()), ['expired v1 false'])
})

test('a clock that is set forward expires what is due by it', () => {
  const node = new TestNode()
  node.records.start()
  good(node.records.publish(SPEC))
  node.pass(seconds(1))
  node.setPeerTime(T0 + 2n * HOUR)
  node.records.clockChanged()
  node.pass(0)
  assert.is(node.database.size, 0)
})

test('GA-58 a record in the place of one that lapsed is new, whatever its version', () => {
  const { node, links } = neighbourhood()
  const old = version(record(), 5, { expirationTime: T0 + SECOND, modificationTime: T0 + 1n })
  node.database.put(old)
  node.setPeerTime(T0 + SECOND)
  node.flood(
    links[0] as TestLink,
    version(old, 3, { modificationTime: T0 + 1n, expirationTime: T0 + HOUR }),
  )
  assert.is(node.database.current(old.id)?.version, 3)
  assert.equal(changes(node.takeEvents()), ['expired v5 false', 'added v3 false'])
})

// Autorefresh

test('G-134 G-166 GA-28 flagged records are renewed 20 s before they expire, for as long again', () => {
  const { node, links } = neighbourhood()
  node.records.start()
  const spec = { ...SPEC, expirationTime: T0 + 300n * SECOND, payload: Uint8Array.of(5) }
  const flagged = good(node.records.publish({ ...spec, autorefresh: true }))
  const plain = good(node.records.publish(spec))
  settleOne(node)
  node.links.sent.length = 0
  node.pass(seconds(279))
  assert.is(node.database.get(flagged.id)?.version, 1)
  node.pass(seconds(1))
  const renewed = node.database.get(flagged.id) as GraphRecord
  assert.is(renewed.version, 2)
  assert.is(renewed.modificationTime, T0 + 280n * SECOND)
  assert.is(renewed.expirationTime, T0 + 580n * SECOND)
  assert.equal([...renewed.payload], [5])
  assert.equal(floods(node, links).sort(), ['0:v2', '1:v2', '2:v2'])
  node.pass(seconds(600))
  assert.is(node.database.get(plain.id), undefined)
  assert.is(node.database.get(flagged.id)?.version, 4)
})

test('G-166 deleted records, and those whose flag was taken away, are not renewed', () => {
  const node = new TestNode()
  node.records.start()
  const spec = { ...SPEC, expirationTime: T0 + 300n * SECOND, autorefresh: true }
  const [a, b] = [good(node.records.publish(spec)), good(node.records.publish(spec))]
  good(node.records.remove(a.id))
  good(node.records.update(b.id, { autorefresh: false }))
  node.pass(seconds(400))
  assert.is(node.database.size, 0)
})

test('GA-28 who published keeps renewing, whoever modified it; a deletion ends that', () => {
  const { node, links } = neighbourhood()
  node.records.start()
  const made = good(
    node.records.publish({ ...SPEC, expirationTime: T0 + 300n * SECOND, autorefresh: true }),
  )
  const link = links[0] as TestLink
  node.flood(link, version(made, 2, { payload: Uint8Array.of(9) }))
  node.pass(seconds(290))
  const renewed = node.database.get(made.id) as GraphRecord
  assert.is(renewed.version, 3)
  assert.equal([...renewed.payload], [9])
  node.flood(link, tombstone(renewed, 4))
  node.pass(minutes(20))
  assert.is(node.database.get(made.id), undefined)
})

test('G-140 autorefresh never comes sooner than 4 s, however short a record lives', () => {
  const node = new TestNode()
  node.records.start()
  const made = good(
    node.records.publish({ ...SPEC, expirationTime: T0 + 10n * SECOND, autorefresh: true }),
  )
  node.pass(seconds(3.9))
  assert.is(node.database.get(made.id)?.version, 1)
  node.pass(seconds(0.2))
  assert.is(node.database.get(made.id)?.version, 2)
  node.pass(seconds(60))
  assert.ok((node.database.get(made.id)?.version ?? 0) <= 17)
})

test('a record that may not be renewed is let go', () => {
  let permitted = true
  const node = new TestNode({
    security: { ...provider('valid'), secure: () => (permitted ? new Uint8Array(4) : undefined) },
  })
  node.records.start()
  const spec = { ...SPEC, expirationTime: T0 + 60n * SECOND, autorefresh: true }
  good(node.records.publish(spec))
  permitted = false
  node.pass(seconds(120))
  assert.is(node.database.size, 0)
  assert.is(node.context.counters.get('autorefresh-failed'), 1)
})

// Internal records

test('G-142 G-143 GA-53 internal records: created, updated, and newer than their tombstone', () => {
  const node = new TestNode()
  const spec = {
    type: RECORD_TYPE.signature,
    id: FIXED_RECORD_ID.signature,
    payload: encodeSignature({ signature: 5n }),
    expirationTime: T0 + 300n * SECOND,
    autorefresh: true,
  }
  const first = node.records.publishInternal(spec) as GraphRecord
  assert.equal([first.version, first.lastModifiedBy, first.id], [1, '', FIXED_RECORD_ID.signature])
  node.setPeerTime(T0 + 10n * SECOND)
  const payload = encodeSignature({ signature: 4n })
  const second = node.records.publishInternal({ ...spec, payload }) as GraphRecord
  assert.equal([second.version, second.lastModifiedBy], [2, 'alice'])
  assert.is(second.creationTime, first.creationTime)
  node.records.removeInternal(first.id)
  assert.ok(node.database.get(first.id)?.deleted)
  const fourth = node.records.publishInternal(spec) as GraphRecord
  assert.equal([fourth.version, fourth.lastModifiedBy, fourth.deleted], [4, '', false])
  assert.is(fourth.creationTime, T0 + 10n * SECOND)
  // Never earlier than it was announced to expire.
  const fifth = node.records.publishInternal({ ...spec, expirationTime: T0 + SECOND })
  assert.is(fifth?.expirationTime, T0 + 300n * SECOND)
  assert.equal(node.takeEvents(), [])
  assert.equal(
    node.listener.stored.map(({ local }) => local),
    [true, true, true, true, true],
  )
})

test('an internal record without a fixed ID gets one of its creator', () => {
  const node = new TestNode()
  const payload = encodeContact({ signature: 5n, nodeId: 1n, addresses: [] })
  const made = node.records.publishInternal({
    type: RECORD_TYPE.contact,
    payload,
    expirationTime: T0 + HOUR,
    autorefresh: false,
  })
  assert.is(made?.id.slice(0, 8), recordId('alice').slice(0, 8))
})

// All together

test('G-117 a record published anywhere is at all nodes, and an update and a deletion, too', () => {
  const nodes = ['alice', 'bob', 'carol', 'dave'].map((peerId) => new TestNode({ peerId }))
  const [a, b, c, d] = nodes as [TestNode, TestNode, TestNode, TestNode]
  for (const [from, to] of [
    [b, a],
    [c, b],
    [d, c],
    [a, d],
    [a, c],
  ] as const) {
    from.connect(to, { start: false })
  }
  const made = good(a.records.publish(SPEC))
  good(c.records.publish(SPEC))
  settle(...nodes)
  good(d.records.update(made.id, { payload: Uint8Array.of(1) }))
  settle(...nodes)
  good(b.records.remove(made.id))
  settle(...nodes)
  for (const node of nodes) {
    assert.equal(node.contents, a.contents)
    assert.is(node.database.get(made.id)?.version, 3)
  }
  const seen = changes(b.takeEvents())
  assert.equal(seen, ['added v1 false', 'added v1 false', 'updated v2 false', 'deleted v3 true'])
})

test.run()
