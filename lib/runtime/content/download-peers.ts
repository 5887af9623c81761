import type { ContentVersion } from '../../content/algorithms.js'
import { toHex } from '../../core/bytes.js'
import { LIMITS } from '../../core/limits.js'

/** A peer that may have blocks. What it says is believed as far as blocks verify. */
export interface PeerOffer {
  /** `host:port`. */
  readonly at: string
  /** The same for all addresses of one peer. */
  readonly service?: string
  /** It gives away what it cannot verify itself (DA-27): a wrong block is no lie of its own. */
  readonly relays?: boolean
  /** What it says it has. */
  readonly segments?: readonly { readonly id: Uint8Array; readonly blocks?: number | undefined }[]
}

/** A segment of which blocks are still wanted. */
export interface WantedSegment {
  readonly id: Uint8Array
  readonly blocks: number
  /** Peers that say they have some of it. */
  readonly peers: number
}

/** What a download looks for while it goes on. */
export interface PeerSearch {
  /** Version of the content information. */
  readonly version: ContentVersion
  /** Fires when nobody is wanted any more. */
  readonly signal: AbortSignal
  /** Segments still wanted, in order, at most LIMITS.fetchSearchSegments. */
  wanted(): readonly WantedSegment[]
  /** Resolves when another round is wanted; rejects when none will be. */
  again(): Promise<void>
  /**
   * All have been asked for these segments and had time to answer: those who answered without
   * naming one lack it. From the first time on the origin is asked for what nobody has.
   */
  roundOver(asked: readonly Uint8Array[]): void
}

/** Finds peers by segment IDs, and again and again while the search goes on if it likes. */
export type FindPeers = (
  segmentIds: readonly Uint8Array[],
  search: PeerSearch,
) => AsyncIterable<string | PeerOffer>

/** What a download has to know of the server that offers what it fetches. */
export interface OwnServer {
  /** What other peers know this one by: `service` of an offer. */
  readonly service: string
  /** Calls back when somebody asks for a segment; returns what ends that. */
  watch(listener: (segmentId: Uint8Array) => void): () => void
}

export interface Peer {
  readonly name: string
  readonly service: string | undefined
  readonly relays: boolean
  /** Blocks that it says it has, by segment ID; 0: it lacks the segment; absent: unknown. */
  readonly claims: Map<string, number>
}

/** The peers of one download: each once, whatever its addresses, and none that was given up. */
export class DownloadPeers {
  readonly #peers = new Map<string, Peer>()
  /** Further addresses of peers that are there already, in case the first does not work. */
  readonly #spare = new Map<string, PeerOffer>()
  readonly #dropped = new Set<string>()
  /** Who answered in this round, and what they named. */
  readonly #answered = new Map<Peer, Set<string>>()

  get size(): number {
    return this.#peers.size
  }

  get(name: string): Peer | undefined {
    return this.#peers.get(name)
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values()
  }

  /** Enters a peer, or what is new about it: then the IDs of segments that it has more of. */
  add(given: string | PeerOffer): { readonly peer: Peer; readonly news: string[] } | undefined {
    const offer = typeof given === 'string' ? { at: given } : given
    const peer = this.#peerOf(offer)
    if (peer === undefined) return undefined
    const named = this.#answered.get(peer) ?? new Set()
    this.#answered.set(peer, named)
    const news: string[] = []
    for (const { id, blocks = 1 } of offer.segments ?? []) {
      const key = toHex(id)
      named.add(key)
      if (peer.claims.get(key) === blocks) continue
      if (peer.claims.size >= LIMITS.fetchClaims && !peer.claims.has(key)) continue
      peer.claims.set(key, blocks)
      news.push(key)
    }
    return { peer, news }
  }

  /** Asks it no more; another address of the same peer may take its place. */
  drop(peer: Peer): void {
    this.#peers.delete(peer.name)
    this.#answered.delete(peer)
    if (this.#dropped.size < LIMITS.fetchDroppedPeers) this.#dropped.add(peer.name)
    for (const [at, offer] of this.#spare) {
      if (offer.service !== peer.service) continue
      this.#spare.delete(at)
      this.add(offer)
      return
    }
  }

  /** How many say they have some of a segment. */
  claiming(key: string): number {
    let count = 0
    for (const { claims } of this.#peers.values()) if ((claims.get(key) ?? 0) > 0) count += 1
    return count
  }

  /** Those who answered without naming a segment that was asked for lack it. */
  roundOver(asked: readonly string[]): void {
    for (const [{ claims }, named] of this.#answered) {
      if (named.size === 0) continue
      for (const key of asked) if (!named.has(key)) claims.set(key, 0)
    }
    this.#answered.clear()
  }

  #peerOf(offer: PeerOffer): Peer | undefined {
    const known = this.#peers.get(offer.at)
    if (known !== undefined) return known
    if (this.#dropped.has(offer.at)) return undefined
    const { at: name, service } = offer
    for (const peer of this.#peers.values()) {
      if (service === undefined || peer.service !== service) continue
      if (this.#spare.size < LIMITS.fetchPeers) this.#spare.set(name, offer)
      return peer
    }
    if (this.#peers.size >= LIMITS.fetchPeers) return undefined
    const facts = { name, service, relays: offer.relays === true }
    const peer = { ...facts, claims: new Map<string, number>() }
    this.#peers.set(name, peer)
    return peer
  }
}
