import type { Endpoint } from '../../core/endpoint.js'
import type { Guid } from '../../core/guid.js'
import type { GraphRecord } from './record.js'

/** Messages of MS-PPGRH 2.2.2 as the machine sees them. Times are FILETIME ticks of peer time. */

export type ConnectionType = 'neighbor' | 'direct'

/** 2.2.2.1 */
export interface AuthInfoMessage {
  readonly type: 'AUTH_INFO'
  readonly connectionType: ConnectionType
  readonly graphId: string
  readonly sourcePeerId: string
  readonly destinationPeerId?: string
}

/** 2.2.2.2 */
export interface ConnectMessage {
  readonly type: 'CONNECT'
  /** U: the sender listens now, at these addresses. */
  readonly update: boolean
  /** D */
  readonly direct: boolean
  /** N: referrals are wanted. */
  readonly neighborList: boolean
  readonly nodeId: bigint
  readonly addresses: readonly Endpoint[]
  readonly friendlyName?: string
}

/** 2.2.2.3 */
export interface WelcomeMessage {
  readonly type: 'WELCOME'
  readonly nodeId: bigint
  readonly peerTime: bigint
  readonly addresses: readonly Endpoint[]
  readonly peerId: string
  readonly friendlyName?: string
}

export type RefuseCode = 'busy' | 'already-connected' | 'duplicate' | 'direct-disallowed'

/** 2.2.2.4 */
export interface RefuseMessage {
  readonly type: 'REFUSE'
  readonly code: RefuseCode
  readonly addresses: readonly Endpoint[]
}

export type DisconnectReason = 'leaving' | 'least-useful' | 'application'

/** 2.2.2.5 */
export interface DisconnectMessage {
  readonly type: 'DISCONNECT'
  readonly reason: DisconnectReason
  readonly addresses: readonly Endpoint[]
}

/** Which record types a SOLICIT covers: only these, all but these, or (both empty) all. */
export interface RecordTypes {
  readonly inclusions: readonly Guid[]
  readonly exclusions: readonly Guid[]
}

/** 2.2.2.6 */
export interface SolicitNewMessage extends RecordTypes {
  readonly type: 'SOLICIT_NEW'
}

/** 2.2.2.7 */
export interface SolicitTimeMessage extends RecordTypes {
  readonly type: 'SOLICIT_TIME'
  readonly modificationTime: bigint
}

/** 2.2.1.7; the range ends with this (time, ID), and begins after the range before it. */
export interface HashInfoEntry {
  /** MD5, 16 bytes. */
  readonly hash: Uint8Array
  readonly modificationTime: bigint
  readonly recordId: Guid
}

/** 2.2.2.8 */
export interface SolicitHashMessage extends RecordTypes {
  readonly type: 'SOLICIT_HASH'
  readonly ranges: readonly HashInfoEntry[]
}

/** 2.2.1.8 */
export interface HashEntryBoundary {
  readonly lowerTime: bigint
  readonly lowerId: Guid
  readonly upperTime: bigint
  readonly upperId: Guid
  readonly count: number
}

/** 2.2.1.6 */
export interface RecordAbstract {
  readonly id: Guid
  readonly version: number
}

/** 2.2.2.9 */
export interface AdvertiseMessage {
  readonly type: 'ADVERTISE'
  readonly boundaries: readonly HashEntryBoundary[]
  readonly abstracts: readonly RecordAbstract[]
}

/** 2.2.2.10 */
export interface RequestMessage {
  readonly type: 'REQUEST'
  readonly abstracts: readonly RecordAbstract[]
}

/** 2.2.2.11 */
export interface FloodMessage {
  readonly type: 'FLOOD'
  readonly record: GraphRecord
}

/** 2.2.2.12 */
export interface SyncEndMessage {
  readonly type: 'SYNC_END'
  readonly final: boolean
}

/** 2.2.2.13 */
export interface Pt2ptMessage {
  readonly type: 'PT2PT'
  readonly dataType: Guid
  readonly data: Uint8Array
}

export interface Acknowledgement {
  readonly id: Guid
  readonly useful: boolean
}

/** 2.2.2.14 */
export interface AckMessage {
  readonly type: 'ACK'
  readonly acks: readonly Acknowledgement[]
}

export type GraphMessage =
  | AuthInfoMessage
  | ConnectMessage
  | WelcomeMessage
  | RefuseMessage
  | DisconnectMessage
  | SolicitNewMessage
  | SolicitTimeMessage
  | SolicitHashMessage
  | AdvertiseMessage
  | RequestMessage
  | FloodMessage
  | SyncEndMessage
  | Pt2ptMessage
  | AckMessage
