import type { Guid } from '../core/guid.js'
import type { Rng } from '../core/rng.js'
import type { GraphConfig, GraphLimits } from './context.js'
import type { GraphDialect } from './dialect.js'
import { GraphMachine } from './graph.js'
import type { GraphProperties } from './interface.js'
import type { StoredGraph } from './machine.js'
import { restoreDatabase } from './restore.js'
import type { GraphSecurityProvider } from './security-provider.js'

/** From what a node in a graph is made. */
export interface GraphSetup {
  readonly rng: Rng
  readonly peerId: string
  /** Of a graph that is opened: as far as they are known. */
  readonly properties: GraphProperties
  /** True: this node creates the graph (MS-PPGRH 3.1.4.1); false: it opens it (3.1.4.2). */
  readonly creates: boolean
  readonly dialect: GraphDialect
  readonly security?: GraphSecurityProvider
  readonly prioritizedTypes: readonly Guid[]
  readonly limits?: GraphLimits
  /** False: there is no store; no persist effects come. Default true. */
  readonly stores?: boolean
  /** False: do not tell other nodes who the neighbours are. Default true. */
  readonly allowTopology?: boolean
  /** What an earlier node of this user in this graph left behind. */
  readonly stored?: StoredGraph
}

/** The machine of 3.1.4.1 or 3.1.4.2, with its database loaded; the wall clock starts it. */
export function makeGraph(setup: GraphSetup): GraphMachine {
  const { stored, ...rest } = setup
  const { properties, dialect, security } = setup
  const { graphId, maxRecordSize } = properties
  const rules = { graphId, maxRecordSize, dialect }
  const { database } = restoreDatabase(stored?.records ?? [], rules, { security })
  const config: GraphConfig = {
    ...rest,
    database,
    loaded: stored !== undefined,
    peerTimeDelta: stored?.peerTimeDelta ?? 0n,
    ...(stored?.leftAt === undefined ? {} : { leftAt: stored.leftAt }),
  }
  return new GraphMachine(config)
}
