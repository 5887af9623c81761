import { PeernetError } from '../core/errors.js'
import type { Endpoint } from '../core/endpoint.js'
import { milliseconds, NEVER, type Instant } from '../core/instant.js'
import type { Guid } from '../core/guid.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
  RecordChanges,
  RecordSpec,
} from '../graph/interface.js'
import type { DrivenGraph } from '../graph/machine.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphWorld } from './graph-world.js'
import { endpointOfHost } from './host-addresses.js'
import type { SimHost } from './kernel.js'
import { derivedRng } from './mix.js'
import { SimCommand, type SimGraphNodeOptions } from './sim-graph-options.js'
import { SimGraphStore } from './sim-graph-store.js'
import type { SimStream, StreamHandlers } from './sim-stream.js'

const DEFAULT_PORT = 3587
/** A drifting wall clock is told to the machine this often. */
const CLOCK_INTERVAL_US = milliseconds(60_000)

type CommandBody = GraphCommand extends infer C
  ? C extends GraphCommand
    ? Omit<C, 'handle'>
    : never
  : never

/** What an application gives to publish a record, with a lifetime instead of an end. */
export type SimRecordSpec = Omit<RecordSpec, 'expirationTime'> & {
  /** Default: a day. */
  readonly lifetimeMs?: number
  readonly expirationTime?: bigint
}

/**
 * A host that runs the shipping graph machine over simulated streams and a simulated disk.
 * Everything it does takes virtual time: start something, let the world run, then look.
 */
export class SimGraphNode implements SimHost {
  readonly index: number
  readonly peerId: string
  readonly store: SimGraphStore
  /** As the machine last reported it. */
  status = { listening: false, connected: false, synchronized: false }
  /** When a sync last ended here. */
  synchronizedAt: Instant | undefined
  /** Whose bytes the machine is looking at, during an event of it. */
  receivingFrom: SimGraphNode | undefined
  /** Asked when the machine wants another connection; may be set later. */
  repair: SimGraphNodeOptions['repair']
  readonly #world: GraphWorld
  readonly #options: SimGraphNodeOptions
  readonly #addresses: Uint8Array[]
  readonly #comesBack: boolean
  #live: DrivenGraph | undefined
  readonly #streams = new Map<ConnectionId, SimStream>()
  readonly #inbox: GraphLocalEvent[] = []
  readonly #touched = new Set<ConnectionId>()
  readonly #taken = new Map<ConnectionId, number>()
  readonly #commands = new Map<number, SimCommand>()
  #nextHandle = 1
  #nextAccepted = -1
  #port: number | undefined
  #wantsToListen: boolean
  #draining = false
  #clockAt: Instant
  #clockOffsetMs: number

  /** Called by `GraphWorld.addNode`. */
  constructor(
    world: GraphWorld,
    options: SimGraphNodeOptions,
    creates: boolean,
    added: (self: SimGraphNode) => void,
  ) {
    const { kernel } = world
    this.#world = world
    this.#options = options
    this.index = kernel.hostCount
    this.peerId = options.peerId ?? `peer-${this.index}`
    this.repair = options.repair
    const { store } = options
    this.store = store instanceof SimGraphStore ? store : new SimGraphStore(store)
    this.#addresses = [...(options.addresses ?? [endpointOfHost(this.index, 'global').address])]
    this.#clockOffsetMs = options.clockOffsetMs ?? 0
    this.#clockAt = kernel.now
    const stored = this.store.load()
    this.#comesBack = stored !== undefined
    this.#wantsToListen = options.listen !== 'never'
    this.#live = world.makeMachine({
      rng: derivedRng(kernel.seed, 'graph node', this.index),
      peerId: this.peerId,
      properties: world.properties,
      creates: creates && stored === undefined,
      dialect: world.dialect,
      prioritizedTypes: options.prioritizedTypes ?? [],
      ...(options.security === undefined ? {} : { security: options.security }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(stored === undefined ? {} : { stored }),
    })
    kernel.addHost(this)
    world.streams.addHost(this.index, this.#addresses)
    added(this)
    this.#start(creates)
  }

  get alive(): boolean {
    return this.#live !== undefined
  }

  /** The machine itself. Call `poke` after feeding it by hand. */
  get machine(): DrivenGraph {
    if (this.#live !== undefined) return this.#live
    throw new PeernetError('ERR_PEERNET_CLOSED', 'the simulated node is gone')
  }

  get nodeId(): bigint {
    return this.machine.context.nodeId
  }

  /** Where it listens, or would. */
  get endpoint(): Endpoint {
    return this.#endpoints(this.#port ?? this.#options.port ?? DEFAULT_PORT)[0] as Endpoint
  }

  get addresses(): readonly Uint8Array[] {
    return this.#addresses
  }

  /** Ticks of peer time, as this node sees it. */
  get peerTime(): bigint {
    const { context } = this.machine
    context.now = this.#world.kernel.now
    return context.peerTime
  }

  /** Every record that it holds, tombstones included. */
  get records(): GraphRecord[] {
    return [...this.machine.context.database]
  }

  record(id: Guid): GraphRecord | undefined {
    return this.machine.context.database.get(id)
  }

  /** Connected neighbours that are simulated nodes, in the order of their beginning. */
  get neighbors(): SimGraphNode[] {
    return this.machine.context.parts.links.neighbors.flatMap((link) => {
      const stream = this.#streams.get(link.connection)
      return stream === undefined ? [] : (this.#world.peerOf(stream) ?? [])
    })
  }

  get neighborCount(): number {
    return this.machine.context.parts.links.neighbors.length
  }

  command(body: CommandBody): SimCommand {
    const { machine } = this
    const handle = this.#nextHandle++
    const command = new SimCommand(body.type, this.#world.kernel.now)
    if ('id' in body) command.id = body.id
    this.#commands.set(handle, command)
    machine.handleCommand(this.#world.kernel.now, { ...body, handle })
    this.poke()
    return command
  }

  listen(port = this.#options.port ?? DEFAULT_PORT): SimCommand {
    this.#wantsToListen = false
    return this.command({ type: 'listen', port })
  }

  connect(
    to: SimGraphNode | Endpoint,
    options: { readonly direct?: boolean; readonly peerId?: string } = {},
  ): SimCommand {
    const { direct = false, peerId } = options
    const target = to instanceof SimGraphNode ? to.endpoint : to
    const more = peerId === undefined ? {} : { peerId }
    return this.command({ type: 'connect', to: target, direct, ...more })
  }

  publish(spec: SimRecordSpec): SimCommand {
    const { lifetimeMs = 86_400_000, expirationTime, ...record } = spec
    const end = expirationTime ?? this.peerTime + BigInt(Math.round(lifetimeMs * 10_000))
    return this.command({ type: 'publish', record: { ...record, expirationTime: end } })
  }

  update(id: Guid, changes: RecordChanges): SimCommand {
    return this.command({ type: 'update', id, changes })
  }

  delete(id: Guid): SimCommand {
    return this.command({ type: 'delete', id })
  }

  /** Leaves orderly; the host goes when the machine says 'closed'. */
  close(): SimCommand {
    return this.command({ type: 'close' })
  }

  /**
   * Its process dies on the spot. 'reset': the machine it ran on tells all peers; 'silent': the
   * machine is gone, too, and nobody is told.
   */
  kill(how: 'reset' | 'silent' = 'silent'): void {
    if (!this.alive) return
    this.store.crash(derivedRng(this.#world.kernel.seed, 'crash', this.index))
    this.#gone(how)
  }

  /** The host gets other addresses and tells its machine (3.1.7.23). */
  changeAddresses(addresses: readonly Uint8Array[]): void {
    const { streams } = this.#world
    for (const address of this.#addresses) streams.unbind(this.index, address)
    this.#addresses.splice(0, this.#addresses.length, ...addresses)
    for (const address of addresses) streams.bind(this.index, address)
    if (this.#port === undefined) return
    this.#inbox.push({ type: 'listening', addresses: this.#endpoints(this.#port) })
    this.poke()
  }

  /** Sets its wall clock forwards or back. */
  stepClock(ms: number): void {
    this.#clockOffsetMs += ms
    this.#tellClock(this.#world.kernel.now)
    this.poke()
  }

  /** Carries out what the machine has to say and reads its timer anew. */
  poke(): void {
    this.#drain(this.#world.kernel.now)
    this.#world.kernel.poll(this.index)
  }

  // --- SimHost

  handleTimeout(now: Instant): void {
    if (this.#options.clockDriftPpm && now - this.#clockAt >= CLOCK_INTERVAL_US) {
      this.#tellClock(now)
    }
    this.#live?.handleTimeout(now)
    this.#drain(now)
  }

  handleLocal(now: Instant, what: unknown): void {
    const event = what as GraphLocalEvent
    if (event.type === 'persisted') this.store.settle(event.sequence)
    this.#live?.handleLocalEvent(now, event)
    this.#drain(now)
  }

  pollTimeout(): Instant {
    return this.#live?.pollTimeout() ?? NEVER
  }

  // --- inside

  #start(creates: boolean): void {
    this.#tellClock(this.#world.kernel.now)
    const { connectTo, listen } = this.#options
    if (listen === 'at-once' || (this.#wantsToListen && (creates || this.#comesBack))) {
      this.listen()
    }
    if (connectTo !== undefined) this.connect(connectTo)
    this.poke()
  }

  #tellClock(now: Instant): void {
    this.#clockAt = now
    const drift = (now / 1000) * ((this.#options.clockDriftPpm ?? 0) / 1_000_000)
    const offsetMs = this.#world.epochMs + this.#clockOffsetMs + drift
    this.machine.handleLocalEvent(now, { type: 'wall-clock', offsetMs })
  }

  #endpoints(port: number): Endpoint[] {
    return this.#addresses.map((address) => ({ address, port }))
  }

  /** The order of polls that lib/core/machine.ts asks for, until nothing is left. */
  #drain(now: Instant): void {
    if (this.#draining) return
    this.#draining = true
    try {
      while (this.#live !== undefined && this.#step(now, this.#live)) {
        // until the machine is at rest
      }
    } finally {
      this.#draining = false
    }
  }

  #step(now: Instant, machine: DrivenGraph): boolean {
    let busy = false
    for (let out = machine.pollTransmit(); out; out = machine.pollTransmit()) {
      busy = true
      this.#write(out.connection, out.data)
    }
    this.#flush()
    for (let effect = machine.pollEffect(); effect; effect = machine.pollEffect()) {
      busy = true
      this.#perform(now, effect)
    }
    for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
      busy = true
      this.#notice(event)
      if (!this.alive) return false
    }
    for (const [connection, bytes] of this.#taken) {
      this.#inbox.push({ type: 'written', connection, bytes })
    }
    this.#taken.clear()
    for (const event of this.#inbox.splice(0)) {
      busy = true
      machine.handleLocalEvent(now, event)
    }
    return busy
  }

  #write(connection: ConnectionId, pieces: readonly Uint8Array[]): void {
    const stream = this.#streams.get(connection)
    if (stream === undefined) return
    const taken = stream.write(...pieces)
    if (taken > 0) this.#taken.set(connection, (this.#taken.get(connection) ?? 0) + taken)
    this.#touched.add(connection)
  }

  /** Whatever a turn wrote goes out together. */
  #flush(): void {
    for (const connection of this.#touched) this.#streams.get(connection)?.flush()
    this.#touched.clear()
  }

  #perform(now: Instant, effect: GraphEffect): void {
    switch (effect.type) {
      case 'connect': {
        const handlers = this.#handlers(effect.connection)
        const stream = this.#world.streams.connect(this.index, effect.to, handlers)
        this.#streams.set(effect.connection, stream)
        return
      }
      case 'finish':
        this.#streams.get(effect.connection)?.finish()
        return
      case 'destroy':
        this.#streams.get(effect.connection)?.destroy()
        this.#streams.delete(effect.connection)
        return
      case 'listen':
        this.#listen(effect.port)
        return
      case 'stop-listening':
        if (this.#port !== undefined) this.#world.streams.stopListening(this.index, this.#port)
        this.#port = undefined
        this.#inbox.push({ type: 'listening', addresses: [] })
        return
      case 'persist': {
        const { sequence } = effect
        const at = this.store.write(now, effect)
        this.#world.sawWrites(this, effect.writes)
        const event: GraphLocalEvent =
          at === undefined
            ? { type: 'persist-failed', sequence, message: 'the simulated disk is full' }
            : { type: 'persisted', sequence }
        this.#world.kernel.later(this.index, (at ?? now) - now, event)
      }
    }
  }

  #listen(port: number): void {
    this.#port = port === 0 ? DEFAULT_PORT : port
    this.#world.streams.listen(this.index, this.#port, (now, stream) => {
      const connection = this.#nextAccepted--
      this.#streams.set(connection, stream)
      const { local, remote } = stream
      this.#live?.handleLocalEvent(now, { type: 'accepted', connection, local, remote })
      this.#drain(now)
      return this.#handlers(connection)
    })
    this.#inbox.push({ type: 'listening', addresses: this.#endpoints(this.#port) })
  }

  #handlers(connection: ConnectionId): StreamHandlers {
    const tell = (now: Instant, event: GraphLocalEvent): void => {
      this.#live?.handleLocalEvent(now, event)
      this.#drain(now)
    }
    const close = (now: Instant, why: string): void => {
      this.#streams.get(connection)?.destroy()
      this.#streams.delete(connection)
      tell(now, { type: 'closed', connection, why })
    }
    return {
      connected: (now) => {
        const { local, remote } = this.#streams.get(connection) as SimStream
        tell(now, { type: 'connected', connection, local, remote })
      },
      data: (now, chunk) => {
        const stream = this.#streams.get(connection)
        if (stream === undefined) return
        this.receivingFrom = this.#world.peerOf(stream)
        this.#live?.handleMessage(now, connection, chunk)
        this.#drain(now)
        this.receivingFrom = undefined
      },
      written: (now, bytes) => {
        tell(now, { type: 'written', connection, bytes })
      },
      ended: (now) => {
        close(now, 'the peer has closed the connection')
      },
      failed: close,
    }
  }

  #notice(event: GraphEvent): void {
    this.#world.notice?.(this, event)
    switch (event.type) {
      case 'status': {
        const { listening, connected, synchronized } = event
        this.status = { listening, connected, synchronized }
        if (synchronized) this.#listenWhenReady()
        return
      }
      case 'synchronized':
        if (event.recordType !== undefined) return
        this.synchronizedAt = this.#world.kernel.now
        this.#listenWhenReady()
        return
      case 'done':
      case 'failed':
        this.#settle(event)
        return
      case 'connection-required': {
        const target = this.repair?.(this)
        if (target !== undefined) this.#later(() => void this.connect(target))
        return
      }
      case 'closed':
        this.#gone('reset')
        return
      default:
        return
    }
  }

  #listenWhenReady(): void {
    if (!this.#wantsToListen) return
    this.#wantsToListen = false
    this.#later(() => void this.listen())
  }

  /** Commands are not given while the machine is being polled. */
  #later(script: () => void): void {
    this.#world.kernel.at(this.#world.kernel.now, () => {
      if (this.alive) script()
    })
  }

  #settle(event: Extract<GraphEvent, { type: 'done' | 'failed' }>): void {
    const command = this.#commands.get(event.handle)
    if (command === undefined) return
    this.#commands.delete(event.handle)
    command.endedAt = this.#world.kernel.now
    command.state = event.type
    if (event.type === 'failed') {
      command.code = event.code
      command.message = event.message
      return
    }
    command.id ??= event.id
    command.connection = event.connection
    this.#world.sawDone(this, command)
  }

  #gone(how: 'reset' | 'silent'): void {
    this.#live = undefined
    this.status = { listening: false, connected: false, synchronized: false }
    this.#world.streams.crash(this.index, how)
    this.#world.kernel.removeHost(this.index)
    this.#streams.clear()
    this.#inbox.length = 0
  }
}
