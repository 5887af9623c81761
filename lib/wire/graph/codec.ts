import { nativeCode } from '../../native/codes.js'
import { graphDecodeRecord } from '../../native/graph.js'
import { recordAt } from './decode.js'
import { streamWords } from './identity.js'
import type { GraphRecord } from './record.js'
import { MessageRow } from './rows.js'
import type { StringOrder } from './text.js'
import { FLOOD_HEAD, writeFloodHead } from './wire-record.js'

export { encodeGraphMessage } from './encode.js'
export { encodeRecord } from './encode-record.js'
export { recordFields } from './wire-record.js'

/** The 12 bytes that precede the record in a FLOOD of 2.2.2.11. */
export function floodHeader(recordLength: number): Uint8Array {
  const bytes = new Uint8Array(FLOOD_HEAD)
  writeFloodHead(bytes, 0, recordLength)
  return bytes
}

export type DecodedRecord =
  | { readonly ok: true; readonly record: GraphRecord }
  | { readonly ok: false; readonly code: string }

/** Whose records were decoded last: a store's are all of one graph. */
let order: StringOrder = 'big-endian'
let graph: string | undefined
let words = streamWords(order, graph)

/**
 * Reads a PEER_RECORD by the rules of 3.1.7.27 that need no state; it borrows the bytes until
 * `retain`. With a graph ID it has to be of that graph, and strings in the other byte order are
 * told by it and turned (GA-01).
 */
export function decodeRecord(
  bytes: Uint8Array,
  dialect: { readonly stringOrder: StringOrder },
  graphId?: string,
): DecodedRecord {
  if (dialect.stringOrder !== order || graphId !== graph) {
    words = streamWords(dialect.stringOrder, graphId)
    order = dialect.stringOrder
    graph = graphId
  }
  const outcome = graphDecodeRecord(bytes, words)
  if (outcome < 0) return { ok: false, code: nativeCode(-outcome) }
  const isBig = order === 'big-endian'
  return { ok: true, record: recordAt(MessageRow.RECORD, bytes, isBig, false) }
}
