import { NEVER, type Instant } from '../core/instant.js'

const INITIAL_CAPACITY = 256

/**
 * The one timer queue of a simulation: one slot a node, holding what its machine's `pollTimeout`
 * last said. Setting and moving cost O(log n); a node at rest costs 16 bytes. Nodes that are due
 * at the same instant come out in the order of their indexes.
 */
export class TimerTable {
  #at = new Float64Array(INITIAL_CAPACITY)
  #heap = new Int32Array(INITIAL_CAPACITY)
  /** Place in the heap, -1 when no timer is set. */
  #place = new Int32Array(INITIAL_CAPACITY).fill(-1)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The earliest deadline, or NEVER. */
  get next(): Instant {
    return this.#size === 0 ? NEVER : (this.#at[this.#heap[0] as number] as number)
  }

  /** The node of the earliest deadline; call it only when there is one. */
  get nextNode(): number {
    return this.#heap[0] as number
  }

  /** Sets, moves or (NEVER) clears a node's deadline. */
  set(node: number, at: Instant): void {
    while (node >= this.#at.length) this.#grow()
    const place = this.#place[node] as number
    if (place < 0) {
      if (at !== NEVER) this.#insert(node, at)
      return
    }
    if (at === NEVER) {
      this.#remove(node, place)
      return
    }
    const before = this.#at[node] as number
    if (at === before) return
    this.#at[node] = at
    if (at < before) this.#rise(place, node)
    else this.#sink(place, node)
  }

  #insert(node: number, at: Instant): void {
    this.#at[node] = at
    this.#rise(this.#size++, node)
  }

  #remove(node: number, place: number): void {
    this.#place[node] = -1
    const last = this.#heap[--this.#size] as number
    if (last === node) return
    this.#rise(place, last)
    this.#sink(this.#place[last] as number, last)
  }

  #earlier(a: number, b: number): boolean {
    const atA = this.#at[a] as number
    const atB = this.#at[b] as number
    return atA < atB || (atA === atB && a < b)
  }

  #rise(from: number, node: number): void {
    let hole = from
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      const other = this.#heap[parent] as number
      if (!this.#earlier(node, other)) break
      this.#put(hole, other)
      hole = parent
    }
    this.#put(hole, node)
  }

  #sink(from: number, node: number): void {
    let hole = from
    for (;;) {
      let child = hole * 2 + 1
      if (child >= this.#size) break
      const right = child + 1
      if (
        right < this.#size &&
        this.#earlier(this.#heap[right] as number, this.#heap[child] as number)
      ) {
        child = right
      }
      const other = this.#heap[child] as number
      if (this.#earlier(node, other)) break
      this.#put(hole, other)
      hole = child
    }
    this.#put(hole, node)
  }

  #put(place: number, node: number): void {
    this.#heap[place] = node
    this.#place[node] = place
  }

  #grow(): void {
    const capacity = this.#at.length * 2
    const at = new Float64Array(capacity)
    at.set(this.#at)
    const heap = new Int32Array(capacity)
    heap.set(this.#heap)
    const place = new Int32Array(capacity).fill(-1)
    place.set(this.#place)
    this.#at = at
    this.#heap = heap
    this.#place = place
  }
}
