import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { PeernetError } from '../../../core/errors.js'
import type { JsonObject } from '../../../daemon/controller.js'
import type { GraphRow } from '../../../daemon/graph-service.js'
import type { GraphTopology, NeighborInfo } from '../../../index.js'
import { parseDuration, parseGuidText, TEXT_TYPE } from '../../graph/arguments.js'
import { oneLine } from '../../graph/print.js'
import { runOnGraph } from '../../graph/session.js'
import { meshOf, printNodes, printPicture } from '../../graph/topology-text.js'
import { drawDot, drawSvg } from '../../picture/files.js'
import { safeText, type Output } from '../../output.js'
import { withContentOf, withPeer } from './records.js'

/** `status`, `neighbors`, `topology`, `send`. */
export function addMesh(graph: Command): void {
  addStatus(graph)
  addNeighbors(graph)
  addTopology(graph)
  addSend(graph)
}

function addStatus(graph: Command): void {
  const status = withPeer(
    graph.command('status').argument('<graph>').description('how a node here stands'),
  )
  status.action((graphId: string) =>
    runOnGraph(status, graphId, 'read', async ({ controller, output, online }) => {
      const row = (await controller.call('graph.status', {})) as GraphRow
      output.value({ ...row, open: online })
      const { connected, synchronized } = row as unknown as Record<string, boolean>
      output.line(`Graph      ${output.paint('bold', safeText(row.graphId))}`)
      if (row.friendlyName !== '') output.line(`Name       ${safeText(row.friendlyName)}`)
      output.line(`Node       ${safeText(row.peerId)} ${online ? row.nodeId : '(not open)'}`)
      for (const address of row.addresses) output.line(`Address    ${address}`)
      if (online) {
        const state = connected ? `${row.neighbors} neighbours` : 'alone'
        output.line(`Mesh       ${state}, ${row.nodes} nodes`)
      }
      const complete = synchronized || !online ? '' : ' (not all of them yet)'
      output.line(`Records    ${row.records}${complete}`)
    }),
  )
}

function addNeighbors(graph: Command): void {
  const neighbors = withPeer(
    graph.command('neighbors').argument('<graph>').description('nodes that this one talks to'),
  )
  neighbors.action((graphId: string) =>
    runOnGraph(neighbors, graphId, 'open', async ({ controller, output }) => {
      const rows = (await controller.call('graph.neighbors', {})) as unknown as NeighborInfo[]
      for (const row of rows) output.value(row as unknown as JsonObject)
      output.table(
        ['NODE', 'PEER', 'ADDRESS', 'OPENED BY', 'USEFUL'],
        rows.map(({ nodeId, peerId, remote, addresses, incoming, utility }) => [
          nodeId ?? '',
          oneLine(peerId ?? ''),
          addresses[0] ?? remote,
          incoming ? 'it' : 'us',
          `${Math.round(utility / 40.96)} %`,
        ]),
      )
    }),
  )
}

interface TopologyFlags {
  readonly svg?: string
  readonly dot?: string
  readonly timeout?: string
  readonly picture?: boolean
}

function addTopology(graph: Command): void {
  const topology = withPeer(
    graph
      .command('topology')
      .argument('<graph>')
      .description('draw who is connected with whom, in the whole graph')
      .option('--svg <file>', 'write a picture')
      .option('--dot <file>', "write a description for Graphviz's neato")
      .option('--timeout <time>', 'how long a node has to answer', '3s')
      .option('--no-picture', 'only the table'),
  )
  topology.action((graphId: string, flags: TopologyFlags) =>
    runOnGraph(topology, graphId, 'open', async ({ controller, output, signal }) => {
      const timeoutMs = parseDuration(flags.timeout ?? '3s')
      const found = (await controller.call(
        'graph.topology',
        { timeoutMs },
        { signal },
      )) as unknown as GraphTopology
      const mesh = meshOf(found)
      if (flags.svg !== undefined) await write(output, flags.svg, drawSvg(mesh))
      if (flags.dot !== undefined) await write(output, flags.dot, drawDot(mesh))
      output.value({ nodes: found.nodes, edges: found.edges } as unknown as JsonObject)
      if (flags.picture !== false) printPicture(output, mesh)
      printNodes(output, found)
    }),
  )
}

async function write(output: Output, file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${file}`, { cause: error })
  }
  output.problem(`Wrote ${file}`)
}

function addSend(graph: Command): void {
  const send = withPeer(
    graph
      .command('send')
      .argument('<graph>')
      .argument('<node>', 'node ID, 16 hex digits (`neighbors` and `topology` show them)')
      .argument('[text]')
      .description('send data to one node that expects it')
      .option('--file <path>', 'the data; - reads standard input')
      .option('--type <guid>', 'data type (default: that of texts)', TEXT_TYPE),
  )
  send.action(
    (
      graphId: string,
      node: string,
      text: string | undefined,
      flags: { type: string; file?: string },
    ) =>
      runOnGraph(send, graphId, 'open', async ({ controller, output }) => {
        if (!/^[0-9a-f]{16}$/i.test(node)) {
          throw new PeernetError('ERR_PEERNET_INVALID_ARG', `not a node ID: ${node}`)
        }
        const type = parseGuidText(flags.type, '--type')
        const row = await withContentOf(text, flags, (content) =>
          controller.call('graph.send', { node, type, ...content }),
        )
        output.value(row)
        output.line(`Sent ${(row as { bytes: number }).bytes} bytes`)
      }),
  )
}
