// Graph.topology on real sockets of ::1: who is connected with whom, asked of every node.
import * as assert from 'uvu/assert'
import { createGraph, openGraph, type Graph, type GraphTopology, type PeernetError } from 'peernet'
import { suite } from '../harness.js'
import { until } from './support/until.js'

const test = suite('graph topology, sockets')
const LIMIT_MS = 20_000

async function mesh(count: number, silent: number): Promise<Graph[]> {
  const common = { directory: false, addresses: ['::1'] } as const
  const first = await createGraph({ ...common, peerId: 'peer-0' })
  await first.listen()
  const nodes = [first]
  for (let i = 1; i < count; i++) {
    const options = {
      ...common,
      graphId: first.id,
      peerId: `peer-${i}`,
      allowTopology: i !== silent,
    }
    const node = await openGraph(options)
    nodes.push(node)
    await node.join(first.addresses)
  }
  return nodes
}

/** What the nodes themselves say, without any message. */
function trueEdges(nodes: readonly Graph[]): string[] {
  const edges = nodes.flatMap((node) =>
    node.neighbors().map(({ nodeId }) => [node.nodeId, nodeId].sort().join(' ')),
  )
  return [...new Set(edges)].sort()
}

const edgesOf = (topology: GraphTopology): string[] => topology.edges.map((edge) => edge.join(' '))

test('every node tells its neighbours, without disturbing who waits for connections', async () => {
  const nodes = await mesh(7, 6)
  const [asker, second] = nodes as [Graph, Graph]
  const visits: unknown[] = []
  const incoming = second.directConnections()
  const direct = second.watch({ events: ['direct', 'data'] })
  const collect = [incoming, direct].map(async (stream) => {
    for await (const visit of stream) visits.push(visit)
  })
  try {
    await until(
      async () => {
        const before = trueEdges(nodes)
        const topology = await asker.topology()
        const same = edgesOf(topology).join() === trueEdges(nodes).join()
        const answered = topology.nodes.filter((node) => node.answered).length
        return topology.nodes.length === 7 && answered === 6 && same && before.length >= 6
      },
      LIMIT_MS,
      'the whole mesh',
    )
    const { nodes: told } = await asker.topology()
    const silent = told.find(({ answered }) => !answered)
    assert.is(silent?.nodeId, nodes[6]?.nodeId)
    assert.equal(
      told.map(({ peerId }) => peerId).sort(),
      nodes.map(({ peerId }) => peerId),
    )
    assert.equal(
      told.filter(({ self }) => self).map(({ nodeId }) => nodeId),
      [asker.nodeId],
    )
    await until(
      () =>
        Promise.resolve(nodes.every((n) => n.statistics.connections === n.statistics.neighbors)),
      LIMIT_MS,
      'visits end',
    )
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    await Promise.all(collect)
  }
  assert.equal(visits, [])
})

const codeOf = (error: unknown): string => (error as PeernetError).code

test('a node alone, one that aborts, and a closed one', async () => {
  const graph = await createGraph({ directory: false, addresses: ['::1'], peerId: 'ada' })
  await graph.listen()
  const { nodes, edges } = await graph.topology()
  assert.equal([nodes.map(({ self, answered }) => [self, answered]), edges], [[[true, true]], []])
  const aborted = graph.topology({ signal: AbortSignal.abort() })
  assert.is(await aborted.then(String, codeOf), 'ERR_PEERNET_ABORTED')
  assert.throws(() => graph.topology({ timeoutMs: Number.NaN }), /timeoutMs/)
  await graph.close()
  assert.throws(() => graph.topology(), /closed/)
})

test.run()
