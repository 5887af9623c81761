// A fresh node joins eight that hold 10,000 records of 256 bytes, and has them all: beside yjs and
// hypercore. And what it costs a node that was away to come back.
import type { BenchCase, BenchSuite, TrialOptions } from '../bench.js'
import { measureSync, syncMetrics, type GroupSystem } from '../graph/harness.js'
import { peernetGraph } from '../graph/peernet.js'
import { measureRejoin, rejoinMetrics } from '../graph/rejoin.js'
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

const rejoin: BenchCase = {
  case: 'a node comes back after 1 % divergence',
  n: RECORDS,
  systems: [PEERNET],
  reference: PEERNET,
  metrics: rejoinMetrics,
  isolated: true,
  limitSeconds: 120,
  trial: (_system: string, { quick }: TrialOptions) =>
    quick ? measureRejoin(200, 0) : measureRejoin(RECORDS, 1000),
}

const suite: BenchSuite = { name: 'graph-sync', cases: [join, rejoin] }
export default suite
