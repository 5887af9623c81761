import { bytesKey, equalBytes } from '../core/bytes.js'
import type { Counters } from '../core/counters.js'
import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import type { ContentSegment } from './content-info.js'
import { decodeOfferAnswer, encodeOffer, OFFER_PATH, type Offer } from './offers.js'

/** A request to POST to the hosted cache. */
export interface OfferTransmit {
  /** What its answer, or that there is none, is to be reported with. */
  readonly request: number
  readonly path: string
  readonly body: Uint8Array
  /** The cache has asked who this is: send credentials along (2.1). */
  readonly authenticate: boolean
}

export interface HostedClientOptions {
  readonly counters: Counters
  /** 1: over HTTPS, the cache learns hashes and secrets; 2: over HTTP, only segment IDs. */
  readonly version: 1 | 2
  /** Where this client's own retrieval server listens. */
  readonly port: number
  /** 16 bytes; see contentTag. */
  readonly tag: Uint8Array
}

interface Counted {
  readonly segment: ContentSegment
  /** Blocks since it was offered last, and since the first of them. */
  readonly fresh: number
  readonly all: number
}

interface Request {
  readonly number: number
  readonly offer: Offer
  /** Of a first offer. */
  readonly segment?: ContentSegment
  /** Value of the tick counter. */
  startedAt: number
  authenticated: boolean
}

/**
 * Offers segments to a hosted cache (MS-PCHC 3.2), as a machine without I/O: when enough of a
 * segment is new, it is offered, and when the cache is interested, it is told about the segment.
 * After each handler the driver polls `pollTransmit` until empty and then sleeps until
 * `pollTimeout()`.
 */
export class HostedCacheClient {
  readonly #options: HostedClientOptions
  /** Segments of which more blocks are expected; the latest come last. */
  readonly #counted = new Map<string, Counted>()
  /** Segments that will be offered once fewer requests are under way. */
  readonly #later: ContentSegment[] = []
  readonly #requests = new Map<number, Request>()
  readonly #transmits = new Queue<OfferTransmit>()
  #batch: ContentSegment[] = []
  #batchAt: Instant = NEVER
  #nextRequest = 1
  #ticks = 0
  #tickAt: Instant = NEVER

  constructor(options: HostedClientOptions) {
    this.#options = options
  }

  /** 3.2.4: blocks of a segment have been fetched from elsewhere and verified. */
  handleBlocks(now: Instant, segment: ContentSegment, more: number): void {
    const key = bytesKey(segment.id)
    const known = this.#counted.get(key)
    const fresh = (known?.fresh ?? 0) + more
    const all = (known?.all ?? 0) + more
    const isWhole = all >= segment.blockCount
    const isEnough = isWhole || fresh >= segment.blockCount * LIMITS.hostedOfferShare
    this.#counted.delete(key)
    if (!isWhole) this.#counted.set(key, { segment, fresh: isEnough ? 0 : fresh, all })
    const [oldest] = this.#counted.keys()
    if (this.#counted.size > LIMITS.hostedCounted && oldest !== undefined) {
      this.#counted.delete(oldest)
    }
    if (isEnough) this.#offer(now, segment)
  }

  /** No more blocks are to come soon: what is too little of a segment is offered as well. */
  handleEnd(now: Instant): void {
    const all = [...this.#counted.values()]
    this.#counted.clear()
    for (const { fresh, segment } of all) if (fresh > 0) this.#offer(now, segment)
  }

  /** Whether no offer is being gathered or waits for its answer. */
  get isIdle(): boolean {
    return this.pollTimeout() === NEVER
  }

  /** 3.2.5.1, 3.2.5.2: the body of an answer. */
  handleAnswer(now: Instant, number: number, body: Uint8Array): void {
    const { counters } = this.#options
    const request = this.#requests.get(number)
    if (request === undefined) {
      counters.add('ignored.hosted-late')
      return
    }
    const answer = decodeOfferAnswer(body, request.offer.type)
    this.#forget(number)
    if (answer === undefined) {
      counters.add('drop.hosted-answer')
    } else if (answer === 'interested' && request.segment !== undefined) {
      counters.add('received.hosted-interested')
      const { port, tag } = this.#options
      const info = offeredInfo(request.segment)
      this.#request(now, { type: 'segment-info', port, tag, info })
    } else {
      counters.add('received.hosted-ok')
    }
    this.#goOn(now)
  }

  /** 3.2.5.3: the cache asks who this is. The request goes again, its timer starts anew. */
  handleChallenge(now: Instant, number: number): void {
    const request = this.#requests.get(number)
    if (request === undefined || request.authenticated) {
      this.handleFailure(now, number)
      return
    }
    request.authenticated = true
    request.startedAt = this.#ticks
    this.#transmit(request)
  }

  /** The request could not be delivered, or not be answered. */
  handleFailure(now: Instant, number: number): void {
    if (!this.#forget(number)) return
    this.#options.counters.add('drop.hosted-failure')
    this.#goOn(now)
  }

  handleTimeout(now: Instant): void {
    if (now >= this.#batchAt) this.#sendBatch(now)
    while (now >= this.#tickAt) {
      this.#ticks++
      this.#tickAt += LIMITS.hostedTickUs
      for (const { number, startedAt } of [...this.#requests.values()]) {
        if (this.#ticks <= startedAt + LIMITS.hostedTicks) continue
        this.#forget(number)
        this.#options.counters.add('drop.hosted-expired')
      }
    }
    this.#goOn(now)
  }

  pollTransmit(): OfferTransmit | undefined {
    return this.#transmits.shift()
  }

  pollTimeout(): Instant {
    return Math.min(this.#tickAt, this.#batchAt)
  }

  #offer(now: Instant, segment: ContentSegment): void {
    const { counters, port, version } = this.#options
    if (version === 1 && segment.scheme.version === 1) {
      this.#request(now, { type: 'initial', port, segmentId: segment.id }, segment)
    } else if (version === 2 && segment.id.length === 32) {
      this.#addToBatch(now, segment)
    } else {
      counters.add('ignored.hosted-other-version')
    }
  }

  #addToBatch(now: Instant, segment: ContentSegment): void {
    if (this.#batch.some(({ id }) => equalBytes(id, segment.id))) return
    this.#batch.push(segment)
    if (this.#batch.length >= LIMITS.hostedBatchSegments) this.#sendBatch(now)
    else if (this.#batchAt === NEVER) this.#batchAt = now + LIMITS.hostedBatchUs
  }

  #sendBatch(now: Instant): void {
    const { port, tag } = this.#options
    const segments = this.#batch.map(({ blockBytes, id, length, scheme }) => {
      const { version } = scheme
      return { blockBytes, segmentBytes: length, tag, version, segmentId: id } // DA-25
    })
    this.#batch = []
    this.#batchAt = NEVER
    if (segments.length > 0) this.#request(now, { type: 'batched', port, segments })
  }

  #goOn(now: Instant): void {
    while (this.#later.length > 0 && this.#requests.size < LIMITS.hostedRequests) {
      this.#offer(now, this.#later.shift() as ContentSegment)
    }
  }

  #request(now: Instant, offer: Offer, segment?: ContentSegment): void {
    if (this.#requests.size >= LIMITS.hostedRequests) {
      const canWait = segment !== undefined && this.#later.length < LIMITS.hostedCounted
      if (canWait) this.#later.push(segment)
      else this.#options.counters.add('refused.hosted-requests')
      return
    }
    const number = this.#nextRequest++
    const request: Request = {
      number,
      offer,
      startedAt: this.#ticks,
      authenticated: false,
      ...(segment === undefined ? {} : { segment }),
    }
    // 3.2.2: the tick timer runs only while requests are pending.
    if (this.#requests.size === 0) this.#tickAt = now + LIMITS.hostedTickUs
    this.#requests.set(number, request)
    this.#options.counters.add(`sent.hosted-${offer.type}`)
    this.#transmit(request)
  }

  #transmit({ authenticated: authenticate, number: request, offer }: Request): void {
    const path = OFFER_PATH[this.#options.version]
    this.#transmits.push({ request, path, body: encodeOffer(offer), authenticate })
  }

  #forget(number: number): boolean {
    const wasThere = this.#requests.delete(number)
    if (this.#requests.size === 0) this.#tickAt = NEVER
    return wasThere
  }
}

/** MS-PCCRC 2.3. */
const HASH_CODE = { sha256: 0x800c, sha384: 0x800d, sha512: 0x800e } as const

/** 2.2.1.4: content information of version 1 with this one segment, as far as hashes are listed. */
export function offeredInfo(segment: ContentSegment): Uint8Array {
  const { blockHashes, hashOfData, length, offset, scheme, secret } = segment
  const width = hashOfData.length
  const out = new Uint8Array(18 + 16 + 2 * width + 4 + blockHashes.length)
  const view = new DataView(out.buffer)
  view.setUint16(0, 0x0100, true)
  view.setUint32(2, HASH_CODE[scheme.algorithm], true)
  view.setUint32(6, 0, true)
  view.setUint32(10, length, true)
  view.setUint32(14, 1, true)
  view.setBigUint64(18, BigInt(offset), true)
  view.setUint32(26, length, true)
  view.setUint32(30, segment.blockBytes, true)
  out.set(hashOfData, 34)
  out.set(secret, 34 + width)
  view.setUint32(34 + 2 * width, blockHashes.length / width, true)
  out.set(blockHashes, 38 + 2 * width)
  return out
}
