/** Places that an empty queue keeps: making the array anew for every other item would cost more. */
const KEPT = 8
/** Items taken before the rest moves up. */
const MOVE = 1024

/** First-in first-out queue with O(1) amortised shift. */
export class Queue<T> {
  /** Those taken already, and those behind the last, are undefined. */
  #items: (T | undefined)[] = []
  #head = 0
  #tail = 0

  get length(): number {
    return this.#tail - this.#head
  }

  /** The item that `shift` would take. */
  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items[this.#tail++] = item
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#tail) {
      this.#rewind()
    } else if (this.#head >= MOVE) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#tail = 0
  }

  #rewind(): void {
    if (this.#items.length > KEPT) this.#items = []
    this.#head = 0
    this.#tail = 0
  }
}
