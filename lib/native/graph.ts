import { addon } from './addon.js'

/**
 * The native graph codec (native/binding/graph.cc). Calls return 0, a count or a length, and a
 * negative number -n for outcome code n (codes.ts).
 */

/** Rows of messages (lib/wire/graph/rows.ts); single calls use the first. */
export const rows: Int32Array = addon.graphRows
/** Bytes to decode, or the parts of what is encoded. */
export const source: Uint8Array = addon.graphSource
/** What the last encode call wrote, if it was not given an array of its own. */
export const output: Uint8Array = addon.graphOutput

export const {
  graphScan,
  graphPrint,
  graphDecodeRecord,
  graphEncodeMessage,
  graphEncodeRecord,
  graphDecodeInfo,
  graphDecodeNode,
  graphDecodeAddressEx,
  graphEncodeInfo,
  graphEncodeNode,
  graphEncodeAddressEx,
} = addon
