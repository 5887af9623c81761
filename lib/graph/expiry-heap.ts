import { emptyList } from '../core/list.js'
import type { Entry } from './entry.js'

/** Entries by the time at which they expire: the earliest in O(1), changes in O(log n). */
export class ExpiryHeap {
  readonly #heap = emptyList<Entry>()

  first(): Entry | undefined {
    return this.#heap[0]
  }

  add(entry: Entry): void {
    entry.heapIndex = this.#heap.length
    this.#heap.push(entry)
    this.#up(entry)
  }

  /** Nothing happens to an entry that is not in the heap. */
  remove(entry: Entry): void {
    if (entry.heapIndex < 0) return
    const last = this.#heap.pop() as Entry
    if (last !== entry) {
      last.heapIndex = entry.heapIndex
      this.#heap[last.heapIndex] = last
      this.#up(last)
      this.#down(last)
    }
    entry.heapIndex = -1
  }

  #up(entry: Entry): void {
    while (entry.heapIndex > 0) {
      const parent = this.#heap[(entry.heapIndex - 1) >> 1] as Entry
      if (!entry.expiresBefore(parent)) return
      this.#swap(entry, parent)
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[entry.heapIndex * 2 + 1]
      const right = this.#heap[entry.heapIndex * 2 + 2]
      let least = entry
      if (left !== undefined && left.expiresBefore(least)) least = left
      if (right !== undefined && right.expiresBefore(least)) least = right
      if (least === entry) return
      this.#swap(entry, least)
    }
  }

  #swap(a: Entry, b: Entry): void {
    const index = a.heapIndex
    a.heapIndex = b.heapIndex
    b.heapIndex = index
    this.#heap[a.heapIndex] = a
    this.#heap[b.heapIndex] = b
  }
}
