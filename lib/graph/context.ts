import { Counters } from '../core/counters.js'
import { Deadlines, type Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import type { ErrorCode } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import type { Instant } from '../core/instant.js'
import { Queue } from '../core/queue.js'
import type { Rng } from '../core/rng.js'
import type { GraphDatabase } from './database.js'
import type { GraphDialect } from './dialect.js'
import type {
  ConnectionId,
  GraphEffect,
  GraphEvent,
  GraphProperties,
  GraphWrite,
} from './interface.js'
import type { GraphParts } from './parts.js'
import type { GraphSecurityProvider } from './security-provider.js'

/** FILETIME of 1970-01-01 in 100 ns ticks. */
const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

export interface GraphConfig {
  readonly rng: Rng
  readonly peerId: string
  readonly properties: GraphProperties
  /** True: this node creates the graph (3.1.4.1); false: it opens it (3.1.4.2). */
  readonly creates: boolean
  readonly dialect: GraphDialect
  readonly security?: GraphSecurityProvider
  /** Record types to synchronise first, at most 253 (GA-19). */
  readonly prioritizedTypes: readonly Guid[]
  readonly database: GraphDatabase
  /** True: `database` was loaded from a store (3.1.4.2 NeverConnected). */
  readonly loaded: boolean
  /** Of the store; 0 ticks when new. */
  readonly peerTimeDelta: bigint
  /** Of the store: when this node was last in the graph, peer time. */
  readonly leftAt?: bigint
  readonly limits?: GraphLimits
  /** False: there is no store behind this graph, and its writes go nowhere. Default true. */
  readonly stores?: boolean
  /** False: do not tell who the neighbours are (lib/graph/topology.ts). Default true. */
  readonly allowTopology?: boolean
}

/** What a graph of a special kind may choose otherwise than lib/core/limits.ts. */
export interface GraphLimits {
  /** 3.1.1: 2, 3, 7. */
  readonly minNeighbors: number
  readonly idealNeighbors: number
  readonly maxNeighbors: number
}

/**
 * State and services that all sub-machines of one graph share (MS-PPGRH 3.1.1). `now` is set by
 * the machine at the start of every handler.
 */
export class GraphContext {
  now: Instant = 0
  /** Every timer of the graph; see CloudContext. */
  readonly timers = new Deadlines<Timed>()
  /** wallMs = now / 1000 + wallOffsetMs. */
  wallOffsetMs = 0
  /** PTD: peer time = UTC - PTD. */
  peerTimeDelta: bigint
  /** PTD that no neighbour can lead far away from: this host's UTC, or what was adopted (GA-14). */
  clockHome: bigint
  /** Addresses on which this node listens; empty: it does not (3.1.1 IsListening). */
  listening: readonly Endpoint[] = []
  /** 3.1.1 fNeverConnected: never synchronised (GA-33). */
  neverConnected: boolean
  /** Peer time at which this node last had a neighbour: where a sync by time begins (2.2.2.7). */
  leftAt: bigint | undefined
  /** It has had neighbours on this host, so that loopback addresses may be those of nodes. */
  onLoopback: boolean
  allowDirect: boolean
  closing: boolean
  readonly nodeId: bigint
  properties: GraphProperties
  readonly counters = new Counters()
  readonly effects = new Queue<GraphEffect>()
  readonly events = new Queue<GraphEvent>()
  readonly config: GraphConfig
  readonly peerId: string
  readonly dialect: GraphDialect
  readonly database: GraphDatabase
  /** Undefined: the null provider. */
  readonly security: GraphSecurityProvider | undefined
  /** False: nothing has to be on a disk before it counts, and `write` does nothing. */
  readonly stores: boolean
  /** Set by graph.ts once all parts exist. */
  parts!: GraphParts
  #kept = { now: Number.NaN, wallOffsetMs: 0, peerTimeDelta: 0n, peerTime: 0n }
  #writes: GraphWrite[] = []
  #sequence = 0

  constructor(config: GraphConfig) {
    this.config = config
    this.peerId = config.peerId
    this.dialect = config.dialect
    this.database = config.database
    this.security = config.security
    this.stores = config.stores !== false
    this.properties = config.properties
    this.peerTimeDelta = config.peerTimeDelta
    this.clockHome = config.dialect.acceptFirstPeerTime ? config.peerTimeDelta : 0n
    this.neverConnected = !config.loaded
    this.leftAt = config.leftAt
    this.nodeId = new DataView(config.rng.bytes(8).buffer).getBigUint64(0)
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.onLoopback = false
    this.allowDirect = false
    this.closing = false
  }

  get rng(): Rng {
    return this.config.rng
  }

  /** UTC as FILETIME ticks. */
  get utc(): bigint {
    return FILETIME_OF_UNIX_EPOCH + BigInt(Math.floor(this.now * 10 + this.wallOffsetMs * 10_000))
  }

  /** 1.3.6. Many records are handled at the same instant: it is kept for as long as that lasts. */
  get peerTime(): bigint {
    const { now, wallOffsetMs, peerTimeDelta } = this
    const kept = this.#kept
    if (
      kept.now !== now ||
      kept.wallOffsetMs !== wallOffsetMs ||
      kept.peerTimeDelta !== peerTimeDelta
    ) {
      this.#kept = { now, wallOffsetMs, peerTimeDelta, peerTime: this.utc - peerTimeDelta }
    }
    return this.#kept.peerTime
  }

  /** The same as a number, a few microseconds off, for what happens with every message. */
  get peerTimeAbout(): number {
    const utc = Number(FILETIME_OF_UNIX_EPOCH) + this.now * 10 + this.wallOffsetMs * 10_000
    return utc - Number(this.peerTimeDelta)
  }

  /** What has expired by now lapses. */
  lapse(): void {
    const { database } = this
    if (database.mayLapse(this.peerTimeAbout)) database.lapse(this.peerTime)
  }

  /** When a peer time will be, on the machine's clock. */
  instantOf(peerTime: bigint): Instant {
    return this.now + Math.ceil(Number(peerTime - this.peerTime) / 10)
  }

  /** The write becomes part of the next persist effect. */
  write(write: GraphWrite): void {
    if (this.stores) this.#writes.push(write)
  }

  /** Sequence of the persist effect that the writes since the last one will be in. */
  get nextSequence(): number {
    return this.#sequence + 1
  }

  /** Called at the end of every handler: one effect for all its writes. */
  flushWrites(): void {
    if (this.#writes.length === 0) return
    this.#sequence++
    this.effects.push({ type: 'persist', sequence: this.#sequence, writes: this.#writes })
    this.#writes = []
  }

  done(handle: number, more: { connection?: ConnectionId } = {}): void {
    this.events.push({ type: 'done', handle, ...more })
  }

  fail(handle: number, code: ErrorCode, message: string): void {
    this.events.push({ type: 'failed', handle, code, message })
  }
}
