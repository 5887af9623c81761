// A graph at work for an hour over real sockets, with nodes that come and go (acceptance 7 of the
// graphing issue).
//
//   npm run graph:soak -- [--nodes 32] [--minutes 60] [--rate 8] [--seed 1] [--quick]
//
// Nodes live in four processes. Three of them stay and are measured; the last is killed with
// SIGKILL every third minute and begins again from its stores. In the others a node closes and
// comes back, or TCP connections are reset. Meanwhile records are published, updated, deleted and
// expire. Once a minute everything rests until all nodes hold the same, and a line of JSON is
// printed and appended to bench/results/DATE-graph-soak.log. Ends with 1 when the verdict is bad.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { SeededRng } from '#lib/core/rng.js'
import { projectRoot } from './bench.js'
import { Soak } from './soak/soak.js'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string' },
    minutes: { type: 'string' },
    rate: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
})
const { quick } = values
const nodes = Number(values.nodes ?? (quick ? 6 : 32))
const rounds = Number(values.minutes ?? (quick ? 3 : 60))
const rate = Number(values.rate ?? (quick ? 40 : 8))
const now = new Date()
const results = path.join(projectRoot, 'bench/results')
const file = path.join(results, `${now.toISOString().slice(0, 10)}-graph-soak.log`)
if (!quick) mkdirSync(results, { recursive: true })
const say = (line: string): void => {
  console.log(line)
  if (!quick) appendFileSync(file, `${line}\n`)
}

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim()
const changed = git('status', '--porcelain', '-uno') === '' ? '' : '+'
const commit = git('rev-parse', '--short', 'HEAD') + changed
say(
  `# ${now.toISOString()} commit ${commit}, node ${process.version}, ` +
    `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown'}`,
)
say(`# npm run graph:soak -- ${process.argv.slice(2).join(' ')}`)

const home = await mkdtemp(path.join(os.tmpdir(), 'peernet-soak-'))
const soak = new Soak({
  home,
  nodes,
  rate,
  rounds,
  roundMs: quick ? 2_000 : 60_000,
  lifetimeMs: quick ? [2_000, 20_000] : [30_000, 300_000],
  rng: new SeededRng(Number(values.seed)),
  say: (line) => {
    say(JSON.stringify(line))
  },
})
try {
  const verdict = await soak.run()
  process.exitCode = verdict.ok ? 0 : 1
} finally {
  await soak.end()
  await rm(home, { recursive: true, force: true })
}
