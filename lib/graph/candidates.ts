import { endpointKey, type Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { below } from '../core/rng.js'
import type { Contacts } from './contacts.js'
import type { GraphContext } from './context.js'
import type { Presence } from './presence.js'

/** A node that a connection could be opened to. */
export interface Candidate {
  /** Unknown of a referral. */
  readonly nodeId?: bigint
  readonly peerId?: string
  readonly addresses: readonly Endpoint[]
}

/**
 * Whom connection maintenance may choose: the Presence, Contact and Referral List, without this
 * node and those it has a connection with (MS-PPGRH 3.1.7.14). Who just failed has to wait.
 */
export class Candidates {
  readonly #context: GraphContext
  readonly #presence: Presence
  readonly #contacts: Contacts
  /** Endpoint → until when it is left out; the oldest first. */
  readonly #failed = new Map<string, Instant>()

  constructor(context: GraphContext, presence: Presence, contacts: Contacts) {
    this.#context = context
    this.#presence = presence
    this.#contacts = contacts
  }

  /** All of them in random order, none of them twice. */
  *inRandomOrder(): Generator<Candidate> {
    const all = this.#all()
    while (all.length > 0) {
      const index = below(this.#context.rng, all.length)
      const candidate = all[index] as Candidate
      all[index] = all[all.length - 1] as Candidate
      all.pop()
      if (this.isEligible(candidate)) yield candidate
    }
  }

  /** Neither this node nor one with a connection, nor one without an address to try. */
  isEligible(candidate: Candidate): boolean {
    const { addresses, nodeId } = candidate
    if (nodeId === this.#context.nodeId || this.addressOf(candidate) === undefined) return false
    return !this.#context.parts.links.isConnected({
      ...(nodeId === undefined ? {} : { nodeId }),
      addresses,
    })
  }

  /** The first address where a node may be, and that has not failed lately. */
  addressOf({ addresses }: Candidate): Endpoint | undefined {
    const { now } = this.#context
    return addresses.find(
      (address) =>
        (this.#failed.get(endpointKey(address)) ?? 0) <= now && this.#isPossible(address),
    )
  }

  /** Records say what they like: they must not send this node to services of its own host, say. */
  #isPossible(address: Endpoint): boolean {
    const { listening, onLoopback, properties } = this.#context
    if (address.port === 0) return false
    const kind = addressKind(address.address)
    if (kind === 'loopback' && onLoopback) return true
    return kind === properties.scope || listening.some((own) => addressKind(own.address) === kind)
  }

  failed(key: string): void {
    this.#failed.delete(key)
    this.#failed.set(key, this.#context.now + LIMITS.graphFailedUs)
    for (const [oldest, until] of this.#failed) {
      if (this.#failed.size <= LIMITS.graphFailed && until > this.#context.now) break
      this.#failed.delete(oldest)
    }
  }

  succeeded(key: string): void {
    this.#failed.delete(key)
  }

  #all(): Candidate[] {
    const { listening, nodeId, parts } = this.#context
    const byNode = new Map<bigint, Candidate>()
    const known = new Set(listening.map(endpointKey))
    for (const node of [...this.#contacts.live, ...this.#presence.live]) {
      for (const address of node.addresses) known.add(endpointKey(address))
      if (node.nodeId !== nodeId && node.addresses.length > 0) byNode.set(node.nodeId, node)
    }
    const all = [...byNode.values()]
    for (const address of parts.links.referrals) {
      if (!known.has(endpointKey(address))) all.push({ addresses: [address] })
    }
    return all
  }
}
