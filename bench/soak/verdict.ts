// Whether memory stands still: the slope of a line through its readings.
import { median } from '../bench.js'

/** A process, at the end of a round. */
export interface Reading {
  readonly minute: number
  /** After two collections. */
  readonly heapBytes: number
  readonly externalBytes: number
  /** Resident, without pages of files and without what V8 has reserved and does not use. */
  readonly anonymousBytes: number
}

export interface Growth {
  /** Bytes an hour. */
  readonly heap: number
  readonly external: number
  readonly anonymous: number
}

/**
 * What a process may grow in an hour, judged over the last three quarters of the run: by then code
 * is compiled, the database has its size and LevelDB its caches.
 *
 * In an hour each node sees some 25,000 operations and 100 connections. An object of 200 bytes
 * that stayed for every tenth of the former would be 4 MB in the eight nodes of a process, a
 * connection with its 20 KB would be 16 MB: both are found. The number of records sways by some per
 * cent, which is about 1 MB. Resident memory has malloc's reserves in it and is given more. Pages
 * of files do not count, since tables that LevelDB has mapped are the system's to drop; nor does
 * V8's reserve for its young generation, which followed the load of the machine by 33 MB in a
 * minute.
 */
export const BOUNDS: Growth = { heap: 3e6, external: 4e6, anonymous: 12e6 }

/** Shorter runs say nothing about an hour. */
export const LEAST_MINUTES = 20

/** Theil and Sen: the median of the slopes of all pairs, which single peaks do not move. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const slopes: number[] = []
  for (const [i, [x1, y1]] of points.entries()) {
    for (const [x2, y2] of points.slice(i + 1)) if (x2 !== x1) slopes.push((y2 - y1) / (x2 - x1))
  }
  return slopes.length === 0 ? 0 : median(slopes)
}

/** Over the last three quarters. */
export function growthOf(readings: readonly Reading[]): Growth {
  const late = readings.slice(Math.floor(readings.length / 4))
  const perHour = (value: (reading: Reading) => number): number =>
    Math.round(slope(late.map((one) => [one.minute, value(one)])) * 60)
  return {
    heap: perHour((one) => one.heapBytes),
    external: perHour((one) => one.externalBytes),
    anonymous: perHour((one) => one.anonymousBytes),
  }
}

/** What grows too fast; empty: nothing does. */
export function tooFast(growth: Growth): string[] {
  return (['heap', 'external', 'anonymous'] as const)
    .filter((kind) => growth[kind] > BOUNDS[kind])
    .map((kind) => `${kind} grows by ${(growth[kind] / 1e6).toFixed(1)} MB an hour`)
}

/** Handles that were not there before the first node was opened. */
export function leftOver(
  before: { readonly fds: number; readonly handles: Readonly<Record<string, number>> },
  after: { readonly fds: number; readonly handles: Readonly<Record<string, number>> },
): string[] {
  const left = Object.entries(after.handles)
    .map(([kind, count]) => [kind, count - (before.handles[kind] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind} more than before`)
  const fds = after.fds - before.fds
  return fds > 0 ? [...left, `${fds} file descriptors more than before`] : left
}
