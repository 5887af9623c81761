import { PeernetError } from '../core/errors.js'
import type { GraphContext } from '../graph/context.js'
import { compareRecords } from '../graph/conflict.js'
import { isPersisted } from '../graph/record-drafts.js'
import type { GraphWrite } from '../graph/interface.js'
import type { StoredRecord } from '../graph/machine.js'
import { readGraphExport, writeGraphExport, type GraphExport } from '../storage/graph-export.js'
import type { GraphIdentity, LoadedStore, RecordStore } from '../storage/record-store.js'

/** What a node holds and would store. */
function contentOf(context: GraphContext): StoredRecord[] {
  const { database } = context
  const records: StoredRecord[] = []
  for (const record of database) {
    if (!isPersisted(record.type) || database.current(record.id) === undefined) continue
    records.push({ record, autorefresh: database.autorefreshes(record.id) })
  }
  return records
}

export async function exportGraph(
  path: string,
  store: RecordStore,
  context: GraphContext,
): Promise<void> {
  const { peerTimeDelta, leftAt } = context
  const connected = context.parts.links.neighbors.length > 0
  const left = connected ? context.peerTime : leftAt
  await writeGraphExport(path, {
    identity: { ...store.identity, properties: { ...context.properties } },
    clock: left === undefined ? undefined : { peerTimeDelta, leftAt: left },
    records: contentOf(context),
  })
}

/** Reads an export and sees to it that it is of this graph and this user. */
export async function readExportFor(
  path: string,
  wanted: Pick<GraphIdentity, 'graphId' | 'peerId' | 'security'>,
): Promise<GraphExport> {
  const content = await readGraphExport(path)
  const { identity } = content
  checkSecurity(path, identity, wanted)
  for (const name of ['graphId', 'peerId'] as const) {
    if (identity[name] === wanted[name]) continue
    const what = name === 'graphId' ? 'graph' : 'user'
    throw new PeernetError(
      'ERR_PEERNET_INVALID_DATABASE',
      `${path} is of another ${what}: ${identity[name]}, not ${wanted[name]}`,
    )
  }
  return content
}

type Secured = Pick<GraphIdentity, 'security'>

/**
 * 3.1.4.2: a database is opened with the security provider that the graph has had from the
 * beginning, or its records could not be judged. Throws ERR_PEERNET_INVALID_DATABASE.
 */
export function checkSecurity(place: string, held: Secured, wanted: Secured): void {
  if (held.security === wanted.security) return
  const nameOf = ({ security }: Secured): string => security ?? 'no security provider'
  throw new PeernetError(
    'ERR_PEERNET_INVALID_DATABASE',
    `${place} is of a graph with ${nameOf(held)}, not with ${nameOf(wanted)}`,
  )
}

/** Puts what is newer in an export into the store; returns what a machine is then to load. */
export async function importIntoGraph(
  path: string,
  store: RecordStore,
  context: GraphContext,
): Promise<LoadedStore> {
  const content = await readExportFor(path, store.identity)
  const merged = new Map(contentOf(context).map((stored) => [stored.record.id, stored]))
  const writes: GraphWrite[] = []
  for (const stored of content.records) {
    const held = merged.get(stored.record.id)
    if (held !== undefined && compareRecords(stored.record, held.record) <= 0) continue
    merged.set(stored.record.id, stored)
    writes.push({ type: 'put', ...stored })
  }
  const clock = content.clock ?? ownClock(context)
  if (clock !== undefined) writes.push({ type: 'clock', ...clock })
  await store.write(writes)
  return { records: [...merged.values()], clock }
}

function ownClock({ leftAt, peerTimeDelta }: GraphContext): LoadedStore['clock'] {
  return leftAt === undefined ? undefined : { peerTimeDelta, leftAt }
}
