import * as assert from 'uvu/assert'
import { minutes, seconds } from '#lib/core/instant.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import type { RecordVerdict } from '#lib/graph/security-provider.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { encodeContact } from '#lib/wire/graph/payloads.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import type { TestNode } from '../../support/graph-node.js'
import { PROPERTIES, type TestLink } from '../../support/graph-node.js'
import { HOUR, OTHER_TYPE, record, SECOND, T0, version } from '../../support/graph-records.js'
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
  for (const useful of [true, true, false]) node.records.handleAck(acked, useful)
  assert.is(acked.utility, 244.125)
  for (let n = 0; n < 5000; n++) node.records.handleAck(acked, true)
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

test('G-119 a record that is known is acknowledged; one that has changed or expired is not known', () => {
  const { node, links } = neighbourhood()
  const link = links[0] as TestLink
  const first = record()
  const bring = (each: GraphRecord): void => {
    node.receive(link, encodeGraphMessage({ type: 'FLOOD', record: each }))
  }
  const useful = (): boolean[] => node.links.acks.splice(0).map(({ ack }) => ack.useful)
  for (let i = 0; i < 3; i++) bring(first)
  assert.equal(useful(), [true, false, false])
  const second = version(first, 2)
  for (const each of [second, second, second]) bring(each)
  assert.equal(useful(), [true, false, false])
  // 3.1.5.2.10: who brings an older version gets the newer one.
  settleOne(node)
  node.links.sent.length = 0
  bring(first)
  assert.equal(floods(node, links), ['0:v2'])
  assert.equal(useful(), [false])
  bring(second)
  assert.equal(useful(), [false])
  node.setPeerTime(second.expirationTime)
  bring(second)
  assert.equal(useful(), [])
  assert.is(node.context.counters.get('record-expired'), 1)
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

test.run()
