import { earlier, NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import { below, unit, type Rng } from '../core/rng.js'
import type { IndexRange } from './retrieval.js'
import { SwarmCrowd, type PeerFacts, type SwarmSegment } from './swarm-crowd.js'
import { SwarmLists, type SwarmAction } from './swarm-lists.js'
import { OriginPace, type OriginOutcome } from './swarm-origin.js'
import { hashOf, isShareOf } from './swarm-share.js'
import { HAS, type PeerFailure, type SwarmPeer } from './swarm-peer.js'

export interface SwarmOptions {
  /** Bytes of each wanted block, in the order of the content. */
  readonly lengths: readonly number[]
  readonly segments: readonly SwarmSegment[]
  readonly rng: Rng
  /** What other peers know this one by: `identity` of peerFound. */
  readonly self?: string | undefined
  /** Blocks that may be there or under way before the reader has taken the first of them. */
  readonly windowBytes: number
  /** There is a cache of our own to be asked first. */
  readonly hasCache: boolean
  readonly canSearch: boolean
}

interface Ask {
  readonly peer: SwarmPeer
  readonly at: Instant
  /** The answer is here, and being checked. */
  isAnswered: boolean
}

/** States of blocks. One that waits is nobody's task. */
const FRESH = 0
const WAITING = 1
const BUSY = 2
const DONE = 3

/**
 * Who is asked for what while content is downloaded, as a machine without I/O. Blocks come from
 * peers where any has them. The rest is shared out: of the peers known to download the same, the
 * one whose name hashes highest with a few blocks fetches those from the origin, and the others
 * learn by block lists that it has them; whoever waits too long fetches a block that is another's.
 * Nothing of that is on the wire but messages of MS-PCCRR and MS-PCCRD.
 *
 * After each handler the driver polls `pollAction` until empty, and sleeps until `pollTimeout()`.
 */
export class Swarm {
  readonly #options: SwarmOptions
  readonly #crowd: SwarmCrowd
  readonly #lists: SwarmLists
  readonly #origin = new OriginPace()
  readonly #state: Uint8Array
  readonly #asks = new Map<number, Ask[]>()
  /** Blocks of ranges under way, with the first block of their range. */
  readonly #atOrigin = new Map<number, number>()
  readonly #actions = new Queue<SwarmAction>()
  /** So that of many peers each asks for another block first. */
  readonly #mask: number
  readonly #startedAt: Instant
  #left: number
  /** First block that the reader has not taken, and the end of its window. */
  #head = 0
  #end = 0
  #windowBytes = 0
  /** No block before it waits. */
  #low = 0
  #looked = 0
  /** How long the origin waits for the first search. */
  readonly #holdUntil: Instant
  #isSearching = false
  #searchAt: Instant
  #searchedAt: Instant = 0
  #searchUs = LIMITS.swarmSearchFirstUs
  #noticedAt: Instant = -Infinity
  /** From when on a block that is another's to fetch is anybody's; 0: not open so far. */
  readonly #anyonesAt: Float64Array
  readonly #self: number
  #isDirty = true
  #wake: Instant = 0

  constructor(now: Instant, options: SwarmOptions) {
    const { canSearch, hasCache, lengths, rng, segments } = options
    this.#options = options
    this.#crowd = new SwarmCrowd(segments, lengths.length)
    this.#lists = new SwarmLists(this.#crowd)
    this.#state = new Uint8Array(lengths.length).fill(hasCache ? FRESH : WAITING)
    this.#left = lengths.length
    this.#mask = below(rng, 32)
    this.#self = options.self === undefined ? rng.uint32() : hashOf(options.self)
    this.#anyonesAt = new Float64Array(lengths.length)
    this.#startedAt = now
    this.#searchAt = canSearch ? now : NEVER
    this.#holdUntil = canSearch ? now + LIMITS.swarmHoldUs : now
    this.consumed(0)
  }

  /** Neither a peer nor the origin is being asked for a block. */
  get isIdle(): boolean {
    return this.#asks.size === 0 && this.#atOrigin.size === 0 && this.#lists.count === 0
  }

  /** The origin failed several times in a row, or for good. */
  get isOriginLost(): boolean {
    return this.#origin.isLost
  }

  /** All blocks are there, whether the reader has taken them or not. */
  get isComplete(): boolean {
    return this.#left === 0
  }

  hasPeer(name: string): boolean {
    return this.#crowd.get(name) !== undefined
  }

  /** A peer was found; `segments`: those that it says it has some of, where it told. */
  peerFound(
    now: Instant,
    name: string,
    segments: readonly number[] = [],
    { identity = name, relays = false }: PeerFacts = {},
  ): void {
    const peer = this.#crowd.enter(now, name)
    if (peer === undefined) return
    peer.identity = hashOf(identity)
    peer.relays = relays
    for (const segment of segments) {
      const { count, first } = this.#crowd.segment(segment)
      if (count === 1) this.#crowd.has(now, peer, first)
    }
    this.#isDirty = true
  }

  /** A peer that answered does not have a segment of one block. */
  lacks(now: Instant, name: string, segment: number): void {
    const peer = this.#crowd.get(name)
    const { count, first } = this.#crowd.segment(segment)
    if (peer !== undefined && count === 1) this.#crowd.lacks(now, peer, first)
  }

  searchEnded(now: Instant): void {
    this.#isSearching = false
    this.#searchAt = now + Math.round(this.#searchUs * (0.75 + unit(this.#options.rng) / 2))
    this.#searchUs = Math.min(LIMITS.swarmSearchLastUs, this.#searchUs * 2)
    this.#isDirty = true
  }

  /** Somebody asked us for blocks of this content: who does that downloads it, too. */
  noticed(now: Instant): void {
    this.#noticedAt = now
    const soon = Math.max(now, this.#searchedAt + LIMITS.swarmFirstListUs)
    if (this.#isSearching || soon >= this.#searchAt || this.#searchAt === NEVER) return
    this.#searchAt = soon
    this.#isDirty = true
  }

  /** What a look-up found. */
  lookedUp(block: number, isThere: boolean): void {
    if (isThere) this.#done(block)
    else this.#wait(block)
  }

  /** A peer's block list, ranges of block numbers in the segment; or why there is none. */
  listed(
    now: Instant,
    name: string,
    segment: number,
    answer: readonly IndexRange[] | PeerFailure,
  ): void {
    this.#isDirty = true
    this.#lists.answered(name, segment)
    const peer = this.#crowd.get(name)
    const holding = peer?.holdings.get(segment)
    if (peer === undefined || holding === undefined) return
    holding.isAnswered = true
    holding.isAsking = false
    if (typeof answer === 'string') {
      holding.rest(now, false)
      this.#failed(now, peer, answer)
      return
    }
    const before = holding.count
    this.#crowd.listed(now, peer, segment, answer)
    holding.rest(now, holding.count > before)
  }

  /** An answer came and is yet to be checked: meanwhile the peer can be asked for more. */
  answered(name: string, block: number): void {
    const ask = this.#asks.get(block)?.find(({ peer }) => peer.name === name)
    if (ask === undefined || ask.isAnswered) return
    ask.isAnswered = true
    ask.peer.inFlight -= 1
    this.#isDirty = true
  }

  /** A block came from a peer and is verified. */
  gave(now: Instant, name: string, block: number): void {
    const ask = this.#takeAsk(name, block)
    if (ask !== undefined) {
      ask.peer.gave(now, now - ask.at)
      this.#crowd.has(now, ask.peer, block)
      this.#crowd.judge(ask.peer)
    }
    this.#done(block)
  }

  /** A peer did not give a block, and why. */
  refused(now: Instant, name: string, block: number, failure: PeerFailure): void {
    const ask = this.#takeAsk(name, block)
    this.#waitIfIdle(block)
    if (ask === undefined) return
    const { peer } = ask
    if (failure !== 'absent') {
      this.#failed(now, peer, failure)
      return
    }
    if (this.#crowd.knows(peer, block) === HAS) peer.brokePromise(now)
    else peer.missed(now)
    this.#crowd.lacks(now, peer, block)
    this.#crowd.judge(peer)
  }

  /** A block of a range came from the origin and is verified. */
  originGave(block: number): void {
    this.#origin.gave(this.#atOrigin.get(block), this.#options.lengths[block] as number)
    this.#atOrigin.delete(block)
    this.#done(block)
  }

  /** The range is over; what did not come waits again. `changed`: the origin is asked no more. */
  originEnded(now: Instant, first: number, outcome: OriginOutcome): void {
    this.#origin.ended(now, first, outcome)
    for (const [block, run] of this.#atOrigin) {
      if (run !== first) continue
      this.#atOrigin.delete(block)
      this.#waitIfIdle(block)
    }
    this.#isDirty = true
  }

  /** The reader has taken all blocks before this one. */
  consumed(head: number): void {
    const { lengths, windowBytes } = this.#options
    for (; this.#head < head; this.#head++) {
      this.#windowBytes -= lengths[this.#head] as number
    }
    for (; this.#end < lengths.length; this.#end++) {
      const length = lengths[this.#end] as number
      if (this.#end > head && this.#windowBytes + length > windowBytes) break
      this.#windowBytes += length
    }
    this.#isDirty = true
  }

  pollAction(now: Instant): SwarmAction | undefined {
    if (this.#actions.length === 0 && (this.#isDirty || now >= this.#wake)) this.#plan(now)
    return this.#actions.shift()
  }

  pollTimeout(): Instant {
    return this.#isDirty || this.#actions.length > 0 ? 0 : this.#wake
  }

  #failed(now: Instant, peer: SwarmPeer, failure: PeerFailure): void {
    if (failure === 'aborted') return
    peer.failed(now, failure)
    this.#crowd.judge(peer)
  }

  #takeAsk(name: string, block: number): Ask | undefined {
    const asks = this.#asks.get(block)
    const at = asks?.findIndex(({ peer }) => peer.name === name) ?? -1
    if (asks === undefined || at < 0) return undefined
    const [ask] = asks.splice(at, 1)
    if (asks.length === 0) this.#asks.delete(block)
    if (ask?.isAnswered === false) ask.peer.inFlight -= 1
    return ask
  }

  #done(block: number): void {
    this.#isDirty = true
    if (this.#state[block] === DONE) return
    this.#state[block] = DONE
    this.#left -= 1
  }

  #wait(block: number): void {
    if (this.#state[block] === DONE) return
    this.#anyonesAt[block] = 0
    this.#state[block] = WAITING
    if (block < this.#low) this.#low = block
    this.#isDirty = true
  }

  #waitIfIdle(block: number): void {
    if (!this.#asks.has(block) && !this.#atOrigin.has(block)) this.#wait(block)
  }

  #plan(now: Instant): void {
    this.#isDirty = false
    this.#wake = NEVER
    if (this.#left === 0) return
    // What peers lack they may have soon; what is quiet may be over.
    this.#wakeAt(now + LIMITS.swarmTickUs)
    this.#lookUp()
    while (this.#low < this.#end && (this.#state[this.#low] as number) >= BUSY) this.#low += 1
    this.#searchWhenDue(now)
    if (this.#low < this.#end) {
      const [from, to] = [this.#crowd.segmentOf(this.#low), this.#crowd.segmentOf(this.#end - 1)]
      this.#wakeAt(this.#lists.ask(now, from, to, this.#actions))
    }
    this.#askPeers(now)
    this.#askLate(now)
    this.#askOrigin(now)
  }

  #wakeAt(at: Instant): void {
    this.#wake = earlier(this.#wake, at)
  }

  #lookUp(): void {
    for (; this.#looked < this.#end; this.#looked++) {
      if (this.#state[this.#looked] !== FRESH) continue
      this.#state[this.#looked] = BUSY
      this.#actions.push({ type: 'look-up', block: this.#looked })
    }
  }

  #searchWhenDue(now: Instant): void {
    if (this.#isSearching) return
    this.#wakeAt(this.#searchAt)
    if (now < this.#searchAt) return
    const { rng } = this.#options
    this.#isSearching = true
    this.#searchedAt = now
    this.#actions.push({ type: 'search', segments: this.#crowd.sought(this.#low, this.#end, rng) })
  }

  #askPeers(now: Instant): void {
    let free: SwarmPeer[] = []
    let isCrowd = 0
    for (const peer of this.#crowd.peers()) {
      isCrowd += 1
      if (peer.isFree(now)) free.push(peer)
      else if (peer.inFlight < peer.slots) this.#wakeAt(peer.pausedUntil)
    }
    const mask = isCrowd > 1 ? this.#mask : 0
    const base = this.#low - (this.#low % 32)
    for (let i = base; i < this.#end + 32 && free.length > 0; i++) {
      const block = base + ((i - base) ^ mask)
      const isOurs = block >= this.#low && block < this.#end
      if (!isOurs || this.#state[block] !== WAITING) continue
      if (this.#askBest(now, free, block)) free = free.filter((peer) => peer.isFree(now))
    }
  }

  /** Asks the peer that will have it first, as far as can be told. */
  #askBest(now: Instant, peers: readonly SwarmPeer[], block: number): boolean {
    let best: SwarmPeer | undefined
    let least = Infinity
    for (const peer of peers) {
      if (!this.#crowd.canTry(now, peer, block)) continue
      const chance = 1 + unit(this.#options.rng)
      const cost = (peer.inFlight + 1) * Math.max(1, peer.blockUs) * chance
      if (cost >= least) continue
      least = cost
      best = peer
    }
    if (best === undefined) return false
    best.inFlight += 1
    const ask = { peer: best, at: now, isAnswered: false }
    const asks = this.#asks.get(block)
    if (asks === undefined) this.#asks.set(block, [ask])
    else asks.push(ask)
    this.#state[block] = BUSY
    this.#actions.push({ type: 'block', peer: best.name, block })
    return true
  }

  /** Blocks that are late are asked of somebody else too, those that the reader wants soon. */
  #askLate(now: Instant): void {
    for (const [block, asks] of this.#asks) {
      const [ask] = asks
      if (asks.length !== 1 || ask === undefined || this.#state[block] === DONE) continue
      const lateAt = ask.peer.lateAt(ask.at)
      if (now < lateAt) {
        this.#wakeAt(lateAt)
        continue
      }
      if (now >= ask.peer.gaveAt + LIMITS.swarmLateMaxUs) {
        ask.peer.slots = 1
        ask.peer.blockUs = Math.max(ask.peer.blockUs, now - ask.at)
        this.#crowd.judge(ask.peer)
      }
      const others = [...this.#crowd.peers()].filter((one) => one !== ask.peer && one.isFree(now))
      this.#askBest(now, others, block)
    }
  }

  #askOrigin(now: Instant): void {
    const others = this.#crowd.others(now)
    const isNoticed = now - this.#noticedAt < LIMITS.swarmNoticeUs
    const count = Math.max(others.length, isNoticed ? 1 : 0)
    for (;;) {
      const mayAt = this.#origin.mayAskAt(count)
      if (mayAt === NEVER) return
      const searchedAt = this.#isSearching ? this.#holdUntil : 0
      const listedAt = this.#lists.holdUntil
      const due = Math.max(mayAt, searchedAt, listedAt)
      if (now < due) {
        this.#wakeAt(due)
        return
      }
      const open = this.#open(now)
      const ours = others.length === 0 ? open : this.#ours(now, open, others)
      if (ours.length === 0) return
      const start = others.length === 0 ? this.#startAlone(now, ours, count) : 0
      this.#askRange(now, ours, start, count)
    }
  }

  /** Of open blocks those that are ours to fetch; when there is none, one that waited too long. */
  #ours(now: Instant, open: readonly number[], others: readonly SwarmPeer[]): number[] {
    const ours = open.filter((block) => isShareOf(this.#self, block, others))
    if (ours.length > 0) return ours
    const { rng } = this.#options
    const late: number[] = []
    for (const block of open) {
      const at = this.#anyonesAt[block] as number
      if (at === 0) {
        // Until then the lists of all are here anew.
        const lists = others.length * LIMITS.swarmListPauseUs * 2
        const patience = Math.max(LIMITS.swarmPatienceUs, this.#origin.runUs * 4, lists)
        const spread = 1 + unit(rng) * (1 + others.length / 4)
        this.#anyonesAt[block] = now + Math.min(LIMITS.swarmPatienceMaxUs, patience * spread)
        this.#wakeAt(this.#anyonesAt[block])
      } else if (now >= at) late.push(block)
      else this.#wakeAt(at)
    }
    return late.length === 0 ? [] : [late[below(rng, late.length)] as number]
  }

  /** Blocks that nobody known has, or has in good time. */
  #open(now: Instant): number[] {
    const open: number[] = []
    for (let block = this.#low; block < this.#end; block++) {
      const state = this.#state[block]
      if (state === WAITING && !this.#isHoped(now, block)) open.push(block)
      else if (state === BUSY && this.#isLate(now, block)) open.push(block)
    }
    return open
  }

  #isHoped(now: Instant, block: number): boolean {
    if (this.#crowd.isHeld(block)) return true
    if (this.#crowd.isListed(this.#crowd.segmentOf(block))) return false
    for (const peer of this.#crowd.peers()) {
      const isTried = now >= peer.pausedUntil && !peer.isDoubted
      if (isTried && this.#crowd.canTry(now, peer, block)) return true
    }
    return false
  }

  #isLate(now: Instant, block: number): boolean {
    const asks = this.#asks.get(block)
    if (asks === undefined || this.#atOrigin.has(block)) return false
    return asks.every(({ at, peer }) => now >= Math.max(at, peer.gaveAt) + LIMITS.swarmLateMaxUs)
  }

  #askRange(now: Instant, open: readonly number[], start: number, others: number): void {
    const { lengths } = this.#options
    let at = start
    const first = open[at] as number
    let bytes = 0
    let count = 0
    const most = this.#origin.runBytes(others)
    while (open[at] === first + count) {
      const length = lengths[first + count] as number
      if (count > 0 && bytes + length > most) break
      this.#state[first + count] = BUSY
      this.#atOrigin.set(first + count, first)
      bytes += length
      count += 1
      at += 1
    }
    this.#origin.started(now, first)
    this.#actions.push({ type: 'origin', first, count })
  }

  /** In order; anywhere while others may be about of whom nothing is known yet. */
  #startAlone(now: Instant, open: readonly number[], others: number): number {
    const isYoung = now - this.#startedAt < LIMITS.swarmYoungUs && !this.#origin.isFast
    const mayMeet = isYoung && this.#searchAt !== NEVER && this.#origin.runs > 0
    return mayMeet || others > 0 ? below(this.#options.rng, open.length) : 0
  }
}
