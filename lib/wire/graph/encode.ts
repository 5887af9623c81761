import type { Endpoint } from '../../core/endpoint.js'
import { checkArgument } from '../../core/errors.js'
import { writeGuid, type Guid } from '../../core/guid.js'
import { nativeCode } from '../../native/codes.js'
import { graphEncodeMessage, output, rows, source } from '../../native/graph.js'
import { viewOf, writeU16, writeU32, writeU64 } from './bytes.js'
import {
  GraphAckFlag,
  GraphBound,
  GraphConnectFlag,
  GraphConnection,
  GraphLength,
  GraphMessageType as Type,
  GraphSyncFlag,
  GraphValue,
} from './constants.js'
import type * as messages from './messages.js'
import { ABSENT, MessageRow, ROW_WORDS } from './rows.js'
import { passing } from './slab.js'
import { checkEndpoint, checkText } from './text.js'

/** Puts a message's parts where the native codec finds them, and its words into the row. */

const REFUSE_CODES = ['busy', 'already-connected', 'duplicate', 'direct-disallowed'] as const
const REASONS = ['leaving', 'least-useful', 'application'] as const
const NAME_MOST = GraphBound.ID_UNITS - 1
/** Lists up to this many bytes go through the shared arrays. */
const SHARED_LIST = 4096
/** More than any fixed part and padding. */
const FIXED_ROOM = 64

const utf8 = new TextEncoder()

/** Parts so far: `source`, or an array for a long list. */
let parts: Uint8Array = source
let end = 0

function set(index: number, value: number): void {
  rows[index] = value
}

/** Starts a message whose parts may have so many bytes in lists. */
function begin(type: number, listBytes = 0): void {
  rows.fill(0, 0, ROW_WORDS)
  for (let i = 0; i < 3; i++) set(MessageRow.TEXTS + 2 * i, ABSENT)
  set(MessageRow.TYPE, type)
  parts = listBytes <= SHARED_LIST ? source : new Uint8Array(listBytes + FIXED_ROOM)
  end = 0
}

function finish(body?: Uint8Array): Uint8Array {
  if (parts === source && body === undefined) {
    const length = outcomeOf(graphEncodeMessage(end))
    return passingCopy(output, length)
  }
  const room = FIXED_ROOM + end + (body === undefined ? 0 : body.length)
  const out = new Uint8Array(room)
  const length = outcomeOf(graphEncodeMessage(parts === source ? end : parts, body, out))
  parts = source
  return out.subarray(0, length)
}

function passingCopy(bytes: Uint8Array, length: number): Uint8Array {
  const at = passing.claim(length)
  const copy = viewOf(passing.memory, at, length)
  copy.set(viewOf(bytes, 0, length))
  return copy
}

function outcomeOf(outcome: number): number {
  checkArgument(outcome >= 0, `these fields make no message: ${nativeCode(-outcome)}`)
  return outcome
}

function putU64(index: number, value: bigint): void {
  checkArgument(value >= 0n && value < 1n << 64n, 'a number of 64 bits is wanted')
  set(index, end)
  writeU64(parts, end, value)
  end += 8
}

function putText(index: number, text: string | undefined, least: number, what: string): void {
  if (text === undefined) return
  checkText(text, least, NAME_MOST, what)
  const { written } = utf8.encodeInto(text, parts.subarray(end))
  set(MessageRow.TEXTS + 2 * index, end)
  set(MessageRow.TEXTS + 2 * index + 1, written)
  end += written
}

/** Entries of one size; `write` puts one at an offset. */
function putList<T>(
  index: number,
  list: readonly T[],
  size: number,
  write: (entry: T, at: number) => void,
): void {
  set(index, end)
  set(index + 1, list.length)
  for (const entry of list) {
    write(entry, end)
    end += size
  }
}

function putAddresses(addresses: readonly Endpoint[]): void {
  checkArgument(addresses.length <= 255, 'a message holds at most 255 addresses')
  putList(MessageRow.ENTRIES, addresses, GraphLength.IN6_ADDRESS, ({ address, port }, at) => {
    checkEndpoint(address, port)
    writeU16(parts, at, GraphValue.FAMILY)
    writeU16(parts, at + 2, port)
    parts.set(address, at + 4)
  })
}

function putGuids(guids: readonly Guid[]): void {
  putList(MessageRow.ENTRIES, guids, GraphLength.GUID, (guid, at) => writeGuid(guid, parts, at))
}

function putTypes({ inclusions, exclusions }: messages.RecordTypes): void {
  checkArgument(
    inclusions.length === 0 || exclusions.length === 0,
    'record types are either included or excluded',
  )
  checkArgument(inclusions.length + exclusions.length <= 255, 'at most 255 record types')
  if (inclusions.length > 0) set(MessageRow.VALUE, 1)
  putGuids(inclusions.length > 0 ? inclusions : exclusions)
}

function putAbstracts(abstracts: readonly messages.RecordAbstract[]): void {
  putList(MessageRow.MORE, abstracts, GraphLength.ABSTRACT, ({ id, version }, at) => {
    writeGuid(id, parts, at)
    writeU32(parts, at + 16, version)
  })
}

function authInfo(message: messages.AuthInfoMessage): Uint8Array {
  begin(Type.AUTH_INFO)
  const isNeighbor = message.connectionType === 'neighbor'
  set(MessageRow.VALUE, isNeighbor ? GraphConnection.NEIGHBOR : GraphConnection.DIRECT)
  putText(0, message.graphId, 1, 'the graph ID')
  putText(1, message.sourcePeerId, 1, 'the source peer ID')
  putText(2, message.destinationPeerId, 1, 'the destination peer ID')
  return finish()
}

function connect(message: messages.ConnectMessage): Uint8Array {
  begin(Type.CONNECT)
  const update = message.update ? GraphConnectFlag.U : 0
  const direct = message.direct ? GraphConnectFlag.D : 0
  set(MessageRow.VALUE, update | direct | (message.neighborList ? GraphConnectFlag.N : 0))
  putU64(MessageRow.NODE_ID, message.nodeId)
  putText(0, message.friendlyName, 0, 'the friendly name')
  putAddresses(message.addresses)
  return finish()
}

function welcome(message: messages.WelcomeMessage): Uint8Array {
  begin(Type.WELCOME)
  putU64(MessageRow.NODE_ID, message.nodeId)
  putU64(MessageRow.TIME, message.peerTime)
  putText(0, message.peerId, 0, 'the peer ID')
  putText(1, message.friendlyName, 0, 'the friendly name')
  putAddresses(message.addresses)
  return finish()
}

function goodbye(type: number, value: number, addresses: readonly Endpoint[]): Uint8Array {
  begin(type)
  set(MessageRow.VALUE, value)
  putAddresses(addresses)
  return finish()
}

function solicitHash(message: messages.SolicitHashMessage): Uint8Array {
  const { ranges, inclusions, exclusions } = message
  const types = inclusions.length + exclusions.length
  begin(Type.SOLICIT_HASH, ranges.length * GraphLength.HASH_INFO + types * GraphLength.GUID)
  putTypes(message)
  putList(MessageRow.MORE, ranges, GraphLength.HASH_INFO, (range, at) => {
    parts.set(range.hash, at)
    writeU64(parts, at + 16, range.modificationTime)
    writeGuid(range.recordId, parts, at + 24)
  })
  return finish()
}

function advertise({ boundaries, abstracts }: messages.AdvertiseMessage): Uint8Array {
  const { BOUNDARY, ABSTRACT } = GraphLength
  begin(Type.ADVERTISE, boundaries.length * BOUNDARY + abstracts.length * ABSTRACT)
  putList(MessageRow.ENTRIES, boundaries, BOUNDARY, (boundary, at) => {
    writeU64(parts, at, boundary.lowerTime)
    writeGuid(boundary.lowerId, parts, at + 8)
    writeU64(parts, at + 24, boundary.upperTime)
    writeGuid(boundary.upperId, parts, at + 32)
    writeU32(parts, at + 48, boundary.count)
  })
  putAbstracts(abstracts)
  return finish()
}

function ack({ acks }: messages.AckMessage): Uint8Array {
  checkArgument(acks.length <= 0xffff, 'an ACK holds at most 65,535 acknowledgements')
  begin(Type.ACK, acks.length * GraphLength.ACK)
  putList(MessageRow.ENTRIES, acks, GraphLength.ACK, ({ id, useful }, at) => {
    writeGuid(id, parts, at)
    writeU32(parts, at + 16, useful ? GraphAckFlag.U : 0)
  })
  return finish()
}

function request({ abstracts }: messages.RequestMessage): Uint8Array {
  begin(Type.REQUEST, abstracts.length * GraphLength.ABSTRACT)
  putAbstracts(abstracts)
  return finish()
}

function solicit(message: messages.SolicitNewMessage | messages.SolicitTimeMessage): Uint8Array {
  begin(message.type === 'SOLICIT_NEW' ? Type.SOLICIT_NEW : Type.SOLICIT_TIME)
  if (message.type === 'SOLICIT_TIME') putU64(MessageRow.TIME, message.modificationTime)
  putTypes(message)
  return finish()
}

function pt2pt({ dataType, data }: messages.Pt2ptMessage): Uint8Array {
  begin(Type.PT2PT)
  set(MessageRow.NODE_ID, 0)
  writeGuid(dataType, parts, 0)
  end = GraphLength.GUID
  return data.length === 0 ? finish() : finish(data)
}

/**
 * The whole message, without frames.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when its fields cannot be those of the message
 */
export function encodeGraphMessage(message: messages.GraphMessage): Uint8Array {
  switch (message.type) {
    case 'AUTH_INFO':
      return authInfo(message)
    case 'CONNECT':
      return connect(message)
    case 'WELCOME':
      return welcome(message)
    case 'REFUSE':
      return goodbye(Type.REFUSE, REFUSE_CODES.indexOf(message.code) + 1, message.addresses)
    case 'DISCONNECT':
      return goodbye(Type.DISCONNECT, REASONS.indexOf(message.reason) + 1, message.addresses)
    case 'SOLICIT_NEW':
    case 'SOLICIT_TIME':
      return solicit(message)
    case 'SOLICIT_HASH':
      return solicitHash(message)
    case 'ADVERTISE':
      return advertise(message)
    case 'REQUEST':
      return request(message)
    case 'FLOOD':
      begin(Type.FLOOD)
      return finish(message.record.bytes)
    case 'SYNC_END':
      begin(Type.SYNC_END)
      set(MessageRow.VALUE, message.final ? GraphSyncFlag.F : 0)
      return finish()
    case 'PT2PT':
      return pt2pt(message)
    case 'ACK':
      return ack(message)
  }
}
