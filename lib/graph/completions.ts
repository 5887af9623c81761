import { Queue } from '../core/queue.js'
import type { Guid } from '../core/guid.js'
import type { GraphContext } from './context.js'

interface Completion {
  readonly sequence: number
  readonly handle: number
  readonly id: Guid
}

/** Commands that are carried out, but whose writes are not known to be on disk. */
export class Completions {
  readonly #context: GraphContext
  readonly #queue = new Queue<Completion>()

  constructor(context: GraphContext) {
    this.#context = context
  }

  /** The command's write is the one that this handler collects. */
  add(handle: number, id: Guid): void {
    if (!this.#context.stores) {
      this.#context.events.push({ type: 'done', handle, id })
      return
    }
    this.#queue.push({ sequence: this.#context.nextSequence, handle, id })
  }

  persisted(sequence: number): void {
    for (const { handle, id } of this.#take(sequence)) {
      this.#context.events.push({ type: 'done', handle, id })
    }
  }

  failed(sequence: number, message: string): void {
    for (const { handle } of this.#take(sequence)) {
      this.#context.fail(handle, 'ERR_PEERNET_SYSTEM', `the record is not on disk: ${message}`)
    }
  }

  *#take(sequence: number): Generator<Completion> {
    while ((this.#queue.first?.sequence ?? Infinity) <= sequence) {
      yield this.#queue.shift() as Completion
    }
  }
}
