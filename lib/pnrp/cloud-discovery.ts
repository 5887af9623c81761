import type { Timed } from '../core/deadlines.js'
import { endpointKey, sameEndpoint, type Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { CloudContext } from './context.js'
import { isUsableEndpoint } from './destination.js'
import { describeDiscovery, emptyTally, type Source, type Tally } from './discovery-report.js'
import type { CloudLocalEvent } from './interface.js'
import type { ConversationOutcome, DiscoveryPart } from './parts.js'
import { Reintroductions } from './reintroduction.js'
import { searchTargetOf } from './search-target.js'

/** CloudDiscoveryMode, MS-PNRP 3.1.1. */
export type DiscoveryMode = 'local-oob' | 'ssdp' | 'seed-server'

interface Contact {
  readonly source: Source
  /** It has surely ended by then, whether we heard of it or not. */
  readonly until: Instant
  /** Our SOLICIT carried a route entry, so that the other side could get to know us. */
  readonly introduced: boolean
}

/**
 * Discovery of other nodes, MS-PNRP 3.1.4.2 and 3.1.5.1: last-used nodes, then a multicast search,
 * then seed servers. A round begins where the one before ended. Both MAYs of the text are used: as
 * long as nobody has answered, a round goes on to the next mode after a short wait, so that a cloud
 * that has nothing but seeds is joined in a fraction of a second.
 */
export class CloudDiscovery implements DiscoveryPart, Timed {
  readonly #context: CloudContext
  #mode: DiscoveryMode = 'local-oob'
  #remembered: readonly Endpoint[] = []
  #seeds: readonly Endpoint[] = []
  /** CurrentSeedServerAddressIndex. */
  #seedIndex = 0
  /** Seeds tried in this round; -1 while their addresses are being looked up. */
  #seedsTried = 0
  /** CloudDiscoverySSDPTargetCount and SSDPResponseRequestIdentifier. */
  #ssdpTargets = 0
  #ssdpIdentifier: string | undefined
  #searchUntil: Instant = 0
  /** The step whose end the timer waits for; undefined between rounds. */
  #step: DiscoveryMode | undefined
  /** Modes tried since a node was last known. */
  readonly #tried = new Set<DiscoveryMode>()
  /** Conversations under way that discovery has started. */
  readonly #contacts = new Map<string, Contact>()
  /** Nodes that answered, but knew nobody and did not get to know us. */
  readonly #strangers = new Map<string, Endpoint>()
  readonly #reintroductions: Reintroductions
  #tally: Tally = emptyTally()

  constructor(context: CloudContext) {
    this.#context = context
    this.#reintroductions = new Reintroductions(context, (endpoint) => {
      this.#contact(endpoint, 'seeds')
    })
  }

  /** Where the next round begins. */
  get mode(): DiscoveryMode {
    return this.#mode
  }

  get remembered(): readonly Endpoint[] {
    return this.#remembered
  }

  /** 3.1.4.1. */
  open(seeds: readonly Endpoint[], lastUsed: readonly Endpoint[]): void {
    this.close()
    this.#remembered = this.#usable(lastUsed, LIMITS.lastUsedNodes)
    this.#seeds = this.#usable(seeds, LIMITS.seeds)
    this.round()
  }

  close(): void {
    this.#context.timers.cancel(this)
    this.#mode = 'local-oob'
    this.#remembered = []
    this.#seeds = []
    this.#seedIndex = 0
    this.#ssdpIdentifier = undefined
    this.#searchUntil = 0
    this.#step = undefined
    this.#tried.clear()
    this.#contacts.clear()
    this.#strangers.clear()
    this.#reintroductions.clear()
    this.#tally = emptyTally()
  }

  /** 3.1.4.2. Does nothing while a round is under way or without a local address. */
  round(): void {
    if (this.#step !== undefined || this.#context.localEndpoints.length === 0) return
    this.#seedsTried = 0
    this.#enter()
  }

  onTimer(): void {
    const ended = this.#step
    this.#step = undefined
    if (ended === undefined) return // only a look at `exhausted`
    if (ended !== 'seed-server') this.#enter()
    else if (this.#seedsTried > 0 && this.#seedsTried < this.#seeds.length) this.#trySeed()
    else this.#rest()
  }

  handleLocalEvent(event: CloudLocalEvent): void {
    if (event.type === 'seeds') this.#seedsFound(event.endpoints)
    else if (event.type === 'ssdp-response') this.#found(event.searchTarget, event.endpoint)
    else if (event.type === 'ssdp-unavailable') this.#searchUnavailable(event.reason)
  }

  conversationEnded(to: Endpoint, outcome: ConversationOutcome): void {
    const key = endpointKey(to)
    const contact = this.#contacts.get(key)
    this.#contacts.delete(key)
    if (outcome === 'answered') this.#reached()
    if (contact === undefined) return
    const tally = this.#tally[contact.source]
    if (outcome === 'answered') tally.answered++
    else if (outcome === 'empty') {
      tally.empty++
      if (contact.introduced) this.#reintroductions.offeredNobody(to)
      else this.#metStranger(key, to, contact.source)
    }
    if (outcome !== 'answered' && this.#waitsForContacts() && this.#contacts.size === 0) {
      this.#context.timers.set(this, this.#context.now)
    }
  }

  /**
   * The first ID is registered while nobody is known. A node that we asked before it, and that knew
   * nobody either, has to hear of us now: through it others will find us (2.2.2.1, 3.2.5.3).
   */
  introduce(): void {
    if (this.#context.cache.size > 0) return
    const strangers = [...this.#strangers.values()]
    this.#strangers.clear()
    for (const endpoint of strangers) this.#contact(endpoint, 'seeds')
  }

  get exhausted(): boolean {
    const { cache, now } = this.#context
    if (this.#step !== undefined || cache.size > 0 || this.#tried.size < 3) return false
    return now >= this.#busyUntil()
  }

  nextSeed(): Endpoint | undefined {
    const { localEndpoints } = this.#context
    for (let i = 0; i < this.#seeds.length; i++) {
      // N-38: an index that equals the number of seeds wraps as well.
      if (this.#seedIndex >= this.#seeds.length) this.#seedIndex = 0
      const seed = this.#seeds[this.#seedIndex++] as Endpoint
      if (!localEndpoints.some((local) => sameEndpoint(local, seed))) return seed
    }
    return undefined
  }

  describe(): string {
    const { localEndpoints, now } = this.#context
    if (localEndpoints.length === 0) return 'this host has no address in the cloud'
    return describeDiscovery(this.#tally, now < this.#searchUntil)
  }

  // ---- the mode machine ----

  #enter(): void {
    if (this.#mode === 'local-oob') this.#askRemembered()
    else if (this.#mode === 'ssdp') this.#search()
    else this.#askSeeds()
  }

  #wait(step: DiscoveryMode, us: number): void {
    this.#step = step
    this.#context.timers.set(this, this.#context.now + us)
  }

  #metStranger(key: string, endpoint: Endpoint, source: Source): void {
    if (this.#context.parts.registrations.size > 0) this.#contact(endpoint, source)
    else if (this.#strangers.size < LIMITS.lastUsedNodes) this.#strangers.set(key, endpoint)
  }

  #waitsForContacts(): boolean {
    return this.#step === 'local-oob' || (this.#step === 'seed-server' && this.#seedsTried > 0)
  }

  #askRemembered(): void {
    this.#tried.add('local-oob')
    this.#tally.remembered = emptyTally().remembered
    this.#tally.remembered.tried = this.#remembered.length > 0
    this.#mode = 'ssdp'
    let asked = 0
    for (const endpoint of this.#remembered) asked += this.#contact(endpoint, 'remembered') ? 1 : 0
    if (asked > 0) this.#wait('local-oob', LIMITS.discoveryRememberedUs)
    else this.#search()
  }

  /** 3.1.4.2.2. */
  #search(): void {
    const { effects, now, scope } = this.#context
    this.#tried.add('ssdp')
    this.#mode = 'seed-server'
    this.#ssdpTargets = 0
    this.#ssdpIdentifier = searchTargetOf(scope)
    this.#tally.search = emptyTally().search
    this.#tally.search.tried = this.#ssdpIdentifier !== undefined
    if (this.#ssdpIdentifier === undefined) {
      this.#askSeeds()
      return
    }
    this.#searchUntil = now + LIMITS.ssdpSearchUs
    effects.push({ type: 'ssdp-search', searchTarget: this.#ssdpIdentifier })
    this.#wait('ssdp', LIMITS.discoverySearchUs)
  }

  /** 3.1.4.2.1. Names are looked up each time they are used. */
  #askSeeds(): void {
    this.#tried.add('seed-server')
    this.#tally.seeds = { ...emptyTally().seeds, tried: true, lookingUp: true }
    this.#context.effects.push({ type: 'lookup-seeds' })
    if (this.#seeds.length > 0) {
      this.#trySeed()
      return
    }
    this.#seedsTried = -1
    this.#wait('seed-server', LIMITS.seedLookupUs)
  }

  /** One seed; the next follows soon when this one does not answer. */
  #trySeed(): void {
    this.#mode = 'local-oob'
    const seed = this.nextSeed()
    if (seed === undefined) {
      this.#rest()
      return
    }
    this.#seedsTried++
    this.#contact(seed, 'seeds')
    this.#wait('seed-server', LIMITS.discoverySeedUs)
  }

  /** The round is over; the timer wakes the cloud when it has become clear that nobody is there. */
  #rest(): void {
    const { now, timers } = this.#context
    const until = this.#busyUntil()
    this.#mode = 'local-oob'
    this.#step = undefined
    if (until > now) timers.set(this, until)
    else timers.cancel(this)
  }

  /** When the last search and conversation will have been answered, if at all. */
  #busyUntil(): Instant {
    const contacts = [...this.#contacts.values()].map(({ until }) => until)
    return Math.max(this.#searchUntil, ...contacts)
  }

  #reached(): void {
    this.#tried.clear()
    this.#step = undefined
    this.#context.timers.cancel(this)
  }

  // ---- what the driver found ----

  #seedsFound(endpoints: readonly Endpoint[]): void {
    const wasLookingUp = this.#step === 'seed-server' && this.#seedsTried < 0
    const known = this.#seeds
    this.#seeds = this.#usable(endpoints, LIMITS.seeds)
    this.#tally.seeds.lookingUp = false
    if (this.#step === undefined) this.#askNewSeeds(known)
    if (!wasLookingUp) return
    this.#seedsTried = 0
    this.#step = undefined
    this.#trySeed()
  }

  /** Seeds that were named after the cloud was opened do not wait for the next round. */
  #askNewSeeds(known: readonly Endpoint[]): void {
    for (const seed of this.#seeds) {
      if (!known.some((other) => sameEndpoint(other, seed))) this.#contact(seed, 'seeds')
    }
    this.#rest()
  }

  /** 3.1.5.1. */
  #found(searchTarget: string, endpoint: Endpoint): void {
    const { counters, localEndpoints, scope } = this.#context
    if (searchTarget !== this.#ssdpIdentifier) {
      counters.add('drop.ssdp-search-target')
    } else if (!isUsableEndpoint(endpoint, scope)) {
      counters.add('drop.ssdp-endpoint')
    } else if (localEndpoints.some((local) => sameEndpoint(local, endpoint))) {
      counters.add('drop.ssdp-own')
    } else if (this.#ssdpTargets >= LIMITS.ssdpTargets) {
      counters.add('drop.ssdp-enough')
    } else {
      this.#ssdpTargets++
      this.#contact(endpoint, 'search')
    }
  }

  #searchUnavailable(reason: string): void {
    this.#searchUntil = 0
    this.#tally.search.unavailable = reason
    if (this.#step === 'ssdp') this.#context.timers.set(this, this.#context.now)
  }

  // ---- endpoints ----

  #contact(endpoint: Endpoint, source: Source): boolean {
    const { localEndpoints, now, parts } = this.#context
    if (localEndpoints.some((local) => sameEndpoint(local, endpoint))) return false
    const until = now + LIMITS.retransmissionCount * LIMITS.retransmissionIntervalUs
    const introduced = parts.registrations.size > 0
    this.#contacts.set(endpointKey(endpoint), { source, until, introduced })
    this.#tally[source].asked++
    parts.synchronization.start(endpoint)
    return true
  }

  /** Distinct endpoints that a node of this cloud can send to, at most `limit`. */
  #usable(endpoints: readonly Endpoint[], limit: number): readonly Endpoint[] {
    const { counters, scope } = this.#context
    const seen = new Set<string>()
    return endpoints.filter((endpoint) => {
      if (!isUsableEndpoint(endpoint, scope) || seen.size >= limit) {
        counters.add('discovery.unusable-endpoint')
        return false
      }
      const fresh = !seen.has(endpointKey(endpoint))
      seen.add(endpointKey(endpoint))
      return fresh
    })
  }
}
