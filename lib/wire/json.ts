import { fromHex, toHex } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import { decodeMessage } from '../native/codec.js'
import { authorityBufferFromRow } from './authority-buffer.js'
import { cpaFromRow } from './cpa.js'
import { messageFromRow } from './decode-message.js'
import { extendedPayloadFromRow } from './extended-payload.js'
import { inputOf, malformed, word } from './fields.js'
import type { Malformed } from './fields.js'
import { encodeJson } from './json-in.js'
import { messageToJson } from './json-out.js'
import type { AuthorityFields, JsonObject, MessageParts } from './json-out.js'
import { Look, MessageRow, Present } from './rows.js'

/** The parts that the native decoder described in the row, as objects. */
function partsFromRow(bytes: Uint8Array): MessageParts {
  const present = word(MessageRow.PRESENT)
  const cpa = present & Present.CPA_FIELDS ? cpaFromRow(bytes) : undefined
  if ((present & Present.BUFFER) === 0) return cpa === undefined ? {} : { revokeCpa: cpa }
  const payload = present & Present.PAYLOAD_FIELDS ? extendedPayloadFromRow(bytes) : undefined
  const authority: AuthorityFields = {
    buffer: authorityBufferFromRow(bytes),
    ...(cpa === undefined ? {} : { cpa }),
    ...(payload === undefined ? {} : { extendedPayload: payload.payload }),
  }
  return { authority }
}

/** Decodes a datagram to the end, everything nested included, into plain JSON values. */
export function decodeJson(bytes: Uint8Array): { ok: true; fields: JsonObject } | Malformed {
  const failure = malformed(decodeMessage(inputOf(bytes), Look.ALL), MessageRow.AT)
  if (failure !== undefined) return failure
  const parts = partsFromRow(bytes)
  return { ok: true, fields: messageToJson(messageFromRow(bytes), parts) }
}

function failureLine(code: string, offset: number, message?: string): string {
  return JSON.stringify({ ok: false, code, offset, ...(message === undefined ? {} : { message }) })
}

/** Offset of the byte whose hex digits are wrong or incomplete. */
function badHexAt(text: string): number {
  const good = /^(?:[0-9a-fA-F]{2})*/.exec(text)
  return (good?.[0].length ?? 0) / 2
}

/**
 * One line of `peernet pnrp decode`: a datagram in hex becomes one JSON object, as described in
 * spec/decode.schema.json. Its `reencoded` is built from the printed fields alone. Never throws.
 */
export function decodeLine(line: string): string {
  const text = line.trim()
  const bytes = fromHex(text)
  if (bytes === undefined)
    return failureLine('ERR_PEERNET_MALFORMED', badHexAt(text), 'no hex text')
  const decoded = decodeJson(bytes)
  if (!decoded.ok) return JSON.stringify(decoded)
  const reencoded = toHex(encodeJson(decoded.fields))
  return JSON.stringify({ ok: true, ...decoded.fields, reencoded })
}

/**
 * One line of `peernet pnrp encode`: what `decodeLine` prints → `{"ok":true,"hex":…}`, or
 * `{"ok":false,"code":…,"offset":0,"message":…}`. `ok` and `reencoded` are ignored; never throws.
 */
export function encodeLine(line: string): string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return failureLine('ERR_PEERNET_MALFORMED', 0, (error as Error).message)
  }
  try {
    return JSON.stringify({ ok: true, hex: toHex(encodeJson(value)) })
  } catch (error) {
    if (error instanceof PeernetError) return failureLine(error.code, 0, error.message)
    throw error
  }
}
