// What small records took over single links, and whether the large one was on those links then.
import { LARGE_FROM, SMALL_RANGE } from './node.js'

/** When each record was at each node: one map a node. */
export type Log = readonly ReadonlyMap<number, number>[]

/** A small record on one link. */
export interface Hop {
  readonly from: number
  readonly to: number
  /** When it was where it set out. */
  readonly at: number
  /** Until it was on the other side, ms. */
  readonly took: number
}

export function hopsOf(log: Log): Hop[] {
  const found: Hop[] = []
  for (const [place, arrivals] of log.entries()) {
    for (const [record, at] of arrivals) {
      if (record >= LARGE_FROM) continue
      const publisher = Math.floor(record / SMALL_RANGE)
      for (const next of [place - 1, place + 1]) {
        // Away from its publisher, from where it is to where it goes.
        if (Math.abs(next - publisher) < Math.abs(place - publisher)) continue
        const there = log[next]?.get(record)
        if (there !== undefined) found.push({ from: place, to: next, at, took: there - at })
      }
    }
  }
  return found
}

/**
 * Those that set out while the large record was on its way, by what their link did meanwhile.
 * `large`: when it was at each node as a whole. It is on one link after the other, and on each from
 * the moment that it is whole on one side until it is whole on the other.
 */
export function besideLarge(
  log: Log,
  large: readonly number[],
): {
  /** Nothing of it was on their link when they set out, nor until they were there. */
  readonly unused: readonly Hop[]
  /** Nothing of it was on their link when they set out: it may have come before they got there. */
  readonly free: readonly Hop[]
  /** It was on their link when they set out. */
  readonly used: readonly Hop[]
} {
  const [first = Number.NaN, last = Number.NaN] = [large[0], large.at(-1)]
  const unused: Hop[] = []
  const free: Hop[] = []
  const used: Hop[] = []
  for (const hop of hopsOf(log)) {
    if (!(hop.at >= first && hop.at <= last)) continue
    const link = Math.min(hop.from, hop.to)
    const [begins, ends] = [large[link] as number, large[link + 1] as number]
    if (hop.at >= begins && hop.at <= ends) used.push(hop)
    else free.push(hop)
    if (hop.at > ends || hop.at + hop.took < begins) unused.push(hop)
  }
  return { unused, free, used }
}
