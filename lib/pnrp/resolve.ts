import type { Timed } from '../core/deadlines.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { FewMap } from '../core/few-map.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import { ResolveReason, type AuthorityBuffer, type RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { validateCpa, type CpaVerdict } from './cpa-validation.js'
import type {
  CommandFailure,
  CpaRefusal,
  ResolvedPeer,
  ResolveResult,
  ResolveStep,
} from './interface.js'
import type { Exchange, ExchangeOwner, ResolveOutcome, ResolveRequest } from './parts.js'
import { inquireMessage, lookupMessage } from './resolve-messages.js'
import { endpointsOfExcluded, nearestLocal, submitEntries } from './resolve-entries.js'
import { ResolveWalk, type Hop } from './resolve-walk.js'
import { addressesWithin, keepEntry } from './route-entry.js'

/** A LOOKUP or INQUIRE of a resolve that has no final outcome yet. */
interface Probe {
  readonly entry: RouteEntry
  readonly to: Endpoint
  /** Of a LOOKUP. */
  readonly hop?: Hop
  /** The second exchange with a node that left the first unanswered: there is no third. */
  last?: boolean
  /** Sent twice, and the soft timeout passed after both. */
  silent?: boolean
}

/** Hears of the end of a resolve. */
export interface ResolveTable {
  ended(resolve: Resolve): void
}

/**
 * One resolve under way, MS-PNRP 3.1.4.4.2: sends what its walk asks for and feeds the answers
 * back.
 *
 * At a soft timeout it leaves the silent node behind and goes on (its endpoint joins the Flagged
 * Path), but the request stays pending and a late answer counts as any other. Only the full timeout
 * of 3.1.6.3 evicts. So there may be several open probes; `#current` is the one that the walk waits
 * for (LastSentMessageId of the text). With nothing left to ask it waits for all that are open,
 * until each was silent twice; once a match was given up, for other matches only. Requests still
 * pending at the end run out by themselves, so that the dead are found out even by a resolve that
 * went around them.
 */
export class Resolve implements ExchangeOwner, Timed {
  readonly request: ResolveRequest
  readonly #context: CloudContext
  readonly #table: ResolveTable
  readonly #walk: ResolveWalk
  readonly #probes = new FewMap<number, Probe>()
  /** Endpoints of the excluded IDs: nobody needs to name them. */
  #flagged: readonly Endpoint[] = []
  readonly #refusals: CpaRefusal[] = []
  #current: Probe | undefined
  #lookups = 0
  /** Hops that were lost: as often may an empty NextHopStack be refilled from the cache. */
  #refills = 0
  #unreachable = false
  #done = false

  constructor(context: CloudContext, table: ResolveTable, request: ResolveRequest) {
    this.request = request
    this.#context = context
    this.#table = table
    this.#walk = new ResolveWalk({
      target: request.target,
      criteria: request.criteria,
      precision: request.precision,
      reason: request.reason,
      ownEndpoint: context.localEndpoints[0] as Endpoint,
      excludeIds: request.excludeIds,
    })
  }

  /** S4 to S6, then S7. */
  start(): void {
    const { request } = this
    const context = this.#context
    const walk = this.#walk
    context.timers.set(this, request.deadline)
    this.#flagged = endpointsOfExcluded(context, request)
    const first = request.initialNextHop ?? context.cache.closest(request.target, 1)[0]
    if (first !== undefined) walk.push(first)
    // N-15: so that every LOOKUP of a registration announces its entry.
    walk.currentBestMatch = request.initialBestMatch ?? nearestLocal(context, request)
    this.#advance()
  }

  cancel(failure?: CommandFailure): void {
    if (failure === undefined) this.#finish('cancelled')
    else this.#finish('failed', undefined, failure)
  }

  /** N-56. */
  onTimer(): void {
    this.#finish('deadline')
  }

  onAuthority(exchange: Exchange, from: Endpoint, buffer: AuthorityBuffer): void {
    const probe = this.#probes.get(exchange.messageId)
    if (probe === undefined) return
    if (this.#done) {
      if (buffer.notFound) this.#context.evictAt(probe.entry.pnrpId, probe.to)
      return
    }
    const rttUs = this.#context.now - exchange.sentAt
    if (probe.hop !== undefined) {
      if (exchange.retryCount === LIMITS.retransmissionCount) this.#context.rtt.sample(rttUs)
      this.#probes.delete(exchange.messageId)
      this.#lookupAnswered(probe, probe.hop, from, buffer, rttUs)
      return
    }
    this.#inquireAnswered(exchange, probe, from, buffer, rttUs)
  }

  /** The node is slow or dead: go on without it, but keep listening. */
  onSoftTimeout(exchange: Exchange): void {
    const probe = this.#probes.get(exchange.messageId)
    if (probe === undefined || this.#done) return
    if (exchange.retryCount < LIMITS.retransmissionCount) {
      probe.silent = true
      if (this.#current === undefined) this.#advance()
      return
    }
    if (probe !== this.#current) return
    this.#step({ step: 'soft-timeout', to: probe.to, pnrpId: probe.entry.pnrpId })
    const again = this.#deservesAnother(probe)
    this.#leaveBehind(probe)
    if (again) this.#inquire(probe.entry, true)
    // Meanwhile the walk goes on: most that are silent by now are dead.
    this.#advance()
  }

  /**
   * Both transmissions of an exchange are lost once in a hundred times at 5 % loss. Elsewhere the
   * walk finds a way around; the node that it was looking for has to be asked once more.
   */
  #deservesAnother({ hop, entry, last }: Probe): boolean {
    if (last === true || !this.#walk.wanted(entry)) return false
    return hop === undefined || this.#walk.closeEnough(entry)
  }

  /** N-12. */
  onGivenUp(exchange: Exchange): void {
    const probe = this.#probes.get(exchange.messageId)
    if (probe === undefined) return
    this.#probes.delete(exchange.messageId)
    if (this.#done) {
      this.#context.silentAt(probe.entry.pnrpId, probe.to)
      return
    }
    this.#step({
      step: 'timeout',
      to: probe.to,
      pnrpId: probe.entry.pnrpId,
      of: probe.hop === undefined ? 'inquire' : 'lookup',
    })
    if (this.#walk.acceptable(probe.entry)) this.#unreachable = true
    this.#context.silentAt(probe.entry.pnrpId, probe.to)
    if (probe === this.#current) this.#leaveBehind(probe)
    if (this.#current === undefined) this.#advance()
  }

  /** S7 and S8: takes the next step until something is under way or all is over. */
  #advance(): void {
    const walk = this.#walk
    this.#current = undefined
    while (!this.#done && this.#current === undefined) {
      walk.takeMatch()
      const best = walk.currentBestMatch
      if (best !== undefined && walk.closeEnough(best)) {
        this.#inquire(best)
        continue
      }
      const hop = this.#mayAsk ? walk.nextHopStack.pop() : undefined
      if (hop !== undefined) {
        this.#lookup(hop)
        continue
      }
      if (this.#refill()) continue
      if (best !== undefined && walk.acceptable(best)) {
        this.#inquire(best)
        continue
      }
      if (this.#hopeful()) return
      this.#finishEmpty()
    }
  }

  /**
   * Is anything open worth waiting for? Not a slow hop once a match has turned out to be dead. As
   * long as no node at all has answered, all are waited for until their full timeouts.
   */
  #hopeful(): boolean {
    for (const { silent, hop } of this.#probes.values()) {
      const patient = hop !== undefined && this.#unheard
      if ((silent !== true || patient) && (hop === undefined || !this.#unreachable)) return true
    }
    return false
  }

  /** LOOKUPs were sent and none was answered: that says nothing about the name. */
  get #unheard(): boolean {
    return this.#lookups > 0 && this.#walk.totalUsefulHops === 0
  }

  /** S8: may another LOOKUP be sent? */
  get #mayAsk(): boolean {
    return !this.#walk.exhausted && this.#lookups < LIMITS.lookupsPerResolve
  }

  /** An empty NextHopStack is refilled from the own cache as long as that may help. */
  #refill(): boolean {
    const walk = this.#walk
    // A split test must not fall back on the part of the cloud that we are in.
    const splitTest = this.request.reason === ResolveReason.SPLIT_DETECTION
    if (this.#refills === 0 || splitTest || !this.#mayAsk) return false
    this.#refills--
    const [entry] = this.#context.cache.closest(walk.target, 1, walk.resolvePath)
    if (entry !== undefined) walk.push(entry)
    return entry !== undefined
  }

  /** S9, S10. */
  #lookup(hop: Hop): void {
    const { request } = this
    const context = this.#context
    const walk = this.#walk
    const destination = context.destinationsOf(hop.entry)
    if (destination === undefined) return
    const message = lookupMessage(context, request, walk, hop.entry, this.#flagged)
    hop.useCount++
    this.#lookups++
    const { entry } = hop
    const { to } = destination
    this.#step({ step: 'lookup', to, pnrpId: entry.pnrpId, attempt: hop.useCount })
    const exchange = context.request(message, {
      to,
      alternates: destination.alternates,
      reason: request.reason,
      owner: this,
      softTimeoutUs: context.rtt.lookupTimeoutUs,
    })
    this.#sent({ entry, to, hop }, exchange)
  }

  /** S7 for a match of the cloud; N-55 for one of our own IDs. */
  #inquire(best: RouteEntry, last = false): void {
    const context = this.#context
    const own = context.parts.registrations.find(best.pnrpId)
    if (own !== undefined) {
      const from = context.localEndpoints[0] as Endpoint
      this.#found(best, context.parts.responder.answerLocally(own), from, 0)
      return
    }
    const destination = context.destinationsOf(best)
    if (destination === undefined) {
      const address = best.addresses[0] as Uint8Array
      this.#walk.ruleOut(best.pnrpId, { address, port: best.port }, 'refused')
      return
    }
    const message = inquireMessage(context, best)
    this.#step({ step: 'inquire', to: destination.to, pnrpId: best.pnrpId })
    const exchange = context.request(message, {
      to: destination.to,
      alternates: destination.alternates,
      reason: this.request.reason,
      owner: this,
      softTimeoutUs: context.rtt.inquireTimeoutUs,
    })
    this.#sent({ entry: best, to: destination.to, last }, exchange)
  }

  #sent(probe: Probe, exchange: Exchange | undefined): void {
    if (exchange === undefined) {
      const message = `more than ${LIMITS.pendingExchanges} requests are waiting for answers`
      this.#finish('failed', undefined, { code: 'ERR_PEERNET_LIMIT', message })
      return
    }
    this.#probes.set(exchange.messageId, probe)
    this.#current = probe
  }

  /** The walk no longer waits for this probe; it stays open. */
  #leaveBehind(probe: Probe): void {
    this.#current = undefined
    this.#refills++
    this.#walk.addToPath(probe.to)
    if (probe.hop === undefined) this.#walk.ruleOut(probe.entry.pnrpId, probe.to, 'silent')
  }

  /** 3.1.5.6.1. */
  #lookupAnswered(
    probe: Probe,
    hop: Hop,
    from: Endpoint,
    buffer: AuthorityBuffer,
    rttUs: number,
  ): void {
    const context = this.#context
    const walk = this.#walk
    const named = buffer.routeEntry === undefined ? undefined : keepEntry(buffer.routeEntry)
    const referral =
      named !== undefined && context.destinationsOf(named) !== undefined ? named : undefined
    const verdict = walk.answered(hop, probe.to, {
      flags: buffer,
      cacheEntries: context.cache.size,
      referral,
    })
    const outcome = named !== undefined && verdict === 'dead-end' ? 'refused-referral' : verdict
    const step: Mutable<Extract<ResolveStep, { step: 'answer' }>> = {
      step: 'answer',
      from,
      pnrpId: hop.entry.pnrpId,
      rttUs,
      outcome,
      suspicious: buffer.leafSet,
    }
    if (named !== undefined) step.referral = named
    this.#step(step)
    if (buffer.notFound) context.evictAt(hop.entry.pnrpId, probe.to)
    else if (this.#current !== undefined && sameEndpoint(this.#current.to, probe.to)) {
      this.#current.last = false
    }
    if (buffer.notFound || buffer.busy) this.#refills++
    submitEntries(context, walk, hop, from, buffer, referral)
    const waiting = this.#current
    if (waiting === undefined || waiting === probe) this.#advance()
    // A late answer may have opened a better way than the one the walk waits for.
    else if (waiting.hop !== undefined && walk.leadsCloserThan(waiting.entry)) this.#advance()
  }

  /** 3.1.5.6.1.1. */
  #inquireAnswered(
    exchange: Exchange,
    probe: Probe,
    from: Endpoint,
    buffer: AuthorityBuffer,
    rttUs: number,
  ): void {
    const question = {
      pnrpId: probe.entry.pnrpId,
      nonce: exchange.nonce as Uint8Array,
      wantedPayload: true,
      answeredBy: from,
      name: this.request.name,
    }
    validateCpa(this.#context, buffer, question, (verdict) => {
      if (this.#done) return
      this.#probes.delete(exchange.messageId)
      if (verdict.ok) this.#accepted(probe, verdict, from, rttUs)
      else this.#refused(probe, verdict.reason, from)
    })
  }

  #accepted(
    probe: Probe,
    verdict: Extract<CpaVerdict, { ok: true }>,
    from: Endpoint,
    rttUs: number,
  ): void {
    const { entry } = probe
    if (addressesWithin(entry, verdict.peer.serviceAddresses)) {
      const origin = { via: 'RESOLVE' as const, from }
      this.#context.parts.admission.admitValidated(entry, origin, verdict.keyHash)
    }
    this.#found(verdict.routeEntry ?? entry, verdict.peer, from, rttUs)
  }

  /** The match is nothing worth; its node is not asked again. */
  #refused(probe: Probe, reason: CpaRefusal, from: Endpoint): void {
    const { pnrpId } = probe.entry
    this.#step({ step: 'refused', from, pnrpId, reason })
    this.#refusals.push(reason)
    if (reason !== 'busy') this.#context.evictAt(pnrpId, probe.to)
    this.#walk.addToPath(probe.to)
    this.#walk.ruleOut(pnrpId, probe.to, 'refused')
    this.#refills++
    if (probe === this.#current || this.#current === undefined) this.#advance()
  }

  #found(entry: RouteEntry, peer: ResolvedPeer, from: Endpoint, rttUs: number): void {
    this.#walk.currentBestMatch = entry
    this.#step({ step: 'found', from, pnrpId: peer.pnrpId, rttUs })
    this.#finish('found', peer)
  }

  #finishEmpty(): void {
    for (const { entry } of this.#probes.values()) {
      if (this.#walk.acceptable(entry)) this.#unreachable = true
    }
    if (this.#refusals.some((reason) => reason !== 'not-registered')) this.#finish('refused')
    else if (this.#unreachable) this.#finish('unreachable')
    else this.#finish(this.#unheard ? 'deadline' : 'not-found')
  }

  #finish(outcome: ResolveResult, peer?: ResolvedPeer, failure?: CommandFailure): void {
    if (this.#done) return
    this.#done = true
    const { request } = this
    const context = this.#context
    const walk = this.#walk
    context.timers.cancel(this)
    this.#table.ended(this)
    const result: Mutable<ResolveOutcome> = {
      outcome,
      refusals: this.#refusals,
      lookups: this.#lookups,
      usefulHops: walk.totalUsefulHops,
    }
    if (peer !== undefined) result.peer = peer
    if (failure !== undefined) result.failure = failure
    if (walk.currentBestMatch !== undefined) result.bestMatch = walk.currentBestMatch
    request.onDone(result)
  }

  #step(step: ResolveStep): void {
    const { handle } = this.request
    if (handle === undefined) return
    this.#context.events.push({ type: 'resolve-step', handle, at: this.#context.now, step })
  }
}
