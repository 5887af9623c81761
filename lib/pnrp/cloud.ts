import type { Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { Machine } from '../core/machine.js'
import type { Rng } from '../core/rng.js'
import { RouteCache } from '../native/route-cache.js'
import type { PnrpMessage } from '../wire/messages.js'
import { Admission } from './admission.js'
import { AuthorityReceiver } from './authority.js'
import type { BudgetConfig } from './budgets.js'
import { CloudDiscovery } from './cloud-discovery.js'
import { CloudContext } from './context.js'
import { Synchronization } from './conversation.js'
import { carryOutCommand, refuseCommand } from './cloud-commands.js'
import { reasonOf } from './cloud-state.js'
import { Dialect, type DialectTraits } from './dialect.js'
import { Flooding } from './flooding.js'
import type {
  CachedNode,
  CloudCommand,
  CloudEffect,
  CloudEvent,
  CloudLocalEvent,
  CloudMachineStatistics,
  CloudScope,
  CloudState,
  CloudTransmit,
  CommandFailure,
} from './interface.js'
import { LastUsedNodes } from './last-used.js'
import { chooseLocalEndpoints, sameEndpoints } from './local-endpoints.js'
import { dispatchMessage } from './message-dispatch.js'
import { Maintenance } from './maintenance.js'
import type { CloudParts } from './parts.js'
import { Pings } from './ping.js'
import { Registrations } from './registrations.js'
import { NO_ADDRESS, Resolver } from './resolver.js'
import { Responder } from './responder.js'
import { SynchronizationResponder } from './synchronization-responder.js'

export interface CloudMachineOptions {
  readonly scope: CloudScope
  /** Nonces, Message IDs and service location suffixes come from here: a CSPRNG in production. */
  readonly rng: Rng
  /** Default false. */
  readonly resolveOnly?: boolean
  /** Traits of the dialect that are known and must not be learned. */
  readonly dialect?: Partial<DialectTraits>
  /** Entries that the route entry cache holds; default LIMITS.routeCacheEntries. */
  readonly cacheCapacity?: number
  /** A cache to begin with, perhaps filled: for simulations that construct a steady state. */
  readonly cache?: RouteCache
  /** What strangers may draw; default by scope. */
  readonly budgets?: BudgetConfig
}

type Phase = 'virtual' | 'open' | 'leaving' | 'closed'

/** A timer of the cloud itself. */
class CloudTimer implements Timed {
  readonly #expired: (cloud: CloudMachine) => void
  readonly #cloud: CloudMachine

  constructor(cloud: CloudMachine, expired: (cloud: CloudMachine) => void) {
    this.#cloud = cloud
    this.#expired = expired
  }

  onTimer(): void {
    this.#expired(this.#cloud)
  }
}

const onMaintenance = (cloud: CloudMachine): void => {
  cloud.maintain()
}
const onCleanup = (cloud: CloudMachine): void => {
  cloud.leave()
}

function emptyCache(capacity: number = LIMITS.routeCacheEntries): RouteCache {
  return new RouteCache({ capacity, maxAddresses: LIMITS.localEndpoints })
}

/**
 * One node in one cloud: an entry of the Cloud Table of MS-PNRP 3.1.1 with all its sub-machines.
 *
 * Handlers first (`handleCommand`, `handleMessage`, `handleTimeout`, `handleLocalEvent`), then
 * polls in the order transmit, effect, event, until all are empty; then wait until `pollTimeout()`.
 * Local endpoints come as the local event 'addresses', before the command 'open'.
 */
export class CloudMachine implements Machine<
  CloudCommand,
  PnrpMessage,
  Endpoint,
  CloudLocalEvent,
  CloudTransmit,
  CloudEffect,
  CloudEvent
> {
  readonly #context: CloudContext
  #parts: CloudParts
  #pings: Pings
  #lastUsed: LastUsedNodes
  readonly #maintenanceTimer: CloudTimer
  readonly #cleanupTimer: CloudTimer
  #phase: Phase = 'virtual'
  #state: CloudState = 'virtual'
  #reason = ''
  #openCount = 0

  constructor(options: CloudMachineOptions) {
    const context = new CloudContext({
      scope: options.scope,
      rng: options.rng,
      cache: options.cache ?? emptyCache(options.cacheCapacity),
      dialect: new Dialect(options.dialect),
      resolveOnly: options.resolveOnly ?? false,
      ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    })
    this.#context = context
    this.#parts = newParts(context)
    this.#pings = new Pings(context)
    this.#lastUsed = new LastUsedNodes(context)
    this.#maintenanceTimer = new CloudTimer(this, onMaintenance)
    this.#cleanupTimer = new CloudTimer(this, onCleanup)
  }

  get scope(): CloudScope {
    return this.#context.scope
  }

  get state(): CloudState {
    return this.#state
  }

  /** Local Endpoint List. */
  get localEndpoints(): readonly Endpoint[] {
    return this.#context.localEndpoints
  }

  /** 3.1.4. */
  handleCommand(now: Instant, command: CloudCommand): void {
    this.#context.now = now
    this.#carryOut(command)
    this.#settle()
  }

  /**
   * 3.1.5.2, from the point on where the header and the syntax are known to be right. The message
   * may consist of views that die with this call; `from` may be kept and must be a fresh object.
   */
  handleMessage(now: Instant, from: Endpoint, message: PnrpMessage): void {
    this.#context.now = now
    if (this.#phase === 'virtual' || this.#phase === 'closed') {
      this.#context.counters.add('drop.not-open')
      return
    }
    dispatchMessage(this.#context, from, message)
    this.#settle()
  }

  /** 3.1.6. */
  handleTimeout(now: Instant): void {
    const { timers } = this.#context
    this.#context.now = now
    for (;;) {
      const timed = timers.takeDue(now)
      if (timed === undefined) break
      timed.onTimer()
    }
    this.#settle()
  }

  /** 3.1.7, and the results of effects. */
  handleLocalEvent(now: Instant, event: CloudLocalEvent): void {
    this.#context.now = now
    this.#takeIn(event)
    this.#settle()
  }

  pollTransmit(): CloudTransmit | undefined {
    return this.#context.transmits.shift()
  }

  pollEffect(): CloudEffect | undefined {
    return this.#context.effects.shift()
  }

  pollEvent(): CloudEvent | undefined {
    return this.#context.events.shift()
  }

  pollTimeout(): Instant {
    return this.#context.timers.next()
  }

  statistics(): CloudMachineStatistics {
    const { cache, counters, dialect, exchanges, rtt } = this.#context
    const parts = this.#parts
    return {
      openCount: this.#openCount,
      cacheEntries: cache.size,
      cacheBytes: cache.bytes,
      registrations: parts.registrations.size,
      pendingRequests: exchanges.size,
      pendingAdmissions: parts.admission.pending,
      resolvesActive: parts.resolver.active,
      conversations: parts.synchronization.open,
      estimatedNodes: parts.maintenance.estimatedNodes,
      smoothedRttUs: rtt.smoothedUs,
      counters: counters.snapshot(),
      dialect: dialect.snapshot(),
    }
  }

  /** The Route Entry Cache, for people to look at. */
  cache(): CachedNode[] {
    const { cache } = this.#context
    return cache
      .entries()
      .map((entry) => ({ ...entry, leaf: cache.leafOf(entry.pnrpId).length > 0 }))
  }

  /** Called by the Maintenance Timer, 3.1.6.2 and 3.2.6.2. */
  maintain(): void {
    this.#startMaintenanceTimer()
    if (this.#context.offline) return
    this.#renewReason()
    this.#parts.maintenance.tick()
    this.#lastUsed.tick()
  }

  /** Called by the Cloud Cleanup Timer, 3.1.6.1, or at once: unregister everything first (N-40). */
  leave(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'leaving'
    this.#openCount = 0
    this.#context.timers.cancel(this.#cleanupTimer)
    this.#context.timers.cancel(this.#maintenanceTimer)
    this.#lastUsed.persist()
    this.#parts.resolver.cancelAll()
    this.#parts.registrations.unregisterAll()
  }

  #carryOut(command: CloudCommand): void {
    if (command.type === 'open') {
      this.#open(command.seeds, command.lastUsed)
    } else if (this.#phase !== 'open') {
      refuseCommand(this.#context, command)
    } else if (command.type === 'close') {
      this.#close(command.now ?? false)
    } else {
      carryOutCommand(this.#context, this.#pings, command)
    }
  }

  /** 3.1.4.1. */
  #open(seeds: readonly Endpoint[], lastUsed: readonly Endpoint[]): void {
    const { events, localEndpoints, timers } = this.#context
    const fail = (failure: CommandFailure): void => {
      events.push({ type: 'command-failed', command: 'open', failure })
    }
    if (this.#phase === 'open') {
      this.#openCount++
      timers.cancel(this.#cleanupTimer)
    } else if (this.#phase === 'leaving') {
      fail({ code: 'ERR_PEERNET_CLOSED', message: 'the cloud is being closed' })
    } else if (localEndpoints.length === 0) {
      const message = `this host has no ${this.scope} IPv6 address`
      fail({ code: 'ERR_PEERNET_NO_ADDRESS', message })
    } else {
      this.#phase = 'open'
      this.#context.joining = true
      this.#openCount = 1
      this.#parts.discovery.open(seeds, lastUsed)
      this.#startMaintenanceTimer()
    }
  }

  /** 3.1.4.5. */
  #close(atOnce: boolean): void {
    const { events, now, timers } = this.#context
    if (this.#openCount === 0 && !atOnce) {
      const message = 'the cloud was closed as often as opened'
      const failure: CommandFailure = { code: 'ERR_PEERNET_CLOUD_NOT_OPEN', message }
      events.push({ type: 'command-failed', command: 'close', failure })
      return
    }
    this.#openCount = Math.max(0, this.#openCount - 1)
    if (atOnce) this.leave()
    else if (this.#openCount === 0) timers.set(this.#cleanupTimer, now + LIMITS.cloudCleanupUs)
  }

  /** 3.1.6.1: deletes all state. */
  #delete(): void {
    const context = this.#context
    this.#parts.discovery.close()
    context.exchanges.clear()
    context.timers.clear()
    context.forgetCrypto()
    context.cache.clear()
    // What they waited for will not come: a cloud that is opened again begins with new ones.
    this.#parts = newParts(context)
    this.#pings = new Pings(context)
    this.#lastUsed = new LastUsedNodes(context)
    this.#phase = 'closed'
  }

  #startMaintenanceTimer(): void {
    const { cache, now, timers } = this.#context
    const sparse = cache.size <= LIMITS.maintenanceSparseEntries
    const interval = sparse ? LIMITS.maintenanceIntervalSparseUs : LIMITS.maintenanceIntervalUs
    timers.set(this.#maintenanceTimer, now + interval)
  }

  #takeIn(event: CloudLocalEvent): void {
    const context = this.#context
    switch (event.type) {
      case 'addresses':
        this.#addressesChanged(event.endpoints)
        return
      case 'wall-clock':
        context.wallOffsetMs = event.offsetMs
        return
      case 'crypto':
        context.cryptoDone(event.result)
        return
      case 'signing-load':
        context.signingLoad = event.load
        return
      case 'malformed':
        context.counters.add(`drop.malformed.${event.reason}`)
        return
      default:
        if (this.#phase === 'open') this.#parts.discovery.handleLocalEvent(event)
    }
  }

  /** 3.1.7.1, 3.2.7.2. */
  #addressesChanged(available: readonly Endpoint[]): void {
    const context = this.#context
    const chosen = chooseLocalEndpoints(available, this.scope)
    if (sameEndpoints(chosen, context.localEndpoints)) return
    context.localEndpoints = chosen
    if (chosen.length === 0) this.#parts.resolver.cancelAll(NO_ADDRESS)
    else if (this.#phase === 'open') this.#parts.registrations.addressesChanged()
  }

  /** After every handler: the end of leaving, and what to tell about the state. */
  #settle(): void {
    if (this.#phase === 'leaving' && !this.#parts.registrations.leaving) this.#delete()
    const state = this.#presentState()
    this.#context.joining &&= state === 'virtual' || state === 'synchronizing'
    if (state === this.#state) return
    this.#state = state
    this.#tellState()
    if (!this.#context.joining) this.#parts.resolver.joined()
    if (state === 'closed') this.#context.events.push({ type: 'closed' })
  }

  #tellState(): void {
    const state = this.#state
    this.#reason = reasonOf(state, this.#context)
    this.#context.events.push({ type: 'state', state, reason: this.#reason })
  }

  /** Still alone, but perhaps for other reasons than before. */
  #renewReason(): void {
    if (this.#state !== 'alone' || !this.#parts.discovery.exhausted) return
    if (reasonOf('alone', this.#context) !== this.#reason) this.#tellState()
  }

  #presentState(): CloudState {
    if (this.#phase !== 'open') return this.#phase === 'leaving' ? 'closing' : this.#phase
    if (this.#context.localEndpoints.length === 0) return 'no-net'
    if (this.#context.cache.size > 0) return 'active'
    // Further rounds of discovery do not make it less alone.
    const { discovery } = this.#parts
    return this.#state === 'alone' || discovery.exhausted ? 'alone' : 'synchronizing'
  }
}

/** The sub-machines of a cloud, which find each other by its context. */
function newParts(context: CloudContext): CloudParts {
  const parts: CloudParts = {
    resolver: new Resolver(context),
    admission: new Admission(context),
    authority: new AuthorityReceiver(context),
    synchronization: new Synchronization(context, new SynchronizationResponder(context)),
    responder: new Responder(context),
    flooding: new Flooding(context),
    registrations: new Registrations(context),
    discovery: new CloudDiscovery(context),
    maintenance: new Maintenance(context),
  }
  context.parts = parts
  return parts
}
