// A fresh node joins eight that hold 10,000 records of 256 bytes, and has them all: beside yjs and
// hypercore.
import type { BenchCase, BenchSuite, TrialOptions } from '../bench.js'
import { measureSync, syncMetrics, type GroupSystem } from '../graph/harness.js'
import { peernetGraph } from '../graph/peernet.js'
import { importPeer } from '../peers.js'

const PEERNET = 'peernet'
const NODES = 8
const RECORDS = 10_000
const peers = ['yjs', 'hypercore']

const join: BenchCase = {
  case: 'join and full sync, 8 nodes',
  n: RECORDS,
  systems: [PEERNET, ...peers],
  peers,
  reference: 'yjs',
  metrics: syncMetrics,
  isolated: true,
  limitSeconds: 180,
  trial: async (system: string, options: TrialOptions) =>
    measureSync(
      system === PEERNET ? peernetGraph() : await importPeer<GroupSystem>(system),
      options.quick ? 3 : NODES,
      RECORDS,
      options,
    ),
}

const suite: BenchSuite = { name: 'graph-sync', cases: [join] }
export default suite
