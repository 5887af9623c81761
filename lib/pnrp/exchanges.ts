import type { Deadlines, Timed } from '../core/deadlines.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { FewMap } from '../core/few-map.js'
import { LIMITS } from '../core/limits.js'
import type { PnrpId } from '../wire/messages.js'
import type { Exchange, ExchangeOwner } from './parts.js'
import type { CloudTransmit } from './interface.js'

export interface ExchangeRequest {
  readonly kind: Exchange['kind']
  readonly messageId: number
  readonly to: Endpoint
  readonly alternates?: readonly Endpoint[] | undefined
  readonly data: Uint8Array
  readonly reason: CloudTransmit['reason']
  readonly validatePnrpId?: PnrpId | undefined
  readonly nonce?: Uint8Array | undefined
  readonly owner: ExchangeOwner
  /** Call `onSoftTimeout` this long after each transmission (microseconds). */
  readonly softTimeoutUs?: number | undefined
}

const NO_ALTERNATES: readonly Endpoint[] = Object.freeze([])

/** What the Pending List needs of its cloud. */
export interface ExchangeHost {
  readonly now: Instant
  /** The one timer table of the cloud. */
  readonly timers: Deadlines<Timed>
  transmit(transmit: CloudTransmit): void
  /** An exchange left the list, answered or not: its reassembly can be freed. */
  exchangeEnded(exchange: Exchange): void
}

/** Also the datagram that goes out, each time it does. */
class PendingExchange implements Exchange, CloudTransmit, Timed {
  readonly kind: Exchange['kind']
  readonly messageId: number
  readonly to: Endpoint
  readonly alternates: readonly Endpoint[]
  readonly validatePnrpId?: PnrpId
  readonly nonce?: Uint8Array
  readonly owner: ExchangeOwner
  readonly data: Uint8Array
  readonly reason: CloudTransmit['reason']
  readonly sentAt: Instant
  retryCount: number = LIMITS.retransmissionCount
  /** When the retransmission timer fires. */
  retryAt: Instant = 0
  /** When the soft timeout fires, if it has not since the last transmission. */
  softAt: Instant | undefined
  readonly #list: Exchanges
  readonly #softTimeoutUs: number | undefined

  constructor(list: Exchanges, now: Instant, request: ExchangeRequest) {
    this.#list = list
    this.kind = request.kind
    this.messageId = request.messageId
    this.to = request.to
    this.alternates = request.alternates ?? NO_ALTERNATES
    if (request.validatePnrpId !== undefined) this.validatePnrpId = request.validatePnrpId
    if (request.nonce !== undefined) this.nonce = request.nonce
    this.owner = request.owner
    this.data = request.data
    this.reason = request.reason
    this.sentAt = now
    const { softTimeoutUs } = request
    const soft = softTimeoutUs !== undefined && softTimeoutUs < LIMITS.retransmissionIntervalUs
    this.#softTimeoutUs = soft ? softTimeoutUs : undefined
    this.transmitted(now)
  }

  /** Both timers run from each transmission. */
  transmitted(now: Instant): void {
    this.retryAt = now + LIMITS.retransmissionIntervalUs
    this.softAt = this.#softTimeoutUs === undefined ? undefined : now + this.#softTimeoutUs
  }

  get nextAt(): Instant {
    return this.softAt !== undefined && this.softAt < this.retryAt ? this.softAt : this.retryAt
  }

  onTimer(): void {
    this.#list.expire(this)
  }
}

/**
 * The Pending List (MS-PNRP 3.1.1) and its Message Retransmission Timers (3.1.2, 3.1.6.3), keyed by
 * Message ID. An answer must come from where the request went (N-35). Sent at 0 s and 1 s, given up
 * at 2 s.
 */
export class Exchanges {
  /** By Message ID as a signed number: V8 keeps larger ones as objects, which hash slowly. */
  readonly #pending = new FewMap<number, PendingExchange>()
  readonly #host: ExchangeHost

  constructor(host: ExchangeHost) {
    this.#host = host
  }

  get size(): number {
    return this.#pending.size
  }

  has(messageId: number): boolean {
    return this.#pending.has(messageId | 0)
  }

  get full(): boolean {
    return this.#pending.size >= LIMITS.pendingExchanges
  }

  /** Sends a request and waits for its answer. Returns undefined when the list is full. */
  start(request: ExchangeRequest): Exchange | undefined {
    if (this.full) return undefined
    const exchange = new PendingExchange(this, this.#host.now, request)
    this.#pending.set(exchange.messageId | 0, exchange)
    this.#host.timers.set(exchange, exchange.nextAt)
    this.#host.transmit(exchange)
    return exchange
  }

  /** The exchange that this answer belongs to; it stays pending. */
  match(
    ackedMessageId: number,
    from: Endpoint,
    ...kinds: readonly Exchange['kind'][]
  ): Exchange | undefined {
    const exchange = this.#pending.get(ackedMessageId | 0)
    if (exchange === undefined || !kinds.includes(exchange.kind)) return undefined
    if (sameEndpoint(exchange.to, from)) return exchange
    return exchange.alternates.some((other) => sameEndpoint(other, from)) ? exchange : undefined
  }

  /** Removes an answered or abandoned exchange; its owner is not told. */
  finish(messageId: number): boolean {
    const exchange = this.#pending.get(messageId | 0)
    if (exchange === undefined) return false
    this.#remove(exchange)
    return true
  }

  /** Drops all, telling nobody. */
  clear(): void {
    for (const exchange of this.#pending.values()) this.#host.timers.cancel(exchange)
    this.#pending.clear()
  }

  /** The timer of an exchange fired: soft timeout, or MS-PNRP 3.1.6.3. */
  expire(exchange: PendingExchange): void {
    const { now, timers } = this.#host
    if (exchange.softAt !== undefined && exchange.softAt <= now) {
      exchange.softAt = undefined
      timers.set(exchange, exchange.nextAt)
      exchange.owner.onSoftTimeout?.(exchange)
      return
    }
    exchange.retryCount--
    if (exchange.retryCount > 0) {
      exchange.transmitted(now)
      timers.set(exchange, exchange.nextAt)
      this.#host.transmit(exchange)
      return
    }
    this.#remove(exchange)
    exchange.owner.onGivenUp?.(exchange)
  }

  #remove(exchange: PendingExchange): void {
    this.#pending.delete(exchange.messageId | 0)
    this.#host.timers.cancel(exchange)
    this.#host.exchangeEnded(exchange)
  }
}
