import { bytesKey } from '../core/bytes.js'
import type { Guid } from '../core/guid.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphWorld, Acknowledged } from './graph-world.js'
import type { SimGraphNode } from './sim-graph-node.js'

/** What a set of nodes holds, compared byte by byte. */
export interface ConvergenceReport {
  readonly converged: boolean
  /** Nodes by what they hold, the largest group first. */
  readonly groups: readonly (readonly SimGraphNode[])[]
  /** IDs of records that some hold and others do not, or not in the same bytes. */
  readonly differing: readonly Guid[]
}

export interface ConvergenceOptions {
  readonly nodes?: readonly SimGraphNode[]
  /** Record types to leave out. */
  readonly except?: readonly Guid[]
}

/** The unexpired records of a node, sorted by ID: what all nodes at rest have the same bytes of. */
export function unexpired(
  node: SimGraphNode,
  now = node.peerTime,
  except: readonly Guid[] = [],
): GraphRecord[] {
  return node.records
    .filter((record) => record.expirationTime > now && !except.includes(record.type))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** Do all live nodes hold the same unexpired records, tombstones included? */
export function convergence(
  world: GraphWorld,
  options: ConvergenceOptions = {},
): ConvergenceReport {
  const { nodes = world.liveNodes, except = [] } = options
  // Clocks differ a little: what has expired for one counts for nobody.
  let now = 0n
  for (const node of nodes) if (node.peerTime > now) now = node.peerTime
  const holders = new Map<Guid, Map<string, SimGraphNode[]>>()
  const groups = new Map<string, SimGraphNode[]>()
  const keys = new Map<SimGraphNode, string[]>()
  for (const node of nodes) {
    const own: string[] = []
    keys.set(node, own)
    for (const { id, bytes } of unexpired(node, now, except)) {
      const copies = holders.get(id) ?? new Map<string, SimGraphNode[]>()
      holders.set(id, copies)
      const key = bytesKey(bytes)
      const same = copies.get(key) ?? []
      copies.set(key, same)
      same.push(node)
      own.push(`${id}${[...copies.keys()].indexOf(key)}`)
    }
  }
  for (const node of nodes) {
    const key = (keys.get(node) as string[]).join()
    const group = groups.get(key) ?? []
    groups.set(key, group)
    group.push(node)
  }
  const differing = [...holders].flatMap(([id, copies]) =>
    copies.size === 1 && [...copies.values()][0]?.length === nodes.length ? [] : [id],
  )
  return {
    converged: groups.size <= 1,
    groups: [...groups.values()].sort((a, b) => b.length - a.length),
    differing,
  }
}

/** An acknowledged record that is not where it should be. */
export interface LostRecord {
  readonly acknowledged: Acknowledged
  /** Live nodes that lack it, or have an older version, or have it back from the dead. */
  readonly missingAt: readonly SimGraphNode[]
  /** Nobody alive has it, and its publisher is dead: it may be on a dead host's disk only. */
  readonly diedWithPublisher: boolean
}

/** Records that applications were told are safe, and that some live node does not hold. */
export function lostRecords(world: GraphWorld, nodes = world.liveNodes): LostRecord[] {
  const out: LostRecord[] = []
  for (const acknowledged of world.acknowledged.values()) {
    const { id, version, deleted, by } = acknowledged
    const missingAt = nodes.filter((node) => {
      if (acknowledged.expirationTime <= node.peerTime) return false
      const record = node.record(id)
      if (record === undefined || record.version < version) return true
      return deleted && !record.deleted && record.version === version
    })
    if (missingAt.length === 0) continue
    const diedWithPublisher = !by.alive && missingAt.length === nodes.length
    out.push({ acknowledged, missingAt, diedWithPublisher })
  }
  return out
}

export interface TopologyReport {
  /** Groups of nodes that can reach each other by neighbour links, the largest first. */
  readonly components: readonly (readonly SimGraphNode[])[]
  readonly connected: boolean
  readonly links: number
  readonly meanDegree: number
  readonly minDegree: number
  readonly maxDegree: number
}

/** The mesh of neighbour links that both ends believe in. */
export function topology(world: GraphWorld, nodes = world.liveNodes): TopologyReport {
  const adjacent = adjacency(nodes)
  const components: SimGraphNode[][] = []
  const seen = new Set<SimGraphNode>()
  for (const start of nodes) {
    if (seen.has(start)) continue
    const component = [...distances(adjacent, start).keys()]
    for (const node of component) seen.add(node)
    components.push(component)
  }
  const degrees = nodes.map((node) => adjacent.get(node)?.size ?? 0)
  const ends = degrees.reduce((sum, degree) => sum + degree, 0)
  return {
    components: components.sort((a, b) => b.length - a.length),
    connected: components.length <= 1,
    links: ends / 2,
    meanDegree: ends / Math.max(1, nodes.length),
    minDegree: Math.min(...degrees),
    maxDegree: Math.max(...degrees),
  }
}

/** Shortest ways over the mesh from one node to all others, in hops. */
export function hopsFrom(world: GraphWorld, start: SimGraphNode): Map<SimGraphNode, number> {
  return distances(adjacency(world.liveNodes), start)
}

function adjacency(nodes: readonly SimGraphNode[]): Map<SimGraphNode, Set<SimGraphNode>> {
  const all = new Set(nodes)
  const believed = new Map(nodes.map((node) => [node, new Set(node.neighbors)]))
  return new Map(
    nodes.map((node) => [
      node,
      new Set(node.neighbors.filter((peer) => all.has(peer) && believed.get(peer)?.has(node))),
    ]),
  )
}

function distances(
  adjacent: ReadonlyMap<SimGraphNode, ReadonlySet<SimGraphNode>>,
  start: SimGraphNode,
): Map<SimGraphNode, number> {
  const hops = new Map([[start, 0]])
  for (const [node, distance] of hops) {
    for (const peer of adjacent.get(node) ?? []) {
      if (!hops.has(peer)) hops.set(peer, distance + 1)
    }
  }
  return hops
}

export interface SignatureReport {
  /** The value that all live nodes see; undefined when they differ or see none. */
  readonly agreed: bigint | undefined
  readonly byValue: ReadonlyMap<bigint | undefined, readonly SimGraphNode[]>
  /** Is the agreed value the node ID of a live node? */
  readonly alive: boolean
}

/** What the nodes take for the graph's signature (1.3.2.1). */
export function signatures(world: GraphWorld, nodes = world.liveNodes): SignatureReport {
  const byValue = new Map<bigint | undefined, SimGraphNode[]>()
  for (const node of nodes) {
    const value = node.machine.context.parts.maintenance.signature
    byValue.set(value, [...(byValue.get(value) ?? []), node])
  }
  const agreed = byValue.size === 1 ? [...byValue.keys()][0] : undefined
  return { agreed, byValue, alive: nodes.some((node) => node.nodeId === agreed) }
}

/** The largest of each table over all live nodes: what must stay within its named bound. */
export interface TableReport {
  readonly records: number
  readonly neighbors: number
  readonly connections: number
  readonly referrals: number
  readonly nodes: number
}

export function tables(world: GraphWorld, nodes = world.liveNodes): TableReport {
  const most = (size: (node: SimGraphNode) => number): number =>
    nodes.reduce((max, node) => Math.max(max, size(node)), 0)
  return {
    records: most((node) => node.machine.context.database.size),
    neighbors: most((node) => node.neighborCount),
    connections: most((node) => node.machine.context.parts.links.connectionCount),
    referrals: most((node) => node.machine.context.parts.links.referrals.length),
    nodes: most((node) => node.machine.context.parts.maintenance.nodes.length),
  }
}

/**
 * Follows records through the mesh: how many links each crossed to each node, and when. Start it
 * before publishing; one at a time for a world.
 */
export class FloodTrace {
  readonly #world: GraphWorld
  readonly #records = new Map<Guid, Map<SimGraphNode, { hops: number; atMs: number }>>()

  constructor(world: GraphWorld) {
    this.#world = world
    const before = world.notice
    world.notice = (node, event) => {
      before?.(node, event)
      if (event.type === 'record') this.#saw(node, event.record.id)
    }
  }

  /** Hops and time of arrival (virtual ms) by node. */
  of(id: Guid): ReadonlyMap<SimGraphNode, { readonly hops: number; readonly atMs: number }> {
    return this.#records.get(id) ?? new Map()
  }

  #saw(node: SimGraphNode, id: Guid): void {
    const arrivals = this.#records.get(id) ?? new Map<SimGraphNode, never>()
    this.#records.set(id, arrivals)
    if (arrivals.has(node)) return
    const source = node.receivingFrom
    const hops = source === undefined ? 0 : (arrivals.get(source)?.hops ?? Infinity) + 1
    arrivals.set(node, { hops, atMs: this.#world.nowMs })
  }
}
