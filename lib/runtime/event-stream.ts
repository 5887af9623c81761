import { Queue } from '../core/queue.js'

/**
 * A bounded stream of events for one reader: an async iterable fed by `push`. When the reader falls
 * behind by more than `capacity`, the oldest events are lost and counted in `lost`.
 */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #capacity: number
  readonly #onReturn: (() => void) | undefined
  readonly #items = new Queue<T>()
  readonly #waiting = new Queue<(result: IteratorResult<T>) => void>()
  #ended = false
  lost = 0

  constructor(capacity: number, onReturn?: () => void) {
    this.#capacity = capacity
    this.#onReturn = onReturn
  }

  push(item: T): void {
    if (this.#ended) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) {
      reader({ value: item, done: false })
      return
    }
    if (this.#items.length >= this.#capacity) {
      this.#items.shift()
      this.lost++
    }
    this.#items.push(item)
  }

  /** No more events; what is queued is still delivered. */
  end(): void {
    this.#ended = true
    for (let reader = this.#waiting.shift(); reader; reader = this.#waiting.shift()) {
      reader({ value: undefined, done: true })
    }
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) {
      return Promise.resolve({ value: this.#items.shift() as T, done: false })
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.clear()
    this.end()
    this.#onReturn?.()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
