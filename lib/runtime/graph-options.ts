import type { GraphDialect } from '../graph/dialect.js'
import type { GraphScope } from '../graph/interface.js'
import type { GraphSecurityProvider } from '../graph/security-provider.js'

export interface OpenGraphOptions {
  /** 1 to 255 characters; the same for all nodes of the graph. */
  readonly graphId: string
  /** Name of the user of this node, 1 to 255 characters: the creator of its records. */
  readonly peerId: string
  /**
   * Keeps the database in this directory; false: in memory only. Default: one of its own under the
   * XDG data directory.
   */
  readonly directory?: string | false
  /** Addresses to listen on. Default: 'global' when this host has one, else 'link-local'. */
  readonly scope?: GraphScope
  /** Network interface of a link-local or site-local graph. Default: the only one. */
  readonly interface?: string
  /** Listen on these IPv6 addresses instead of those of the scope; loopback is allowed here. */
  readonly addresses?: readonly string[]
  /** Nodes to connect to, `[address]:port`: by `join`, and when the graph has lost its way. */
  readonly seeds?: readonly string[]
  /** The same for all nodes of the graph; without one, nothing is protected. */
  readonly security?: GraphSecurityProvider
  /** Record types (GUIDs) to synchronise first, at most 253. */
  readonly prioritizedTypes?: readonly string[]
  /** Tell other nodes that ask for it who the neighbours are (`Graph.topology`). Default true. */
  readonly allowTopology?: boolean
  /** What the specification leaves open; the same for all nodes of the graph. */
  readonly dialect?: Partial<GraphDialect>
  /** Aborting while opening gives up and frees everything. */
  readonly signal?: AbortSignal
}

export interface CreateGraphOptions extends Omit<OpenGraphOptions, 'graphId'> {
  /** Default: a random one. */
  readonly graphId?: string
  /** At most 255 characters. */
  readonly friendlyName?: string
  /** At most 511 characters. */
  readonly comment?: string
  /** Seconds, at least 300, the default: for how long a node that has vanished is listed. */
  readonly presenceLifetimeS?: number
  /** How many nodes publish their presence: all (default), or about so many, or 0: on request. */
  readonly maxPresenceRecords?: number | 'all'
  /** Bytes of payload and attributes of a record, 1,024 to 62,914,560, the default. */
  readonly maxRecordSize?: number
  /** Records do not expire while the node has no connection. */
  readonly deferExpiration?: boolean
}
