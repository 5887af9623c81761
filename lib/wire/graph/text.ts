import { checkArgument } from '../../core/errors.js'

/** UTF-16 of records in either byte order (GA-01), and strings that are met over and over. */

export type StringOrder = 'big-endian' | 'little-endian'

const NOT_TEXT = /\0|\p{Surrogate}/u

/**
 * Throws unless the text has so many UTF-16 units, and neither NULs nor lone surrogates (GA-42).
 * @throws PeernetError ERR_PEERNET_INVALID_ARG
 */
export function checkText(text: string, least: number, most: number, what: string): void {
  const good = text.length >= least && text.length <= most && !NOT_TEXT.test(text)
  checkArgument(good, `${what} is not a text of ${least} to ${most} characters`)
}

/** @throws PeernetError ERR_PEERNET_INVALID_ARG */
export function checkEndpoint(address: Uint8Array, port: number): void {
  const isPort = Number.isInteger(port) && port >= 0 && port <= 0xffff
  checkArgument(address.length === 16 && isPort, 'an endpoint has 16 bytes of address and a port')
}

/** Longest text that is put together unit by unit; longer ones go through Buffer. */
const SHORT = 64

const INTERNED = 256

interface Met {
  readonly bytes: Uint8Array
  readonly bigEndian: boolean
  readonly text: string
}

const met = new Array<Met | undefined>(INTERNED)

/** Text of `units` UTF-16 units at an offset. */
export function utf16At(bytes: Uint8Array, at: number, units: number, bigEndian: boolean): string {
  if (units > SHORT) return longUtf16(bytes, at, units, bigEndian)
  const high = bigEndian ? 0 : 1
  const low = 1 - high
  let text = ''
  for (let i = 0, from = at; i < units; i++, from += 2) {
    text += String.fromCharCode(
      ((bytes[from + high] as number) << 8) | (bytes[from + low] as number),
    )
  }
  return text
}

function longUtf16(bytes: Uint8Array, at: number, units: number, bigEndian: boolean): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + at, units * 2)
  return (bigEndian ? Buffer.from(raw).swap16() : raw).toString('utf16le')
}

/** The same for names that come again and again: who met one lately gives the same string. */
export function internedUtf16At(
  bytes: Uint8Array,
  at: number,
  units: number,
  bigEndian: boolean,
): string {
  const length = units * 2
  const last = at + length
  // Names of one graph often differ in a digit or two.
  let hash = units
  for (let i = at; i < last; i++) hash = Math.imul(hash, 31) + (bytes[i] as number)
  const slot = (hash ^ (hash >>> 8)) & (INTERNED - 1)
  const known = met[slot]
  if (known !== undefined && known.bigEndian === bigEndian && isAt(known.bytes, bytes, at, length))
    return known.text
  const text = utf16At(bytes, at, units, bigEndian)
  met[slot] = { bytes: new Uint8Array(bytes.subarray(at, last)), bigEndian, text }
  return text
}

function isAt(wanted: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (wanted.length !== length) return false
  for (let i = length - 1; i >= 0; i--) if (wanted[i] !== bytes[at + i]) return false
  return true
}

/** Turns each unit around, in place. */
export function turnUtf16(bytes: Uint8Array, at: number, units: number): void {
  for (let end = at + 2 * units; at < end; at += 2) {
    const first = bytes[at] as number
    bytes[at] = bytes[at + 1] as number
    bytes[at + 1] = first
  }
}

/** Writes the text and its NUL; the offset behind it. */
export function putUtf16(text: string, bytes: Uint8Array, at: number, bigEndian: boolean): number {
  const high = bigEndian ? 0 : 1
  const low = 1 - high
  for (let i = 0; i < text.length; i++, at += 2) {
    const unit = text.charCodeAt(i)
    bytes[at + high] = unit >> 8
    bytes[at + low] = unit
  }
  bytes[at] = 0
  bytes[at + 1] = 0
  return at + 2
}
