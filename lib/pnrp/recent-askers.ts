import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'

/** Bytes of an endpoint as it is kept: address, then port. */
const ENDPOINT_BYTES = 18
const FIRST_CAPACITY = 4

/**
 * Who was given a CPA lately. Resolvers that registered nothing are in nobody's leaf set and would
 * never hear that a name has gone, so they are told when it goes: a few, for some minutes.
 *
 * Packed, because every node has one: as objects they would be a third of an idle node's memory.
 */
export class RecentAskers {
  #endpoints = new Uint8Array(0)
  /** When each was answered. */
  #times = new Float64Array(0)
  #size = 0

  note(now: Instant, endpoint: Endpoint): void {
    const slot = this.#slotOf(endpoint)
    const at = slot * ENDPOINT_BYTES
    this.#endpoints.set(endpoint.address, at)
    this.#endpoints[at + 16] = endpoint.port >> 8
    this.#endpoints[at + 17] = endpoint.port & 0xff
    this.#times[slot] = now
  }

  /** The least recent first. */
  list(now: Instant): Endpoint[] {
    const recent: { endpoint: Endpoint; at: Instant }[] = []
    for (let slot = 0; slot < this.#size; slot++) {
      const at = this.#times[slot] as number
      if (now - at < LIMITS.recentAskerUs) recent.push({ endpoint: this.#endpointAt(slot), at })
    }
    return recent.sort((a, b) => a.at - b.at).map(({ endpoint }) => endpoint)
  }

  /** Where this endpoint is, or else has to go: a new slot, or that of the least recent one. */
  #slotOf(endpoint: Endpoint): number {
    let oldest = 0
    for (let slot = 0; slot < this.#size; slot++) {
      if (this.#isAt(slot, endpoint)) return slot
      if ((this.#times[slot] as number) < (this.#times[oldest] as number)) oldest = slot
    }
    if (this.#size >= LIMITS.recentAskers) return oldest
    if (this.#size === this.#times.length) this.#grow()
    return this.#size++
  }

  #isAt(slot: number, { address, port }: Endpoint): boolean {
    const at = slot * ENDPOINT_BYTES
    const bytes = this.#endpoints
    if (bytes[at + 17] !== (port & 0xff) || bytes[at + 16] !== port >> 8) return false
    for (let i = 15; i >= 0; i--) if (bytes[at + i] !== address[i]) return false
    return true
  }

  #endpointAt(slot: number): Endpoint {
    const at = slot * ENDPOINT_BYTES
    const bytes = this.#endpoints
    const port = ((bytes[at + 16] as number) << 8) | (bytes[at + 17] as number)
    return { address: bytes.slice(at, at + 16), port }
  }

  #grow(): void {
    const capacity = Math.min(LIMITS.recentAskers, Math.max(FIRST_CAPACITY, this.#size * 2))
    const endpoints = new Uint8Array(capacity * ENDPOINT_BYTES)
    endpoints.set(this.#endpoints)
    this.#endpoints = endpoints
    const times = new Float64Array(capacity)
    times.set(this.#times)
    this.#times = times
  }
}
