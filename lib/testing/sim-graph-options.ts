import type { Endpoint } from '../core/endpoint.js'
import type { ErrorCode } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import type { Instant } from '../core/instant.js'
import type { GraphLimits } from '../graph/context.js'
import type { ConnectionId, GraphCommand } from '../graph/interface.js'
import type { DrivenGraph } from '../graph/machine.js'
import type { GraphSetup } from '../graph/make-graph.js'
import type { GraphSecurityProvider } from '../graph/security-provider.js'
import type { SimGraphNode } from './sim-graph-node.js'
import type { SimGraphStore, SimStoreOptions } from './sim-graph-store.js'

export type MakeGraphMachine = (setup: GraphSetup) => DrivenGraph

/** How a simulated graph node is set up. */
export interface SimGraphNodeOptions {
  /** Default: `peer-` and the number of its host. */
  readonly peerId?: string
  /** This node creates the graph. Default: the first of a world does. */
  readonly creates?: boolean
  /** Whom to connect to at once. */
  readonly connectTo?: SimGraphNode | Endpoint
  /**
   * When to listen. 'synchronized': as soon as it has everything, at once if it creates the graph
   * or comes back (1.3.2). Default 'synchronized'.
   */
  readonly listen?: 'synchronized' | 'at-once' | 'never'
  /** Default 3587. */
  readonly port?: number
  /** Wall clock's distance from the true time at the start, milliseconds. Default 0. */
  readonly clockOffsetMs?: number
  /** How fast the wall clock runs away, parts per million. Default 0. */
  readonly clockDriftPpm?: number
  /** Its disk: how a new one behaves, or one that is there already. */
  readonly store?: SimStoreOptions | SimGraphStore
  readonly prioritizedTypes?: readonly Guid[]
  readonly security?: GraphSecurityProvider
  readonly limits?: GraphLimits
  /** Default: one address of its own. May be those of a host that is gone. */
  readonly addresses?: readonly Uint8Array[]
  /**
   * The application's answer to 'connection-required' (3.1.7.15): where to connect to. Default: it
   * has none.
   */
  readonly repair?: (node: SimGraphNode) => SimGraphNode | Endpoint | undefined
}

/** A command to a simulated node; its fields fill in as virtual time passes. */
export class SimCommand {
  readonly type: GraphCommand['type']
  readonly startedAt: Instant
  endedAt: Instant | undefined
  state: 'pending' | 'done' | 'failed' = 'pending'
  /** Of a record that was published, updated or deleted. */
  id: Guid | undefined
  connection: ConnectionId | undefined
  code: ErrorCode | undefined
  message: string | undefined

  constructor(type: GraphCommand['type'], startedAt: Instant) {
    this.type = type
    this.startedAt = startedAt
  }

  get done(): boolean {
    return this.state === 'done'
  }
}
