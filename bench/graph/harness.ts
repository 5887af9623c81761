// One run of a replication system: N nodes in this process (beside what the system needs
// elsewhere), records of 256 bytes from random writers, and the moment at which every other node
// has each of them. The same procedure for every system.
import { median, type TrialOptions } from '../bench.js'
import { sleep, startSpan } from '../readings.js'

export const RECORD_BYTES = 256

/** Tells that a node has received a record. */
export type Receive = (node: number, record: number) => void

/** How a system does it. Adapters of packages are in bench/peers. */
export interface GroupSystem {
  /** Boots so many nodes; `receive` hears of the records that others wrote. */
  create(count: number, receive: Receive): Promise<void>
  publish(node: number, record: number, payload: Uint8Array): void | Promise<void>
  /** Nodes 0 .. writers-1 may publish; default all. */
  readonly writers?: number
  /** CPU seconds of other processes that belong to it. */
  otherCpuSeconds?(): number
  /** Writes many records at once where that is the system's way. */
  bulk?(first: number, count: number): Promise<void>
  /** A fresh node joins; ends when it holds so many records. */
  join(count: number): Promise<void>
  close(): Promise<void>
}

export const floodMetrics = {
  '64 at once': 'records per s',
  'CPU each, 64 at once': 'ms',
  'bytes each, 64 at once': 'bytes',
  'latency to all, median alone, fresh': 'ms',
  'latency to all, p99 alone, fresh': 'ms',
  'latency to all, median alone, later': 'ms',
  'latency to all, p99 alone, later': 'ms',
  'latency to each, p99 64 at once': 'ms',
  'bytes each, alone': 'bytes',
  lost: 'records',
} as const

export const syncMetrics = {
  'join and sync': 'ms',
  CPU: 's',
  bytes: 'bytes',
} as const

interface Effort {
  readonly settleMs: number
  /** In a process that has just begun: so many before, and those that are measured. */
  readonly freshWarmUp: number
  readonly fresh: number
  readonly freshPauseMs: number
  readonly warmUp: number
  /** One at a time after the warm-up: V8 adapts to the other load first. */
  readonly aloneWarmUp: number
  readonly alone: number
  readonly sustained: number
  readonly sustainedMs: number
}

const FULL: Effort = {
  settleMs: 2500,
  freshWarmUp: 10,
  fresh: 60,
  freshPauseMs: 5,
  warmUp: 3_000,
  aloneWarmUp: 100,
  alone: 300,
  sustained: 20_000,
  sustainedMs: 3_000,
}
const QUICK: Effort = {
  settleMs: 0,
  freshWarmUp: 1,
  fresh: 2,
  freshPauseMs: 1,
  warmUp: 2,
  aloneWarmUp: 1,
  alone: 3,
  sustained: 20,
  sustainedMs: 1_000,
}

const AT_ONCE = 64
const LIMIT_MS = 15_000

const pick = (count: number): number => Math.floor(Math.random() * count)

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

interface Pending {
  readonly at: number
  readonly got: Uint8Array
  missing: number
  readonly all: (ms: number | undefined) => void
}

/** Publishes records and sees them arrive. */
class Watcher {
  readonly each: number[] = []
  lost = 0
  readonly #system: GroupSystem
  readonly #nodes: number
  readonly #pending = new Map<number, Pending>()
  #next = 0

  constructor(system: GroupSystem, nodes: number) {
    this.#system = system
    this.#nodes = nodes
  }

  get published(): number {
    return this.#next
  }

  readonly receive: Receive = (node, record) => {
    const pending = this.#pending.get(record)
    if (pending === undefined || pending.got[node] === 1) return
    pending.got[node] = 1
    const ms = performance.now() - pending.at
    this.each.push(ms)
    if (--pending.missing > 0) return
    this.#pending.delete(record)
    pending.all(ms)
  }

  /** Milliseconds until all other nodes had it; undefined when some never did. */
  async publish(): Promise<number | undefined> {
    const writer = pick(this.#system.writers ?? this.#nodes)
    const record = this.#next++
    const payload = crypto.getRandomValues(new Uint8Array(RECORD_BYTES))
    const got = new Uint8Array(this.#nodes)
    got[writer] = 1
    const all = new Promise<number | undefined>((resolve) => {
      const limit = setTimeout(() => {
        this.lost++
        this.#pending.delete(record)
        resolve(undefined)
      }, LIMIT_MS)
      const done = (ms: number | undefined): void => {
        clearTimeout(limit)
        resolve(ms)
      }
      const at = performance.now()
      this.#pending.set(record, { at, got, missing: this.#nodes - 1, all: done })
    })
    await this.#system.publish(writer, record, payload)
    return all
  }
}

async function inParallel(
  parallel: number,
  goesOn: () => boolean,
  work: () => Promise<unknown>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    while (goesOn()) await work()
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}

/** Milliseconds until all had each record. */
async function oneByOne(
  watcher: Watcher,
  count: number,
  limitMs: number,
  pauseMs = 1,
): Promise<number[]> {
  const alone: number[] = []
  const until = performance.now() + limitMs
  while (alone.length < count && performance.now() < until) {
    const ms = await watcher.publish()
    if (ms !== undefined) alone.push(ms)
    // What was acknowledged goes out before the next record.
    await sleep(pauseMs)
  }
  return alone
}

export async function measureFlood(
  system: GroupSystem,
  nodes: number,
  { quick }: TrialOptions,
): Promise<Record<keyof typeof floodMetrics, number>> {
  const effort = quick ? QUICK : FULL
  const watcher = new Watcher(system, nodes)
  await system.create(nodes, watcher.receive)
  await sleep(effort.settleMs)

  await oneByOne(watcher, effort.freshWarmUp, 2 * effort.sustainedMs, 0)
  const fresh = await oneByOne(watcher, effort.fresh, 5 * effort.sustainedMs, effort.freshPauseMs)

  const first = watcher.published
  const warmUntil = performance.now() + effort.sustainedMs
  await inParallel(
    AT_ONCE,
    () => watcher.published < first + effort.warmUp && performance.now() < warmUntil,
    () => watcher.publish(),
  )

  await oneByOne(watcher, effort.aloneWarmUp, 2 * effort.sustainedMs)
  const endAlone = startSpan()
  const alone = await oneByOne(watcher, effort.alone, 2 * effort.sustainedMs)
  const single = endAlone()

  watcher.each.length = 0
  const before = watcher.published
  const otherBefore = system.otherCpuSeconds?.() ?? 0
  const until = performance.now() + effort.sustainedMs
  const endTogether = startSpan()
  await inParallel(
    AT_ONCE,
    () => watcher.published - before < effort.sustained && performance.now() < until,
    () => watcher.publish(),
  )
  const together = endTogether()
  const count = watcher.published - before
  const cpu = together.cpuSeconds + (system.otherCpuSeconds?.() ?? 0) - otherBefore
  await system.close()
  return {
    '64 at once': count / together.seconds,
    'CPU each, 64 at once': (cpu * 1000) / count,
    'bytes each, 64 at once': together.bytes / count,
    'latency to all, median alone, fresh': median(fresh),
    'latency to all, p99 alone, fresh': quantile(fresh, 0.99),
    'latency to all, median alone, later': median(alone),
    'latency to all, p99 alone, later': quantile(alone, 0.99),
    'latency to each, p99 64 at once': quantile(watcher.each, 0.99),
    'bytes each, alone': single.bytes / alone.length,
    lost: watcher.lost,
  }
}

/** Loads a group with records, then lets a fresh node join and synchronise, three times. */
export async function measureSync(
  system: GroupSystem,
  nodes: number,
  records: number,
  { quick }: TrialOptions,
): Promise<Record<keyof typeof syncMetrics, number>> {
  const watcher = new Watcher(system, nodes)
  const total = quick ? 20 : records
  await system.create(nodes, watcher.receive)
  if (system.bulk !== undefined) await system.bulk(0, total)
  else {
    await inParallel(
      AT_ONCE,
      () => watcher.published < total,
      () => watcher.publish(),
    )
  }
  if (watcher.lost > 0) throw new Error(`${watcher.lost} records did not reach everybody`)
  await sleep(quick ? 0 : 1000)
  const spans: { ms: number; cpu: number; bytes: number }[] = []
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    const end = startSpan()
    const otherBefore = system.otherCpuSeconds?.() ?? 0
    await system.join(total)
    const { seconds, cpuSeconds, bytes } = end()
    const cpu = cpuSeconds + (system.otherCpuSeconds?.() ?? 0) - otherBefore
    spans.push({ ms: seconds * 1000, cpu, bytes })
  }
  await system.close()
  return {
    'join and sync': median(spans.map(({ ms }) => ms)),
    CPU: median(spans.map(({ cpu }) => cpu)),
    bytes: median(spans.map(({ bytes }) => bytes)),
  }
}
