// The acceptance scenarios of graphs in simulation (issue 3, Done 1 and 2), as functions of a seed.
// Tests run a few seeds, bench/sim/graph.ts many.
import { guid, type Guid } from '#lib/core/guid.js'
import { below, type Rng } from '#lib/core/rng.js'
import {
  convergence,
  FloodTrace,
  hopsFrom,
  lostRecords,
  signatures,
  topology,
} from '#lib/testing/graph-checkers.js'
import { GraphWorld, type GraphWorldOptions } from '#lib/testing/graph-world.js'
import { endpointOfHost } from '#lib/testing/host-addresses.js'
import type { SimCommand } from '#lib/testing/sim-graph-options.js'
import type { SimGraphNode } from '#lib/testing/sim-graph-node.js'

export const TYPE: Guid = guid('5e6cf0a2-4b1f-4c43-9a2b-7d1a3c0e9f11')

export const MINUTE = 60_000

export interface MeshOptions {
  readonly nodes: number
  /** Newcomers are told of one of the first so many. Default 3. */
  readonly entries?: number
  /** Time in which all of them join, and in which the mesh then settles. */
  readonly joinMs?: number
  readonly settleMs?: number
  readonly world?: Partial<GraphWorldOptions>
}

/** A graph that so many nodes have joined through a few of them, and that had time to settle. */
export function grownMesh(seed: number, options: MeshOptions): GraphWorld {
  const { nodes, entries = 3, joinMs = MINUTE, settleMs = 15 * MINUTE } = options
  const world = new GraphWorld({ seed, ...options.world })
  watchDegrees(world)
  const rng = world.rng('entries')
  world.addNode()
  world.runFor(1000)
  const joining = (): { connectTo: SimGraphNode } => {
    const known = world.nodes.filter((node) => node.status.listening).slice(0, entries)
    return { connectTo: known[below(rng, known.length)] as SimGraphNode }
  }
  world.addNodes(nodes - 1, joining, joinMs)
  world.runFor(settleMs)
  return world
}

const highest = new WeakMap<GraphWorld, number>()

/** The most neighbours that any node has had at any time. */
function watchDegrees(world: GraphWorld): void {
  world.notice = (node, event) => {
    if (event.type !== 'connection' || event.change !== 'connected') return
    highest.set(world, Math.max(highest.get(world) ?? 0, node.neighborCount))
  }
}

export interface MeshReport {
  readonly components: number
  readonly meanDegree: number
  readonly minDegree: number
  readonly maxDegree: number
  /** That any node ever had. */
  readonly everDegree: number
  /** Shortest ways from each node to all others: the worst median, and the longest. */
  readonly medianHops: number
  readonly maxHops: number
  /** One signature, and it is the lowest node ID. */
  readonly oneSignature: boolean
}

const round = (n: number): number => Math.round(n * 100) / 100

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

export function meshReport(world: GraphWorld): MeshReport {
  const mesh = topology(world)
  const nodes = world.liveNodes
  const hops = nodes.map((node) => [...hopsFrom(world, node).values()].filter((n) => n > 0))
  const lowest = nodes.reduce((low, { nodeId }) => (nodeId < low ? nodeId : low), 1n << 64n)
  return {
    components: mesh.components.length,
    meanDegree: round(mesh.meanDegree),
    minDegree: mesh.minDegree,
    maxDegree: mesh.maxDegree,
    everDegree: highest.get(world) ?? 0,
    medianHops: Math.max(...hops.map(median)),
    maxHops: Math.max(...hops.flat()),
    oneSignature: signatures(world).agreed === lowest,
  }
}

export interface MeshOutcome extends MeshReport {
  readonly seed: number
  readonly nodes: number
  /**
   * Links that published records crossed on their fastest way: worst median, and the most. Not
   * judged: where latencies differ (here by a factor of twenty), many quick links are faster than
   * few slow ones, so that even random graphs of degree 4 have ways of 10 to 14 links. Where all
   * links are equally fast, the fastest ways are the shortest, which are judged.
   */
  readonly floodMedianHops: number
  readonly floodMaxHops: number
  readonly slowestFloodMs: number
  /** Nodes that some published record did not reach. */
  readonly unreached: number
  readonly failures: readonly string[]
}

/** Degree and hops of a settled mesh, and what records published in it take (Done 2). */
export function meshSettles(seed: number, options: MeshOptions, floods = 10): MeshOutcome {
  return judgeMesh(grownMesh(seed, options), floods)
}

export function judgeMesh(world: GraphWorld, floods: number): MeshOutcome {
  const { seed } = world.kernel
  const mesh = meshReport(world)
  const trace = new FloodTrace(world)
  const rng = world.rng('publishers')
  const nodes = world.liveNodes
  const medians: number[] = []
  let most = 0
  let slowest = 0
  let unreached = 0
  for (let i = 0; i < floods; i++) {
    const startMs = world.nowMs
    const publisher = nodes[below(rng, nodes.length)] as SimGraphNode
    const published = publisher.publish({ type: TYPE, payload: new Uint8Array(256) })
    world.runFor(5000)
    const arrivals = published.id === undefined ? [] : [...trace.of(published.id)]
    unreached += nodes.length - arrivals.length
    const hops = arrivals.filter(([node]) => node !== publisher).map(([, { hops }]) => hops)
    medians.push(median(hops))
    most = Math.max(most, ...hops)
    slowest = Math.max(slowest, ...arrivals.map(([, { atMs }]) => atMs - startMs))
  }
  const failures = [
    mesh.components === 1 ? '' : `${mesh.components} components`,
    mesh.meanDegree >= 3 && mesh.meanDegree <= 4 ? '' : `mean degree ${mesh.meanDegree}`,
    mesh.everDegree <= 7 ? '' : `a node of degree ${mesh.everDegree}`,
    mesh.medianHops <= 6 ? '' : `median of ${mesh.medianHops} hops`,
    mesh.maxHops <= 10 ? '' : `${mesh.maxHops} hops`,
    mesh.oneSignature ? '' : 'no common signature',
    unreached === 0 ? '' : `${unreached} deliveries missing`,
  ].filter((text) => text !== '')
  return {
    seed,
    nodes: nodes.length,
    ...mesh,
    floodMedianHops: Math.max(...medians),
    floodMaxHops: most,
    slowestFloodMs: Math.round(slowest),
    unreached,
    failures,
  }
}

export interface KillOutcome extends MeshReport {
  readonly seed: number
  readonly survivors: number
  /** From the death to one component, and to one component with one signature. */
  readonly connectedMs: number | undefined
  readonly healedMs: number | undefined
  readonly unreached: number
  readonly failures: readonly string[]
}

/** Half of the nodes die at once, half of them with resets, half silently (Done 2). */
export function halfIsKilled(world: GraphWorld, limitMs = 10 * MINUTE): KillOutcome {
  const { seed } = world.kernel
  const rng = world.rng('victims')
  const victims = pick(world.liveNodes, world.liveNodes.length >> 1, rng)
  const startMs = world.nowMs
  for (const [i, node] of victims.entries()) node.kill(i % 2 === 0 ? 'reset' : 'silent')
  const since = (holds: boolean): number | undefined => (holds ? world.nowMs - startMs : undefined)
  const connectedMs = since(world.runUntil(() => topology(world).connected, limitMs, 1000))
  const left = limitMs - (world.nowMs - startMs)
  const healedMs = since(world.runUntil(() => isOneGraph(world), left, 1000))
  const { id } = publishNow(world, world.liveNodes[0] as SimGraphNode)
  world.runFor(5000)
  const unreached = world.liveNodes.filter((node) => node.record(id) === undefined).length
  const report = meshReport(world)
  const failures = [
    connectedMs === undefined ? `${report.components} components` : '',
    healedMs === undefined ? 'no common signature' : '',
    unreached === 0 ? '' : `${unreached} nodes not reached`,
    report.everDegree <= 7 ? '' : `a node of degree ${report.everDegree}`,
  ].filter((text) => text !== '')
  return {
    seed,
    survivors: world.liveNodes.length,
    ...report,
    connectedMs,
    healedMs,
    unreached,
    failures,
  }
}

/** One component, and one signature that is the lowest node ID in it. */
export function isOneGraph(world: GraphWorld): boolean {
  const { agreed } = signatures(world)
  if (agreed === undefined || world.liveNodes.some(({ nodeId }) => nodeId < agreed)) return false
  return signatures(world).alive && topology(world).connected
}

/** A record that is published as soon as this returns. */
function publishNow(world: GraphWorld, node: SimGraphNode): { id: Guid } {
  const command = node.publish({ type: TYPE, payload: new Uint8Array(64) })
  world.runUntil(() => command.state !== 'pending', 1000, 1)
  if (command.id === undefined) throw new Error(`not published: ${command.message ?? ''}`)
  return { id: command.id }
}

function pick<T>(from: readonly T[], count: number, rng: Rng): T[] {
  const all = [...from]
  return Array.from({ length: count }, () => all.splice(below(rng, all.length), 1)[0] as T)
}

export interface SplitOptions {
  readonly cutMs?: number
  readonly limitMs?: number
  /** Records that exist before the cut, half of which both sides change. */
  readonly shared?: number
}

export interface SplitOutcome extends MeshReport {
  readonly seed: number
  readonly nodes: number
  /** Records written on both sides during the cut. */
  readonly written: number
  /** From the end of the cut: one component, one signature; the same records everywhere. */
  readonly joinedMs: number | undefined
  readonly healedMs: number | undefined
  readonly differing: number
  readonly lost: number
  readonly violations: number
  readonly failures: readonly string[]
}

/** A clean cut through the middle, with writes on both sides (Done 2). */
export function splitHeals(world: GraphWorld, options: SplitOptions = {}): SplitOutcome {
  const { cutMs = 5 * MINUTE, limitMs = 15 * MINUTE, shared = 20 } = options
  const { seed } = world.kernel
  const rng = world.rng('split')
  const all = world.liveNodes
  const left = pick(all, all.length >> 1, rng)
  const right = all.filter((node) => !left.includes(node))
  const before = Array.from({ length: shared }, () => publishNow(world, anyOf(all, rng)).id)
  world.runFor(5000)
  world.partition(left, right)
  const written = writeInCut(world, { sides: [left, right], before, cutMs, rng })
  world.heal()
  const endMs = world.nowMs
  const since = (holds: boolean): number | undefined => (holds ? world.nowMs - endMs : undefined)
  const joinedMs = since(world.runUntil(() => isOneGraph(world), limitMs, 1000))
  const rest = limitMs - (world.nowMs - endMs)
  const isSame = (): boolean => lostRecords(world).length === 0 && convergence(world).converged
  const healedMs = since(world.runUntil(() => isOneGraph(world) && isSame(), rest, 5000))
  const { differing } = convergence(world)
  const lost = lostRecords(world)
  const report = meshReport(world)
  const failures = [
    joinedMs === undefined ? `${report.components} components` : '',
    healedMs === undefined ? `${differing.length} records differ` : '',
    lost.length === 0 ? '' : `${lost.length} records lost`,
    world.violations.length === 0 ? '' : `${world.violations.length} violations`,
    report.everDegree <= 7 ? '' : `a node of degree ${report.everDegree}`,
  ].filter((text) => text !== '')
  return {
    seed,
    nodes: all.length,
    ...report,
    written,
    joinedMs,
    healedMs,
    differing: differing.length,
    lost: lost.length,
    violations: world.violations.length,
    failures,
  }
}

interface Cut {
  readonly sides: readonly (readonly SimGraphNode[])[]
  readonly before: readonly Guid[]
  readonly cutMs: number
  readonly rng: Rng
}

/**
 * While the cut lasts: new records on each side; updates of half of the old ones on both sides (of
 * the same version, GA-54), and deletions of the other half on one.
 */
function writeInCut(world: GraphWorld, { sides, before, cutMs, rng }: Cut): number {
  let written = 0
  const steps = Math.max(before.length, 10)
  for (let step = 0; step < steps; step++) {
    world.runFor(cutMs / steps)
    for (const [side, nodes] of sides.entries()) {
      anyOf(nodes, rng).publish({ type: TYPE, payload: Uint8Array.of(side, step) })
      written++
      const id = before[step]
      if (id === undefined || (step % 2 === 1 && side === 1)) continue
      const node = anyOf(nodes, rng)
      if (step % 2 === 1) node.delete(id)
      else node.update(id, { payload: Uint8Array.of(side, step, 7) })
      written++
    }
  }
  return written
}

function anyOf<T>(from: readonly T[], rng: Rng): T {
  return from[below(rng, from.length)] as T
}

export interface LifeOutcome {
  readonly mesh: MeshOutcome
  readonly split: SplitOutcome
  readonly kill: KillOutcome
  readonly failures: readonly string[]
}

/** One graph grows, is cut in two and heals, and loses half of its nodes. */
export function graphLives(seed: number, options: MeshOptions): LifeOutcome {
  const world = grownMesh(seed, options)
  const mesh = judgeMesh(world, 5)
  const split = splitHeals(world)
  world.runFor(5 * MINUTE)
  const kill = halfIsKilled(world)
  return { mesh, split, kill, failures: [mesh, split, kill].flatMap(({ failures }) => failures) }
}

export interface LongSplitOutcome {
  readonly seed: number
  readonly nodes: number
  /** Components ten minutes after the two halves could reach each other, without help. */
  readonly before: number
  /** Times that the application was asked for a connection until the graph was one. */
  readonly asked: number
  readonly healedMs: number | undefined
  readonly failures: readonly string[]
}

/**
 * Two halves of a graph that know no address of each other: one grew out of a node that came back
 * from its disk, at another address, after all that the others knew of it had expired. Only the
 * application can bring them together (3.1.7.15).
 */
export function strangersMeet(seed: number, nodes: number): LongSplitOutcome {
  const world = grownMesh(seed, { nodes: nodes >> 1, settleMs: 10 * MINUTE })
  const left = [...world.liveNodes]
  const lost = left[left.length - 1] as SimGraphNode
  publishNow(world, left[0] as SimGraphNode)
  world.runFor(5000)
  lost.kill('silent')
  // Longer than contacts live.
  world.runFor(20 * MINUTE)
  const addresses = [endpointOfHost(1_000_000, 'global').address]
  const founder = world.restart(lost, { addresses })
  world.partition([founder], left)
  const joinLater = (): { connectTo: SimGraphNode } => ({ connectTo: founder })
  for (let i = 1; i < nodes >> 1; i++) {
    const node = world.addNode(joinLater())
    world.partition([node], left)
    world.runFor(1000)
  }
  world.runFor(10 * MINUTE)
  const right = world.liveNodes.filter((node) => !left.includes(node))
  for (const nodes of [left, right]) publishNow(world, nodes[1] as SimGraphNode)
  world.heal()
  world.runFor(10 * MINUTE)
  const before = topology(world).components.length
  let asked = 0
  for (const node of right) {
    node.repair = () => {
      asked++
      return left[0]
    }
  }
  const startMs = world.nowMs
  const isWhole = (): boolean => isOneGraph(world) && convergence(world).converged
  const healed = world.runUntil(isWhole, 15 * MINUTE, 1000)
  const failures = [
    before === 2 ? '' : `${before} components before the application helped`,
    healed ? '' : `${topology(world).components.length} components in the end`,
    lostRecords(world).length === 0 ? '' : `${lostRecords(world).length} records lost`,
    asked > 0 ? '' : 'the application was not asked',
  ].filter((text) => text !== '')
  return {
    seed,
    nodes: world.liveNodes.length,
    before,
    asked,
    healedMs: healed ? world.nowMs - startMs : undefined,
    failures,
  }
}

export interface ReturnOutcome {
  readonly seed: number
  /** Bytes of all records at the node that comes back. */
  readonly databaseBytes: number
  /** Bytes on the wire, of all nodes, from its connection until all hold the same. */
  readonly movedBytes: number
  readonly healedMs: number | undefined
  readonly lost: number
  readonly failures: readonly string[]
}

/**
 * A node comes back after days, in which others published, updated and deleted records and some
 * expired, and after it has written something by itself: sync by time, then by hash (Done 1).
 */
export function returnsAfterDays(seed: number, days = 3): ReturnOutcome {
  const properties = { presenceLifetimeS: 3600 }
  const world = grownMesh(seed, { nodes: 6, settleMs: MINUTE, world: { properties } })
  const [first, second, third] = world.liveNodes as [SimGraphNode, SimGraphNode, SimGraphNode]
  const away = world.liveNodes[5] as SimGraphNode
  const DAY = 24 * 60 * MINUTE
  const publish = (node: SimGraphNode, lifetimeDays: number): SimCommand =>
    node.publish({ type: TYPE, payload: new Uint8Array(1000), lifetimeMs: lifetimeDays * DAY })
  const old = Array.from({ length: 400 }, (_, i) => publish(i % 2 ? first : second, 7))
  const brief = Array.from({ length: 20 }, () => publish(first, 1))
  world.runFor(10_000)
  away.close()
  world.runFor(DAY / 2)
  for (const { id } of old.slice(0, 10)) if (id !== undefined) third.delete(id)
  for (const { id } of old.slice(10, 20)) {
    if (id !== undefined) second.update(id, { payload: new Uint8Array(1000).fill(7) })
  }
  world.runFor((days - 0.5) * DAY)
  for (let i = 0; i < 20; i++) publish(third, 7)
  world.runFor(10_000)
  const back = world.restart(away)
  world.runFor(5000)
  for (let i = 0; i < 5; i++) publish(back, 7)
  world.runFor(5000)
  const before = world.streams.counts.bytes
  const startMs = world.nowMs
  back.connect(first)
  const isSame = (): boolean => convergence(world).converged && lostRecords(world).length === 0
  const healed = world.runUntil(isSame, MINUTE, 100)
  const movedBytes = world.streams.counts.bytes - before
  const databaseBytes = back.records.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const lost = lostRecords(world).length
  const revived = brief.filter(({ id }) => id !== undefined && back.record(id) !== undefined)
  const failures = [
    healed ? '' : `${convergence(world).differing.length} records differ`,
    lost === 0 ? '' : `${lost} records lost`,
    movedBytes < databaseBytes / 2 ? '' : `${movedBytes} bytes moved of ${databaseBytes}`,
    revived.length === 0 ? '' : `${revived.length} expired records are there`,
    world.violations.length === 0 ? '' : `${world.violations.length} violations`,
  ].filter((text) => text !== '')
  const healedMs = healed ? world.nowMs - startMs : undefined
  return { seed, databaseBytes, movedBytes, healedMs, lost, failures }
}
