import { equalBytes, isAllZero } from '../core/bytes.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { compareDistance } from '../native/ring.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { FloodMessage, PnrpId, RouteEntry } from '../wire/messages.js'
import { TokenBucket } from '../core/token-bucket.js'
import type { CloudContext } from './context.js'
import {
  extendFloodedList,
  floodAcknowledged,
  floodGivenUp,
  sendFlood,
  sendFloodTo,
} from './flood-sender.js'
import type {
  EntryOrigin,
  Exchange,
  ExchangeOwner,
  FloodingPart,
  LocalRegistration,
} from './parts.js'
import { RevokeReceiver } from './revoke-receiver.js'
import { entryHasEndpoint } from './route-entry.js'

const NO_ID = new Uint8Array(32)

/**
 * FLOODs, both ways: what others flood to us (MS-PNRP 3.1.5.5, 3.2.5.5), and the leaf-set floods
 * that a newly validated entry sets off (3.2.5.11).
 */
export class Flooding implements FloodingPart, ExchangeOwner {
  readonly #context: CloudContext
  readonly #revokes: RevokeReceiver
  readonly #allowance = new TokenBucket(LIMITS.floods)

  constructor(context: CloudContext) {
    this.#context = context
    this.#revokes = new RevokeReceiver(context, this)
  }

  handleFlood(from: Endpoint, message: FloodMessage): void {
    const { budgets, counters, now, parts } = this.#context
    const { admission } = parts
    if (!budgets.lookup.take(now, from)) {
      counters.add('drop.flood-budget')
      return
    }
    if (!message.doNotAck) this.#acknowledge(from, message)
    if (message.routeEntry !== undefined) {
      admission.submit(message.routeEntry, {
        via: 'FLOOD',
        from,
        floodedList: message.floodedList,
        floodValidate: message.validatePnrpId,
      })
    }
    if (message.revokeCpa !== undefined) {
      this.#revokes.handle(from, message.revokeCpa, message.floodedList)
    }
  }

  entryCached(entry: RouteEntry, origin: EntryOrigin): void {
    const { cache, parts } = this.#context
    const leafOf = cache.leafOf(entry.pnrpId)
    parts.registrations.neighboursChanged(leafOf)
    if (leafOf.length === 0) return
    this.#forward(entry, origin)
    this.#introduceOurselves(entry, origin, leafOf)
  }

  onAck(exchange: Exchange, notFound: boolean): void {
    floodAcknowledged(this.#context, exchange, notFound)
  }

  onGivenUp(exchange: Exchange): void {
    floodGivenUp(this.#context, exchange)
  }

  /** MS-PNRP 3.2.5.5; the Validate ID of a FLOOD that carries nothing means nothing (2.2.2.4). */
  #acknowledge(from: Endpoint, message: FloodMessage): void {
    const context = this.#context
    const { messageId, revokeCpa, routeEntry, validatePnrpId } = message
    const carries = routeEntry !== undefined || revokeCpa !== undefined
    const notFound =
      carries &&
      !isAllZero(validatePnrpId) &&
      context.parts.registrations.find(validatePnrpId) === undefined
    context.send(
      from,
      { type: 'ACK', messageId: context.newMessageId(), ackedMessageId: messageId, notFound },
      'answer',
    )
  }

  /** Tells the nearest neighbours of the new entry that have not heard of it yet. */
  #forward(entry: RouteEntry, origin: EntryOrigin): void {
    const context = this.#context
    const { cache, counters, localEndpoints } = context
    const received = origin.floodedList ?? []
    const exclude = [...received, ...localEndpoints, ...endpointsOf(entry)]
    if (origin.via === 'FLOOD') exclude.push(origin.from)
    const targets = this.#distinct(
      cache.above(entry.pnrpId, exclude),
      cache.below(entry.pnrpId, exclude),
    )
    if (targets.length === 0) return
    const floodedList = extendFloodedList(received, [
      ...localEndpoints.slice(0, 1),
      ...context.allReachedAt(targets),
    ])
    if (floodedList === undefined) {
      counters.add('flood.list-full')
      return
    }
    for (const target of targets) {
      if (this.#mayFlood()) {
        sendFlood(context, target, { routeEntry: entry }, floodedList, this)
      }
    }
  }

  /**
   * N-33: the node of the new entry must learn of the local IDs it is now a neighbour of, and the
   * node that told us of it as well, unless it shows that it knows us.
   */
  #introduceOurselves(entry: RouteEntry, origin: EntryOrigin, leafOf: readonly PnrpId[]): void {
    const context = this.#context
    const { registrations } = context.parts
    const ours = this.#nearestOf(leafOf, entry.pnrpId)
    const fromItself = entryHasEndpoint(entry, origin.from)
    const knownTo = this.#addressed(origin)
    for (const registration of ours) {
      // A LOOKUP or a FLOOD from the node itself was sent to one of our IDs: it has that already.
      if (fromItself && (origin.via === 'LOOKUP' || registration === knownTo)) continue
      if (!this.#mayFlood()) return
      const routeEntry = registrations.routeEntry(registration)
      const floodedList = [...context.localEndpoints.slice(0, 1), ...context.allReachedAt([entry])]
      sendFlood(context, entry, { routeEntry }, floodedList, this)
    }
    const first = ours[0]
    const stranger = origin.via === 'FLOOD' && !fromItself && knownTo === undefined
    if (stranger && first !== undefined && this.#mayFlood()) {
      this.#replyToSender(origin.from, first)
    }
  }

  /** Nobody can make us send more than so many: others' entries set these floods off. */
  #mayFlood(): boolean {
    const { counters, now, parts } = this.#context
    const cost = Math.min(1, LIMITS.floodsRegistrations / parts.registrations.size)
    if (this.#allowance.take(now, cost)) return true
    counters.add('flood.withheld')
    return false
  }

  /** The local ID that a FLOOD's sender meant. */
  #addressed(origin: EntryOrigin): LocalRegistration | undefined {
    return origin.floodValidate === undefined
      ? undefined
      : this.#context.parts.registrations.find(origin.floodValidate)
  }

  /** MS-PNRP 3.2.5.11, last step. */
  #replyToSender(from: Endpoint, registration: LocalRegistration): void {
    const { cache, localEndpoints, parts } = this.#context
    const known = cache.entries().find((entry) => entryHasEndpoint(entry, from))
    const content = { routeEntry: parts.registrations.routeEntry(registration) }
    const floodedList = [...localEndpoints.slice(0, 1), from]
    sendFloodTo(this.#context, { to: from }, known?.pnrpId ?? NO_ID, content, floodedList, this)
  }

  /** Both, or one of them if they are the same node or one is missing. */
  #distinct(a: CachedEntry | undefined, b: CachedEntry | undefined): CachedEntry[] {
    const found = [a, b].filter((entry) => entry !== undefined)
    const [first, second] = found
    if (first === undefined || second === undefined) return found
    if (equalBytes(first.pnrpId, second.pnrpId)) return [first]
    const [one, other] = this.#context.allReachedAt(found)
    const same = one !== undefined && other !== undefined && sameEndpoint(one, other)
    return same ? [first] : found
  }

  /** The local IDs nearest the entry, as many as its leaf set can hold. */
  #nearestOf(leafOf: readonly PnrpId[], pnrpId: PnrpId): LocalRegistration[] {
    const { registrations } = this.#context.parts
    return [...leafOf]
      .sort((a, b) => compareDistance(pnrpId, a, b))
      .slice(0, 2 * LIMITS.leafSetSide)
      .map((id) => registrations.find(id))
      .filter((registration) => registration !== undefined)
  }
}

function endpointsOf(entry: RouteEntry): Endpoint[] {
  return entry.addresses.map((address) => ({ address, port: entry.port }))
}
