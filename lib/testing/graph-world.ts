import { checkArgument } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import { milliseconds, NEVER, type Instant } from '../core/instant.js'
import { DEFAULT_GRAPH_DIALECT, type GraphDialect } from '../graph/dialect.js'
import type { GraphEvent, GraphProperties, GraphWrite } from '../graph/interface.js'
import { makeGraph } from '../graph/make-graph.js'
import type { EventLog } from './event-log.js'
import { SimKernel } from './kernel.js'
import type { LinkOptions } from './link-options.js'
import { derivedRng } from './mix.js'
import type { CutDirection } from './network-cuts.js'
import { SimGraphNode } from './sim-graph-node.js'
import type { MakeGraphMachine, SimCommand, SimGraphNodeOptions } from './sim-graph-options.js'
import type { SimStream } from './sim-stream.js'
import { StreamNetwork } from './stream-network.js'
import type { StreamOptions } from './stream-options.js'

/** 2026-01-01T00:00:00Z. */
const DEFAULT_EPOCH_MS = 1_767_225_600_000

export interface GraphWorldOptions {
  /** Any integer. Same seed and same calls: same bytes, same times, same hash. */
  readonly seed: number
  /** Default options of all links; see `LinkOptions`. */
  readonly network?: Partial<LinkOptions>
  readonly streams?: Partial<StreamOptions>
  /** Of the graph that the first node creates. */
  readonly properties?: Partial<GraphProperties>
  readonly dialect?: Partial<GraphDialect>
  /** True wall time at virtual time 0, milliseconds since 1970. Default 2026-01-01. */
  readonly epochMs?: number
  /** How many of the latest log entries `log.tail()` can give. Default 0. */
  readonly keepLog?: number
  /** Default: the shipping machine. */
  readonly makeMachine?: MakeGraphMachine
}

/** What an application was told is published, and by whom. */
export interface Acknowledged {
  readonly id: Guid
  readonly version: number
  readonly deleted: boolean
  readonly expirationTime: bigint
  readonly by: SimGraphNode
  readonly at: Instant
}

/** Something that no node may do; `GraphWorld.violations` collects them as they happen. */
export interface Violation {
  readonly at: Instant
  readonly node: SimGraphNode
  readonly what: 'version-went-back' | 'resurrected'
  readonly id: Guid
  readonly from: number
  readonly to: number
}

/**
 * A deterministic world of graph nodes on simulated TCP. They run the shipping machine; time is
 * virtual, luck comes from the seed, nothing is awaited:
 *
 * ```ts
 * const world = new GraphWorld({ seed: 1 })
 * const first = world.addNode()
 * const others = world.addNodes(9, { connectTo: first }, 5_000)
 * world.runFor(10_000)
 * const published = first.publish({ type, payload })
 * world.runUntil(() => others.every((node) => published.id && node.record(published.id)))
 * ```
 */
export class GraphWorld {
  readonly kernel: SimKernel
  readonly streams: StreamNetwork
  readonly properties: GraphProperties
  readonly dialect: GraphDialect
  readonly epochMs: number
  readonly makeMachine: MakeGraphMachine
  /** Sees every event of every machine, as it happens. */
  notice: ((node: SimGraphNode, event: GraphEvent) => void) | undefined
  /** Sees every batch of writes of every machine, as it is asked for. */
  wrote: ((node: SimGraphNode, writes: readonly GraphWrite[]) => void) | undefined
  /** The latest of each record that some application was told is safe. */
  readonly acknowledged = new Map<Guid, Acknowledged>()
  readonly violations: Violation[] = []
  readonly #nodes: SimGraphNode[] = []
  readonly #byHost = new Map<number, SimGraphNode>()
  /** What each node held last of each record. */
  readonly #seen = new Map<SimGraphNode, Map<Guid, { version: number; deleted: boolean }>>()

  constructor(options: GraphWorldOptions) {
    const { seed, network = {}, keepLog = 0 } = options
    checkArgument(Number.isSafeInteger(seed), 'the seed is an integer')
    this.kernel = new SimKernel(seed, network, keepLog)
    this.streams = new StreamNetwork(this.kernel, options.streams)
    this.dialect = { ...DEFAULT_GRAPH_DIALECT, ...options.dialect }
    this.epochMs = options.epochMs ?? DEFAULT_EPOCH_MS
    this.makeMachine = options.makeMachine ?? makeGraph
    this.properties = {
      graphId: 'simulated.graph',
      creatorId: 'peer-0',
      friendlyName: '',
      comment: '',
      scope: 'global',
      deferExpiration: false,
      presenceLifetimeS: 300,
      maxPresenceRecords: 0xffff_ffff,
      maxRecordSize: 62_914_560,
      ...options.properties,
    }
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.kernel.now / 1000
  }

  /** The nodes ever added; dead ones too. */
  get nodes(): readonly SimGraphNode[] {
    return this.#nodes
  }

  get liveNodes(): SimGraphNode[] {
    return this.#nodes.filter((node) => node.alive)
  }

  get log(): EventLog {
    return this.kernel.log
  }

  /** 16 hex digits over everything that has happened so far. */
  get hash(): string {
    return this.kernel.log.hash
  }

  /** Randomness of its own for a test's decisions; does not disturb the world's. */
  rng(label: string): ReturnType<typeof derivedRng> {
    return derivedRng(this.kernel.seed, `user ${label}`)
  }

  /** Adds a host that creates the graph (the first one) or opens it. */
  addNode(options: SimGraphNodeOptions = {}): SimGraphNode {
    const creates = options.creates ?? this.#nodes.length === 0
    const peerId = creates ? { peerId: this.properties.creatorId } : {}
    const index = this.kernel.hostCount
    const node = new SimGraphNode(this, { ...peerId, ...options }, creates, (self) => {
      this.#nodes.push(self)
      this.#byHost.set(index, self)
    })
    return node
  }

  /**
   * Adds several nodes. With `overMs` they come one after the other, evenly spread over that time,
   * which this call lets pass. Options may be made for each.
   */
  addNodes(
    count: number,
    options: SimGraphNodeOptions | ((i: number) => SimGraphNodeOptions) = {},
    overMs = 0,
  ): SimGraphNode[] {
    const start = this.kernel.now
    return Array.from({ length: count }, (_, i) => {
      if (overMs > 0) this.kernel.runUntil(start + milliseconds((overMs * i) / count))
      return this.addNode(typeof options === 'function' ? options(i) : options)
    })
  }

  /** A node that is gone starts again from its disk, at its addresses, with a new node ID. */
  restart(node: SimGraphNode, options: SimGraphNodeOptions = {}): SimGraphNode {
    checkArgument(!node.alive, 'the node is still there')
    const { peerId, store, addresses } = node
    return this.addNode({ creates: false, peerId, store, addresses, ...options })
  }

  /** Runs a piece of script at a virtual time, in milliseconds. */
  at(ms: number, script: () => void): void {
    this.kernel.at(milliseconds(ms), script)
  }

  /** Lets virtual time pass. */
  runFor(ms: number): void {
    this.kernel.runUntil(this.kernel.now + milliseconds(ms))
  }

  /**
   * Runs until the condition holds, asked after every `everyMs` of virtual time, or the limit has
   * passed. Returns whether it holds.
   */
  runUntil(condition: () => boolean, limitMs = 60_000, everyMs = 10): boolean {
    const limit = this.kernel.now + milliseconds(limitMs)
    for (;;) {
      if (condition()) return true
      if (this.kernel.now >= limit) return false
      const { now, next } = this.kernel
      const idle = next === NEVER ? NEVER : Math.ceil(next)
      const stop = Math.max(now + milliseconds(everyMs), idle)
      this.kernel.runUntil(Math.min(limit, stop))
    }
  }

  /** Cuts the network between two groups of nodes until `heal`. */
  partition(
    a: Iterable<SimGraphNode>,
    b: Iterable<SimGraphNode>,
    direction: CutDirection = 'both',
  ): void {
    const indexes = (nodes: Iterable<SimGraphNode>): number[] => [...nodes].map((n) => n.index)
    this.kernel.network.cut(indexes(a), indexes(b), direction)
    this.log.record(this.kernel.now, 'network', -1, 0, this.kernel.network.cuts.count)
  }

  /** Ends all cuts. */
  heal(): void {
    this.kernel.network.cuts.clear()
    this.log.record(this.kernel.now, 'network', -1, 0, 0)
  }

  /** The node at the other end of a stream. */
  peerOf(stream: SimStream): SimGraphNode | undefined {
    return stream.peer === undefined ? undefined : this.#byHost.get(stream.peer.host)
  }

  /** Called by nodes: a command about a record is done. */
  sawDone(node: SimGraphNode, command: SimCommand): void {
    const { id, type } = command
    if (id === undefined || (type !== 'publish' && type !== 'update' && type !== 'delete')) return
    const record = node.record(id)
    if (record === undefined) return
    const { version, deleted, expirationTime } = record
    const known = this.acknowledged.get(id)
    if (known !== undefined && known.version > version) return
    const { now } = this.kernel
    this.acknowledged.set(id, { id, version, deleted, expirationTime, by: node, at: now })
  }

  /** Called by nodes: everything that a node holds passes through here. */
  sawWrites(node: SimGraphNode, writes: readonly GraphWrite[]): void {
    this.wrote?.(node, writes)
    const seen = this.#seen.get(node) ?? new Map<Guid, { version: number; deleted: boolean }>()
    this.#seen.set(node, seen)
    for (const write of writes) {
      if (write.type === 'remove') seen.delete(write.id)
      if (write.type !== 'put') continue
      const { id, version, deleted } = write.record
      const before = seen.get(id)
      seen.set(id, { version, deleted })
      if (before === undefined) continue
      const violation = { at: this.kernel.now, node, id, from: before.version, to: version }
      if (version < before.version)
        this.violations.push({ ...violation, what: 'version-went-back' })
      // Fixed IDs are used again (GA-53), with a higher version.
      else if (before.deleted && !deleted && version === before.version) {
        this.violations.push({ ...violation, what: 'resurrected' })
      }
    }
  }
}
