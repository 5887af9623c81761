// SIGKILL at random moments while records are written (acceptance 5 of the graphing issue).
//
//   npm run graph:kill -- [--kills 100] [--writes 10000] [--seed 1]
//
// Prints one line a kill and appends it to bench/results/DATE-graph-kill.log, after a line that
// says when, from which commit and by which command. Ends with 1 when a record was lost.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { killDuringWrites } from '../test/support/graph-killer.js'
import { projectRoot } from './bench.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    writes: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
})
const [kills, writes, seed] = [Number(values.kills), Number(values.writes), Number(values.seed)]
const now = new Date()
const results = path.join(projectRoot, 'bench/results')
mkdirSync(results, { recursive: true })
const file = path.join(results, `${now.toISOString().slice(0, 10)}-graph-kill.log`)
const say = (line: string): void => {
  console.log(line)
  appendFileSync(file, `${line}\n`)
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: projectRoot,
  encoding: 'utf8',
}).trim()
const [cpu] = os.cpus()
say(`# ${now.toISOString()} commit ${commit}, node ${process.version}, ${cpu?.model ?? 'unknown'}`)
say(`# npm run graph:kill -- --kills ${kills} --writes ${writes} --seed ${seed}`)

const home = await mkdtemp(path.join(os.tmpdir(), 'peernet-kill-'))
const start = performance.now()
const rounds = await killDuringWrites({
  directory: path.join(home, 'graph'),
  kills,
  writes,
  seed,
  onRound: ({ round, acknowledged, total, stored, lost }) => {
    say(
      `kill ${round + 1}: ${acknowledged} acknowledged, ${total} in this store, ${stored} there, ` +
        `${lost.length} lost`,
    )
  },
}).finally(() => rm(home, { recursive: true, force: true }))
const lost = rounds.reduce((sum, round) => sum + round.lost.length, 0)
const seconds = ((performance.now() - start) / 1000).toFixed(0)
say(
  `# ${rounds.length} kills, ${lost} acknowledged records lost, every store readable, ${seconds} s`,
)
process.exitCode = lost === 0 ? 0 : 1
