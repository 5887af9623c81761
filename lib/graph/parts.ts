import type { Endpoint } from '../core/endpoint.js'
import type { Guid } from '../core/guid.js'
import type { Instant } from '../core/instant.js'
import type { DisconnectReason, GraphMessage } from '../wire/graph/messages.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { KnownFlood } from '../wire/graph/stream-reader.js'
import type { ErrorCode } from '../core/errors.js'
import type {
  ConnectionEnd,
  ConnectionId,
  GraphCommand,
  GraphNodeInfo,
  PropertyChanges,
  RecordChanges,
  RecordSpec,
} from './interface.js'

/**
 * The seams between the sub-machines of one graph. `graph.ts` builds them over one `GraphContext`
 * (each constructor takes it as its first argument and has no side effects); they call each other
 * only through these interfaces, by way of `context.parts`.
 *
 * | part        | file           | sections of MS-PPGRH                                  |
 * |-------------|----------------|-------------------------------------------------------|
 * | links       | links.ts       | 3.1.4.7-9, 3.1.5.1, 3.1.5.2.1-4, .13, 3.1.7.24-26     |
 * | records     | records.ts     | 3.1.4.3-5, .10, 3.1.5.2.10, .12, 3.1.7.2-10, .22-.33  |
 * | sync        | sync.ts        | 3.1.5.2.5-9, .11, 3.1.7.29-31                         |
 * | maintenance | maintenance.ts | 3.1.6.3-9, 3.1.7.4-7, .10.2-.23                       |
 */

/** A failed command: it becomes the event 'failed'. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

export type LinkState =
  | 'start'
  | 'authenticated'
  | 'connect-wait'
  | 'connected'
  | 'disconnecting'
  | 'disconnected'
  | 'connect-failed'

/** Records to flood to one link, given out as it drains. */
export interface RecordSource {
  /** The next record; undefined when there are no more. */
  next(): GraphRecord | undefined
}

/**
 * One connection with the link on it (3.1.1). Only its owner, links.ts, writes what is not marked.
 */
export interface Link {
  readonly connection: ConnectionId
  readonly initiator: boolean
  readonly direct: boolean
  readonly remote: Endpoint
  readonly state: LinkState
  /** Known from CONNECT or WELCOME on. */
  readonly nodeId: bigint | undefined
  readonly peerId: string | undefined
  /** Where the peer listens. */
  readonly addresses: readonly Endpoint[]
  /** Order in which neighbours were added. */
  readonly sequence: number
  /** When it became CONNECTED. */
  readonly connectedAt: Instant
  /** Opened for partition repair (GA-54): it syncs by time, too. */
  readonly repair: boolean
  /** 3.1.7.33; written by records.ts. */
  utility: number
  /** Of sync.ts: the state of the synchronisation on this link. */
  sync: unknown
  /** Of records.ts: a record that the peer holds, as we do. */
  brought?: GraphRecord | undefined
}

export interface ConnectOptions {
  readonly direct: boolean
  /** A direct one that only asks for neighbours (lib/graph/topology.ts). */
  readonly topology?: boolean
  readonly peerId?: string
  /** GA-54: a contact of another signature. */
  readonly repair?: boolean
  /** The command that wants it. */
  readonly handle?: number
  /** Refusals that have led here. */
  readonly hops?: number
}

export interface LinksPart {
  /** CONNECTED neighbour links, in order of `sequence`. */
  readonly neighbors: readonly Link[]
  /** Connections of either kind in any state. */
  readonly connectionCount: number
  /** Attempts as neighbour that are not CONNECTED yet. */
  readonly pendingCount: number
  /** Referral addresses (3.1.1), newest last. */
  readonly referrals: readonly Endpoint[]
  /** GA-32: may be tried again. */
  clearAttempted(): void
  /** Starts an outgoing connection. */
  connect(to: Endpoint, options: ConnectOptions): ConnectionId | Failure
  /** Any neighbour link, or attempt at one, to this node or address? */
  isConnected(target: {
    readonly nodeId?: bigint
    readonly addresses: readonly Endpoint[]
  }): boolean
  /**
   * Sends a message other than FLOOD and ACK. SYNC_END and DISCONNECT follow all records that were
   * queued before them; others may overtake records that wait.
   */
  send(link: Link, message: GraphMessage): void
  /** Queues a FLOOD to one neighbour. */
  sendRecord(link: Link, record: GraphRecord): void
  /**
   * FLOODs all that the source gives, asked for only as the link drains, and then sends `last`.
   * For synchronisation: nothing waits in memory. Sources of one link follow each other.
   */
  sendRecords(link: Link, source: RecordSource, last?: GraphMessage): void
  /**
   * Queues a FLOOD to all neighbours but one, without a copy for each. What still waits in a
   * link's queue for an older version of the record is replaced.
   */
  flood(record: GraphRecord, except?: Link): void
  /**
   * Queues the acknowledgement of a record that the peer has sent; those of one turn go as one
   * message (2.2.2.14). What waits to be sent to it is dropped if it is no newer.
   */
  acknowledge(link: Link, record: GraphRecord, useful: boolean): void
  /** The same for one that was held before, and so was not useful. */
  acknowledgeKnown(link: Link, flood: KnownFlood): void
  /** 3.1.7.25 */
  disconnect(link: Link, reason: DisconnectReason): void
  /** Ends the connection at once. */
  terminate(link: Link, end: ConnectionEnd): void
}

/** Commands about application records. */
export type RecordCommand = Extract<
  GraphCommand,
  { type: 'publish' | 'update' | 'delete' | 'revalidate' }
>

export interface RecordsPart {
  /** Carries the command out; its 'done' comes when its write is persisted, or 'failed'. */
  handleCommand(command: RecordCommand): void
  /** The persist effect with this sequence, and all before it, are on disk. */
  persisted(sequence: number): void
  persistFailed(sequence: number, message: string): void
  /** Peer time was changed: by WELCOME, or the wall clock was set. */
  clockChanged(): void
  /**
   * 3.1.5.2.10, already decoded and syntactically a message. True: this record is held now, or was
   * before.
   */
  handleFlood(link: Link, record: GraphRecord): boolean
  /** The same for a record that the database knows. False: it has just been forgotten. */
  handleKnown(link: Link, flood: KnownFlood): boolean
  /** 3.1.5.2.12 */
  handleAck(link: Link, useful: boolean): void
  /** 3.1.4.3; application types only. */
  publish(spec: RecordSpec): GraphRecord | Failure
  /** 3.1.4.4 */
  update(id: Guid, changes: RecordChanges): GraphRecord | Failure
  /** 3.1.4.5 */
  remove(id: Guid): GraphRecord | Failure
  /** 3.1.4.10 */
  revalidate(): void
  /**
   * Publishes an internal record (3.1.7.4-7): updates the live one of this ID, makes the next
   * version after its tombstone (GA-53), or creates it. Undefined if it may not be published.
   */
  publishInternal(spec: InternalRecordSpec): GraphRecord | undefined
  /** Deletes an own internal record. */
  removeInternal(id: Guid): void
  /** 3.1.4.1, 3.1.4.2: the machine has got the time and begins. */
  start(): void
  /** Sets the expiry scan to `now`: 3.1.4.1, deferred expiration. */
  scanNow(): void
}

export interface InternalRecordSpec {
  readonly type: Guid
  /** Fixed for Graph Info and Signature; absent: made by 3.1.7.2. */
  readonly id?: Guid
  readonly payload: Uint8Array
  readonly expirationTime: bigint
  readonly autorefresh: boolean
}

export interface SyncPart {
  /** A neighbour link became CONNECTED, on either side; before `start`. */
  linkConnected(link: Link): void
  /** The initiator's side begins (GA-18). `first`: it has no other neighbour. */
  start(link: Link, first: boolean): void
  /** SOLICIT_NEW, _TIME, _HASH, ADVERTISE, REQUEST, SYNC_END on a CONNECTED neighbour link. */
  handleMessage(link: Link, message: GraphMessage): void
  /** A FLOOD came in, whatever is made of it. */
  recordReceived(link: Link): void
  /** A neighbour that was CONNECTED is no more. */
  linkClosed(link: Link): void
  /** The graph closes: writes down when this node was last in it. Before links are ended. */
  closing(): void
}

export interface MaintenancePart {
  /** From live presence records, own included. */
  readonly nodes: readonly GraphNodeInfo[]
  /** Value of the live signature record. */
  readonly signature: bigint | undefined
  /** 3.1.4.1, 3.1.4.2: the machine has got the time and begins; a creator publishes Graph Info. */
  start(): void
  /** 3.1.4.6 */
  setPresence(force: boolean): void
  /** PeerGraphSetNodeAttributes; XML of 2.2.3.5. */
  setNodeAttributes(attributes: string): Failure | undefined
  /** PeerGraphSetProperties */
  setProperties(changes: PropertyChanges): Failure | undefined
  /** 3.1.7.10: after a record was stored, own or received, live or deleted. */
  recordStored(record: GraphRecord, previous: GraphRecord | undefined, local: boolean): void
  /** 3.1.7.18-21: after a record expired and was taken out. */
  recordExpired(record: GraphRecord): void
  linkConnected(link: Link, first: boolean): void
  /** A neighbour that was CONNECTED is no more; also called after DISCONNECT was sent to it. */
  linkClosed(link: Link): void
  /**
   * An outgoing attempt as neighbour came to nothing: refused, failed or timed out. `next`: the
   * attempt that follows a refusal (3.1.5.2.3).
   */
  attemptFailed(connection: ConnectionId, next?: ConnectionId): void
  /** A sync that this node began has ended; `neverConnected` is settled (GA-33). */
  synchronized(): void
  /** 3.1.7.15: the application was asked to connect, and may, once, whoever the neighbours are. */
  takeRepairTurn(): boolean
  /** GA-54: peer time up to which this node and that of a repair link surely agreed. */
  agreedUntil(link: Link): bigint
  /** 3.1.4.8, 3.1.7.23: addresses changed; empty: no longer listening. */
  listeningChanged(): void
  /** 3.1.4.12: own contact, presence and signature records go. */
  withdraw(): void
}

export interface GraphParts {
  readonly links: LinksPart
  readonly records: RecordsPart
  readonly sync: SyncPart
  readonly maintenance: MaintenancePart
}
