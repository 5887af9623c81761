// A record of 50 MB crosses four links between five processes, beside a relay written by hand that
// stores and forwards the same bytes over as many links.
import type { BenchCase, BenchSuite, TrialOptions } from '../bench.js'
import { lineMetrics, measureLine } from '../line/line.js'
import type { LineSystem } from '../line/node.js'

const MEGABYTES = 50
const RAW = 'raw TCP relay'

const large: BenchCase = {
  case: 'a record of 50 MB over four hops',
  n: MEGABYTES,
  systems: ['peernet', RAW, 'peernet, stored on disk'],
  reference: RAW,
  metrics: lineMetrics,
  isolated: true,
  limitSeconds: 120,
  trial: (system: string, { quick }: TrialOptions) =>
    measureLine(
      system as LineSystem,
      quick
        ? { nodes: 3, bytes: 1e6, times: 1, idleMs: 100, everyMs: 20 }
        : { nodes: 5, bytes: MEGABYTES * 1e6, times: 5, idleMs: 3000, everyMs: 20 },
    ),
}

const suite: BenchSuite = { name: 'graph-large', cases: [large] }
export default suite
