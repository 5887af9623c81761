// What a resolve costs in clouds of different sizes, in the simulator: the shipping machines, codec
// and cache, real joins, no loss.
//
//   npm run sim:hops -- [SIZE…] [--quick]
//
// Prints JSON lines like the benchmarks. Counts do not depend on the machine; the memory does, a
// little. Up to 1,000 nodes sign with real RSA, larger clouds with the keyed-hash provider.
import { parseArgs } from 'node:util'
import { ask, sampledQuestions, Simulation, type Answers } from '#lib/testing/index.js'
import { MessageType, ResolveReason } from '#lib/wire/constants.js'
import { cpuSeconds, type BenchLine } from '../bench.js'

/** Nodes join at this distance, so that every size has the same load. */
const JOIN_GAP_MS = 6
const SETTLE_MS = 60_000
const QUESTIONS = 2000
const REAL_RSA_UP_TO = 1000

const MESSAGE_ID = 8
const ACKED_MESSAGE_ID = 16

const word = (data: Uint8Array, at: number): number =>
  new DataView(data.buffer, data.byteOffset).getUint32(at)

/** Counts the packets of applications' resolves: what they send, and what answers them. */
function countResolvePackets(sim: Simulation): () => number {
  const asked = new Set<number>()
  let packets = 0
  sim.transmitted = ({ data, reason }) => {
    if (reason === ResolveReason.APP_REQUEST) {
      asked.add(word(data, MESSAGE_ID))
      packets++
    } else if (data[7] === MessageType.AUTHORITY && asked.has(word(data, ACKED_MESSAGE_ID))) {
      packets++
    }
  }
  return () => packets
}

const percentile = ({ elapsedMs }: Answers, share: number): number =>
  elapsedMs[Math.floor(elapsedMs.length * share)] ?? Number.NaN

function trial(nodes: number): Record<string, number> {
  const collect = globalThis.gc ?? ((): void => undefined)
  collect()
  const memoryBefore = process.memoryUsage().rss
  const cpuBefore = cpuSeconds()
  const crypto = nodes <= REAL_RSA_UP_TO ? 'rsa' : 'keyed-hash'
  const sim = new Simulation({ seed: 1, crypto })
  const first = sim.addNode()
  first.register('0.name-0')
  for (let i = 1; i < nodes; i++) {
    sim.runFor(JOIN_GAP_MS)
    sim.addNode({ seeds: [first] }).register(`0.name-${i}`)
  }
  sim.runFor(SETTLE_MS)
  const joinPackets = sim.stats.packets.sent
  const joinCpu = cpuSeconds() - cpuBefore
  collect()
  const memory = process.memoryUsage().rss - memoryBefore
  const packets = countResolvePackets(sim)
  const questions = sampledQuestions(sim, Math.ceil(QUESTIONS / nodes), sim.rng('questions'))
  const answers = ask(sim, questions.slice(0, QUESTIONS))
  if (answers.failures.length > 0) throw new Error(`${answers.failures.length} names not found`)
  return {
    lookups: answers.lookups / answers.asked,
    packets: packets() / answers.asked,
    median: percentile(answers, 0.5),
    'packets a node until settled': joinPackets / nodes,
    'cpu per packet': (joinCpu / joinPackets) * 1e6,
    'memory per node': memory / nodes / 1024,
  }
}

const UNITS: Readonly<Record<string, string>> = {
  lookups: 'LOOKUPs',
  packets: 'packets',
  median: 'virtual ms',
  'packets a node until settled': 'packets',
  'cpu per packet': 'us',
  'memory per node': 'KB',
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false } },
  })
  const sizes = positionals.length === 0 ? [10, 100, 1000, 10_000] : positionals.map(Number)
  for (const n of values.quick ? [10] : sizes) {
    for (const [metric, value] of Object.entries(trial(n))) {
      const line: BenchLine = {
        name: 'sim',
        case: `resolve among ${n} nodes, ${metric}`,
        system: 'peernet',
        n,
        value: Number(value.toPrecision(4)),
        unit: UNITS[metric] ?? '',
        ratioTo: null,
        ratio: null,
      }
      console.log(JSON.stringify(line))
    }
  }
}

main()
