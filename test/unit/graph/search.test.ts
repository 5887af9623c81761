import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { guidText } from '#lib/core/guid.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { dateTicks } from '#lib/graph/search/date.js'
import type { FilterCondition, RecordFilter } from '#lib/graph/search/filter.js'
import { SearchIndexes } from '#lib/graph/search/indexes.js'
import type { Comparison } from '#lib/graph/search/query.js'
import { searchRecords } from '#lib/graph/search/search.js'
import { escapeWildcards, wildcardTest } from '#lib/graph/search/wildcard.js'
import { writeAttributes, type RecordAttribute } from '#lib/wire/graph/attributes.js'
import { encodeContact } from '#lib/wire/graph/payloads.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import {
  APP_TYPE,
  numberedId,
  OTHER_TYPE,
  record,
  SECOND,
  T0,
  tombstone,
  version,
} from '../../support/graph-records.js'
import { test } from '../../harness.js'

const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

function withAttributes(n: number, ...attributes: RecordAttribute[]): GraphRecord {
  return record({ id: numberedId(n), attributes: writeAttributes(attributes) })
}

const string = (name: string, value: string): RecordAttribute => ({ name, type: 'string', value })
const int = (name: string, value: string): RecordAttribute => ({ name, type: 'int', value })
const date = (name: string, value: string): RecordAttribute => ({ name, type: 'date', value })

/** The sample of MS-PPGRH 2.2.3.5 and others like it. */
const PEOPLE = [
  withAttributes(1, string('Owner', 'Scott'), date('Birthday', '1972-04-04'), int('Priority', '1')),
  withAttributes(2, string('Owner', 'Scotty'), date('Birthday', '1980'), int('Priority', '12')),
  withAttributes(3, string('Owner', 'Ann'), string('Owner', 'Bob'), int('Priority', '3')),
  withAttributes(4, string('Owner', 'a*c'), string('Priority', '1')),
  record({ id: numberedId(5) }),
]

function database(records: readonly GraphRecord[] = PEOPLE): GraphDatabase {
  const all = new GraphDatabase()
  for (const each of records) all.put(each)
  return all
}

/** Numbers of the records found. */
function numbers(found: Iterable<GraphRecord>): number[] {
  const low = (each: GraphRecord) => Number(`0x${guidText(each.id).slice(-8)}`)
  return [...found].map(low).sort((a, b) => a - b)
}

function find(query: string | RecordFilter, within = database()): number[] {
  return numbers(searchRecords(within, query))
}

const clause = (attribute: string, type: string, compare: string, value: string): string =>
  `<clause attrib="${attribute}" type="${type}" compare="${compare}">${value}</clause>`

const xml = (inner: string): string => `<peersearch>${inner}</peersearch>`

test('clauses compare strings, ints and dates', () => {
  const cases: [string, string, Comparison, string, number[]][] = [
    ['Owner', 'string', 'equal', 'Scott', [1]],
    ['Owner', 'string', 'notequal', 'Scott', [2, 3, 4]],
    ['Owner', 'string', 'less', 'Bob', [3]],
    ['Owner', 'string', 'lessorequal', 'Bob', [3]],
    ['Owner', 'string', 'greater', 'Scott', [2, 4]],
    ['Owner', 'string', 'greaterorequal', 'Scott', [1, 2, 4]],
    ['Priority', 'int', 'equal', '001', [1]],
    // As numbers: as text "12" would be less than "3".
    ['Priority', 'int', 'greater', '3', [2]],
    ['Priority', 'int', 'lessorequal', ' 3 ', [1, 3]],
    ['Priority', 'string', 'equal', '1', [4]],
    ['Birthday', 'date', 'less', '1980', [1]],
    ['Birthday', 'date', 'equal', '1980-01-01T00:00Z', [2]],
    ['Birthday', 'date', 'greaterorequal', '1972-04-04', [1, 2]],
    ['owner', 'string', 'equal', 'Scott', []],
  ]
  for (const [attribute, type, compare, value, expected] of cases) {
    const query = xml(clause(attribute, type, compare, value))
    assert.equal(find(query), expected, `${attribute} ${compare} ${value}`)
  }
})

test('wildcards and their escapes', () => {
  const cases: [string, number[]][] = [
    ['Sc*', [1, 2]],
    ['Scott?', [2]],
    ['*', [1, 2, 3, 4]],
    ['???', [3, 4]],
    ['*t*t*', [1, 2]],
    ['a\\*c', [4]],
    ['a\\?c', []],
    ['a*c', [4]],
  ]
  for (const [pattern, expected] of cases) {
    assert.equal(find(xml(clause('Owner', 'string', 'equal', pattern))), expected, pattern)
  }
  assert.equal(find(xml(clause('Owner', 'string', 'notequal', 'S*'))), [3, 4])
  // Where there is an order, they are characters.
  assert.equal(find(xml(clause('Owner', 'string', 'less', 'Scott*'))), [1, 3])
  assert.ok(wildcardTest('a\\\\b')('a\\b'))
  assert.ok(wildcardTest('a\\b')('a\\b'))
})

test('wildcards match what a regular expression would', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '\\'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, (pattern, value) => {
      const source = pattern.replaceAll(/\\[\\*?]|[^]/g, (c) => {
        if (c === '*') return '[^]*'
        if (c === '?') return '[^]'
        return (c.length === 2 ? c.charAt(1) : c).replaceAll(/[\\*?]/g, '\\$&')
      })
      assert.is(wildcardTest(pattern)(value), new RegExp(`^(?:${source})$`).test(value))
      assert.ok(wildcardTest(escapeWildcards(value))(value))
    }),
    { numRuns: 2000 },
  )
})

test('attack: wildcards that fail everywhere take no exponential time', () => {
  const matches = wildcardTest('*a'.repeat(200) + 'b')
  assert.not(matches('a'.repeat(20_000)))
})

test('and, or, and what nests', () => {
  const scott = clause('Owner', 'string', 'equal', 'Scott*')
  const low = clause('Priority', 'int', 'less', '10')
  assert.equal(find(xml(`<and>${scott}${low}</and>`)), [1])
  assert.equal(find(xml(`<or>${scott}${low}</or>`)), [1, 2, 3])
  const ann = clause('Owner', 'string', 'equal', 'Ann')
  const nested = `<and><or>${ann}${scott}</or>${low}</and>`
  assert.equal(find(xml(`\n  ${nested}\n`)), [1, 3])
})

test('reserved names stand for fields of the record', () => {
  const base = record({ id: numberedId(1), type: OTHER_TYPE })
  const all = database([
    version(base, 2, { lastModifiedBy: 'bob', modificationTime: T0 + 60n * SECOND }),
    record({ id: numberedId(2), creationTime: T0 + 10n * SECOND }),
  ])
  const ask = (attribute: string, type: string, compare: string, value: string) =>
    find(xml(clause(attribute, type, compare, value)), all)
  assert.equal(ask('peerlastmodifiedby', 'string', 'equal', 'b*'), [1])
  assert.equal(ask('peercreatorid', 'string', 'equal', 'alice'), [1, 2])
  assert.equal(ask('peercreatorid', 'string', 'equal', 'ali'), [])
  assert.equal(ask('peercreatorid', 'string', 'notequal', 'alice'), [])
  assert.equal(ask('peerrecordid', 'string', 'equal', guidText(numberedId(2))), [2])
  assert.equal(ask('peerrecordid', 'string', 'equal', 'nonsense'), [])
  assert.equal(
    ask('peerrecordtype', 'string', 'equal', `{${guidText(OTHER_TYPE).toUpperCase()}}`),
    [1],
  )
  assert.equal(ask('peerrecordtype', 'string', 'equal', 'aaaaaaaa-*'), [2])
  // Dates as another calendar than that of the code under test writes them.
  const day = (ticks: bigint) =>
    new Date(Number((ticks - FILETIME_OF_UNIX_EPOCH) / 10_000n)).toISOString()
  assert.equal(ask('peercreationtime', 'date', 'equal', day(T0)), [1])
  assert.equal(ask('peerlastmodificationtime', 'date', 'greater', day(T0 + 10n * SECOND)), [1])
})

test('dates are what a calendar makes of them', () => {
  const day = fc.date({
    min: new Date('1000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(day, (when) => {
      const expected = BigInt(when.getTime()) * 10_000n + FILETIME_OF_UNIX_EPOCH
      assert.is(dateTicks(when.toISOString()), expected)
    }),
    { numRuns: 500 },
  )
  const noon = dateTicks('2026-03-01T12:00Z')
  assert.is(dateTicks('2026-03-01T13:30+01:30'), noon)
  assert.is(dateTicks('2026-03-01T07:00:00.0-05:00'), noon)
  assert.is(dateTicks('2026-03'), dateTicks('2026-03-01T00:00'))
  assert.is(dateTicks('1601'), 0n)
  assert.is(dateTicks('March'), undefined)
})

test('a query that is not one is refused at once', () => {
  const one = clause('a', 'string', 'equal', 'x')
  const bad = [
    '',
    'no xml',
    '<peersearch/>',
    xml(one + one),
    xml('<and></and>'),
    xml('<not/>'),
    xml(`<clause attrib="a" compare="equal">x</clause>`),
    xml(`<clause attrib="a" type="real" compare="equal">x</clause>`),
    xml(`<clause attrib="a" type="string" compare="like">x</clause>`),
    xml(`<clause attrib="a" type="string" compare="equal" more="1">x</clause>`),
    xml(`<and op="x">${one}</and>`),
    xml(`<and xmlns:xs="https://www.w3.org/2001/XMLSchema">${one}</and>`),
    `<peersearch xmlnsxs="x">${one}</peersearch>`,
    xml(`text${one}`),
    xml(`<clause attrib="a" type="string" compare="equal">${one}</clause>`),
    xml(clause('a', 'int', 'equal', 'x')),
    xml(clause('a', 'date', 'equal', '2026-1-1')),
    xml(clause('peercreatorid', 'int', 'equal', '1')),
    xml(clause('a', 'string', 'equal', 'x'.repeat(2000))),
    `<!DOCTYPE peersearch [<!ENTITY a "b">]>${xml(one)}`,
    `<?php ?>${xml(one)}`,
    xml('<and>'.repeat(40) + one + '</and>'.repeat(40)),
    xml(`<or>${one.repeat(300)}</or>`),
    xml(one) + ' '.repeat(70_000),
    `<and>${one}</and>`,
  ]
  for (const query of bad) {
    assert.throws(
      () => searchRecords(database(), query),
      (error: { code?: string }) => error.code === 'ERR_PEERNET_INVALID_SEARCH',
      query.slice(0, 80),
    )
  }
})

test('queries as Windows programs write them are understood', () => {
  // The form of the examples of "Record Search Query Format" in the Win32 documentation.
  const declared = `<?xml version="1.0" encoding="utf-8" ?>
    <peersearch xmlns:xs="https://www.w3.org/2001/XMLSchema">
      <and>
        <clause attrib="peercreatorid" type="string" compare="equal">alice</clause>
        <or>
          <clause attrib="peerlastmodificationtime" type="date" compare="less">2003-01-31</clause>
          <clause attrib="Owner" type="string">Ann</clause>
        </or>
      </and>
    </peersearch>`
  assert.equal(find(declared), [3])
  const owner = '<clause attrib="Owner" type="string" compare="equal">Scott</clause>'
  assert.equal(find(`<peersearch xmlns="urn:x">${owner}</peersearch>`), [1])
})

test('a typed filter says the same as XML', () => {
  const cases: [RecordFilter, number[]][] = [
    [{}, [1, 2, 3, 4, 5]],
    [{ attributes: { Owner: 'Scott' } }, [1]],
    // A plain value has no wildcards.
    [{ attributes: { Owner: 'a*c' } }, [4]],
    [{ attributes: { Owner: 'Sc*' } }, []],
    [{ attributes: { Owner: { like: 'Sc*' } } }, [1, 2]],
    [{ attributes: { Owner: { notEqual: 'a*c' } } }, [1, 2, 3]],
    [{ attributes: { Priority: 12 } }, [2]],
    [{ attributes: { Priority: { greater: 1, lessOrEqual: 12n } } }, [2, 3]],
    [{ attributes: { Birthday: { type: 'date', less: '1975' } } }, [1]],
    [{ attributes: { Birthday: { greater: new Date('1975-01-01T00:00Z') } } }, [2]],
    [{ attributes: { Birthday: new Date('1980-01-01T00:00Z') } }, [2]],
    [{ created: { less: new Date('2000-01-01T00:00Z') } }, []],
    [{ type: guidText(OTHER_TYPE) }, []],
    [{ type: `{${guidText(APP_TYPE).toUpperCase()}}` }, [1, 2, 3, 4, 5]],
    [{ type: guidText(APP_TYPE), attributes: { Priority: { type: 'string', equal: 1 } } }, [4]],
    [{ id: guidText(numberedId(3)) }, [3]],
    [
      {
        creatorId: 'alice',
        or: [{ id: guidText(numberedId(3)) }, { id: guidText(numberedId(5)) }],
      },
      [3, 5],
    ],
    [{ and: [{ attributes: { Owner: 'Ann' } }, { attributes: { Owner: 'Bob' } }] }, [3]],
    [{ or: [] }, []],
    [{ created: { less: '2000' } }, []],
    [{ modified: { greater: '2000' }, attributes: { Priority: 3 } }, [3]],
  ]
  for (const [filter, expected] of cases) assert.equal(find(filter), expected)
  let deep: RecordFilter = {}
  for (let n = 0; n < 100; n++) deep = { and: [deep] }
  const refused: RecordFilter[] = [
    deep,
    { attributes: { a: {} } },
    { attributes: { a: -1 } },
    { created: { equal: 'x' } },
    { created: { equal: new Date(Number.NaN) } },
    { type: 'x' },
    // The form that the machine has them in.
    { id: numberedId(3) },
    { atributes: { Owner: 'Ann' } } as RecordFilter,
    { attributes: { Owner: { equals: 'Ann' } as FilterCondition } },
    null as unknown as RecordFilter,
    { and: 'x' } as unknown as RecordFilter,
    { attributes: { a: null } } as unknown as RecordFilter,
    { attributes: { a: { equal: null } } } as unknown as RecordFilter,
  ]
  for (const filter of refused) {
    assert.throws(
      () => find(filter),
      (error: { code?: string }) => error.code === 'ERR_PEERNET_INVALID_SEARCH',
    )
  }
})

test('tombstones and the graph’s own records are not found', () => {
  const all = database([
    tombstone(PEOPLE[0] as GraphRecord, 2),
    record({
      id: numberedId(7),
      type: RECORD_TYPE.contact,
      payload: encodeContact({ signature: 1n, nodeId: 1n, addresses: [] }),
    }),
    record({ id: numberedId(8) }),
  ])
  assert.equal(find({}, all), [8])
  assert.equal(find({ creatorId: 'alice' }, all), [8])
  assert.equal(find({ type: guidText(RECORD_TYPE.contact) }, all), [])
})

const value = fc.constantFrom('1', '2', '3')
const attribute = fc.record({
  name: fc.constantFrom('a', 'b'),
  type: fc.constantFrom('string' as const, 'int' as const),
  value,
})
const change = fc.record({
  n: fc.integer({ min: 0, max: 12 }),
  attributes: fc.array(attribute, { maxLength: 3 }),
  gone: fc.boolean(),
})
const condition: fc.Arbitrary<FilterCondition> = fc
  .tuple(fc.constantFrom('equal', 'notEqual', 'less', 'greaterOrEqual'), value, fc.boolean())
  .map(([operator, operand, asInt]) => ({ [operator]: asInt ? Number(operand) : operand }))
const { filter } = fc.letrec<{ filter: RecordFilter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2 },
    fc.record({ attributes: fc.record({ a: condition }) }),
    fc.record({ attributes: fc.record({ b: condition }) }),
    fc.record({ creatorId: fc.constantFrom('alice', 'bob') }),
    fc.record({ and: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('filter'), { maxLength: 3 }) }),
  ),
}))

test('indexes find what looking at each record would, however the database changes', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 40 }),
      fc.array(filter, { maxLength: 4 }),
      (all, asked) => {
        const indexed = new GraphDatabase()
        // From the beginning: so they are kept up, not made afterwards.
        find({ attributes: { a: 1 }, creatorId: 'alice' }, indexed)
        let number = 1
        for (const { n, attributes, gone } of all) {
          if (gone) indexed.remove(numberedId(n))
          else {
            const base = record({ id: numberedId(n) })
            indexed.put(version(base, ++number, { attributes: writeAttributes(attributes) }))
          }
        }
        for (const each of asked) {
          const plain = database([...indexed])
          // Without an index for attributes.
          Object.defineProperty(plain, 'indexes', {
            value: new SearchIndexes(() => plain.entries(), -1),
          })
          const looked = numbers([...searchRecords(plain, each)])
          assert.equal(find(each, indexed), looked)
          assert.equal(find(each, database([...indexed])), looked)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('attack: more attributes than the index holds make searches slower, not wrong', () => {
  const all = database()
  const limited = new SearchIndexes(() => all.entries(), 5)
  Object.defineProperty(all, 'indexes', { value: limited })
  assert.equal(find({ attributes: { Owner: { like: 'Sc*' } } }, all), [1, 2])
  assert.equal(find({ attributes: { Priority: { less: 100 } } }, all), [1, 2, 3])
})

test.run()
