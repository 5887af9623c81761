import type { Endpoint } from '../core/endpoint.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { addressAt, pnrpIdAt } from '../core/met-bytes.js'
import { nativeCode } from '../native/codes.js'
import { output, row, source } from '../native/codec.js'
import { resultCopy } from '../native/result-block.js'
import { WireLength, WireValue } from './constants.js'
import type { RouteEntry } from './messages.js'

/** What every decoder gives for bytes it refuses: a code of lib/native/codes.ts and where. */
export interface Malformed {
  readonly ok: false
  readonly code: string
  /** Offset of the field at fault in the bytes given. */
  readonly offset: number
}

export interface EncodeOptions {
  /**
   * Also write what a receiver tolerates but a sender must not send: ports of 1024 and below
   * (N-05), reason codes without a name (3.2.5.2), an AUTHORITY_BUFFER longer than a fragment in
   * one datagram, a BinaryAuthority of zero. For tools that build a decoded message again.
   */
  readonly asReceived?: boolean
}

const UINT32_LIMIT = 0x1_0000_0000

/** The failure that a native decode call left in the row, or undefined when it returned 0. */
export function malformed(result: number, atWord: number): Malformed | undefined {
  if (result === 0) return undefined
  return { ok: false, code: nativeCode(-result), offset: (row[atWord] as number) >>> 0 }
}

/** Bytes up to this length are copied into the shared array, which is cheaper than a hand-over. */
const COPIED_INPUT = 2048

/** What to give a native decode call for these bytes. Throws ERR_PEERNET_INVALID_ARG. */
export function inputOf(bytes: Uint8Array): number | Uint8Array {
  if (!(bytes instanceof Uint8Array)) refuse('a Uint8Array is wanted')
  turn++
  if (bytes.length > COPIED_INPUT) return bytes
  source.set(bytes)
  return bytes.length
}

/** A word of the row as an unsigned number. */
export function word(index: number): number {
  return (row[index] as number) >>> 0
}

/** A view of part of the bytes; no copy, and never a Buffer. */
export function view(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length)
}

/** A copy in the opposite order, for the fields that stand least significant byte first. */
export function reversed(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = bytes[at + length - 1 - i] as number
  return out
}

/** ROUTE_ENTRY from the four words that start at `first`. */
export function routeEntryAt(bytes: Uint8Array, first: number): RouteEntry {
  // There is at least one, and mostly no other: an array that grows has room for many.
  const at = word(first + 3)
  const addresses = [addressAt(bytes, at)]
  for (let i = 1; i < word(first + 2); i++) {
    addresses.push(addressAt(bytes, at + i * WireLength.IPV6_ADDRESS))
  }
  const pnrpId = pnrpIdAt(bytes, word(first))
  return { pnrpId, port: word(first + 1), addresses }
}

function endpointAt(bytes: Uint8Array, at: number): Endpoint {
  const port = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  return { address: addressAt(bytes, at + 2), port }
}

/** IPV6_ENDPOINTs: port (big-endian), then address. */
export function endpointsAt(bytes: Uint8Array, at: number, count: number): Endpoint[] {
  if (count === 1) return [endpointAt(bytes, at)]
  const endpoints: Endpoint[] = []
  for (let i = 0, next = at; i < count; i++, next += WireLength.IPV6_ENDPOINT) {
    endpoints.push(endpointAt(bytes, next))
  }
  return endpoints
}

/**
 * N-05: false for a route entry or endpoint whose port is 1024 or below. It is well-formed on
 * receipt, and must not be used or sent.
 */
export function isUsablePort(port: number): boolean {
  return port >= WireValue.MINIMUM_PORT
}

// ---- the fields of a message on their way into the encoder: bytes go to `source`, one after the
// other, and numbers to the row

// Messages are put together only on failure: these checks run for every field of every message.

let end = 0
// Counts the uses of the shared arrays: a getter of a message may well encode something else, and
// what was put before it is then gone.
let turn = 0

/** Throws ERR_PEERNET_INVALID_ARG. */
function refuse(message: string): never {
  throw new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

/** What it returns is for `encoded`. */
export function beginFields(): number {
  end = 0
  return ++turn
}

/** Copies bytes of exactly this length; returns their offset for the row. */
export function putBytes(bytes: Uint8Array, length: number, name: string): number {
  const isThat = bytes instanceof Uint8Array && bytes.length === length
  if (!isThat) refuse(`${name} has to be a Uint8Array of ${length} bytes`)
  return copyIn(bytes, name)
}

/** Copies bytes of any length that fits. */
export function putAny(bytes: Uint8Array, name: string): number {
  if (!(bytes instanceof Uint8Array)) refuse(`${name} has to be a Uint8Array`)
  return copyIn(bytes, name)
}

function copyIn(bytes: Uint8Array, name: string): number {
  const at = end
  if (bytes.length > source.length - at) refuse(`${name} is too long`)
  source.set(bytes, at)
  end = at + bytes.length
  return at
}

/** The same, into the two words for offset and length that start at `first`. */
export function putSpan(first: number, bytes: Uint8Array, name: string): void {
  const at = putAny(bytes, name)
  row[first] = at
  row[first + 1] = end - at
}

/** The same in opposite order. */
export function putReversed(bytes: Uint8Array, length: number, name: string): number {
  const isThat = bytes instanceof Uint8Array && bytes.length === length
  if (!isThat) refuse(`${name} has to be a Uint8Array of ${length} bytes`)
  if (length > source.length - end) refuse(`${name} is too long`)
  const at = end
  end += length
  for (let i = 0; i < length; i++) source[at + i] = bytes[length - 1 - i] as number
  return at
}

export function putUint16(value: number, littleEndian = false): void {
  checkArgument(end + 2 <= source.length, 'too many fields')
  source[end + (littleEndian ? 0 : 1)] = value & 0xff
  source[end + (littleEndian ? 1 : 0)] = value >> 8
  end += 2
}

/** Where the next field will stand. */
export function nextField(): number {
  return end
}

export function checkUint(value: number, limit: number, name: string): number {
  const isOne = Number.isInteger(value) && value >= 0 && value < limit
  if (!isOne) refuse(`${name} has to be an integer from 0 to ${limit - 1}`)
  return value
}

export function checkUint16(value: number, name: string): number {
  return checkUint(value, 0x10000, name)
}

export function checkUint32(value: number, name: string): number {
  return checkUint(value, UINT32_LIMIT, name)
}

/** N-05: only ports from 1025 up are emitted. */
function checkPort(port: number, options: EncodeOptions | undefined, name: string): number {
  const lowest = options?.asReceived === true ? 0 : WireValue.MINIMUM_PORT
  const isOne = Number.isInteger(port) && port >= lowest && port <= 0xffff
  if (!isOne) refuse(`a port of ${name} has to be an integer from ${lowest} to 65535`)
  return port
}

/** Copies an IPv6 address. */
export function putAddress(address: Uint8Array, name: string): void {
  const length = WireLength.IPV6_ADDRESS
  const isThat = address instanceof Uint8Array && address.length === length
  if (!isThat) refuse(`an address of ${name} has to be a Uint8Array of ${length} bytes`)
  copyIn(address, name)
}

/** Sets the four words of a ROUTE_ENTRY that start at `first`. */
export function putRouteEntry(first: number, entry: RouteEntry, options?: EncodeOptions): void {
  row[first] = putBytes(entry.pnrpId, WireLength.PNRP_ID, 'routeEntry.pnrpId')
  row[first + 1] = checkPort(entry.port, options, 'routeEntry')
  row[first + 3] = end
  let count = 0
  for (const address of entry.addresses) {
    putAddress(address, 'routeEntry')
    count++
  }
  row[first + 2] = count
}

/** Copies IPV6_ENDPOINTs; sets the two words for offset and count that start at `first`. */
export function putEndpoints(
  first: number,
  endpoints: readonly Endpoint[],
  name: string,
  options?: EncodeOptions,
): void {
  const at = end
  for (const endpoint of endpoints) {
    putUint16(checkPort(endpoint.port, options, name))
    putAddress(endpoint.address, name)
  }
  row[first] = at
  row[first + 1] = (end - at) / WireLength.IPV6_ENDPOINT
}

/** A copy of what the encoder wrote; throws ERR_PEERNET_INVALID_ARG when it refused. */
export function encoded(begun: number, result: number, what: string): Uint8Array {
  if (turn !== begun) refuse(`a getter of this ${what} used the codec itself`)
  if (result > 0) return resultCopy(output, result)
  throw new PeernetError(
    'ERR_PEERNET_INVALID_ARG',
    `this ${what} breaks a limit of its format (${nativeCode(-result)})`,
  )
}
