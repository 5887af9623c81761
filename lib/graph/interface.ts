import type { Endpoint } from '../core/endpoint.js'
import type { ErrorCode } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import type { GraphRecord } from '../wire/graph/record.js'

/**
 * What goes into a graph machine and what comes out of it. One machine = one node in one graph
 * (MS-PPGRH 3.1.1). Its messages are chunks of bytes that a connection's stream brought; its
 * transmissions are bytes for a stream.
 */

/**
 * Number of a TCP connection, unique in its node. The machine names those that it opens, from 1 up;
 * the driver names those that it accepted, from -1 down.
 */
export type ConnectionId = number

export type GraphScope = 'global' | 'site-local' | 'link-local'

/** What Graph Info publishes (2.2.3.1), and what its creator chose. */
export interface GraphProperties {
  readonly graphId: string
  readonly creatorId: string
  readonly friendlyName: string
  readonly comment: string
  readonly scope: GraphScope
  readonly deferExpiration: boolean
  /** Seconds, >= 300. */
  readonly presenceLifetimeS: number
  /** 0xFFFFFFFF: everyone; 0: only when asked to; else about so many. */
  readonly maxPresenceRecords: number
  /** Bytes of payload and attributes together, 1,024 .. 62,914,560. */
  readonly maxRecordSize: number
}

/** What an application gives to publish a record (3.1.4.3). */
export interface RecordSpec {
  readonly type: Guid
  /** Ticks of peer time. */
  readonly expirationTime: bigint
  readonly payload?: Uint8Array
  /** XML of 2.2.3.5. */
  readonly attributes?: string
  /** Renew it for as long as this node is in the graph. */
  readonly autorefresh?: boolean
}

/** What an update may change; what is absent stays (3.1.4.4). */
export type RecordChanges = Partial<Omit<RecordSpec, 'type'>>

/** What the creator may change later (PeerGraphSetProperties). */
export type PropertyChanges = Partial<
  Pick<GraphProperties, 'friendlyName' | 'comment' | 'presenceLifetimeS' | 'maxPresenceRecords'>
>

/** `handle` comes back in the event 'done' or 'failed'. */
export type GraphCommand =
  | { readonly type: 'listen'; readonly handle: number; readonly port: number }
  /** Done when the connection, or one that a refusal led to, is CONNECTED. */
  | {
      readonly type: 'connect'
      readonly handle: number
      readonly to: Endpoint
      readonly peerId?: string
      readonly direct: boolean
      /** A direct one that only asks for neighbours: it brings no 'connection' events. */
      readonly topology?: boolean
    }
  | { readonly type: 'disconnect'; readonly handle: number; readonly connection: ConnectionId }
  | {
      readonly type: 'publish'
      readonly handle: number
      readonly record: RecordSpec
    }
  | {
      readonly type: 'update'
      readonly handle: number
      readonly id: Guid
      readonly changes: RecordChanges
    }
  | { readonly type: 'delete'; readonly handle: number; readonly id: Guid }
  /** 3.1.4.6: publish own presence whatever the limits say, or no longer. */
  | { readonly type: 'presence'; readonly handle: number; readonly force: boolean }
  /** Attributes in own presence (PeerGraphSetNodeAttributes). */
  | { readonly type: 'node-attributes'; readonly handle: number; readonly attributes: string }
  /** The creator changes Graph Info (PeerGraphSetProperties). */
  | {
      readonly type: 'properties'
      readonly handle: number
      readonly changes: PropertyChanges
    }
  | { readonly type: 'allow-direct'; readonly handle: number; readonly allow: boolean }
  /** PT2PT on a CONNECTED link; done when it is handed to the network. */
  | {
      readonly type: 'send'
      readonly handle: number
      readonly connection: ConnectionId
      readonly dataType: Guid
      readonly data: Uint8Array
    }
  /** 3.1.4.10 */
  | { readonly type: 'revalidate'; readonly handle: number }
  /** 3.1.4.12: own internal records deleted, DISCONNECT sent, all connections ended. */
  | { readonly type: 'close'; readonly handle: number }

export type GraphLocalEvent =
  /**
   * Wall clock in ms since 1970 = now / 1000 + offsetMs. The first one starts the machine: it comes
   * before all else.
   */
  | { readonly type: 'wall-clock'; readonly offsetMs: number }
  /** A connection that the machine asked for is up. */
  | {
      readonly type: 'connected'
      readonly connection: ConnectionId
      readonly local: Endpoint
      readonly remote: Endpoint
    }
  /** The listener found this graph in an AUTH_INFO; its bytes follow as the first message. */
  | {
      readonly type: 'accepted'
      readonly connection: ConnectionId
      readonly local: Endpoint
      readonly remote: Endpoint
    }
  /** So many bytes of what was transmitted have left the process. */
  | { readonly type: 'written'; readonly connection: ConnectionId; readonly bytes: number }
  | { readonly type: 'closed'; readonly connection: ConnectionId; readonly why: string }
  /** Addresses on which this node listens (3.1.4.8, 3.1.7.23); empty: it does not. */
  | { readonly type: 'listening'; readonly addresses: readonly Endpoint[] }
  | { readonly type: 'listen-failed'; readonly code: ErrorCode; readonly message: string }
  /** Everything up to this persist effect is on disk. */
  | { readonly type: 'persisted'; readonly sequence: number }
  | { readonly type: 'persist-failed'; readonly sequence: number; readonly message: string }
  /** The security session of a connection has output. */
  | { readonly type: 'session'; readonly connection: ConnectionId }

/** Bytes for one connection, in order; small pieces may be joined. Never write into them. */
export interface GraphTransmit {
  readonly connection: ConnectionId
  readonly data: readonly Uint8Array[]
}

/** A write to the store: the whole record, replacing one of the same ID, or its removal. */
export type GraphWrite =
  | { readonly type: 'put'; readonly record: GraphRecord; readonly autorefresh: boolean }
  | { readonly type: 'remove'; readonly id: Guid }
  /** 3.1.1 PTD, ticks; and the last moment (peer time) at which this node was in the graph. */
  | { readonly type: 'clock'; readonly peerTimeDelta: bigint; readonly leftAt: bigint }

export type GraphEffect =
  | { readonly type: 'connect'; readonly connection: ConnectionId; readonly to: Endpoint }
  /** No more bytes will come from us: half-close once all is written. */
  | { readonly type: 'finish'; readonly connection: ConnectionId }
  | { readonly type: 'destroy'; readonly connection: ConnectionId }
  | { readonly type: 'listen'; readonly port: number }
  | { readonly type: 'stop-listening' }
  /** In order of `sequence`; answered by 'persisted'. */
  | {
      readonly type: 'persist'
      readonly sequence: number
      readonly writes: readonly GraphWrite[]
    }

export type RecordChange = 'added' | 'updated' | 'deleted' | 'expired'

/** Why a connection ended, for the application. */
export type ConnectionEnd =
  | 'closed'
  | 'refused'
  | 'failed'
  | 'timed-out'
  | 'silent'
  | 'protocol'
  | 'security'
  | 'least-useful'
  | 'leaving'
  | 'application'

export type GraphEvent =
  /** A command is carried out. `id` of a new record, `connection` of a connect. */
  | {
      readonly type: 'done'
      readonly handle: number
      readonly id?: Guid
      readonly connection?: ConnectionId
    }
  | {
      readonly type: 'failed'
      readonly handle: number
      readonly code: ErrorCode
      readonly message: string
    }
  /** PEER_GRAPH_EVENT_STATUS_CHANGED */
  | {
      readonly type: 'status'
      readonly listening: boolean
      readonly connected: boolean
      readonly synchronized: boolean
    }
  | { readonly type: 'properties'; readonly properties: GraphProperties }
  /** `local`: this node did it. */
  | {
      readonly type: 'record'
      readonly change: RecordChange
      readonly record: GraphRecord
      readonly local: boolean
    }
  | {
      readonly type: 'connection'
      readonly change: 'connected' | 'disconnected' | 'failed'
      readonly connection: ConnectionId
      readonly direct: boolean
      readonly incoming: boolean
      readonly remote: Endpoint
      readonly peerId?: string
      readonly nodeId?: bigint
      readonly end?: ConnectionEnd
      /** After a refusal: the attempt that follows it. */
      readonly next?: ConnectionId
    }
  | {
      readonly type: 'data'
      readonly connection: ConnectionId
      readonly dataType: Guid
      readonly data: Uint8Array
    }
  /** Answer to TOPOLOGY_QUESTION; undefined: the connection that was to bring it has ended. */
  | {
      readonly type: 'topology'
      readonly connection: ConnectionId
      readonly neighbors: readonly bigint[] | undefined
    }
  /** All data given to 'send' on this connection so far has left the process. */
  | { readonly type: 'drained'; readonly connection: ConnectionId }
  /** PEER_GRAPH_EVENT_NODE_CHANGED, from presence records. */
  | {
      readonly type: 'node'
      readonly change: 'connected' | 'updated' | 'disconnected'
      readonly node: GraphNodeInfo
    }
  /** 3.1.7.15: the application should find another node of this graph and connect to it. */
  | { readonly type: 'connection-required'; readonly why: 'alone' | 'long-term-repair' }
  /** A sync has ended; `recordType` when it was of one type only. */
  | { readonly type: 'synchronized'; readonly recordType?: Guid }
  /** A peer's clock is 20 minutes off, ours or this host's, and was not adopted (GA-14). */
  | {
      readonly type: 'clock-rejected'
      readonly connection: ConnectionId
      readonly offsetMs: number
    }
  /** The last event of a machine. */
  | { readonly type: 'closed' }

export interface GraphNodeInfo {
  readonly nodeId: bigint
  readonly peerId: string
  readonly addresses: readonly Endpoint[]
  readonly attributes: string
}
