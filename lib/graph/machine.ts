import type { Machine } from '../core/machine.js'
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
