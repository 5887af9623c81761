import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import type { Controller } from '../../daemon/controller.js'
import { openGraphs, storedGraphs, type OpenGraph } from '../../daemon/graph-places.js'
import { GraphService, type GraphRow } from '../../daemon/graph-service.js'
import { openGraph } from '../../index.js'
import type { Output } from '../output.js'
import { runAction } from '../session.js'

/** What an action on a graph gets. */
export interface GraphSession {
  readonly output: Output
  readonly controller: Controller
  /** Whose node it is. */
  readonly peerId: string
  /** False: only the stored database was opened, nobody else is reached. */
  readonly online: boolean
  readonly signal: AbortSignal
}

/**
 * What an action needs. 'open': a process that has the graph open; 'read': that, or the stored
 * database; 'write': the same, and when several nodes are there, to know which one.
 */
export type Need = 'open' | 'read' | 'write'

/** Who a user is in a graph unless `--peer-id` says otherwise. */
export function defaultPeerId(): string {
  try {
    return userInfo().username
  } catch {
    return 'peer'
  }
}

/** Runs an action on a graph that is open in a process of this user, or stored. */
export async function runOnGraph(
  command: Command,
  graphId: string,
  need: Need,
  action: (session: GraphSession) => Promise<void>,
): Promise<void> {
  await runAction(command, async (output, signal) => {
    const { peerId } = command.opts<{ peerId?: string }>()
    const open = await openGraphs(graphId)
    try {
      const found = choose(open, ({ row }) => row.peerId, peerId, need, graphId)
      if (found !== undefined) {
        const { client, row } = found
        const session = { output, signal, controller: client, peerId: row.peerId, online: true }
        await action(session).catch((error: unknown) => {
          throw withoutProcess(error, row)
        })
        return
      }
    } finally {
      await Promise.all(open.map(({ client }) => client.close()))
    }
    await onStored({ output, signal }, graphId, need, peerId, open, action)
  })
}

async function onStored(
  base: Pick<GraphSession, 'output' | 'signal'>,
  graphId: string,
  need: Need,
  wanted: string | undefined,
  open: readonly OpenGraph[],
  action: (session: GraphSession) => Promise<void>,
): Promise<void> {
  const stored = await storedGraphs(graphId)
  const place = choose(stored, (one) => one.peerId, wanted, need, graphId)
  if (place === undefined) throw notFound(graphId, wanted, stored, open)
  const { peerId } = place
  if (need === 'open') throw notOpen(graphId, peerId)
  const graph = await openGraph({ graphId, peerId, signal: base.signal, addresses: ['::1'] })
  try {
    await action({ ...base, controller: new GraphService(graph), peerId, online: false })
  } finally {
    await graph.close()
  }
}

function withoutProcess(error: unknown, { graphId, peerId }: GraphRow): unknown {
  if (!(error instanceof PeernetError) || error.code !== 'ERR_PEERNET_DAEMON_UNREACHABLE') {
    return error
  }
  const message = `the process that had ${graphId} open as ${peerId} has ended`
  return new PeernetError('ERR_PEERNET_DAEMON_UNREACHABLE', message, { cause: error })
}

/** That of the peer given, else the user's own, else the only one; for reading any one. */
function choose<T>(
  list: readonly T[],
  peerIdOf: (one: T) => string,
  wanted: string | undefined,
  need: Need,
  graphId: string,
): T | undefined {
  const named = list.find((one) => peerIdOf(one) === (wanted ?? defaultPeerId()))
  if (named !== undefined || wanted !== undefined) return named
  if (list.length <= 1 || need !== 'write') return list[0]
  const peers = list.map(peerIdOf).join(', ')
  throw new PeernetError(
    'ERR_PEERNET_INVALID_ARG',
    `several nodes of ${graphId} are here: say whose with --peer-id (${peers})`,
  )
}

function notOpen(graphId: string, peerId: string): PeernetError {
  return new PeernetError(
    'ERR_PEERNET_GRAPH_NOT_FOUND',
    `no process here has ${graphId} open as ${peerId}; in another terminal, ` +
      `\`peernet graph join ${graphId}\` goes back to it`,
  )
}

function notFound(
  graphId: string,
  wanted: string | undefined,
  stored: readonly { readonly peerId: string }[],
  open: readonly OpenGraph[],
): PeernetError {
  const peers = [...stored.map((one) => one.peerId), ...open.map(({ row }) => row.peerId)]
  const known = [...new Set(peers)].join(', ')
  const message =
    known === '' || wanted === undefined
      ? `${graphId} is not known here: \`peernet graph create ${graphId}\` makes it, ` +
        `\`peernet graph join ${graphId} '[address]:port'\` joins one`
      : `${wanted} is not in ${graphId} here; there is ${known}`
  return new PeernetError('ERR_PEERNET_GRAPH_NOT_FOUND', message)
}
