import { formatEndpoint } from '../../core/address-text.js'
import { fromHex, toHex } from '../../core/bytes.js'
import { guidText, type Guid } from '../../core/guid.js'
import { readU32 } from './bytes.js'
import { GraphBound } from './constants.js'
import { encodeGraphMessage } from './encode.js'
import type { GraphMessage } from './messages.js'
import * as payloads from './payloads.js'
import type { GraphRecord } from './record.js'
import { GraphMessageReader, GraphStreamReader, type GraphStreamItem } from './stream-reader.js'
import type { StringOrder } from './text.js'
import { recordFields } from './wire-record.js'

/** Graph messages as plain JSON values, for `peernet graph decode`. */

type Json = { [name: string]: unknown }

const GUIDS = new Set(['type', 'id', 'recordId', 'lowerId', 'upperId', 'dataType'])

function isEndpoint(value: object): value is { address: Uint8Array; port: number } {
  return 'address' in value && 'port' in value
}

/** Bytes in hex, 64-bit numbers in decimal, GUIDs and endpoints as people write them. */
function plain(name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) {
    return value.map((entry: unknown) =>
      typeof entry === 'string' ? guidText(entry as Guid) : plain('', entry),
    )
  }
  if (typeof value === 'string') return GUIDS.has(name) ? guidText(value as Guid) : value
  if (typeof value !== 'object' || value === null) return value
  if (isEndpoint(value)) return formatEndpoint(value)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(key, entry)]))
}

/** The payload of an internal record, if it is one that is not deleted. */
function content(record: GraphRecord, order: StringOrder): Json {
  if (record.deleted) return {}
  const dialect = { stringOrder: order }
  const decoders: Readonly<Record<string, () => payloads.DecodedPayload<object>>> = {
    '00000100-0000-0000-0000-000000000000': () => payloads.decodeGraphInfo(record.payload, dialect),
    '00000200-0000-0000-0000-000000000000': () => payloads.decodeSignature(record.payload),
    '00000300-0000-0000-0000-000000000000': () => payloads.decodeContact(record.payload),
    '00000400-0000-0000-0000-000000000000': () => payloads.decodePresence(record.payload, dialect),
  }
  const decoded = decoders[guidText(record.type)]?.()
  if (decoded === undefined) return {}
  return { content: decoded.ok ? plain('', decoded.payload) : { ok: false, code: decoded.code } }
}

function messageJson(message: GraphMessage, order: StringOrder): Json {
  if (message.type !== 'FLOOD') {
    const { type, ...fields } = message
    return { type, ...(plain('', fields) as Json) }
  }
  const { record } = message
  const fields = plain('', recordFields(record)) as Json
  return { type: 'FLOOD', record: { ...fields, ...content(record, order) } }
}

function itemLine(item: GraphStreamItem, order: StringOrder): string {
  if (item.kind !== 'message') {
    const { kind, ...rest } = item
    return JSON.stringify({ ok: false, ...(kind === 'dropped' ? { type: 'FLOOD' } : {}), ...rest })
  }
  const reencoded = toHex(encodeGraphMessage(item.message))
  return JSON.stringify({ ok: true, ...messageJson(item.message, order), reencoded })
}

/**
 * Lines of `peernet graph decode` for one line of hex: one message, or frames with messages in
 * them. Never throws. Without a graph ID the byte order of strings cannot be told: it is given.
 */
export function decodeGraphLine(line: string, order: StringOrder): string[] {
  const bytes = fromHex(line.trim())
  if (bytes === undefined) {
    return [JSON.stringify({ ok: false, code: 'ERR_PEERNET_MALFORMED', message: 'no hex text' })]
  }
  const options = { stringOrder: order, graphId: '', maxMessage: GraphBound.RECORD_SIZE + 262_144 }
  const isMessage = bytes.length >= 8 && readU32(bytes, 0) === bytes.length
  const reader = isMessage
    ? new GraphMessageReader(options)
    : new GraphStreamReader({ ...options, maxFrame: GraphBound.FRAME_MOST })
  const lines: string[] = []
  reader.push(bytes)
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    lines.push(itemLine(item, order))
  }
  if (lines.length === 0 || reader.buffered > 0) {
    lines.push(JSON.stringify({ ok: false, code: 'ERR_PEERNET_TRUNCATED' }))
  }
  return lines
}
