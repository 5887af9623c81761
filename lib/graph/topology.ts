import { guid, type Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'

/**
 * Who is connected with whom: an extension of peernet's (spec/deviations.md). A node asks by PT2PT,
 * on a neighbour connection or a direct one whose CONNECT has the friendly name below; the answer
 * lists the node IDs of the asked node's neighbours.
 */
export const TOPOLOGY_QUESTION: Guid = guid('70656572-6e65-7400-746f-706f61736b01')
export const TOPOLOGY_ANSWER: Guid = guid('70656572-6e65-7400-746f-706f73617901')

/** Friendly name in the CONNECT of a direct connection that only asks. */
export const TOPOLOGY_VISIT = 'peernet.topology'

const ID_BYTES = 8

/** The question has no content. */
export const QUESTION = new Uint8Array(0)

/** 8 bytes each, big-endian; those beyond the limit are left out. */
export function encodeNeighbors(nodeIds: readonly bigint[]): Uint8Array {
  const some = nodeIds.slice(0, LIMITS.graphTopologyNeighbors)
  const bytes = new Uint8Array(some.length * ID_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [i, nodeId] of some.entries()) view.setBigUint64(i * ID_BYTES, nodeId)
  return bytes
}

/** Undefined when it is no answer. */
export function decodeNeighbors(bytes: Uint8Array): bigint[] | undefined {
  const count = bytes.length / ID_BYTES
  if (!Number.isInteger(count) || count > LIMITS.graphTopologyNeighbors) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, i) => view.getBigUint64(i * ID_BYTES))
}
