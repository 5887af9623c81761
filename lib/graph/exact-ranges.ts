import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { isReservedType } from './constants.js'
import { comparePositions, FIRST_POSITION, type Entry, type Position } from './entry.js'
import { hashOf, rangeAt, type HashRange, type HashRanges } from './hash-ranges.js'

/** A range as SOLICIT_HASH has it. */
export type SentRange = Omit<HashRange, 'count'>

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
  const first = rangeAt(ranges, { time: since, id: '' as Guid })
  const end = ranges.at(-1)
  const sent: SentRange[] = ranges.slice(0, first)
  let last: Position = ranges[first - 1] ?? FIRST_POSITION
  if (end === undefined || first === ranges.length) return sent
  const entries = hashes.entries(last, end)
  const newest = placesOf(entries, since)
  let from = 0
  for (const range of ranges.slice(first)) {
    const to = from + range.count
    for (let at = from; at < to; at++) {
      if (!newest.has(at)) continue
      const { time, id } = entries[at] as Entry
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
    if (from < to) {
      const { time, id } = range
      const hash = to - from === range.count ? range.hash : hashOf(entries, from, to)
      sent.push({ hash, time, id })
    }
    last = range
    from = to
  }
  return sent
}

/** Of the entries that were updated since then; not what nodes say of themselves. */
function placesOf(entries: readonly Entry[], since: bigint): ReadonlySet<number> {
  const places = new Set<number>()
  for (let at = entries.length - 1; at >= 0; at--) {
    const { record, time } = entries[at] as Entry
    if (time < since || places.size === LIMITS.graphExactRanges) break
    if (record.version > 1 && !isReservedType(record.type)) places.add(at)
  }
  return places
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) > 0 ? a : b
}
