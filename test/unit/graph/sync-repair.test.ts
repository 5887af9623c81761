import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { hours, minutes, seconds } from '#lib/core/instant.js'
import { compareRecords } from '#lib/graph/conflict.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import type { Guid } from '#lib/core/guid.js'
import { encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { HOUR, numberedId, record, SECOND, T0, version } from '../../support/graph-records.js'
import { settle, TestNode } from '../../support/graph-node.js'
import { member, sentOf, series, settledPair } from '../../support/graph-sync.js'
import { test } from '../../harness.js'

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

test('GA-54 equal versions of other times show in the order that hashes have', () => {
  const base = Array.from({ length: 45 }, (_, n) =>
    record({ id: numberedId(100 + n), creationTime: T0 + BigInt(n) * SECOND }),
  )
  // In other ranges; within one, so that only its order differs; and nothing but the time.
  const places = [
    [2, 200, 17],
    [40, 60, 43],
    [44, 45, 47],
    [44, 47, 48],
    [20, 20.2, 20.4],
  ] as const
  for (const [n, mine, theirs] of places) {
    for (const turned of [false, true]) {
      const at = (second: number, who: string): GraphRecord =>
        version(base[n] as GraphRecord, 2, {
          lastModifiedBy: who,
          modificationTime: T0 + BigInt(second * 10) * (SECOND / 10n),
        })
      const beside = record({ id: numberedId(300), creationTime: T0 + 46n * SECOND })
      const others = [...base.filter((each) => each !== base[n]), beside]
      const pair = [at(mine, 'al'), at(theirs, 'bo')] as const
      const [a, b] = turned ? [pair[1], pair[0]] : pair
      const [asking, answering] = settledPair([...others, a], [...others, b])
      asking.connect(answering)
      settle(asking, answering)
      assert.is(sentOf(asking, 'SOLICIT_TIME').length, 0)
      assert.equal(asking.contents, member([...others, pair[1]]).contents)
      assert.equal(answering.contents, asking.contents)
    }
  }
})

test('GA-54 a node that lost all its neighbours asks for what was agreed on just before', () => {
  const base = record({ id: numberedId(1) })
  const ours = version(base, 2, { lastModifiedBy: 'al', modificationTime: T0 + SECOND })
  const theirs = version(base, 2, { lastModifiedBy: 'bo', modificationTime: T0 + SECOND })
  const [alone, peer] = settledPair([ours], [ours])
  const link = alone.connect(peer)
  settle(alone, peer)
  alone.pass(minutes(10))
  alone.close(link)
  for (const former of [...alone.links.neighbors]) alone.close(former)
  const other = member([theirs])
  other.pass(minutes(10))
  alone.pass(seconds(3))
  alone.connect(other)
  settle(alone, other)
  assert.equal(alone.contents, other.contents)
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

test('GA-54 what was updated on both sides of a short split needs no repair link', () => {
  fc.assert(
    fc.property(conflicting, conflicting, (a, b) => {
      // At the same tick they would have the same place.
      const moved = b.map((each) =>
        version(each, each.version, {
          lastModifiedBy: each.lastModifiedBy,
          modificationTime: each.modificationTime + 1n,
        }),
      )
      const base = series(20)
      const [mine, theirs] = [union(base, a), union(base, moved)]
      const [asking, answering] = settledPair([...mine.database], [...theirs.database])
      asking.connect(answering)
      settle(asking, answering)
      const expected = union([...mine.database], [...theirs.database]).contents
      assert.equal(asking.contents, expected)
      assert.equal(answering.contents, expected)
      assert.is(sentOf(asking, 'SOLICIT_TIME').length, 0)
      assert.equal([...asking.links.ended, ...answering.links.ended], [])
    }),
    { numRuns: 150 },
  )
})

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
