import { Queue } from '../core/queue.js'

export interface EventStreamOptions<T> {
  /** Of the events that wait together, by the weights that `push` is given. */
  readonly mostWeight?: number
  /** An event that nobody will read. */
  readonly onLost?: (item: T) => void
}

/**
 * A bounded stream of events for one reader: an async iterable fed by `push`. When the reader falls
 * behind by more than `capacity`, the oldest events are lost and counted in `lost`.
 */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #capacity: number
  readonly #onReturn: (() => void) | undefined
  readonly #options: EventStreamOptions<T>
  readonly #items = new Queue<T>()
  readonly #weights = new Queue<number>()
  #weight = 0
  readonly #waiting = new Queue<(result: IteratorResult<T>) => void>()
  #ended = false
  lost = 0

  constructor(capacity: number, onReturn?: () => void, options: EventStreamOptions<T> = {}) {
    this.#capacity = capacity
    this.#onReturn = onReturn
    this.#options = options
  }

  push(item: T, weight = 0): void {
    if (this.#ended) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) {
      reader({ value: item, done: false })
      return
    }
    this.#items.push(item)
    this.#weights.push(weight)
    this.#weight += weight
    const { mostWeight = Infinity } = this.#options
    while (
      this.#items.length > this.#capacity ||
      (this.#weight > mostWeight && this.#items.length > 1)
    ) {
      this.lost++
      this.#lose()
    }
  }

  /** No more events; what is queued is still delivered. */
  end(): void {
    this.#ended = true
    for (let reader = this.#waiting.shift(); reader; reader = this.#waiting.shift()) {
      reader({ value: undefined, done: true })
    }
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ value: this.#shift(), done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  return(): Promise<IteratorResult<T>> {
    while (this.#items.length > 0) this.#lose()
    this.end()
    this.#onReturn?.()
    return Promise.resolve({ value: undefined, done: true })
  }

  #shift(): T {
    this.#weight -= this.#weights.shift() ?? 0
    return this.#items.shift() as T
  }

  #lose(): void {
    const item = this.#shift()
    this.#options.onLost?.(item)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
