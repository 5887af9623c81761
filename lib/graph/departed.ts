import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'

/**
 * Where nodes listened whose presence ended without a word, and when it was last renewed: they may
 * live on in another partition, which agreed with this one until then (GA-54).
 */
export class Departed {
  readonly #at = new Map<string, bigint>()

  remember(addresses: readonly Endpoint[], renewedAt: bigint): void {
    for (const address of addresses) {
      const key = endpointKey(address)
      this.#at.delete(key)
      this.#at.set(key, renewedAt)
    }
    for (const key of this.#at.keys()) {
      if (this.#at.size <= LIMITS.graphDeparted) break
      this.#at.delete(key)
    }
  }

  /** They are there. */
  forget(addresses: readonly Endpoint[]): void {
    if (this.#at.size === 0) return
    for (const address of addresses) this.#at.delete(endpointKey(address))
  }

  /** Peer time of the last sign of the node that listened there. */
  lastSign(address: Endpoint): bigint | undefined {
    return this.#at.get(endpointKey(address))
  }
}
