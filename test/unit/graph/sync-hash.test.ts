import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import type { Guid } from '#lib/core/guid.js'
import { md5 } from '#lib/native/digest.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { HOUR, numberedId, record, SECOND, T0, version } from '../../support/graph-records.js'
import { settle, TestNode, type TestLink } from '../../support/graph-node.js'
import { member, newcomer, series, sentOf, settledPair } from '../../support/graph-sync.js'
import { test } from '../../harness.js'

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

/** So many records, one after the other. */
function crowd(count: number): GraphRecord[] {
  return Array.from({ length: count }, (_, n) => {
    return record({ id: numberedId(n), creationTime: T0 + BigInt(n) })
  })
}

test('attack: asking by hash again and again without asking for anything is bounded', () => {
  const count = LIMITS.graphSyncPassRecords
  const [asking, answering] = [member(), member(crowd(count))]
  const link = asking.connect(answering, { start: false })
  const hash = md5(new Uint8Array(0))
  const range = { hash, modificationTime: 1n << 62n, recordId: '\xff'.repeat(16) as Guid }
  const types = { inclusions: [], exclusions: [] }
  let asked = 0
  while (answering.links.ended.length === 0 && asked < 100) {
    answering.handle(link.other, { type: 'SOLICIT_HASH', ...types, ranges: [range] })
    asked++
  }
  // Each has the node look at everything: 80 bytes must not be worth milliseconds for long.
  assert.is(asked, 3)
  assert.equal(
    answering.links.ended.map(({ end }) => end),
    ['protocol'],
  )
})

test('attack: long ADVERTISEs do not lead to one round after the other', () => {
  for (const [count, rounds] of [
    [LIMITS.graphAdvertised, 2],
    [2 * LIMITS.graphAdvertised + 1, 1],
  ] as const) {
    const [asking, answering] = settledPair([], [])
    const link = asking.connect(answering)
    const abstracts = Array.from({ length: count }, (_, n) => ({ id: numberedId(n), version: 1 }))
    const range = { lowerTime: 0n, lowerId: '\0'.repeat(16) as Guid }
    const end = { upperTime: 0x7fffffffffffffffn, upperId: '\xff'.repeat(16) as Guid }
    const boundaries = [{ ...range, ...end, count }]
    asking.handle(link, { type: 'ADVERTISE', boundaries, abstracts })
    asking.handle(link, { type: 'SYNC_END', final: true })
    while (asking.links.deliver());
    assert.is(sentOf(asking, 'SOLICIT_HASH').length, rounds)
    // What is requested is no more than what a REQUEST holds.
    const [request] = sentOf(asking, 'REQUEST')
    assert.is(request?.abstracts.length, Math.min(count, LIMITS.graphRequested))
  }
})

test('a database that is too large for one ADVERTISE takes several rounds', () => {
  // The first two rounds bring as much as each other.
  const count = 2 * LIMITS.graphAdvertised + 4000
  const records = crowd(count)
  const [asking, answering] = settledPair([], records)
  asking.connect(answering)
  settle(asking, answering)
  assert.is(sentOf(asking, 'SOLICIT_HASH').length, 3)
  for (const { abstracts } of sentOf(answering, 'ADVERTISE')) {
    assert.ok(abstracts.length <= LIMITS.graphAdvertised)
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

test.run()
