import type { Guid } from '../../core/guid.js'

/** Numbers and GUIDs of graph messages; all are big-endian (2.2). Callers have checked lengths. */

type Slice = (this: Uint8Array, start: number, end: number) => string

const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  latin1Slice: Slice
  utf8Slice: Slice
}

export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

// Arithmetic on bigints costs an allocation for each step, these two views cost none.
const whole = new BigUint64Array(1)
const halves = new Uint32Array(whole.buffer)
whole[0] = 1n
const HIGH = halves[0] === 1 ? 1 : 0
const LOW = 1 - HIGH

export function readU64(bytes: Uint8Array, at: number): bigint {
  halves[HIGH] = readU32(bytes, at)
  halves[LOW] = readU32(bytes, at + 4)
  return whole[0] as bigint
}

export function readGuid(bytes: Uint8Array, at: number): Guid {
  return latin1Slice.call(bytes, at, at + 16) as Guid
}

const MET = 16

const met = new Array<{ readonly bytes: Uint8Array; readonly guid: Guid } | undefined>(MET)

/** The same for types, of which there are few: who met one lately gives the same string. */
export function internedGuidAt(bytes: Uint8Array, at: number): Guid {
  const slot = ((bytes[at] as number) ^ (bytes[at + 15] as number)) & (MET - 1)
  const known = met[slot]
  if (known !== undefined && isAt(known.bytes, bytes, at)) return known.guid
  const guid = readGuid(bytes, at)
  // Not slice(): that of a Buffer shares its memory, here that of the next chunk.
  met[slot] = { bytes: new Uint8Array(bytes.subarray(at, at + 16)), guid }
  return guid
}

function isAt(wanted: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 16; i++) if (wanted[i] !== bytes[at + i]) return false
  return true
}

export function readUtf8(bytes: Uint8Array, at: number, length: number): string {
  return utf8Slice.call(bytes, at, at + length)
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

/** What is above 64 bits is cut off. */
export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  whole[0] = value
  writeU32(bytes, at, halves[HIGH] as number)
  writeU32(bytes, at + 4, halves[LOW] as number)
}

/** The bytes at an offset, not copied. A plain Uint8Array, whatever the bytes are. */
export function viewOf(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length)
}
