import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PeernetError } from '../core/errors.js'
import { parseEndpoint } from '../core/address-text.js'
import { graphDirectory } from '../runtime/open-graph.js'
import { systemCode, writeFileAtomic } from '../storage/atomic-file.js'
import { statePaths } from '../storage/paths.js'
import { ControlClient } from './client.js'
import type { GraphRow } from './graph-service.js'

/** Where this user's things of one node in one graph are. */
export interface GraphPlace {
  readonly graphId: string
  readonly peerId: string
  /** The database. */
  readonly directory: string
  /** Control socket of the process that has the graph open. */
  readonly socket: string
  /** Where nodes of the graph listened when they were last seen. */
  readonly nodes: string
}

/** How many nodes are remembered. */
const REMEMBERED = 32

export function graphPlace(graphId: string, peerId: string): GraphPlace {
  const directory = graphDirectory(graphId, peerId)
  // A path of a socket has at most 107 bytes: the names do not always fit.
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 24)
  return {
    graphId,
    peerId,
    directory,
    socket: join(socketDirectory(), `${hash}.sock`),
    nodes: `${directory}.nodes.json`,
  }
}

function socketDirectory(): string {
  return join(dirname(statePaths().controlSocket), 'graphs')
}

/** The nodes that are stored here, of one graph or of all. */
export async function storedGraphs(graphId?: string): Promise<GraphPlace[]> {
  const root = join(statePaths().data, 'graphs')
  const folders =
    graphId === undefined ? await names(root) : [basename(dirname(graphDirectory(graphId, '-')))]
  const places: GraphPlace[] = []
  for (const folder of folders) {
    const id = graphId ?? nameOf(folder)
    if (id === undefined) continue
    for (const entry of await names(join(root, folder))) {
      const peerId = nameOf(entry)
      if (peerId !== undefined) places.push(graphPlace(id, peerId))
    }
  }
  return places.sort((a, b) => (a.directory < b.directory ? -1 : 1))
}

/** Folders only; none when there is no such place. */
async function names(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${directory}`, { cause: error })
  }
}

/** Undefined for names that were too long to keep (open-graph.ts). */
function nameOf(folder: string): string | undefined {
  if (folder.startsWith('~')) return undefined
  try {
    return decodeURIComponent(folder)
  } catch {
    return undefined
  }
}

/** A graph that is open in some process of this user. */
export interface OpenGraph {
  readonly row: GraphRow
  readonly client: ControlClient
}

/** Whoever gets these closes the clients. */
export async function openGraphs(graphId?: string): Promise<OpenGraph[]> {
  const found: OpenGraph[] = []
  for (const path of await sockets()) {
    const client = await ControlClient.connect(path).catch(() => undefined)
    if (client === undefined) continue
    const row = (await client.call('graph.status', {}).catch(() => undefined)) as
      GraphRow | undefined
    if (row !== undefined && (graphId === undefined || row.graphId === graphId)) {
      found.push({ row, client })
    } else {
      await client.close()
    }
  }
  return found.sort((a, b) => (a.row.peerId < b.row.peerId ? -1 : 1))
}

async function sockets(): Promise<string[]> {
  const directory = socketDirectory()
  const entries = await readdir(directory).catch(() => [])
  return entries.filter((name) => name.endsWith('.sock')).map((name) => join(directory, name))
}

/** `[address]:port` of nodes seen last time; none when nothing usable is written there. */
export async function rememberedNodes({ nodes }: GraphPlace): Promise<string[]> {
  try {
    const list = JSON.parse(await readFile(nodes, 'utf8')) as unknown
    if (!Array.isArray(list)) return []
    return list
      .filter((one): one is string => typeof one === 'string' && parseEndpoint(one) !== undefined)
      .slice(0, REMEMBERED)
  } catch {
    return []
  }
}

export async function rememberNodes(place: GraphPlace, nodes: readonly string[]): Promise<void> {
  if (nodes.length === 0) return
  const text = `${JSON.stringify([...new Set(nodes)].slice(0, REMEMBERED))}\n`
  await writeFileAtomic(place.nodes, text)
}
