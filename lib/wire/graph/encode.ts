import type { Endpoint } from '../../core/endpoint.js'
import { checkArgument } from '../../core/errors.js'
import { writeGuid, type Guid } from '../../core/guid.js'
import type { GraphMessage, RecordAbstract, RecordTypes } from './messages.js'
import type { RecordFields } from './record.js'
import { claim, claimed } from './slab.js'
import { putUtf16, type StringOrder } from './text.js'
import { FLOOD_FRAME_HEAD, WireRecord, writeU16, writeU32 } from './wire-record.js'

const utf8 = new TextEncoder()
const LONE_SURROGATE = /\p{Surrogate}/u

function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  writeU32(bytes, at, Number(value >> 32n))
  writeU32(bytes, at + 4, Number(value & 0xffffffffn))
}

function checkText(text: string, least: number, most: number, what: string): void {
  const good = text.length >= least && text.length <= most && !text.includes('\0')
  checkArgument(
    good && !LONE_SURROGATE.test(text),
    `${what} is not a text of ${least} to ${most} units`,
  )
}

function nulText(text: string | undefined, least: number, what: string): Uint8Array {
  if (text === undefined) return new Uint8Array(0)
  checkText(text, least, 255, what)
  return utf8.encode(`${text}\0`)
}

/** A message with its header and `fixed` bytes; parts follow. */
function begin(type: number, fixed: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, fixed)
  const bytes = new Uint8Array(size)
  writeU32(bytes, 0, size)
  bytes[4] = 0x10
  bytes[5] = type
  let at = fixed
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function endpoints(list: readonly Endpoint[]): Uint8Array {
  checkArgument(list.length <= 255, 'a message holds at most 255 addresses')
  const bytes = new Uint8Array(list.length * 20)
  list.forEach(({ address, port }, i) => {
    writeU16(bytes, i * 20, 0x17)
    writeU16(bytes, i * 20 + 2, port)
    bytes.set(address, i * 20 + 4)
  })
  return bytes
}

function guids(list: readonly Guid[]): Uint8Array {
  const bytes = new Uint8Array(list.length * 16)
  list.forEach((guid, i) => writeGuid(guid, bytes, i * 16))
  return bytes
}

function abstracts(list: readonly RecordAbstract[]): Uint8Array {
  const bytes = new Uint8Array(list.length * 20)
  list.forEach(({ id, version }, i) => {
    writeGuid(id, bytes, i * 20)
    writeU32(bytes, i * 20 + 16, version)
  })
  return bytes
}

function putTypes(bytes: Uint8Array, { inclusions, exclusions }: RecordTypes, at: number): void {
  const good = inclusions.length <= 1 && exclusions.length <= 255
  checkArgument(good && (inclusions.length === 0 || exclusions.length === 0), 'record types')
  bytes[8] = inclusions.length
  bytes[9] = exclusions.length
  writeU16(bytes, 10, at)
}

const typesOf = (types: RecordTypes): Uint8Array =>
  guids([...types.inclusions, ...types.exclusions])

const REFUSE_CODES = ['busy', 'already-connected', 'duplicate', 'direct-disallowed']
const REASONS = ['leaving', 'least-useful', 'application']

/** The whole message, without frames. */
export function encodeGraphMessage(message: GraphMessage): Uint8Array {
  switch (message.type) {
    case 'AUTH_INFO': {
      const graph = nulText(message.graphId, 1, 'the graph ID')
      const source = nulText(message.sourcePeerId, 1, 'the peer ID')
      const target = nulText(message.destinationPeerId, 1, 'the peer ID')
      const bytes = begin(1, 16, graph, source, target)
      bytes[8] = message.connectionType === 'neighbor' ? 1 : 2
      writeU16(bytes, 10, 16)
      writeU16(bytes, 12, 16 + graph.length)
      writeU16(bytes, 14, 16 + graph.length + source.length)
      return bytes
    }
    case 'CONNECT': {
      const list = endpoints(message.addresses)
      const name = nulText(message.friendlyName, 0, 'the friendly name')
      checkArgument(!message.update || list.length > 0, 'an update has addresses')
      const bytes = begin(2, 24, list, name)
      bytes[8] =
        (message.update ? 8 : 0) | (message.direct ? 4 : 0) | (message.neighborList ? 1 : 0)
      bytes[9] = message.addresses.length
      writeU16(bytes, 10, 24)
      writeU16(bytes, 12, 24 + list.length)
      writeU64(bytes, 16, message.nodeId)
      return bytes
    }
    case 'WELCOME': {
      const list = endpoints(message.addresses)
      const peer = nulText(message.peerId, 0, 'the peer ID')
      const name = nulText(message.friendlyName, 0, 'the friendly name')
      const bytes = begin(3, 32, list, peer, name)
      writeU64(bytes, 8, message.nodeId)
      writeU64(bytes, 16, message.peerTime)
      bytes[24] = message.addresses.length
      writeU16(bytes, 26, list.length === 0 ? 0 : 32)
      writeU16(bytes, 28, 32 + list.length)
      writeU16(bytes, 30, 32 + list.length + peer.length)
      return bytes
    }
    case 'REFUSE': {
      const bytes = begin(4, 12, endpoints(message.addresses))
      bytes[8] = REFUSE_CODES.indexOf(message.code) + 1
      bytes[9] = message.addresses.length
      writeU16(bytes, 10, message.addresses.length === 0 ? 0 : 12)
      return bytes
    }
    case 'DISCONNECT': {
      const bytes = begin(5, 12, endpoints(message.addresses))
      bytes[8] = REASONS.indexOf(message.reason) + 1
      bytes[9] = message.addresses.length
      writeU16(bytes, 10, 12)
      return bytes
    }
    case 'SOLICIT_NEW': {
      const bytes = begin(6, 12, typesOf(message))
      putTypes(bytes, message, 12)
      return bytes
    }
    case 'SOLICIT_TIME': {
      const bytes = begin(7, 20, typesOf(message))
      putTypes(bytes, message, 20)
      writeU64(bytes, 12, message.modificationTime)
      return bytes
    }
    case 'SOLICIT_HASH': {
      const types = typesOf(message)
      const ranges = new Uint8Array(message.ranges.length * 40)
      message.ranges.forEach(({ hash, modificationTime, recordId }, i) => {
        ranges.set(hash, i * 40)
        writeU64(ranges, i * 40 + 16, modificationTime)
        writeGuid(recordId, ranges, i * 40 + 24)
      })
      const bytes = begin(8, 20, types, ranges)
      putTypes(bytes, message, 20)
      writeU32(bytes, 12, message.ranges.length)
      writeU16(bytes, 16, 20 + types.length)
      return bytes
    }
    case 'ADVERTISE': {
      const list = new Uint8Array(message.boundaries.length * 52)
      message.boundaries.forEach((boundary, i) => {
        writeU64(list, i * 52, boundary.lowerTime)
        writeGuid(boundary.lowerId, list, i * 52 + 8)
        writeU64(list, i * 52 + 24, boundary.upperTime)
        writeGuid(boundary.upperId, list, i * 52 + 32)
        writeU32(list, i * 52 + 48, boundary.count)
      })
      const bytes = begin(9, 24, list, abstracts(message.abstracts))
      writeU32(bytes, 8, message.boundaries.length)
      writeU32(bytes, 12, message.abstracts.length)
      writeU16(bytes, 16, 24)
      writeU32(bytes, 20, 24 + list.length)
      return bytes
    }
    case 'REQUEST': {
      // GA-20: an empty one has four more bytes.
      const list = message.abstracts.length === 0 ? new Uint8Array(4) : abstracts(message.abstracts)
      const bytes = begin(10, 16, list)
      writeU32(bytes, 8, message.abstracts.length)
      writeU32(bytes, 12, 16)
      return bytes
    }
    case 'FLOOD': {
      const bytes = begin(11, 12, message.record.bytes)
      writeU16(bytes, 8, 12)
      return bytes
    }
    case 'SYNC_END': {
      const bytes = begin(12, 12)
      bytes[8] = message.final ? 1 : 0
      return bytes
    }
    case 'PT2PT': {
      const bytes = begin(13, 28, message.data)
      writeU16(bytes, 8, 28)
      writeGuid(message.dataType, bytes, 12)
      return bytes
    }
    case 'ACK': {
      checkArgument(message.acks.length <= 65_535, 'an ACK holds at most 65535')
      const list = new Uint8Array(message.acks.length * 20)
      message.acks.forEach(({ id, useful }, i) => {
        writeGuid(id, list, i * 20)
        list[i * 20 + 19] = useful ? 1 : 0
      })
      const bytes = begin(14, 12, list)
      writeU16(bytes, 8, message.acks.length)
      writeU16(bytes, 10, 12)
      return bytes
    }
  }
}

/**
 * Builds a record.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when the fields cannot be those of a record
 */
export function encodeRecord(
  fields: RecordFields,
  dialect: { readonly stringOrder: StringOrder },
): WireRecord {
  checkFields(fields)
  const bigEndian = dialect.stringOrder === 'big-endian'
  const units = (text: string): number => (text === '' ? 0 : text.length + 1)
  const layout = {
    version: fields.version,
    deleted: fields.deleted,
    creatorUnits: units(fields.creatorId),
    modifierUnits: units(fields.lastModifiedBy),
    securitySize: fields.securityData.length,
    graphUnits: units(fields.graphId),
    payloadSize: fields.payload.length,
    attributesUnits: units(fields.attributes),
  }
  const { creatorUnits, modifierUnits, graphUnits, attributesUnits } = layout
  const size =
    90 +
    2 * (creatorUnits + modifierUnits + graphUnits + attributesUnits) +
    layout.securitySize +
    layout.payloadSize
  const start = claim(size + FLOOD_FRAME_HEAD) + FLOOD_FRAME_HEAD
  const bytes = claimed().fill(0, start, start + size)
  let at = start
  const text = (value: string): void => {
    writeU32(bytes, at, units(value))
    at = value === '' ? at + 4 : putUtf16(value, bytes, at + 4, bigEndian)
  }
  const block = (value: Uint8Array): void => {
    writeU32(bytes, at, value.length)
    bytes.set(value, at + 4)
    at += 4 + value.length
  }
  writeGuid(fields.type, bytes, at)
  writeGuid(fields.id, bytes, at + 16)
  writeU32(bytes, at + 32, fields.version)
  bytes[at + 39] = fields.deleted ? 2 : 0
  at += 40
  text(fields.creatorId)
  text(fields.lastModifiedBy)
  block(fields.securityData)
  writeU64(bytes, at, fields.creationTime)
  writeU64(bytes, at + 8, fields.expirationTime)
  writeU64(bytes, at + 16, fields.modificationTime)
  at += 24
  text(fields.graphId)
  writeU16(bytes, at, 0x0100)
  at += 2
  block(fields.payload)
  text(fields.attributes)
  return new WireRecord(bytes, start, { ...layout, size }, bigEndian, 'own')
}

function checkFields(fields: RecordFields): void {
  checkText(fields.creatorId, 1, 255, 'the creator ID')
  checkText(fields.lastModifiedBy, 0, 255, 'the last modifier')
  checkText(fields.graphId, 1, 255, 'the graph ID')
  checkText(fields.attributes, 0, 0x7ffffffe, 'the attributes')
  const { version, creationTime, modificationTime, expirationTime } = fields
  checkArgument(
    Number.isInteger(version) && version >= 1 && version <= 0xffffffff,
    'a version is 1 to 4294967295',
  )
  const ordered =
    creationTime >= 0n && modificationTime >= creationTime && expirationTime > modificationTime
  checkArgument(
    ordered && expirationTime < 1n << 64n,
    'a record is created, then modified, then expires',
  )
  checkArgument(!fields.deleted || fields.payload.length === 0, 'a tombstone has no payload')
  checkArgument(
    modificationTime > creationTime || fields.lastModifiedBy === '',
    'an unmodified record has no modifier',
  )
}
