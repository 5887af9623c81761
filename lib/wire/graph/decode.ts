import { addressAt, type Endpoint } from '../../core/endpoint.js'
import { guidAt, type Guid } from '../../core/guid.js'
import type { GraphMessage, RecordTypes } from './messages.js'
import { WireRecord, readU32, type RecordLayout } from './wire-record.js'
import type { StringOrder } from './text.js'

export interface DecodeOptions {
  readonly stringOrder: StringOrder
  readonly graphId?: string
}

/** A malformed message or record. */
export class Malformed extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

export function fail(code: string): never {
  throw new Malformed(`ERR_PEERNET_${code}`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const readU16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
const readU64 = (bytes: Uint8Array, at: number): bigint =>
  (BigInt(readU32(bytes, at)) << 32n) | BigInt(readU32(bytes, at + 4))

/** A UTF-8 string with exactly one NUL, at its end (GA-42). */
function textOf(bytes: Uint8Array, from: number, to: number, least: number): string {
  if (to <= from || bytes[to - 1] !== 0) fail('BAD_TEXT')
  let text
  try {
    text = utf8.decode(bytes.subarray(from, to - 1))
  } catch {
    fail('BAD_TEXT')
  }
  if (text.includes('\0') || text.length < least || text.length > 255) fail('BAD_TEXT')
  return text
}

function addressesOf(bytes: Uint8Array, at: number, count: number, fixed: number): Endpoint[] {
  if (count > 0 && at < fixed) fail('BAD_LENGTH')
  const list: Endpoint[] = []
  for (let i = 0; i < count; i++, at += 20) {
    if (readU16(bytes, at) !== 0x17) fail('BAD_VALUE')
    list.push({ address: addressAt(bytes, at + 4), port: readU16(bytes, at + 2) })
  }
  return list
}

function typesOf(bytes: Uint8Array, at: number, fixed: number, limit: number): RecordTypes {
  const included = bytes[8] as number
  const excluded = bytes[9] as number
  if (included > 1 || (included > 0 && excluded > 0)) fail('BAD_COUNT')
  const count = included + excluded
  if (count * 16 + at > limit || (count > 0 && at < fixed)) fail('BAD_LENGTH')
  const guids: Guid[] = []
  for (let i = 0; i < count; i++) guids.push(guidAt(bytes, at + i * 16))
  return included > 0
    ? { inclusions: guids, exclusions: [] }
    : { inclusions: [], exclusions: guids }
}

function least(bytes: Uint8Array, size: number): void {
  if (bytes.length < size) fail('TRUNCATED')
}

function inside(condition: boolean): void {
  if (!condition) fail('BAD_LENGTH')
}

/** Largest message of a type: only what can be long may be. */
export function messageLimit(type: number, maxMessage: number): number {
  switch (type) {
    case 0x0b:
    case 0x0d:
      return maxMessage
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0e:
      return Math.min(maxMessage, 16 * 1024 * 1024)
    default:
      return Math.min(maxMessage, 65_535)
  }
}

/** Judges the 8 bytes that start every message; its size. */
export function headerOf(bytes: Uint8Array, at: number, maxMessage: number): number {
  const size = readU32(bytes, at)
  if (size < 8) fail('BAD_LENGTH')
  if (bytes[at + 4] !== 0x10) fail('BAD_VERSION')
  const type = bytes[at + 5] as number
  if (type < 1 || type > 14) fail('UNKNOWN_MESSAGE_TYPE')
  if (size > messageLimit(type, maxMessage)) fail('MESSAGE_TOO_LONG')
  return size
}

type Reader = (bytes: Uint8Array, options: DecodeOptions, borrowed: boolean) => GraphMessage

const readers: Record<number, Reader> = {
  1: (b) => {
    least(b, 16)
    const kind = b[8]
    if (kind !== 1 && kind !== 2) fail('BAD_VALUE')
    const [graph, source, target] = [readU16(b, 10), readU16(b, 12), readU16(b, 14)]
    inside(graph >= 16 && graph < source && source < target && target <= b.length)
    const message = {
      type: 'AUTH_INFO' as const,
      connectionType: kind === 1 ? ('neighbor' as const) : ('direct' as const),
      graphId: textOf(b, graph, source, 1),
      sourcePeerId: textOf(b, source, target, 1),
    }
    if (target === b.length) return message
    return { ...message, destinationPeerId: textOf(b, target, b.length, 1) }
  },
  2: (b) => {
    least(b, 24)
    const [flags, count] = [b[8] as number, b[9] as number]
    const [at, name] = [readU16(b, 10), readU16(b, 12)]
    inside(count * 20 + at <= name && name <= b.length && name >= 24)
    if ((flags & 8) !== 0 && count === 0) fail('BAD_COUNT')
    const message = {
      type: 'CONNECT' as const,
      update: (flags & 8) !== 0,
      direct: (flags & 4) !== 0,
      neighborList: (flags & 1) !== 0,
      nodeId: readU64(b, 16),
      addresses: addressesOf(b, at, count, 24),
    }
    return name === b.length ? message : { ...message, friendlyName: textOf(b, name, b.length, 0) }
  },
  3: (b) => {
    least(b, 32)
    const count = b[24] as number
    const [at, peer, name] = [readU16(b, 26), readU16(b, 28), readU16(b, 30)]
    inside(count * 20 + at <= peer && peer >= 32 && name > peer && name <= b.length)
    const message = {
      type: 'WELCOME' as const,
      nodeId: readU64(b, 8),
      peerTime: readU64(b, 16),
      addresses: addressesOf(b, at, count, 32),
      peerId: textOf(b, peer, name, 0),
    }
    return name === b.length ? message : { ...message, friendlyName: textOf(b, name, b.length, 0) }
  },
  4: (b) => {
    least(b, 12)
    const code = [undefined, 'busy', 'already-connected', 'duplicate', 'direct-disallowed'] as const
    const [count, at] = [b[9] as number, readU16(b, 10)]
    inside(count * 20 + at <= b.length)
    return {
      type: 'REFUSE',
      code: code[b[8] as number] ?? fail('BAD_VALUE'),
      addresses: addressesOf(b, at, count, 12),
    }
  },
  5: (b) => {
    least(b, 12)
    const reason = [undefined, 'leaving', 'least-useful', 'application'] as const
    const [count, at] = [b[9] as number, readU16(b, 10)]
    inside(count * 20 + at <= b.length)
    return {
      type: 'DISCONNECT',
      reason: reason[b[8] as number] ?? fail('BAD_VALUE'),
      addresses: addressesOf(b, at, count, 12),
    }
  },
  6: (b) => {
    least(b, 12)
    return { type: 'SOLICIT_NEW', ...typesOf(b, readU16(b, 10), 12, b.length) }
  },
  7: (b) => {
    least(b, 20)
    const types = typesOf(b, readU16(b, 10), 20, b.length)
    return { type: 'SOLICIT_TIME', modificationTime: readU64(b, 12), ...types }
  },
  8: (b) => {
    least(b, 20)
    const [count, at] = [readU32(b, 12), readU16(b, 16)]
    inside(count * 40 + at <= b.length && (count === 0 || at >= 20))
    const types = typesOf(b, readU16(b, 10), 20, at)
    const ranges = Array.from({ length: count }, (_, i) => ({
      hash: b.slice(at + i * 40, at + i * 40 + 16),
      modificationTime: readU64(b, at + i * 40 + 16),
      recordId: guidAt(b, at + i * 40 + 24),
    }))
    return { type: 'SOLICIT_HASH', ...types, ranges }
  },
  9: (b) => {
    least(b, 24)
    const [count, abstracts] = [readU32(b, 8), readU32(b, 12)]
    const [at, from] = [readU16(b, 16), readU32(b, 20)]
    inside(count * 52 + at <= from && abstracts * 20 + from <= b.length)
    inside((count === 0 || at >= 24) && (abstracts === 0 || from >= 24))
    const boundaries = Array.from({ length: count }, (_, i) => ({
      lowerTime: readU64(b, at + i * 52),
      lowerId: guidAt(b, at + i * 52 + 8),
      upperTime: readU64(b, at + i * 52 + 24),
      upperId: guidAt(b, at + i * 52 + 32),
      count: readU32(b, at + i * 52 + 48),
    }))
    return { type: 'ADVERTISE', boundaries, abstracts: abstractsOf(b, from, abstracts) }
  },
  10: (b) => {
    least(b, 16)
    const [count, at] = [readU32(b, 8), readU32(b, 12)]
    inside(count * 20 + at <= b.length && (count === 0 || at >= 16))
    return { type: 'REQUEST', abstracts: abstractsOf(b, at, count) }
  },
  11: (b, options, borrowed) => {
    least(b, 16)
    const at = readU16(b, 8)
    inside(at >= 12 && at <= b.length)
    if (readU16(b, 10) !== 0) fail('BAD_VALUE')
    return { type: 'FLOOD', record: recordOf(b, at, b.length - at, options, borrowed) }
  },
  12: (b) => {
    least(b, 12)
    return { type: 'SYNC_END', final: ((b[8] as number) & 1) !== 0 }
  },
  13: (b) => {
    least(b, 28)
    const at = readU16(b, 8)
    inside(at >= 28 && at <= b.length)
    return { type: 'PT2PT', dataType: guidAt(b, 12), data: b.subarray(at) }
  },
  14: (b) => {
    least(b, 12)
    const [count, at] = [readU16(b, 8), readU16(b, 10)]
    inside(count * 20 + at <= b.length && (count === 0 || at >= 12))
    const acks = Array.from({ length: count }, (_, i) => ({
      id: guidAt(b, at + i * 20),
      useful: ((b[at + i * 20 + 19] as number) & 1) !== 0,
    }))
    return { type: 'ACK', acks }
  },
}

function abstractsOf(b: Uint8Array, at: number, count: number): { id: Guid; version: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    id: guidAt(b, at + i * 20),
    version: readU32(b, at + i * 20 + 16),
  }))
}

/** A record in a FLOOD that is invalid: the message is dropped, the connection stays (3.1.7.27). */
export class InvalidRecord extends Malformed {}

export function decodeMessage(
  bytes: Uint8Array,
  options: DecodeOptions,
  borrowed: boolean,
): GraphMessage {
  return (readers[bytes[5] as number] as Reader)(bytes, options, borrowed)
}

export function recordOf(
  bytes: Uint8Array,
  at: number,
  size: number,
  options: DecodeOptions,
  borrowed: boolean,
): WireRecord {
  try {
    return readRecord(bytes, at, size, options, borrowed)
  } catch (error) {
    if (error instanceof Malformed) throw new InvalidRecord(error.code)
    throw error
  }
}

interface Span {
  readonly at: number
  readonly units: number
}

function readRecord(
  bytes: Uint8Array,
  start: number,
  size: number,
  options: DecodeOptions,
  borrowed: boolean,
): WireRecord {
  const end = start + size
  let at = start
  const take = (length: number): number => {
    if (length > end - at) fail('TRUNCATED')
    at += length
    return at - length
  }
  const string = (minimum: number, most: number): Span => {
    const units = readU32(bytes, take(4))
    if (units > most || (units !== 0 && units < 2) || units < minimum) fail('BAD_LENGTH')
    const from = take(units * 2)
    for (let i = 0; i < units; i++) {
      if ((readU16(bytes, from + i * 2) === 0) !== (i === units - 1)) fail('BAD_TEXT')
    }
    return { at: from, units }
  }
  take(32)
  const version = readU32(bytes, take(4))
  const deleted = ((bytes[take(4) + 3] as number) & 2) !== 0
  const creator = string(2, 256)
  const modifier = string(0, 256)
  const securitySize = readU32(bytes, take(4))
  take(securitySize)
  const times = take(24)
  const graph = string(2, 256)
  if (readU16(bytes, take(2)) !== 0x0100) fail('BAD_VERSION')
  const payloadSize = readU32(bytes, take(4))
  take(payloadSize)
  const attributes = string(0, 0x7fffffff)
  if (at !== end) fail('TRAILING_BYTES')
  if (version === 0) fail('BAD_VALUE')
  if (deleted && payloadSize > 0) fail('BAD_PAYLOAD')
  const [created, expires, modified] = [0, 8, 16].map((o) => readU64(bytes, times + o)) as [
    bigint,
    bigint,
    bigint,
  ]
  if (modified < created || expires <= modified) fail('BAD_VALUE')
  if (modified === created && modifier.units > 0) fail('BAD_VALUE')
  const texts = [creator, modifier, graph, attributes]
  const swapped = isSwapped(bytes, graph, options)
  const wanted = options.stringOrder === 'big-endian'
  for (const text of texts) checkSurrogates(bytes, text, wanted !== swapped)
  const layout: RecordLayout = {
    size,
    version,
    deleted,
    creatorUnits: creator.units,
    modifierUnits: modifier.units,
    securitySize,
    graphUnits: graph.units,
    payloadSize,
    attributesUnits: attributes.units,
  }
  if (!swapped) {
    return new WireRecord(bytes, start, layout, wanted, borrowed ? 'borrowed' : 'own')
  }
  const copy = bytes.slice(start, end)
  for (const text of texts) {
    for (let i = 0; i < text.units; i++) {
      const from = text.at - start + i * 2
      ;[copy[from], copy[from + 1]] = [copy[from + 1] as number, copy[from] as number]
    }
  }
  return new WireRecord(copy, 0, layout, wanted, 'own')
}

/** GA-01: the other byte order, told by the Graph ID. */
function isSwapped(bytes: Uint8Array, graph: Span, options: DecodeOptions): boolean {
  const { graphId } = options
  if (graphId === undefined) return false
  const big = options.stringOrder === 'big-endian'
  if (textIs(bytes, graph, graphId, big)) return false
  if (textIs(bytes, graph, graphId, !big)) return true
  fail('WRONG_GRAPH')
}

function unitAt(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  const unit = readU16(bytes, at)
  return bigEndian ? unit : ((unit & 0xff) << 8) | (unit >> 8)
}

function textIs(bytes: Uint8Array, span: Span, text: string, bigEndian: boolean): boolean {
  if (span.units !== text.length + 1) return false
  for (let i = 0; i < text.length; i++) {
    if (unitAt(bytes, span.at + i * 2, bigEndian) !== text.charCodeAt(i)) return false
  }
  return true
}

function checkSurrogates(bytes: Uint8Array, span: Span, bigEndian: boolean): void {
  let open = false
  for (let i = 0; i < span.units; i++) {
    const kind = unitAt(bytes, span.at + i * 2, bigEndian) & 0xfc00
    if (open !== (kind === 0xdc00)) fail('BAD_TEXT')
    open = kind === 0xd800
  }
}
