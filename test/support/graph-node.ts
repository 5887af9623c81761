import { LIMITS } from '#lib/core/limits.js'
import { guidAt, guidText, type Guid } from '#lib/core/guid.js'
import { Queue } from '#lib/core/queue.js'
import { SeededRng } from '#lib/core/rng.js'
import { GraphContext, type GraphConfig } from '#lib/graph/context.js'
import { GraphDatabase } from '#lib/graph/database.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { FIRST_POSITION } from '#lib/graph/entry.js'
import type { GraphEvent, GraphProperties, GraphWrite } from '#lib/graph/interface.js'
import type { Link, LinkState, LinksPart, MaintenancePart, RecordSource } from '#lib/graph/parts.js'
import { Records } from '#lib/graph/records.js'
import { Sync } from '#lib/graph/sync.js'
import { isUseful } from '#lib/wire/graph/ack-list.js'
import { decodeRecord, encodeGraphMessage } from '#lib/wire/graph/codec.js'
import type { Acknowledgement, GraphMessage } from '#lib/wire/graph/messages.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { GraphMessageReader, type KnownFlood } from '#lib/wire/graph/stream-reader.js'
import { T0 } from './graph-records.js'

/** Nodes that have the real Records and Sync, and whose links are queues in memory. */

export const PROPERTIES: GraphProperties = {
  graphId: 'g1',
  creatorId: 'alice',
  friendlyName: '',
  comment: '',
  scope: 'global',
  deferExpiration: false,
  presenceLifetimeS: 300,
  maxPresenceRecords: 0xffffffff,
  maxRecordSize: 10_000,
}

const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

export interface TestLink extends Link {
  state: LinkState
  sync: unknown
  readonly peer: TestNode
  other: TestLink
}

type Waiting =
  | { readonly message: GraphMessage }
  | { readonly id: Guid }
  | { readonly source: RecordSource; readonly last: GraphMessage | undefined }

/** Everything that a node sent on one link, in order. */
export interface Sent {
  readonly link: TestLink
  readonly message: GraphMessage
}

class MemoryLinks implements LinksPart {
  neighbors: TestLink[] = []
  readonly referrals = []
  readonly pendingCount = 0
  /** What was sent, ACKs not counted, until a test empties it. */
  readonly sent: Sent[] = []
  readonly acks: { link: TestLink; ack: Acknowledgement }[] = []
  readonly ended: { link: TestLink; end: string }[] = []
  bytes = 0
  /** Of FLOODs. */
  records = 0
  readonly #queues = new Map<TestLink, Queue<Waiting>>()

  constructor(readonly node: TestNode) {}

  get connectionCount(): number {
    return this.neighbors.length
  }

  clearAttempted(): void {}

  connect(): never {
    throw new Error('no test connects through the machine')
  }

  disconnect(): void {}

  isConnected(): boolean {
    return false
  }

  send(link: Link, message: GraphMessage): void {
    this.#queue(link).push({ message })
  }

  sendRecord(link: Link, record: GraphRecord): void {
    this.#queue(link).push({ id: record.id })
  }

  sendRecords(link: Link, source: RecordSource, last?: GraphMessage): void {
    this.#queue(link).push({ source, last })
  }

  flood(record: GraphRecord, except?: Link): void {
    for (const link of this.neighbors) if (link !== except) this.sendRecord(link, record)
  }

  acknowledgeKnown(link: Link, { bytes, at }: KnownFlood): void {
    this.#acknowledge(link, guidAt(bytes, at + 16), false)
  }

  acknowledge(link: Link, { id }: GraphRecord, useful: boolean): void {
    this.#acknowledge(link, id, useful)
  }

  #acknowledge(link: Link, id: Guid, useful: boolean): void {
    const ack = { id, useful }
    this.acks.push({ link: link as TestLink, ack })
    this.#queue(link).push({ message: { type: 'ACK', acks: [ack] } })
  }

  terminate(link: Link, end: string): void {
    this.ended.push({ link: link as TestLink, end })
    this.node.close(link as TestLink)
  }

  /** Hands one thing over to the other side. False: nothing waits. */
  deliver(): boolean {
    for (const [link, queue] of this.#queues) {
      const { first } = queue
      if (first === undefined || link.state !== 'connected') continue
      if ('source' in first) {
        const record = first.source.next()
        if (record !== undefined) {
          this.#hand(link, { type: 'FLOOD', record })
          return true
        }
        queue.shift()
        if (first.last !== undefined) this.#hand(link, first.last)
        return true
      }
      queue.shift()
      if ('message' in first) {
        this.#hand(link, first.message)
        return true
      }
      const record = this.node.context.database.current(first.id)
      if (record !== undefined) this.#hand(link, { type: 'FLOOD', record })
      return true
    }
    return false
  }

  #hand(link: TestLink, message: GraphMessage): void {
    const bytes = encodeGraphMessage(message)
    this.bytes += bytes.length
    if (message.type === 'FLOOD') this.records++
    if (message.type !== 'ACK') this.sent.push({ link, message })
    link.peer.receive(link.other, bytes)
  }

  #queue(link: Link): Queue<Waiting> {
    const key = link as TestLink
    const queue = this.#queues.get(key) ?? new Queue<Waiting>()
    this.#queues.set(key, queue)
    return queue
  }
}

/** Writes down what it is told. */
class Listener {
  readonly stored: {
    record: GraphRecord
    previous: GraphRecord | undefined
    local: boolean
  }[] = []
  readonly expired: GraphRecord[] = []
  synchronizedCount = 0
  agreedUntil = 0n

  get part(): MaintenancePart {
    const nothing = (): undefined => undefined
    return {
      nodes: [],
      signature: undefined,
      start: nothing,
      setPresence: nothing,
      setNodeAttributes: nothing,
      setProperties: nothing,
      recordStored: (record, previous, local) => {
        this.stored.push({ record, previous, local })
      },
      recordExpired: (record) => {
        this.expired.push(record)
      },
      linkConnected: nothing,
      linkClosed: nothing,
      attemptFailed: nothing,
      synchronized: () => {
        this.synchronizedCount++
      },
      agreedUntil: () => this.agreedUntil,
      takeRepairTurn: () => false,
      listeningChanged: nothing,
      withdraw: nothing,
    }
  }
}

let seed = 1

export class TestNode {
  readonly context: GraphContext
  readonly records: Records
  readonly sync: Sync
  readonly links: MemoryLinks
  readonly listener = new Listener()

  constructor(options: Partial<GraphConfig> = {}) {
    this.context = new GraphContext({
      rng: new SeededRng(seed++),
      peerId: 'alice',
      properties: PROPERTIES,
      creates: true,
      dialect: DEFAULT_GRAPH_DIALECT,
      prioritizedTypes: [],
      database: new GraphDatabase(),
      loaded: false,
      peerTimeDelta: 0n,
      ...options,
    })
    this.links = new MemoryLinks(this)
    this.records = new Records(this.context)
    this.sync = new Sync(this.context)
    this.context.parts = {
      links: this.links,
      records: this.records,
      sync: this.sync,
      maintenance: this.listener.part,
    }
    this.setPeerTime(T0)
  }

  get database(): GraphDatabase {
    return this.context.database
  }

  setPeerTime(ticks: bigint): void {
    const unixTicks = ticks - FILETIME_OF_UNIX_EPOCH + this.context.peerTimeDelta
    this.context.wallOffsetMs = Number(unixTicks) / 10_000 - this.context.now / 1000
  }

  /** Lets time pass; timers that are due fire at their time. */
  pass(us: number): void {
    const { context } = this
    const end = context.now + us
    for (;;) {
      const at = context.timers.next()
      if (at > end) break
      context.now = Math.max(at, context.now)
      context.timers.takeDue(at)?.onTimer()
    }
    context.now = end
  }

  /** A connection that this node opens. */
  connect(peer: TestNode, options: { repair?: boolean; start?: boolean } = {}): TestLink {
    const ours = makeLink(peer, true, options.repair === true)
    const theirs = makeLink(this, false, false)
    ours.other = theirs
    theirs.other = ours
    this.links.neighbors.push(ours)
    peer.links.neighbors.push(theirs)
    peer.sync.linkConnected(theirs)
    this.sync.linkConnected(ours)
    if (options.start !== false) this.sync.start(ours)
    return ours
  }

  /** The connection ends on both sides. */
  close(link: TestLink): void {
    link.peer.forget(link.other)
    this.forget(link)
  }

  forget(link: TestLink): void {
    if (link.state !== 'connected') return
    link.state = 'disconnected'
    const at = this.links.neighbors.indexOf(link)
    if (at >= 0) this.links.neighbors.splice(at, 1)
    this.sync.linkClosed(link)
  }

  receive(link: TestLink, bytes: Uint8Array): void {
    const reader = new GraphMessageReader({
      maxMessage: LIMITS.graphMessageFloorBytes,
      stringOrder: 'big-endian',
      graphId: this.context.properties.graphId,
      known: this.database.known,
    })
    reader.push(bytes)
    const item = reader.next()
    if (item?.kind === 'message') {
      if (this.handle(link, item.message)) reader.learn()
    } else if (item?.kind === 'known') {
      if (!this.records.handleKnown(link, item)) this.handle(link, reader.reconsider())
    } else if (item?.kind === 'acks') {
      for (let i = 0; i < item.count; i++) this.records.handleAck(link, isUseful(item, i))
    } else if (item?.kind !== 'dropped') throw new Error(`not a message: ${JSON.stringify(item)}`)
  }

  /** True: a record that it brought is held. */
  handle(link: TestLink, message: GraphMessage): boolean {
    if (message.type === 'FLOOD') return this.records.handleFlood(link, message.record)
    if (message.type === 'ACK') {
      for (const { useful } of message.acks) this.records.handleAck(link, useful)
    } else this.sync.handleMessage(link, message)
    return false
  }

  /** A record as it comes from the network: borrowed memory, which is gone afterwards. */
  flood(link: TestLink, record: GraphRecord): void {
    const bytes = record.bytes.slice()
    const decoded = decodeRecord(bytes, DEFAULT_GRAPH_DIALECT, this.context.properties.graphId)
    if (!decoded.ok) throw new Error(decoded.code)
    this.records.handleFlood(link, decoded.record)
    bytes.fill(0xee)
  }

  /** Wire forms in the order of 3.1.7.31, as texts. */
  get contents(): string[] {
    return this.database.after(FIRST_POSITION, 1e9).map(({ record: { id, version, bytes } }) => {
      return `${guidText(id)} ${version} ${Buffer.from(bytes).toString('hex')}`
    })
  }

  takeEvents(): GraphEvent[] {
    const { events } = this.context
    const out: GraphEvent[] = []
    for (let event = events.shift(); event !== undefined; event = events.shift()) out.push(event)
    return out
  }

  takeWrites(): GraphWrite[] {
    const { context } = this
    context.flushWrites()
    const out: GraphWrite[] = []
    for (let effect = context.effects.shift(); effect; effect = context.effects.shift()) {
      if (effect.type === 'persist') out.push(...effect.writes)
    }
    return out
  }

  /** Types of the messages sent so far, FLOODs by their number; forgets them. */
  takeSent(): string[] {
    const sent = this.links.sent.splice(0).map(({ message }) => message.type)
    return sent.reduce<string[]>((out, type) => {
      const last = out.at(-1)?.split(' x')
      if (type === 'FLOOD' && last?.[0] === 'FLOOD') {
        out[out.length - 1] = `FLOOD x${Number(last[1] ?? 1) + 1}`
      } else {
        out.push(type)
      }
      return out
    }, [])
  }
}

function makeLink(peer: TestNode, initiator: boolean, repair: boolean): TestLink {
  return {
    connection: seed++,
    initiator,
    direct: false,
    remote: { address: new Uint8Array(16), port: 1 },
    state: 'connected',
    nodeId: peer.context.nodeId,
    peerId: peer.context.config.peerId,
    addresses: [],
    sequence: seed,
    connectedAt: 0,
    repair,
    utility: 0,
    sync: undefined,
    peer,
    other: undefined as unknown as TestLink,
  }
}

/** Delivers everything that waits anywhere, in turns. */
export function settle(...nodes: TestNode[]): void {
  for (let busy = true; busy;) {
    busy = false
    for (const node of nodes) while (node.links.deliver()) busy = true
  }
}
