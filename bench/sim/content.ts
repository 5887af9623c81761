// Swarms of peers that download one content, in virtual time (issue 4, Done 6).
//
//   npm run sim:content -- [--seeds 20] [--from 1] [--only NAME]
//
// Prints one JSON line a run and appends it to bench/results/DATE-sim-content.log, after a line
// that says when, from which commit and by which command. Ends with 1 when a run misses its mark.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import {
  allAtOnce,
  amongLiars,
  lone,
  oneAfterAnother,
  type SwarmReport,
} from '../../test/sim/content-scenarios.js'
import { cpuSeconds, projectRoot } from '../bench.js'

const scenarios: Readonly<Record<string, (seed: number) => SwarmReport>> = {
  /** 50 peers, one after another over the time of ten downloads: at most 1.3 contents. */
  'one-after-another': (seed) => oneAfterAnother(seed),
  /** 50 peers in one instant: at most 3 contents. */
  'all-at-once': (seed) => allAtOnce(seed),
  /** The same two with a content of 24 MiB, and with an origin ten times as fast. */
  'one-after-another-short': (seed) => oneAfterAnother(seed, { bytes: 24 * 1024 * 1024 }),
  'all-at-once-short': (seed) => allAtOnce(seed, { bytes: 24 * 1024 * 1024 }),
  'one-after-another-fast': (seed) => oneAfterAnother(seed, { originRate: 100_000_000 }),
  'all-at-once-fast': (seed) => allAtOnce(seed, { originRate: 100_000_000 }),
  /** And with content information of version 2. */
  'one-after-another-v2': (seed) => oneAfterAnother(seed, { version: 2 }),
  'all-at-once-v2': (seed) => allAtOnce(seed, { version: 2 }),
  /** 15 of 50 peers claim what they lack, corrupt, mistake or stall: all others finish. */
  liars: (seed) => amongLiars(seed),
  /** Nobody else: the time of the origin's uplink. */
  lone: (seed) => lone(seed),
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
}

function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      quiet: { type: 'boolean', default: false },
    },
  })
  const names = Object.keys(scenarios).filter((name) => [name, ''].includes(values.only))
  if (names.length === 0) {
    throw new Error(`--only wants one of ${Object.keys(scenarios).join(', ')}`)
  }
  const directory = path.join(projectRoot, 'bench/results')
  mkdirSync(directory, { recursive: true })
  const file = path.join(directory, `${new Date().toISOString().slice(0, 10)}-sim-content.log`)
  const print = (line: object): void => {
    const text = JSON.stringify(line)
    console.log(text)
    if (!values.quiet) appendFileSync(file, `${text}\n`)
  }
  print({
    date: new Date().toISOString(),
    commit: commit(),
    command: ['npm run sim:content --', ...process.argv.slice(2)].join(' '),
    node: process.version,
    machine: `${os.cpus()[0]?.model ?? 'unknown'} x ${os.cpus().length}`,
  })
  const first = Number(values.from)
  let missed = 0
  for (const name of names) {
    for (let seed = first; seed < first + Number(values.seeds); seed++) {
      const before = cpuSeconds()
      const report = (scenarios[name] as (seed: number) => SwarmReport)(seed)
      const ok = report.failures.length === 0
      if (!ok) missed++
      print({ run: name, seed, ok, cpu: Math.round((cpuSeconds() - before) * 10) / 10, ...report })
    }
  }
  print({ runs: names.length * Number(values.seeds), missed })
  process.exitCode = missed === 0 ? 0 : 1
}

main()
