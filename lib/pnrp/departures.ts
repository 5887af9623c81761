import { equalBytes } from '../core/bytes.js'
import type { Timed } from '../core/deadlines.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { FloodMessage } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { buildSignedRevoke } from './cpa-construction.js'
import { floodAcknowledged, floodGivenUp, sendFlood, type FloodContent } from './flood-sender.js'
import type { Exchange, ExchangeOwner, LocalRegistration } from './parts.js'
import { entryHasEndpoint } from './route-entry.js'
import type { LeafSet } from './registration.js'

const NO_ID = new Uint8Array(32)

/**
 * Orderly leaving, MS-PNRP 3.2.4.2: the neighbours of a PNRP ID that is no longer registered are
 * told, and the far ends of its leaf set learn of each other's nearest so that no gap stays. It
 * ends when all have acknowledged or are given up, and at the latest after `LIMITS.leaveUs`.
 */
export class Departures {
  readonly #context: CloudContext
  readonly #queue = new Queue<Departure>()
  readonly #open = new Set<Departure>()
  #running = 0

  constructor(context: CloudContext) {
    this.#context = context
  }

  /** Something is left to send or to be acknowledged. */
  get active(): boolean {
    return this.#open.size > 0
  }

  /** `neighbours` is the leaf set that the registration had; `done` is called once. */
  start(registration: LocalRegistration, neighbours: LeafSet, done: () => void): void {
    const { smaller, greater } = neighbours
    const { recentAskers } = this.#context.parts.responder
    if (smaller.length === 0 && greater.length === 0 && recentAskers.length === 0) {
      done()
      return
    }
    const departure = new Departure(this.#context, registration, neighbours, (ended) => {
      this.#ended(ended)
      done()
    })
    this.#open.add(departure)
    this.#queue.push(departure)
    this.#pump()
  }

  #ended(departure: Departure): void {
    this.#open.delete(departure)
    if (departure.begun) this.#running--
    this.#pump()
  }

  #pump(): void {
    while (this.#running < LIMITS.concurrentDepartures) {
      const next = this.#queue.shift()
      if (next === undefined) return
      if (!this.#open.has(next)) continue
      this.#running++
      next.begin()
    }
  }
}

/** One PNRP ID on its way out. */
class Departure implements Timed, ExchangeOwner {
  begun = false
  readonly #context: CloudContext
  readonly #registration: LocalRegistration
  readonly #neighbours: LeafSet
  readonly #onEnd: (departure: Departure) => void
  /** FLOODs without ACK. */
  #outstanding = 0
  #ended = false

  constructor(
    context: CloudContext,
    registration: LocalRegistration,
    neighbours: LeafSet,
    onEnd: (departure: Departure) => void,
  ) {
    this.#context = context
    this.#registration = registration
    this.#neighbours = neighbours
    this.#onEnd = onEnd
    context.timers.set(this, context.now + LIMITS.leaveUs)
  }

  begin(): void {
    this.begun = true
    buildSignedRevoke(this.#context, this.#registration, (revoke) => {
      if (this.#ended) return
      if (revoke !== undefined) this.#tellNeighbours(revoke)
      this.#closeGap()
      if (this.#outstanding === 0) this.#end()
    })
  }

  onAck(exchange: Exchange, notFound: boolean): void {
    floodAcknowledged(this.#context, exchange, notFound)
    this.#settleOne()
  }

  onGivenUp(exchange: Exchange): void {
    floodGivenUp(this.#context, exchange)
    this.#settleOne()
  }

  onTimer(): void {
    this.#context.counters.add('leave.out-of-time')
    this.#end()
  }

  #tellNeighbours(revokeCpa: Uint8Array): void {
    const { smaller, greater } = this.#neighbours
    const nearest = [smaller[0], greater[0]].filter((entry) => entry !== undefined)
    const [first, second] = nearest
    // In a cloud of two both neighbours are the same.
    const once = second !== undefined && first !== undefined && isSame(first, second)
    for (const entry of once ? [first] : nearest) this.#flood(entry, { revokeCpa }, nearest)
    this.#tellAskers(revokeCpa, nearest)
  }

  /**
   * Whoever resolved the name lately holds its entry, and if it published nothing itself the FLOODs
   * from neighbour to neighbour never reach it. Sent once, without ACK; its PNRP ID is not known.
   */
  #tellAskers(revokeCpa: Uint8Array, told: readonly CachedEntry[]): void {
    const context = this.#context
    const floodedList = context.localEndpoints.slice(0, 1)
    for (const asker of context.parts.responder.recentAskers) {
      if (told.some((entry) => entryHasEndpoint(entry, asker))) continue
      const message: FloodMessage = {
        type: 'FLOOD',
        messageId: context.newMessageId(),
        doNotAck: true,
        validatePnrpId: NO_ID,
        revokeCpa,
        floodedList,
      }
      context.send(asker, message, 'flood')
    }
  }

  /** N-31: route entry of g1 to s5, of s1 to g5; with fewer than five, to the farthest known. */
  #closeGap(): void {
    const { smaller, greater } = this.#neighbours
    this.#introduce(greater[0], smaller.at(-1))
    this.#introduce(smaller[0], greater.at(-1))
  }

  #introduce(entry: CachedEntry | undefined, to: CachedEntry | undefined): void {
    if (entry === undefined || to === undefined || isSame(entry, to)) return
    this.#flood(to, { routeEntry: entry }, [entry, to])
  }

  #flood(to: CachedEntry, content: FloodContent, listed: readonly CachedEntry[]): void {
    const context = this.#context
    const floodedList = [...context.localEndpoints.slice(0, 1), ...context.allReachedAt(listed)]
    if (sendFlood(context, to, content, floodedList, this)) this.#outstanding++
  }

  #settleOne(): void {
    this.#outstanding--
    if (this.#outstanding === 0) this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#context.timers.cancel(this)
    this.#onEnd(this)
  }
}

function isSame(a: CachedEntry, b: CachedEntry): boolean {
  return equalBytes(a.pnrpId, b.pnrpId)
}
