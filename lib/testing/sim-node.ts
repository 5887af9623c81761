import { PeernetError } from '../core/errors.js'
import type { Endpoint } from '../core/endpoint.js'
import { milliseconds, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { CloudMachine } from '../pnrp/cloud.js'
import type {
  CloudEffect,
  CloudEvent,
  CloudLocalEvent,
  CloudScope,
  CloudState,
} from '../pnrp/interface.js'
import { decodeMessage } from '../wire/codec.js'
import { ResolveCriteria } from '../wire/messages.js'
import { endpointOfHost } from './host-addresses.js'
import type { SimHost } from './kernel.js'
import { derivedRng } from './mix.js'
import type { Packet } from './packet-network.js'
import { CryptoProcessor } from './sim-crypto.js'
import {
  registrationSpec,
  requireName,
  type SimNodeOptions,
  type SimRegisterOptions,
  type SimResolveOptions,
} from './sim-options.js'
import { SimRegistration, SimResolution } from './sim-results.js'
import type { SimWorld } from './sim-world.js'

/** How long a DNS look-up of the seeds takes in a simulation. */
const SEED_LOOKUP_US = milliseconds(20)
/** A drifting wall clock is told to the machine this often. */
const CLOCK_INTERVAL_US = milliseconds(60_000)

/** Machines get views of this: as with real sockets, what they do not copy is soon overwritten. */
const receiveRing = new Uint8Array(LIMITS.datagramBytes)
const OVERWRITTEN = 0xee

/**
 * A host that runs the shipping cloud machine, codec and cache. Everything it does takes virtual
 * time: start something, let the simulation run, then look at the results.
 */
export class SimNode implements SimHost {
  readonly index: number
  readonly scope: CloudScope
  readonly link: number
  /** State of the cloud as the machine last reported it, and why. */
  state: CloudState = 'virtual'
  stateReason = ''
  /** What the machine wanted kept for the next start, newest first. */
  lastUsed: readonly Endpoint[]
  readonly #world: SimWorld
  readonly #multicast: boolean
  readonly #clockOffsetMs: number
  readonly #clockDriftPpm: number
  readonly #processor = new CryptoProcessor()
  /** Undefined once the node is gone: the dead cost next to nothing. */
  #live: CloudMachine | undefined
  #endpoints: readonly Endpoint[]
  readonly #seeds: readonly Endpoint[]
  readonly #intercept: SimNodeOptions['intercept']
  #moves = 0
  #nextHandle = 1
  #clockToldAt: Instant
  #registrations: Map<number, SimRegistration> | undefined
  #resolutions: Map<number, SimResolution> | undefined

  /** Called by `Simulation.addNode`. */
  constructor(world: SimWorld, options: SimNodeOptions) {
    this.#world = world
    this.scope = options.scope ?? 'global'
    this.link = options.link ?? 0
    this.lastUsed = options.lastUsed ?? []
    this.#multicast = options.multicast ?? this.scope === 'link-local'
    this.#clockOffsetMs = options.clockOffsetMs ?? 0
    this.#clockDriftPpm = options.clockDriftPpm ?? 0
    this.#intercept = options.intercept
    this.index = world.kernel.hostCount
    this.#endpoints = options.endpoints ?? [this.#ownEndpoint(options.port)]
    this.#seeds = (options.seeds ?? []).flatMap((seed) =>
      seed instanceof SimNode ? seed.endpoints.slice(0, 1) : [seed],
    )
    this.#live = new CloudMachine({
      scope: this.scope,
      rng: derivedRng(world.kernel.seed, 'node', this.index),
      resolveOnly: options.resolveOnly ?? false,
      ...(options.cacheEntries === undefined ? {} : { cacheCapacity: options.cacheEntries }),
      ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    })
    this.#clockToldAt = world.kernel.now
    world.kernel.addHost(this)
    for (const endpoint of this.#endpoints) world.kernel.network.bind(this.index, endpoint)
    this.#open()
  }

  get alive(): boolean {
    return this.#live !== undefined
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /** The machine itself, for what has no method here. Call `poke` after feeding it by hand. */
  get machine(): CloudMachine {
    return this.#machine
  }

  get #machine(): CloudMachine {
    if (this.#live !== undefined) return this.#live
    throw new PeernetError('ERR_PEERNET_CLOSED', 'the simulated node is gone')
  }

  /** Names registered here that have neither failed nor ended. */
  get registrations(): readonly SimRegistration[] {
    return this.#registrations === undefined
      ? []
      : [...this.#registrations.values()].filter((registration) => registration.live)
  }

  /** Publishes a name. Throws ERR_PEERNET_INVALID_PEER_NAME, ERR_PEERNET_IDENTITY_NOT_FOUND. */
  register(name: string, options: SimRegisterOptions = {}): SimRegistration {
    const machine = this.#machine
    const handle = this.#nextHandle++
    const registration = new SimRegistration(name, handle, this.#world.kernel.now)
    const parts = requireName(name)
    const identity = options.identity ?? this.#world.identityFor(parts.authority, this.index)
    const spec = registrationSpec(parts, identity, options, this.#endpoints)
    this.#registrations ??= new Map()
    this.#registrations.set(handle, registration)
    machine.handleCommand(this.#world.kernel.now, { type: 'register', handle, spec })
    this.poke()
    return registration
  }

  /** Withdraws a name: its neighbours are told. */
  unregister(registration: SimRegistration): void {
    const machine = this.#machine
    const { handle } = registration
    if (registration.live) this.#end(registration, 'ended')
    machine.handleCommand(this.#world.kernel.now, { type: 'unregister', handle })
    this.poke()
  }

  /** Looks for a name. The result fills in while the simulation runs. */
  resolve(name: string, options: SimResolveOptions = {}): SimResolution {
    const machine = this.#machine
    const parts = requireName(name)
    const { now } = this.#world.kernel
    const handle = this.#nextHandle++
    const resolution = new SimResolution(name, this.index, now, options.trace ?? false)
    this.#resolutions ??= new Map()
    this.#resolutions.set(handle, resolution)
    machine.handleCommand(now, {
      type: 'resolve',
      handle,
      spec: {
        ...parts,
        criteria: options.criteria ?? ResolveCriteria.ANY_PEER_NAME,
        includeLocal: options.includeLocal ?? false,
        deadlineUs: milliseconds(options.timeoutMs ?? LIMITS.resolveDeadlineUs / 1000),
        ...(options.locationPrefix === undefined ? {} : { locationPrefix: options.locationPrefix }),
        ...(options.excludeIds === undefined ? {} : { excludeIds: options.excludeIds }),
      },
    })
    this.poke()
    return resolution
  }

  /** Dies on the spot, as by SIGKILL: no goodbye, nothing stored. */
  kill(): void {
    if (this.alive) this.#gone()
  }

  /** Leaves orderly: names are withdrawn; the host goes when the machine says 'closed'. */
  leave(): void {
    const machine = this.#machine
    for (const registration of this.registrations) this.#end(registration, 'ended')
    machine.handleCommand(this.#world.kernel.now, { type: 'close', now: true })
    this.poke()
  }

  /** The host gets other addresses (by default one new one) and tells its machine. */
  changeAddresses(endpoints?: readonly Endpoint[]): void {
    const machine = this.#machine
    const { network, now } = this.#world.kernel
    for (const endpoint of this.#endpoints) network.unbind(endpoint)
    this.#moves++
    this.#endpoints = endpoints ?? [this.#ownEndpoint(this.#endpoints[0]?.port)]
    for (const endpoint of this.#endpoints) network.bind(this.index, endpoint)
    machine.handleLocalEvent(now, { type: 'addresses', endpoints: this.#endpoints })
    this.poke()
  }

  /** Runs discovery and a split test now. */
  repair(): void {
    const machine = this.#machine
    machine.handleCommand(this.#world.kernel.now, { type: 'repair' })
    this.poke()
  }

  /** Sends a datagram of your own from the node's first endpoint. */
  send(to: Endpoint, data: Uint8Array): void {
    const from = this.#endpoints[0]
    if (this.alive && from !== undefined) this.#world.kernel.send(this.index, from, to, data)
  }

  /** Feeds a local event (MS-PNRP 3.1.7, 3.2.7) to the machine. */
  localEvent(event: CloudLocalEvent): void {
    this.#machine.handleLocalEvent(this.#world.kernel.now, event)
    this.poke()
  }

  /** Carries out what the machine has to say and reads its timer anew. */
  poke(): void {
    this.#drain(this.#world.kernel.now)
    this.#world.kernel.poll(this.index)
  }

  handlePacket(now: Instant, packet: Packet): void {
    if (this.#clockDriftPpm !== 0 && now - this.#clockToldAt >= CLOCK_INTERVAL_US) {
      this.#tellClock(now)
    }
    if (this.#intercept?.(this, packet) === true || !this.alive) return
    this.#receive(now, packet)
    this.#drain(now)
  }

  #receive(now: Instant, { data, from }: Packet): void {
    if (data.length > receiveRing.length) return
    receiveRing.set(data)
    const received = receiveRing.subarray(0, data.length)
    const decoded = decodeMessage(received)
    if (decoded.ok) this.#machine.handleMessage(now, from, decoded.message)
    else this.#machine.handleLocalEvent(now, { type: 'malformed', reason: decoded.code })
    received.fill(OVERWRITTEN)
  }

  handleTimeout(now: Instant): void {
    this.#machine.handleTimeout(now)
    this.#drain(now)
  }

  handleLocal(now: Instant, what: unknown): void {
    const event = what as CloudLocalEvent
    this.#machine.handleLocalEvent(now, event)
    if (event.type === 'crypto') this.#tellLoad(now)
    this.#drain(now)
  }

  pollTimeout(): Instant {
    return this.#machine.pollTimeout()
  }

  #open(): void {
    const { now } = this.#world.kernel
    this.#tellClock(now)
    this.#machine.handleLocalEvent(now, { type: 'addresses', endpoints: this.#endpoints })
    this.#machine.handleCommand(now, {
      type: 'open',
      seeds: this.#seeds,
      lastUsed: this.lastUsed,
    })
    this.poke()
  }

  #ownEndpoint(port: number | undefined): Endpoint {
    const endpoint = endpointOfHost(this.index, this.scope, this.#moves)
    return port === undefined ? endpoint : { ...endpoint, port }
  }

  #tellClock(now: Instant): void {
    this.#clockToldAt = now
    const drift = (now / 1000) * (this.#clockDriftPpm / 1_000_000)
    const offsetMs = this.#world.epochMs + this.#clockOffsetMs + drift
    this.#machine.handleLocalEvent(now, { type: 'wall-clock', offsetMs })
  }

  #tellLoad(now: Instant): void {
    const load = this.#processor.changedLoad(now, this.#world.cryptoTimes)
    if (load !== undefined) this.#machine.handleLocalEvent(now, { type: 'signing-load', load })
  }

  /** The order of polls that lib/core/machine.ts asks for, until nothing is left. */
  #drain(now: Instant): void {
    const machine = this.#machine
    for (;;) {
      let busy = false
      for (let out = machine.pollTransmit(); out; out = machine.pollTransmit()) {
        busy = true
        this.#world.countTransmit(out)
        const from = this.#endpoints[0]
        if (from !== undefined) this.#world.kernel.send(this.index, from, out.to, out.data)
      }
      for (let effect = machine.pollEffect(); effect; effect = machine.pollEffect()) {
        busy = true
        this.#perform(now, effect)
      }
      for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
        busy = true
        this.#notice(now, event)
        if (!this.alive) return
      }
      if (!busy) return
    }
  }

  #perform(now: Instant, effect: CloudEffect): void {
    const { kernel } = this.#world
    switch (effect.type) {
      case 'crypto': {
        const { port, cryptoTimes } = this.#world
        const { result, at } = this.#processor.run(now, effect.job, port, cryptoTimes)
        this.#later(at - now, { type: 'crypto', result: result })
        this.#tellLoad(now)
        return
      }
      case 'ssdp-search':
        this.#search(effect.searchTarget)
        return
      case 'ssdp-announce':
        if (!this.#multicast) return
        this.#world.multicast.announce(this.link, effect.searchTarget, this.index, effect.endpoint)
        return
      case 'ssdp-withdraw':
        this.#world.multicast.withdraw(this.link, effect.searchTarget, this.index)
        return
      case 'lookup-seeds':
        this.#later(SEED_LOOKUP_US, { type: 'seeds', endpoints: this.#seeds })
        return
      case 'persist-last-used':
        this.lastUsed = effect.endpoints
        kernel.log.record(now, 'local', this.index, 0, effect.endpoints.length)
    }
  }

  #search(searchTarget: string): void {
    if (!this.#multicast) {
      this.#later(0, { type: 'ssdp-unavailable', reason: 'multicast is off in this simulation' })
      return
    }
    for (const { endpoint, delayUs } of this.#world.searchMulticast(this, searchTarget)) {
      this.#later(delayUs, { type: 'ssdp-response', searchTarget, endpoint })
    }
  }

  #later(delayUs: number, event: CloudLocalEvent): void {
    this.#world.kernel.later(this.index, delayUs, event)
  }

  #notice(now: Instant, event: CloudEvent): void {
    this.#world.notice?.(this, event)
    switch (event.type) {
      case 'state':
        this.state = event.state
        this.stateReason = event.reason
        return
      case 'resolve-step':
        this.#resolutions?.get(event.handle)?.steps?.push({ at: event.at, step: event.step })
        return
      case 'resolve-done':
        this.#resolutions?.get(event.handle)?.finish(now, event)
        this.#resolutions?.delete(event.handle)
        return
      case 'registration': {
        const registration = this.#registrations?.get(event.handle)
        if (registration?.live !== true) return
        registration.state = event.state
        registration.pnrpId = event.pnrpId
        return
      }
      case 'registration-failed':
      case 'unregistered':
        this.#endRegistration(event)
        return
      case 'closed':
        this.#gone()
        return
      default:
        return
    }
  }

  #endRegistration(event: { type: 'registration-failed' | 'unregistered'; handle: number }): void {
    const registration = this.#registrations?.get(event.handle)
    if (registration === undefined) return
    if (registration.live)
      this.#end(registration, event.type === 'unregistered' ? 'ended' : 'failed')
    this.#registrations?.delete(event.handle)
  }

  #end(registration: SimRegistration, state: 'ended' | 'failed'): void {
    registration.state = state
    if (registration.pnrpId !== undefined) this.#world.registrationEnded(registration.pnrpId)
  }

  #gone(): void {
    const { kernel, multicast } = this.#world
    this.#live = undefined
    this.state = 'closed'
    for (const endpoint of this.#endpoints) kernel.network.unbind(endpoint)
    kernel.removeHost(this.index)
    multicast.forget(this.index)
    for (const registration of this.registrations) this.#end(registration, 'ended')
    for (const resolution of this.#resolutions?.values() ?? []) resolution.abandon(kernel.now)
    this.#registrations = undefined
    this.#resolutions = undefined
  }
}
