import type { Endpoint } from '../../core/endpoint.js'
import { addressAt } from '../../core/met-bytes.js'
import type { Guid } from '../../core/guid.js'
import { rows } from '../../native/graph.js'
import { readGuid, readU16, readU32, readU64, readUtf8, viewOf } from './bytes.js'
import {
  GraphAckFlag,
  GraphConnectFlag,
  GraphConnection,
  GraphLength,
  GraphMessageType as Type,
} from './constants.js'
import type * as messages from './messages.js'
import { ABSENT, MessageRow, RecordRow } from './rows.js'
import { Memory, WireRecord } from './wire-record.js'

/** Makes messages of the native codec's rows: what they say was checked there. */

const REFUSE_CODES = ['busy', 'already-connected', 'duplicate', 'direct-disallowed'] as const
const REASONS = ['leaving', 'least-useful', 'application'] as const

/** First word of the row that is read. */
let base = 0

function word(index: number): number {
  return rows[base + index] as number
}

/** A text of the row; undefined: absent. */
function text(bytes: Uint8Array, index: number): string | undefined {
  const at = word(MessageRow.TEXTS + 2 * index)
  return at === ABSENT ? undefined : readUtf8(bytes, at, word(MessageRow.TEXTS + 2 * index + 1))
}

/** Calls `read` with the offset of each entry. */
function list<T>(at: number, count: number, size: number, read: (at: number) => T): T[] {
  const entries: T[] = []
  for (let i = 0; i < count; i++, at += size) entries.push(read(at))
  return entries
}

function entries<T>(size: number, read: (at: number) => T): T[] {
  return list(word(MessageRow.ENTRIES), word(MessageRow.ENTRY_COUNT), size, read)
}

function more<T>(size: number, read: (at: number) => T): T[] {
  return list(word(MessageRow.MORE), word(MessageRow.MORE_COUNT), size, read)
}

function addresses(bytes: Uint8Array): Endpoint[] {
  return entries(GraphLength.IN6_ADDRESS, (at) => ({
    address: addressAt(bytes, at + 4),
    port: readU16(bytes, at + 2),
  }))
}

const NO_TYPES: readonly Guid[] = []

function recordTypes(bytes: Uint8Array): messages.RecordTypes {
  const guids = entries(GraphLength.GUID, (at) => readGuid(bytes, at))
  return word(MessageRow.VALUE) !== 0
    ? { inclusions: guids, exclusions: NO_TYPES }
    : { inclusions: NO_TYPES, exclusions: guids }
}

function abstracts(bytes: Uint8Array): messages.RecordAbstract[] {
  return more(GraphLength.ABSTRACT, (at) => ({
    id: readGuid(bytes, at),
    version: readU32(bytes, at + 16),
  }))
}

function authInfo(bytes: Uint8Array): messages.AuthInfoMessage {
  const destinationPeerId = text(bytes, 2)
  const isNeighbor = word(MessageRow.VALUE) === GraphConnection.NEIGHBOR
  return {
    type: 'AUTH_INFO',
    connectionType: isNeighbor ? 'neighbor' : 'direct',
    graphId: text(bytes, 0) as string,
    sourcePeerId: text(bytes, 1) as string,
    ...(destinationPeerId === undefined ? undefined : { destinationPeerId }),
  }
}

function connect(bytes: Uint8Array): messages.ConnectMessage {
  const flags = word(MessageRow.VALUE)
  const friendlyName = text(bytes, 0)
  return {
    type: 'CONNECT',
    update: (flags & GraphConnectFlag.U) !== 0,
    direct: (flags & GraphConnectFlag.D) !== 0,
    neighborList: (flags & GraphConnectFlag.N) !== 0,
    nodeId: readU64(bytes, word(MessageRow.NODE_ID)),
    addresses: addresses(bytes),
    ...(friendlyName === undefined ? undefined : { friendlyName }),
  }
}

function welcome(bytes: Uint8Array): messages.WelcomeMessage {
  const friendlyName = text(bytes, 1)
  return {
    type: 'WELCOME',
    nodeId: readU64(bytes, word(MessageRow.NODE_ID)),
    peerTime: readU64(bytes, word(MessageRow.TIME)),
    addresses: addresses(bytes),
    peerId: text(bytes, 0) as string,
    ...(friendlyName === undefined ? undefined : { friendlyName }),
  }
}

function solicitHash(bytes: Uint8Array): messages.SolicitHashMessage {
  const ranges = more(GraphLength.HASH_INFO, (at) => ({
    hash: new Uint8Array(viewOf(bytes, at, GraphLength.MD5)),
    modificationTime: readU64(bytes, at + 16),
    recordId: readGuid(bytes, at + 24),
  }))
  return { type: 'SOLICIT_HASH', ...recordTypes(bytes), ranges }
}

function advertise(bytes: Uint8Array): messages.AdvertiseMessage {
  const boundaries = entries(GraphLength.BOUNDARY, (at) => ({
    lowerTime: readU64(bytes, at),
    lowerId: readGuid(bytes, at + 8),
    upperTime: readU64(bytes, at + 24),
    upperId: readGuid(bytes, at + 32),
    count: readU32(bytes, at + 48),
  }))
  return { type: 'ADVERTISE', boundaries, abstracts: abstracts(bytes) }
}

function acks(bytes: Uint8Array): messages.AckMessage {
  const list = entries(GraphLength.ACK, (at) => ({
    id: readGuid(bytes, at),
    useful: ((bytes[at + 19] as number) & GraphAckFlag.U) !== 0,
  }))
  return { type: 'ACK', acks: list }
}

function rare(type: number, bytes: Uint8Array): messages.GraphMessage {
  switch (type) {
    case Type.AUTH_INFO:
      return authInfo(bytes)
    case Type.CONNECT:
      return connect(bytes)
    case Type.WELCOME:
      return welcome(bytes)
    case Type.REFUSE: {
      const code = REFUSE_CODES[word(MessageRow.VALUE) - 1] as messages.RefuseCode
      return { type: 'REFUSE', code, addresses: addresses(bytes) }
    }
    case Type.DISCONNECT: {
      const reason = REASONS[word(MessageRow.VALUE) - 1] as messages.DisconnectReason
      return { type: 'DISCONNECT', reason, addresses: addresses(bytes) }
    }
    case Type.SOLICIT_NEW:
      return { type: 'SOLICIT_NEW', ...recordTypes(bytes) }
    case Type.SOLICIT_TIME: {
      const modificationTime = readU64(bytes, word(MessageRow.TIME))
      return { type: 'SOLICIT_TIME', ...recordTypes(bytes), modificationTime }
    }
    case Type.SOLICIT_HASH:
      return solicitHash(bytes)
    case Type.ADVERTISE:
      return advertise(bytes)
    case Type.REQUEST:
      return { type: 'REQUEST', abstracts: abstracts(bytes) }
    default:
      return { type: 'SYNC_END', final: word(MessageRow.VALUE) !== 0 }
  }
}

/**
 * The message of the row that begins at word `row`. Bytes are views; a record borrows them unless
 * `gathered`: then they are its own, with two bytes of room before the message.
 */
export function messageAt(
  row: number,
  bytes: Uint8Array,
  bigEndian: boolean,
  gathered: boolean,
): messages.GraphMessage {
  base = row
  const type = word(MessageRow.TYPE)
  if (type === Type.FLOOD) {
    return { type: 'FLOOD', record: recordAt(row + MessageRow.RECORD, bytes, bigEndian, gathered) }
  }
  if (type === Type.ACK) return acks(bytes)
  if (type === Type.PT2PT) {
    const data = viewOf(bytes, word(MessageRow.ENTRIES), word(MessageRow.ENTRY_COUNT))
    return { type: 'PT2PT', dataType: readGuid(bytes, word(MessageRow.NODE_ID)), data }
  }
  return rare(type, bytes)
}

/** The record whose RecordRow begins at a word of the table. */
export function recordAt(
  row: number,
  bytes: Uint8Array,
  bigEndian: boolean,
  gathered: boolean,
): WireRecord {
  const at = rows[row + RecordRow.AT] as number
  const memory = gathered ? Memory.ROOMY : Memory.BORROWED
  return new WireRecord(bytes, at, rows, row, bigEndian, memory)
}
