import { lowerBound } from '../core/sorted.js'
import { md5 } from '../native/digest.js'
import {
  ABOUT_TICKS,
  comparePositions,
  FIRST_POSITION,
  type Entry,
  type Position,
} from './entry.js'
import type { OrderedEntries } from './ordered-entries.js'

/** The records after the end of the range before it, up to and including this position. */
export interface HashRange extends Position {
  /** MD5 over the RECORD_ABSTRACTs in order. */
  readonly hash: Uint8Array
  readonly count: number
  /** Some of its records have a later version than the first one. */
  readonly updated: boolean
}

/** RECORD_ABSTRACT, 2.2.1.6. */
const ABSTRACT_BYTES = 20
/** Entries looked at in the first step, and in each, when a range of unknown size is gathered. */
const FIRST_STEP = 16
const MOST_STEP = 1024

let abstracts = new Uint8Array(64 * ABSTRACT_BYTES)

/**
 * The hashed ranges of 3.1.7.31 over a database's order, as this node cuts them. They are kept, and
 * only what lies behind the first change is hashed again: records that are appended cost nothing to
 * those before them.
 */
export class HashRanges {
  readonly #order: OrderedEntries
  #ranges: readonly HashRange[] = []
  #rangeSize = 0
  /** No range that ends before it has changed; undefined: none has. */
  #changedFrom: Position | undefined
  /** Its time as a number; before it, when it is none of an entry. */
  #changedAbout = -Infinity

  constructor(order: OrderedEntries) {
    this.#order = order
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#changedFrom = undefined
  }

  /** The order has got, or has lost, an entry at this position. */
  changed(entry: Entry): void {
    const from = this.#changedFrom
    if (from !== undefined) {
      // As a rule it is far behind: seen without making a bigint.
      if (entry.timeAbout > this.#changedAbout + ABOUT_TICKS) return
      if (comparePositions(entry, from) >= 0) return
    }
    // Not the entry itself: its position changes.
    this.#changedFrom = { time: entry.time, id: entry.id }
    this.#changedAbout = entry.timeAbout
  }

  /** Ranges of so many records, the last one shorter. The array stays as it is. */
  own(rangeSize: number): readonly HashRange[] {
    if (rangeSize !== this.#rangeSize) {
      this.#rangeSize = rangeSize
      this.#changedFrom = FIRST_POSITION
      this.#changedAbout = -Infinity
    }
    if (this.#changedFrom === undefined) return this.#ranges
    let index = rangeAt(this.#ranges, this.#changedFrom)
    // What was appended belongs to the last range while that is short.
    const last = this.#ranges[index - 1]
    if (index === this.#ranges.length && last !== undefined && last.count < rangeSize) index--
    const ranges = this.#ranges.slice(0, index)
    const entries = this.#order.after(ranges.at(-1) ?? FIRST_POSITION, Infinity)
    for (let from = 0; from < entries.length; from += rangeSize) {
      const to = Math.min(from + rangeSize, entries.length)
      const { time, id } = entries[to - 1] as Entry
      const updated = isUpdated(entries, from, to)
      ranges.push({ hash: hashOf(entries, from, to), count: to - from, updated, time, id })
    }
    this.#ranges = ranges
    this.#changedFrom = undefined
    return ranges
  }

  /** The hash of all after `lower` up to and including `upper`; undefined: that is no own range. */
  aligned(lower: Position, upper: Position, rangeSize: number): Uint8Array | undefined {
    const ranges = this.own(rangeSize)
    const index = rangeAt(ranges, upper)
    const range = ranges[index]
    if (range !== undefined && comparePositions(range, upper) === 0) {
      const before = ranges[index - 1] ?? FIRST_POSITION
      if (comparePositions(before, lower) === 0) return range.hash
    }
    return undefined
  }

  /** All after `lower` up to and including `upper`, or as many of them. */
  entries(lower: Position, upper: Position, most = Infinity): Entry[] {
    const found: Entry[] = []
    let from = lower
    for (let size = FIRST_STEP; ; size = Math.min(2 * size, MOST_STEP)) {
      const step = this.#order.after(from, size)
      for (const entry of step) {
        if (found.length === most || comparePositions(entry, upper) > 0) return found
        found.push(entry)
      }
      const end = step.at(-1)
      if (end === undefined || step.length < size) return found
      from = { time: end.time, id: end.id }
    }
  }
}

function isUpdated(entries: readonly Entry[], from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((entries[i] as Entry).record.version > 1) return true
  return false
}

/** MD5(RecordID1, RecordVersion1, RecordID2, …), 3.1.7.31. */
export function hashOf(entries: readonly Entry[], from = 0, to = entries.length): Uint8Array {
  const length = (to - from) * ABSTRACT_BYTES
  if (abstracts.length < length) abstracts = new Uint8Array(length)
  let at = 0
  for (let i = from; i < to; i++) {
    const { record } = entries[i] as Entry
    record.writeId(abstracts, at)
    const { version } = record
    abstracts[at + 16] = version >>> 24
    abstracts[at + 17] = version >>> 16
    abstracts[at + 18] = version >>> 8
    abstracts[at + 19] = version
    at += ABSTRACT_BYTES
  }
  return md5(abstracts.subarray(0, length))
}

/** Index of the first range that does not end before a position. */
export function rangeAt(ranges: readonly Position[], position: Position): number {
  return lowerBound(ranges, position, comparePositions)
}
