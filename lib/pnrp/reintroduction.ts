import type { Timed } from '../core/deadlines.js'
import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { CloudContext } from './context.js'

interface Waiting {
  readonly endpoint: Endpoint
  readonly tries: number
}

/**
 * Two nodes that join at the same time through a seed that knows nobody both hear "nobody" from it.
 * As soon as it has got to know them it could bring them together: so whoever has an ID to show and
 * was told of nobody asks again after a moment, a few times (the next regular chance is the
 * Maintenance Timer, 3.1.6.2).
 */
export class Reintroductions implements Timed {
  readonly #context: CloudContext
  readonly #contact: (endpoint: Endpoint) => void
  readonly #waiting = new Map<string, Waiting>()

  constructor(context: CloudContext, contact: (endpoint: Endpoint) => void) {
    this.#context = context
    this.#contact = contact
  }

  /** A node that got to know us offered nobody. */
  offeredNobody(endpoint: Endpoint): void {
    const { cache, now, timers } = this.#context
    const key = endpointKey(endpoint)
    const tries = this.#waiting.get(key)?.tries ?? 0
    const delayUs = LIMITS.reintroduceUs[tries]
    if (cache.size > 0 || delayUs === undefined) return
    if (tries === 0 && this.#waiting.size >= LIMITS.lastUsedNodes) return
    this.#waiting.set(key, { endpoint, tries: tries + 1 })
    timers.set(this, now + delayUs)
  }

  onTimer(): void {
    if (this.#context.cache.size > 0) {
      this.#waiting.clear()
      return
    }
    for (const { endpoint } of [...this.#waiting.values()]) this.#contact(endpoint)
  }

  clear(): void {
    this.#waiting.clear()
    this.#context.timers.cancel(this)
  }
}
