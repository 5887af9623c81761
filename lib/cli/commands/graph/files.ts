import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { PeernetError } from '../../../core/errors.js'
import { graphPlace, openGraphs, storedGraphs } from '../../../daemon/graph-places.js'
import { deleteGraph, importGraph, openGraph } from '../../../index.js'
import { readGraphExport } from '../../../storage/graph-export.js'
import { LevelRecordStore } from '../../../storage/level-record-store.js'
import { oneLine } from '../../graph/print.js'
import { defaultPeerId, runOnGraph } from '../../graph/session.js'
import { safeText } from '../../output.js'
import { runAction } from '../../session.js'
import { withPeer } from './records.js'

/** `list`, `export`, `import`, `remove`. */
export function addFiles(graph: Command): void {
  addList(graph)
  addExportImport(graph)
  addRemove(graph)
}

function addList(graph: Command): void {
  const list = graph.command('list').description('graphs of this user on this host')
  list.action(() =>
    runAction(list, async (output) => {
      const open = await openGraphs()
      await Promise.all(open.map(({ client }) => client.close()))
      const stored = await storedGraphs()
      const closed = stored.filter(
        (place) =>
          !open.some(({ row }) => row.graphId === place.graphId && row.peerId === place.peerId),
      )
      for (const { row } of open) output.value({ ...row, open: true })
      for (const { graphId, peerId } of closed) output.value({ graphId, peerId, open: false })
      if (open.length + closed.length === 0) {
        output.line('No graph yet: `peernet graph create NAME` makes one.')
        return
      }
      output.table(
        ['GRAPH', 'PEER', 'OPEN', 'RECORDS', 'NEIGHBOURS', 'ADDRESS'],
        [
          ...open.map(({ row }) => [
            oneLine(row.graphId),
            oneLine(row.peerId),
            'yes',
            String(row.records),
            String(row.neighbors),
            row.addresses[0] ?? '',
          ]),
          ...closed.map(({ graphId, peerId }) => [oneLine(graphId), oneLine(peerId), 'no']),
        ],
      )
    }),
  )
}

function addExportImport(graph: Command): void {
  const save = withPeer(
    graph
      .command('export')
      .argument('<graph>')
      .argument('<file>')
      .description("write a node's database to a file, for another host or as a backup"),
  )
  save.action((graphId: string, file: string) =>
    runOnGraph(save, graphId, 'read', async ({ controller, output }) => {
      const row = await controller.call('graph.export', { file: resolve(file) })
      output.value(row)
      const { records } = row as { records: number }
      output.line(`Wrote ${records} records to ${file}`)
    }),
  )

  const load = withPeer(
    graph
      .command('import')
      .argument('<graph>')
      .argument('<file>')
      .description('take in the records of an export; newer ones replace what is here'),
  )
  load.action((graphId: string, file: string, flags: { peerId?: string }) =>
    runAction(load, async (output) => {
      const path = resolve(file)
      const peerId = flags.peerId ?? (await readGraphExport(path)).identity.peerId
      await refuseOpen(graphId, peerId, 'take in an export')
      const { directory } = graphPlace(graphId, peerId)
      const isNew = !(await LevelRecordStore.exists(directory))
      const common = { graphId, peerId, addresses: ['::1'] }
      const node = isNew ? await importGraph(path, common) : await openGraph(common)
      try {
        if (!isNew) await node.importDatabase(path)
        const records = node.records().length
        output.value({ graphId: node.id, peerId, records, created: isNew })
        output.line(`${safeText(peerId)} has ${records} records of ${safeText(graphId)} now.`)
        output.line(
          `\`peernet graph join ${safeText(graphId)} '[address]:port'\` goes to the others.`,
        )
      } finally {
        await node.close()
      }
    }),
  )
}

function addRemove(graph: Command): void {
  const remove = withPeer(
    graph
      .command('remove')
      .argument('<graph>')
      .requiredOption('--yes', 'really: the database of this node is deleted from this host')
      .description('forget a graph; the others keep it'),
  )
  remove.action((graphId: string, flags: { peerId?: string }) =>
    runAction(remove, async (output) => {
      const peerId = flags.peerId ?? defaultPeerId()
      await refuseOpen(graphId, peerId, 'be removed')
      await deleteGraph({ graphId, peerId })
      await rm(graphPlace(graphId, peerId).nodes, { force: true })
      output.value({ graphId, peerId, removed: true })
      output.line(`Removed ${safeText(peerId)}'s database of ${safeText(graphId)} from this host.`)
    }),
  )
}

/** Throws ERR_PEERNET_GRAPH_IN_USE. */
async function refuseOpen(graphId: string, peerId: string, what: string): Promise<void> {
  const open = await openGraphs(graphId)
  await Promise.all(open.map(({ client }) => client.close()))
  const holder = open.find(({ row }) => row.peerId === peerId)
  if (holder === undefined) return
  throw new PeernetError(
    'ERR_PEERNET_GRAPH_IN_USE',
    `process ${holder.row.pid} has ${graphId} open as ${peerId}: end it first; ` +
      `a graph that is open cannot ${what}`,
  )
}
