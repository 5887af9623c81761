import type { GraphRecord } from '../../wire/graph/record.js'
import { isReservedType } from '../constants.js'
import type { GraphDatabase } from '../database.js'
import type { Entry } from '../entry.js'
import { compileFilter, type RecordFilter } from './filter.js'
import { guidOf, holds, prepare, type Condition, type Predicate } from './predicate.js'
import { parseXmlQuery } from './xml-query.js'

/**
 * The application's records that fulfil a query, in no particular order: XML, or a typed filter.
 * Tombstones and the graph's own records are never among them. Read them before the database
 * changes.
 * @throws PeernetError ERR_PEERNET_INVALID_SEARCH at once
 */
export function searchRecords(
  database: GraphDatabase,
  query: string | RecordFilter,
): Iterable<GraphRecord> {
  const predicate = prepare(typeof query === 'string' ? parseXmlQuery(query) : compileFilter(query))
  return matching(database, predicate)
}

function* matching(database: GraphDatabase, predicate: Predicate): Generator<GraphRecord> {
  const { indexes } = database
  for (const entry of candidates(database, predicate) ?? database.entries()) {
    const { record } = entry
    if (record.deleted || isReservedType(record.type)) continue
    if (holds(predicate, record, () => indexes.attributesOf(entry))) yield record
  }
}

/** Entries among which are all that fulfil the predicate; undefined: nothing narrows them down. */
function candidates(database: GraphDatabase, predicate: Predicate): ReadonlySet<Entry> | undefined {
  if (predicate.kind === 'condition') return candidatesOf(database, predicate)
  let least: ReadonlySet<Entry> | undefined
  const union = new Set<Entry>()
  for (const part of predicate.parts) {
    const found = candidates(database, part)
    if (predicate.kind === 'and') {
      if (found !== undefined && (least === undefined || found.size < least.size)) least = found
    } else {
      if (found === undefined) return undefined
      for (const entry of found) union.add(entry)
    }
  }
  return predicate.kind === 'and' ? least : union
}

function candidatesOf(
  database: GraphDatabase,
  condition: Condition,
): ReadonlySet<Entry> | undefined {
  const { attribute, field, only } = condition
  if (field === undefined) {
    const found = database.indexes.byAttribute(condition)
    return found && new Set(found)
  }
  if (only === undefined) return undefined
  const guid = guidOf(condition)
  switch (attribute) {
    case 'peercreatorid':
      return database.indexes.byCreator(only) ?? new Set()
    case 'peerrecordid':
      return new Set(guid === undefined ? [] : database.entry(guid))
    case 'peerrecordtype':
      return new Set(guid === undefined ? [] : database.entriesOfType(guid))
    default:
      return undefined
  }
}
