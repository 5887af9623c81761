// One run of a name system: boots a cloud of N nodes in this process, publishes signed values and
// looks them up, alone and 64 at once. The same procedure for every system. What is measured is a
// process that has been at work for some seconds: first so many lookups go by that V8 has compiled
// what they need ('CPU each, first 1,000' tells what those cost).
import { median, type TrialOptions } from '../bench.js'
import { residentMegabytes, sleep, startSpan } from '../readings.js'

/** How a system does it; bench/peers/hyperdht.mjs is one, too. */
export interface NameSystem<Node = unknown, Key = unknown> {
  /** Boots a cloud of so many nodes. */
  create(count: number): Promise<Node[]>
  /** Publishes a new name with a signed value under a new key. */
  put(node: Node, index: number, value: Uint8Array): Promise<Key>
  /** Looks a name up; true when the value was found and its signature is good. */
  get(node: Node, key: Key): Promise<boolean>
  close(nodes: readonly Node[]): Promise<void>
}

export const metrics = {
  'CPU each, first 1,000': 'ms',
  'median alone': 'ms',
  'p99 alone': 'ms',
  'CPU each, alone': 'ms',
  '64 at once': 'per s',
  'CPU each, 64 at once': 'ms',
  'packets each': 'packets',
  'resident per idle node': 'MB',
  'resident per idle node, trimmed': 'MB',
  'resident in all, trimmed': 'MB',
  'idle packets per node': 'per s',
  'CPU of the idle cloud': '%',
  boot: 's',
  found: '%',
} as const

type Metrics = Record<keyof typeof metrics, number>

interface Effort {
  readonly settleMs: number
  readonly idleMs: number
  readonly names: number
  /** Lookups before measuring, one after the other and then 64 at once. */
  readonly warmUp: number
  readonly warmUpTogether: number
  readonly alone: number
  readonly together: number
}

const FULL: Effort = {
  settleMs: 5000,
  idleMs: 2000,
  names: 60,
  warmUp: 1000,
  warmUpTogether: 6000,
  alone: 400,
  together: 4000,
}
const QUICK: Effort = {
  settleMs: 0,
  idleMs: 10,
  names: 3,
  warmUp: 1,
  warmUpTogether: 0,
  alone: 5,
  together: 10,
}

const AT_ONCE = 64
const LIMIT_MS = 10_000

const pick = (count: number): number => Math.floor(Math.random() * count)

/** The promise's value, or undefined after the limit or a rejection. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([promise, late])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

interface Answer {
  readonly ms: number
  readonly found: boolean
}

async function inParallel(
  total: number,
  parallel: number,
  ask: () => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  let started = 0
  const worker = async (): Promise<void> => {
    while (started < total) {
      started++
      answers.push(await ask())
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return answers
}

/** Publishes names from random nodes; returns a question that another random node asks. */
async function publish<Node, Key>(
  system: NameSystem<Node, Key>,
  nodes: readonly Node[],
  names: number,
): Promise<() => Promise<Answer>> {
  const published: { readonly key: Key; readonly owner: number }[] = []
  for (let i = 0; i < names; i++) {
    const owner = pick(nodes.length)
    const value = crypto.getRandomValues(new Uint8Array(200))
    const key = await within(system.put(nodes[owner] as Node, i, value), 2 * LIMIT_MS)
    if (key === undefined) throw new Error(`a name could not be published`)
    published.push({ key, owner })
  }
  return async () => {
    const { key, owner } = published[pick(names)] as (typeof published)[number]
    const asker = (owner + 1 + pick(nodes.length - 1)) % nodes.length
    const start = performance.now()
    const found = await within(system.get(nodes[asker] as Node, key), LIMIT_MS)
    return { ms: performance.now() - start, found: found === true }
  }
}

export async function measureSystem<Node, Key>(
  system: NameSystem<Node, Key>,
  count: number,
  { quick }: TrialOptions,
): Promise<Metrics> {
  const effort = quick ? QUICK : FULL
  const memoryBefore = await residentMegabytes()
  const endBoot = startSpan()
  const nodes = await system.create(count)
  const boot = endBoot()
  await sleep(effort.settleMs)
  const memory = await residentMegabytes()
  const endIdle = startSpan()
  await sleep(effort.idleMs)
  const idle = endIdle()

  const ask = await publish(system, nodes, effort.names)
  const endWarmUp = startSpan()
  await inParallel(effort.warmUp, 1, ask)
  const warmUp = endWarmUp()
  await inParallel(effort.warmUpTogether, AT_ONCE, ask)
  const endAlone = startSpan()
  const single = await inParallel(effort.alone, 1, ask)
  const alone = endAlone()
  const endTogether = startSpan()
  const loaded = await inParallel(effort.together, AT_ONCE, ask)
  const together = endTogether()
  await system.close(nodes)

  const times = single.map(({ ms }) => ms).sort((a, b) => a - b)
  const all = [...single, ...loaded]
  return {
    'CPU each, first 1,000': (warmUp.cpuSeconds * 1000) / effort.warmUp,
    'median alone': median(times),
    'p99 alone': times[Math.floor(0.99 * times.length)] as number,
    'CPU each, alone': (alone.cpuSeconds * 1000) / effort.alone,
    '64 at once': effort.together / together.seconds,
    'CPU each, 64 at once': (together.cpuSeconds * 1000) / effort.together,
    'packets each': alone.packets / effort.alone,
    'resident per idle node': (memory.collected - memoryBefore.collected) / count,
    'resident per idle node, trimmed': (memory.trimmed - memoryBefore.trimmed) / count,
    'resident in all, trimmed': memory.trimmed,
    'idle packets per node': idle.packets / idle.seconds / count,
    'CPU of the idle cloud': (idle.cpuSeconds / idle.seconds) * 100,
    boot: boot.seconds,
    found: (100 * all.filter(({ found }) => found).length) / all.length,
  }
}
