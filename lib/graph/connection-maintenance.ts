import { endpointKey } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { unit } from '../core/rng.js'
import { Alarm, randomSeconds } from './alarm.js'
import { Candidates, type Candidate } from './candidates.js'
import type { Contact, Contacts } from './contacts.js'
import type { GraphContext, GraphLimits } from './context.js'
import type { Departed } from './departed.js'
import type { ConnectionId } from './interface.js'
import type { Link } from './parts.js'
import type { Presence } from './presence.js'

/** An attempt at a connection that has neither succeeded nor failed. */
interface Attempt {
  /** Undefined: where a refusal led to. */
  readonly key: string | undefined
  readonly since: Instant
}

type Outcome = 'started' | 'failed' | 'nobody'

const NEIGHBORS: GraphLimits = {
  minNeighbors: LIMITS.graphNeighborsMin,
  idealNeighbors: LIMITS.graphNeighborsIdeal,
  maxNeighbors: LIMITS.graphNeighborsMax,
}

/**
 * Keeps an ideal number of neighbours and the useful ones (MS-PPGRH 3.1.7.14). When the next
 * attempt follows one that failed, or was too few, the text leaves open; see spec/deviations.md.
 */
export class ConnectionMaintenance {
  readonly #context: GraphContext
  readonly #candidates: Candidates
  readonly #departed: Departed
  readonly #limits: GraphLimits
  readonly #retry: Alarm
  readonly #attempts = new Map<ConnectionId, Attempt>()
  /** What the time until the retry was drawn from. */
  #span: readonly [number, number] | undefined
  #requiredAt: Instant = -Infinity

  constructor(context: GraphContext, presence: Presence, contacts: Contacts, departed: Departed) {
    this.#context = context
    this.#candidates = new Candidates(context, presence, contacts)
    this.#departed = departed
    this.#limits = context.config.limits ?? NEIGHBORS
    this.#retry = new Alarm(context, () => {
      this.run(false, true)
    })
  }

  /**
   * 3.1.7.14. `byTimer`: the Graph Maintenance Timer brought it about (3.1.6.6); `again`: what was
   * missing has been missing for some seconds.
   */
  run(byTimer: boolean, again = false): void {
    if (byTimer && this.#count > this.#limits.idealNeighbors) this.#dropLeastUseful()
    this.#giveUpSlow()
    let outcome: Outcome = 'started'
    const wanted = this.#wanted(byTimer, again)
    for (let i = 0; i < wanted && outcome === 'started'; i++) outcome = this.#attempt()
    if (outcome === 'nobody') this.#waitForCandidates()
    else this.#scheduleRetry()
  }

  linkConnected(link: Link): void {
    const attempt = this.#attempts.get(link.connection)
    this.#attempts.delete(link.connection)
    if (attempt?.key !== undefined) this.#candidates.succeeded(attempt.key)
    if (this.#retry.armed) this.#scheduleRetry()
  }

  attemptFailed(connection: ConnectionId, next: ConnectionId | undefined): void {
    const attempt = this.#attempts.get(connection)
    this.#attempts.delete(connection)
    if (attempt?.key !== undefined) this.#candidates.failed(attempt.key)
    if (next !== undefined) this.#remember(next, undefined)
    // One that the application wanted goes on if it has led to addresses.
    else if (attempt !== undefined || this.#knowsReferrals) this.#scheduleRetry()
  }

  /** Somebody to connect to has turned up. */
  candidateFound(): void {
    if (this.#retry.armed && this.#span === undefined) this.#scheduleRetry()
  }

  /** 3.1.6.5: false if there is no use in trying that contact now. */
  repairWith(contact: Contact): boolean {
    this.#giveUpSlow()
    if (this.#expected >= this.#limits.maxNeighbors) return false
    return this.#candidates.isEligible(contact) && this.#connect(contact, true)
  }

  cancel(): void {
    this.#retry.cancel()
    this.#attempts.clear()
  }

  get #knowsReferrals(): boolean {
    return this.#context.parts.links.referrals.length > 0
  }

  get #count(): number {
    return this.#context.parts.links.neighbors.length
  }

  /** Neighbours, with those that are about to become some. */
  get #expected(): number {
    return this.#count + this.#attempts.size
  }

  /** Rules b, c and d of 3.1.7.14: attempts that are missing, with those under way. */
  #wanted(byTimer: boolean, again: boolean): number {
    const { minNeighbors, idealNeighbors } = this.#limits
    const count = this.#count
    if (count === idealNeighbors && byTimer && this.#tunes) return 1
    let target = count === 0 ? 1 : 0
    if (count < minNeighbors && !this.#context.neverConnected) target = minNeighbors
    if (byTimer || (again && count >= minNeighbors)) target = idealNeighbors
    return Math.max(0, target - this.#expected)
  }

  /** A new link now and then, so that the least useful one gives way to it. */
  get #tunes(): boolean {
    return unit(this.#context.rng) < LIMITS.graphTuneShare
  }

  #attempt(): Outcome {
    let tried = 0
    for (const candidate of this.#candidates.inRandomOrder()) {
      if (this.#connect(candidate, false)) return 'started'
      if (++tried === LIMITS.graphCandidatesPerAttempt) return 'failed'
    }
    return tried === 0 ? 'nobody' : 'failed'
  }

  #connect(candidate: Candidate, mismatch: boolean): boolean {
    const address = this.#candidates.addressOf(candidate)
    if (address === undefined) return false
    const key = endpointKey(address)
    const connection = this.#context.parts.links.connect(address, {
      direct: false,
      repair: mismatch || this.#departed.lastSign(address) !== undefined,
      ...(candidate.peerId === undefined ? {} : { peerId: candidate.peerId }),
    })
    if (typeof connection !== 'number') {
      this.#candidates.failed(key)
      return false
    }
    this.#remember(connection, key)
    return true
  }

  #remember(connection: ConnectionId, key: string | undefined): void {
    if (this.#attempts.size >= LIMITS.graphTries) {
      const [oldest] = this.#attempts.keys()
      if (oldest !== undefined) this.#attempts.delete(oldest)
    }
    this.#attempts.set(connection, { key, since: this.#context.now })
  }

  /** A silent host would hold up everything for as long as TCP takes to give up. */
  #giveUpSlow(): void {
    const limit = this.#context.now - LIMITS.graphAttemptUs
    for (const [connection, { key, since }] of this.#attempts) {
      if (since > limit) break
      this.#attempts.delete(connection)
      if (key !== undefined) this.#candidates.failed(key)
    }
  }

  /** Nobody is left to try; those that failed are, later. */
  #waitForCandidates(): void {
    this.#span = undefined
    this.#retry.set(LIMITS.graphRetryIdleUs)
    if (this.#expected === 0 && this.#context.parts.links.pendingCount === 0) this.#tellAlone()
  }

  /** By how much is missing; more or less of it begins the wait anew. */
  #scheduleRetry(): void {
    const { neverConnected, rng } = this.#context
    const count = this.#count
    if (count >= this.#limits.idealNeighbors || (neverConnected && count > 0)) {
      this.#retry.cancel()
      return
    }
    const few = count < this.#limits.minNeighbors ? LIMITS.graphRetryMinS : LIMITS.graphRetryIdealS
    const span = count === 0 ? LIMITS.graphRetryAloneS : few
    if (this.#retry.armed && span === this.#span) return
    this.#span = span
    this.#retry.set(randomSeconds(rng, span))
  }

  /** 3.1.7.14 a; of links of the same utility the newest, which changes least. */
  #dropLeastUseful(): void {
    const { links } = this.#context.parts
    let least: Link | undefined
    for (const link of links.neighbors) {
      if (least === undefined || link.utility <= least.utility) least = link
    }
    if (least !== undefined) links.disconnect(least, 'least-useful')
  }

  #tellAlone(): void {
    const { events, now } = this.#context
    if (now - this.#requiredAt < LIMITS.graphConnectionRequiredUs) return
    this.#requiredAt = now
    events.push({ type: 'connection-required', why: 'alone' })
  }
}
