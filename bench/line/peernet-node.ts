// peernet in a line: without limits of their own, nodes would make more connections than that.
import { rm } from 'node:fs/promises'
import { parseAddress } from '#lib/core/address-text.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import type { GraphProperties } from '#lib/graph/interface.js'
import type { Graph } from '#lib/index.js'
import { Graph as NodeInGraph } from '#lib/runtime/graph.js'
import { ProcessRuntime } from '#lib/runtime/process-runtime.js'
import { LevelRecordStore } from '#lib/storage/level-record-store.js'
import { VolatileRecordStore } from '#lib/storage/volatile-record-store.js'
import { LARGE_FROM, type Arrived, type LineNode } from './node.js'

const TYPE = '3c9d7a10-5b42-4e0c-9f7e-2a6b8d1f5c33'
/** The attribute that has the record's number: reading the payload would copy it. */
const NUMBER = 'number'

const properties: GraphProperties = {
  ...{ graphId: 'line', creatorId: 'node-0', friendlyName: '', comment: '', scope: 'global' },
  ...{ deferExpiration: false, presenceLifetimeS: 300, maxPresenceRecords: 0xffff_ffff },
  maxRecordSize: 62_914_560,
}

/** @param directory of its store; undefined: in memory */
export async function peernetNode(
  place: number,
  directory: string | undefined,
  arrived: Arrived,
): Promise<LineNode> {
  const peerId = `node-${place}`
  const { stringOrder } = DEFAULT_GRAPH_DIALECT
  const { graphId } = properties
  const identity = { graphId, peerId, stringOrder, properties: { ...properties } }
  const address = parseAddress('::1')?.address as Uint8Array
  const graph: Graph = new NodeInGraph(
    {
      runtime: ProcessRuntime.shared,
      setup: {
        ...{ peerId, properties, dialect: DEFAULT_GRAPH_DIALECT, prioritizedTypes: [] },
        // One is enough: the ends of the line look for no other, and nobody drops the second within
        // the minutes until the next maintenance.
        limits: { minNeighbors: 1, idealNeighbors: 1, maxNeighbors: 2 },
      },
      listening: { scope: 'global', addresses: [{ address, scopeId: 0 }] },
      scopeId: 0,
      store:
        directory === undefined
          ? new VolatileRecordStore(identity)
          : await LevelRecordStore.create(directory, identity),
      seeds: [],
      ...(directory === undefined ? {} : { remove: () => rm(directory, { recursive: true }) }),
    },
    undefined,
    place === 0,
  )
  const ids = new Map<number, string>()
  graph.subscribe({ types: [TYPE], events: ['record'] }, (event) => {
    if (event.type !== 'record' || event.change !== 'added' || event.local) return
    arrived(Number(event.record.attribute(NUMBER)))
  })
  return {
    async listen() {
      // Who has joined listens already.
      if (graph.addresses.length === 0) await graph.listen()
      return Number(/:(\d+)$/.exec(graph.addresses[0] ?? '')?.[1])
    },
    connect: (port) => graph.join([`[::1]:${port}`]),
    async publish(record, bytes) {
      const payload = new Uint8Array(bytes)
      const { id } = await graph.publish({ type: TYPE, payload, attributes: { [NUMBER]: record } })
      if (record >= LARGE_FROM) ids.set(record, id)
    },
    async forget(record) {
      const id = ids.get(record)
      ids.delete(record)
      if (id !== undefined) await graph.deleteRecord(id)
    },
    close: () => graph.delete(),
  }
}
