// What a node that was away costs when it comes back: bytes on the loopback device, next to those
// of a full sync.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createGraph, openGraph, type Graph } from '#lib/index.js'
import { sleep, startSpan } from '../readings.js'
import { RECORD_BYTES } from './harness.js'

export const rejoinMetrics = {
  'bytes of a full sync': 'bytes',
  'bytes of coming back': 'bytes',
  'share of a full sync': '%',
  'time of coming back': 'ms',
} as const

const TYPE = '0b4f5a6e-2d19-4c35-8e70-b1a94c7d2f66'
/** Of the records: half of it is published by the other node meanwhile, half by the one away. */
const DIVERGENCE = 0.01
const AT_ONCE = 64
const PATIENCE_MS = 30_000

const common = { graphId: 'rejoin', addresses: ['::1'] } as const

/** Two nodes: with more of them, what one brings would be flooded, which is no sync. */
export async function measureRejoin(
  records: number,
  settleMs: number,
): Promise<Record<keyof typeof rejoinMetrics, number>> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'peernet-rejoin-'))
  const open = new Set<Graph>()
  try {
    const stays = await createGraph({ ...common, peerId: 'stays', directory: false })
    open.add(stays)
    await stays.listen()
    await publish(stays, records)
    await sleep(settleMs)

    const directory = path.join(home, 'away')
    const endFull = startSpan()
    const away = await openGraph({ ...common, peerId: 'away', directory })
    open.add(away)
    await away.join(stays.addresses)
    await complete([away], records)
    const full = endFull()
    await away.close()
    const half = Math.round((records * DIVERGENCE) / 2)
    await publish(stays, half)
    const back = await openGraph({ ...common, peerId: 'away', directory })
    open.add(back)
    await publish(back, half)
    await sleep(settleMs)
    const endBack = startSpan()
    await back.join(stays.addresses)
    await complete([stays, back], records + 2 * half)
    const again = endBack()
    return {
      'bytes of a full sync': full.bytes,
      'bytes of coming back': again.bytes,
      'share of a full sync': (again.bytes / full.bytes) * 100,
      'time of coming back': again.seconds * 1000,
    }
  } finally {
    await Promise.all([...open].map((graph) => graph.close()))
    await rm(home, { recursive: true, force: true })
  }
}

async function publish(graph: Graph, count: number): Promise<void> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const payload = crypto.getRandomValues(new Uint8Array(RECORD_BYTES))
      await graph.publish({ type: TYPE, payload })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Waits until all hold so many records. */
async function complete(graphs: readonly Graph[], count: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (graphs.some((graph) => graph.records({ type: TYPE }).length < count)) {
    if (performance.now() > until) throw new Error('some records did not come')
    await sleep(5)
  }
}
