import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  HostedCacheServer,
  type HostedSegment,
  type PullEffect,
} from '../../content/hosted-server.js'
import { contentTag, decodeOffer, OFFER_PATH, type ReceivedOffer } from '../../content/offers.js'
import { bytesKey, toHex } from '../../core/bytes.js'
import { Counters } from '../../core/counters.js'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { SystemClock } from '../../io/system-clock.js'
import type { BlockStore } from '../../storage/block-store.js'
import type { ReplayStore } from '../../storage/replay-store.js'
import { HostedPulls } from './hosted-pulls.js'
import { isOver, readBody, whenOver } from './http-body.js'
import { checkingMs, listening, reply, RetrievalServer } from './retrieval-server.js'
import type { RetrievalServerOptions } from './retrieval-server.js'

export interface HostedCacheOptions {
  /** Verified blocks: what clients of version 1 offer. */
  readonly cache: BlockStore
  /** Blocks as they came: what clients of version 2 offer (DA-27). Without it only version 1. */
  readonly replay?: ReplayStore
  /**
   * Who may offer (DA-38); asked at each offer, of either version. Others get status 401. Default:
   * everybody, as the protocol has it. Blocks are given to whoever asks: they are encrypted.
   */
  readonly authenticate?: (request: IncomingMessage) => boolean | Promise<boolean>
  /** WWW-Authenticate of status 401. Default `Negotiate`. */
  readonly challenge?: string
  /** Told of each offer that is taken, e.g. for statistics by content tag (3.1.5.2, 3.1.5.3). */
  readonly onOffer?: (offer: TakenOffer) => void
  /** For one exchange with a client that offers, in milliseconds. Default 2 s. */
  readonly requestMs?: number
  /** For a whole offer to arrive, in milliseconds, 100 to 3600000. Default 15 s. */
  readonly offerMs?: number
  /** Of the server for those who fetch; maxClients is 1024 here. */
  readonly server?: Omit<RetrievalServerOptions, 'cache' | 'replay'>
}

export interface TakenOffer {
  /** Address of the client. */
  readonly host: string
  readonly segmentId: Uint8Array
  /** 16 bytes; undefined in first offers of version 1. */
  readonly tag: Uint8Array | undefined
}

/** The applications that MS-PCHC knows by their content tags (3.2.1 <8>). */
export type KnownTag = 'WinINet' | 'WebIO' | 'BITS-4.0' | 'SMB' | 'Other'

export interface HostedCacheStatistics {
  /** What was received, answered, pulled, dropped and refused, by reason. */
  readonly counters: Readonly<Record<string, number>>
  /** Segments being fetched from clients now; 0: nothing waits either. */
  readonly pulling: number
  /** Offered segments by the application they are from. */
  readonly tags: Readonly<Record<KnownTag, number>>
}

const SMB_TAG = '35db045d14234553a0510dc2e15e6c4c'
const TAGS: Readonly<Record<string, KnownTag>> = {
  [toHex(contentTag('WinINet'))]: 'WinINet',
  [toHex(contentTag('WebIO'))]: 'WebIO',
  [toHex(contentTag('BITS-4.0'))]: 'BITS-4.0',
  [SMB_TAG]: 'SMB',
}

/**
 * A hosted cache (MS-PCHC 3.1): takes offers, fetches what is offered from those who offer it, and
 * serves it by the retrieval protocol. HTTP (`listen`) takes offers of version 2 and serves;
 * HTTPS (`listenTls`) takes offers of version 1. Its stores are given in and not closed.
 */
export class HostedCache {
  readonly server: RetrievalServer
  readonly #options: HostedCacheOptions
  readonly #counters = new Counters()
  readonly #tags: Record<KnownTag, number> = {
    ...{ WinINet: 0, WebIO: 0, 'BITS-4.0': 0, SMB: 0, Other: 0 },
  }
  readonly #machine: HostedCacheServer
  readonly #pulls: HostedPulls
  readonly #clock = new SystemClock()
  readonly #rates = new Map<string, TokenBucket>()
  readonly #servers: Server[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #trimming: NodeJS.Timeout
  /** What is known of the segments of the offer, or pull, that the machine deals with. */
  #known: ReadonlyMap<string, HostedSegment> = new Map()
  readonly #offerMs: number
  #offers = 0
  #isClosed = false

  constructor(options: HostedCacheOptions) {
    this.#options = options
    const { cache, replay, requestMs } = options
    this.#offerMs = options.offerMs ?? LIMITS.hostedOfferMs
    const isTime = this.#offerMs >= 100 && this.#offerMs <= 3_600_000
    checkArgument(isTime, 'offerMs is 100 to 3600000')
    const parts = replay === undefined ? { cache } : { cache, replay }
    const maxClients = LIMITS.hostedClients
    this.server = new RetrievalServer({ maxClients, ...options.server, ...parts })
    this.#pulls = new HostedPulls({
      ...{ cache, replay, counters: this.#counters },
      ...(requestMs === undefined ? {} : { requestMs }),
    })
    const store = { get: (id: Uint8Array) => this.#known.get(bytesKey(id)) }
    this.#machine = new HostedCacheServer({ store, counters: this.#counters })
    this.#trimming = setInterval(() => {
      cache.trim().catch(() => undefined)
      replay?.trim().catch(() => undefined)
    }, LIMITS.hostedTrimMs)
    this.#trimming.unref()
  }

  statistics(): HostedCacheStatistics {
    const pulling = this.#running.size
    return { counters: this.#counters.snapshot(), pulling, tags: { ...this.#tags } }
  }

  /**
   * Opens the HTTP side: blocks for all, offers of version 2. Throws ERR_PEERNET_PORT_IN_USE,
   * ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM.
   */
  async listen(port = 0, host = '::'): Promise<AddressInfo> {
    return this.#listen(
      createServer(this.#checking(), (request, response) => {
        if (!this.handle(request, response)) reply(response, 404)
      }),
      port,
      host,
    )
  }

  /**
   * Opens the HTTPS side: offers of version 1. `tls` has at least `key` and `cert`. Throws the
   * same, and ERR_PEERNET_INVALID_ARG for a key or certificate that is none.
   */
  async listenTls(tls: ServerOptions, port = 0, host = '::'): Promise<AddressInfo> {
    let server: Server
    try {
      const patience = { handshakeTimeout: this.#offerMs, ...this.#checking() }
      server = createTlsServer({ ...patience, ...tls }, (request, response) => {
        if (!this.#handleOffers(1, request, response)) reply(response, 404)
      })
    } catch (error) {
      checkArgument(false, `the certificate or key cannot be used: ${String(error)}`)
      throw error
    }
    return this.#listen(server, port, host)
  }

  /** Takes requests of the HTTP side if they are for it; false: it is somebody else's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    return this.server.handle(request, response) || this.#handleOffers(2, request, response)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#trimming)
    this.#pulls.close()
    await Promise.all(this.#running)
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise((resolve) => {
            server.close(resolve)
            server.closeAllConnections()
          }),
      ),
    )
  }

  #checking(): { readonly connectionsCheckingInterval: number } {
    return { connectionsCheckingInterval: checkingMs(this.#offerMs) }
  }

  async #listen(server: Server, port: number, host: string): Promise<AddressInfo> {
    server.maxConnections = LIMITS.hostedConnections
    server.requestTimeout = this.#offerMs
    server.headersTimeout = this.#offerMs
    server.keepAliveTimeout = LIMITS.hostedOfferMs
    await listening(server, port, host)
    this.#servers.push(server)
    return server.address() as AddressInfo
  }

  #handleOffers(version: 1 | 2, request: IncomingMessage, response: ServerResponse): boolean {
    const isOurs = version === 1 || this.#options.replay !== undefined
    if (!isOurs || !isOfferPath(version, request.url ?? '')) return false
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST')
      reply(response, 405)
      return true
    }
    this.#take(version, request, response).catch(() => {
      response.destroy()
    })
    return true
  }

  async #take(version: 1 | 2, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = sourceOf(request)
    if (!this.#isWelcome(host)) {
      // Its body is not waited for.
      response.setHeader('Connection', 'close')
      reply(response, 503)
      return
    }
    this.#offers += 1
    const timer = setTimeout(() => {
      this.#counters.add('drop.hosted-slow')
      response.destroy()
    }, this.#offerMs)
    void whenOver(request, response).then(() => {
      clearTimeout(timer)
      this.#offers -= 1
    })
    const body = await readBody(request, LIMITS.hostedOfferBytes)
    if (!(await this.#isAuthorized(request))) {
      this.#counters.add('refused.hosted-unauthorized')
      response.setHeader('WWW-Authenticate', this.#options.challenge ?? 'Negotiate')
      reply(response, 401)
      return
    }
    const answer = body === undefined ? this.#oversize() : await this.#offer(version, host, body)
    if (answer === undefined || isOver(request, response)) {
      response.destroy() // 3.1.5.4
      return
    }
    response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': answer.length,
    })
    response.end(answer)
  }

  #oversize(): undefined {
    this.#counters.add('drop.hosted-body')
  }

  async #offer(version: 1 | 2, host: string, body: Uint8Array): Promise<Uint8Array | undefined> {
    const decoded = decodeOffer(body)
    const ids = decoded.ok ? idsOf(decoded.offer) : []
    const known = await this.#look(ids, host)
    if (this.#isClosed) return undefined
    this.#known = known
    const answer = this.#machine.handleOffer(version, host, body)
    this.#carryOut()
    if (answer !== undefined && decoded.ok) this.#tell(host, decoded.offer)
    return answer
  }

  /** What is there of segments that a client offers. */
  async #look(
    ids: readonly Uint8Array[],
    host: string,
  ): Promise<ReadonlyMap<string, HostedSegment>> {
    const found = new Map<string, HostedSegment>()
    for (const id of ids) {
      const segment = await this.#pulls.segment(id)
      const held = await this.#options.cache.held(id)
      const replayed = id.length === 32 ? this.#options.replay?.held(id) : undefined
      // Nobody can tell whether what is replayed is right. Whoever offers it again had to get it
      // elsewhere: then it is fetched anew, but not from one who gave it, and not all the time.
      const isTrusted =
        replayed?.isComplete === true &&
        (replayed.source === host || replayed.ageMs < LIMITS.hostedTrustMs)
      if (segment === undefined && replayed === undefined) continue
      const isComplete = held?.isComplete === true || (segment === undefined && isTrusted)
      found.set(bytesKey(id), { hasHashes: segment !== undefined, isComplete })
    }
    return found
  }

  #tell(host: string, offer: ReceivedOffer): void {
    const { onOffer } = this.#options
    const taken = (segmentId: Uint8Array, tag: Uint8Array | undefined): void => {
      if (tag !== undefined) this.#tags[TAGS[toHex(tag)] ?? 'Other'] += 1
      onOffer?.({ host, segmentId, tag })
    }
    if (offer.type === 'initial') taken(offer.segmentId, undefined)
    else if (offer.type === 'batched') {
      for (const { segmentId, tag } of offer.segments) taken(segmentId, tag)
    } else {
      const segment = offer.parsed?.ok === true ? offer.parsed.info.segments[0] : undefined
      if (segment !== undefined) taken(segment.id, offer.tag)
    }
  }

  #carryOut(): void {
    for (let one = this.#machine.pollEffect(); one; one = this.#machine.pollEffect()) {
      if (one.type === 'learn') {
        this.#pulls.learn(one.segment)
        continue
      }
      const work = this.#pull(one).finally(() => this.#running.delete(work))
      this.#running.add(work)
    }
  }

  async #pull(effect: PullEffect): Promise<void> {
    await this.#pulls.pull(effect)
    const known = await this.#look([effect.segmentId], effect.host).catch(() => undefined)
    if (this.#isClosed || known === undefined) return
    this.#known = known
    this.#machine.handlePulled(effect.pull)
    this.#carryOut()
  }

  async #isAuthorized(request: IncomingMessage): Promise<boolean> {
    const { authenticate } = this.#options
    if (authenticate === undefined) return true
    try {
      return await authenticate(request)
    } catch {
      return false
    }
  }

  /** DA-27: so many offers of one client, and so many at a time. */
  #isWelcome(host: string): boolean {
    if (this.#isClosed || this.#offers >= LIMITS.hostedOffers) {
      this.#counters.add('refused.hosted-busy')
      return false
    }
    const { hostedOfferBurst: burst, hostedOffersPerS: perSecond } = LIMITS
    const bucket = this.#rates.get(host) ?? new TokenBucket({ perSecond, burst })
    this.#rates.delete(host)
    this.#rates.set(host, bucket)
    const [oldest] = this.#rates.keys()
    if (this.#rates.size > LIMITS.hostedSources && oldest !== undefined) this.#rates.delete(oldest)
    const isWelcome = bucket.take(this.#clock.now())
    if (!isWelcome) this.#counters.add('refused.hosted-rate')
    return isWelcome
  }
}

/** DA-24: any case, with or without the slash at the end. */
function isOfferPath(version: 1 | 2, url: string): boolean {
  const path = (url.split('?', 1)[0] as string).replace(/\/$/, '')
  return path.toLowerCase() === OFFER_PATH[version].toLowerCase()
}

/** The address that a client connects from; IPv4 is written as such. */
function sourceOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function idsOf(offer: ReceivedOffer): readonly Uint8Array[] {
  if (offer.type === 'initial') return [offer.segmentId]
  if (offer.type === 'batched') return offer.segments.map(({ segmentId }) => segmentId)
  const segment = offer.parsed?.ok === true ? offer.parsed.info.segments[0] : undefined
  return segment === undefined ? [] : [segment.id]
}
