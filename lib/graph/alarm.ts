import type { Timed } from '../core/deadlines.js'
import { seconds, type Instant } from '../core/instant.js'
import { below, type Rng } from '../core/rng.js'
import type { GraphContext } from './context.js'

/** A timer of one part: its place in the graph's table, and what happens at its time. */
export class Alarm implements Timed {
  readonly #context: GraphContext
  readonly #expired: () => void

  constructor(context: GraphContext, expired: () => void) {
    this.#context = context
    this.#expired = expired
  }

  get armed(): boolean {
    return this.#context.timers.get(this) !== undefined
  }

  /** Sets or moves it. */
  set(delayUs: number): void {
    this.#context.timers.set(this, this.#context.now + delayUs)
  }

  /** Sets it, or moves it to an earlier moment, never to a later one. */
  pull(delayUs: number): void {
    const at: Instant = this.#context.now + delayUs
    const { timers } = this.#context
    if (at < (timers.get(this) ?? Infinity)) timers.set(this, at)
  }

  cancel(): void {
    this.#context.timers.cancel(this)
  }

  onTimer(): void {
    this.#expired()
  }
}

/** A whole number of seconds, uniform in from .. to (3.1.2), in microseconds. */
export function randomSeconds(rng: Rng, [from, to]: readonly [number, number]): number {
  return seconds(from + below(rng, to - from + 1))
}
