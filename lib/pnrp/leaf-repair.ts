import { bytesKey } from '../core/bytes.js'
import type { Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { below, unit } from '../core/rng.js'
import { midpoint } from '../native/ring.js'
import type { CachedEntry } from '../native/route-cache.js'
import {
  ResolveCriteria,
  ResolveReason,
  type AuthorityBuffer,
  type LookupMessage,
  type PnrpId,
} from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { extendFloodedList } from './flood-sender.js'
import type { Exchange, ExchangeOwner, LocalRegistration } from './parts.js'
import { entryHasEndpoint } from './route-entry.js'

/**
 * Keeps leaf sets complete (MS-PNRP 3.2.1.1). The floods of the specification leave gaps when
 * packets are lost, nodes vanish or many join at once. So a leaf set member is asked, now and then
 * and after each change, for a node on its side that we do not know: a LOOKUP for the middle
 * between our ID and the farthest member, with our entry, whose Flagged Path names the members
 * that we know. Whoever is missing is nearer that middle than anybody outside. Each new member
 * causes the next question, until there is no news.
 */
export class LeafRepair implements Timed, ExchangeOwner {
  readonly #context: CloudContext
  /** Local IDs whose leaf set changed. */
  readonly #changed = new Map<string, PnrpId>()
  /** Rotates over the local IDs, a few a tick. */
  #turn = 0

  constructor(context: CloudContext) {
    this.#context = context
  }

  /** Once a maintenance tick: one member of a few local IDs' leaf sets, on one side. */
  tick(): void {
    const { parts, rng } = this.#context
    const all = [...parts.registrations.all()]
    for (let i = 0; i < Math.min(all.length, LIMITS.leafProbesPerTurn); i++) {
      const registration = all[this.#turn++ % all.length] as LocalRegistration
      this.#probe(registration, below(rng, 2) === 0 ? 'smaller' : 'greater')
    }
  }

  leafSetsChanged(leafOf: readonly PnrpId[]): void {
    for (const pnrpId of leafOf) this.#changed.set(bytesKey(pnrpId), pnrpId)
    this.#arm()
  }

  onTimer(): void {
    const { parts } = this.#context
    let left = LIMITS.leafProbesPerTurn
    for (const [key, pnrpId] of this.#changed) {
      if (left-- === 0) break
      this.#changed.delete(key)
      const registration = parts.registrations.find(pnrpId)
      if (registration === undefined) continue
      this.#probe(registration, 'smaller')
      this.#probe(registration, 'greater')
    }
    this.#arm()
  }

  onAuthority(exchange: Exchange, from: Endpoint, { notFound, routeEntry }: AuthorityBuffer): void {
    const { cache, now, parts } = this.#context
    const member = exchange.validatePnrpId as PnrpId
    if (notFound) this.#context.evictAt(member, exchange.to)
    else cache.touch(member, now)
    if (routeEntry !== undefined) parts.admission.submit(routeEntry, { via: 'AUTHORITY', from })
  }

  onGivenUp(exchange: Exchange): void {
    this.#context.silentAt(exchange.validatePnrpId as PnrpId, exchange.to)
  }

  #arm(): void {
    const { now, rng, timers } = this.#context
    if (this.#changed.size === 0 || timers.get(this) !== undefined) return
    timers.set(this, now + Math.round(LIMITS.leafProbeDelayUs * (0.5 + unit(rng))))
  }

  /** Asks one of the members on that side. */
  #probe(registration: LocalRegistration, side: 'smaller' | 'greater'): void {
    const context = this.#context
    const { pnrpId } = registration
    const members = context.cache.leafSet(pnrpId)[side]
    const farthest = members.at(-1)
    if (farthest === undefined) return
    const asked = members[below(context.rng, members.length)] as CachedEntry
    const route = context.destinationsOf(asked)
    if (route === undefined) return
    const middle =
      side === 'greater' ? midpoint(pnrpId, farthest.pnrpId) : midpoint(farthest.pnrpId, pnrpId)
    const message: LookupMessage = {
      type: 'LOOKUP',
      messageId: context.newMessageId(),
      acceptNotCloser: true,
      precision: 0,
      resolveCriteria: ResolveCriteria.NONE,
      resolveReasonCode: ResolveReason.CACHE_MAINTENANCE,
      targetPnrpId: middle,
      validatePnrpId: asked.pnrpId,
      routeEntry: context.parts.registrations.routeEntry(registration),
      flaggedPath: this.#knownTo(registration, asked),
    }
    context.request(message, { ...route, reason: ResolveReason.CACHE_MAINTENANCE, owner: this })
  }

  /** Ourselves and the members that need not be named to us, but for the one that is asked. */
  #knownTo(registration: LocalRegistration, asked: CachedEntry): Endpoint[] {
    const context = this.#context
    const { smaller, greater } = context.cache.leafSet(registration.pnrpId)
    const others = context
      .allReachedAt([...smaller, ...greater])
      .filter((endpoint) => !entryHasEndpoint(asked, endpoint))
    const own = context.localEndpoints.slice(0, 1)
    return extendFloodedList(own, others) ?? own
  }
}
