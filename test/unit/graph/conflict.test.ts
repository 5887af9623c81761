import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { compareRecords } from '#lib/graph/conflict.js'
import { GraphDatabase } from '#lib/graph/database.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import { numberedId, record, T0 } from '../../support/graph-records.js'
import { test } from '../../harness.js'

const id = numberedId(1)
/** Modified once, so that it may have a modifier. */
const made = { id, creationTime: T0 - 1n, modificationTime: T0 }
const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)

function check(title: string, older: Partial<RecordFields>, newer: Partial<RecordFields>): void {
  const [a, b] = [record({ ...made, ...older }), record({ ...made, ...newer })]
  assert.ok(compareRecords(b, a) > 0, title)
  assert.ok(compareRecords(a, b) < 0, `${title}, the other way round`)
  assert.is(compareRecords(a, a), 0)
}

test('G-178 the first difference decides which record is newer', () => {
  // MS-PPGRH 3.1.7.32, in its order; each case loses by all the later rules.
  const late = { modificationTime: T0 + 9n }
  check('a higher version', { version: 1, lastModifiedBy: 'zoe', ...late }, { version: 2 })
  check('having a modifier', { ...late }, { lastModifiedBy: 'al', modificationTime: T0 + 1n })
  check(
    'a greater modifier',
    { lastModifiedBy: 'al', ...late },
    { lastModifiedBy: 'bo', modificationTime: T0 + 1n },
  )
  check('a later modification', { securityData: bytes(1, 2) }, { modificationTime: T0 + 1n })
  check('more security data', { securityData: bytes(9) }, { securityData: bytes(0, 0) })
  check(
    'greater security data',
    { securityData: bytes(1, 2), payload: bytes(9) },
    { securityData: bytes(1, 3), payload: bytes(0) },
  )
})

test('G-178 modifiers are compared by UTF-16 code units', () => {
  check('a prefix is lower', { lastModifiedBy: 'bo' }, { lastModifiedBy: 'bob' })
  check('case counts', { lastModifiedBy: 'Z' }, { lastModifiedBy: 'a' })
  check('above Latin-1', { lastModifiedBy: 'ÿ' }, { lastModifiedBy: 'Ā' })
})

test('G-178 the remaining bytes decide when all else is the same (GA-55)', () => {
  check('payload', { payload: bytes(1) }, { payload: bytes(2) })
  const a = record({ ...made, payload: bytes(1) })
  assert.is(compareRecords(a, record({ ...made, payload: bytes(1) })), 0)
})

const conflicting = fc
  .record({
    version: fc.integer({ min: 1, max: 2 }),
    lastModifiedBy: fc.constantFrom('', 'al', 'bo'),
    modificationTime: fc.constantFrom(T0, T0 + 1n),
    securityData: fc.uint8Array({ maxLength: 2, max: 1 }),
    payload: fc.uint8Array({ maxLength: 1, max: 1 }),
  })
  .map((changes) => record({ ...made, ...changes }))

test('G-178 conflict resolution is a total order', () => {
  fc.assert(
    fc.property(conflicting, conflicting, conflicting, (a, b, c) => {
      assert.is(Math.sign(compareRecords(a, b)), -Math.sign(compareRecords(b, a)) + 0)
      if (compareRecords(a, b) <= 0 && compareRecords(b, c) <= 0) {
        assert.ok(compareRecords(a, c) <= 0)
      }
      const same = Buffer.compare(a.bytes, b.bytes) === 0
      assert.is(compareRecords(a, b) === 0, same)
    }),
    { numRuns: 500 },
  )
})

test('G-178 every order of delivery leaves the same record', () => {
  const last = (records: readonly GraphRecord[]): GraphRecord | undefined => {
    const database = new GraphDatabase()
    for (const next of records) {
      const held = database.current(next.id)
      if (held === undefined || compareRecords(next, held) > 0) database.put(next)
    }
    return database.get(id)
  }
  const shuffled = fc
    .array(conflicting, { minLength: 1, maxLength: 6 })
    .chain((records) =>
      fc.tuple(
        fc.constant(records),
        fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length }),
      ),
    )
  fc.assert(
    fc.property(shuffled, ([records, others]) => {
      assert.equal(last(records)?.bytes, last(others)?.bytes)
    }),
    { numRuns: 300 },
  )
})

test.run()
