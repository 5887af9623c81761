import { seconds, type Instant } from '../../core/instant.js'

/** At most `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: Instant | undefined

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes one; false when there is none. */
  take(now: Instant): boolean {
    const since = now - (this.#at ?? now)
    this.#at = now
    this.#tokens = Math.min(this.#burst, this.#tokens + (since / seconds(1)) * this.#perSecond)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

/** Remembers when a key may come again. Bounded: when full, nobody new is let in. */
export class Cooldown {
  readonly #until = new Map<string, Instant>()
  readonly #capacity: number
  readonly #us: number

  constructor(us: number, capacity: number) {
    this.#us = us
    this.#capacity = capacity
  }

  /** True when this key has not been let in for the time given; it then begins to count again. */
  enter(now: Instant, key: string): boolean {
    const until = this.#until.get(key)
    if (until !== undefined && now < until) return false
    this.#until.delete(key)
    if (this.#until.size >= this.#capacity) this.#forgetOld(now)
    if (this.#until.size >= this.#capacity) return false
    this.#until.set(key, now + this.#us)
    return true
  }

  /** Keys are in the order of their times. */
  #forgetOld(now: Instant): void {
    for (const [key, until] of this.#until) {
      if (until > now) return
      this.#until.delete(key)
    }
  }
}
