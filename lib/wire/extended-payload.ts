import { checkArgument } from '../core/errors.js'
import {
  decodeExtendedPayload as decodeNative,
  encodeExtendedPayload as encodeNative,
  row,
} from '../native/codec.js'
import { PayloadType, StringType, WireLength } from './constants.js'
import {
  beginFields,
  encoded,
  inputOf,
  malformed,
  putBytes,
  putReversed,
  putSpan,
  reversed,
  view,
  word,
} from './fields.js'
import type { Malformed } from './fields.js'
import { putTicks, ticksAt } from './file-time.js'
import type { ExtendedPayload } from './messages.js'
import { PayloadRow as Row } from './rows.js'

export interface GoodExtendedPayload {
  readonly ok: true
  readonly payload: ExtendedPayload & { readonly signature: Uint8Array }
  /** The signature covers this many bytes from the start. */
  readonly signedLength: number
}

export type DecodedExtendedPayload = GoodExtendedPayload | Malformed

function payloadFromRow(bytes: Uint8Array): ExtendedPayload['payload'] {
  const data = view(bytes, word(Row.DATA), word(Row.DATA_LENGTH))
  if (word(Row.PAYLOAD_TYPE) === PayloadType.BINARY) return { kind: 'binary', data }
  const text = Buffer.from(data.buffer, data.byteOffset, data.length)
  return word(Row.STRING_TYPE) === StringType.UNICODE
    ? { kind: 'text', encoding: 'utf-16', text: text.toString('utf16le') }
    : { kind: 'text', encoding: 'utf-8', text: text.toString('utf8') }
}

/** The object for what a native decode call left in the row. */
export function extendedPayloadFromRow(bytes: Uint8Array): GoodExtendedPayload {
  const payload = {
    notAfter: ticksAt(Row.NOT_AFTER_LOW),
    pnrpId: reversed(bytes, word(Row.PNRP_ID), WireLength.PNRP_ID),
    nonce: view(bytes, word(Row.NONCE), WireLength.NONCE_VALUE),
    payload: payloadFromRow(bytes),
    signature: view(bytes, word(Row.SIGNATURE), WireLength.SIGNATURE_DATA),
  }
  return { ok: true, payload, signedLength: word(Row.SIGNED_LENGTH) }
}

/**
 * Decodes an EXTENDED_PAYLOAD, MS-PNRP 2.2.3.3: syntax only, nothing is verified. Byte fields are
 * views into `bytes`, except the PNRP ID, which stands reversed on the wire.
 */
export function decodeExtendedPayload(bytes: Uint8Array): DecodedExtendedPayload {
  const failure = malformed(decodeNative(inputOf(bytes)), Row.AT)
  return failure ?? extendedPayloadFromRow(bytes)
}

function bytesOfText(payload: ExtendedPayload['payload'] & { kind: 'text' }): Buffer {
  checkArgument(!payload.text.includes('\0'), 'the text of an extended payload holds no NUL')
  if (payload.encoding === 'utf-16') return Buffer.from(payload.text, 'utf16le')
  const isWellFormed = !/\p{Surrogate}/u.test(payload.text)
  checkArgument(isWellFormed, 'text with a lone surrogate has no UTF-8 form')
  return Buffer.from(payload.text, 'utf8')
}

/**
 * Encodes an extended payload. Without `signature` the result is the bytes to sign, with the final
 * Length.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when it breaks a limit (text with its NUL: 6..4098
 *   bytes with String Type, so at least two UTF-16 or three UTF-8 bytes; binary: 1..4096, N-44)
 */
export function encodeExtendedPayload(extendedPayload: ExtendedPayload): Uint8Array {
  const { notAfter, pnrpId, nonce, payload, signature } = extendedPayload
  const isText = payload.kind === 'text'
  const data = isText ? bytesOfText(payload) : payload.data
  const begun = beginFields()
  putTicks(Row.NOT_AFTER_LOW, notAfter)
  row[Row.PNRP_ID] = putReversed(pnrpId, WireLength.PNRP_ID, 'pnrpId')
  row[Row.NONCE] = putBytes(nonce, WireLength.NONCE_VALUE, 'nonce')
  row[Row.PAYLOAD_TYPE] = isText ? PayloadType.STRING : PayloadType.BINARY
  row[Row.STRING_TYPE] =
    isText && payload.encoding === 'utf-8' ? StringType.UTF8 : StringType.UNICODE
  putSpan(Row.DATA, data, 'payload')
  if (signature !== undefined) {
    row[Row.SIGNATURE] = putBytes(signature, WireLength.SIGNATURE_DATA, 'signature')
  }
  return encoded(begun, encodeNative(signature !== undefined ? 1 : 0), 'extended payload')
}
