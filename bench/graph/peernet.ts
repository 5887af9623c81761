// peernet through its public library: every node is a graph object in memory on ::1, without a
// security provider. The mesh forms by itself.
import { createGraph, openGraph, type Graph } from '#lib/index.js'
import { writeEdges, type Edge } from './edges.js'
import type { GroupSystem, Receive } from './harness.js'

const TYPE = '5c6d1f0e-7f0b-4a58-9d15-9d7d1a52f3c1'
/** The record's number, then its payload. */
const NUMBER = 4

const options = { graphId: 'bench', addresses: ['::1'], directory: false } as const
const LEAST_NEIGHBORS = 2
/** A node with fewer goes on looking, so that edges come that the raw flood does not have. */
const IDEAL_NEIGHBORS = 3
const PATIENCE_MS = 60_000

function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0)
}

function listenFor(graph: Graph, receive: (record: number) => void): void {
  graph.subscribe({ types: [TYPE] }, (event) => {
    if (event.type === 'record' && !event.local) receive(numberOf(event.record.payload))
  })
}

/** The first node that has room lets another in, and refers it to others. */
async function joinOne(index: number, graphs: readonly Graph[]): Promise<Graph> {
  const graph = await openGraph({ ...options, peerId: `peer-${index}` })
  const others = graphs.map((one) => one.addresses[0] as string)
  const start = Math.floor(Math.random() * others.length)
  await graph.join([...others.slice(start), ...others.slice(0, start)])
  return graph
}

/**
 * Waits until the mesh has made its connections: each node has enough, and no more come. A handful
 * of nodes, for a quick look, need not have that much.
 */
async function settle(graphs: readonly Graph[]): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  const all = (enough: number): boolean => graphs.every((one) => one.neighbors().length >= enough)
  const wanted = graphs.length > 4 ? IDEAL_NEIGHBORS : Math.min(LEAST_NEIGHBORS, graphs.length - 1)
  while (!all(wanted)) {
    if (performance.now() > until) {
      if (all(Math.min(LEAST_NEIGHBORS, wanted))) return
      throw new Error('the mesh did not form')
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function edgesOf(graphs: readonly Graph[]): Edge[] {
  const places = new Map(graphs.map((graph, i) => [graph.nodeId, i]))
  return graphs.flatMap((graph, from) =>
    graph
      .neighbors()
      .filter(({ incoming }) => !incoming)
      .map(({ nodeId }): Edge => [from, places.get(nodeId ?? '') ?? Number.NaN]),
  )
}

export function peernetGraph(): GroupSystem {
  const graphs: Graph[] = []
  return {
    async create(count: number, receive: Receive) {
      for (let i = 0; i < count; i++) {
        const graph =
          i === 0 ? await createGraph({ ...options, peerId: 'peer-0' }) : await joinOne(i, graphs)
        if (i === 0) await graph.listen()
        listenFor(graph, (record) => {
          receive(i, record)
        })
        graphs.push(graph)
      }
      await settle(graphs)
      writeEdges(count, edgesOf(graphs))
    },
    async publish(node, record, payload) {
      const numbered = new Uint8Array(NUMBER + payload.length)
      new DataView(numbered.buffer).setUint32(0, record)
      numbered.set(payload, NUMBER)
      await graphs[node]?.publish({ type: TYPE, payload: numbered })
    },
    async join(count) {
      const graph = await joinOne(graphs.length, graphs)
      const { records } = graph.statistics
      if (records < count) throw new Error(`joined with ${records} of ${count} records`)
      await graph.close()
    },
    async close() {
      await Promise.all(graphs.map((graph) => graph.close()))
    },
  }
}
