// Runs the benchmarks.
//
//   npm run bench -- [NAME…] [--json] [--trials N] [--case TEXT] [--nodes N,…] [--record]
//                    [--ours] [--quick] [--list]
//
// NAME is that of a suite under bench/cases; all of them without one. Every value is the median of
// five trials; within a round the systems take turns, so that a slow minute of the machine hits all
// of them alike. `--json` prints one object a line:
// {"name","case","system","n","value","unit","ratioTo","ratio"}.
// `--case` keeps the cases whose name contains TEXT, `--nodes` those of these sizes; `--ours`
// leaves out what needs bench/peers. `--record` also writes the lines to
// bench/results/DATE-NAME.log, with date, commit and command.
// `--quick` runs each trial once, here, on inputs so small that the figures mean nothing: does
// everything still run?
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { installPeers } from './peers.js'
import { ResultLog } from './result-log.js'
import { median, type BenchCase, type BenchLine, type BenchSuite } from './bench.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const caseDirectory = path.join(here, 'cases')
const DEFAULT_LIMIT_SECONDS = 60

type Values = Readonly<Record<string, number>>

interface Options {
  readonly names: readonly string[]
  readonly json: boolean
  readonly trials: number
  readonly caseText: string
  /** Sizes to keep; none: all. */
  readonly nodes: readonly number[]
  readonly record: boolean
  readonly ours: boolean
  readonly quick: boolean
  readonly list: boolean
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      trials: { type: 'string' },
      case: { type: 'string', default: '' },
      nodes: { type: 'string' },
      record: { type: 'boolean', default: false },
      ours: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  })
  const { json, ours, quick, list, record } = values
  const trials = Number(values.trials ?? (quick ? 1 : 5))
  if (!Number.isInteger(trials) || trials < 1) throw new Error('--trials wants a number from 1 on')
  const nodes = values.nodes?.split(',').map(Number) ?? []
  if (!nodes.every(Number.isInteger)) throw new Error('--nodes wants numbers, such as 32,128')
  const { case: caseText } = values
  return { names: positionals, trials, json, ours, quick, list, record, nodes, caseText }
}

function suiteNames(): string[] {
  return readdirSync(caseDirectory)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort()
}

async function loadSuite(name: string): Promise<BenchSuite> {
  const url = pathToFileURL(path.join(caseDirectory, `${name}.js`)).href
  return ((await import(url)) as { default: BenchSuite }).default
}

/** Runs the rest of its command line with a loopback device and no other. */
const NAMESPACE = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

function checkMayIsolate(): void {
  const test = spawnSync(NAMESPACE[0] as string, [...NAMESPACE.slice(1), 'true'])
  if (test.status === 0) return
  throw new Error(
    'this benchmark makes network namespaces: run it as root, on Linux with util-linux ' +
      `and iproute2 (${test.error?.message ?? test.stderr.toString().trim()})`,
  )
}

/** One trial in a fresh process. A missing peer or a failure is an error, not a missing row. */
function runTrial(
  suite: string,
  index: number,
  system: string,
  { isolated = false, limitSeconds = DEFAULT_LIMIT_SECONDS }: BenchCase,
): Promise<Values> {
  const script = path.join(here, 'trial.js')
  const node = [process.execPath, '--expose-gc', script, suite, String(index), system]
  const [command = '', ...args] = isolated ? [...NAMESPACE, ...node] : node
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise((resolve, reject) => {
    let result: Values | undefined
    const limit = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000)
    child.on('message', (message) => {
      result = message as Values
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(limit)
      if (result !== undefined && code === 0) resolve(result)
      else reject(new Error(`${suite}: ${system} failed (${signal ?? `exit status ${code}`})`))
    })
  })
}

function withoutPeers(work: BenchCase): BenchCase {
  return { ...work, systems: work.systems.filter((system) => !work.peers?.includes(system)) }
}

async function runCase(
  suite: BenchSuite,
  index: number,
  { trials, quick, ours }: Options,
  progress: (text: string) => void,
): Promise<BenchLine[]> {
  const whole = suite.cases[index] as BenchCase
  const work = ours ? withoutPeers(whole) : whole
  if (work.systems.some((system) => work.peers?.includes(system))) installPeers()
  if (work.isolated && !quick) checkMayIsolate()
  const results = new Map<string, Values[]>(work.systems.map((system) => [system, []]))
  for (let round = 0; round < trials; round++) {
    for (const system of work.systems) {
      progress(`${suite.name}: ${work.case}, n=${work.n}: ${round + 1}/${trials} ${system}`)
      const values = quick
        ? await work.trial(system, { quick })
        : await runTrial(suite.name, index, system, work)
      results.get(system)?.push(values)
    }
  }
  progress('')
  return toLines(suite.name, work, results)
}

function toLines(
  name: string,
  work: BenchCase,
  results: ReadonlyMap<string, readonly Values[]>,
): BenchLine[] {
  const valueOf = (system: string, metric: string): number =>
    median((results.get(system) ?? []).map((values) => values[metric] ?? Number.NaN))
  const rounded = (value: number): number => Number(value.toPrecision(4))
  return Object.entries(work.metrics).flatMap(([metric, unit]) =>
    work.systems.map((system) => {
      const value = valueOf(system, metric)
      const hasRatio =
        system !== work.reference &&
        results.has(work.reference) &&
        valueOf(work.reference, metric) > 0
      return {
        name,
        case: `${work.case}, ${metric}`,
        system,
        n: work.n,
        value: rounded(value),
        unit,
        ratioTo: hasRatio ? work.reference : null,
        ratio: hasRatio ? rounded(value / valueOf(work.reference, metric)) : null,
      }
    }),
  )
}

function printTable(lines: readonly BenchLine[]): void {
  let heading = ''
  for (const line of lines) {
    const title = `${line.name}: ${line.case} (${line.unit}), n = ${line.n}`
    if (title !== heading) console.log(`\n${title}`)
    heading = title
    const value = line.value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
    const ratio = line.ratio === null ? '' : `  ${line.ratio.toFixed(2)} x ${line.ratioTo}`
    console.log(`  ${line.system.padEnd(34)} ${value.padStart(12)}${ratio}`)
  }
}

/** Progress on one line of a terminal; silent elsewhere. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function main(): Promise<void> {
  const options = readOptions()
  const known = suiteNames()
  const unknown = options.names.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new Error(`no benchmark named ${unknown.join(', ')}; there are ${known.join(', ')}`)
  }
  const log = options.record ? new ResultLog(options.names, process.argv.slice(2)) : undefined
  for (const name of options.names.length > 0 ? options.names : known) {
    const suite = await loadSuite(name)
    for (const [index, work] of suite.cases.entries()) {
      if (!work.case.includes(options.caseText)) continue
      if (options.nodes.length > 0 && !options.nodes.includes(work.n)) continue
      if (options.list) {
        console.log(`${name}: ${work.case}, n = ${work.n}: ${work.systems.join(', ')}`)
        continue
      }
      const lines = await runCase(suite, index, options, showProgress)
      log?.add(lines)
      if (options.json) for (const line of lines) console.log(JSON.stringify(line))
      else printTable(lines)
    }
  }
  log?.end()
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 1
}
