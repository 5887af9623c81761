// The acceptance scenarios of the simulator with many seeds (issue 2, Done 8), and the swarm.
//
//   npm run sim:long -- [--seeds 20] [--from 1] [--only NAME] [--quick]
//
// Prints one JSON line a run and appends it to bench/results/sim-DATE.jsonl, after a line that says
// when, from which commit and by which command. Ends with 1 when a run misses its mark.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runSwarm } from '#lib/testing/index.js'
import { joinFast, publishersDie, splitAndHeal, strangersMeet } from '../../test/sim/scenarios.js'
import { cpuSeconds, projectRoot } from '../bench.js'

interface Verdict {
  readonly ok: boolean
  readonly report: object
}

type Scenario = (seed: number, quick: boolean) => Verdict

const scenarios: Readonly<Record<string, Scenario>> = {
  /** 1,000 nodes within a second, 5 % loss, real RSA: every name and every node ten times. */
  join(seed, quick) {
    const report = joinFast(seed, { nodes: quick ? 50 : 1000, rounds: quick ? 1 : 10 })
    return { ok: report.found / report.asked >= 0.999, report }
  },
  /** 200 nodes cut in two for ten minutes, real RSA: all 39,800 pairs. */
  split(seed, quick) {
    const report = splitAndHeal(seed, { nodes: quick ? 20 : 200, rounds: 'all' })
    return { ok: report.found === report.asked, report }
  },
  /** The same with 1,000 nodes, every name and every node five times: a sample. */
  'split-1000'(seed, quick) {
    const report = splitAndHeal(seed, { nodes: quick ? 30 : 1000, rounds: 5 })
    return { ok: report.found === report.asked, report }
  },
  /** Two clouds of fifty that never met: all pairs. */
  strangers(seed, quick) {
    const report = strangersMeet(seed, { nodes: quick ? 20 : 100, rounds: 'all' })
    return { ok: report.found === report.asked, report }
  },
  /** A tenth of a hundred nodes dies without a word. */
  death(seed, quick) {
    const report = publishersDie(seed, { nodes: quick ? 20 : 100, rounds: 1 })
    const ok = report.wrong.length === 0 && report.slowestMs <= 3000 && report.leftOver === 0
    return { ok, report }
  },
  /** Random faults, then peace. */
  swarm(seed, quick) {
    const changes = quick ? { nodes: 10, faultsMs: 20_000 } : {}
    const report = runSwarm(seed, { changes })
    return { ok: report.violations.length === 0, report }
  },
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
    },
  })
  const names = Object.keys(scenarios).filter((name) => [name, ''].includes(values.only))
  if (names.length === 0)
    throw new Error(`--only wants one of ${Object.keys(scenarios).join(', ')}`)
  const directory = path.join(projectRoot, 'bench/results')
  mkdirSync(directory, { recursive: true })
  const file = path.join(directory, `sim-${new Date().toISOString().slice(0, 10)}.jsonl`)
  const print = (line: object): void => {
    const text = JSON.stringify(line)
    console.log(text)
    if (!values.quick) appendFileSync(file, `${text}\n`)
  }
  print({
    date: new Date().toISOString(),
    commit: commit(),
    command: ['npm run sim:long --', ...process.argv.slice(2)].join(' '),
    node: process.version,
    machine: `${os.cpus()[0]?.model ?? 'unknown'} x ${os.cpus().length}`,
  })
  const first = Number(values.from)
  let missed = 0
  for (const name of names) {
    for (let seed = first; seed < first + Number(values.seeds); seed++) {
      const before = cpuSeconds()
      const { ok, report } = (scenarios[name] as Scenario)(seed, values.quick)
      if (!ok) missed++
      print({ run: name, ok, cpuSeconds: Math.round(cpuSeconds() - before), ...report })
    }
  }
  print({ runs: names.length * Number(values.seeds), missed })
  process.exitCode = missed === 0 ? 0 : 1
}

main()
