// The tour shows the simulator, too: the one place in production that may (.ci/lint/house.js).
import { guid } from '../../core/guid.js'
import {
  convergence,
  GraphWorld,
  lostRecords,
  signatures,
  topology,
  type SimGraphNode,
} from '../../testing/index.js'

const TYPE = guid('70656572-6e65-7400-7465-787400000001')
const MINUTE_MS = 60_000
const SEED = 12

export interface SplitReport {
  readonly nodes: number
  readonly cutMinutes: number
  /** Records that each side wrote while it could not reach the other. */
  readonly writtenEach: number
  /** How many of all these a node had at the end of the cut. */
  readonly hadAtEnd: number
  /** Virtual time from the end of the cut until all nodes held the same. */
  readonly healedMs: number
  readonly virtualMinutes: number
}

/** A graph of simulated nodes is cut in two, both sides write, and it heals. Throws if not. */
export function splitAndHeal(nodes = 12, cutMinutes = 5, writtenEach = 10): SplitReport {
  const world = new GraphWorld({ seed: SEED })
  const first = world.addNode()
  world.runFor(1000)
  world.addNodes(nodes - 1, { connectTo: first }, MINUTE_MS)
  world.runFor(5 * MINUTE_MS)
  claim(topology(world).connected, 'the simulated graph is in one piece')
  const all = world.liveNodes
  const sides = [all.slice(0, nodes / 2), all.slice(nodes / 2)] as const
  world.partition(...sides)
  for (let i = 0; i < writtenEach; i++) {
    world.runFor((cutMinutes * MINUTE_MS) / writtenEach)
    for (const side of sides) {
      side[i % side.length]?.publish({ type: TYPE, payload: Buffer.from(`record ${i}`) })
    }
  }
  world.runFor(1000)
  claim(!topology(world).connected, 'the simulated graph is in two pieces')
  const hadAtEnd = written(all[0] as SimGraphNode)
  claim(hadAtEnd === writtenEach, 'a side has the records of its own, and only these')
  world.heal()
  const start = world.nowMs
  const isOne = (): boolean =>
    topology(world).connected &&
    signatures(world).agreed !== undefined &&
    all.every((node) => written(node) === 2 * writtenEach) &&
    convergence(world).converged
  claim(world.runUntil(isOne, 15 * MINUTE_MS, 1000), 'the graph heals within 15 minutes')
  claim(lostRecords(world).length === 0, 'no record is lost')
  claim(world.violations.length === 0, 'no version goes back')
  return {
    nodes,
    cutMinutes,
    writtenEach,
    hadAtEnd,
    healedMs: world.nowMs - start,
    virtualMinutes: world.nowMs / MINUTE_MS,
  }
}

function written(node: SimGraphNode): number {
  return node.records.filter((record) => record.type === TYPE && !record.deleted).length
}

function claim(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the demo claims that ${what}, and it is not so`)
}
