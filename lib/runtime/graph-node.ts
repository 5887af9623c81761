import type { Endpoint } from '../core/endpoint.js'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
} from '../graph/interface.js'
import type { DrivenGraph } from '../graph/machine.js'
import { TcpStream, type StreamOwner } from '../io/tcp.js'
import type { RecordStore } from '../storage/record-store.js'
import { DrivenNode } from './driven-node.js'
import type { GraphUser } from './graph-listeners.js'
import type { Turns } from './turns.js'

/** What carries out 'listen' and 'stop-listening'. */
export interface GraphListening {
  /** Tells the node by 'listening' or 'listen-failed'. */
  start(node: GraphNode, port: number): void
  stop(node: GraphNode): void
}

export interface GraphNodeOptions {
  readonly turns: Turns
  readonly machine: DrivenGraph
  readonly graphId: string
  readonly store: RecordStore
  readonly listening: GraphListening
  /** Interface index for link-local addresses of others. */
  readonly scopeId: number
  readonly onEvent: (event: GraphEvent) => void
}

/**
 * One graph machine on real sockets and a store.
 *
 * What comes in is handed to the machine at once; what the machine asks for in answer is carried
 * out after all sockets had their turn, so that one turn makes one write for each connection.
 */
export class GraphNode extends DrivenNode implements StreamOwner, GraphUser {
  readonly graphId: string
  /** Interface index for link-local addresses of others; 0: none is known. */
  scopeId: number
  readonly #options: GraphNodeOptions
  readonly #machine: DrivenGraph
  readonly #streams = new Map<ConnectionId, TcpStream>()
  /** Those with bytes to flush come first, so many. */
  readonly #touched: (TcpStream | undefined)[] = []
  #touchedCount = 0
  /** The same object each time, told far more often than anything else. */
  readonly #written = { type: 'written' as const, connection: 0, bytes: 0 }
  #nextAccepted = -1
  /** The last promise of the store, and what is on disk once it holds. */
  #writing: { readonly written: Promise<void>; sequence: number } | undefined

  constructor(options: GraphNodeOptions) {
    super(options.turns, options.machine)
    this.#options = options
    this.#machine = options.machine
    this.graphId = options.graphId
    this.scopeId = options.scopeId
    options.turns.add(this)
  }

  get machine(): DrivenGraph {
    return this.#machine
  }

  /** Connections of this node, in any state. */
  get connectionCount(): number {
    return this.#streams.size
  }

  /** Hands a command to the machine; what follows is carried out after this turn. */
  command(command: GraphCommand): void {
    if (this.closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the graph is closed')
    try {
      this.#machine.handleCommand(this.turns.clock.now(), command)
    } finally {
      this.again()
    }
  }

  localEvent(event: GraphLocalEvent): void {
    if (this.closed) return
    this.contain(() => {
      this.#machine.handleLocalEvent(this.turns.clock.now(), event)
    })
    this.again()
  }

  override wallClock(offsetMs: number): void {
    this.localEvent({ type: 'wall-clock', offsetMs })
  }

  /** Reads no more from a connection, or again. */
  pauseReading(connection: ConnectionId, paused: boolean): void {
    this.#streams.get(connection)?.pause(paused)
  }

  /** Ends all connections and timers; nothing reaches the machine any more. Idempotent. */
  close(): void {
    if (!this.end()) return
    this.#options.listening.stop(this)
    for (const stream of this.#streams.values()) stream.destroy()
    this.#streams.clear()
    this.#touched.length = this.#touchedCount = 0
  }

  // --- GraphUser

  adopt(stream: TcpStream, bytes: Uint8Array): void {
    if (this.closed) {
      stream.destroy()
      return
    }
    const connection = this.#nextAccepted--
    stream.tag = connection
    stream.owner = this
    this.#streams.set(connection, stream)
    const { local, remote } = stream
    this.localEvent({ type: 'accepted', connection, local, remote })
    this.streamData(stream, bytes)
  }

  // --- StreamOwner

  streamConnected(stream: TcpStream): void {
    const { local, remote, tag } = stream
    this.localEvent({ type: 'connected', connection: tag, local, remote })
  }

  streamData(stream: TcpStream, chunk: Uint8Array): void {
    if (this.closed) return
    try {
      this.#machine.handleMessage(this.turns.clock.now(), stream.tag, chunk)
    } catch (error) {
      this.failed(error)
      // Nobody knows what the machine has taken in of it.
      this.#drop(stream, 'an internal failure')
    }
    // Who floods faster than turns come round must not have events pile up: a chunk of tiny
    // messages makes more of them than one turn takes.
    const { events } = this.#machine.context
    for (let n = Math.floor(events.length / LIMITS.outputsPerTurn); n > 0; n--) this.pump()
    this.again()
  }

  streamWritten(stream: TcpStream): void {
    const bytes = stream.takeWritten()
    if (bytes > 0) this.localEvent({ type: 'written', connection: stream.tag, bytes })
  }

  streamClosed(stream: TcpStream, why: string): void {
    this.#forget(stream)
    this.localEvent({ type: 'closed', connection: stream.tag, why })
  }

  protected override step(): boolean {
    const transmit = this.#machine.pollTransmit()
    if (transmit !== undefined) {
      const stream = this.#streams.get(transmit.connection)
      if (stream === undefined) return true
      if (!stream.gathers) this.#touched[this.#touchedCount++] = stream
      stream.write(transmit.data)
      return true
    }
    const effect = this.#machine.pollEffect()
    if (effect !== undefined) {
      // What was said before comes before.
      if (effect.type === 'finish' || effect.type === 'destroy') this.#flush()
      this.#perform(effect)
      return true
    }
    const event = this.#machine.pollEvent()
    if (event !== undefined) {
      this.tell(this.#options.onEvent, event)
      return true
    }
    return this.#flush()
  }

  /** One write for each connection; true when the machine has heard something new by that. */
  #flush(): boolean {
    if (this.#touchedCount === 0) return false
    // Nothing here makes the machine's output be carried out: no stream is added meanwhile.
    const written = this.#written
    const count = this.#touchedCount
    this.#touchedCount = 0
    for (let i = 0; i < count; i++) {
      const stream = this.#touched[i] as TcpStream
      this.#touched[i] = undefined
      stream.flush()
      written.bytes = stream.takeWritten()
      if (written.bytes === 0 || stream.closed) continue
      written.connection = stream.tag
      try {
        this.#machine.handleLocalEvent(this.turns.clock.now(), written)
      } catch (error) {
        this.failed(error)
      }
    }
    return true
  }

  protected override flush(): void {
    this.#flush()
  }

  #perform(effect: GraphEffect): void {
    switch (effect.type) {
      case 'connect':
        this.#connect(effect.connection, effect.to)
        return
      case 'finish':
        this.#streams.get(effect.connection)?.finish()
        return
      case 'destroy': {
        const stream = this.#streams.get(effect.connection)
        stream?.destroy()
        if (stream !== undefined) this.#forget(stream)
        return
      }
      case 'listen':
        this.#options.listening.start(this, effect.port)
        return
      case 'stop-listening':
        this.#options.listening.stop(this)
        this.localEvent({ type: 'listening', addresses: [] })
        return
      case 'persist':
        this.#persist(effect)
    }
  }

  #connect(connection: ConnectionId, to: Endpoint): void {
    const stream = TcpStream.connect(to, this.scopeId, this)
    stream.tag = connection
    this.#streams.set(connection, stream)
  }

  #persist({ sequence, writes }: Extract<GraphEffect, { type: 'persist' }>): void {
    const written = this.#options.store.write(writes)
    if (written === undefined) {
      this.localEvent({ type: 'persisted', sequence })
      return
    }
    if (this.#writing?.written === written) {
      this.#writing.sequence = sequence
      return
    }
    const writing = { written, sequence }
    this.#writing = writing
    written.then(
      () => {
        this.localEvent({ type: 'persisted', sequence: writing.sequence })
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        this.localEvent({ type: 'persist-failed', sequence: writing.sequence, message })
      },
    )
  }

  #drop(stream: TcpStream, why: string): void {
    stream.destroy()
    this.#forget(stream)
    this.localEvent({ type: 'closed', connection: stream.tag, why })
  }

  #forget(stream: TcpStream): void {
    this.#streams.delete(stream.tag)
  }
}
