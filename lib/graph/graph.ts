import type { Endpoint } from '../core/endpoint.js'
import { sameEndpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { Commands } from './commands.js'
import { GraphContext, type GraphConfig } from './context.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
  GraphTransmit,
} from './interface.js'
import { Links } from './links.js'
import type { DrivenGraph } from './machine.js'
import { Maintenance } from './maintenance.js'
import type { GraphParts } from './parts.js'
import { Records } from './records.js'
import { Sync } from './sync.js'

/** Builds the parts other than the links; tests have others. */
export type PartsMaker = (context: GraphContext) => Omit<GraphParts, 'links'>

const makeRealParts: PartsMaker = (context) => ({
  records: new Records(context),
  sync: new Sync(context),
  maintenance: new Maintenance(context),
})

/**
 * One node in one graph: MS-PPGRH 3.1 with all its sub-machines.
 *
 * The first input is the local event 'wall-clock'. Handlers first, then polls in the order
 * transmit, effect, event, until all are empty; then wait until `pollTimeout()`.
 */
export class GraphMachine implements DrivenGraph {
  readonly context: GraphContext
  readonly #links: Links
  readonly #commands: Commands
  #started: boolean
  #status = 0
  /** Of persist effects: what is on disk. */
  #persisted = 0
  #closed: boolean

  constructor(config: GraphConfig, makeParts: PartsMaker = makeRealParts) {
    const context = new GraphContext(config)
    this.context = context
    this.#links = new Links(context)
    context.parts = { links: this.#links, ...makeParts(context) }
    this.#commands = new Commands(context, this.#links)
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#started = false
    this.#closed = false
  }

  /** 3.1.4 */
  handleCommand(now: Instant, command: GraphCommand): void {
    this.context.now = now
    if (this.#closed) this.#commands.refuse(command)
    else this.#commands.carryOut(command)
    this.#settle()
  }

  /** 3.1.5: a chunk of a connection's stream. Its memory is only valid during the call. */
  handleMessage(now: Instant, connection: ConnectionId, chunk: Uint8Array): void {
    this.context.now = now
    this.#links.receive(connection, chunk)
    this.#settle()
  }

  /** 3.1.6 */
  handleTimeout(now: Instant): void {
    const { timers } = this.context
    this.context.now = now
    for (;;) {
      const timed = timers.takeDue(now)
      if (timed === undefined) break
      timed.onTimer()
    }
    this.#settle()
  }

  /** 3.1.7, and the results of effects. */
  handleLocalEvent(now: Instant, event: GraphLocalEvent): void {
    this.context.now = now
    if (!this.#closed) this.#takeIn(event)
    this.#settle()
  }

  pollTransmit(): GraphTransmit | undefined {
    return this.#links.outbox.pollTransmit()
  }

  pollEffect(): GraphEffect | undefined {
    return this.context.effects.shift()
  }

  pollEvent(): GraphEvent | undefined {
    return this.context.events.shift()
  }

  pollTimeout(): Instant {
    return this.context.timers.next()
  }

  #takeIn(event: GraphLocalEvent): void {
    const { parts } = this.context
    switch (event.type) {
      case 'wall-clock':
        this.#setClock(event.offsetMs)
        return
      case 'connected':
        this.#links.opened(event.connection)
        return
      case 'accepted':
        this.#links.accepted(event.connection, event.remote)
        return
      case 'written':
        this.#links.written(event.connection, event.bytes)
        return
      case 'closed':
        this.#links.closed(event.connection)
        return
      case 'session':
        this.#links.sessionOutput(event.connection)
        return
      case 'listening':
        this.#listening(event.addresses)
        return
      case 'listen-failed':
        this.#commands.listenFailed(event.code, event.message)
        return
      case 'persisted':
        this.#persisted = event.sequence
        parts.records.persisted(event.sequence)
        return
      case 'persist-failed':
        this.#persisted = event.sequence
        parts.records.persistFailed(event.sequence, event.message)
    }
  }

  /** The first time is the machine's beginning: 3.1.4.1, 3.1.4.2. */
  #setClock(offsetMs: number): void {
    const { parts } = this.context
    this.context.wallOffsetMs = offsetMs
    if (this.#started) {
      parts.records.clockChanged()
      return
    }
    this.#started = true
    parts.records.start()
    parts.maintenance.start()
  }

  /** 3.1.4.8, 3.1.7.23 */
  #listening(available: readonly Endpoint[]): void {
    const context = this.context
    if (context.closing) return
    this.#commands.listening()
    const addresses = available.slice(0, LIMITS.graphListeningAddresses)
    if (sameList(addresses, context.listening)) return
    context.listening = addresses
    context.parts.maintenance.listeningChanged()
    this.#links.handshake.listeningChanged()
  }

  /** After every handler. */
  #settle(): void {
    const context = this.context
    this.#links.outbox.settle()
    context.flushWrites()
    this.#tellStatus()
    if (context.closing && !this.#closed) this.#mayClose()
  }

  #tellStatus(): void {
    const { closing, config, events, listening, neverConnected } = this.context
    const listens = listening.length > 0
    const connected = this.#links.neighbors.length > 0
    const synchronized = config.creates || !neverConnected
    const status = (listens ? 1 : 0) | (connected ? 2 : 0) | (synchronized ? 4 : 0)
    if (status === this.#status || closing) return
    this.#status = status
    events.push({ type: 'status', listening: listens, connected, synchronized })
  }

  /** 3.1.4.12: all connections have ended and all writes are on disk. */
  #mayClose(): void {
    const context = this.context
    if (this.#links.connectionCount > 0) return
    if (this.#persisted < context.nextSequence - 1) return
    this.#closed = true
    context.timers.clear()
    this.#commands.closed()
    context.events.push({ type: 'closed' })
  }
}

function sameList(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((one, i) => sameEndpoint(one, b[i] as Endpoint))
}
