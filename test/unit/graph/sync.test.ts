import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { guid } from '#lib/core/guid.js'
import { hours, minutes, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { compareRecords } from '#lib/graph/conflict.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import type { Guid } from '#lib/core/guid.js'
import { md5 } from '#lib/native/digest.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import {
  APP_TYPE,
  HOUR,
  numberedId,
  OTHER_TYPE,
  record,
  SECOND,
  T0,
  tombstone,
  version,
} from '../../support/graph-records.js'
import { settle, TestNode, type TestLink } from '../../support/graph-node.js'
import { test } from '../../harness.js'

/** A node that was in the graph before, and has these records. */
function member(
  records: Iterable<GraphRecord> = [],
  options: ConstructorParameters<typeof TestNode>[0] = {},
): TestNode {
  const database = new GraphDatabase()
  for (const each of records) database.put(each)
  return new TestNode({ creates: false, loaded: true, leftAt: T0, database, ...options })
}

function newcomer(options: ConstructorParameters<typeof TestNode>[0] = {}): TestNode {
  return new TestNode({ creates: false, ...options })
}

/** n records, a second apart. */
function series(n: number, from = 0): GraphRecord[] {
  return Array.from({ length: n }, (_, i) => {
    return record({ id: numberedId(from + i), creationTime: T0 + BigInt(from + i) * SECOND })
  })
}

function sentOf<T extends GraphMessage['type']>(
  node: TestNode,
  type: T,
): Extract<GraphMessage, { type: T }>[] {
  return node.links.sent
    .map(({ message }) => message)
    .filter((m): m is Extract<GraphMessage, { type: T }> => m.type === type)
}

/** Two nodes that have settled, so that a further link is for hashes only. */
function settledPair(a: readonly GraphRecord[], b: readonly GraphRecord[]): [TestNode, TestNode] {
  const [asking, answering] = [member(a), member(b)]
  const helper = member()
  asking.connect(helper)
  settle(asking, helper)
  asking.takeSent()
  asking.takeEvents()
  // It takes no part in what follows.
  asking.links.neighbors.length = 0
  return [asking, answering]
}

test('G-174 G-123 G-124 G-125 Sync All asks for one type after the other, then for the rest', () => {
  const first = guid('cccccccc-0000-0000-0000-000000000003')
  const creator = new TestNode()
  for (const each of series(3)) creator.database.put(each)
  creator.database.put(record({ type: first, creationTime: T0 + 1n }))
  const joiner = newcomer({ prioritizedTypes: [first] })
  joiner.connect(creator)
  settle(joiner, creator)

  const solicits = sentOf(joiner, 'SOLICIT_NEW')
  const one = (type: Guid) => ({ inclusions: [type], exclusions: [] })
  assert.equal(
    solicits.map(({ inclusions, exclusions }) => ({ inclusions, exclusions })),
    [
      one(RECORD_TYPE.graphInfo),
      one(RECORD_TYPE.presence),
      one(first),
      { inclusions: [], exclusions: [RECORD_TYPE.graphInfo, RECORD_TYPE.presence, first] },
    ],
  )
  assert.equal(joiner.takeSent(), Array<string>(4).fill('SOLICIT_NEW'))
  // G-108, G-109: floods, and one final SYNC_END for each.
  const answers = ['SYNC_END', 'SYNC_END', 'FLOOD', 'SYNC_END', 'FLOOD x3', 'SYNC_END']
  assert.equal(creator.takeSent(), answers)
  assert.equal(joiner.contents, creator.contents)
  assert.not(joiner.context.neverConnected)
  const told = joiner.takeEvents().filter(({ type }) => type === 'synchronized')
  assert.equal(told, [
    { type: 'synchronized', recordType: RECORD_TYPE.graphInfo },
    { type: 'synchronized', recordType: RECORD_TYPE.presence },
    { type: 'synchronized', recordType: first },
    { type: 'synchronized' },
  ])
  assert.is(joiner.listener.synchronizedCount, 1)
})

test('G-108 G-109 G-110 SOLICIT_NEW is answered by included or not excluded types, and both', () => {
  const [a, b] = [record({ type: APP_TYPE }), record({ type: OTHER_TYPE })]
  const dead = tombstone(record({ type: OTHER_TYPE }), 2)
  const cases = [
    { inclusions: [APP_TYPE], exclusions: [], expected: [a] },
    { inclusions: [], exclusions: [APP_TYPE], expected: [b, dead] },
    // G-025 both empty: all. Tombstones belong to the database.
    { inclusions: [], exclusions: [], expected: [a, b, dead] },
    { inclusions: [RECORD_TYPE.contact], exclusions: [], expected: [] },
  ]
  for (const { expected, ...types } of cases) {
    const [asking, answering] = [member(), member([a, b, dead])]
    const link = asking.connect(answering, { start: false })
    asking.links.send(link, { type: 'SOLICIT_NEW', ...types })
    settle(asking, answering)
    assert.equal(asking.contents, member(expected).contents)
    const ends = sentOf(answering, 'SYNC_END')
    assert.equal(ends, [{ type: 'SYNC_END', final: true }])
    assert.is(answering.links.sent.at(-1)?.message.type, 'SYNC_END')
  }
})

test('G-111 SOLICIT_TIME is answered by records modified at that time or later', () => {
  for (const inclusions of [[APP_TYPE], []]) {
    const records = series(10)
    const [asking, answering] = [member(), member(records)]
    const link = asking.connect(answering, { start: false })
    const modificationTime = T0 + 4n * SECOND
    asking.links.send(link, { type: 'SOLICIT_TIME', inclusions, exclusions: [], modificationTime })
    settle(asking, answering)
    assert.equal(asking.contents, member(records.slice(4)).contents)
  }
})

test('G-175 G-177 G-027 who comes back syncs by time from when it left, then by hash', () => {
  const old = series(30)
  const fresh = series(5, 100)
  const [back, stayed] = [
    member(old, { leftAt: T0 + 50n * SECOND }),
    member([...old, ...fresh], { leftAt: T0 + 110n * SECOND }),
  ]
  back.connect(stayed)
  settle(back, stayed)
  const solicits = sentOf(back, 'SOLICIT_TIME')
  assert.is(solicits.length, 3)
  for (const { modificationTime } of solicits) assert.is(modificationTime, T0 + 50n * SECOND)
  assert.is(sentOf(back, 'SOLICIT_HASH').length, 1)
  const expected = ['SYNC_END', 'SYNC_END', 'FLOOD x5', 'SYNC_END', 'ADVERTISE', 'SYNC_END']
  assert.equal(stayed.takeSent(), expected)
  assert.equal(back.contents, stayed.contents)
})

test('G-102 G-177 each further neighbour is compared by hash only', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [second, joiner] = [newcomer(), newcomer()]
  second.connect(creator)
  settle(second, creator)
  joiner.connect(creator)
  // While it is behind, further links wait: what is on its way is not asked for twice.
  joiner.connect(second)
  assert.equal(joiner.links.sent, [])
  settle(joiner, creator, second)
  const sent = joiner.takeSent()
  assert.equal(
    sent.filter((type) => type !== 'SOLICIT_NEW' && !type.startsWith('FLOOD')),
    ['SOLICIT_HASH', 'REQUEST'],
  )
  assert.equal(joiner.contents, creator.contents)
})

test('a node that is behind catches up on the next link when the first one ends', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [second, joiner] = [newcomer(), newcomer()]
  second.connect(creator)
  settle(second, creator)
  const link = joiner.connect(creator)
  joiner.connect(second)
  joiner.close(link)
  settle(joiner, creator, second)
  assert.equal(joiner.contents, creator.contents)
  assert.not(joiner.context.neverConnected)
})

test('attack: a neighbour that never answers does not keep a node from catching up', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [silent, joiner] = [new TestNode(), newcomer()]
  joiner.connect(silent)
  joiner.connect(creator)
  for (let waited = 0; waited < 5; waited++) {
    joiner.pass(minutes(1))
    settle(joiner, creator)
  }
  assert.equal(
    joiner.links.ended.map(({ link, end }) => [link.peer === silent, end]),
    [[true, 'timed-out']],
  )
  assert.equal(joiner.contents, creator.contents)
})

test('GA-33 a creator has never been behind once it has a neighbour', () => {
  const creator = new TestNode()
  assert.ok(creator.context.neverConnected)
  newcomer().connect(creator)
  assert.not(creator.context.neverConnected)
})

test('G-112 G-113 G-114 the example of MS-PPGRH 4.3', () => {
  // Initiator {1,2,4,5,7}, responder {1,2,3,5,6}, one range.
  const all = series(8)
  const pick = (...numbers: number[]) => numbers.map((n) => all[n] as GraphRecord)
  const [asking, answering] = settledPair(pick(1, 2, 4, 5, 7), pick(1, 2, 3, 5, 6))
  asking.connect(answering)
  settle(asking, answering)

  const [advertise] = sentOf(answering, 'ADVERTISE')
  assert.equal(
    advertise?.abstracts,
    pick(1, 2, 3, 5, 6).map(({ id }) => ({ id, version: 1 })),
  )
  const upper = all[7] as GraphRecord
  assert.equal(advertise?.boundaries, [
    {
      lowerTime: 0n,
      lowerId: '\0'.repeat(16),
      upperTime: upper.modificationTime,
      upperId: upper.id,
      count: 5,
    },
  ])
  const requested = sentOf(asking, 'REQUEST')[0]?.abstracts
  assert.equal(
    requested,
    pick(3, 6).map(({ id }) => ({ id, version: 1 })),
  )
  assert.equal(asking.takeSent(), ['SOLICIT_HASH', 'REQUEST', 'FLOOD x2'])
  assert.equal(answering.takeSent(), ['ADVERTISE', 'FLOOD x2', 'SYNC_END'])
  assert.equal(asking.contents, member(pick(1, 2, 3, 4, 5, 6, 7)).contents)
  assert.equal(answering.contents, asking.contents)
})

test('G-176 SOLICIT_HASH has a range of ten, its MD5, its upper bound, and one to the end', () => {
  const records = series(25)
  const [asking, answering] = settledPair(records, [])
  asking.connect(answering)
  settle(asking, answering)
  const [solicit] = sentOf(asking, 'SOLICIT_HASH')
  assert.equal([solicit?.inclusions, solicit?.exclusions], [[], []])
  const ends = [records[9], records[19], records[24]] as GraphRecord[]
  assert.equal(
    solicit?.ranges.map(({ modificationTime, recordId }) => [modificationTime, recordId]),
    [
      ...ends.map(({ modificationTime, id }) => [modificationTime, id]),
      // GA-24
      [0x7fffffffffffffffn, '\xff'.repeat(16)],
    ],
  )
  // By hand, from the wire forms: Record ID and version stand at 16 to 36 of a PEER_RECORD.
  const abstracts = records.slice(20).map(({ bytes }) => bytes.slice(16, 36))
  assert.equal(
    Buffer.from(solicit?.ranges[2]?.hash ?? []),
    Buffer.from(md5(Buffer.concat(abstracts))),
  )
  const empty = 'd41d8cd98f00b204e9800998ecf8427e'
  assert.is(Buffer.from(solicit?.ranges[3]?.hash ?? []).toString('hex'), empty)
})

test('G-176 the hash of the digest’s example', () => {
  const database = new GraphDatabase()
  const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex').toString('latin1') as Guid
  database.put(record({ id }))
  const hash = Buffer.from(database.hashes.own(10)[0]?.hash ?? []).toString('hex')
  assert.is(hash, '06742be9f0827d5f587b6be4193e7196')
})

test('G-176 without the open range newer records are missed, and an empty database still asks', () => {
  const dialect = { ...DEFAULT_GRAPH_DIALECT, openFinalRange: false }
  const [mine, theirs] = [series(10), series(3, 50)]
  const asking = member(mine, { dialect })
  const answering = member([...mine, ...theirs])
  const helper = member([], { dialect })
  asking.connect(helper)
  settle(asking, helper)
  asking.takeSent()
  asking.connect(answering)
  settle(asking, answering)
  assert.is(asking.database.size, 10)
  const empty = newcomer({ dialect, loaded: true, leftAt: T0 + HOUR })
  empty.connect(answering)
  settle(empty, answering)
  assert.is(sentOf(empty, 'SOLICIT_HASH')[0]?.ranges.length, 1)
})

test('equal databases: one SOLICIT_HASH, an empty ADVERTISE and REQUEST, SYNC_END (GA-20)', () => {
  const records = series(100)
  const [asking, answering] = settledPair(records, records)
  asking.connect(answering)
  settle(asking, answering)
  assert.equal(asking.takeSent(), ['SOLICIT_HASH', 'REQUEST'])
  assert.equal(answering.takeSent(), ['ADVERTISE', 'SYNC_END'])
})

test('hash sync after 1 % divergence moves at most 5 % of what a full sync moves', () => {
  const records = Array.from({ length: 3000 }, (_, n) =>
    record({
      id: numberedId(n),
      creationTime: T0 + BigInt(n) * SECOND,
      expirationTime: T0 + BigInt(n) * SECOND + HOUR,
      payload: new Uint8Array(256).fill(n),
    }),
  )
  const late = records.slice(0, 30).map((each, n) => {
    return version(each, 2, {
      modificationTime: T0 + BigInt(3000 + n) * SECOND,
      expirationTime: T0 + 10n * HOUR,
    })
  })
  const joiner = newcomer()
  const creator = new TestNode()
  for (const each of records) creator.database.put(each)
  joiner.connect(creator)
  settle(joiner, creator)
  const full = joiner.links.bytes + creator.links.bytes

  const [asking, answering] = settledPair(records, [...records.slice(30), ...late])
  const before = asking.links.bytes
  asking.connect(answering)
  settle(asking, answering)
  assert.equal(asking.contents, answering.contents)
  const moved = asking.links.bytes - before + answering.links.bytes
  assert.ok(moved < full * 0.05, `${moved} of ${full}`)
})

test('G-121 a SYNC_END that nobody waits for, or that is not final, is ignored', () => {
  const [asking, answering] = [newcomer(), new TestNode()]
  const link = asking.connect(answering)
  const solicited = () => asking.links.sent.length
  asking.links.deliver()
  asking.handle(link, { type: 'SYNC_END', final: false })
  while (asking.links.deliver());
  assert.is(solicited(), 1)
  answering.handle(link.other, { type: 'SYNC_END', final: true })
  settle(asking, answering)
  assert.not(asking.context.neverConnected)
  asking.handle(link, { type: 'SYNC_END', final: true })
  assert.equal([...asking.links.ended, ...answering.links.ended], [])
})

test('G-113 G-114 ADVERTISE and REQUEST outside of a hash sync end the connection', () => {
  const messages: GraphMessage[] = [
    { type: 'ADVERTISE', boundaries: [], abstracts: [] },
    { type: 'REQUEST', abstracts: [] },
  ]
  for (const message of messages) {
    const [asking, answering] = [newcomer(), new TestNode()]
    const link = asking.connect(answering)
    asking.handle(link, message)
    assert.equal(
      asking.links.ended.map(({ end }) => end),
      ['protocol'],
    )
  }
  // A second REQUEST for the same ADVERTISE.
  const [asking, answering] = settledPair(series(3), series(5))
  const link = asking.connect(answering)
  settle(asking, answering)
  answering.handle(link.other, { type: 'REQUEST', abstracts: [] })
  assert.is(answering.links.ended.length, 1)
})

test('attack: ranges that are not in order, or overlap, end the connection', () => {
  const hash = md5(new Uint8Array(0))
  const range = (n: bigint) => ({ hash, modificationTime: n, recordId: numberedId(1) })
  const [asking, answering] = [member(), member(series(30))]
  const link = asking.connect(answering, { start: false })
  const types = { inclusions: [], exclusions: [] }
  answering.handle(link.other, { type: 'SOLICIT_HASH', ...types, ranges: [range(5n), range(5n)] })
  assert.is(answering.links.ended.length, 1)

  const [other, honest] = settledPair(series(30), series(30))
  const second = other.connect(honest)
  while (other.links.deliver());
  const last = other.links.sent.at(-1)?.message
  assert.is(last?.type, 'SOLICIT_HASH')
  const upper = (last?.type === 'SOLICIT_HASH' ? last.ranges[1] : undefined) as {
    modificationTime: bigint
    recordId: Guid
  }
  const boundary = {
    lowerTime: 0n,
    lowerId: numberedId(0),
    upperTime: upper.modificationTime,
    upperId: upper.recordId,
    count: 0,
  }
  // The same range twice would make this node search twice.
  other.handle(second, { type: 'ADVERTISE', boundaries: [boundary, boundary], abstracts: [] })
  assert.is(other.links.ended.length, 1)
})

test('attack: records are sent once, and only those that were advertised', () => {
  const [asking, answering] = settledPair([], series(5))
  const link = asking.connect(answering)
  while (asking.links.deliver());
  assert.is(answering.links.deliver(), true)
  const id = numberedId(2)
  const foreign = record()
  answering.database.put(foreign)
  answering.links.sent.length = 0
  answering.handle(link.other, {
    type: 'REQUEST',
    abstracts: [...Array<Guid>(1000).fill(id), foreign.id].map((each) => ({
      id: each,
      version: 1,
    })),
  })
  while (answering.links.deliver());
  assert.equal(answering.takeSent(), ['FLOOD', 'SYNC_END'])
})

test('attack: SOLICITs that do not wait for their answer are bounded', () => {
  const [asking, answering] = [member(), member(series(100))]
  const link = asking.connect(answering, { start: false })
  const message = { type: 'SOLICIT_NEW', inclusions: [], exclusions: [] } as const
  for (let n = 0; n < LIMITS.graphSyncSources; n++) answering.handle(link.other, message)
  assert.is(answering.links.ended.length, 0)
  answering.handle(link.other, message)
  assert.equal(
    answering.links.ended.map(({ end }) => end),
    ['protocol'],
  )
})

test('a database that is too large for one ADVERTISE takes several rounds', () => {
  const count = 42_000
  const records = Array.from({ length: count }, (_, n) => {
    return record({ id: numberedId(n), creationTime: T0 + BigInt(n) })
  })
  const [asking, answering] = settledPair([], records)
  asking.connect(answering)
  settle(asking, answering)
  assert.ok(sentOf(asking, 'SOLICIT_HASH').length > 1)
  for (const { abstracts } of sentOf(answering, 'ADVERTISE')) {
    assert.ok(20 * abstracts.length < LIMITS.graphSyncBytes + 20 * count)
  }
  assert.is(asking.database.size, count)
})

test('G-180 GA-58 what has expired is neither sent nor advertised', () => {
  const [short, long] = [record({ expirationTime: T0 + SECOND }), record()]
  const [asking, answering] = [newcomer(), new TestNode()]
  answering.database.put(short)
  answering.database.put(long)
  answering.setPeerTime(T0 + SECOND)
  asking.connect(answering)
  settle(asking, answering)
  assert.equal(asking.contents, member([long]).contents)
  assert.is(answering.links.records, 1)
  assert.is(answering.database.size, 2)
})

test('what expires or changes while a sync is under way is not sent as it was', () => {
  const records = series(200)
  const creator = new TestNode()
  for (const each of records) creator.database.put(each)
  const joiner = newcomer()
  const link: TestLink = joiner.connect(creator)
  const step = () => joiner.links.deliver() || creator.links.deliver()
  while (creator.links.records < 10 && step());
  const late = version(records[150] as GraphRecord, 2)
  creator.database.put(late)
  creator.database.remove((records[160] as GraphRecord).id)
  settle(joiner, creator)
  assert.is(link.state, 'connected')
  assert.equal(joiner.contents, creator.contents)
})

test('GA-54 a repair link syncs by time since the last agreement, then by hash', () => {
  const base = record({ id: numberedId(1) })
  const ours = version(base, 2, { lastModifiedBy: 'al', modificationTime: T0 + SECOND })
  const theirs = version(base, 2, { lastModifiedBy: 'bo', modificationTime: T0 + SECOND })
  // Hashes cannot tell: same ID, version and place in the order.
  const [blind, other] = settledPair([ours], [theirs])
  blind.connect(other)
  settle(blind, other)
  assert.not.equal(blind.contents, other.contents)
  for (const [mine, peers] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const [asking, answering] = settledPair([mine], [peers])
    asking.listener.agreedUntil = T0
    asking.connect(answering, { repair: true })
    settle(asking, answering)
    assert.is(sentOf(asking, 'SOLICIT_TIME')[0]?.modificationTime, T0)
    assert.is(sentOf(asking, 'SOLICIT_HASH').length, 1)
    assert.equal(asking.contents, member([theirs]).contents)
    assert.equal(answering.contents, asking.contents)
  }
})

test('GA-54 another signature at a new neighbour is taken for a split', () => {
  const base = record({ id: numberedId(1) })
  const ours = version(base, 2, { lastModifiedBy: 'al', modificationTime: T0 + SECOND })
  const theirs = version(base, 2, { lastModifiedBy: 'bo', modificationTime: T0 + SECOND })
  const signature = (of: bigint, time: bigint) =>
    record({
      type: RECORD_TYPE.signature,
      id: FIXED_RECORD_ID.signature,
      version: Number(of),
      creationTime: time,
      expirationTime: time + 300n * SECOND,
      payload: encodeSignature({ signature: of }),
    })
  const [asking, answering] = settledPair(
    [ours, signature(2n, T0 - 10n * SECOND)],
    [theirs, signature(3n, T0 - 5n * SECOND)],
  )
  asking.pass(minutes(3))
  answering.pass(minutes(3))
  asking.connect(answering)
  settle(asking, answering)
  assert.is(asking.context.counters.get('sync-after-split'), 1)
  assert.equal(asking.contents, answering.contents)
})

test('G-059 G-027 the time of leaving is written regularly, when links end and at the close', () => {
  const clocks = (node: TestNode) =>
    node.takeWrites().flatMap((write) => (write.type === 'clock' ? [write.leftAt - T0] : []))
  const [node, peer] = [member([], { leftAt: T0 - HOUR }), member()]
  const link = node.connect(peer)
  // Not before it has caught up: what it missed while it was away is still to be asked for.
  node.pass(seconds(61))
  assert.equal(clocks(node), [-HOUR])
  settle(node, peer)
  node.pass(seconds(60))
  assert.equal(clocks(node), [120n * SECOND])
  node.pass(seconds(10))
  node.close(link)
  assert.equal(clocks(node), [131n * SECOND])
  node.pass(hours(1))
  node.sync.closing()
  assert.equal(clocks(node), [131n * SECOND])
  const creator = new TestNode()
  creator.sync.closing()
  assert.equal(clocks(creator), [0n])
})

const contents = fc.array(
  fc.record({
    n: fc.integer({ min: 0, max: 60 }),
    number: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 60 },
)

/** The same ID and version is always the same record, as it is where nobody wrote in a split. */
function made({ n, number }: { n: number; number: number }): GraphRecord {
  const base = record({ id: numberedId(n), creationTime: T0 + BigInt((n * 31) % 60) * SECOND })
  if (number === 1) return base
  const changes = { modificationTime: T0 + BigInt(60 + ((n * number * 17) % 90)) * SECOND }
  return version(base, number, { ...changes, deleted: (n + number) % 3 === 0 })
}

function union(...lists: readonly (readonly GraphRecord[])[]): TestNode {
  const newest = new Map<Guid, GraphRecord>()
  for (const each of lists.flat()) {
    const held = newest.get(each.id)
    if (held === undefined || compareRecords(each, held) > 0) newest.set(each.id, each)
  }
  return member(newest.values())
}

test('G-113 G-122 a hash sync of any two databases leaves both with their union', () => {
  fc.assert(
    fc.property(contents, contents, (a, b) => {
      const [mine, theirs] = [union(a.map(made)), union(b.map(made))]
      const [asking, answering] = settledPair([...mine.database], [...theirs.database])
      asking.connect(answering)
      settle(asking, answering)
      const expected = union([...mine.database], [...theirs.database]).contents
      assert.equal(asking.contents, expected)
      assert.equal(answering.contents, expected)
      assert.equal([...asking.links.ended, ...answering.links.ended], [])
    }),
    { numRuns: 150 },
  )
})

/** Anything at all may have been written on both sides of a split. */
const conflicting = fc.array(
  fc
    .record({
      n: fc.integer({ min: 0, max: 20 }),
      number: fc.integer({ min: 2, max: 3 }),
      by: fc.constantFrom('al', 'bo'),
      time: fc.integer({ min: 60, max: 70 }),
      payload: fc.integer({ min: 0, max: 1 }),
    })
    .map(({ n, number, by, time, payload }) => {
      const base = record({ id: numberedId(n), creationTime: T0 })
      return version(base, number, {
        lastModifiedBy: by,
        modificationTime: T0 + BigInt(time) * SECOND,
        payload: Uint8Array.of(payload),
      })
    }),
  { maxLength: 30 },
)

test('GA-54 a repair link leaves both sides of a split with the union by conflict order', () => {
  fc.assert(
    fc.property(conflicting, conflicting, (a, b) => {
      const [mine, theirs] = [union(a), union(b)]
      const [asking, answering] = settledPair([...mine.database], [...theirs.database])
      asking.listener.agreedUntil = T0 + 59n * SECOND
      asking.connect(answering, { repair: true })
      settle(asking, answering)
      const expected = union([...mine.database], [...theirs.database]).contents
      assert.equal(asking.contents, expected)
      assert.equal(answering.contents, expected)
    }),
    { numRuns: 150 },
  )
})

test.run()
