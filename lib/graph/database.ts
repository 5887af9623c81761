import type { Guid } from '../core/guid.js'
import type { GraphRecord } from '../wire/graph/record.js'

/** All records of a graph that this node holds, tombstones included (MS-PPGRH 3.1.1). */
export interface GraphDatabase extends Iterable<GraphRecord> {
  readonly size: number
  get(id: Guid): GraphRecord | undefined
}
