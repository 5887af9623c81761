import type { Machine } from '../core/machine.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphContext } from './context.js'
import type {
  ConnectionId,
  GraphCommand,
  GraphEffect,
  GraphEvent,
  GraphLocalEvent,
  GraphTransmit,
} from './interface.js'

/**
 * One node in one graph, as its drivers see it; lib/graph/graph.ts implements it. Drivers may read
 * the context (node ID, database, neighbours, counters), and never write it.
 */
export interface DrivenGraph extends Machine<
  GraphCommand,
  Uint8Array,
  ConnectionId,
  GraphLocalEvent,
  GraphTransmit,
  GraphEffect,
  GraphEvent
> {
  readonly context: GraphContext
}

/** What a store gives back of a graph that was closed, or whose process died. */
export interface StoredGraph {
  readonly records: Iterable<StoredRecord>
  /** Peer time delta, ticks. */
  readonly peerTimeDelta: bigint
  /** Peer time at which the node was last in the graph; absent: it never was. */
  readonly leftAt?: bigint
}

export interface StoredRecord {
  readonly record: GraphRecord
  /** This node renews it. */
  readonly autorefresh: boolean
}
