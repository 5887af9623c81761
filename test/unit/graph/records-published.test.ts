import * as assert from 'uvu/assert'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import type { GraphEvent, RecordSpec } from '#lib/graph/interface.js'
import { encodeContact, encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import { PROPERTIES, TestNode } from '../../support/graph-node.js'
import {
  APP_TYPE,
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
  code,
  neighbourhood,
  floods,
  provider,
} from '../../support/graph-neighbourhood.js'
import { test } from '../../harness.js'

test('G-060 G-138 a new record says what was asked for, and who made it when', () => {
  const node = new TestNode()
  const payload = Uint8Array.of(1, 2, 3)
  const attributes = '<attributes/>'
  const made = good(node.records.publish({ ...SPEC, payload, attributes }))
  assert.is(made.type, APP_TYPE)
  assert.is(made.version, 1)
  assert.is(made.deleted, false)
  assert.is(made.creatorId, 'alice')
  // GA-48
  assert.is(made.lastModifiedBy, '')
  assert.is(made.creationTime, T0)
  assert.is(made.modificationTime, T0)
  assert.is(made.expirationTime, T0 + HOUR)
  assert.is(made.graphId, 'g1')
  assert.equal([...made.payload], [1, 2, 3])
  assert.is(made.attributes, attributes)
  assert.is(made.securityData.length, 0)
  // What is not given is absent from the wire: the least record by "alice" in "g1".
  assert.is(good(node.records.publish(SPEC)).bytes.length, 90 + 12 + 6)
  // GA-28: neither is the local flag.
  const flagged = good(node.records.publish({ ...SPEC, autorefresh: true }))
  assert.is(flagged.bytes[39], 0)
})

test('G-061 G-017 what may not be added is refused, and nothing is sent', () => {
  const { node, links } = neighbourhood()
  const attempts: [string, Partial<RecordSpec>][] = [
    ['ERR_PEERNET_RECORD_EXPIRATION', { expirationTime: T0 }],
    ['ERR_PEERNET_RECORD_SIZE', { payload: new Uint8Array(PROPERTIES.maxRecordSize) }],
    ['ERR_PEERNET_INVALID_ATTRIBUTES', { attributes: '<attributes>' }],
    [
      'ERR_PEERNET_INVALID_ATTRIBUTES',
      {
        attributes:
          '<attributes><attribute name="peercreatorid" type="string">x</attribute></attributes>',
      },
    ],
    ...Object.values(RECORD_TYPE).map((type): [string, Partial<RecordSpec>] => [
      'ERR_PEERNET_INVALID_RECORD',
      { type },
    ]),
  ]
  for (const [expected, change] of attempts) {
    assert.is(code(node.records.publish({ ...SPEC, ...change })), expected)
  }
  assert.equal([node.database.size, floods(node, links)], [0, []])
  // GA-49: one byte less than the maximum is the most.
  const most = new Uint8Array(PROPERTIES.maxRecordSize - 1)
  good(node.records.publish({ ...SPEC, payload: most }))
})

test('G-139 G-062 G-065 a record is secured, inserted and then flooded to all neighbours', () => {
  const order: string[] = []
  const { node, links } = neighbourhood({
    security: {
      ...provider('valid'),
      secure: (fields: RecordFields, operation: string) => {
        order.push(`${operation} ${node.database.get(fields.id)?.version ?? 0}`)
        return Uint8Array.of(operation.length)
      },
    },
  })
  const made = good(node.records.publish(SPEC))
  assert.equal([...made.securityData], [3])
  good(node.records.update(made.id, { payload: Uint8Array.of(1) }))
  good(node.records.remove(made.id))
  assert.equal(order, ['add 0', 'update 1', 'delete 2'])
  assert.equal(
    floods(node, links).sort(),
    [...'012'].flatMap((n) => Array<string>(3).fill(`${n}:v3`)),
  )
})

test('G-173 G-139 what the provider does not permit is not carried out', () => {
  const { node, links } = neighbourhood({
    security: { ...provider('valid'), secure: () => undefined },
  })
  assert.is(code(node.records.publish(SPEC)), 'ERR_PEERNET_NOT_AUTHORIZED')
  node.database.put(record({ id: recordId() }))
  const [held] = [...node.database] as [GraphRecord]
  assert.is(code(node.records.update(held.id, {})), 'ERR_PEERNET_NOT_AUTHORIZED')
  assert.is(code(node.records.remove(held.id)), 'ERR_PEERNET_NOT_AUTHORIZED')
  assert.is(node.database.get(held.id)?.version, 1)
  assert.equal(floods(node, links), [])
})

test('a full database refuses another record, but not the deletion of one', () => {
  const database = new GraphDatabase({ records: 1 })
  const node = new TestNode({ database })
  const made = good(node.records.publish(SPEC))
  assert.is(code(node.records.publish(SPEC)), 'ERR_PEERNET_LIMIT')
  good(node.records.remove(made.id))
})

// Updating and deleting

test('G-063 G-145 G-146 an update keeps what it does not change', () => {
  const node = new TestNode({ peerId: 'bob' })
  const old = record({ payload: Uint8Array.of(7), attributes: '<attributes/>' })
  node.database.put(old)
  node.setPeerTime(T0 + 5n * SECOND)
  const next = good(node.records.update(old.id, { expirationTime: T0 + 2n * HOUR }))
  assert.is(next.version, 2)
  assert.is(next.lastModifiedBy, 'bob')
  assert.is(next.modificationTime, T0 + 5n * SECOND)
  assert.is(next.expirationTime, T0 + 2n * HOUR)
  for (const name of [
    'id',
    'type',
    'creatorId',
    'creationTime',
    'graphId',
    'attributes',
  ] as const) {
    assert.is(next[name], old[name])
  }
  assert.equal([...next.payload], [7])
  assert.is(node.database.get(old.id), next)
  assert.is(node.database.size, 1)
})

test('G-064 G-145 what may not be updated is refused, and nothing is sent', () => {
  const { node, links } = neighbourhood()
  const live = record({ attributes: '<attributes/>' })
  const dead = tombstone(record(), 2)
  const info = record({ type: RECORD_TYPE.contact })
  for (const each of [live, dead, info]) node.database.put(each)
  const attempts = [
    [recordId(), {}, 'ERR_PEERNET_RECORD_NOT_FOUND'],
    [dead.id, {}, 'ERR_PEERNET_RECORD_NOT_FOUND'],
    [info.id, {}, 'ERR_PEERNET_INVALID_RECORD'],
    [live.id, { expirationTime: T0 + HOUR - 1n }, 'ERR_PEERNET_RECORD_EXPIRATION'],
    [
      live.id,
      { payload: new Uint8Array(PROPERTIES.maxRecordSize - 28) },
      'ERR_PEERNET_RECORD_SIZE',
    ],
    [live.id, { attributes: 'no' }, 'ERR_PEERNET_INVALID_ATTRIBUTES'],
  ] as const
  for (const [id, change, expected] of attempts) {
    assert.is(code(node.records.update(id, change)), expected)
  }
  // An expired record that is still held needs a later expiration.
  node.setPeerTime(T0 + HOUR)
  assert.is(code(node.records.update(live.id, {})), 'ERR_PEERNET_RECORD_EXPIRATION')
  assert.equal([floods(node, links), node.database.get(live.id)], [[], live])
})

test('GA-44 an update is never earlier than what it replaces, whatever the clock says', () => {
  const node = new TestNode()
  const made = good(node.records.publish(SPEC))
  node.setPeerTime(T0 - HOUR)
  const second = good(node.records.update(made.id, {}))
  assert.is(second.modificationTime, T0 + 1n)
  const third = good(node.records.update(made.id, {}))
  assert.is(third.modificationTime, T0 + 1n)
  assert.is(third.version, 3)
})

test('G-147 G-066 GA-11 a deletion is an update without content that cannot be undone', () => {
  const { node } = neighbourhood({ peerId: 'bob' })
  const old = record({ payload: Uint8Array.of(7), attributes: '<attributes/>' })
  node.database.put(old)
  const dead = good(node.records.remove(old.id))
  assert.ok(dead.deleted)
  assert.is(dead.version, 2)
  assert.is(dead.lastModifiedBy, 'bob')
  assert.is(dead.modificationTime, T0 + 1n)
  assert.is(dead.expirationTime, old.expirationTime)
  assert.is(dead.payload.length, 0)
  assert.is(dead.attributes, '')
  assert.is(dead.creatorId, 'alice')
  assert.is(code(node.records.remove(old.id)), 'ERR_PEERNET_RECORD_NOT_FOUND')
  assert.is(code(node.records.remove(recordId())), 'ERR_PEERNET_RECORD_NOT_FOUND')
  assert.is(code(node.records.update(old.id, {})), 'ERR_PEERNET_RECORD_NOT_FOUND')
  const contact = record({ type: RECORD_TYPE.contact })
  node.database.put(contact)
  assert.is(code(node.records.remove(contact.id)), 'ERR_PEERNET_INVALID_RECORD')
})

test('GA-11 a tombstone outlives its modification', () => {
  const node = new TestNode()
  const expiring = record({ expirationTime: T0 + 1n })
  node.database.put(expiring)
  const dead = good(node.records.remove(expiring.id))
  assert.is(dead.expirationTime, dead.modificationTime + 300n * SECOND)
})

test('attack: a record at the end of all numbers can be refused, not broken', () => {
  const node = new TestNode()
  const end = 0x7fffffffffffffffn
  const last = version(record(), 0xffffffff, { modificationTime: end - 1n, expirationTime: end })
  node.database.put(last)
  assert.is(code(node.records.update(last.id, {})), 'ERR_PEERNET_INVALID_ARG')
  assert.is(code(node.records.remove(last.id)), 'ERR_PEERNET_INVALID_ARG')
  assert.is(node.database.get(last.id), last)
})

// Completion and persistence

function command(node: TestNode, handle: number): GraphEvent[] {
  node.records.handleCommand({ type: 'publish', handle, record: SPEC })
  return node.takeEvents().filter(({ type }) => type === 'done' || type === 'failed')
}

test('a command is done when its write is on disk, and failed when that failed', () => {
  const node = new TestNode()
  assert.equal(command(node, 1), [])
  assert.equal(command(node, 2), [])
  node.context.flushWrites()
  assert.equal(command(node, 3), [])
  node.context.flushWrites()
  const effects = [node.context.effects.shift(), node.context.effects.shift()]
  assert.equal(
    effects.map((effect) => effect?.type === 'persist' && [effect.sequence, effect.writes.length]),
    [
      [1, 2],
      [2, 1],
    ],
  )
  node.records.persisted(1)
  const ids = [...node.database].map(({ id }) => id)
  assert.equal(node.takeEvents(), [
    { type: 'done', handle: 1, id: ids[0] },
    { type: 'done', handle: 2, id: ids[1] },
  ])
  node.records.persistFailed(2, 'disk full')
  const [failed] = node.takeEvents()
  assert.is(failed?.type === 'failed' && failed.handle, 3)
  assert.is(failed?.type === 'failed' && failed.code, 'ERR_PEERNET_SYSTEM')
  node.records.persisted(3)
  assert.equal(node.takeEvents(), [])
})

test('a command that is refused fails at once', () => {
  const node = new TestNode()
  node.records.handleCommand({ type: 'delete', handle: 4, id: recordId() })
  const [failed] = node.takeEvents()
  assert.is(failed?.type === 'failed' && failed.code, 'ERR_PEERNET_RECORD_NOT_FOUND')
  assert.equal(node.takeWrites(), [])
})

test('G-057 presence, signature and contact are never stored; tombstones and the rest are', () => {
  const node = new TestNode()
  const [peer] = [new TestNode()]
  const link = peer.connect(node, { start: false }).other
  const signature = record({
    type: RECORD_TYPE.signature,
    id: FIXED_RECORD_ID.signature,
    payload: encodeSignature({ signature: 1n }),
  })
  const contact = record({
    type: RECORD_TYPE.contact,
    payload: encodeContact({ signature: 1n, nodeId: 1n, addresses: [] }),
  })
  for (const internal of [signature, contact, tombstone(contact, 2)]) node.flood(link, internal)
  assert.is(node.database.size, 2)
  assert.equal(node.takeWrites(), [])
  const app = record()
  node.flood(link, app)
  node.flood(link, tombstone(app, 2))
  const made = good(node.records.publish({ ...SPEC, autorefresh: true }))
  assert.equal(
    node
      .takeWrites()
      .map((write) => (write.type === 'put' ? [write.record.id, write.autorefresh] : write)),
    [
      [app.id, false],
      [app.id, false],
      [made.id, true],
    ],
  )
})

// Receiving

test.run()
