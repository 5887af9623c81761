// A Maintenance with small fakes of the links and the records, so that each rule can be seen alone.
import { sameEndpoint, type Endpoint } from '#lib/core/endpoint.js'
import { guidText, randomGuid, type Guid } from '#lib/core/guid.js'
import { seconds } from '#lib/core/instant.js'
import { SeededRng } from '#lib/core/rng.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphContext, type GraphConfig } from '#lib/graph/context.js'
import type { GraphDatabase } from '#lib/graph/database.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { lastVersionOf } from '#lib/graph/fixed-records.js'
import type { ConnectionId, GraphEvent, GraphProperties } from '#lib/graph/interface.js'
import { Maintenance } from '#lib/graph/maintenance.js'
import type {
  ConnectOptions,
  Failure,
  InternalRecordSpec,
  Link,
  LinksPart,
  RecordsPart,
} from '#lib/graph/parts.js'
import { ticks } from '#lib/graph/peer-time.js'
import {
  encodeContact,
  encodeGraphInfo,
  encodePresence,
  encodeSignature,
  type GraphInfoPayload,
} from '#lib/wire/graph/payloads.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import type { DisconnectReason } from '#lib/wire/graph/messages.js'
import { wordsOf } from './graph-records.js'

export const PROPERTIES: GraphProperties = {
  graphId: 'g1',
  creatorId: 'carol',
  friendlyName: '',
  comment: '',
  scope: 'global',
  deferExpiration: false,
  presenceLifetimeS: 300,
  maxPresenceRecords: 0xffff_ffff,
  maxRecordSize: 62_914_560,
}

/** [2001:db8::n]:4000 */
export function host(n: number): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8])
  address.set([n >>> 8, n & 255], 14)
  return { address, port: 4000 }
}

export interface FakeLink extends Link {
  utility: number
}

export interface Attempt {
  readonly connection: ConnectionId
  readonly to: Endpoint
  readonly options: ConnectOptions
}

export interface HarnessOptions {
  readonly seed?: number
  readonly peerId?: string
  readonly creates?: boolean
  /** Never synchronised yet. */
  readonly fresh?: boolean
  readonly nodeId?: bigint
  readonly properties?: Partial<GraphProperties>
  readonly backoffBits?: 8 | 16
}

export class MaintenanceHarness {
  readonly records = new Map<Guid, GraphRecord>()
  readonly autorefresh = new Map<Guid, boolean>()
  readonly context: GraphContext
  readonly maintenance: Maintenance
  readonly neighbors: FakeLink[] = []
  readonly attempts: Attempt[] = []
  /** Attempts that neither succeeded nor failed. */
  readonly pending: Attempt[] = []
  readonly disconnected: { link: Link; reason: DisconnectReason }[] = []
  referrals: Endpoint[] = []
  cleared = 0
  /** What connect answers instead of making an attempt. */
  refuse: Failure | undefined
  #connections = 0

  constructor(options: HarnessOptions = {}) {
    const { seed = 1, peerId = 'alice', creates = false, fresh = false } = options
    const config: GraphConfig = {
      rng: new SeededRng(seed),
      peerId,
      properties: { ...PROPERTIES, ...options.properties },
      creates,
      dialect: { ...DEFAULT_GRAPH_DIALECT, signatureBackoffBits: options.backoffBits ?? 8 },
      prioritizedTypes: [],
      database: { get: (id: Guid) => this.records.get(id) } as unknown as GraphDatabase,
      loaded: !fresh,
      peerTimeDelta: 0n,
    }
    const context = new GraphContext(config)
    if (options.nodeId !== undefined) Object.assign(context, { nodeId: options.nodeId })
    context.now = seconds(1000)
    context.wallOffsetMs = 1_700_000_000_000
    this.context = context
    this.maintenance = new Maintenance(context)
    context.parts = {
      links: this.#links() as unknown as LinksPart,
      records: this.#records() as unknown as RecordsPart,
      sync: undefined as never,
      maintenance: this.maintenance,
    }
  }

  /** Lets time pass; what is due happens when it is due. */
  run(s: number): void {
    const { timers } = this.context
    const end = this.context.now + seconds(s)
    for (;;) {
      const at = Math.min(timers.next(), end)
      this.context.now = Math.max(this.context.now, at)
      const due = timers.takeDue(this.context.now)
      if (due === undefined) return
      due.onTimer()
    }
  }

  /** Seconds until a timer is due next; Infinity if never. */
  get nextTimer(): number {
    return (this.context.timers.next() - this.context.now) / 1e6
  }

  /** Events since the last call. */
  drain(): GraphEvent[] {
    const events: GraphEvent[] = []
    for (;;) {
      const event = this.context.events.shift()
      if (event === undefined) return events
      events.push(event)
    }
  }

  listen(...addresses: Endpoint[]): void {
    this.context.listening = addresses
    this.maintenance.listeningChanged()
  }

  /** A neighbour that listens at host(n), with node ID n. */
  neighbor(n: number, more: { initiator?: boolean; utility?: number } = {}): FakeLink {
    const link = this.link(n, ++this.#connections, more)
    this.neighbors.push(link)
    this.maintenance.linkConnected(link, this.neighbors.length === 1)
    return link
  }

  link(
    n: number,
    connection: ConnectionId,
    more: { initiator?: boolean; utility?: number } = {},
  ): FakeLink {
    const { initiator = true, utility = 0 } = more
    return {
      connection,
      initiator,
      direct: false,
      remote: host(n),
      state: 'connected',
      nodeId: BigInt(n),
      peerId: `p${n}`,
      addresses: [host(n)],
      sequence: this.#connections,
      connectedAt: this.context.now,
      repair: false,
      utility,
      sync: undefined,
    }
  }

  fail(attempt: Attempt | undefined): void {
    const index = this.pending.findIndex(({ connection }) => connection === attempt?.connection)
    const [failed] = this.pending.splice(index, index < 0 ? 0 : 1)
    if (failed === undefined) throw new Error('no such attempt')
    this.maintenance.attemptFailed(failed.connection)
  }

  lose(link: Link): void {
    this.neighbors.splice(this.neighbors.indexOf(link), 1)
    this.maintenance.linkClosed(link)
  }

  /** Attempts since the last call. */
  takeAttempts(): Attempt[] {
    return this.attempts.splice(0)
  }

  /** A record as some other node published it. */
  record(fields: Partial<RecordFields> & { type: Guid }): GraphRecord {
    const { peerTime, rng } = this.context
    const said = {
      id: randomGuid(rng),
      version: 1,
      deleted: false,
      creatorId: 'other',
      lastModifiedBy: '',
      securityData: new Uint8Array(0),
      creationTime: peerTime,
      modificationTime: peerTime,
      expirationTime: peerTime + ticks(300),
      graphId: 'g1',
      payload: new Uint8Array(0),
      attributes: '',
      ...fields,
    }
    const bytes = new Uint8Array(0)
    const self: GraphRecord = { ...said, ...wordsOf(said), bytes, size: 0, retain: () => self }
    return self
  }

  receive(record: GraphRecord): GraphRecord {
    this.#store(record, false)
    return record
  }

  receiveSignature(signature: bigint, fields: Partial<RecordFields> = {}): GraphRecord {
    return this.receive(
      this.record({
        type: RECORD_TYPE.signature,
        id: FIXED_RECORD_ID.signature,
        payload: encodeSignature({ signature }),
        ...fields,
      }),
    )
  }

  /** A contact with node ID n at host(n). */
  receiveContact(n: number, signature: bigint, fields: Partial<RecordFields> = {}): GraphRecord {
    const { peerTime } = this.context
    return this.receive(
      this.record({
        type: RECORD_TYPE.contact,
        creatorId: `p${n}`,
        payload: encodeContact({ signature, nodeId: BigInt(n), addresses: [host(n)] }),
        expirationTime: peerTime + ticks(900),
        ...fields,
      }),
    )
  }

  /** A node with node ID n at host(n). */
  receivePresence(n: number, fields: Partial<RecordFields> = {}, attributes = ''): GraphRecord {
    return this.receive(
      this.record({
        type: RECORD_TYPE.presence,
        creatorId: `p${n}`,
        payload: encodePresence(
          { nodeId: BigInt(n), attributes, addresses: [host(n)] },
          { stringOrder: 'big-endian' },
        ),
        ...fields,
      }),
    )
  }

  receiveGraphInfo(
    payload: Partial<GraphInfoPayload>,
    fields: Partial<RecordFields> = {},
  ): GraphRecord {
    const dialect = { stringOrder: 'big-endian' } as const
    return this.receive(
      this.record({
        type: RECORD_TYPE.graphInfo,
        id: FIXED_RECORD_ID.graphInfo,
        creatorId: 'carol',
        payload: encodeGraphInfo({ ...PROPERTIES, ...payload }, dialect),
        ...fields,
      }),
    )
  }

  /** A tombstone for it arrives. */
  receiveDeletion(record: GraphRecord): void {
    this.receive(this.#tombstone(record))
  }

  /** It is found to have expired. */
  expire(record: GraphRecord): void {
    this.records.delete(record.id)
    this.maintenance.recordExpired(record)
  }

  ofType(type: Guid): GraphRecord[] {
    return [...this.records.values()].filter((record) => record.type === type && !record.deleted)
  }

  /** The live record of a type that this node published. */
  own(type: Guid): GraphRecord | undefined {
    const { peerId } = this.context.config
    return this.ofType(type).find(
      ({ creatorId, lastModifiedBy }) => (lastModifiedBy || creatorId) === peerId,
    )
  }

  #links(): Partial<LinksPart> {
    const connections = (): number => ++this.#connections
    const referrals = (): readonly Endpoint[] => this.referrals
    return {
      neighbors: this.neighbors,
      pendingCount: 0,
      get referrals() {
        return referrals()
      },
      clearAttempted: () => {
        this.cleared++
      },
      connect: (to, options) => {
        if (this.refuse !== undefined) return this.refuse
        const connection = connections()
        this.attempts.push({ connection, to, options })
        this.pending.push({ connection, to, options })
        return connection
      },
      isConnected: ({ nodeId, addresses }) =>
        this.neighbors.some(
          (link) =>
            link.nodeId === nodeId ||
            addresses.some((address) => sameEndpoint(address, link.remote)),
        ) || this.pending.some(({ to }) => addresses.some((address) => sameEndpoint(address, to))),
      disconnect: (link, reason) => {
        this.disconnected.push({ link, reason })
        this.lose(link)
      },
    }
  }

  #records(): Partial<RecordsPart> {
    return {
      publishInternal: (spec) => this.#publish(spec),
      removeInternal: (id) => {
        const record = this.records.get(id)
        if (record === undefined) throw new Error(`no record ${guidText(id)}`)
        this.#store(this.#tombstone(record), true)
      },
    }
  }

  #publish(spec: InternalRecordSpec): GraphRecord | undefined {
    const { config, peerTime, rng } = this.context
    const held = spec.id === undefined ? undefined : this.records.get(spec.id)
    if ((held?.version ?? 0) >= lastVersionOf(spec.type, peerTime)) return undefined
    const live = held !== undefined && !held.deleted && held.expirationTime > peerTime
    const record = this.record({
      type: spec.type,
      id: spec.id ?? randomGuid(rng),
      version: (held?.version ?? 0) + 1,
      creatorId: live ? held.creatorId : config.peerId,
      lastModifiedBy: live ? config.peerId : '',
      creationTime: live ? held.creationTime : peerTime,
      payload: spec.payload,
      expirationTime: spec.expirationTime,
    })
    this.autorefresh.set(record.id, spec.autorefresh)
    this.#store(record, true)
    return record
  }

  #tombstone(record: GraphRecord): GraphRecord {
    return {
      ...record,
      version: record.version + 1,
      deleted: true,
      payload: new Uint8Array(0),
    }
  }

  #store(record: GraphRecord, local: boolean): void {
    const previous = this.records.get(record.id)
    this.records.set(record.id, record)
    this.maintenance.recordStored(record, previous, local)
  }
}
