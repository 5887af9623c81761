import { crc32 } from 'node:zlib'
import { guidAt, writeGuid, type Guid } from '../core/guid.js'
import type { StoredClock } from './record-store.js'

/**
 * Keys and values in a graph's LevelDB. Every key starts with the version of the format and a
 * letter; every value with the CRC-32 of its key and of the rest, because LevelDB checks its blocks
 * only when asked to.
 *
 * | key | value |
 * |---|---|
 * | 1 i | identity, JSON |
 * | 1 c | peer time delta and leaving time, two signed 64-bit numbers |
 * | 1 t | tally: number of records (u32), and their CRCs added up without carry (u32) |
 * | 1 r, record ID | flags (bit 0: renewed by this node), PEER_RECORD |
 * | 1 r, record ID | flags with bit 1: in pieces; generation, length and CRC-32 (u32 each) |
 * | 1 p, record ID, generation and number (u32 each) | a piece, without a checksum of its own |
 */
export const FORMAT = 1

const CRC_BYTES = 4
const RECORD_HEAD = CRC_BYTES + 1
const AUTOREFRESH = 1
const IN_PIECES = 2

const letter = (text: string): number => text.charCodeAt(0)

const key = (text: string): Buffer => Buffer.from([FORMAT, letter(text)])

export const IDENTITY_KEY = key('i')
export const CLOCK_KEY = key('c')
export const TALLY_KEY = key('t')
/** Records lie between these. */
export const FIRST_RECORD_KEY = key('r')
export const AFTER_RECORDS_KEY = key('s')
/** What another version of the format would use. */
export const FIRST_FOREIGN_KEY = Buffer.from([FORMAT + 1])

export function recordKey(id: Guid): Buffer {
  const bytes = Buffer.allocUnsafe(18)
  bytes[0] = FORMAT
  bytes[1] = letter('r')
  writeGuid(id, bytes.subarray(2))
  return bytes
}

export function idOfKey(bytes: Uint8Array): Guid {
  return guidAt(bytes, 2)
}

/** A value with its checksum before it. */
export function sealed(forKey: Uint8Array, rest: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CRC_BYTES + rest.length)
  value.set(rest, CRC_BYTES)
  return seal(forKey, value)
}

function seal(forKey: Uint8Array, value: Buffer): Buffer {
  value.writeUInt32BE(crc32(value.subarray(CRC_BYTES), crc32(forKey)))
  return value
}

/** What follows the checksum; undefined when it is wrong. */
export function opened(forKey: Uint8Array, value: Buffer): Buffer | undefined {
  if (value.length < CRC_BYTES) return undefined
  const rest = value.subarray(CRC_BYTES)
  return crc32(rest, crc32(forKey)) === value.readUInt32BE() ? rest : undefined
}

/** The checksum of a sealed value: what the tally adds up. */
export function checksumOf(value: Buffer): number {
  return value.readUInt32BE()
}

/** @param bytes PEER_RECORD, or where its pieces lie */
export function recordValue(
  forKey: Uint8Array,
  bytes: Uint8Array,
  { autorefresh, inPieces }: { readonly autorefresh: boolean; readonly inPieces: boolean },
): Buffer {
  const value = Buffer.allocUnsafe(RECORD_HEAD + bytes.length)
  value[CRC_BYTES] = (autorefresh ? AUTOREFRESH : 0) | (inPieces ? IN_PIECES : 0)
  value.set(bytes, RECORD_HEAD)
  return seal(forKey, value)
}

/** What is in an opened value of a record. */
export function recordBytes(rest: Buffer): {
  readonly bytes: Buffer
  readonly autorefresh: boolean
  readonly inPieces: boolean
} {
  const flags = rest[0] as number
  return {
    bytes: rest.subarray(1),
    autorefresh: (flags & AUTOREFRESH) !== 0,
    inPieces: (flags & IN_PIECES) !== 0,
  }
}

export function clockValue(clock: StoredClock): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64BE(clock.peerTimeDelta)
  bytes.writeBigInt64BE(clock.leftAt, 8)
  return sealed(CLOCK_KEY, bytes)
}

export function readClock(rest: Buffer): StoredClock {
  return { peerTimeDelta: rest.readBigInt64BE(), leftAt: rest.readBigInt64BE(8) }
}

/** How many records there are, and a sum over them: finds batches that went missing. */
export interface Tally {
  count: number
  sum: number
}

export function tallyValue({ count, sum }: Tally): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(count)
  bytes.writeUInt32BE(sum >>> 0, 4)
  return sealed(TALLY_KEY, bytes)
}

export function readTally(rest: Buffer): Tally {
  return { count: rest.readUInt32BE(), sum: rest.readUInt32BE(4) }
}
