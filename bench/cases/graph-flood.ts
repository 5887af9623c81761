// Records of 256 bytes flooded to all nodes of a graph in one process on ::1, beside a hand-written
// flood along the same edges, yjs and hypercore. No security provider: nothing is signed.
import type { BenchCase, BenchSuite, TrialOptions } from '../bench.js'
import { floodMetrics, measureFlood, type GroupSystem } from '../graph/harness.js'
import { peernetGraph } from '../graph/peernet.js'
import { rawFlood } from '../graph/raw-flood.js'
import { importPeer } from '../peers.js'

const PEERNET = 'peernet'
const RAW = 'raw TCP flood, same edges'
const peers = ['yjs', 'hypercore']

async function systemOf(name: string): Promise<GroupSystem> {
  if (name === PEERNET) return peernetGraph()
  if (name === RAW) return rawFlood()
  return importPeer<GroupSystem>(name)
}

const cases = [8, 32, 64].map((nodes): BenchCase => ({
  case: 'records of 256 bytes to all nodes',
  n: nodes,
  // The raw flood takes the edges that peernet left in the same round.
  systems: [PEERNET, RAW, ...peers],
  peers,
  reference: RAW,
  metrics: floodMetrics,
  isolated: true,
  limitSeconds: 120,
  trial: async (system: string, options: TrialOptions) =>
    measureFlood(await systemOf(system), options.quick ? 4 : nodes, options),
}))

const suite: BenchSuite = { name: 'graph-flood', cases }
export default suite
