import type { Guid } from '../core/guid.js'
import type { GraphRecord } from '../wire/graph/record.js'

/**
 * A place in the database. It stays the same object for as long as its Record ID is held, whatever
 * version of the record it has. There is one for each record, so it has no more than it needs.
 */
export class Entry {
  /** Local flag, never on the wire (GA-28). */
  autorefresh: boolean
  /** Expired, but not purged yet (GA-58). */
  lapsed: boolean
  /** Place in the expiry heap; -1: not in it. */
  heapIndex = -1
  /** Place among the records of its type. */
  typeIndex = -1
  #record!: GraphRecord
  /** Halves of the times that orders look at, so that signed numbers have their order. */
  #expiresHigh = 0
  #expiresLow = 0
  #modifiedHigh = 0
  #modifiedLow = 0

  constructor(record: GraphRecord, autorefresh: boolean) {
    this.record = record
    this.autorefresh = autorefresh
    this.lapsed = false
  }

  get record(): GraphRecord {
    return this.#record
  }

  set record(record: GraphRecord) {
    this.#record = record
    this.#expiresHigh = record.timeWord(2) ^ SIGN
    this.#expiresLow = record.timeWord(3) ^ SIGN
    this.#modifiedHigh = record.timeWord(4) ^ SIGN
    this.#modifiedLow = record.timeWord(5) ^ SIGN
  }

  get id(): Guid {
    return this.#record.id
  }

  /** Last Modification Time. */
  get time(): bigint {
    return this.#record.modificationTime
  }

  /** As a number, which is a few microseconds off. */
  get timeAbout(): number {
    return ticksAbout(this.#modifiedHigh ^ SIGN, this.#modifiedLow ^ SIGN)
  }

  /** It is held, and has not lapsed. */
  get isCurrent(): boolean {
    return this.heapIndex >= 0
  }

  get expires(): bigint {
    return this.#record.expirationTime
  }

  /** As a number, which is a few microseconds off. */
  get expiresAbout(): number {
    return ticksAbout(this.#expiresHigh ^ SIGN, this.#expiresLow ^ SIGN)
  }

  expiresBefore(other: Entry): boolean {
    if (this.#expiresHigh !== other.#expiresHigh) return this.#expiresHigh < other.#expiresHigh
    return this.#expiresLow < other.#expiresLow
  }

  /** As `comparePositions` does. */
  static compare(this: void, a: Entry, b: Entry): number {
    if (a.#modifiedHigh !== b.#modifiedHigh) return a.#modifiedHigh - b.#modifiedHigh
    if (a.#modifiedLow !== b.#modifiedLow) return a.#modifiedLow - b.#modifiedLow
    for (let i = 0; i < 4; i++) {
      const word = a.#record.idWord(i) >>> 0
      const other = b.#record.idWord(i) >>> 0
      if (word !== other) return word - other
    }
    return 0
  }
}

/** More than times that are kept as numbers are off. */
export const ABOUT_TICKS = 1000

/** A time of a record from its two words, as a number, which is a few microseconds off. */
export function ticksAbout(high: number, low: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0)
}

const SIGN = 0x8000_0000

/** A place in the order of (Last Modification Time, Record ID), 3.1.7.31. */
export interface Position {
  readonly time: bigint
  readonly id: Guid
}

/** Before every record. */
export const FIRST_POSITION: Position = { time: -1n, id: '' as Guid }

export function comparePositions(a: Position, b: Position): number {
  const time = a.time
  const other = b.time
  if (time !== other) return time < other ? -1 : 1
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1
}
