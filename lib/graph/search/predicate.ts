import { guidText, parseGuid, type Guid } from '../../core/guid.js'
import { LIMITS } from '../../core/limits.js'
import type { RecordAttribute } from '../../wire/graph/attributes.js'
import type { GraphRecord } from '../../wire/graph/record.js'
import { dateTicks } from './date.js'
import { invalidSearch, type Clause, type Comparison, type Query } from './query.js'
import { plainText, wildcardTest } from './wildcard.js'

type Value = string | bigint

/** A clause that is ready to be asked. */
export interface Condition {
  readonly kind: 'condition'
  readonly attribute: string
  readonly type: Clause['type']
  /** Undefined: it is an attribute of the XML. */
  readonly field: ((record: GraphRecord) => Value) | undefined
  /** Is the value, as the record has it, one that is wanted? */
  readonly test: (value: Value) => boolean
  /** The one value that is wanted, if there is but one. */
  readonly only: string | undefined
}

export type Predicate =
  Condition | { readonly kind: 'and' | 'or'; readonly parts: readonly Predicate[] }

interface Field {
  readonly type: Clause['type']
  /** It is compared as people write GUIDs: in lower case, without braces. */
  readonly guid: boolean
  readonly of: (record: GraphRecord) => Value
}

/** Reserved attribute names (2.2.3.5), and the fields of a record they stand for. */
const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['peerlastmodifiedby', { type: 'string', guid: false, of: (record) => record.lastModifiedBy }],
  ['peercreatorid', { type: 'string', guid: false, of: (record) => record.creatorId }],
  ['peerrecordid', { type: 'string', guid: true, of: (record) => guidText(record.id) }],
  ['peerrecordtype', { type: 'string', guid: true, of: (record) => guidText(record.type) }],
  ['peercreationtime', { type: 'date', guid: false, of: (record) => record.creationTime }],
  [
    'peerlastmodificationtime',
    { type: 'date', guid: false, of: (record) => record.modificationTime },
  ],
])

/** @throws PeernetError ERR_PEERNET_INVALID_SEARCH */
export function prepare(query: Query): Predicate {
  if (query.kind === 'clause') return conditionOf(query)
  return { kind: query.kind, parts: query.parts.map(prepare) }
}

export function holds(
  predicate: Predicate,
  record: GraphRecord,
  attributes: () => readonly RecordAttribute[],
): boolean {
  if (predicate.kind !== 'condition') {
    const ask = (part: Predicate): boolean => holds(part, record, attributes)
    return predicate.kind === 'and' ? predicate.parts.every(ask) : predicate.parts.some(ask)
  }
  if (predicate.field !== undefined) return predicate.test(predicate.field(record))
  return attributes().some(
    ({ name, type, value }) =>
      name === predicate.attribute && type === predicate.type && predicate.test(value),
  )
}

/** The GUID that a condition on a record's ID or type wants. */
export function guidOf({ only }: Condition): Guid | undefined {
  return only === undefined ? undefined : parseGuid(only)
}

function conditionOf(clause: Clause): Condition {
  const { attribute, type, compare } = clause
  const field = FIELDS.get(attribute)
  if (field !== undefined && field.type !== type) {
    invalidSearch(`${attribute} is of type ${field.type}`)
  }
  const value =
    field?.guid === true ? clause.value.replaceAll(/[{}]/g, '').toLowerCase() : clause.value
  const test = testOf(type, compare, value)
  const only = type === 'string' && compare === 'equal' ? plainText(value) : undefined
  return { kind: 'condition', attribute, type, field: field?.of, test, only }
}

function testOf(type: Clause['type'], compare: Comparison, text: string): (v: Value) => boolean {
  if (text.length > LIMITS.graphSearchValueUnits) invalidSearch('a value is too long')
  if (type === 'string') return stringTest(compare, text)
  const read = type === 'int' ? intOf : dateTicks
  const wanted = read(text)
  if (wanted === undefined) invalidSearch(`${JSON.stringify(text)} is no ${type}`)
  return (value) => {
    const actual = typeof value === 'bigint' ? value : read(value)
    return actual !== undefined && compares(compare, actual, wanted)
  }
}

function stringTest(compare: Comparison, text: string): (value: Value) => boolean {
  // Where there is an order, wildcards make no sense and stand for themselves.
  if (compare !== 'equal' && compare !== 'notequal') {
    return (value) => compares(compare, String(value), text)
  }
  const matches = wildcardTest(text)
  const wanted = compare === 'equal'
  return (value) => matches(String(value)) === wanted
}

/** Digits; longer ones than anybody counts with are no number. */
function intOf(text: string): bigint | undefined {
  return /^[0-9]{1,1024}$/.test(text) ? BigInt(text) : undefined
}

function compares<T extends Value>(compare: Comparison, a: T, b: T): boolean {
  switch (compare) {
    case 'equal':
      return a === b
    case 'notequal':
      return a !== b
    case 'less':
      return a < b
    case 'greater':
      return a > b
    case 'lessorequal':
      return a <= b
    case 'greaterorequal':
      return a >= b
  }
}
