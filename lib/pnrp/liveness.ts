import { bytesKey } from '../core/bytes.js'
import type { Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { AuthorityBuffer, InquireMessage, PnrpId } from '../wire/messages.js'
import { steadyCloudSize } from './cloud-size.js'
import type { CloudContext } from './context.js'
import type { Exchange, ExchangeOwner } from './parts.js'

/** How long an entry may go unproven, and how often we look. */
interface Pace {
  readonly tickUs: number
  readonly leafWithinUs: number
  readonly farWithinUs: number
}

/**
 * Hears of nodes that are gone, and of the endpoint that stayed silent (undefined when the entry
 * has none that can be used any more); the entry is still cached then.
 */
type OnLost = (entry: CachedEntry, silent: Endpoint | undefined) => void

/**
 * Asks every cached node in turn whether it is still there, by an INQUIRE that wants nothing signed
 * (56 bytes, answered by 44). In a small cloud each entry is asked within `livenessWithinUs`, so
 * that half a minute after a node died no cache holds it; in a big one more slowly, far entries
 * more slowly still. Any other answer of the node counts as well. A node that leaves two INQUIREs
 * unanswered (four packets) is lost with all its entries.
 */
export class Liveness implements Timed {
  readonly #context: CloudContext
  readonly #onLost: OnLost
  /** Entries being asked. */
  readonly #asked = new Set<string>()
  readonly #first: ExchangeOwner
  readonly #second: ExchangeOwner
  /** Estimated nodes of the cloud, and until when that will do. */
  #nodes = 0
  #estimateUntil: Instant = 0

  constructor(context: CloudContext, onLost: OnLost) {
    this.#context = context
    this.#onLost = onLost
    const onAuthority = this.#answered.bind(this)
    this.#first = { onAuthority, onGivenUp: this.#unanswered.bind(this) }
    this.#second = { onAuthority, onGivenUp: this.#lost.bind(this) }
  }

  /** The cache has entries: see that the timer runs. */
  start(): void {
    const { now, timers } = this.#context
    if (timers.get(this) === undefined) timers.set(this, now + LIMITS.livenessTickUs)
  }

  onTimer(): void {
    const { cache, now, timers } = this.#context
    if (cache.size === 0) return
    const pace = this.#pace(cache.size)
    timers.set(this, now + pace.tickUs)
    for (const entry of this.#due(pace)) this.#ask(entry, this.#first)
  }

  /** Those to ask at this tick, most urgent first. No other entry becomes an object. */
  #due(pace: Pace): CachedEntry[] {
    const { cache } = this.#context
    const slacks = this.#slacks(pace)
    const inOrder = slacks.slice().sort()
    const count = askNow(inOrder, pace.tickUs)
    if (count === 0) return []
    const last = inOrder[count - 1] as number
    const places: number[] = []
    slacks.forEach((slack, place) => {
      if (slack <= last) places.push(place)
    })
    places.sort((a, b) => (slacks[a] as number) - (slacks[b] as number))
    return places.slice(0, count).map((place) => cache.entryAt(place) as CachedEntry)
  }

  /** By place in the cache, how long each entry may wait; those being asked for ever. */
  #slacks({ leafWithinUs, farWithinUs }: Pace): Float64Array {
    const { cache, now } = this.#context
    const asked = this.#asked
    const slacks = new Float64Array(cache.size)
    cache.scan((place, pnrpId, validatedAt) => {
      const waiting = asked.size > 0 && asked.has(bytesKey(pnrpId))
      slacks[place] = waiting ? Infinity : validatedAt + farWithinUs - now
    })
    if (leafWithinUs === farWithinUs) return slacks
    return slacks.map((slack, place) =>
      cache.isLeafAt(place) ? slack + leafWithinUs - farWithinUs : slack,
    )
  }

  #pace(entries: number): Pace {
    if (entries > LIMITS.livenessSmallCache) return BIG_CLOUD
    const { now } = this.#context
    if (now >= this.#estimateUntil) {
      this.#nodes = steadyCloudSize(this.#context) ?? entries
      this.#estimateUntil = now + LIMITS.maintenanceIntervalUs
    }
    return this.#nodes <= LIMITS.livenessSmallCloud ? SMALL_CLOUD : BIG_CLOUD
  }

  #ask(entry: CachedEntry, owner: ExchangeOwner): void {
    const context = this.#context
    const route = context.destinationsOf(entry)
    if (route === undefined) {
      this.#onLost(entry, undefined)
      return
    }
    const message: InquireMessage = {
      type: 'INQUIRE',
      messageId: context.newMessageId(),
      wantCpa: false,
      wantExtendedPayload: false,
      wantCertificateChain: false,
      validatePnrpId: entry.pnrpId,
    }
    if (context.request(message, { ...route, reason: 'ping', owner }) !== undefined) {
      this.#asked.add(bytesKey(entry.pnrpId))
    }
  }

  #answered(exchange: Exchange, _from: Endpoint, buffer: AuthorityBuffer): void {
    const pnrpId = exchange.validatePnrpId as PnrpId
    this.#asked.delete(bytesKey(pnrpId))
    if (buffer.notFound) this.#context.evictAt(pnrpId, exchange.to)
    else this.#context.cache.touch(pnrpId, this.#context.now)
  }

  #unanswered(exchange: Exchange): void {
    const entry = this.#forget(exchange)
    if (entry !== undefined) this.#ask(entry, this.#second)
  }

  #lost(exchange: Exchange): void {
    const entry = this.#forget(exchange)
    // Somebody else may have had an answer from it in the meantime.
    if (entry !== undefined && entry.validatedAt < exchange.sentAt) {
      this.#onLost(entry, exchange.to)
    }
  }

  #forget(exchange: Exchange): CachedEntry | undefined {
    const pnrpId = exchange.validatePnrpId as PnrpId
    this.#asked.delete(bytesKey(pnrpId))
    return this.#context.cache.get(pnrpId)
  }
}

const SMALL_CLOUD: Pace = {
  tickUs: LIMITS.livenessTickUs,
  leafWithinUs: LIMITS.livenessWithinUs,
  farWithinUs: LIMITS.livenessWithinUs,
}

const BIG_CLOUD: Pace = {
  tickUs: LIMITS.livenessBigTickUs,
  leafWithinUs: LIMITS.livenessBigLeafWithinUs,
  farWithinUs: LIMITS.livenessBigFarWithinUs,
}

/**
 * How many to ask at this tick, of entries in order of their slack, so that with the same number at
 * each tick none is asked after its slack has run out: the load is level even if all are due at
 * once.
 */
export function askNow(slacks: ArrayLike<number>, tickUs: number): number {
  let needed = 0
  for (let i = 0; i < slacks.length; i++) {
    const ticksLeft = Math.max(1, Math.floor((slacks[i] as number) / tickUs) + 1)
    needed = Math.max(needed, (i + 1) / ticksLeft)
  }
  return Math.ceil(needed)
}
