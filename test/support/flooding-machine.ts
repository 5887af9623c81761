// A graph machine of a hundred lines, for tests of what drives machines: it connects, floods
// records to everyone it is connected with, and stores them. No protocol of ours, no handshake;
// its frames are a u32 length and a PEER_RECORD.
import type { Endpoint } from '#lib/core/endpoint.js'
import type { Guid } from '#lib/core/guid.js'
import { NEVER, type Instant } from '#lib/core/instant.js'
import { Queue } from '#lib/core/queue.js'
import { randomGuid, guidBytes } from '#lib/core/guid.js'
import type { GraphContext } from '#lib/graph/context.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
  GraphTransmit,
} from '#lib/graph/interface.js'
import type { DrivenGraph } from '#lib/graph/machine.js'
import type { GraphSetup } from '#lib/graph/make-graph.js'
import { decodeRecord, encodeRecord } from '#lib/wire/graph/codec.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'

const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

export class FloodingMachine implements DrivenGraph {
  readonly #setup: GraphSetup
  readonly #nodeId: bigint
  readonly #database = new Map<Guid, GraphRecord>()
  readonly #links = new Map<ConnectionId, { remote: Endpoint; rest: Buffer; open: boolean }>()
  readonly #transmits = new Queue<GraphTransmit>()
  readonly #effects = new Queue<GraphEffect>()
  readonly #events = new Queue<GraphEvent>()
  readonly #waiting = new Map<number, { handle: number; id: Guid }>()
  #sequence = 0
  #connection = 1
  #connecting = new Map<ConnectionId, number>()
  #listening: readonly Endpoint[] = []
  #now: Instant = 0
  #wallOffsetMs = 0

  constructor(setup: GraphSetup) {
    this.#setup = setup
    this.#nodeId = new DataView(setup.rng.bytes(8).buffer).getBigUint64(0)
    for (const { record } of setup.stored?.records ?? []) this.#database.set(record.id, record)
  }

  /** As much of a context as drivers look at. */
  get context(): GraphContext {
    const neighbors = [...this.#links].flatMap(([connection, link]) =>
      link.open ? [{ connection }] : [],
    )
    const database = this.#database
    return {
      nodeId: this.#nodeId,
      peerTime: this.#peerTime,
      listening: this.#listening,
      database: {
        get size() {
          return database.size
        },
        get: (id: Guid) => database.get(id),
        [Symbol.iterator]: () => database.values(),
      },
      parts: {
        links: { neighbors, connectionCount: this.#links.size, referrals: [] },
        maintenance: { signature: 1n, nodes: [] },
      },
    } as unknown as GraphContext
  }

  get #peerTime(): bigint {
    return FILETIME_OF_UNIX_EPOCH + BigInt(Math.floor(this.#now * 10 + this.#wallOffsetMs * 10_000))
  }

  handleCommand(now: Instant, command: GraphCommand): void {
    this.#now = now
    const { handle } = command
    if (command.type === 'listen') this.#effects.push({ type: 'listen', port: command.port })
    else if (command.type === 'connect') {
      const connection = this.#connection++
      this.#connecting.set(connection, handle)
      this.#links.set(connection, { remote: command.to, rest: Buffer.alloc(0), open: false })
      this.#effects.push({ type: 'connect', connection, to: command.to })
      return
    } else if (command.type === 'close') {
      for (const connection of this.#links.keys())
        this.#effects.push({ type: 'finish', connection })
      this.#effects.push({ type: 'stop-listening' })
      this.#events.push({ type: 'done', handle })
      this.#events.push({ type: 'closed' })
      return
    } else if (command.type === 'publish') {
      this.#publish(handle, command.record.type, command.record.payload ?? new Uint8Array())
      return
    }
    this.#events.push({ type: 'done', handle })
  }

  handleMessage(now: Instant, from: ConnectionId, chunk: Uint8Array): void {
    this.#now = now
    const link = this.#links.get(from)
    if (link === undefined) return
    link.rest = Buffer.concat([link.rest, chunk])
    for (;;) {
      if (link.rest.length < 4) return
      const size = link.rest.readUInt32BE()
      if (link.rest.length < 4 + size) return
      const decoded = decodeRecord(link.rest.subarray(4, 4 + size), DEFAULT_GRAPH_DIALECT)
      link.rest = link.rest.subarray(4 + size)
      if (!decoded.ok) throw new Error(decoded.code)
      if (!this.#database.has(decoded.record.id)) this.#store(decoded.record.retain(), from)
    }
  }

  handleTimeout(now: Instant): void {
    this.#now = now
  }

  handleLocalEvent(now: Instant, event: GraphLocalEvent): void {
    this.#now = now
    if (event.type === 'wall-clock') this.#wallOffsetMs = event.offsetMs
    else if (event.type === 'listening') {
      this.#listening = event.addresses
      this.#status()
    } else if (event.type === 'accepted') {
      this.#links.set(event.connection, {
        remote: event.remote,
        rest: Buffer.alloc(0),
        open: true,
      })
      this.#greet(event.connection)
    } else if (event.type === 'connected') {
      const link = this.#links.get(event.connection)
      if (link !== undefined) link.open = true
      this.#settle(event.connection, true)
      this.#greet(event.connection)
      this.#status()
      this.#events.push({ type: 'synchronized' })
    } else if (event.type === 'closed') {
      this.#links.delete(event.connection)
      this.#settle(event.connection, false)
    } else if (event.type === 'persisted') {
      const done = this.#waiting.get(event.sequence)
      this.#waiting.delete(event.sequence)
      if (done !== undefined) this.#events.push({ type: 'done', ...done })
    }
  }

  pollTransmit(): GraphTransmit | undefined {
    return this.#transmits.shift()
  }

  pollEffect(): GraphEffect | undefined {
    return this.#effects.shift()
  }

  pollEvent(): GraphEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Instant {
    return NEVER
  }

  #settle(connection: ConnectionId, ok: boolean): void {
    const handle = this.#connecting.get(connection)
    this.#connecting.delete(connection)
    if (handle === undefined) return
    if (ok) this.#events.push({ type: 'done', handle, connection })
    else {
      const failure = { code: 'ERR_PEERNET_SYSTEM', message: 'no connection' } as const
      this.#events.push({ type: 'failed', handle, ...failure })
    }
  }

  #status(): void {
    this.#events.push({
      type: 'status',
      listening: this.#listening.length > 0,
      connected: this.#links.size > 0,
      synchronized: false,
    })
  }

  #publish(handle: number, type: Guid, payload: Uint8Array): void {
    const id = randomGuid(this.#setup.rng)
    const time = this.#peerTime
    const record = encodeRecord(
      {
        type,
        id,
        version: 1,
        deleted: false,
        creatorId: this.#setup.peerId,
        lastModifiedBy: '',
        securityData: new Uint8Array(),
        creationTime: time,
        expirationTime: time + 864_000_000_000n,
        modificationTime: time,
        graphId: this.#setup.properties.graphId,
        payload,
        attributes: '',
      },
      DEFAULT_GRAPH_DIALECT,
    )
    this.#waiting.set(this.#sequence + 1, { handle, id })
    this.#store(record, undefined)
  }

  #store(record: GraphRecord, from: ConnectionId | undefined): void {
    this.#database.set(record.id, record)
    const writes = [{ type: 'put', record, autorefresh: false }] as const
    this.#effects.push({ type: 'persist', sequence: ++this.#sequence, writes })
    const local = from === undefined
    this.#events.push({ type: 'record', change: 'added', record, local })
    for (const [connection, link] of this.#links) {
      if (link.open && connection !== from) this.#send(connection, record)
    }
  }

  #greet(connection: ConnectionId): void {
    for (const record of this.#database.values()) this.#send(connection, record)
  }

  #send(connection: ConnectionId, record: GraphRecord): void {
    const head = new Uint8Array(4)
    new DataView(head.buffer).setUint32(0, record.bytes.length)
    this.#transmits.push({ connection, data: [head, record.bytes] })
  }
}

/** An ID from a small number, for tests. */
export function idOf(n: number): Guid {
  return Buffer.from([...guidBytes('\0'.repeat(16) as Guid).subarray(0, 15), n]).toString(
    'latin1',
  ) as Guid
}
