import * as assert from 'uvu/assert'
import { minutes, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import type { GraphEvent, RecordSpec } from '#lib/graph/interface.js'
import type { Failure } from '#lib/graph/parts.js'
import type { GraphSecurityProvider, RecordVerdict } from '#lib/graph/security-provider.js'
import { encodeContact, encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import { PROPERTIES, settle, TestNode, type TestLink } from '../../support/graph-node.js'
import {
  APP_TYPE,
  HOUR,
  OTHER_TYPE,
  record,
  recordId,
  SECOND,
  T0,
  tombstone,
  version,
} from '../../support/graph-records.js'
import { test } from '../../harness.js'

const SPEC: RecordSpec = { type: APP_TYPE, expirationTime: T0 + HOUR }

function good(result: GraphRecord | Failure): GraphRecord {
  if ('code' in result) throw new Error(`${result.code}: ${result.message}`)
  return result
}

function code(result: GraphRecord | Failure): string {
  return 'code' in result ? result.code : 'it was carried out'
}

/** A node and three neighbours. */
function neighbourhood(options: ConstructorParameters<typeof TestNode>[0] = {}): {
  node: TestNode
  peers: TestNode[]
  links: TestLink[]
} {
  const node = new TestNode(options)
  const peers = ['bob', 'carol', 'dave'].map((peerId) => new TestNode({ peerId, creates: false }))
  const links = peers.map((peer) => peer.connect(node, { start: false }).other)
  return { node, peers, links }
}

/** Who got a FLOOD of which version of this record. */
function floods(node: TestNode, links: readonly TestLink[]): string[] {
  settleOne(node)
  return node.links.sent.flatMap(({ link, message }) => {
    if (message.type !== 'FLOOD') return []
    return [`${links.indexOf(link)}:v${message.record.version}`]
  })
}

function settleOne(node: TestNode): void {
  while (node.links.deliver());
}

function changes(events: readonly GraphEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'record' ? [`${event.change} v${event.record.version} ${event.local}`] : [],
  )
}

// Publishing

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

test('G-117 G-119 G-148 a new record is stored, flooded on, acknowledged and told', () => {
  const { node, links } = neighbourhood()
  const [from] = links as [TestLink, TestLink, TestLink]
  const first = record()
  node.flood(from, first)
  assert.equal(node.links.acks.at(-1)?.ack, { id: first.id, useful: true })
  assert.is(node.links.acks.at(-1)?.link, from)
  const second = version(first, 2)
  node.flood(from, second)
  assert.equal(floods(node, links).sort(), ['1:v2', '1:v2', '2:v2', '2:v2'])
  assert.is(node.database.size, 1)
  assert.equal([...(node.database.get(first.id)?.bytes ?? [])], [...second.bytes])
  assert.equal(changes(node.takeEvents()), ['added v1 false', 'updated v2 false'])
  const stored = node.listener.stored.map(({ record: { version: v }, previous, local }) => {
    return [v, previous?.version, local]
  })
  assert.equal(stored, [
    [1, undefined, false],
    [2, 1, false],
  ])
})

test('a record is kept in memory of its own', () => {
  const { node, links } = neighbourhood()
  const sent = record({ payload: new Uint8Array(300).fill(3) })
  // flood() overwrites the memory that the record came in.
  node.flood(links[0] as TestLink, sent)
  assert.equal([...(node.database.get(sent.id)?.bytes ?? [])], [...sent.bytes])
})

test('G-119 what is present already is acknowledged as not useful, and goes nowhere', () => {
  const { node, links } = neighbourhood()
  const held = record()
  node.database.put(held)
  node.flood(links[1] as TestLink, held)
  assert.equal(
    node.links.acks.map(({ ack }) => ack),
    [{ id: held.id, useful: false }],
  )
  assert.equal([floods(node, links), node.takeEvents(), node.takeWrites()], [[], [], []])
})

test('G-118 G-119 an old record is answered with ours', () => {
  const { node, links } = neighbourhood()
  const old = record()
  const held = version(old, 2)
  node.database.put(held)
  node.flood(links[2] as TestLink, old)
  assert.equal(floods(node, links), ['2:v2'])
  assert.equal(
    node.links.acks.map(({ ack }) => ack.useful),
    [false],
  )
  assert.is(node.database.get(old.id), held)
})

test('G-120 G-179 both ends of a FLOOD update the utility of the link', () => {
  const { node, links } = neighbourhood()
  const [link, acked] = links as [TestLink, TestLink, TestLink]
  // The digest's C.2: useful, useful, not, useful.
  const expected = [128, 252, 244.125, 364.49609375]
  const first = record()
  const steps = [first, record(), first, record()]
  steps.forEach((each, n) => {
    node.flood(link, each)
    assert.is(link.utility, expected[n])
  })
  const id = first.id
  node.records.handleAcks(acked, [
    { id, useful: true },
    { id, useful: true },
    { id, useful: false },
  ])
  assert.is(acked.utility, 244.125)
  for (let n = 0; n < 5000; n++) node.records.handleAcks(acked, [{ id, useful: true }])
  assert.ok(acked.utility <= 4096)
})

test('G-116 an invalid record is counted, and that is all', () => {
  const { node, links } = neighbourhood()
  const link = links[0] as TestLink
  node.flood(
    link,
    record({ expirationTime: T0 + HOUR, payload: new Uint8Array(PROPERTIES.maxRecordSize + 1) }),
  )
  assert.is(node.context.counters.get('record-size'), 1)
  assert.equal([node.links.acks, floods(node, links), node.database.size], [[], [], 0])
  assert.is(link.state, 'connected')
  // GA-49: on receipt the maximum itself is allowed.
  node.flood(link, record({ payload: new Uint8Array(PROPERTIES.maxRecordSize) }))
  assert.is(node.database.size, 1)
})

test('GA-58 an expired record is dropped on receipt', () => {
  const { node, links } = neighbourhood()
  node.setPeerTime(T0 + HOUR)
  node.flood(links[0] as TestLink, record())
  assert.is(node.context.counters.get('record-expired'), 1)
  assert.is(node.database.size, 0)
})

test('attack: tombstone resurrection: no earlier version brings a deleted record back', () => {
  const { node, links } = neighbourhood()
  const made = good(node.records.publish(SPEC))
  const second = good(node.records.update(made.id, { payload: Uint8Array.of(1) }))
  const dead = good(node.records.remove(made.id))
  settleOne(node)
  node.links.sent.length = 0
  node.takeEvents()
  for (const old of [made, second, made]) node.flood(links[0] as TestLink, old)
  assert.is(node.database.get(made.id), dead)
  assert.equal(floods(node, links), Array<string>(3).fill('0:v3'))
  assert.equal(node.takeEvents(), [])
})

test('attack: a full database is not grown, and who floods it is told so', () => {
  const database = new GraphDatabase({ records: 2 })
  const { node, links } = neighbourhood({ database })
  const link = links[0] as TestLink
  for (let n = 0; n < 10; n++) node.flood(link, record())
  assert.is(node.database.size, 2)
  assert.is(node.context.counters.get('record-no-room'), 8)
  assert.is(node.database.statistics.refused, 8)
  // Acknowledged all the same: the link is not at fault (GA-56).
  assert.equal(
    node.links.acks.map(({ ack }) => ack.useful),
    [true, true, ...Array<boolean>(8).fill(false)],
  )
})

test('attack: a record that takes the ID of one of another type takes its place everywhere', () => {
  const { node, links } = neighbourhood()
  const link = links[0] as TestLink
  const contact = record({
    type: RECORD_TYPE.contact,
    payload: encodeContact({ signature: 1n, nodeId: 1n, addresses: [] }),
  })
  node.flood(link, contact)
  node.flood(link, version(contact, 2, { type: OTHER_TYPE, payload: new Uint8Array(0) }))
  // The contact is gone for maintenance, too.
  assert.is(node.listener.expired[0]?.type, RECORD_TYPE.contact)
  assert.equal([...node.database.ofType(RECORD_TYPE.contact)], [])
  assert.is([...node.database.ofType(OTHER_TYPE)].length, 1)
  assert.is(node.listener.stored.at(-1)?.previous, undefined)
  assert.equal(changes(node.takeEvents()), ['added v2 false'])
})

test('attack: lying times neither stop the expiry of others nor the machine', () => {
  const { node, links } = neighbourhood()
  const link = links[0] as TestLink
  const far = 9_000_000_000_000_000_000n
  const future = { creationTime: far, modificationTime: far, expirationTime: far + HOUR }
  const lying = record(future)
  const honest = record({ expirationTime: T0 + 30n * SECOND })
  node.records.start()
  node.flood(link, lying)
  node.flood(link, honest)
  node.pass(seconds(60))
  assert.is(node.database.get(honest.id), undefined)
  assert.is(node.database.size, 1)
  // Its owner can still change it: never to an earlier time.
  const next = good(node.records.update(lying.id, { payload: Uint8Array.of(1) }))
  assert.is(next.modificationTime, far + 1n)
  node.pass(minutes(60 * 24 * 3))
  assert.is(node.database.size, 1)
})

// Security provider

function provider(
  verdict: RecordVerdict | ((record: GraphRecord) => RecordVerdict),
): GraphSecurityProvider {
  return {
    maxFrame: 16_348,
    openSession: () => {
      throw new Error('records need no session')
    },
    validate: (each) => (typeof verdict === 'string' ? verdict : verdict(each)),
    secure: () => new Uint8Array(4),
  }
}

test('G-172 the provider’s verdict decides; any other answer is none', () => {
  for (const [verdict, stored] of [
    ['valid', 1],
    ['invalid', 0],
    ['defer', 0],
    ['whatever' as RecordVerdict, 0],
  ] as const) {
    const { node, links } = neighbourhood({ security: provider(verdict) })
    node.flood(links[0] as TestLink, record())
    assert.is(node.database.size, stored, verdict)
    assert.is(node.links.acks.length, stored)
    node.records.revalidate()
    assert.is(node.database.size, stored)
  }
})

test('G-072 GA-37 deferred records are judged again as if they had just come', () => {
  let verdict: RecordVerdict = 'defer'
  const { node, peers, links } = neighbourhood({ security: provider(() => verdict) })
  const [one, two, three] = [record(), record(), record()]
  node.flood(links[0] as TestLink, one)
  node.flood(links[1] as TestLink, two)
  node.flood(links[1] as TestLink, three)
  assert.equal([node.links.acks, floods(node, links)], [[], []])
  ;(peers[1] as TestNode).close((peers[1] as TestNode).links.neighbors[0] as TestLink)
  verdict = 'valid'
  node.records.handleCommand({ type: 'revalidate', handle: 9 })
  assert.is(node.database.size, 3)
  // ACK only where the link is still there.
  assert.equal(
    node.links.acks.map(({ link, ack }) => [links.indexOf(link), ack.id === one.id]),
    [[0, true]],
  )
  assert.equal(node.takeEvents().at(-1), { type: 'done', handle: 9 })
  verdict = 'invalid'
  node.records.revalidate()
  assert.is(node.database.size, 3)
})

// Expiry

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
