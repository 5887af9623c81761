import { checkArgument } from '../core/errors.js'
import type { Mutable } from '../core/mutable.js'
import { decodeAuthority, encodeAuthority, row } from '../native/codec.js'
import { AuthorityFlag, WireLength } from './constants.js'
import {
  beginFields,
  encoded,
  inputOf,
  malformed,
  nextField,
  putRouteEntry,
  putSpan,
  putUint16,
  routeEntryAt,
  view,
  word,
} from './fields.js'
import type { EncodeOptions, Malformed } from './fields.js'
import type { AuthorityBuffer } from './messages.js'
import { BufferRow as Row, Present } from './rows.js'

export type DecodedAuthorityBuffer =
  { readonly ok: true; readonly buffer: AuthorityBuffer } | Malformed

/** Big-endian UTF-16 units (N-03), surrogates as they come. */
function unitsAt(bytes: Uint8Array, at: number, count: number): string {
  const units: number[] = []
  for (let i = 0, next = at; i < count; i++, next += WireLength.WCHAR) {
    units.push(((bytes[next] as number) << 8) | (bytes[next + 1] as number))
  }
  return String.fromCharCode(...units)
}

/** The buffer object for what a native decode call left in the row. */
export function authorityBufferFromRow(bytes: Uint8Array): AuthorityBuffer {
  const present = word(Row.PRESENT)
  const flags = word(Row.FLAGS)
  const opaque = (at: number, length: number) => view(bytes, word(at), word(length))
  const buffer: Mutable<AuthorityBuffer> = {
    leafSet: (flags & AuthorityFlag.L) !== 0,
    busy: (flags & AuthorityFlag.B) !== 0,
    notFound: (flags & AuthorityFlag.N) !== 0,
  }
  if (present & Present.CHAIN) buffer.certificateChain = opaque(Row.CHAIN, Row.CHAIN_LENGTH)
  if (present & Present.CLASSIFIER) {
    buffer.classifier = unitsAt(bytes, word(Row.CLASSIFIER), word(Row.CLASSIFIER_UNITS))
  }
  if (present & Present.EXTENDED_PAYLOAD) {
    buffer.extendedPayload = opaque(Row.EXTENDED_PAYLOAD, Row.EXTENDED_PAYLOAD_LENGTH)
  }
  if (present & Present.ROUTE) buffer.routeEntry = routeEntryAt(bytes, Row.ROUTE_ID)
  if (present & Present.CPA) buffer.cpa = opaque(Row.CPA, Row.CPA_LENGTH)
  return buffer
}

/**
 * Decodes a complete AUTHORITY_BUFFER, MS-PNRP 2.2.2.6.1. Chain, extended payload and CPA are
 * given as bytes: their own decoders judge them. These are views into `bytes`; the route entry's ID
 * and addresses are shared arrays.
 */
export function decodeAuthorityBuffer(bytes: Uint8Array): DecodedAuthorityBuffer {
  const failure = malformed(decodeAuthority(inputOf(bytes)), Row.AT)
  return failure ?? { ok: true, buffer: authorityBufferFromRow(bytes) }
}

/** Sets the words of the row that describe a buffer. */
export function setAuthorityBuffer(buffer: AuthorityBuffer, options?: EncodeOptions): void {
  let present = 0
  row[Row.FLAGS] =
    (buffer.leafSet ? AuthorityFlag.L : 0) |
    (buffer.busy ? AuthorityFlag.B : 0) |
    (buffer.notFound ? AuthorityFlag.N : 0)
  if (buffer.certificateChain !== undefined) {
    present |= Present.CHAIN
    putSpan(Row.CHAIN, buffer.certificateChain, 'certificateChain')
  }
  if (buffer.classifier !== undefined) {
    present |= Present.CLASSIFIER
    checkArgument(!buffer.classifier.includes('\0'), 'a classifier holds no NUL')
    row[Row.CLASSIFIER] = nextField()
    row[Row.CLASSIFIER_UNITS] = buffer.classifier.length
    for (let i = 0; i < buffer.classifier.length; i++) putUint16(buffer.classifier.charCodeAt(i))
  }
  if (buffer.extendedPayload !== undefined) {
    present |= Present.EXTENDED_PAYLOAD
    putSpan(Row.EXTENDED_PAYLOAD, buffer.extendedPayload, 'extendedPayload')
  }
  if (buffer.routeEntry !== undefined) {
    present |= Present.ROUTE
    putRouteEntry(Row.ROUTE_ID, buffer.routeEntry, options)
  }
  if (buffer.cpa !== undefined) {
    present |= Present.CPA
    putSpan(Row.CPA, buffer.cpa, 'cpa')
  }
  row[Row.PRESENT] = present
}

/**
 * Encodes a complete AUTHORITY_BUFFER; `splitAuthority` makes datagrams of it.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when it breaks a limit
 */
export function encodeAuthorityBuffer(
  buffer: AuthorityBuffer,
  options?: EncodeOptions,
): Uint8Array {
  const begun = beginFields()
  setAuthorityBuffer(buffer, options)
  return encoded(begun, encodeAuthority(), 'AUTHORITY_BUFFER')
}
