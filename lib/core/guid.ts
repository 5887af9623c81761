import { bytesKey } from './bytes.js'
import type { Rng } from './rng.js'

/**
 * A GUID as the code handles it: a string of 16 Latin-1 characters, one for each byte in the order
 * of the wire (big-endian fields, GA-51). So it is a map key as it is, and `<` is the order of the
 * bytes. Never show one: `guidText` makes the form that people read.
 */
export type Guid = string & { readonly guid: unique symbol }

const TEXT = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i

/** The 16 bytes at an offset; the caller has checked that they are there. */
export function guidAt(bytes: Uint8Array, at = 0): Guid {
  return bytesKey(bytes.subarray(at, at + 16)) as Guid
}

/** Writes the 16 bytes at an offset. */
export function writeGuid(guid: Guid, bytes: Uint8Array, at = 0): void {
  for (let i = 0; i < 16; i++) bytes[at + i] = guid.charCodeAt(i)
}

/** One of the four words of 32 bits, big-endian and signed. */
export function guidWord(guid: Guid, index: number): number {
  const at = 4 * index
  return (
    (guid.charCodeAt(at) << 24) |
    (guid.charCodeAt(at + 1) << 16) |
    (guid.charCodeAt(at + 2) << 8) |
    guid.charCodeAt(at + 3)
  )
}

export function guidBytes(guid: Guid): Uint8Array {
  const bytes = new Uint8Array(16)
  writeGuid(guid, bytes)
  return bytes
}

/** Lower case, 8-4-4-4-12, no braces. */
export function guidText(guid: Guid): string {
  const hex = Buffer.from(guid, 'latin1').toString('hex')
  const at = [0, 8, 12, 16, 20, 32]
  return at
    .slice(1)
    .map((end, i) => hex.slice(at[i], end))
    .join('-')
}

/** Reads 8-4-4-4-12 hex digits, in braces or not; undefined for anything else. */
export function parseGuid(text: string): Guid | undefined {
  const parts = TEXT.exec(text)
  if (parts === null) return undefined
  return Buffer.from(parts.slice(1).join(''), 'hex').toString('latin1') as Guid
}

/** For constants. */
export function guid(text: string): Guid {
  const value = parseGuid(text)
  if (value === undefined) throw new TypeError(`not a GUID: ${text}`)
  return value
}

/** 128 random bits: record IDs and types need no version or variant bits (MS-PPGRH 3.1.7.2). */
export function randomGuid(rng: Rng): Guid {
  return guidAt(rng.bytes(16))
}
