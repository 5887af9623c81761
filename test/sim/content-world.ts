import type { SwarmAction } from '#lib/content/swarm-lists.js'
import { Swarm } from '#lib/content/swarm.js'
import type { IndexRange } from '#lib/content/retrieval.js'
import { milliseconds, NEVER, seconds, type Instant } from '#lib/core/instant.js'
import { below, unit, type Rng } from '#lib/core/rng.js'
import { EventQueue } from '#lib/testing/event-queue.js'
import { derivedRng } from '#lib/testing/mix.js'

/** What a peer that does not play fair does. */
export type Vice = 'claims' | 'corrupts' | 'other-segments' | 'stalls' | 'lists-then-stalls'
export const VICES: readonly Vice[] = [
  'claims',
  'corrupts',
  'other-segments',
  'stalls',
  'lists-then-stalls',
]

export interface ContentWorldOptions {
  readonly seed: number
  /** When each peer begins. */
  readonly starts: readonly Instant[]
  /** Peers beyond those that download; they are there from the beginning. */
  readonly vices?: readonly Vice[]
  readonly bytes?: number
  readonly windowBytes?: number
  /** Bytes a second: of the origin's uplink; of each peer's link, each way. */
  readonly originRate?: number
  readonly peerRate?: number
  /** Version 2: segments of one block, found by discovery and by asking. */
  readonly version?: 1 | 2
  /** The origin sends nothing any more from then on. */
  readonly originLeavesAt?: Instant
  readonly canSearch?: boolean
}

const BLOCK = 65_536
const SEGMENT_BLOCKS = 512
const LAN_US = 300
const WAN_US = milliseconds(10)
const TIMEOUT_US = seconds(2)

interface Run {
  readonly peer: Downloader
  readonly first: number
  readonly count: number
  sent: number
}

/** A peer that downloads, and serves what it has. */
class Downloader {
  readonly blocks: Uint8Array
  held = 0
  head = 0
  finishedAt: Instant = NEVER
  wrong = 0
  uplinkFreeAt: Instant = 0
  downlinkFreeAt: Instant = 0
  fromPeers = 0
  fromOrigin = 0
  wakeAt: Instant = NEVER
  swarm: Swarm | undefined

  constructor(
    readonly name: string,
    readonly vice: Vice | undefined,
    count: number,
  ) {
    this.blocks = new Uint8Array(count)
  }
}

/**
 * Peers with the real planner, in virtual time: an origin whose uplink is shared by the ranges
 * asked of it, peers whose links take a block after the other, discovery that answers after the
 * backoff of MS-PCCRD. A block is a flag here: what a liar sends fails its hash.
 */
export class ContentWorld {
  readonly #options: Required<ContentWorldOptions>
  readonly #events = new EventQueue<() => void>()
  readonly #peers: Downloader[] = []
  readonly #byName = new Map<string, Downloader>()
  readonly #runs: Run[] = []
  readonly #rng: Rng
  readonly #lengths: number[]
  readonly #segments: { readonly block: number; readonly first: number; readonly count: number }[]
  #isOriginSending = false
  now: Instant = 0
  originBytes = 0
  searches = 0
  lists = 0

  constructor(options: ContentWorldOptions) {
    this.#options = {
      ...{ vices: [], bytes: 64 * 1024 * 1024, windowBytes: 8 * 1024 * 1024, version: 1 },
      ...{ originRate: 10_000_000, peerRate: 50_000_000, originLeavesAt: NEVER, canSearch: true },
      ...options,
    }
    const { bytes, seed, starts, version, vices } = this.#options
    const count = Math.ceil(bytes / BLOCK)
    this.#lengths = Array.from({ length: count }, (_, i) => Math.min(BLOCK, bytes - i * BLOCK))
    const each = version === 1 ? SEGMENT_BLOCKS : 1
    this.#segments = Array.from({ length: Math.ceil(count / each) }, (_, i) => ({
      ...{ block: 0, first: i * each, count: Math.min(each, count - i * each) },
    }))
    this.#rng = derivedRng(seed, 'content world')
    for (const [i, vice] of vices.entries()) this.#enter(new Downloader(`liar${i}`, vice, count))
    for (const [i, at] of starts.entries()) {
      const peer = new Downloader(`peer${i}`, undefined, count)
      this.#at(at, () => {
        this.#start(peer, i)
      })
    }
  }

  /** Until all have everything, or the time is up. */
  run(until: Instant): void {
    while (this.#events.next <= until) {
      this.now = this.#events.next
      this.#events.pop()()
      if (this.downloaders.length === this.#options.starts.length && this.isOver) return
    }
    this.now = until
  }

  get downloaders(): readonly Downloader[] {
    return this.#peers.filter(({ vice }) => vice === undefined)
  }

  get isOver(): boolean {
    return this.#peers.every(({ finishedAt, vice }) => vice !== undefined || finishedAt !== NEVER)
  }

  #at(at: Instant, act: () => void): void {
    this.#events.push(at, 0, 0, act)
  }

  #after(us: number, act: () => void): void {
    this.#at(this.now + Math.round(us), act)
  }

  #enter(peer: Downloader): void {
    this.#peers.push(peer)
    this.#byName.set(peer.name, peer)
  }

  #start(peer: Downloader, index: number): void {
    this.#enter(peer)
    const { canSearch, seed, windowBytes } = this.#options
    peer.swarm = new Swarm(this.now, {
      ...{ lengths: this.#lengths, segments: this.#segments, hasCache: false, canSearch },
      ...{ windowBytes, rng: derivedRng(seed, 'planner', index), self: peer.name },
    })
    this.#pump(peer)
  }

  #pump(peer: Downloader): void {
    const { swarm } = peer
    if (swarm === undefined || peer.finishedAt !== NEVER) return
    for (;;) {
      const action = swarm.pollAction(this.now)
      if (action === undefined) break
      this.#carryOut(peer, swarm, action)
    }
    const at = swarm.pollTimeout()
    if (at === NEVER || at >= peer.wakeAt) return
    peer.wakeAt = at
    this.#at(at, () => {
      if (peer.wakeAt === at) peer.wakeAt = NEVER
      this.#pump(peer)
    })
  }

  #carryOut(peer: Downloader, swarm: Swarm, action: SwarmAction): void {
    switch (action.type) {
      case 'search':
        this.#search(peer, swarm, action.segments)
        return
      case 'list':
        this.lists += 1
        this.#list(peer, swarm, action)
        return
      case 'block':
        this.#block(peer, swarm, action)
        return
      case 'origin':
        this.#after(WAN_US, () => {
          this.#runs.push({ peer, first: action.first, count: action.count, sent: 0 })
          this.#sendFromOrigin()
        })
        return
      case 'look-up':
        throw new Error('there is no cache')
    }
  }

  #search(peer: Downloader, swarm: Swarm, segments: readonly number[]): void {
    this.searches += 1
    for (const other of this.#peers) {
      if (other === peer) continue
      // As the responder draws it: 1 to 65 ms.
      this.#after(2 * LAN_US + 1000 + below(this.#rng, 64_000), () => {
        const has = segments.filter(
          (segment) => other.vice !== undefined || this.#any(other, segment),
        )
        if (has.length === 0) return
        swarm.peerFound(this.now, other.name, has)
        this.#pump(peer)
      })
    }
    this.#after(milliseconds(300), () => {
      swarm.searchEnded(this.now)
      this.#pump(peer)
    })
  }

  #any(peer: Downloader, segment: number): boolean {
    const { count, first } = this.#segments[segment] ?? { count: 0, first: 0 }
    return peer.blocks.subarray(first, first + count).includes(1)
  }

  #list(
    peer: Downloader,
    swarm: Swarm,
    { peer: name, segment }: SwarmAction & { type: 'list' },
  ): void {
    const other = this.#byName.get(name) as Downloader
    const isSilent = other.vice === 'stalls'
    this.#after(isSilent ? TIMEOUT_US : 2 * LAN_US, () => {
      other.swarm?.noticed(this.now)
      if (other.finishedAt === NEVER) this.#pump(other)
      swarm.listed(this.now, name, segment, isSilent ? 'timeout' : this.#rangesOf(other, segment))
      this.#pump(peer)
    })
  }

  #rangesOf(peer: Downloader, segment: number): IndexRange[] {
    const { count, first } = this.#segments[segment] ?? { count: 0, first: 0 }
    if (peer.vice !== undefined) return [{ index: 0, count }]
    const out: { index: number; count: number }[] = []
    for (let i = 0; i < count; i++) {
      if (peer.blocks[first + i] !== 1) continue
      const last = out.at(-1)
      if (last !== undefined && last.index + last.count === i) last.count += 1
      else out.push({ index: i, count: 1 })
    }
    return out.slice(0, 256)
  }

  #block(peer: Downloader, swarm: Swarm, { peer: name, block }: SwarmAction & { type: 'block' }) {
    const other = this.#byName.get(name) as Downloader
    this.#after(LAN_US, () => {
      const answer = this.#answer(other, block)
      const length = answer === 'block' || answer === 'wrong-hash' ? BLOCK : 100
      const us = (length * 1_000_000) / this.#options.peerRate
      other.uplinkFreeAt = Math.max(this.now, other.uplinkFreeAt) + us
      peer.downlinkFreeAt = Math.max(other.uplinkFreeAt, peer.downlinkFreeAt + us)
      const late = answer === 'timeout' ? TIMEOUT_US : peer.downlinkFreeAt - this.now + LAN_US
      // As real clients do: nobody waits longer than the request timer.
      this.#after(Math.min(late, TIMEOUT_US), () => {
        if (answer !== 'block') swarm.refused(this.now, name, block, answer)
        else if (late > TIMEOUT_US) swarm.refused(this.now, name, block, 'timeout')
        else {
          peer.fromPeers += BLOCK
          swarm.gave(this.now, name, block)
          this.#gained(peer, swarm, block)
        }
        this.#pump(peer)
      })
    })
  }

  #answer(other: Downloader, block: number) {
    switch (other.vice) {
      case undefined:
        return other.blocks[block] === 1 ? 'block' : 'absent'
      case 'claims':
        return 'absent'
      case 'corrupts':
        return 'wrong-hash'
      case 'other-segments':
        return 'unsolicited'
      case 'stalls':
      case 'lists-then-stalls':
        return 'timeout'
    }
  }

  /** A block of each range in turn: connections share an uplink about equally. */
  #sendFromOrigin(): void {
    if (this.#isOriginSending) return
    const run = this.#runs.shift()
    if (run === undefined) return
    const { peer, first } = run
    const swarm = peer.swarm as Swarm
    if (this.now >= this.#options.originLeavesAt) {
      this.#after(WAN_US, () => {
        swarm.originEnded(this.now, first, 'gone')
        this.#pump(peer)
      })
      this.#sendFromOrigin()
      return
    }
    this.#isOriginSending = true
    const block = first + run.sent
    const length = this.#lengths[block] as number
    this.#after((length * 1_000_000) / this.#options.originRate, () => {
      this.#isOriginSending = false
      this.originBytes += length
      run.sent += 1
      const isLast = run.sent === run.count
      if (!isLast) this.#runs.push(run)
      this.#after(WAN_US, () => {
        peer.fromOrigin += length
        swarm.originGave(block)
        this.#gained(peer, swarm, block)
        if (isLast) swarm.originEnded(this.now, first, 'served')
        this.#pump(peer)
      })
      this.#sendFromOrigin()
    })
  }

  #gained(peer: Downloader, swarm: Swarm, block: number): void {
    peer.blocks[block] = 1
    while (peer.blocks[peer.head] === 1) peer.head += 1
    swarm.consumed(peer.head)
    if (peer.head === peer.blocks.length) peer.finishedAt = this.now
  }
}

/** Uniform start times over a span, in order. */
export function spread(seed: number, count: number, span: number): Instant[] {
  const rng = derivedRng(seed, 'starts')
  const drawn = Array.from({ length: count - 1 }, () => Math.round(unit(rng) * span))
  return [0, ...drawn].sort((a, b) => a - b)
}
