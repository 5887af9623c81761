import type { ContentInfo, ContentSegment } from '../../content/content-info.js'
import type { IndexRange } from '../../content/retrieval.js'
import type { OriginOutcome } from '../../content/swarm-origin.js'
import type { PeerFailure } from '../../content/swarm-peer.js'
import { Swarm } from '../../content/swarm.js'
import { toHex } from '../../core/bytes.js'
import type { Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import type { Rng } from '../../core/rng.js'
import { DownloadPeers, type PeerOffer, type WantedSegment } from './download-peers.js'

/** One try at a block that failed, and why. */
export interface Attempt {
  /** `host:port`, or 'origin'. */
  readonly from: string
  readonly failure: PeerFailure | 'changed'
}

/** A block of the content that is wanted. */
export interface WantedBlock {
  /** Number among all that are wanted. */
  readonly index: number
  readonly segment: ContentSegment
  readonly block: number
  /** Place of its first byte in the content. */
  readonly offset: number
  readonly length: number
  /** What of it belongs to the range asked for. */
  readonly from: number
  readonly to: number
  isDone: boolean
  readonly attempts: Attempt[]
}

/** What is to be done now. Each ends with a report to the plan: see there. */
export type Step =
  /** Ask the cache which blocks of the segment it has: `cached`. */
  | { readonly kind: 'look-up'; readonly segment: ContentSegment }
  /** Read a block from the cache: `obtained` or `missed`. */
  | { readonly kind: 'read'; readonly block: WantedBlock }
  /** Ask a peer for a block list: `listed`. */
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
  /** Look for peers once more: `roundOver`. */
  | { readonly kind: 'search' }

/** What comes after the steps: reports are waited for, or nobody will give the rest. */
export type Outlook = 'wait' | 'lost' | 'changed'

export interface BlockPlanOptions {
  readonly hasCache: boolean
  readonly canSearch: boolean
  readonly rng: Rng
  /** `service` of this peer, as others find it. */
  readonly self: string | undefined
}

type Segment = Record<'block' | 'first' | 'count', number> & { readonly of: ContentSegment }

const includes = (ranges: readonly IndexRange[], block: number): boolean =>
  ranges.some(({ index, count }) => block >= index && block < index + count)

/**
 * What a download wants, and whom it asks for what: the planner of lib/content/swarm.ts in terms of
 * content information, own cache and addresses of peers. Knows no sockets, files and clocks: `next`
 * tells the steps to take, and the reports tell the plan what came of them.
 */
export class BlockPlan {
  /** The blocks that the range of the content information touches, in order. */
  readonly blocks: readonly WantedBlock[]
  /** Others may still be found. */
  isLooking = false
  readonly #swarm: Swarm
  readonly #peers = new DownloadPeers()
  readonly #segments: readonly Segment[]
  readonly #numbers = new Map<string, number>()
  /** What the cache has, by segment; before that is known the blocks that wait for it. */
  readonly #cached = new Map<ContentSegment, readonly IndexRange[] | WantedBlock[]>()
  readonly #asking = new Set<ContentSegment>()
  readonly #steps: Step[] = []
  #head = 0
  #reading = 0
  #isOriginChanged = false
  #gainedAt: Instant

  constructor(now: Instant, info: ContentInfo, options: BlockPlanOptions) {
    const end = info.range.start + info.range.length
    const blocks: WantedBlock[] = []
    const segments: Segment[] = []
    for (const segment of info.segments) {
      let found: Segment | undefined
      for (let block = 0; block < segment.blockCount; block++) {
        const offset = segment.offset + block * segment.blockBytes
        const length = segment.blockLength(block)
        const from = Math.max(0, info.range.start - offset)
        const to = Math.min(length, end - offset)
        if (from >= to) continue
        if (found === undefined) {
          found = { of: segment, block, first: blocks.length, count: 0 }
          this.#numbers.set(toHex(segment.id), segments.length)
          segments.push(found)
        }
        found.count += 1
        const place = { index: blocks.length, segment, block, offset, length }
        blocks.push({ ...place, from, to, isDone: false, attempts: [] })
      }
    }
    this.blocks = blocks
    this.#segments = segments
    this.#gainedAt = now
    const lengths = blocks.map(({ length }) => length)
    const windowBytes = LIMITS.fetchWindowBytes
    this.#swarm = new Swarm(now, { ...options, lengths, segments, windowBytes })
  }

  /** A peer, or what is new about it. */
  addPeer(now: Instant, offer: string | PeerOffer): void {
    const peer = this.#peers.add(offer)?.peer
    if (peer === undefined) return
    const segments: number[] = []
    for (const { id } of typeof offer === 'string' ? [] : (offer.segments ?? [])) {
      const number = this.#numbers.get(toHex(id))
      if (number !== undefined) segments.push(number)
    }
    const { name, relays, service: identity } = peer
    this.#swarm.peerFound(now, name, segments, { identity, relays })
  }

  /** All were asked for these segments: see DownloadPeers. */
  roundOver(now: Instant, asked: readonly Uint8Array[]): void {
    const keys = asked.map(toHex)
    this.#peers.roundOver(keys)
    for (const { claims, name } of this.#peers) {
      for (const key of keys) {
        const number = this.#numbers.get(key)
        if (number !== undefined && claims.get(key) === 0) this.#swarm.lacks(now, name, number)
      }
    }
    this.#swarm.searchEnded(now)
  }

  /** Somebody asked this peer for a segment: who does that downloads it, too. */
  noticed(now: Instant, segmentId: Uint8Array): void {
    if (this.#numbers.has(toHex(segmentId))) this.#swarm.noticed(now)
  }

  /** The first segments of which something is still to be got, at most so many. */
  wanted(most: number): WantedSegment[] {
    const found: WantedSegment[] = []
    for (const { of, first, count } of this.#segments) {
      if (found.length >= most) break
      if (first + count <= this.#head) continue
      const isOpen = this.blocks.slice(first, first + count).some(({ isDone }) => !isDone)
      const peers = this.#peers.claiming(toHex(of.id))
      if (isOpen) found.push({ id: of.id, blocks: of.blockCount, peers })
    }
    return found
  }

  /** Gives everybody something to do; until `wakeAt` nothing changes without a report. */
  next(now: Instant): {
    readonly steps: readonly Step[]
    readonly then: Outlook
    readonly wakeAt: Instant
  } {
    for (;;) {
      const action = this.#swarm.pollAction(now)
      if (action === undefined) break
      switch (action.type) {
        case 'look-up':
          this.#lookUp(this.blocks[action.block] as WantedBlock)
          break
        case 'list': {
          const { block, count, of } = this.#segments[action.segment] as Segment
          const range = { index: block, count }
          this.#steps.push({ kind: 'list', peer: action.peer, segment: of, range })
          break
        }
        case 'block': {
          const block = this.blocks[action.block] as WantedBlock
          this.#steps.push({ kind: 'block', peer: action.peer, block })
          break
        }
        case 'origin': {
          const { first, count } = action
          this.#steps.push({ kind: 'range', blocks: this.blocks.slice(first, first + count) })
          break
        }
        case 'search':
          this.#steps.push({ kind: 'search' })
      }
    }
    const steps = this.#steps.splice(0)
    return { steps, then: this.#outlook(now), wakeAt: this.#swarm.pollTimeout() }
  }

  // --- reports -------------------------------------------------------------------------------

  /** The cache has these blocks of the segment. */
  cached(segment: ContentSegment, ranges: readonly IndexRange[]): void {
    const waiting = this.#cached.get(segment) as WantedBlock[]
    this.#asking.delete(segment)
    this.#cached.set(segment, ranges)
    for (const one of waiting) this.#lookUp(one)
  }

  /** The cache could not give it. */
  missed(one: WantedBlock): void {
    this.#reading -= 1
    this.#swarm.lookedUp(one.index, false)
  }

  /** The block is there, verified. False when it was there before. */
  obtained(now: Instant, one: WantedBlock, from: 'cache' | 'peer' | 'origin', peer = ''): boolean {
    this.#gainedAt = now
    if (from === 'peer') this.#swarm.gave(now, peer, one.index)
    else if (from === 'origin') this.#swarm.originGave(one.index)
    else {
      this.#reading -= 1
      this.#swarm.lookedUp(one.index, true)
    }
    if (one.isDone) return false
    one.isDone = true
    return true
  }

  /** The reader has taken the next block. A slow reader is no stalled download. */
  taken(now: Instant): void {
    this.#head += 1
    this.#gainedAt = now
    this.#swarm.consumed(this.#head)
  }

  /** The peer's answer is here, good or bad: it can be asked for something else. */
  answered(name: string, one: WantedBlock): void {
    this.#swarm.answered(name, one.index)
  }

  listed(
    now: Instant,
    name: string,
    segment: ContentSegment,
    list: readonly IndexRange[] | PeerFailure,
  ): void {
    const number = this.#numbers.get(toHex(segment.id)) as number
    this.#swarm.listed(now, name, number, list)
    this.#dropStruck(now, name)
  }

  /** The peer gave no block, or a wrong one. */
  refused(now: Instant, name: string, one: WantedBlock, failure: PeerFailure): void {
    note(one, { from: name, failure })
    this.#swarm.refused(now, name, one.index, failure)
    this.#dropStruck(now, name)
  }

  /** A request to the origin is over; blocks of it that were not obtained wait again. */
  ranged(now: Instant, blocks: readonly WantedBlock[], outcome: OriginOutcome): void {
    if (outcome === 'changed') this.#isOriginChanged = true
    for (const one of blocks) {
      if (one.isDone) continue
      note(one, { from: 'origin', failure: this.#isOriginChanged ? 'changed' : 'unreachable' })
    }
    this.#swarm.originEnded(now, blocks[0]?.index ?? 0, outcome)
  }

  // --- decisions -----------------------------------------------------------------------------

  #lookUp(one: WantedBlock): void {
    const { segment } = one
    const found = this.#cached.get(segment)
    if (this.#asking.has(segment)) (found as WantedBlock[]).push(one)
    else if (found === undefined) {
      this.#asking.add(segment)
      this.#cached.set(segment, [one])
      this.#steps.push({ kind: 'look-up', segment })
    } else if (includes(found as readonly IndexRange[], one.block)) {
      this.#reading += 1
      this.#steps.push({ kind: 'read', block: one })
    } else this.#swarm.lookedUp(one.index, false)
  }

  /** A peer that was struck out: another address of the same one may take its place. */
  #dropStruck(now: Instant, name: string): void {
    const peer = this.#peers.get(name)
    if (peer === undefined || this.#swarm.hasPeer(name)) return
    this.#peers.drop(peer)
    for (const other of this.#peers) {
      if (this.#swarm.hasPeer(other.name)) continue
      const { relays, service: identity } = other
      this.#swarm.peerFound(now, other.name, [], { identity, relays })
    }
  }

  /** Is there hope when nothing is under way? */
  #outlook(now: Instant): Outlook {
    const isOver = now - this.#gainedAt > LIMITS.fetchStallMs * 1000
    const isBusy = !this.#swarm.isIdle || this.#reading > 0 || this.#asking.size > 0
    const isHoped = !this.#swarm.isOriginLost || this.#peers.size > 0 || this.isLooking
    const isOpen = this.#swarm.isComplete || ((isBusy || isHoped) && !isOver)
    if (isOpen) return 'wait'
    return this.#isOriginChanged ? 'changed' : 'lost'
  }
}

/** Of a block that everybody refuses for long only the last failures are kept. */
function note(one: WantedBlock, attempt: Attempt): void {
  one.attempts.push(attempt)
  if (one.attempts.length > LIMITS.fetchPeers) one.attempts.shift()
}
