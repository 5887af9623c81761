import { bytesKey } from '../core/bytes.js'
import type { Counters } from '../core/counters.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import { SEGMENT_2_BYTES, SEGMENT_BYTES, type ContentSegment } from './content-info.js'
import {
  decodeOffer,
  encodeOfferAnswer,
  type OfferAnswer,
  type OfferedSegment,
  type ReceivedOffer,
} from './offers.js'

/** What a hosted cache knows of a segment now. */
export interface HostedSegment {
  /** The hashes of all its blocks are known. */
  readonly hasHashes: boolean
  /** All its blocks are there. */
  readonly isComplete: boolean
}

/** The cache as the offers' judge sees it. Must not block. */
export interface HostedStore {
  /** `host` offers it, or has offered it. */
  get(segmentId: Uint8Array, host: string): HostedSegment | undefined
}

/** Hashes and secret of a segment, to be kept (version 1). */
export interface LearnEffect {
  readonly type: 'learn'
  readonly segment: ContentSegment
  /** 16 bytes, for statistics. */
  readonly tag: Uint8Array
}

/** A segment to be fetched from the client that offered it; then comes `handlePulled`. */
export interface PullEffect {
  readonly type: 'pull'
  readonly pull: number
  /** Address that the offer came from: never one that it names. */
  readonly host: string
  readonly port: number
  readonly segmentId: Uint8Array
  /** DA-27: no key and no hashes are known, so blocks are kept as they come. */
  readonly offered?: OfferedSegment
}

export type HostedEffect = LearnEffect | PullEffect

/**
 * Takes offers (MS-PCHC 3.1), as a machine without I/O. A segment is fetched by one client at a
 * time; what is fetched at once, and what waits, is bounded for each client and for all. After each
 * handler the driver polls `pollEffect` until empty.
 */
export class HostedCacheServer {
  readonly #store: HostedStore
  readonly #counters: Counters
  readonly #effects = new Queue<HostedEffect>()
  /** By client; who has had a turn comes last. */
  readonly #waiting = new Map<string, Queue<PullEffect>>()
  #waits = 0
  readonly #running = new Map<number, PullEffect>()
  /** How many of them each client has. */
  readonly #runningOf = new Map<string, number>()
  /** Segments that wait or run. */
  readonly #segments = new Map<string, PullEffect>()
  /** Offers of such segments: made meanwhile, by one who has more of them, or by somebody else. */
  readonly #again = new Map<string, PullEffect>()
  #nextPull = 1

  constructor(options: { readonly store: HostedStore; readonly counters: Counters }) {
    this.#store = options.store
    this.#counters = options.counters
  }

  /**
   * The body of a POST to the address of `version`, and who sent it; authorisation is the driver's
   * (DA-38). The body of the answer; undefined: none, the connection is to be dropped (3.1.5.4).
   */
  handleOffer(version: 1 | 2, host: string, body: Uint8Array): Uint8Array | undefined {
    const decoded = decodeOffer(new Uint8Array(body)) // what is kept of it are views
    if (!decoded.ok) {
      this.#counters.add('drop.hosted-malformed')
      return undefined
    }
    const { offer } = decoded
    // 2.1: HTTPS takes version 1 only, HTTP version 2.
    if ((offer.type === 'batched') !== (version === 2)) {
      this.#counters.add('drop.hosted-other-version')
      return undefined
    }
    this.#counters.add(`received.hosted-${offer.type}`)
    const answer = this.#answer(host, offer)
    this.#startWaiting()
    return encodeOfferAnswer(answer)
  }

  /** A pull has ended, well or not. */
  handlePulled(pull: number): void {
    const ended = this.#running.get(pull)
    if (ended === undefined) return
    this.#running.delete(pull)
    count(this.#runningOf, ended.host, -1)
    const key = bytesKey(ended.segmentId)
    this.#segments.delete(key)
    const again = this.#again.get(key)
    this.#again.delete(key)
    if (again !== undefined) this.#pull(again.host, again.port, again.segmentId, again.offered)
    this.#startWaiting()
  }

  pollEffect(): HostedEffect | undefined {
    return this.#effects.shift()
  }

  #answer(host: string, offer: ReceivedOffer): OfferAnswer {
    if (offer.type === 'initial') {
      const known = this.#store.get(offer.segmentId, host)
      if (known?.hasHashes !== true) return 'interested'
      this.#pull(host, offer.port, offer.segmentId)
    } else if (offer.type === 'batched') {
      for (const one of offer.segments) this.#offered(host, offer.port, one)
    } else {
      this.#learn(host, offer)
    }
    return 'ok'
  }

  /** 3.1.5.2: asked for or not; what cannot be used is ignored (DA-28). */
  #learn(host: string, offer: Extract<ReceivedOffer, { type: 'segment-info' }>): void {
    const { parsed } = offer
    const segment = parsed?.ok === true ? parsed.info.segments[0] : undefined
    if (parsed?.ok !== true || parsed.info.segments.length !== 1 || segment === undefined) {
      this.#counters.add('ignored.hosted-segment-info')
      return
    }
    this.#effects.push({ type: 'learn', segment, tag: offer.tag })
    this.#pull(host, offer.port, segment.id)
  }

  /** DA-27: nothing of it can be verified, so at least its size is that of a real segment. */
  #offered(host: string, port: number, offered: OfferedSegment): void {
    const { segmentBytes, segmentId, version } = offered
    const most = version === 1 ? SEGMENT_BYTES : SEGMENT_2_BYTES
    if (segmentBytes <= most) this.#pull(host, port, segmentId, offered)
    else this.#counters.add('ignored.hosted-size')
  }

  #pull(host: string, port: number, segmentId: Uint8Array, offered?: OfferedSegment): void {
    const key = bytesKey(segmentId)
    const current = this.#segments.get(key)
    const extra = offered === undefined ? {} : { offered }
    const fields = { type: 'pull', host, port, segmentId, ...extra } as const
    if (port === 0) {
      this.#counters.add('ignored.hosted-no-port')
    } else if (current !== undefined) {
      this.#counters.add('ignored.hosted-known')
      // One more is remembered: of two who offer the same, one may lie.
      const other = this.#again.get(key)
      if (other === undefined || other.host === current.host) {
        this.#again.set(key, { ...fields, pull: 0 })
      }
    } else if (this.#store.get(segmentId, host)?.isComplete === true) {
      this.#counters.add('ignored.hosted-known')
    } else if (
      this.#waits >= LIMITS.hostedPullsWaiting ||
      (this.#waiting.get(host)?.length ?? 0) >= LIMITS.hostedPullsWaitingPerSource
    ) {
      this.#counters.add('refused.hosted-pulls')
    } else {
      const pull = { ...fields, pull: this.#nextPull++ }
      this.#segments.set(key, pull)
      const queue = this.#waiting.get(host) ?? new Queue<PullEffect>()
      queue.push(pull)
      this.#waiting.set(host, queue)
      this.#waits++
    }
  }

  /** In turns, so that nobody waits behind all that another has to offer. */
  #startWaiting(): void {
    for (const [host, queue] of this.#waiting) {
      if (this.#running.size >= LIMITS.hostedPulls) return
      if ((this.#runningOf.get(host) ?? 0) >= LIMITS.hostedPullsPerSource) continue
      const next = queue.shift() as PullEffect
      // What is set again is visited again by this loop.
      this.#waiting.delete(host)
      if (queue.length > 0) this.#waiting.set(host, queue)
      this.#waits--
      count(this.#runningOf, host, 1)
      this.#running.set(next.pull, next)
      this.#effects.push(next)
    }
  }
}

function count(counts: Map<string, number>, host: string, change: number): void {
  const now = (counts.get(host) ?? 0) + change
  if (now > 0) counts.set(host, now)
  else counts.delete(host)
}
