import { Counters } from '../core/counters.js'
import { Deadlines, type Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import { FewMap } from '../core/few-map.js'
import type { Instant } from '../core/instant.js'
import { Queue } from '../core/queue.js'
import type { Rng } from '../core/rng.js'
import type { RouteCache } from '../native/route-cache.js'
import { encodeMessage } from '../wire/codec.js'
import type { PnrpId, PnrpMessage, RouteEntry } from '../wire/messages.js'
import { Budgets, defaultBudgets, type BudgetConfig } from './budgets.js'
import type { CryptoJob, CryptoResult } from './crypto-port.js'
import type { Dialect, DialectTrait, DialectTraits } from './dialect.js'
import { chooseDestination, type Destination } from './destination.js'
import { Exchanges, type ExchangeHost } from './exchanges.js'
import type { CloudEffect, CloudEvent, CloudScope, CloudTransmit } from './interface.js'
import type { CloudParts, Exchange, ExchangeOwner } from './parts.js'
import { entryHasEndpoint } from './route-entry.js'
import { RttEstimator } from './rtt.js'

/** FILETIME of 1970-01-01 in 100 ns ticks. */
const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

export interface CloudConfig {
  readonly scope: CloudScope
  readonly rng: Rng
  readonly cache: RouteCache
  readonly dialect: Dialect
  /** Never registers anything; answers as a publisher with an empty list (N-36, N-62). */
  readonly resolveOnly: boolean
  /** What strangers may draw; default `defaultBudgets(scope)`. */
  readonly budgets?: BudgetConfig
}

/** What is sent as a request: where, what, for whom. */
export interface RequestOptions {
  readonly to: Endpoint
  readonly alternates?: readonly Endpoint[]
  readonly reason: CloudTransmit['reason']
  readonly owner: ExchangeOwner
  readonly softTimeoutUs?: number
}

type RequestMessageType = Exclude<PnrpMessage, { type: 'ADVERTISE' | 'AUTHORITY' | 'ACK' }>

/**
 * State and services that all sub-machines of one cloud share (the Cloud Table entry of MS-PNRP
 * 3.1.1). `now` is set by the cloud machine at the start of every handler.
 */
export class CloudContext implements ExchangeHost {
  now: Instant = 0
  /**
   * Every timer of the cloud: the key is the object whose time has come (a part, a conversation, a
   * resolve), its `onTimer()` is called inside `handleTimeout`. Cancel it when the object goes.
   */
  readonly timers = new Deadlines<Timed>()
  /** wallMs = now / 1000 + wallOffsetMs. */
  wallOffsetMs = 0
  /** Local Endpoint List, 1..4 endpoints with one port; empty without addresses. */
  localEndpoints: readonly Endpoint[] = []
  /** Load of the signing queue, 0..1 (N-68). */
  signingLoad = 0
  /** How often the dialect changed: for those who keep what was made in it. */
  dialectChanges = 0
  readonly counters = new Counters()
  readonly transmits = new Queue<CloudTransmit>()
  readonly effects = new Queue<CloudEffect>()
  readonly events = new Queue<CloudEvent>()
  readonly exchanges: Exchanges
  readonly rng: Rng
  readonly cache: RouteCache
  readonly dialect: Dialect
  readonly scope: CloudScope
  readonly resolveOnly: boolean
  readonly budgets: Budgets
  readonly rtt = new RttEstimator()
  /** Set by cloud.ts once all parts exist. */
  parts!: CloudParts
  readonly #cryptoWaiting = new FewMap<number, (result: CryptoResult) => void>()
  #nextJobId = 1

  constructor(config: CloudConfig) {
    this.rng = config.rng
    this.cache = config.cache
    this.dialect = config.dialect
    this.scope = config.scope
    this.resolveOnly = config.resolveOnly
    this.budgets = new Budgets(config.budgets ?? defaultBudgets(config.scope))
    this.exchanges = new Exchanges(this)
  }

  transmit(transmit: CloudTransmit): void {
    this.transmits.push(transmit)
  }

  exchangeEnded(exchange: Exchange): void {
    if (exchange.kind === 'LOOKUP' || exchange.kind === 'INQUIRE')
      this.parts.authority.forget(exchange)
  }

  /** Wall clock in milliseconds since 1970 UTC. */
  get wallMs(): number {
    return this.now / 1000 + this.wallOffsetMs
  }

  /** Wall clock as FILETIME, plus an offset in microseconds. */
  fileTime(aheadUs = 0): bigint {
    return FILETIME_OF_UNIX_EPOCH + BigInt(Math.floor((this.wallMs + aheadUs / 1000) * 10_000))
  }

  /** A Message ID that no pending request uses (2.2.1, N-35). */
  newMessageId(): number {
    for (;;) {
      const id = this.rng.uint32()
      if (!this.exchanges.has(id)) return id
    }
  }

  /** No local endpoint: nothing can be sent, and nobody is to blame for not answering. */
  /** Nobody has been known since it was opened, and somebody may be there. Kept by the cloud. */
  joining = false

  get offline(): boolean {
    return this.localEndpoints.length === 0
  }

  /** Sends an answer or another message that nobody answers. */
  send(to: Endpoint, message: PnrpMessage, reason: CloudTransmit['reason']): void {
    if (this.offline) return
    this.transmits.push({ to, data: encodeMessage(message), reason })
  }

  /** Sends a request and puts it on the Pending List; undefined when that is full, or offline. */
  request(message: RequestMessageType, options: RequestOptions): Exchange | undefined {
    if (this.offline) return undefined
    const exchange = this.exchanges.start({
      kind: message.type,
      messageId: message.messageId,
      data: encodeMessage(message),
      to: options.to,
      alternates: options.alternates,
      reason: options.reason,
      owner: options.owner,
      softTimeoutUs: options.softTimeoutUs,
      validatePnrpId: 'validatePnrpId' in message ? message.validatePnrpId : undefined,
      nonce: message.type === 'INQUIRE' ? message.nonce : undefined,
    })
    if (exchange === undefined) this.counters.add('refused.pending-list-full')
    return exchange
  }

  /**
   * That node says (or proved) that the ID is not registered there: the cached entry goes, unless
   * it names other endpoints. Whoever refers us to a liar must not be able to evict honest entries.
   */
  evictAt(pnrpId: PnrpId, at: Endpoint): void {
    const cached = this.cache.get(pnrpId)
    if (cached === undefined || !entryHasEndpoint(cached, at)) return
    const leafOf = this.cache.leafOf(pnrpId)
    this.cache.remove(pnrpId)
    this.parts.registrations.neighboursChanged(leafOf)
  }

  /** That node did not answer until the full timeout; likewise. */
  silentAt(pnrpId: PnrpId, at: Endpoint): void {
    if (this.offline) return
    const cached = this.cache.get(pnrpId)
    if (cached === undefined || !entryHasEndpoint(cached, at)) return
    this.parts.maintenance.nodeLost(pnrpId)
  }

  /**
   * RFC 3484 section 6 over the entry's addresses; the others are the alternates. Undefined when no
   * address can be used in this cloud (N-67): such an entry is as good as none.
   */
  destinationsOf(entry: RouteEntry): Destination | undefined {
    return chooseDestination(entry, this.localEndpoints, this.scope)
  }

  /**
   * Where this node asks an entry's node, and so the one endpoint that a cached entry has proven.
   * Whatever else stands in the entry is hearsay: nobody else may be blamed or spared for it.
   */
  reachedAt(entry: RouteEntry): Endpoint | undefined {
    return this.destinationsOf(entry)?.to
  }

  /** The endpoints at which these nodes are reached. */
  allReachedAt(entries: readonly RouteEntry[]): Endpoint[] {
    return entries.map((entry) => this.reachedAt(entry)).filter((to) => to !== undefined)
  }

  /** A valid message showed how the other side speaks. */
  learn<T extends DialectTrait>(trait: T, value: DialectTraits[T]): void {
    if (!this.dialect.learn(trait, value)) return
    this.dialectChanges++
    this.events.push({ type: 'dialect', dialect: this.dialect.snapshot() })
    if (trait === 'classifierEncoding') this.parts.registrations.dialectChanged()
  }

  newJobId(): number {
    return this.#nextJobId++
  }

  /** Starts a crypto job; `done` runs inside a later handler. */
  crypto(job: CryptoJob, done: (result: CryptoResult) => void): void {
    this.#cryptoWaiting.set(job.id, done)
    this.effects.push({ type: 'crypto', job })
  }

  cryptoDone(result: CryptoResult): void {
    const done = this.#cryptoWaiting.get(result.id)
    if (done === undefined) return
    this.#cryptoWaiting.delete(result.id)
    done(result)
  }

  forgetCrypto(): void {
    this.#cryptoWaiting.clear()
  }
}
