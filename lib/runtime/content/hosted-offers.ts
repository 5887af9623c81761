import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as httpsRequest } from 'node:https'
import type { ContentSegment } from '../../content/content-info.js'
import { HostedCacheClient, type OfferTransmit } from '../../content/hosted-client.js'
import { contentTag } from '../../content/offers.js'
import { Counters } from '../../core/counters.js'
import { checkArgument } from '../../core/errors.js'
import { NEVER } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { SystemClock } from '../../io/system-clock.js'
import type { BlockStore } from '../../storage/block-store.js'
import { readBody } from './http-body.js'
import { RetrievalServer } from './retrieval-server.js'
import { peerPlace } from './peer-address.js'

/** Where a hosted cache is, and how offers to it are made. */
export interface HostedCacheAddress {
  /** `host:port` where it serves blocks, and takes offers of version 2. */
  readonly at: string
  /**
   * Of the protocol. 2, the default: offers over HTTP, from which the cache learns no keys. 1: over
   * HTTPS; it learns keys and hashes, verifies what it keeps, and has to be trusted with content.
   */
  readonly version?: 1 | 2
  /** `host:port` of offers of version 1. Default: port 443 of the same host. */
  readonly offersAt?: string
  /** Certificates, PEM, that sign the cache's (version 1). Default: those of the system. */
  readonly ca?: string | Uint8Array
  /**
   * Who this is, in case the cache asks: the value of Authorization, or what makes it from the
   * cache's WWW-Authenticate (`Negotiate` of RFC 4559 has to be brought along, DA-38).
   */
  readonly authorization?: string | ((challenge: string) => string | Promise<string>)
  /** 1 to 16 ASCII characters that tell applications apart. Default `peernet`. */
  readonly tag?: string
}

/** Throws ERR_PEERNET_INVALID_ARG. */
export function checkHostedCache({ at, offersAt, version }: HostedCacheAddress): void {
  checkArgument(peerPlace(at) !== undefined, `a hosted cache is written host:port, not ${at}`)
  const isPlace = offersAt === undefined || peerPlace(offersAt) !== undefined
  checkArgument(isPlace, `a hosted cache is written host:port, not ${String(offersAt)}`)
  checkArgument(version === undefined || version === 1 || version === 2, 'version is 1 or 2')
}

/**
 * Offers to a hosted cache what was fetched from elsewhere (MS-PCHC 3.2), in the background: what
 * cannot be offered is counted and forgotten. The cache then fetches it from the retrieval server
 * at `port` of this host.
 */
export class HostedOffers {
  readonly address: HostedCacheAddress
  readonly #machine: HostedCacheClient
  readonly #counters = new Counters()
  readonly #clock = new SystemClock()
  readonly #agent: Agent
  readonly #own: RetrievalServer | undefined
  readonly #waiting = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #offered = 0
  #isClosed = false

  /** Throws ERR_PEERNET_INVALID_ARG. `own`: closed together with this. */
  constructor(address: HostedCacheAddress, port: number, own?: RetrievalServer) {
    checkHostedCache(address)
    const { ca, tag, version } = address
    this.address = address
    this.#own = own
    this.#machine = new HostedCacheClient({
      ...{ counters: this.#counters, port, version: version ?? 2 },
      tag: contentTag(tag ?? 'peernet'),
    })
    const common = { keepAlive: true, maxSockets: LIMITS.retrievalPerPeer }
    const trust = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : Buffer.from(ca) }
    this.#agent = version === 1 ? new TlsAgent({ ...common, ...trust }) : new Agent(common)
  }

  /** With a retrieval server of its own. Throws ERR_PEERNET_SYSTEM and the like. */
  static async open(
    address: HostedCacheAddress,
    cache: BlockStore,
    port = 0,
  ): Promise<HostedOffers> {
    checkHostedCache(address)
    const server = new RetrievalServer({ cache })
    const listening = await server.listen(port)
    return new HostedOffers(address, listening.port, server)
  }

  /** Offers, answers and failures, by reason. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters.snapshot()
  }

  /** `count` blocks of the segment are new in the cache that is served here. */
  add(segment: ContentSegment, count: number): void {
    if (this.#isClosed) return
    this.#offered += count
    this.#machine.handleBlocks(this.#clock.now(), segment, count)
    this.#drive()
  }

  /** A download is over: what remains of its segments is offered, too. */
  flush(): void {
    if (this.#isClosed) return
    this.#machine.handleEnd(this.#clock.now())
    this.#drive()
  }

  /**
   * Waits until all offers are answered or given up and, if the server is this object's own, until
   * the cache has fetched what it wants: for a second nothing. The signal ends the waiting.
   */
  async settled(signal?: AbortSignal): Promise<void> {
    const isOver = (): boolean => this.#isClosed || signal?.aborted === true
    if (!this.#machine.isIdle && !isOver()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    const server = this.#own
    for (let [seen, since] = [-1, Date.now()]; server !== undefined && !isOver();) {
      const { activeClients, blocks, requests } = server.statistics()
      const now = Date.now()
      if (requests !== seen || activeClients > 0) [seen, since] = [requests, now]
      const isDone = blocks >= this.#offered && activeClients === 0
      if (isDone || now - since > LIMITS.hostedSettleIdleMs) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#agent.destroy()
    for (const resolve of this.#waiting) resolve()
    await this.#own?.close()
  }

  #drive(): void {
    for (let one = this.#machine.pollTransmit(); one; one = this.#machine.pollTransmit()) {
      void this.#send(one)
    }
    clearTimeout(this.#timer)
    const at = this.#machine.pollTimeout()
    if (this.#machine.isIdle) {
      for (const resolve of this.#waiting) resolve()
      this.#waiting.clear()
    }
    if (at === NEVER) return
    const wait = Math.max(0, Math.ceil((at - this.#clock.now()) / 1000))
    this.#timer = setTimeout(() => {
      this.#machine.handleTimeout(this.#clock.now())
      this.#drive()
    }, wait)
    this.#timer.unref()
  }

  async #send(transmit: OfferTransmit, authorization?: string): Promise<void> {
    const { request } = transmit
    const answer = await this.#post(transmit, authorization)
    if (this.#isClosed) return
    const now = this.#clock.now()
    if (answer?.statusCode === 401) {
      answer.resume()
      await this.#challenged(request, answer.headers['www-authenticate'] ?? '')
    } else if (answer?.statusCode === 200) {
      const body = await readBody(answer, LIMITS.hostedAnswerBytes)
      if (body === undefined) this.#machine.handleFailure(now, request)
      else this.#machine.handleAnswer(this.#clock.now(), request, body)
    } else {
      answer?.destroy()
      this.#machine.handleFailure(now, request)
    }
    this.#drive()
  }

  /** 3.2.5.3: the machine has the request sent once more. */
  async #challenged(request: number, challenge: string): Promise<void> {
    const value = await this.#credentials(challenge).catch(() => undefined)
    const now = this.#clock.now()
    if (value === undefined) {
      this.#machine.handleFailure(now, request)
      return
    }
    this.#machine.handleChallenge(now, request)
    for (let one = this.#machine.pollTransmit(); one; one = this.#machine.pollTransmit()) {
      void this.#send(one, one.authenticate ? value : undefined)
    }
  }

  async #credentials(challenge: string): Promise<string | undefined> {
    const { authorization } = this.address
    return typeof authorization === 'function' ? await authorization(challenge) : authorization
  }

  #post(
    { body, path }: OfferTransmit,
    authorization: string | undefined,
  ): Promise<IncomingMessage | undefined> {
    const { at, offersAt, version } = this.address
    const place = peerPlace(version === 1 ? (offersAt ?? at.replace(/\d+$/, '443')) : at)
    const start = version === 1 ? httpsRequest : httpRequest
    return new Promise((resolve) => {
      const sent = start({
        ...{ method: 'POST', path, host: place?.host, port: place?.port },
        agent: this.#agent,
        // In all: a cache that answers byte by byte holds no connection for ever.
        signal: AbortSignal.timeout(LIMITS.hostedOfferMs),
        headers: {
          Host: place?.authority,
          'Content-Length': body.length,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      })
      sent.once('response', resolve)
      sent.on('error', () => {
        resolve(undefined)
      })
      sent.end(body)
    })
  }
}
