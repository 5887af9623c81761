// One graph machine whose connections are ours to play: the links are real, the other parts are
// recorders. Time stands still unless `pass` is called; what is transmitted counts as written at
// once unless `stalled` says otherwise.
import { equalBytes } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import type { Guid } from '#lib/core/guid.js'
import type { Instant } from '#lib/core/instant.js'
import { SeededRng } from '#lib/core/rng.js'
import type { GraphConfig, GraphContext } from '#lib/graph/context.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { GraphMachine } from '#lib/graph/graph.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
  GraphProperties,
} from '#lib/graph/interface.js'
import type { GraphParts, Link } from '#lib/graph/parts.js'
import { encodeGraphMessage, encodeRecord } from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import type { Acknowledgement, ConnectMessage, GraphMessage } from '#lib/wire/graph/messages.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import { GraphStreamReader } from '#lib/wire/graph/stream-reader.js'

export const GRAPH_ID = 'g1'
/** 2025-12-19 or so, in ms since 1970; the exact moment does not matter. */
export const WALL_MS = 1_766_000_000_000
/** FILETIME of the machine's instant 0: (WALL_MS + 11,644,473,600,000) ms in ticks of 100 ns. */
export const PEER_TIME_0 = BigInt(WALL_MS + 11_644_473_600_000) * 10_000n

export const PROPERTIES: GraphProperties = {
  graphId: GRAPH_ID,
  creatorId: 'alice',
  friendlyName: '',
  comment: '',
  scope: 'global',
  deferExpiration: false,
  presenceLifetimeS: 300,
  maxPresenceRecords: 0xffff_ffff,
  maxRecordSize: 62_914_560,
}

/** [2001:db8::n]:3587 */
export function hostAt(n: number, port = 3587): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8])
  address.set([n >> 8, n], 14)
  return { address, port }
}

/** [2001:db8:0:n::host]:3587 */
export function networkAt(n: number, host = 1): Endpoint {
  const { address, port } = hostAt(host)
  address.set([n >> 8, n], 6)
  return { address, port }
}

export function guidOf(n: number): Guid {
  return `record-${String(n).padStart(9, '0')}` as Guid
}

/** A record of application type with so many bytes of payload. */
export function recordOf(n: number, payload = 16, more: Partial<RecordFields> = {}): GraphRecord {
  const fields: RecordFields = {
    type: 'application-type' as Guid,
    id: guidOf(n),
    version: 1,
    deleted: false,
    creatorId: 'alice',
    lastModifiedBy: '',
    securityData: new Uint8Array(0),
    creationTime: PEER_TIME_0,
    expirationTime: PEER_TIME_0 + 864_000_000_000n,
    modificationTime: PEER_TIME_0,
    graphId: GRAPH_ID,
    payload: new Uint8Array(payload).fill(n & 0xff),
    attributes: '',
    ...more,
  }
  return encodeRecord(fields, DEFAULT_GRAPH_DIALECT)
}

/** The frames of messages, as one chunk. */
export function framed(...messages: GraphMessage[]): Uint8Array {
  const pieces = messages.flatMap((message) => frameMessage(encodeGraphMessage(message), 16_379))
  return new Uint8Array(Buffer.concat(pieces))
}

export const authInfo = (more: object = {}): GraphMessage => ({
  type: 'AUTH_INFO',
  connectionType: 'neighbor',
  graphId: GRAPH_ID,
  sourcePeerId: 'bob',
  ...more,
})

export const connectOf = (nodeId: bigint, more: Partial<ConnectMessage> = {}): GraphMessage => ({
  type: 'CONNECT',
  update: false,
  direct: false,
  neighborList: true,
  nodeId,
  addresses: [],
  ...more,
})

export const welcomeOf = (nodeId: bigint, more: object = {}): GraphMessage => ({
  type: 'WELCOME',
  nodeId,
  peerTime: PEER_TIME_0,
  addresses: [],
  peerId: 'bob',
  ...more,
})

/** What the links told another part: its name, and what it was given. */
export interface Call {
  readonly name: string
  readonly link?: Link
  readonly record?: GraphRecord
  readonly acks?: readonly Acknowledgement[]
  readonly message?: GraphMessage
  readonly first?: boolean
}

export interface HarnessOptions extends Partial<Omit<GraphConfig, 'properties'>> {
  readonly properties?: Partial<GraphProperties>
  readonly seed?: number
}

class Output {
  readonly reader = new GraphStreamReader({
    maxFrame: 32_768,
    maxMessage: 64 * 1024 * 1024,
    stringOrder: 'big-endian',
    graphId: GRAPH_ID,
  })
  readonly messages: GraphMessage[] = []
  readonly frames: Uint8Array[] = []
  readonly raw: Uint8Array[] = []
  bytes = 0
  unconfirmed = 0
}

export class LinkHarness {
  readonly machine: GraphMachine
  readonly calls: Call[] = []
  readonly effects: GraphEffect[] = []
  readonly events: GraphEvent[] = []
  readonly database = new GraphDatabase()
  /** Transmissions are kept as they are, for `takeRaw`. */
  raw = false
  /** Connections whose bytes do not leave. */
  readonly stalled = new Set<ConnectionId>()
  now: Instant = 1_000_000
  readonly #outputs = new Map<ConnectionId, Output>()
  #accepted = -1
  #handle = 1

  constructor(options: HarnessOptions = {}) {
    const { properties, seed, ...config } = options
    this.machine = new GraphMachine(
      {
        rng: new SeededRng(seed ?? 1),
        peerId: 'alice',
        properties: { ...PROPERTIES, ...properties },
        creates: true,
        dialect: DEFAULT_GRAPH_DIALECT,
        prioritizedTypes: [],
        database: this.database,
        loaded: false,
        peerTimeDelta: 0n,
        ...config,
      },
      () => this.#recorders() as unknown as Omit<GraphParts, 'links'>,
    )
    this.local({ type: 'wall-clock', offsetMs: WALL_MS })
    // Instant 0 is WALL_MS, and peer time is the wall clock.
    this.calls.length = 0
    this.events.length = 0
  }

  get context(): GraphContext {
    return this.machine.context
  }

  get links(): GraphParts['links'] {
    return this.context.parts.links
  }

  #recorders(): object {
    const recorder = (part: string): object =>
      new Proxy(
        {},
        {
          get: (_target, key) => {
            const name = `${part}.${String(key)}`
            return (...values: unknown[]) => {
              this.calls.push(callOf(name, values))
            }
          },
        },
      )
    return {
      records: recorder('records'),
      sync: recorder('sync'),
      maintenance: recorder('maintenance'),
    }
  }

  // Input

  command(command: Omit<GraphCommand, 'handle'> & Record<string, unknown>): number {
    const handle = this.#handle++
    this.machine.handleCommand(this.now, { ...command, handle } as unknown as GraphCommand)
    this.pump()
    return handle
  }

  local(event: GraphLocalEvent): void {
    this.machine.handleLocalEvent(this.now, event)
    this.pump()
  }

  bytes(connection: ConnectionId, chunk: Uint8Array): void {
    this.machine.handleMessage(this.now, connection, chunk)
    // Views of the chunk must not outlive the call.
    chunk.fill(0xdd)
    this.pump()
  }

  from(connection: ConnectionId, ...messages: GraphMessage[]): void {
    this.bytes(connection, framed(...messages))
  }

  /** Lets time pass, and timers fire when they are due. */
  pass(us: number): void {
    const until = this.now + us
    for (;;) {
      const next = this.machine.pollTimeout()
      if (next > until) break
      this.now = Math.max(this.now, next)
      this.machine.handleTimeout(this.now)
      this.pump()
    }
    this.now = until
  }

  // Output

  pump(): void {
    for (let wrote = true; wrote;) {
      wrote = false
      for (;;) {
        const transmit = this.machine.pollTransmit()
        if (transmit === undefined) break
        const output = this.#output(transmit.connection)
        for (const piece of transmit.data) this.#take(output, piece)
        if (!this.stalled.has(transmit.connection)) {
          this.machine.handleLocalEvent(this.now, this.#written(transmit.connection))
          wrote = true
        }
      }
      drainInto(this.effects, () => this.machine.pollEffect())
      drainInto(this.events, () => this.machine.pollEvent())
    }
  }

  #written(connection: ConnectionId): GraphLocalEvent {
    const output = this.#output(connection)
    const bytes = output.unconfirmed
    output.unconfirmed = 0
    return { type: 'written', connection, bytes }
  }

  /** So many of its bytes leave the process; all that wait by default. */
  drain(connection: ConnectionId, bytes?: number): void {
    const output = this.#output(connection)
    const some = Math.min(bytes ?? output.unconfirmed, output.unconfirmed)
    output.unconfirmed -= some
    this.local({ type: 'written', connection, bytes: some })
  }

  #output(connection: ConnectionId): Output {
    const known = this.#outputs.get(connection) ?? new Output()
    this.#outputs.set(connection, known)
    return known
  }

  /** What was transmitted since the last call. */
  takeRaw(connection: ConnectionId): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#output(connection).raw.splice(0)))
  }

  #take(output: Output, piece: Uint8Array): void {
    output.bytes += piece.length
    output.unconfirmed += piece.length
    if (this.raw) {
      output.raw.push(piece)
      return
    }
    output.reader.push(piece)
    for (;;) {
      const item = output.reader.next()
      if (item === undefined) return
      if (item.kind === 'message') {
        if (item.message.type === 'FLOOD') item.message.record.retain()
        output.messages.push(item.message)
      } else if (item.kind === 'frame') output.frames.push(item.bytes.slice())
      else throw new Error(`the machine sent what cannot be read: ${JSON.stringify(item)}`)
    }
  }

  /** From here on its stream is frames of a security session. */
  readFrames(connection: ConnectionId): void {
    this.#output(connection).reader.mode = 'frames'
  }

  frames(connection: ConnectionId): Uint8Array[] {
    return this.#output(connection).frames.splice(0)
  }

  /** Messages sent on a connection since the last call. */
  sent(connection: ConnectionId): GraphMessage[] {
    return this.#output(connection).messages.splice(0)
  }

  /** Types of the messages sent, FLOOD with the record's ID. */
  sentTypes(connection: ConnectionId): string[] {
    return this.sent(connection).map((message) => message.type)
  }

  /** Bytes handed to the network that have not left. */
  unconfirmed(connection: ConnectionId): number {
    return this.#output(connection).unconfirmed
  }

  bytesSent(connection: ConnectionId): number {
    return this.#output(connection).bytes
  }

  takeEffects(): GraphEffect[] {
    return this.effects.splice(0)
  }

  takeEvents(): GraphEvent[] {
    return this.events.splice(0)
  }

  /** Was the connection destroyed since effects were last taken? */
  destroyed(connection: ConnectionId): boolean {
    return this.effects.some((e) => e.type === 'destroy' && e.connection === connection)
  }

  finished(connection: ConnectionId): boolean {
    return this.effects.some((e) => e.type === 'finish' && e.connection === connection)
  }

  /** How the connection ended for the application. */
  endOf(connection: ConnectionId): string | undefined {
    for (const event of this.events) {
      if (event.type !== 'connection' || event.connection !== connection) continue
      if (event.end !== undefined) return event.end
    }
    return undefined
  }

  called(name: string): Call[] {
    return this.calls.filter((call) => call.name === name)
  }

  count(name: string): number {
    return this.context.counters.get(name)
  }

  // Whole scenes

  /** A connection comes in; nothing was said on it. */
  accept(remote: Endpoint = hostAt(100, 40_000)): ConnectionId {
    const connection = this.#accepted--
    this.local({ type: 'accepted', connection, local: hostAt(1), remote })
    return connection
  }

  /** A node of this ID connects as a neighbour, up to our answer to its CONNECT. */
  incoming(nodeId: bigint, more: Partial<ConnectMessage> = {}): ConnectionId {
    const connection = this.accept()
    const connectionType = more.direct === true ? 'direct' : 'neighbor'
    this.from(connection, authInfo({ connectionType }), connectOf(nodeId, more))
    return connection
  }

  /** We begin to connect: the effect was carried out if `up`. */
  attempt(to: Endpoint, options: { direct?: boolean; up?: boolean } = {}): ConnectionId {
    const connection = this.links.connect(to, { direct: options.direct ?? false })
    if (typeof connection !== 'number') throw new Error(connection.message)
    this.pump()
    if (options.up !== false) this.up(connection, to)
    return connection
  }

  up(connection: ConnectionId, remote: Endpoint): void {
    this.local({ type: 'connected', connection, local: hostAt(1, 40_000), remote })
  }

  /** We connect to a node and it welcomes us. */
  outgoing(nodeId: bigint, to: Endpoint, more: object = {}): ConnectionId {
    const connection = this.attempt(to)
    this.from(connection, welcomeOf(nodeId, { peerTime: this.context.peerTime, ...more }))
    return connection
  }

  link(connection: ConnectionId): Link | undefined {
    return this.links.neighbors.find((link) => link.connection === connection)
  }

  /** Our database has it, and all neighbours hear of it. */
  flood(record: GraphRecord, except?: ConnectionId): void {
    this.database.put(record, false)
    this.links.flood(record, except === undefined ? undefined : this.link(except))
    this.pump()
  }
}

function callOf(name: string, values: unknown[]): Call {
  const call: Record<string, unknown> = { name }
  for (const value of values) {
    if (typeof value === 'boolean') call['first'] = value
    else if (Array.isArray(value)) call['acks'] = value
    else if (typeof value !== 'object' || value === null) call['value'] = value
    else if ('connection' in value) call['link'] = value
    else if ('retain' in value) call['record'] = (value as GraphRecord).retain()
    else if ('type' in value) call['message'] = value
  }
  return call as unknown as Call
}

function drainInto<T>(list: T[], poll: () => T | undefined): void {
  for (;;) {
    const item = poll()
    if (item === undefined) return
    list.push(item)
  }
}

export function sameAddresses(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i] as Endpoint
      return one.port === other.port && equalBytes(one.address, other.address)
    })
  )
}
