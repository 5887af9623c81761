import { LIMITS } from '../core/limits.js'
import type { Endpoint } from '../core/endpoint.js'
import { requireEndpoint } from '../core/address-text.js'
import { QUESTION, TOPOLOGY_QUESTION } from '../graph/topology.js'
import { nodeIdText, type GraphNodeInfo } from './graph-events.js'
import { checkNotAborted, type CommandBody, type Done } from './graph-requests.js'
import type { NeighborInfo } from './graph.js'

export interface TopologyNode extends GraphNodeInfo {
  /** This node itself. */
  readonly self: boolean
  /** It said who its neighbours are. Of others, only edges to nodes that answered are known. */
  readonly answered: boolean
}

/** Who is connected with whom. */
export interface GraphTopology {
  readonly nodes: readonly TopologyNode[]
  /** Node IDs of neighbours, each pair once. */
  readonly edges: readonly (readonly [string, string])[]
}

/** What asking needs of the graph. */
export interface TopologyHost {
  nodeId(): string
  nodes(): readonly GraphNodeInfo[]
  neighbors(): readonly NeighborInfo[]
  command(body: CommandBody, signal?: AbortSignal, onLate?: (done: Done) => void): Promise<Done>
}

type Answer = (neighbors: readonly bigint[] | undefined) => void

/** Asks the nodes of a graph who their neighbours are: an extension, see spec/deviations.md. */
export class TopologySurvey {
  readonly #host: TopologyHost
  /** Who waits for an answer on a connection. */
  readonly #waiting = new Map<number, Set<Answer>>()

  constructor(host: TopologyHost) {
    this.#host = host
  }

  /** The machine's event 'topology'. */
  answered(connection: number, neighbors: readonly bigint[] | undefined): void {
    const waiting = this.#waiting.get(connection)
    this.#waiting.delete(connection)
    for (const answer of waiting ?? []) answer(neighbors)
  }

  async run(timeoutMs: number, signal: AbortSignal | undefined): Promise<GraphTopology> {
    checkNotAborted(signal)
    const self = this.#host.nodeId()
    const known = new Map(this.#host.nodes().map((node) => [node.nodeId, node]))
    const lists = new Map<string, readonly string[]>()
    const own = this.#host.neighbors().flatMap(({ nodeId }) => nodeId ?? [])
    lists.set(self, own)
    const others = [...known.values()]
      .filter(({ nodeId }) => nodeId !== self)
      .slice(0, LIMITS.graphTopologyNodes)
    const workers = Array.from({ length: LIMITS.graphTopologyAtOnce }, async () => {
      for (let node = others.shift(); node !== undefined; node = others.shift()) {
        const list = await this.#ask(node, timeoutMs, signal)
        if (list !== undefined) lists.set(node.nodeId, list.map(nodeIdText))
      }
    })
    await Promise.all(workers)
    checkNotAborted(signal)
    return draw(self, known, lists)
  }

  /** Undefined when it does not tell: it is gone, or not peernet, or does not want to. */
  async #ask(
    node: GraphNodeInfo,
    timeoutMs: number,
    outer: AbortSignal | undefined,
  ): Promise<readonly bigint[] | undefined> {
    const time = AbortSignal.timeout(timeoutMs)
    const signal = outer === undefined ? time : AbortSignal.any([outer, time])
    const neighbor = this.#host.neighbors().find(({ nodeId }) => nodeId === node.nodeId)
    let visit: number | undefined
    try {
      visit = neighbor === undefined ? await this.#visit(node, signal) : undefined
      const connection = neighbor?.connection ?? visit
      return connection === undefined ? undefined : await this.#question(connection, signal)
    } catch {
      return undefined
    } finally {
      if (visit !== undefined) this.#leave(visit)
    }
  }

  /** A direct connection of its own. */
  async #visit(node: GraphNodeInfo, signal: AbortSignal): Promise<number | undefined> {
    for (const address of node.addresses) {
      const to: Endpoint = requireEndpoint(address)
      const body = { type: 'connect', to, direct: true, topology: true } as const
      const late = ({ connection }: Done): void => {
        if (connection !== undefined) this.#leave(connection)
      }
      try {
        return (await this.#host.command(body, signal, late)).connection
      } catch {
        if (signal.aborted) return undefined
      }
    }
    return undefined
  }

  #leave(connection: number): void {
    void this.#host.command({ type: 'disconnect', connection }).catch(() => {})
  }

  #question(connection: number, signal: AbortSignal): Promise<readonly bigint[] | undefined> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(connection) ?? new Set()
      this.#waiting.set(connection, waiting)
      const answer: Answer = (neighbors) => {
        signal.removeEventListener('abort', giveUp)
        resolve(neighbors)
      }
      const giveUp = (): void => {
        waiting.delete(answer)
        if (waiting.size === 0) this.#waiting.delete(connection)
        resolve(undefined)
      }
      waiting.add(answer)
      signal.addEventListener('abort', giveUp, { once: true })
      this.#host
        .command({ type: 'send', connection, dataType: TOPOLOGY_QUESTION, data: QUESTION })
        .catch(giveUp)
    })
  }
}

function draw(
  self: string,
  known: ReadonlyMap<string, GraphNodeInfo>,
  lists: ReadonlyMap<string, readonly string[]>,
): GraphTopology {
  const nodes = new Map(known)
  const edges = new Map<string, readonly [string, string]>()
  for (const [from, list] of lists) {
    for (const to of list) {
      if (to === from) continue
      const edge = from < to ? ([from, to] as const) : ([to, from] as const)
      edges.set(edge.join(' '), edge)
    }
  }
  // Nodes that others have as neighbours, and that do not say themselves that they are there.
  for (const nodeId of [self, ...[...edges.values()].flat()]) {
    if (!nodes.has(nodeId)) nodes.set(nodeId, { nodeId, peerId: '', addresses: [], attributes: [] })
  }
  return {
    nodes: [...nodes.values()]
      .map((node) => ({
        ...node,
        self: node.nodeId === self,
        answered: lists.has(node.nodeId),
      }))
      .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)),
    edges: [...edges.values()].sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)),
  }
}
