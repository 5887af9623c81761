// One run of a name system: boots a cloud of N nodes in this process, publishes signed 200-byte
// values, looks them up alone and 64 at once, and prints one JSON line. The same procedure for every
// system; an adapter says how each does it:
//   { name, create(N) -> nodes, put(node, i) -> key, get(node, key) -> truthy when found }
import {
  cpuSeconds,
  loopbackCounters,
  median,
  now,
  pick,
  quantile,
  residentMegabytes,
  within,
} from './measure.mjs'

const LIMIT_MS = 10_000

export async function measure(adapter, options) {
  const { nodes: count, puts = 60, alone = 400, together = 2000, settleMs = 0 } = options
  const memoryBefore = residentMegabytes()
  const bootStart = now()
  const nodes = await adapter.create(count)
  const bootSeconds = (now() - bootStart) / 1000
  if (settleMs > 0) await new Promise((resolve) => setTimeout(resolve, settleMs))
  const megabytesPerNode = (residentMegabytes() - memoryBefore) / count

  const idleStart = { at: now(), cpu: cpuSeconds(), ...loopbackCounters() }
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const idleSeconds = (now() - idleStart.at) / 1000
  const idle = {
    packetsPerNodeSecond: (loopbackCounters().packets - idleStart.packets) / idleSeconds / count,
    cpuPercent: ((cpuSeconds() - idleStart.cpu) / idleSeconds) * 100,
  }

  const keys = []
  for (let i = 0; i < puts; i++) {
    const owner = pick(count)
    const key = await within(adapter.put(nodes[owner], i), 2 * LIMIT_MS)
    if (key !== null) keys.push({ key, owner })
  }
  /** A random published key, asked by a node that did not publish it. */
  const question = () => {
    const { key, owner } = keys[pick(keys.length)]
    let asker
    do asker = pick(count)
    while (asker === owner)
    return [nodes[asker], key]
  }
  const ask = async () => {
    const [node, key] = question()
    const start = now()
    const found = await within(Promise.resolve(adapter.get(node, key)), LIMIT_MS)
    return { ms: now() - start, found: Boolean(found) }
  }
  for (let i = 0; i < 50; i++) await ask()

  const single = await phase(alone, 1, ask)
  const loaded = await phase(together, 64, ask)
  return {
    system: adapter.name,
    nodes: count,
    bootSeconds,
    megabytesPerNode,
    idle,
    published: keys.length,
    wanted: puts,
    single,
    loaded,
  }
}

async function phase(total, parallel, ask) {
  const before = { at: now(), cpu: cpuSeconds(), ...loopbackCounters() }
  const times = []
  let started = 0
  let found = 0
  const worker = async () => {
    while (started < total) {
      started++
      const result = await ask()
      times.push(result.ms)
      if (result.found) found++
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  const seconds = (now() - before.at) / 1000
  const after = loopbackCounters()
  return {
    total,
    found,
    medianMs: median(times),
    p99Ms: quantile(times, 0.99),
    perSecond: total / seconds,
    cpuMs: ((cpuSeconds() - before.cpu) * 1000) / total,
    packets: (after.packets - before.packets) / total,
    bytes: (after.bytes - before.bytes) / total,
  }
}
