import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { below, type Rng } from '../core/rng.js'
import type { GraphScope } from './interface.js'
import type { Link } from './parts.js'

interface Referral {
  readonly endpoint: Endpoint
  attempted: boolean
}

/** Can a node of a graph of this scope listen there (G-044)? Loopback is for graphs of one host. */
export function isUsableAddress(endpoint: Endpoint, scope: GraphScope): boolean {
  if (endpoint.port === 0) return false
  const kind = addressKind(endpoint.address)
  return kind === scope || kind === 'loopback'
}

export function isLoopback({ address }: Endpoint): boolean {
  return addressKind(address) === 'loopback'
}

/** 3.1.1 Referral List: where other nodes of the graph are said to listen. */
export class ReferralList {
  /** In order of arrival: maps keep it. */
  readonly #entries = new Map<string, Referral>()

  /** Newest last. */
  get all(): readonly Endpoint[] {
    return [...this.#entries.values()].map((referral) => referral.endpoint)
  }

  /** One that is there already becomes the newest, and stays attempted (GA-32). */
  add(endpoint: Endpoint): void {
    const key = endpointKey(endpoint)
    const attempted = this.#entries.get(key)?.attempted ?? false
    this.#entries.delete(key)
    this.#entries.set(key, { endpoint, attempted })
    if (this.#entries.size <= LIMITS.graphReferrals) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  /** 3.1.5.2.3: a random entry, or the next after it that was not attempted; it is now. */
  attempt(rng: Rng, skip: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    const entries = [...this.#entries.values()]
    if (entries.length === 0) return undefined
    const from = below(rng, entries.length)
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(from + i) % entries.length] as Referral
      if (entry.attempted || skip(entry.endpoint)) continue
      entry.attempted = true
      return entry.endpoint
    }
    return undefined
  }

  markAttempted(endpoint: Endpoint): void {
    const entry = this.#entries.get(endpointKey(endpoint))
    if (entry !== undefined) entry.attempted = true
  }

  clearAttempted(): void {
    for (const entry of this.#entries.values()) entry.attempted = false
  }
}

/**
 * The addresses that a WELCOME, REFUSE or DISCONNECT lists (GA-32): those of the neighbours added
 * least recently first, one of each before the second of any, and not the asker's own.
 */
export function referralsFor(asker: Link, neighbors: readonly Link[]): Endpoint[] {
  const chosen = new Map<string, Endpoint>()
  const others = neighbors.filter(
    (link) => link !== asker && (asker.nodeId === undefined || link.nodeId !== asker.nodeId),
  )
  for (let round = 0; others.some((link) => round < link.addresses.length); round++) {
    for (const { addresses } of others) {
      const address = addresses[round]
      if (address === undefined) continue
      if (chosen.size === LIMITS.graphReferralsReturned) return [...chosen.values()]
      chosen.set(endpointKey(address), address)
    }
  }
  return [...chosen.values()]
}
