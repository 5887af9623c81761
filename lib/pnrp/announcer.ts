import { equalBytes } from '../core/bytes.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import { below, unit } from '../core/rng.js'
import { addSmall } from '../native/ring.js'
import { ResolveCriteria, ResolveReason, type PnrpId, type RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { RegistrationState } from './interface.js'
import type { LocalIdList } from './local-ids.js'
import type { ResolveOutcome } from './parts.js'
import type { Registration, RegistrationTimerOwner } from './registration.js'

/**
 * Makes registrations known by the registration walk (MS-PNRP 3.2.4.1 step 5): every LOOKUP of a
 * resolve of ID + 1 carries the entry. What the text leaves out (design lesson "Joining fast breaks
 * leaf sets"): one walk may end before it meets all neighbours, so it is repeated soon after, from
 * a far entry, and again while the leaf set is thin or changing. Then once a day (N-54).
 *
 * A registration is `announcing` until a walk ended; `registered` when a node answered a LOOKUP
 * that carried it; `lonely` when there is nobody to tell, or nobody answered.
 */
export class Announcer implements RegistrationTimerOwner {
  readonly #context: CloudContext
  readonly #list: LocalIdList<Registration>
  readonly #queue = new Queue<Registration>()
  /** Those that wait for the first entry in the cache, since when. */
  readonly #waiting = new Map<Registration, Instant>()
  #walking = 0
  #pumping = false

  constructor(context: CloudContext, list: LocalIdList<Registration>) {
    this.#context = context
    this.#list = list
  }

  /** Starts over: walks at once, starting `through` that node if one is given. */
  announce(registration: Registration, through?: RouteEntry): void {
    registration.walks = 0
    registration.through = through
    if (registration.state === undefined) this.#setState(registration, 'announcing')
    if (registration.phase === 'walking') registration.again = true
    else this.#enqueue(registration)
  }

  forget(registration: Registration): void {
    registration.phase = 'gone'
    this.#waiting.delete(registration)
    this.#context.timers.cancel(registration)
  }

  /** The cache gained or lost an entry. */
  neighboursChanged(): void {
    if (this.#context.cache.size === 0) this.#isolated()
    else if (this.#waiting.size > 0) this.#notAlone()
  }

  /** Tells the higher layer the present state. */
  report({ alias, handle, state, pnrpId }: Registration): void {
    if (state === undefined || alias) return
    this.#context.events.push({ type: 'registration', handle, state, pnrpId })
  }

  /** A registration's time has come. */
  due(registration: Registration): void {
    if (this.#waiting.has(registration)) this.#wait(registration)
    else if (registration.settled) this.announce(registration)
    else this.#enqueue(registration)
  }

  /** The first entry: those of one synchronization come together, so let them, then walk. */
  #notAlone(): void {
    const { now, timers } = this.#context
    for (const registration of this.#waiting.keys()) {
      timers.set(registration, now + LIMITS.announceSettleUs)
    }
    this.#waiting.clear()
  }

  /** The cache is empty: nobody knows our names any more, and the next neighbour has to be told. */
  #isolated(): void {
    for (const registration of this.#list.all()) {
      if (registration.phase !== 'idle' || this.#waiting.has(registration)) continue
      registration.walks = 0
      registration.settled = false
      this.#setState(registration, 'lonely')
      this.#wait(registration)
    }
  }

  #enqueue(registration: Registration): void {
    if (registration.phase !== 'idle') return
    registration.phase = 'queued'
    registration.settled = false
    this.#waiting.delete(registration)
    this.#context.timers.cancel(registration)
    this.#queue.push(registration)
    this.#pump()
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#walking < LIMITS.concurrentAnnouncements) {
      const next = this.#queue.shift()
      if (next === undefined) break
      if (next.phase === 'queued') this.#begin(next)
    }
    this.#pumping = false
  }

  #begin(registration: Registration): void {
    const { cache, localEndpoints, now, parts } = this.#context
    registration.phase = 'idle'
    if (localEndpoints.length === 0 || (cache.size === 0 && registration.through === undefined)) {
      this.#wait(registration)
      return
    }
    const initialNextHop = registration.through ?? this.#farEntry(registration)
    registration.through = undefined
    registration.leafSetChanged = false
    registration.phase = 'walking'
    this.#walking++
    parts.resolver.start({
      target: addSmall(registration.pnrpId, 1),
      criteria: ResolveCriteria.NONE,
      precision: 0,
      reason: ResolveReason.REGISTRATION,
      pickBestMatchFromLocalIds: false,
      initialBestMatch: this.#list.routeEntry(registration),
      ...(initialNextHop === undefined ? {} : { initialNextHop }),
      deadline: now + LIMITS.resolveDeadlineUs,
      onDone: (outcome) => {
        this.#walkDone(registration, outcome)
      },
    })
  }

  /** For a repeated walk: any cached entry, not of the leaf set if there are others. */
  #farEntry(registration: Registration): RouteEntry | undefined {
    if (registration.walks === 0) return undefined
    const { cache, rng } = this.#context
    const isFar = (pnrpId: PnrpId): boolean =>
      !cache.leafOf(pnrpId).some((id) => equalBytes(id, registration.pnrpId))
    const far = cache.spread(LIMITS.spreadEntries).filter(isFar)
    const chosen = far[below(rng, Math.max(1, far.length))]
    return chosen === undefined ? cache.random(rng.uint32()) : cache.get(chosen)
  }

  #walkDone(registration: Registration, outcome: ResolveOutcome): void {
    this.#walking--
    if (registration.phase === 'walking') {
      registration.phase = 'idle'
      if (outcome.usefulHops > 0) this.#heard(registration)
      else if (outcome.outcome !== 'cancelled') this.#unheard(registration)
    }
    this.#pump()
  }

  #heard(registration: Registration): void {
    this.#setState(registration, 'registered')
    registration.walks++
    if (registration.again) this.#again(registration)
    else this.#planNext(registration)
  }

  #unheard(registration: Registration): void {
    const { cache, now, rng, timers } = this.#context
    if (registration.again) this.#again(registration)
    else if (cache.size === 0) this.#wait(registration)
    else {
      if (registration.state === 'announcing') this.#setState(registration, 'lonely')
      timers.set(registration, now + spreadOut(LIMITS.announceRetryUs, unit(rng)))
    }
  }

  #again(registration: Registration): void {
    registration.again = false
    this.#enqueue(registration)
  }

  #planNext(registration: Registration): void {
    const { now, rng, timers } = this.#context
    const delay = this.#repeatDelay(registration)
    if (delay === undefined) {
      registration.settled = true
      // Up to a tenth early, so that the names of a node do not all come at the same moment.
      timers.set(registration, now + Math.round(LIMITS.reannounceIntervalUs * (1 - unit(rng) / 10)))
    } else {
      timers.set(registration, now + spreadOut(delay, unit(rng)))
    }
  }

  #repeatDelay(registration: Registration): number | undefined {
    const { walks, leafSetChanged, pnrpId } = registration
    const delay = LIMITS.announceRepeatsUs[walks - 1]
    if (delay === undefined || walks === 1 || leafSetChanged) return delay
    const { smaller, greater } = this.#context.cache.leafSet(pnrpId)
    const thin = smaller.length + greater.length < 2 * LIMITS.leafSetSide
    return thin ? delay : undefined
  }

  /** Waits for a neighbour; says so when none is in sight. */
  #wait(registration: Registration): void {
    const { now, parts, timers } = this.#context
    if (!this.#waiting.has(registration)) parts.discovery.introduce()
    const since = this.#waiting.get(registration) ?? now
    this.#waiting.set(registration, since)
    if (parts.discovery.exhausted || now - since >= LIMITS.lonelyAfterUs) {
      this.#setState(registration, 'lonely')
      return
    }
    // Discovery on a fast network ends soon: look often at first.
    const delay = Math.max(LIMITS.lonelyCheckMinUs, Math.min(now - since, LIMITS.lonelyCheckMaxUs))
    timers.set(registration, now + delay)
  }

  #setState(registration: Registration, state: RegistrationState): void {
    if (registration.state === state) return
    registration.state = state
    this.report(registration)
  }
}

/** Between three quarters and five quarters of a delay. */
function spreadOut(delay: number, draw: number): number {
  return Math.round(delay * (0.75 + draw / 2))
}
