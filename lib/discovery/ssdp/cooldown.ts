import type { Instant } from '../../core/instant.js'

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
