import { guidText, parseGuid } from '../../core/guid.js'
import { LIMITS } from '../../core/limits.js'
import type { AttributeType } from '../../wire/graph/attributes.js'
import { invalidSearch, type Comparison, type Query } from './query.js'
import { escapeWildcards } from './wildcard.js'

/** A number is compared as int, a Date as date, a text as string, unless `type` says otherwise. */
export type FilterValue = string | number | bigint | Date

/** All that are given have to hold. */
export interface FilterCondition {
  readonly type?: AttributeType
  readonly equal?: FilterValue
  readonly notEqual?: FilterValue
  readonly less?: FilterValue
  readonly greater?: FilterValue
  readonly lessOrEqual?: FilterValue
  readonly greaterOrEqual?: FilterValue
  /** `*` and `?` are wildcards, `\*`, `\?` and `\\` escapes. */
  readonly like?: string
}

/** What records are wanted; all that is given has to hold. */
export interface RecordFilter {
  /** GUID. */
  readonly type?: string
  /** GUID. */
  readonly id?: string
  readonly creatorId?: string | FilterCondition
  readonly lastModifiedBy?: string | FilterCondition
  /** Peer time: `{ greater: '2026-01-01T00:00Z' }`, or a Date. */
  readonly created?: FilterCondition
  readonly modified?: FilterCondition
  /** By name; a plain value has to be equal. */
  readonly attributes?: Readonly<Record<string, FilterValue | FilterCondition>>
  readonly and?: readonly RecordFilter[]
  readonly or?: readonly RecordFilter[]
}

const OPERATORS = {
  equal: 'equal',
  notEqual: 'notequal',
  less: 'less',
  greater: 'greater',
  lessOrEqual: 'lessorequal',
  greaterOrEqual: 'greaterorequal',
} as const satisfies Record<string, Comparison>

const OPERATOR_NAMES = Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]
const CONDITION_NAMES: ReadonlySet<string> = new Set([...OPERATOR_NAMES, 'type', 'like'])
const FILTER_NAMES: ReadonlySet<string> = new Set<keyof RecordFilter>([
  ...(['type', 'id', 'creatorId', 'lastModifiedBy', 'created', 'modified'] as const),
  ...(['attributes', 'and', 'or'] as const),
])

/**
 * The same query as a typed filter says. One that is empty asks for every record.
 * @throws PeernetError ERR_PEERNET_INVALID_SEARCH
 */
export function compileFilter(filter: RecordFilter, depth = 0): Query {
  if (depth > LIMITS.graphSearchDepth) invalidSearch('the filter nests too deep')
  checkNames('a filter', filter, FILTER_NAMES)
  const parts: Query[] = []
  const add = (name: string, condition: FilterValue | FilterCondition): void => {
    parts.push(...clausesOf(name, condition))
  }
  if (filter.type !== undefined) add('peerrecordtype', guidOf('type', filter.type))
  if (filter.id !== undefined) add('peerrecordid', guidOf('id', filter.id))
  if (filter.creatorId !== undefined) add('peercreatorid', filter.creatorId)
  if (filter.lastModifiedBy !== undefined) add('peerlastmodifiedby', filter.lastModifiedBy)
  if (filter.created !== undefined) add('peercreationtime', dated(filter.created))
  if (filter.modified !== undefined) add('peerlastmodificationtime', dated(filter.modified))
  for (const [name, condition] of Object.entries(filter.attributes ?? {})) add(name, condition)
  for (const part of filter.and ?? []) parts.push(compileFilter(part, depth + 1))
  if (filter.or !== undefined) {
    parts.push({ kind: 'or', parts: filter.or.map((part) => compileFilter(part, depth + 1)) })
  }
  if (parts.length > LIMITS.graphSearchClauses) invalidSearch('the filter has too many conditions')
  return { kind: 'and', parts }
}

/** A name that is misspelt would ask for every record. */
function checkNames(what: string, value: object, known: ReadonlySet<string>): void {
  if ((value as unknown) === null || typeof value !== 'object' || Array.isArray(value)) {
    invalidSearch(`${what} is an object`)
  }
  for (const name of Object.keys(value)) {
    if (!known.has(name)) invalidSearch(`${what} knows no ${JSON.stringify(name)}`)
  }
}

function guidOf(name: string, text: string): string {
  const guid = typeof text === 'string' ? parseGuid(text) : undefined
  return guid === undefined ? invalidSearch(`${name} is a GUID`) : guidText(guid)
}

function dated(condition: FilterCondition): FilterCondition {
  return { ...condition, type: 'date' }
}

function clausesOf(attribute: string, condition: FilterValue | FilterCondition): Query[] {
  if (typeof condition !== 'object' || isDate(condition)) {
    return clausesOf(attribute, { equal: condition })
  }
  checkNames(`the condition on ${attribute}`, condition, CONDITION_NAMES)
  const out: Query[] = []
  for (const name of OPERATOR_NAMES) {
    const operand = condition[name]
    if (operand === undefined) continue
    const type = condition.type ?? typeOf(operand)
    const text = textOf(operand)
    // Only comparisons for equality know wildcards.
    const value = type === 'string' && isEquality(name) ? escapeWildcards(text) : text
    out.push({ kind: 'clause', attribute, type, compare: OPERATORS[name], value })
  }
  if (condition.like !== undefined) {
    const value = condition.like
    out.push({ kind: 'clause', attribute, type: 'string', compare: 'equal', value })
  }
  if (out.length === 0) invalidSearch(`the condition on ${attribute} says nothing`)
  return out
}

/** The class itself is out of bounds here, as all clocks are; callers without types give null. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]'
}

function typeOf(operand: FilterValue): AttributeType {
  if (isDate(operand)) return 'date'
  return typeof operand === 'string' ? 'string' : 'int'
}

function textOf(operand: FilterValue): string {
  if (!isDate(operand)) return String(operand)
  return Number.isNaN(operand.getTime()) ? 'Invalid Date' : operand.toISOString()
}

function isEquality(name: keyof typeof OPERATORS): boolean {
  return name === 'equal' || name === 'notEqual'
}
