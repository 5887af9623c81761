/**
 * What only a Windows peer can settle (digest, "Dialect"): all nodes of a graph choose the same.
 */
export interface GraphDialect {
  /** GA-01: byte order of UTF-16 in records. */
  readonly stringOrder: 'big-endian' | 'little-endian'
  /** GA-07: bits of the node ID that the signature back-off looks at. */
  readonly signatureBackoffBits: 8 | 16
  /** GA-14: a node that never synchronised takes over any peer time. */
  readonly acceptFirstPeerTime: boolean
  /** GA-24: the last hash range is open. */
  readonly openFinalRange: boolean
}

export const DEFAULT_GRAPH_DIALECT: GraphDialect = {
  stringOrder: 'big-endian',
  signatureBackoffBits: 8,
  acceptFirstPeerTime: false,
  openFinalRange: true,
}
