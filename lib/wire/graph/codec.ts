import { InvalidRecord, recordOf } from './decode.js'
import type { GraphRecord } from './record.js'
import type { StringOrder } from './text.js'
import { FLOOD_HEAD, writeFloodHead } from './wire-record.js'

export { encodeGraphMessage, encodeRecord } from './encode.js'

/** The 12 bytes that precede the record in a FLOOD of 2.2.2.11. */
export function floodHeader(recordLength: number): Uint8Array {
  const bytes = new Uint8Array(FLOOD_HEAD)
  writeFloodHead(bytes, 0, recordLength)
  return bytes
}

/**
 * Reads a PEER_RECORD; it borrows the bytes until `retain`. With a graph ID it has to be of that
 * graph, and strings in the other byte order are told by it and turned (GA-01).
 */
export function decodeRecord(
  bytes: Uint8Array,
  dialect: { readonly stringOrder: StringOrder },
  graphId?: string,
): { ok: true; record: GraphRecord } | { ok: false; code: string } {
  try {
    const options = {
      stringOrder: dialect.stringOrder,
      ...(graphId === undefined ? {} : { graphId }),
    }
    return { ok: true, record: recordOf(bytes, 0, bytes.length, options, true) }
  } catch (error) {
    if (error instanceof InvalidRecord) return { ok: false, code: error.code }
    throw error
  }
}
