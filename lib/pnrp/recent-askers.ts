import { endpointKey, type Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'

/**
 * Who was given a CPA lately. Resolvers that registered nothing are in nobody's leaf set and would
 * never hear that a name has gone, so they are told when it goes: a few, for some minutes.
 */
export class RecentAskers {
  /** The least recent first. */
  readonly #askers = new Map<string, { readonly endpoint: Endpoint; readonly at: Instant }>()

  note(now: Instant, endpoint: Endpoint): void {
    const key = endpointKey(endpoint)
    this.#askers.delete(key)
    if (this.#askers.size >= LIMITS.recentAskers) {
      const [oldest] = this.#askers.keys()
      if (oldest !== undefined) this.#askers.delete(oldest)
    }
    this.#askers.set(key, { endpoint, at: now })
  }

  list(now: Instant): Endpoint[] {
    const recent: Endpoint[] = []
    for (const { endpoint, at } of this.#askers.values()) {
      if (now - at < LIMITS.recentAskerUs) recent.push(endpoint)
    }
    return recent
  }
}
