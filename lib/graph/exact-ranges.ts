import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { isReservedType } from './constants.js'
import { comparePositions, FIRST_POSITION, type Entry, type Position } from './entry.js'
import { hashOf, rangeAt, type HashRange, type HashRanges } from './hash-ranges.js'

/** A range as SOLICIT_HASH has it. */
export type SentRange = Pick<HashRange, 'hash' | 'time' | 'id'>

const HIGHEST_ID = '\xff'.repeat(16) as Guid

/**
 * GA-54: a hash says nothing of the time of a modification, so two updates of the same version that
 * have the same place among ten would never be noticed. Records that were updated lately therefore
 * get a range of their own, that of their very position: whoever has it elsewhere has another hash.
 *
 * @param ranges all of `hashes`
 * @param since peer time
 */
export function withExactRanges(
  hashes: HashRanges,
  ranges: readonly HashRange[],
  since: bigint,
): SentRange[] {
  const first = firstOf(ranges, rangeAt(ranges, { time: since, id: '' as Guid }))
  const sent: SentRange[] = ranges.slice(0, first)
  for (let index = first; index < ranges.length; index++) {
    const range = ranges[index] as HashRange
    if (range.updated) cut(hashes, ranges[index - 1] ?? FIRST_POSITION, range, sent)
    else sent.push(range)
  }
  return sent
}

/** The newest that hold updated records, as many as there is room for. */
function firstOf(ranges: readonly HashRange[], recent: number): number {
  let room: number = LIMITS.graphExactRanges
  for (let first = ranges.length; first > recent; first--) {
    const range = ranges[first - 1]
    if (range?.updated === true) room -= range.count
    if (room < 0) return first
  }
  return recent
}

function cut(hashes: HashRanges, after: Position, range: HashRange, sent: SentRange[]): void {
  const entries = hashes.entries(after, range)
  let last = after
  let from = 0
  for (const [at, { id, record, time }] of entries.entries()) {
    // What nodes say of themselves nobody else updates.
    if (record.version === 1 || isReservedType(record.type)) continue
    // Up to right before it: so the range before it begins with nothing that it could be.
    const before = { time: time - 1n, id: HIGHEST_ID }
    const upper = from < at ? later(before, entries[at - 1] as Entry) : before
    if (from < at || comparePositions(upper, last) > 0) {
      sent.push({ hash: hashOf(entries, from, at), time: upper.time, id: upper.id })
    }
    sent.push({ hash: hashOf(entries, at, at + 1), time, id })
    last = { time, id }
    from = at + 1
  }
  if (from === entries.length) return
  sent.push({ hash: hashOf(entries, from), time: range.time, id: range.id })
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) > 0 ? a : b
}
