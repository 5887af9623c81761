import type { ContentInfo, ContentSegment } from '../../content/content-info.js'
import type { IndexRange } from '../../content/retrieval.js'
import { toHex } from '../../core/bytes.js'
import { LIMITS } from '../../core/limits.js'
import { DownloadPeers, type Peer, type PeerOffer, type WantedSegment } from './download-peers.js'
import type { PeerFailure } from './retrieval-client.js'

/** One try at a block that failed, and why. */
export interface Attempt {
  /** `host:port`, or 'origin'. */
  readonly from: string
  readonly failure: PeerFailure | 'changed'
}

/** A block of the content that is wanted. */
export interface WantedBlock {
  readonly segment: ContentSegment
  /** The segment's ID, in hex. */
  readonly key: string
  readonly block: number
  /** Place of its first byte in the content. */
  readonly offset: number
  readonly length: number
  /** What of it belongs to the range asked for. */
  readonly from: number
  readonly to: number
  state: 'waiting' | 'busy' | 'done'
  /** The cache turned out not to have it. */
  isMissed: boolean
  /** Peers that cannot give it; made when there is one. */
  failedPeers: Set<string> | undefined
  attempts: Attempt[]
}

/** What is to be done now. Each ends with a report to the plan: see there. */
export type Step =
  /** Ask the cache which blocks of the segment it has: `cached`. */
  | { readonly kind: 'look-up'; readonly segment: ContentSegment }
  /** Read a block from the cache: `obtained` or `missed`. */
  | { readonly kind: 'read'; readonly block: WantedBlock }
  /** Ask a peer for a block list: `answered`, then `listed`. */
  | {
      readonly kind: 'list'
      readonly peer: string
      readonly segment: ContentSegment
      readonly range: IndexRange
    }
  /** Ask a peer for a block: `answered`, then `obtained` or `refused`. */
  | { readonly kind: 'block'; readonly peer: string; readonly block: WantedBlock }
  /** Ask the origin for blocks that follow each other: `obtained` for some, then `ranged`. */
  | { readonly kind: 'range'; readonly blocks: readonly WantedBlock[] }

/**
 * What comes after the steps: `wait` for reports, `ask-again` after a while (fetchAskAgainMs), or
 * nobody will give the rest.
 */
export type Outlook = 'wait' | 'ask-again' | 'lost' | 'changed'

type Range = { index: number; count: number }

const includes = (ranges: readonly IndexRange[], block: number): boolean =>
  ranges.some(({ index, count }) => block >= index && block < index + count)

/**
 * Decides whom a download asks for what. Knows nothing of sockets, files and clocks: `next` tells
 * the steps to take, and the reports tell the plan what came of them.
 */
export class BlockPlan {
  /** The blocks that the range of the content information touches, in order. */
  readonly blocks: readonly WantedBlock[]
  /** The first round of a search is not over: the origin waits for it. */
  isSearching = false
  /** Others may still be found. */
  isLooking = false
  readonly #hasCache: boolean
  readonly #peers = new DownloadPeers()
  readonly #ranges = new Map<ContentSegment, Range>()
  /** What the cache has, by segment. */
  readonly #cached = new Map<ContentSegment, readonly IndexRange[] | 'asking'>()
  #head = 0
  #end = 0
  #underWay = 0
  #originRequests = 0
  #isOriginDown = false
  #isOriginChanged = false
  #lastGainMs: number

  constructor(info: ContentInfo, options: { readonly hasCache: boolean; readonly nowMs: number }) {
    const end = info.range.start + info.range.length
    this.#hasCache = options.hasCache
    this.#lastGainMs = options.nowMs
    const blocks: WantedBlock[] = []
    for (const segment of info.segments) {
      const key = toHex(segment.id)
      for (let block = 0; block < segment.blockCount; block++) {
        const offset = segment.offset + block * segment.blockBytes
        const length = segment.blockLength(block)
        const from = Math.max(0, info.range.start - offset)
        const to = Math.min(length, end - offset)
        if (from >= to) continue
        const place = { segment, key, block, offset, length, from, to }
        const state = { state: 'waiting', isMissed: false, failedPeers: undefined } as const
        blocks.push({ ...place, ...state, attempts: [] })
        const range = this.#ranges.get(segment)
        if (range === undefined) this.#ranges.set(segment, { index: block, count: 1 })
        else range.count = block - range.index + 1
      }
    }
    this.blocks = blocks
  }

  /** A peer, or what is new about it: what it lacked before, it may have now. */
  addPeer(offer: string | PeerOffer): void {
    const found = this.#peers.add(offer)
    if (found === undefined || found.news.length === 0) return
    const keys = new Set(found.news)
    const end = this.#windowEnd()
    for (let i = this.#head; i < end; i++) {
      const { key, failedPeers } = this.blocks[i] as WantedBlock
      if (keys.has(key)) failedPeers?.delete(found.peer.name)
    }
  }

  /** All were asked for these segments: see DownloadPeers. */
  roundOver(asked: readonly Uint8Array[]): void {
    this.#peers.roundOver(asked.map(toHex))
    this.isSearching = false
  }

  /** The first segments of which something is still to be got, at most so many. */
  wanted(most: number): WantedSegment[] {
    const found: WantedSegment[] = []
    let last: ContentSegment | undefined
    for (let i = this.#head; i < this.blocks.length && found.length < most; i++) {
      const { segment, key, state } = this.blocks[i] as WantedBlock
      if (state === 'done' || last === segment) continue
      last = segment
      const { id, blockCount } = segment
      found.push({ id, blocks: blockCount, peers: this.#peers.claiming(key) })
    }
    return found
  }

  /** Gives everybody something to do. */
  next(nowMs: number): { readonly steps: readonly Step[]; readonly then: Outlook } {
    const steps: Step[] = []
    const forOrigin: WantedBlock[] = []
    const end = this.#windowEnd()
    for (let i = this.#head; i < end; i++) {
      const one = this.blocks[i] as WantedBlock
      if (one.state !== 'waiting' || this.#lookUp(one, steps)) continue
      if (!this.#askPeer(one, steps)) forOrigin.push(one)
    }
    if (forOrigin.length === 0) return { steps, then: 'wait' }
    if (this.#isOriginDown || this.#isOriginChanged) {
      return { steps, then: this.#outlook(nowMs) }
    }
    this.#askOrigin(forOrigin, steps)
    return { steps, then: 'wait' }
  }

  // --- reports -------------------------------------------------------------------------------

  /** The cache has these blocks of the segment. */
  cached(segment: ContentSegment, ranges: readonly IndexRange[]): void {
    this.#underWay -= 1
    this.#cached.set(segment, ranges)
  }

  /** The block is there, verified. */
  obtained(one: WantedBlock, nowMs: number): void {
    if (one.state === 'busy') this.#underWay -= 1
    one.state = 'done'
    this.#lastGainMs = nowMs
  }

  /** The reader has taken the next block. A slow reader is no stalled download. */
  taken(nowMs: number): void {
    this.#head += 1
    this.#lastGainMs = nowMs
  }

  /** The cache could not give it. */
  missed(one: WantedBlock): void {
    one.isMissed = true
    this.#putBack(one)
  }

  /** The peer's answer is here, good or bad: it can be asked for something else. */
  answered(name: string): void {
    const peer = this.#peers.get(name)
    if (peer !== undefined) peer.inFlight -= 1
  }

  listed(name: string, segment: ContentSegment, list: readonly IndexRange[] | PeerFailure): void {
    const peer = this.#peers.get(name)
    if (peer === undefined) return
    peer.lists.set(toHex(segment.id), typeof list === 'string' ? [] : list)
    if (typeof list === 'string') this.#blame(peer, list)
  }

  /** The peer gave no block, or a wrong one. */
  refused(name: string, one: WantedBlock, failure: PeerFailure): void {
    this.#putBack(one)
    one.failedPeers ??= new Set()
    one.failedPeers.add(name)
    note(one, { from: name, failure })
    const peer = this.#peers.get(name)
    if (peer !== undefined) this.#blame(peer, failure)
  }

  /** The peer gave a right block. */
  praise(name: string): void {
    const peer = this.#peers.get(name)
    if (peer !== undefined) peer.failures = 0
  }

  /** A request to the origin is over; blocks of it that were not obtained wait again. */
  ranged(blocks: readonly WantedBlock[], outcome: 'served' | 'gone' | 'changed'): void {
    this.#originRequests -= 1
    if (outcome === 'changed') this.#isOriginChanged = true
    if (outcome === 'gone') this.#isOriginDown = true
    for (const one of blocks) {
      if (one.state !== 'busy') continue
      this.#putBack(one)
      note(one, { from: 'origin', failure: this.#isOriginChanged ? 'changed' : 'unreachable' })
    }
  }

  /** After 'ask-again': peers may have more by now, and the origin may be back. */
  askAgain(): void {
    this.#isOriginDown = false
    for (const { claims, lists } of this.#peers) {
      claims.clear()
      for (const [key, list] of lists) if (list !== 'asking') lists.delete(key)
    }
    for (const one of this.blocks.slice(this.#head, this.#windowEnd())) {
      one.failedPeers = undefined
    }
  }

  // --- decisions -----------------------------------------------------------------------------

  /** Blocks that may be under way or wait for the reader end here: so many bytes from the head. */
  #windowEnd(): number {
    const { blocks } = this
    const limit = (blocks[this.#head]?.offset ?? 0) + LIMITS.fetchWindowBytes
    this.#end = Math.max(this.#end, this.#head + 1)
    for (; this.#end < blocks.length; this.#end++) {
      const { offset, length } = blocks[this.#end] as WantedBlock
      if (offset + length > limit) break
    }
    return Math.min(this.#end, blocks.length)
  }

  /** True while the cache may still give the block. */
  #lookUp(one: WantedBlock, steps: Step[]): boolean {
    if (!this.#hasCache || one.isMissed) return false
    const { segment } = one
    const found = this.#cached.get(segment)
    if (found === 'asking') return true
    if (found === undefined) {
      this.#cached.set(segment, 'asking')
      this.#underWay += 1
      steps.push({ kind: 'look-up', segment })
      return true
    }
    if (!includes(found, one.block)) return false
    this.#begin(one)
    steps.push({ kind: 'read', block: one })
    return true
  }

  /** False when no peer will have the block, as far as is known. */
  #askPeer(one: WantedBlock, steps: Step[]): boolean {
    if (one.block >= one.segment.listedBlocks) return false
    let isHoped = this.isSearching
    let best: Peer | undefined
    for (const peer of this.#peers) {
      if (one.failedPeers?.has(peer.name) === true) continue
      const known = this.#known(peer, one, steps)
      if (known === false) continue
      isHoped = true
      if (known === undefined || peer.inFlight >= LIMITS.retrievalPerPeer) continue
      if (best === undefined || peer.inFlight < best.inFlight) best = peer
    }
    if (best === undefined) return isHoped
    best.inFlight += 1
    this.#begin(one)
    steps.push({ kind: 'block', peer: best.name, block: one })
    return true
  }

  /** Whether the peer has the block; undefined while it is being asked. */
  #known(peer: Peer, { segment, key, block }: WantedBlock, steps: Step[]): boolean | undefined {
    if (peer.claims.get(key) === 0) return false
    const range = this.#ranges.get(segment) as IndexRange
    // R 3.1.4.3: so many consecutive blocks are worth a list.
    if (range.count < LIMITS.retrievalListedBlocks) return true
    const list = peer.lists.get(key)
    if (list === 'asking') return undefined
    if (list !== undefined) return includes(list, block)
    peer.lists.set(key, 'asking')
    peer.inFlight += 1
    steps.push({ kind: 'list', peer: peer.name, segment, range })
    return undefined
  }

  #askOrigin(blocks: readonly WantedBlock[], steps: Step[]): void {
    let at = 0
    while (this.#originRequests < LIMITS.fetchOriginRequests && at < blocks.length) {
      const run: WantedBlock[] = []
      let bytes = 0
      for (; at < blocks.length && bytes < LIMITS.fetchOriginBytes; at++) {
        const one = blocks[at] as WantedBlock
        const last = run.at(-1)
        if (last !== undefined && one.offset !== last.offset + last.length) break
        bytes += one.length
        this.#begin(one)
        run.push(one)
      }
      this.#originRequests += 1
      steps.push({ kind: 'range', blocks: run })
    }
  }

  /** The origin gives nothing: is there hope in peers? */
  #outlook(nowMs: number): Outlook {
    const isOver = nowMs - this.#lastGainMs > LIMITS.fetchStallMs
    if ((this.#peers.size > 0 || this.isLooking) && !isOver) return 'ask-again'
    if (this.#underWay > 0 && !isOver) return 'wait'
    return this.#isOriginChanged ? 'changed' : 'lost'
  }

  /** A peer that lies is asked no more; others may fail a few times. */
  #blame(peer: Peer, failure: PeerFailure): void {
    if (failure === 'aborted' || failure === 'absent') return
    peer.failures += 1
    const isWrong = failure === 'wrong-hash' && !peer.relays
    const isLie = isWrong || failure === 'version' || failure === 'unsolicited'
    if (isLie || peer.failures >= LIMITS.fetchPeerFailures) this.#peers.drop(peer)
  }

  #begin(one: WantedBlock): void {
    one.state = 'busy'
    this.#underWay += 1
  }

  #putBack(one: WantedBlock): void {
    one.state = 'waiting'
    this.#underWay -= 1
  }
}

/** Of a block that everybody refuses for long only the last failures are kept. */
function note(one: WantedBlock, attempt: Attempt): void {
  one.attempts.push(attempt)
  if (one.attempts.length > LIMITS.fetchPeers) one.attempts.shift()
}
