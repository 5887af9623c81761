import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'

export type OriginOutcome = 'served' | 'gone' | 'changed'

/** A range of blocks that the origin was asked for. */
interface Run {
  readonly startedAt: Instant
  bytes: number
}

/**
 * How much is asked of the origin at a time. Ranges begin with a block and grow as the origin turns
 * out to be fast: many peers that share it ask for little each, so that what one is about to get is
 * not fetched by another; one that is alone soon asks for megabytes.
 */
export class OriginPace {
  readonly #runs = new Map<number, Run>()
  /** Bytes a second of one range. */
  #rate = 0
  #largest = 1
  #failures = 0
  #retryAt: Instant = 0
  #isChanged = false
  /** Smoothed time of a range. */
  runUs = 0

  get runs(): number {
    return this.#runs.size
  }

  get isFast(): boolean {
    return this.#rate >= LIMITS.swarmFastBytesPerSecond
  }

  get isLost(): boolean {
    return this.#isChanged || this.#failures >= LIMITS.swarmStrikes
  }

  /** When another range may be asked for, NEVER while enough are under way. */
  mayAskAt(others: number): Instant {
    const runs = others >= LIMITS.swarmCrowd ? 1 : LIMITS.swarmRuns
    return this.#isChanged || this.#runs.size >= runs ? NEVER : this.#retryAt
  }

  /** Bytes that the next range may have; a block at least is always asked for. */
  runBytes(others: number): number {
    const us = others === 0 ? LIMITS.swarmRunAloneUs : LIMITS.swarmRunSharedUs
    const byTime = (this.#rate * us) / 1_000_000
    return Math.min(LIMITS.swarmRunBytes, byTime, this.#largest * 2)
  }

  started(now: Instant, first: number): void {
    this.#runs.set(first, { startedAt: now, bytes: 0 })
  }

  gave(first: number | undefined, bytes: number): void {
    const run = first === undefined ? undefined : this.#runs.get(first)
    if (run !== undefined) run.bytes += bytes
  }

  ended(now: Instant, first: number, outcome: OriginOutcome): void {
    const run = this.#runs.get(first)
    if (run === undefined) return
    this.#runs.delete(first)
    if (outcome === 'changed') this.#isChanged = true
    if (outcome !== 'served') {
      const times = Math.min(8, this.#failures)
      this.#failures += 1
      this.#retryAt = now + Math.min(LIMITS.swarmOriginMaxUs, LIMITS.swarmOriginMinUs * 2 ** times)
      return
    }
    this.#failures = 0
    const us = Math.max(1, now - run.startedAt)
    const rate = (run.bytes * 1_000_000) / us
    this.#rate = this.#rate === 0 ? rate : (this.#rate + rate) / 2
    this.runUs = this.runUs === 0 ? us : (this.runUs + us) / 2
    this.#largest = Math.max(run.bytes, this.#largest / 2)
  }
}
