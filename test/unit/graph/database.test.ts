import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { md5 } from '#lib/native/digest.js'
import type { Guid } from '#lib/core/guid.js'
import { guidBytes } from '#lib/core/guid.js'
import { LIMITS } from '#lib/core/limits.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { FIRST_POSITION, type Position } from '#lib/graph/entry.js'
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
import { test } from '../../harness.js'

/** The same as the database, as simply as can be. */
class Model {
  readonly records = new Map<Guid, GraphRecord>()
  now = 0n

  get ordered(): GraphRecord[] {
    return [...this.records.values()]
      .filter(({ expirationTime }) => expirationTime > this.now)
      .sort((a, b) => {
        if (a.modificationTime !== b.modificationTime) {
          return a.modificationTime < b.modificationTime ? -1 : 1
        }
        return a.id < b.id ? -1 : 1
      })
  }
}

function rangeHash(records: readonly GraphRecord[]): Uint8Array {
  const abstracts = records.map(({ id, version: number }) => {
    const bytes = new Uint8Array(20)
    bytes.set(guidBytes(id))
    new DataView(bytes.buffer).setUint32(16, number)
    return bytes
  })
  return md5(Buffer.concat(abstracts))
}

function compare(database: GraphDatabase, model: Model): void {
  const { ordered } = model
  const entries = database.after(FIRST_POSITION, 1e9)
  assert.equal(
    entries.map(({ record: { bytes } }) => bytes),
    ordered.map(({ bytes }) => bytes),
  )
  assert.is(database.size, model.records.size)
  const statistics = database.statistics
  const all = [...model.records.values()]
  assert.is(statistics.tombstones, all.filter(({ deleted }) => deleted).length)
  assert.is(
    statistics.bytes,
    all.reduce((sum, { bytes }) => sum + bytes.length, 0),
  )
  assert.is(statistics.lapsed, all.length - ordered.length)
  const ofType = [...database.ofType(OTHER_TYPE)].map(({ id }) => id).sort()
  const expected = ordered.filter(({ type }) => type === OTHER_TYPE).map(({ id }) => id)
  assert.equal(ofType, expected.sort())
  const ranges = database.hashes.own(3)
  assert.is(ranges.length, Math.ceil(ordered.length / 3))
  ranges.forEach((range, i) => {
    assert.equal(range.hash, rangeHash(ordered.slice(3 * i, 3 * i + 3)))
  })
}

type Step =
  | { kind: 'put'; n: number; type: Guid; time: number; life: number; deleted: boolean }
  | { kind: 'remove'; n: number }
  | { kind: 'lapse'; by: number }
  | { kind: 'purge' }
  | { kind: 'compare' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      n: fc.integer({ min: 0, max: 40 }),
      type: fc.constantFrom(APP_TYPE, OTHER_TYPE),
      time: fc.integer({ min: 0, max: 30 }),
      life: fc.integer({ min: 1, max: 100 }),
      deleted: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('remove' as const),
      n: fc.integer({ min: 0, max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lapse' as const),
      by: fc.integer({ min: 0, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'purge' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compare' as const }) },
)

function apply(database: GraphDatabase, model: Model, action: Step): void {
  switch (action.kind) {
    case 'put': {
      const time = T0 + BigInt(action.time) * SECOND
      const put = record({
        id: numberedId(action.n),
        type: action.type,
        deleted: action.deleted,
        creationTime: time,
        expirationTime: time + BigInt(action.life) * SECOND,
      })
      if (put.expirationTime <= model.now) return
      database.put(put)
      model.records.set(put.id, put)
      return
    }
    case 'remove':
      database.remove(numberedId(action.n))
      model.records.delete(numberedId(action.n))
      return
    case 'lapse':
      if (model.now < T0) model.now = T0
      model.now += BigInt(action.by) * SECOND
      database.lapse(model.now)
      return
    case 'purge':
      for (;;) {
        const gone = database.takeLapsed()
        if (gone === undefined) break
        assert.ok(gone.expirationTime <= model.now)
        assert.ok(model.records.delete(gone.id))
      }
      assert.is(database.statistics.lapsed, 0)
      return
    case 'compare':
      compare(database, model)
  }
}

test('G-176 the database is what a sorted array would be, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const database = new GraphDatabase()
      const model = new Model()
      for (const action of steps) apply(database, model, action)
      compare(database, model)
    }),
    { numRuns: 200 },
  )
})

test('blocks of the order split, shrink and join without losing anybody', () => {
  const database = new GraphDatabase()
  const model = new Model()
  const put = (n: number, time: number): void => {
    const modified = T0 + BigInt(time)
    const next = record({
      id: numberedId(n),
      modificationTime: modified,
      creationTime: T0,
      lastModifiedBy: 'bob',
    })
    database.put(next)
    model.records.set(next.id, next)
  }
  // Appended, then scattered among those, then moved, then thinned out.
  for (let n = 0; n < 2000; n++) put(n, 10 * n + 1)
  for (let n = 2000; n < 4000; n++) put(n, ((n * 7919) % 20_000) + 1)
  for (let n = 0; n < 4000; n += 3) put(n, ((n * 104_729) % 30_000) + 1)
  compare(database, model)
  for (let n = 0; n < 4000; n++) {
    if (n % 16 === 5) continue
    database.remove(numberedId(n))
    model.records.delete(numberedId(n))
  }
  compare(database, model)
})

test('going on from a position finds the rest, though the one there is gone', () => {
  const database = new GraphDatabase()
  for (let n = 0; n < 600; n++) {
    database.put(record({ id: numberedId(n), creationTime: T0 + BigInt(n) }))
  }
  const seen: Guid[] = []
  let position: Position = FIRST_POSITION
  for (;;) {
    const slice = database.after(position, 7)
    const last = slice.at(-1)
    if (last === undefined) break
    seen.push(...slice.map(({ id }) => id))
    position = { time: last.time, id: last.id }
    database.remove(last.id)
  }
  assert.equal(
    seen,
    Array.from({ length: 600 }, (_, n) => numberedId(n)),
  )
})

test('GA-58 a record that has expired takes no part, but is held until it is taken out', () => {
  const database = new GraphDatabase()
  const first = record({ expirationTime: T0 + SECOND })
  const second = record({ expirationTime: T0 + HOUR })
  database.put(first)
  database.put(second)
  assert.is(database.nextExpiry, T0 + SECOND)
  database.lapse(T0 + SECOND - 1n)
  assert.is(database.current(first.id), first)
  // GA-12: at the expiration time itself it is expired.
  database.lapse(T0 + SECOND)
  assert.is(database.get(first.id), first)
  assert.is(database.current(first.id), undefined)
  assert.is(database.hashes.own(10)[0]?.count, 1)
  assert.is(database.nextExpiry, 0n)
  assert.is(database.takeLapsed(), first)
  assert.is(database.takeLapsed(), undefined)
  assert.is(database.get(first.id), undefined)
  assert.is(database.nextExpiry, T0 + HOUR)
})

test('a record that replaces a lapsed one is not taken out in its place', () => {
  const database = new GraphDatabase()
  const old = record({ expirationTime: T0 + SECOND })
  database.put(old)
  database.lapse(T0 + SECOND)
  const next = version(old, 2, { expirationTime: T0 + HOUR })
  database.put(next)
  assert.is(database.takeLapsed(), undefined)
  assert.is(database.current(old.id), next)
})

test('tombstones are held, and are not live', () => {
  const database = new GraphDatabase()
  const live = record()
  database.put(live)
  assert.is(database.live(live.id), live)
  const dead = tombstone(live, 2)
  database.put(dead)
  assert.is(database.live(live.id), undefined)
  assert.is(database.current(live.id), dead)
  assert.is(database.statistics.tombstones, 1)
  assert.is(database.size, 1)
})

test('attack: a flood of tiny records is bounded by records and by bytes', () => {
  const few = new GraphDatabase({ records: 10 })
  const records = Array.from({ length: 20 }, () => record())
  for (const each of records) few.put(each)
  assert.is(few.size, 10)
  assert.is(few.statistics.refused, 10)
  // What is held can still be replaced and deleted.
  const held = records[0] as GraphRecord
  assert.ok(few.put(tombstone(held, 2)))

  const size = (records[0] as GraphRecord).bytes.length
  const small = new GraphDatabase({ bytes: 5 * size })
  for (const each of records) small.put(each)
  assert.is(small.size, 5)
  assert.not(small.put(version(held, 2, { payload: new Uint8Array(50) })))
  assert.is(small.get(held.id), held)
  assert.ok(small.statistics.bytes <= 5 * size)
})

test('attack: a database full of records leaves room for those of the graph itself', () => {
  const full = new GraphDatabase({ records: 10 })
  for (let n = 0; n < 12; n++) full.put(record())
  assert.is(full.size, 10)
  const presence = (): GraphRecord =>
    record({ type: RECORD_TYPE.presence, payload: new Uint8Array(40) })
  for (let n = 0; n < 100; n++) assert.ok(full.put(presence()))
  const large = record({ type: RECORD_TYPE.presence, payload: new Uint8Array(20_000) })
  assert.not(full.put(large))
  assert.not(full.put(record()))
  for (let n = 100; n < LIMITS.graphSpareRecords + 50; n++) full.put(presence())
  assert.is(full.size, 10 + LIMITS.graphSpareRecords)
})

test('autorefresh is a flag of the place, not of the record', () => {
  const database = new GraphDatabase()
  const a = record({ expirationTime: T0 + 2n * HOUR })
  const b = record({ expirationTime: T0 + HOUR })
  database.put(a, true)
  database.put(b, true)
  assert.is(database.nextAutorefresh, T0 + HOUR)
  assert.equal(database.autorefreshDue(T0 + HOUR), [b])
  database.setAutorefresh(b.id, false)
  assert.is(database.nextAutorefresh, T0 + 2n * HOUR)
  database.put(version(a, 2), false)
  assert.is(database.nextAutorefresh, undefined)
  assert.not(database.autorefreshes(a.id))
})

test('loading takes records in any order, and as many as there is room for', () => {
  const records = Array.from({ length: 50 }, (_, n) =>
    record({ id: numberedId(n), creationTime: T0 + BigInt((n * 37) % 50) }),
  )
  const database = new GraphDatabase({ records: 40 })
  assert.is(database.load(records.map((each) => ({ record: each, autorefresh: false }))), 40)
  const times = database.after(FIRST_POSITION, 100).map(({ time }) => time)
  assert.equal(
    times,
    Array.from({ length: 40 }, (_, n) => T0 + BigInt(n)),
  )
})

test.run()
