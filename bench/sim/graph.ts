// The acceptance scenarios of graphs in simulation with many seeds (issue 3, Done 2).
//
//   npm run sim:graph -- [--seeds 50] [--from 1] [--only NAME] [--quick]
//
// Prints one JSON line a run and appends it to bench/results/DATE-sim-graph.log, after a line that
// says when, from which commit and by which command. Ends with 1 when a run misses its mark.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { graphLives, returnsAfterDays, strangersMeet } from '../../test/sim/graph-scenarios.js'
import { cpuSeconds, projectRoot } from '../bench.js'

type Scenario = (seed: number, quick: boolean) => { readonly failures: readonly string[] }

const scenarios: Readonly<Record<string, Scenario>> = {
  /**
   * 200 nodes: degree and hops after 15 minutes; a cut of five minutes; half of them killed. By the
   * text's own timers and lifetimes.
   */
  life: (seed, quick) => graphLives(seed, { nodes: quick ? 40 : 200 }),
  /** Two halves of 40 that know nothing of each other: only the application can help. */
  strangers: (seed, quick) => strangersMeet(seed, quick ? 16 : 40),
  /** A node comes back after three days. */
  return: (seed) => returnsAfterDays(seed),
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
      seeds: { type: 'string', default: '50' },
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
  const file = path.join(directory, `${new Date().toISOString().slice(0, 10)}-sim-graph.log`)
  const print = (line: object): void => {
    const text = JSON.stringify(line)
    console.log(text)
    if (!values.quick) appendFileSync(file, `${text}\n`)
  }
  print({
    date: new Date().toISOString(),
    commit: commit(),
    command: ['npm run sim:graph --', ...process.argv.slice(2)].join(' '),
    node: process.version,
    machine: `${os.cpus()[0]?.model ?? 'unknown'} x ${os.cpus().length}`,
  })
  const first = Number(values.from)
  let missed = 0
  for (const name of names) {
    for (let seed = first; seed < first + Number(values.seeds); seed++) {
      const before = cpuSeconds()
      const report = (scenarios[name] as Scenario)(seed, values.quick)
      const ok = report.failures.length === 0
      if (!ok) missed++
      print({ run: name, seed, ok, cpuSeconds: Math.round(cpuSeconds() - before), ...report })
    }
  }
  print({ runs: names.length * Number(values.seeds), missed })
  process.exitCode = missed === 0 ? 0 : 1
}

main()
