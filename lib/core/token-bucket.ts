import { seconds, type Instant } from './instant.js'

/** Tokens a second, and how many may be saved up. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** So many a second, a second's worth of them at once. */
export const perSecond = (count: number): Rate => ({ perSecond: count, burst: count })

/** Begins full, and refills with time: at most `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: Instant = 0

  constructor(rate: Rate) {
    this.#rate = rate
    this.#tokens = rate.burst
  }

  /** Are there so many tokens? */
  has(now: Instant, cost = 1): boolean {
    if (now > this.#at) {
      const { burst, perSecond } = this.#rate
      const refill = ((now - this.#at) / seconds(1)) * perSecond
      this.#tokens = Math.min(burst, this.#tokens + refill)
      this.#at = now
    }
    return this.#tokens >= cost
  }

  /** Takes them; false, and none are taken, when there are not so many. */
  take(now: Instant, cost = 1): boolean {
    if (!this.has(now, cost)) return false
    this.#tokens -= cost
    return true
  }

  /** As good as a new one. */
  isFull(now: Instant): boolean {
    return this.has(now, this.#rate.burst)
  }
}
