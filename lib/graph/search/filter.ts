import { guidText, type Guid } from '../../core/guid.js'
import { LIMITS } from '../../core/limits.js'
import type { AttributeType } from '../../wire/graph/attributes.js'
import { invalidSearch, type Comparison, type Query } from './query.js'
import { escapeWildcards } from './wildcard.js'

/** A number is compared as int, a text as string, unless `type` says otherwise. */
export type FilterValue = string | number | bigint

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
  readonly type?: Guid
  readonly id?: Guid
  readonly creatorId?: string | FilterCondition
  readonly lastModifiedBy?: string | FilterCondition
  /** Peer time as a date: `{ greater: '2026-01-01T00:00Z' }`. */
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

/**
 * The same query as a typed filter says. One that is empty asks for every record.
 * @throws PeernetError ERR_PEERNET_INVALID_SEARCH
 */
export function compileFilter(filter: RecordFilter, depth = 0): Query {
  if (depth > LIMITS.graphSearchDepth) invalidSearch('the filter nests too deep')
  const parts: Query[] = []
  const add = (name: string, condition: FilterValue | FilterCondition): void => {
    parts.push(...clausesOf(name, condition))
  }
  if (filter.type !== undefined) add('peerrecordtype', guidText(filter.type))
  if (filter.id !== undefined) add('peerrecordid', guidText(filter.id))
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

function dated(condition: FilterCondition): FilterCondition {
  return { ...condition, type: 'date' }
}

function clausesOf(attribute: string, condition: FilterValue | FilterCondition): Query[] {
  if (typeof condition !== 'object') return clausesOf(attribute, { equal: condition })
  const out: Query[] = []
  for (const name of OPERATOR_NAMES) {
    const operand = condition[name]
    if (operand === undefined) continue
    const type = condition.type ?? (typeof operand === 'string' ? 'string' : 'int')
    const text = String(operand)
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

function isEquality(name: keyof typeof OPERATORS): boolean {
  return name === 'equal' || name === 'notEqual'
}
