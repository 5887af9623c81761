import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { below, type Rng } from '../core/rng.js'
import type { IndexRange } from './retrieval.js'
import { HAS, LACKS, SwarmPeer, UNKNOWN, type Holding } from './swarm-peer.js'

/** The wanted blocks of one segment; they stand side by side. */
export interface SwarmSegment {
  /** Number of its first wanted block in the segment, and among all wanted blocks. */
  readonly block: number
  readonly first: number
  readonly count: number
}

/** What else is known of a peer. */
export interface PeerFacts {
  /** What all peers know it by, whatever its addresses. Default: its name. */
  readonly identity?: string | undefined
  /** It gives away what it cannot verify (DA-27): a wrong block is no lie of its own. */
  readonly relays?: boolean
}

/** The peers of one download, and who has which block as far as is known. */
export class SwarmCrowd {
  readonly segments: readonly SwarmSegment[]
  readonly #segmentOf: Uint32Array
  /** How many peers worth waiting for are known to have a block. */
  readonly #holders: Uint16Array
  readonly #peers = new Map<string, SwarmPeer>()
  readonly #struck = new Set<string>()

  constructor(segments: readonly SwarmSegment[], blocks: number) {
    this.segments = segments
    this.#holders = new Uint16Array(blocks)
    this.#segmentOf = new Uint32Array(blocks)
    for (const [number, { count, first }] of segments.entries()) {
      this.#segmentOf.fill(number, first, first + count)
    }
  }

  get size(): number {
    return this.#peers.size
  }

  get(name: string): SwarmPeer | undefined {
    return this.#peers.get(name)
  }

  peers(): Iterable<SwarmPeer> {
    return this.#peers.values()
  }

  segmentOf(block: number): number {
    return this.#segmentOf[block] as number
  }

  segment(number: number): SwarmSegment {
    return this.segments[number] as SwarmSegment
  }

  /** R 3.1.4.3: whether so many blocks are wanted that a block list is asked for first. */
  isListed(segment: number): boolean {
    return this.segment(segment).count >= LIMITS.retrievalListedBlocks
  }

  /** The segments to look for peers by, from a block on; of many up to `end` every so many. */
  sought(from: number, end: number, rng: Rng): number[] {
    const next: number[] = []
    for (let block = from; block < this.#segmentOf.length;) {
      if (next.length >= LIMITS.swarmSearchSegments && block >= end) break
      const number = this.segmentOf(block)
      next.push(number)
      const { count, first } = this.segment(number)
      block = first + count
    }
    const step = Math.max(1, Math.ceil(next.length / LIMITS.swarmSearchSegments))
    const offset = below(rng, step)
    return next.filter((_, i) => i % step === offset)
  }

  /** Undefined for one that was struck out, and when there are enough. */
  enter(now: Instant, name: string): SwarmPeer | undefined {
    const known = this.#peers.get(name)
    if (known !== undefined) return known
    if (this.#struck.has(name) || this.#peers.size >= LIMITS.swarmPeers) return undefined
    const peer = new SwarmPeer(name, now)
    this.#peers.set(name, peer)
    return peer
  }

  holding(peer: SwarmPeer, segment: number): Holding {
    return peer.holding(segment, this.segment(segment).count)
  }

  /** Does anybody have it who is worth waiting for? */
  isHeld(block: number): boolean {
    return (this.#holders[block] as number) > 0
  }

  knows(peer: SwarmPeer, block: number): number {
    const segment = this.segmentOf(block)
    const holding = peer.holdings.get(segment)
    return holding?.blocks[block - this.segment(segment).first] ?? UNKNOWN
  }

  /** May this peer be asked for the block: it has it, or nobody knows and a try costs little? */
  canTry(now: Instant, peer: SwarmPeer, block: number): boolean {
    const known = this.knows(peer, block)
    if (known === HAS) return true
    const segment = this.segmentOf(block)
    if (this.isListed(segment) || now < peer.quietUntil) return false
    return known === UNKNOWN || now >= this.holding(peer, segment).nextAt
  }

  /** A peer's answer to a question for its blocks: ranges of numbers in the segment. */
  listed(now: Instant, peer: SwarmPeer, segment: number, ranges: readonly IndexRange[]): void {
    const { block, count, first } = this.segment(segment)
    const has = new Uint8Array(count).fill(LACKS)
    for (const { index, count: length } of ranges) {
      const from = Math.max(0, index - block)
      if (from < count) has.fill(HAS, from, Math.max(from, index - block + length))
    }
    for (let i = 0; i < count; i++) this.#set(now, peer, first + i, has[i] as number)
  }

  /** The peer showed, or said, that it has the block. */
  has(now: Instant, peer: SwarmPeer, block: number): void {
    this.#set(now, peer, block, HAS)
  }

  lacks(now: Instant, peer: SwarmPeer, block: number): void {
    this.#set(now, peer, block, LACKS)
    this.holding(peer, this.segmentOf(block)).rest(now, false)
  }

  /** Judges a peer anew after something happened that changes what is to be hoped of it. */
  judge(peer: SwarmPeer): void {
    const { blockUs, broken, failures } = peer
    const isDoubted = blockUs > LIMITS.swarmSlowUs || failures > 0 || broken >= LIMITS.swarmMisses
    if (isDoubted !== peer.isDoubted) {
      peer.isDoubted = isDoubted
      this.#count(peer, isDoubted ? -1 : 1)
    }
    if (!peer.isStruck) return
    this.#peers.delete(peer.name)
    if (!peer.isDoubted) this.#count(peer, -1)
    this.#struck.add(peer.name)
    if (this.#struck.size <= LIMITS.swarmStruck) return
    for (const oldest of this.#struck) {
      this.#struck.delete(oldest)
      break
    }
  }

  /** Peers that download, too: they have some of it, not all, and more and more. */
  others(now: Instant): SwarmPeer[] {
    const found: SwarmPeer[] = []
    for (const peer of this.#peers.values()) {
      const isGrowing = now < peer.growsUntil && !peer.isDoubted && !peer.relays
      if (isGrowing && peer.hasSome() && !this.isComplete(peer)) found.push(peer)
    }
    return found
  }

  isComplete(peer: SwarmPeer): boolean {
    if (peer.holdings.size < this.segments.length) return false
    for (const holding of peer.holdings.values()) if (!holding.isFull) return false
    return true
  }

  #set(now: Instant, peer: SwarmPeer, block: number, known: number): void {
    const segment = this.segmentOf(block)
    const holding = this.holding(peer, segment)
    const at = block - this.segment(segment).first
    const before = holding.blocks[at]
    if (before === known) return
    holding.blocks[at] = known
    if (before === LACKS && known === HAS) peer.growsUntil = now + LIMITS.swarmGrowthUs
    const change = (known === HAS ? 1 : 0) - (before === HAS ? 1 : 0)
    holding.count += change
    const holders = this.#holders
    if (!peer.isDoubted && !peer.isStruck) holders[block] = (holders[block] as number) + change
  }

  #count(peer: SwarmPeer, change: number): void {
    const holders = this.#holders
    for (const [segment, { blocks }] of peer.holdings) {
      const { first } = this.segment(segment)
      for (const [i, known] of blocks.entries()) {
        if (known === HAS) holders[first + i] = (holders[first + i] as number) + change
      }
    }
  }
}
