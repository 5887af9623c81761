import { formatEndpoint } from '../core/address-text.js'
import { guidText } from '../core/guid.js'
import type {
  ConnectionEnd,
  GraphEvent as MachineEvent,
  GraphNodeInfo as MachineNode,
  GraphProperties,
  RecordChange,
} from '../graph/interface.js'
import { parseAttributes, type RecordAttribute } from '../wire/graph/attributes.js'
import { PublishedRecord, type PeerClock } from './graph-records.js'

/** Where a node stands (PEER_GRAPH_STATUS_FLAGS). */
export interface GraphStatus {
  readonly listening: boolean
  /** It has neighbours. */
  readonly connected: boolean
  /** It has had the whole database at least once. */
  readonly synchronized: boolean
}

/** A node that says so by its presence record. */
export interface GraphNodeInfo {
  /** 16 hex digits; another one each time that the graph is opened. */
  readonly nodeId: string
  readonly peerId: string
  /** Where it listens, `[address]:port`. */
  readonly addresses: readonly string[]
  readonly attributes: readonly RecordAttribute[]
}

export interface ConnectionInfo {
  readonly connection: number
  /** `[address]:port` of the other side. */
  readonly remote: string
  readonly incoming: boolean
  readonly nodeId?: string
  readonly peerId?: string
}

/** A neighbour connection, or a direct one. */
export interface ConnectionEvent<T extends 'neighbor' | 'direct'> extends ConnectionInfo {
  readonly type: T
  readonly change: 'connected' | 'disconnected' | 'failed'
  /** Why it ended. */
  readonly end?: ConnectionEnd
  /** The attempt that follows a refusal. */
  readonly next?: number
}

/** What `Graph.watch` tells. */
export type GraphEvent =
  | { readonly type: 'status'; readonly status: GraphStatus }
  | { readonly type: 'properties'; readonly properties: GraphProperties }
  /** `local`: this node did it. */
  | {
      readonly type: 'record'
      readonly change: RecordChange
      readonly record: PublishedRecord
      readonly local: boolean
    }
  | ConnectionEvent<'neighbor'>
  | ConnectionEvent<'direct'>
  | {
      readonly type: 'node'
      readonly change: 'connected' | 'updated' | 'disconnected'
      readonly node: GraphNodeInfo
    }
  /** Data that came by `send`; `dataType` is a GUID. */
  | {
      readonly type: 'data'
      readonly connection: number
      readonly dataType: string
      readonly data: Uint8Array
    }
  /** The whole database has been synchronised, or one record type of it. */
  | { readonly type: 'synchronized'; readonly recordType?: string }
  /** The graph lost its way: connect to another node of it (MS-PPGRH 3.1.7.15). */
  | { readonly type: 'connection-required'; readonly why: 'alone' | 'long-term-repair' }
  /** A peer's clock is so far off that it was not adopted. */
  | { readonly type: 'clock-rejected'; readonly connection: number; readonly offsetMs: number }
  | { readonly type: 'closed' }

export type GraphEventType = GraphEvent['type']

export function nodeIdText(nodeId: bigint): string {
  return nodeId.toString(16).padStart(16, '0')
}

export function nodeInfo({ nodeId, peerId, addresses, attributes }: MachineNode): GraphNodeInfo {
  const parsed = attributes === '' ? undefined : parseAttributes(attributes)
  return {
    nodeId: nodeIdText(nodeId),
    peerId,
    addresses: addresses.map(formatEndpoint),
    attributes: parsed?.ok === true ? parsed.attributes : [],
  }
}

/** The event for the application; undefined for those that are the driver's own. */
export function publicEvent(event: MachineEvent, clock: PeerClock): GraphEvent | undefined {
  switch (event.type) {
    case 'status': {
      const { listening, connected, synchronized } = event
      return { type: 'status', status: { listening, connected, synchronized } }
    }
    case 'record': {
      const { change, local } = event
      return { type: 'record', change, local, record: new PublishedRecord(event.record, clock) }
    }
    case 'connection':
      return connectionEvent(event)
    case 'node':
      return { type: 'node', change: event.change, node: nodeInfo(event.node) }
    case 'data':
      return { ...event, dataType: guidText(event.dataType) }
    case 'synchronized':
      return event.recordType === undefined
        ? { type: 'synchronized' }
        : { type: 'synchronized', recordType: guidText(event.recordType) }
    case 'properties':
    case 'connection-required':
    case 'clock-rejected':
    case 'closed':
      return event
    default:
      return undefined
  }
}

function connectionEvent(event: Extract<MachineEvent, { type: 'connection' }>): GraphEvent {
  const { change, connection, direct, incoming, remote, peerId, nodeId, end, next } = event
  return {
    type: direct ? 'direct' : 'neighbor',
    change,
    connection,
    incoming,
    remote: formatEndpoint(remote),
    ...(peerId === undefined ? {} : { peerId }),
    ...(nodeId === undefined ? {} : { nodeId: nodeIdText(nodeId) }),
    ...(end === undefined ? {} : { end }),
    ...(next === undefined ? {} : { next }),
  }
}
