// 512 MiB on loopback, checked and in a file: beside node:http with SHA-256, aria2 and WebTorrent.
// `PEERNET_BENCH_MIB=64` makes it shorter; the figures then count the start of the processes.
import { spawnSync } from 'node:child_process'
import type { BenchCase, BenchSuite } from '../bench.js'
import { contentMetrics, measureContent, MIB } from '../content/harness.js'

const BASELINE = 'Node http'
const mebibytes = Number(process.env['PEERNET_BENCH_MIB'] ?? 512)

const hasAria2 = spawnSync('aria2c', ['--version']).status === 0
// Once, not in each of the trials' processes.
if (!hasAria2 && process.send === undefined) {
  process.stderr.write('bench: aria2 is left out: it is not installed (Debian: aria2)\n')
}

function contentCase(leeches: number, ours: readonly string[]): BenchCase {
  const others = hasAria2 ? ['aria2', 'WebTorrent'] : ['WebTorrent']
  return {
    case: `1 to ${leeches}`,
    n: mebibytes * MIB,
    systems: [BASELINE, ...ours, ...others],
    peers: others,
    reference: BASELINE,
    metrics: contentMetrics,
    isolated: true,
    limitSeconds: 180,
    trial: (system, { quick }) => measureContent(system, leeches, quick ? 2 : mebibytes),
  }
}

const suite: BenchSuite = {
  name: 'content',
  cases: [
    contentCase(1, ['peernet', 'peernet, caching', 'peernet V2']),
    contentCase(4, ['peernet']),
  ],
}
export default suite
