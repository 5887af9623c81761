import { bytesKey } from '../core/bytes.js'
import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { CloudScope } from './interface.js'

/**
 * How many places of one table each source holds: by endpoint, and on the global scope by /64 too
 * (elsewhere everybody shares a prefix, or all of the address).
 */
export class SourceQuota {
  readonly #byEndpoint = new Map<string, number>()
  readonly #byPrefix: Map<string, number> | undefined

  constructor(scope: CloudScope) {
    this.#byPrefix = scope === 'global' || scope === 'site-local' ? new Map() : undefined
  }

  /** Takes a place, or refuses. */
  take(from: Endpoint): boolean {
    const endpoint = endpointKey(from)
    const held = this.#byEndpoint.get(endpoint) ?? 0
    if (held >= LIMITS.pendingAdmissionsPerSource) return false
    if (this.#byPrefix !== undefined) {
      const prefix = prefixKey(from)
      const heldByPrefix = this.#byPrefix.get(prefix) ?? 0
      if (heldByPrefix >= LIMITS.pendingAdmissionsPerPrefix) return false
      this.#byPrefix.set(prefix, heldByPrefix + 1)
    }
    this.#byEndpoint.set(endpoint, held + 1)
    return true
  }

  release(from: Endpoint): void {
    release(this.#byEndpoint, endpointKey(from))
    if (this.#byPrefix !== undefined) release(this.#byPrefix, prefixKey(from))
  }
}

function prefixKey(endpoint: Endpoint): string {
  return bytesKey(endpoint.address.subarray(0, 8))
}

function release(counts: Map<string, number>, key: string): void {
  const held = counts.get(key)
  if (held === undefined) return
  if (held === 1) counts.delete(key)
  else counts.set(key, held - 1)
}
