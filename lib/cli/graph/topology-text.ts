import type { GraphTopology } from '../../index.js'
import type { Output } from '../output.js'
import type { Mesh } from '../picture/layout.js'
import { drawTerminal } from '../picture/terminal.js'
import { oneLine } from './print.js'

/** For drawing; texts of strangers are safe in it. */
export function meshOf({ nodes, edges }: GraphTopology): Mesh {
  const index = new Map(nodes.map(({ nodeId }, i) => [nodeId, i]))
  return {
    nodes: nodes.map(({ nodeId, peerId, self }) => ({
      label: peerId === '' ? nodeId.slice(0, 8) : oneLine(peerId),
      self,
    })),
    edges: edges.flatMap(([a, b]) => {
      const [from, to] = [index.get(a), index.get(b)]
      return from === undefined || to === undefined ? [] : [[from, to] as const]
    }),
  }
}

const ROWS_MAX = 24

/** As wide as the terminal, and not higher than what stays on it with the table. */
export function printPicture(output: Output, mesh: Mesh, most = ROWS_MAX): void {
  if (output.json || mesh.nodes.length < 2) return
  const { columns = 80, rows = 40 } = process.stdout
  const wanted = Math.max(7, Math.round(3 * Math.sqrt(mesh.nodes.length)) + 3)
  const size = {
    columns: Math.max(30, Math.min(columns - 1, 100)),
    rows: Math.min(wanted, most, Math.max(7, rows - 12)),
  }
  for (const line of drawTerminal(mesh, size)) output.line(line)
  output.line()
}

export function printNodes(output: Output, { nodes, edges }: GraphTopology): void {
  const degrees = new Map<string, number>()
  for (const end of edges.flat()) degrees.set(end, (degrees.get(end) ?? 0) + 1)
  output.table(
    ['NODE', 'PEER', 'ADDRESS', 'DEGREE', ''],
    nodes.map(({ nodeId, peerId, addresses, self, answered }) => [
      nodeId,
      oneLine(peerId),
      addresses[0] ?? '',
      `${degrees.get(nodeId) ?? 0}${answered ? '' : '+'}`,
      self ? 'this node' : answered ? '' : 'did not answer',
    ]),
  )
  const silent = nodes.filter(({ answered }) => !answered).length
  const mean = nodes.length === 0 ? 0 : (2 * edges.length) / nodes.length
  output.line()
  output.line(
    `${nodes.length} nodes, ${edges.length} connections, ${mean.toFixed(1)} neighbours each` +
      (silent === 0 ? '' : `; ${silent} did not say who its neighbours are`),
  )
}
