/**
 * Index of the first item that is not before what is wanted; the length when all are. `compare` is
 * below 0 for items before it, and the items are in that order.
 */
export function lowerBound<T, W>(
  sorted: readonly T[],
  wanted: W,
  compare: (item: T, wanted: W) => number,
): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(sorted[middle] as T, wanted) < 0) low = middle + 1
    else high = middle
  }
  return low
}
