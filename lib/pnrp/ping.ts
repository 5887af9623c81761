import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { sha1 } from '../native/digest.js'
import type { PnrpId } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { Exchange, ExchangeOwner } from './parts.js'

/** One ping under way. */
class Ping implements ExchangeOwner {
  readonly #pings: Pings
  readonly handle: number

  constructor(pings: Pings, handle: number) {
    this.#pings = pings
    this.handle = handle
  }

  onAuthority(exchange: Exchange): void {
    this.#pings.answered(this, exchange)
  }

  onAdvertise(exchange: Exchange): void {
    this.#pings.answered(this, exchange)
  }

  onGivenUp(exchange: Exchange): void {
    this.#pings.givenUp(this, exchange)
  }
}

/**
 * "Is that node there?" An INQUIRE that asks for nothing when a PNRP ID is known, else a SOLICIT
 * whose conversation goes no further. Nothing is cached.
 */
export class Pings {
  readonly #context: CloudContext
  #open = 0

  constructor(context: CloudContext) {
    this.#context = context
  }

  start(handle: number, to: Endpoint, pnrpId?: PnrpId): void {
    const context = this.#context
    const owner = new Ping(this, handle)
    const messageId = context.newMessageId()
    if (this.#open >= LIMITS.pings) {
      context.events.push({ type: 'pong', handle })
      return
    }
    const exchange =
      pnrpId === undefined
        ? context.request(
            { type: 'SOLICIT', messageId, hashedNonce: sha1(context.rng.bytes(16)) },
            { to, reason: 'ping', owner },
          )
        : context.request(
            {
              type: 'INQUIRE',
              messageId,
              wantCpa: false,
              wantExtendedPayload: false,
              wantCertificateChain: false,
              validatePnrpId: pnrpId,
            },
            { to, reason: 'ping', owner },
          )
    if (exchange === undefined) context.events.push({ type: 'pong', handle })
    else this.#open++
  }

  answered(ping: Ping, exchange: Exchange): void {
    this.#open--
    const { events, now } = this.#context
    const { validatePnrpId } = exchange
    events.push({
      type: 'pong',
      handle: ping.handle,
      rttUs: now - exchange.sentAt,
      ...(validatePnrpId === undefined ? {} : { pnrpId: validatePnrpId }),
    })
  }

  givenUp(ping: Ping, exchange: Exchange): void {
    this.#open--
    const { validatePnrpId } = exchange
    this.#context.events.push({
      type: 'pong',
      handle: ping.handle,
      ...(validatePnrpId === undefined ? {} : { pnrpId: validatePnrpId }),
    })
  }
}
