import { formatEndpoint } from '../core/address-text.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { isReservedType } from '../graph/constants.js'
import type { GraphProperties, PropertyChanges, RecordChanges } from '../graph/interface.js'
import { searchRecords } from '../graph/search/search.js'
import type { RecordFilter } from '../graph/search/filter.js'
import type { LoadedStore } from '../storage/record-store.js'
import type { DirectConnection } from './direct-connection.js'
import type { EventStream } from './event-stream.js'
import { GraphEngine, type ConnectGraphOptions, type GraphPlan } from './graph-engine.js'
import {
  nodeIdText,
  nodeInfo,
  type ConnectionInfo,
  type GraphEvent,
  type GraphNodeInfo,
  type GraphStatus,
} from './graph-events.js'
import {
  attributesXml,
  guidArgument,
  PublishedRecord,
  recordChanges,
  recordSpec,
  type AttributesInput,
  type PublishOptions,
  type UpdateOptions,
} from './graph-records.js'
import { TopologySurvey, type GraphTopology } from './graph-topology.js'
import { exportGraph, importIntoGraph } from './graph-transfer.js'
import type { WatchFilter } from './graph-watchers.js'
import { isLargePayload, withPayloadCopied } from './large-payload.js'

export interface NeighborInfo extends ConnectionInfo {
  /** Where it listens. */
  readonly addresses: readonly string[]
  /** How useful it has been lately (3.1.7.33): 0 to 4096. */
  readonly utility: number
}

export interface GraphStatistics {
  readonly records: number
  readonly recordBytes: number
  readonly tombstones: number
  readonly neighbors: number
  readonly connections: number
  readonly referrals: number
  readonly nodes: number
  /** What happened so far, by name. */
  readonly counters: Readonly<Record<string, number>>
}

/**
 * This process's node in one graph: a database of records that all nodes of the graph hold
 * (MS-PPGRH). Made by `createGraph` or `openGraph`; ends by `close()` or `await using`.
 *
 * Promises of changes resolve when the change survives a crash of this process; other nodes have it
 * some milliseconds later.
 */
export class Graph {
  readonly #engine: GraphEngine
  readonly #survey: TopologySurvey

  /** Called by `createGraph` and `openGraph`. */
  constructor(plan: GraphPlan, loaded: LoadedStore | undefined, creates: boolean) {
    this.#engine = new GraphEngine(plan, loaded, creates, ({ connection, neighbors }) => {
      this.#survey.answered(connection, neighbors)
    })
    this.#survey = new TopologySurvey({
      nodeId: () => this.nodeId,
      nodes: () => this.nodes(),
      neighbors: () => this.neighbors(),
      command: (body, signal, onLate) => this.#engine.command(body, signal, onLate),
    })
  }

  /** The same for all nodes of the graph. */
  get id(): string {
    return this.properties.graphId
  }

  /** This node's: 16 hex digits, another one each time that the graph is opened. */
  get nodeId(): string {
    return nodeIdText(this.#engine.context.nodeId)
  }

  /** Name of this node's user. */
  get peerId(): string {
    return this.#engine.plan.setup.peerId
  }

  get closed(): boolean {
    return this.#engine.closed
  }

  get status(): GraphStatus {
    return this.#engine.status
  }

  /** What the creator chose, as far as it is known here. */
  get properties(): GraphProperties {
    return this.#engine.context.properties
  }

  /** Where this node listens, `[address]:port`; empty: it does not. */
  get addresses(): readonly string[] {
    return this.#engine.context.listening.map(formatEndpoint)
  }

  // --- the mesh

  /**
   * Lets other nodes connect (3.1.4.8). Port 0: any free one; `addresses` then tells it. Rejects
   * with ERR_PEERNET_PORT_IN_USE, ERR_PEERNET_NO_ADDRESS, ERR_PEERNET_NO_IPV6,
   * ERR_PEERNET_PERMISSION, ERR_PEERNET_INVALID_ARG when it listens already.
   */
  async listen(port = 0): Promise<void> {
    checkArgument(Number.isInteger(port) && port >= 0 && port <= 65_535, 'port is 0..65535')
    await this.#engine.command({ type: 'listen', port })
  }

  /**
   * Connects to a node of the graph, `[address]:port` (3.1.4.9). One connection is enough: the node
   * finds others by itself. Resolves when it is a neighbour; rejects with
   * ERR_PEERNET_CONNECT_FAILED, ERR_PEERNET_ALREADY_CONNECTED when there are neighbours.
   */
  async connect(endpoint: string, options: ConnectGraphOptions = {}): Promise<ConnectionInfo> {
    const connection = await this.#engine.connect(endpoint, false, options)
    const info = this.neighbors().find((one) => one.connection === connection)
    return info ?? { connection, remote: endpoint, incoming: false }
  }

  /**
   * Does what a newcomer does (1.3.2): connects to the first of these nodes that answers (default:
   * the seeds that the graph was opened with), waits until it has all records, and listens.
   */
  async join(
    endpoints: readonly string[] = this.#engine.plan.seeds,
    options: { readonly port?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { port, signal } = options
    checkArgument(endpoints.length > 0, 'join needs the address of a node')
    const more = signal === undefined ? {} : { signal }
    let failure: unknown
    for (const endpoint of endpoints) {
      try {
        await this.connect(endpoint, more)
        failure = undefined
        break
      } catch (error) {
        if (!(error instanceof PeernetError) || error.code !== 'ERR_PEERNET_CONNECT_FAILED') {
          throw error
        }
        failure = error
      }
    }
    if (failure !== undefined) throw failure as PeernetError
    await this.whenSynchronized(more)
    if (this.addresses.length === 0) await this.listen(port)
  }

  /** Resolves when this node has had the whole database. */
  async whenSynchronized(
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { timeoutMs, signal } = options
    this.#engine.checkOpen()
    if (this.#engine.status.synchronized) return
    await this.#engine.until(
      { events: ['status', 'closed'] },
      () => this.#engine.status.synchronized,
      timeoutMs,
      signal,
    )
  }

  /** Nodes that this one is connected with. */
  neighbors(): NeighborInfo[] {
    return this.#engine.context.parts.links.neighbors.map((link) => ({
      connection: link.connection,
      remote: formatEndpoint(link.remote),
      incoming: !link.initiator,
      addresses: link.addresses.map(formatEndpoint),
      utility: link.utility,
      ...(link.nodeId === undefined ? {} : { nodeId: nodeIdText(link.nodeId) }),
      ...(link.peerId === undefined ? {} : { peerId: link.peerId }),
    }))
  }

  /** All nodes that publish their presence, this one included. */
  nodes(): GraphNodeInfo[] {
    return this.#engine.context.parts.maintenance.nodes.map(nodeInfo)
  }

  /**
   * Who is connected with whom in the whole graph: all nodes that say they are there are asked,
   * over connections of their own. Nodes that do not tell within `timeoutMs` (default 3000) are
   * those of other makers, or opened with `allowTopology: false`, or gone; `answered` says which.
   */
  topology(
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<GraphTopology> {
    this.#engine.checkOpen()
    const { timeoutMs = LIMITS.graphTopologyMs, signal } = options
    checkArgument(timeoutMs >= 0 && timeoutMs < 2 ** 31, 'timeoutMs is 0 to 2,147,483,647')
    return this.#survey.run(Math.ceil(timeoutMs), signal)
  }

  /** Ends a connection, of a neighbour or a direct one. */
  async disconnect(connection: number): Promise<void> {
    await this.#engine.command({ type: 'disconnect', connection })
  }

  /** Attributes of this node in its presence record. */
  async setNodeAttributes(attributes: AttributesInput): Promise<void> {
    await this.#engine.command({ type: 'node-attributes', attributes: attributesXml(attributes) })
  }

  /** Publish this node's presence whatever the graph's limits say, or no longer (3.1.4.6). */
  async setPresence(force: boolean): Promise<void> {
    await this.#engine.command({ type: 'presence', force })
  }

  /** Only the creator may: else ERR_PEERNET_NOT_AUTHORIZED. */
  async setProperties(changes: PropertyChanges): Promise<void> {
    await this.#engine.command({ type: 'properties', changes })
  }

  // --- records

  /**
   * Publishes a record. Resolves when it is safe on this node's disk. Rejects with
   * ERR_PEERNET_INVALID_ARG, ERR_PEERNET_INVALID_RECORD, ERR_PEERNET_RECORD_SIZE,
   * ERR_PEERNET_RECORD_EXPIRATION, ERR_PEERNET_INVALID_ATTRIBUTES, ERR_PEERNET_SYSTEM when the disk
   * refuses.
   */
  async publish(options: PublishOptions): Promise<PublishedRecord> {
    const spec = recordSpec(options, this.#engine.context, Date.now())
    const record = this.#isLarge(spec) ? await withPayloadCopied(spec, options.signal) : spec
    const { id } = await this.#engine.command({ type: 'publish', record }, options.signal)
    return this.#published(id as Guid)
  }

  /**
   * Replaces what is given of a record by its next version. Rejects as `publish` does, and with
   * ERR_PEERNET_RECORD_NOT_FOUND.
   */
  async update(record: string | PublishedRecord, options: UpdateOptions): Promise<PublishedRecord> {
    const id = idArgument(record)
    const given = recordChanges(options, this.#engine.context, Date.now())
    const changes = this.#isLarge(given) ? await withPayloadCopied(given, options.signal) : given
    await this.#engine.command({ type: 'update', id, changes }, options.signal)
    return this.#published(id)
  }

  /** Deletes a record everywhere. Rejects with ERR_PEERNET_RECORD_NOT_FOUND. */
  async deleteRecord(
    record: string | PublishedRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#engine.command({ type: 'delete', id: idArgument(record) }, options.signal)
  }

  /** The record with this ID; undefined when there is none, or it is deleted or expired. */
  get(id: string): PublishedRecord | undefined {
    const record = this.#engine.context.database.live(guidArgument(id, 'id'))
    return record === undefined ? undefined : new PublishedRecord(record, this.#engine.context)
  }

  /**
   * Records of the application, without deleted ones, of a type and by a creator if given. In no
   * particular order.
   */
  records(
    filter: {
      readonly type?: string
      readonly creatorId?: string
      /** Records that the graph uses itself, too. Default false. */
      readonly internal?: boolean
      /** Deleted ones that have not expired, too. Default false. */
      readonly deleted?: boolean
    } = {},
  ): PublishedRecord[] {
    const { database } = this.#engine.context
    const type = filter.type === undefined ? undefined : guidArgument(filter.type, 'type')
    const { internal = type !== undefined, deleted = false, creatorId } = filter
    const found: PublishedRecord[] = []
    for (const record of type === undefined ? database : database.ofType(type)) {
      if (creatorId !== undefined && record.creatorId !== creatorId) continue
      if (!internal && isReservedType(record.type)) continue
      if (record.deleted && !deleted) continue
      if (database.current(record.id) === undefined) continue
      found.push(new PublishedRecord(record, this.#engine.context))
    }
    return found
  }

  /**
   * Records whose attributes and fields fulfil a query: XML as PeerGraphSearchRecords has it, or an
   * object. Throws ERR_PEERNET_INVALID_SEARCH.
   */
  search(query: string | RecordFilter): PublishedRecord[] {
    const { database } = this.#engine.context
    const found: PublishedRecord[] = []
    for (const record of searchRecords(database, query)) {
      if (database.live(record.id) === undefined) continue
      found.push(new PublishedRecord(record, this.#engine.context))
    }
    return found
  }

  /** Has records that the security provider could not judge judged again (3.1.4.10). */
  async revalidate(): Promise<void> {
    await this.#engine.command({ type: 'revalidate' })
  }

  // --- events

  /**
   * What happens from now on, as an async iterable: all, or records of some types, or some kinds of
   * events. A reader who lags behind by more than 16,384 events loses the oldest (`lost`).
   *
   * ```ts
   * for await (const { change, record } of graph.watch({ types: [CHAT] })) …
   * ```
   */
  watch(filter: WatchFilter = {}): EventStream<GraphEvent> {
    const stream = this.#engine.watchers.watch(filter)
    if (this.closed) stream.end()
    return stream
  }

  /** Calls back in the turn in which it happens; returns what ends it. */
  subscribe(filter: WatchFilter, listener: (event: GraphEvent) => void): () => void {
    return this.#engine.watchers.add(filter, listener)
  }

  // --- direct connections

  /**
   * Opens a connection beside the mesh, to a node (its ID, 16 hex digits) or an address. The other
   * side has to expect it: see `directConnections`. Rejects with ERR_PEERNET_CONNECT_FAILED.
   */
  async openDirect(to: string, options: ConnectGraphOptions = {}): Promise<DirectConnection> {
    const isNodeId = /^[0-9a-f]{16}$/i.test(to)
    const node = isNodeId ? this.nodes().find((one) => one.nodeId === to.toLowerCase()) : undefined
    const targets = isNodeId ? (node?.addresses ?? []) : [to]
    const state = node === undefined ? 'is not in the graph' : 'does not listen'
    let failure: unknown = new PeernetError(
      'ERR_PEERNET_CONNECT_FAILED',
      `node ${to} ${state}, as far as is known here`,
    )
    for (const target of targets) {
      try {
        const connection = await this.#engine.connect(target, true, options)
        const direct = this.#engine.direct.get(connection)
        if (direct !== undefined) return direct
      } catch (error) {
        failure = error
      }
    }
    throw failure as PeernetError
  }

  /**
   * Direct connections that other nodes open to this one, from now on; while somebody reads this,
   * they are accepted (3.1.4.7).
   */
  directConnections(): EventStream<DirectConnection> {
    this.#engine.checkOpen()
    return this.#engine.direct.listen()
  }

  /**
   * Sends typed data (GUID) to a neighbour or by a direct connection. Resolves when it was handed
   * to the network. Rejects with ERR_PEERNET_CLOSED, ERR_PEERNET_LIMIT, ERR_PEERNET_INVALID_ARG.
   */
  async send(connection: number, dataType: string, data: Uint8Array): Promise<void> {
    const type = guidArgument(dataType, 'dataType')
    await this.#engine.command({
      type: 'send',
      connection,
      dataType: type,
      data: new Uint8Array(data),
    })
  }

  // --- the database as a file

  /**
   * Writes the database to a file, as it is now (PeerGraphExportDatabase). Rejects with
   * ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM.
   */
  async exportDatabase(path: string): Promise<void> {
    this.#engine.checkOpen()
    await exportGraph(path, this.#engine.plan.store, this.#engine.context)
  }

  /**
   * Takes in the records of an export: newer ones replace what is here (PeerGraphImportDatabase).
   * Rejects with ERR_PEERNET_GRAPH_IN_USE while this node listens or is connected, and with
   * ERR_PEERNET_INVALID_DATABASE when the file is damaged or another graph's or user's; then
   * nothing has changed.
   */
  async importDatabase(path: string): Promise<void> {
    this.#engine.checkOpen()
    const { context, node } = this.#engine
    if (context.listening.length > 0 || node.connectionCount > 0) {
      throw new PeernetError(
        'ERR_PEERNET_GRAPH_IN_USE',
        'the graph listens or has connections; import before listen() and connect()',
      )
    }
    await this.#engine.exclusively(async () => {
      const loaded = await importIntoGraph(path, this.#engine.plan.store, context)
      await this.#engine.beginAgain(loaded, 'the graph was opened anew after an import')
    })
  }

  get statistics(): GraphStatistics {
    const { context, node } = this.#engine
    const { records, bytes, tombstones } = context.database.statistics
    const { links, maintenance } = context.parts
    return {
      records,
      recordBytes: bytes,
      tombstones,
      neighbors: links.neighbors.length,
      connections: links.connectionCount,
      referrals: links.referrals.length,
      nodes: maintenance.nodes.length,
      counters: { ...context.counters.snapshot(), ...node.counters.snapshot() },
    }
  }

  // --- the end

  /**
   * Leaves the graph: its presence is deleted, neighbours are told, the database is closed
   * (3.1.4.12). At most about two seconds. Idempotent.
   */
  close(): Promise<void> {
    return this.#engine.close()
  }

  /** Closes the graph and removes its database from this host (PeerGraphDelete). */
  async delete(): Promise<void> {
    await this.close()
    await this.#engine.plan.remove?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #isLarge(content: RecordChanges): boolean {
    this.#engine.checkOpen()
    return isLargePayload(content, this.properties.maxRecordSize)
  }

  #published(id: Guid): PublishedRecord {
    const record = this.#engine.context.database.get(id)
    if (record !== undefined) return new PublishedRecord(record, this.#engine.context)
    throw new PeernetError('ERR_PEERNET_RECORD_NOT_FOUND', 'the record expired meanwhile')
  }
}

function idArgument(record: string | PublishedRecord): Guid {
  return guidArgument(typeof record === 'string' ? record : record.id, 'id')
}
