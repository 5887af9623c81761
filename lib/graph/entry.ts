import type { Guid } from '../core/guid.js'
import type { GraphRecord } from '../wire/graph/record.js'

/**
 * A place in the database. It stays the same object for as long as its Record ID is held, whatever
 * version of the record it has; the fields that orders look at are copied out of the record.
 */
export interface Entry {
  record: GraphRecord
  readonly id: Guid
  /** Last Modification Time. */
  time: bigint
  expires: bigint
  /** Local flag, never on the wire (GA-28). */
  autorefresh: boolean
  /** Expired, but not purged yet (GA-58). */
  lapsed: boolean
  /** Place in the expiry heap; -1: not in it. */
  heapIndex: number
  /** Place among the records of its type. */
  typeIndex: number
}

/** A place in the order of (Last Modification Time, Record ID), 3.1.7.31. */
export interface Position {
  readonly time: bigint
  readonly id: Guid
}

/** Before every record. */
export const FIRST_POSITION: Position = { time: -1n, id: '' as Guid }

export function comparePositions(a: Position, b: Position): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1
}
