// Processes in a line, and a large record that crosses all its links, while small ones are
// published everywhere.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { median, projectRoot } from '../bench.js'
import { sleep } from '../readings.js'
import { besideLarge, hopsOf, type Hop, type Log } from './hops.js'
import {
  LARGE_FROM,
  SMALL_RANGE,
  type LineAnswers,
  type LineCommand,
  type LineNews,
  type LineSystem,
} from './node.js'

const SCRIPT = path.join(projectRoot, 'build/js/bench/line/host.js')
const PATIENCE_MS = 60_000

export const lineMetrics = {
  'four hops': 'ms',
  'small records, p99 idle': 'ms',
  'small records on links it is not on, p99': 'ms',
  'those, and ones it came upon, p99': 'ms',
  'small records on links it is on, p99': 'ms',
  'memory of a relay, above idle': 'x the record',
} as const

interface Reply {
  readonly at?: number
  readonly value?: unknown
  readonly error?: string
  readonly large?: number
}

class LineHost {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #ready: Promise<void>
  readonly #large = new Map<number, () => void>()
  #next = 0

  constructor(system: LineSystem, place: number, directory: string) {
    this.#child = fork(SCRIPT, [system, String(place), directory], { execArgv: ['--expose-gc'] })
    this.#ready = new Promise((resolve) => {
      this.#child.on('message', (reply: Reply & Partial<LineNews>) => {
        if (reply.large !== undefined) this.#large.get(reply.large)?.()
        else if (reply.at === undefined) resolve()
        else this.#waiting.get(reply.at)?.(reply)
      })
    })
  }

  async ask<D extends LineCommand['do']>(
    command: LineCommand & { readonly do: D },
  ): Promise<LineAnswers[D]> {
    await this.#ready
    const at = this.#next++
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(at, resolve)
      this.#child.send({ at, command })
    })
    this.#waiting.delete(at)
    if (reply.error !== undefined) throw new Error(reply.error)
    return reply.value as LineAnswers[D]
  }

  /** A large record has come. */
  arrival(record: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error('the large record did not come'))
      }, PATIENCE_MS)
      this.#large.set(record, () => {
        clearTimeout(limit)
        resolve()
      })
    })
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

interface Plan {
  readonly nodes: number
  /** Bytes of the large record. */
  readonly bytes: number
  readonly times: number
  readonly idleMs: number
  /** Each node publishes a small record every so many ms. */
  readonly everyMs: number
}

export async function measureLine(
  system: LineSystem,
  plan: Plan,
): Promise<Record<keyof typeof lineMetrics, number>> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'peernet-line-'))
  const hosts = Array.from({ length: plan.nodes }, (_, place) => {
    return new LineHost(system, place, path.join(home, `node-${place}`))
  })
  try {
    const [first] = hosts as [LineHost]
    let port = await first.ask({ do: 'listen' })
    for (const host of hosts.slice(1)) {
      await host.ask({ do: 'connect', port })
      port = await host.ask({ do: 'listen' })
    }
    return await run(hosts, plan)
  } finally {
    for (const host of hosts) host.end()
    await rm(home, { recursive: true, force: true })
  }
}

async function run(
  hosts: readonly LineHost[],
  { bytes, times, idleMs, everyMs }: Plan,
): Promise<Record<keyof typeof lineMetrics, number>> {
  // The one in the middle.
  const relay = hosts[hosts.length >> 1] as LineHost
  for (const [place, host] of hosts.entries()) {
    await host.ask({ do: 'chatter', first: place * SMALL_RANGE, everyMs })
  }
  // Code is compiled, buffers have their size.
  await sleep(idleMs)
  await cross(hosts, LARGE_FROM, Math.ceil(bytes / 8))
  await collect(hosts)
  await sleep(idleMs)
  const idle = hopsOf(await collect(hosts))

  const beside: Record<'unused' | 'free' | 'used', Hop[]> = { unused: [], free: [], used: [] }
  const took: number[] = []
  const memory: number[] = []
  for (let i = 1; i <= times; i++) {
    const { now } = await relay.ask({ do: 'memory' })
    await sleep(100)
    await collect(hosts)
    const record = LARGE_FROM + i
    await cross(hosts, record, bytes)
    await sleep(100)
    const log = await collect(hosts)
    const at = momentsOf(log, record)
    took.push((at.at(-1) as number) - (at[0] as number))
    const found = besideLarge(log, at)
    beside.unused.push(...found.unused)
    beside.free.push(...found.free)
    beside.used.push(...found.used)
    const { peak } = await relay.ask({ do: 'memory' })
    memory.push(((peak - now) * 1024 * 1024) / bytes)
    await hosts[0]?.ask({ do: 'forget', record })
    await sleep(idleMs / 4)
  }
  await Promise.all(hosts.map((host) => host.ask({ do: 'rest' })))
  return {
    'four hops': median(took),
    'small records, p99 idle': p99(idle),
    'small records on links it is not on, p99': p99(beside.unused),
    'those, and ones it came upon, p99': p99(beside.free),
    'small records on links it is on, p99': p99(beside.used),
    'memory of a relay, above idle': Math.max(...memory),
  }
}

/** When the record was at each node. */
function momentsOf(log: Log, record: number): number[] {
  const at = log.map((arrivals) => arrivals.get(record) ?? Number.NaN)
  const isLine = at.every((moment, place) => place === 0 || moment > (at[place - 1] as number))
  if (!isLine) throw new Error('the large record did not take the way along the line')
  return at
}

/** Publishes a large record at one end and waits for it at the other. */
async function cross(hosts: readonly LineHost[], record: number, bytes: number): Promise<void> {
  const arrived = (hosts.at(-1) as LineHost).arrival(record)
  await Promise.all([hosts[0]?.ask({ do: 'publish', record, bytes }), arrived])
}

function collect(hosts: readonly LineHost[]): Promise<Log> {
  return Promise.all(hosts.map(async (host) => new Map(await host.ask({ do: 'arrivals' }))))
}

function p99(hops: readonly Hop[]): number {
  const sorted = hops.map((hop) => hop.took).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? Number.NaN
}
