import { Counters } from '../core/counters.js'
import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { TurnNode, Turns } from './turns.js'

/** What every machine has for its driver; see lib/core/machine.ts. */
interface Timed {
  handleTimeout(now: Instant): void
  pollTimeout(): Instant
}

/**
 * A machine being driven: contains its failures, carries out what it asks for in turns of bounded
 * length, and keeps its deadline. What there is to carry out, subclasses know.
 */
export abstract class DrivenNode implements TurnNode {
  /** What was dropped or sent here, by name; the machine counts on its own. */
  readonly counters = new Counters()
  protected readonly turns: Turns
  readonly #timed: Timed
  #pumping: boolean
  #closed: boolean
  #deadline: Instant = NEVER

  constructor(turns: Turns, machine: Timed) {
    this.turns = turns
    this.#timed = machine
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#pumping = false
    this.#closed = false
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Takes in the time as it is at the start and after the host's clock was set. */
  abstract wallClock(offsetMs: number): void

  /** Carries out one output, in the order of lib/core/machine.ts; false if there is none. */
  protected abstract step(): boolean

  /** After the last output of a turn. */
  protected flush(): void {}

  timeout(now: Instant): void {
    if (this.#closed) return
    // The turns have taken this deadline off their list.
    this.#deadline = NEVER
    const failed = this.run(() => {
      this.#timed.handleTimeout(now)
    })
    // A deadline that is never met must not become a busy loop.
    if (failed) this.#setDeadline(now + LIMITS.retransmissionIntervalUs)
  }

  /**
   * Carries out what the machine asks for until it asks for nothing more, or the turn's budget is
   * spent. Listeners may give commands meanwhile.
   */
  pump(): void {
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    let budget: number = LIMITS.outputsPerTurn
    try {
      while (budget > 0 && !this.#isClosed() && this.step()) budget--
    } finally {
      this.#pumping = false
      this.flush()
    }
    if (this.#isClosed()) return
    if (budget === 0) this.turns.again(this)
    this.#setDeadline(this.#timed.pollTimeout())
  }

  /** What the machine has been told has a turn after the sockets, unless it has one right now. */
  protected again(): void {
    if (!this.#pumping) this.turns.again(this)
  }

  /** Calls a handler of the machine, then carries out what it asks for; true if it threw. */
  protected run(handler: () => void): boolean {
    const failed = this.contain(handler)
    this.pump()
    return failed
  }

  /** Calls a handler of the machine; true if it threw, which is counted and reported. */
  protected contain(handler: () => void): boolean {
    try {
      handler()
      return false
    } catch (error) {
      this.failed(error)
      return true
    }
  }

  /** A handler of the machine threw this. */
  protected failed(error: unknown): void {
    this.counters.add('machine-failed')
    this.turns.machineFailed(error)
  }

  protected tell<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value)
    } catch (error) {
      this.turns.listenerFailed(error)
    }
  }

  /** Nothing reaches the machine any more; false: that was so before. */
  protected end(): boolean {
    if (this.#closed) return false
    this.#closed = true
    this.turns.forget(this)
    return true
  }

  /** `#closed` as it is now: listeners may have closed the node. */
  #isClosed(): boolean {
    return this.#closed
  }

  #setDeadline(at: Instant): void {
    if (at === this.#deadline) return
    this.#deadline = at
    this.turns.setDeadline(this, at)
  }
}
