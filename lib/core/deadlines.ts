import { NEVER, type Instant } from './instant.js'

/** A key's place in the heap; -1: it has no deadline. */
interface Slot<K> {
  readonly key: K
  at: Instant
  index: number
}

/** Keys carry their slot themselves: a table beside the heap would be looked up at every packet. */
const SLOT = Symbol('deadline')

interface Keyed<K> {
  [SLOT]?: Slot<K>
}

/** Something with a timer of its own; it is the key of its deadline. */
export interface Timed {
  /** The deadline has passed and is no longer set. */
  onTimer(): void
}

/**
 * The timers of a machine: at most one deadline a key, the earliest found in O(1), set and
 * cancelled in O(log n). Equal deadlines come out in no particular but deterministic order. A key
 * has deadlines in one table only.
 */
export class Deadlines<K extends object> {
  readonly #heap: Slot<K>[] = []

  get size(): number {
    return this.#heap.length
  }

  /** Sets or moves the deadline of a key. */
  set(key: K, at: Instant): void {
    const slot = this.#slotOf(key)
    if (slot === undefined) {
      const fresh = ((key as Keyed<K>)[SLOT] ??= { key, at, index: -1 })
      fresh.at = at
      fresh.index = this.#heap.length
      this.#heap.push(fresh)
      this.#up(fresh)
      return
    }
    const previous = slot.at
    slot.at = at
    if (at < previous) this.#up(slot)
    else this.#down(slot)
  }

  get(key: K): Instant | undefined {
    return this.#slotOf(key)?.at
  }

  cancel(key: K): boolean {
    const slot = this.#slotOf(key)
    if (slot === undefined) return false
    const last = this.#heap.pop() as Slot<K>
    if (last !== slot) {
      last.index = slot.index
      this.#heap[slot.index] = last
      this.#up(last)
      this.#down(last)
    }
    slot.index = -1
    return true
  }

  clear(): void {
    for (const slot of this.#heap) slot.index = -1
    this.#heap.length = 0
  }

  /** The earliest deadline, or NEVER. */
  next(): Instant {
    return this.#heap[0]?.at ?? NEVER
  }

  /** Removes and returns the earliest key that is due at `now`. */
  takeDue(now: Instant): K | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    this.cancel(first.key)
    return first.key
  }

  /** Undefined for a key without a deadline here. */
  #slotOf(key: K): Slot<K> | undefined {
    const slot = (key as Keyed<K>)[SLOT]
    return slot !== undefined && this.#heap[slot.index] === slot ? slot : undefined
  }

  #up(slot: Slot<K>): void {
    while (slot.index > 0) {
      const parent = this.#heap[(slot.index - 1) >> 1] as Slot<K>
      if (parent.at <= slot.at) return
      this.#swap(slot, parent)
    }
  }

  #down(slot: Slot<K>): void {
    for (;;) {
      const left = this.#heap[slot.index * 2 + 1]
      const right = this.#heap[slot.index * 2 + 2]
      let least = slot
      if (left !== undefined && left.at < least.at) least = left
      if (right !== undefined && right.at < least.at) least = right
      if (least === slot) return
      this.#swap(slot, least)
    }
  }

  #swap(a: Slot<K>, b: Slot<K>): void {
    const index = a.index
    a.index = b.index
    b.index = index
    this.#heap[a.index] = a
    this.#heap[b.index] = b
  }
}
