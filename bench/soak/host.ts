// A process of the soak: some nodes of the graph, each with a store of its own, told what to do by
// the driver (bench/soak/swarm.ts).
import { createHash } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createGraph, openGraph, type Graph, type OpenGraphOptions } from '#lib/index.js'
import { cpuSeconds } from '../bench.js'
import {
  GRAPH_ID,
  SOAK_TYPE,
  type Databases,
  type Measures,
  type SoakCommand,
  type SoakReply,
  type SoakRequest,
} from './messages.js'

const graphs = new Map<number, Graph>()
const failures: string[] = []
const sockets = new Set<Socket>()

subscribe('peernet:machine-failure', (message) => {
  const { error } = message as { error: unknown }
  failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
})
// Each connection is the client's in one of the processes. A listener's sockets would stay here for
// good: lib/io/tcp.ts takes their connections over, and then they never close.
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket }
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})

async function start(
  node: number,
  directory: string,
  seeds: readonly string[],
): Promise<{ addresses: readonly string[] }> {
  const options: OpenGraphOptions = {
    ...{ graphId: GRAPH_ID, peerId: `peer-${node}`, addresses: ['::1'], directory, seeds },
  }
  const first = seeds.length === 0
  const graph = await (first ? createGraph({ ...options, graphId: GRAPH_ID }) : openGraph(options))
  graphs.set(node, graph)
  if (first) await graph.listen()
  else await graph.join()
  return { addresses: graph.addresses }
}

function reset(count: number): number {
  const chosen = [...sockets].filter((socket) => socket.remotePort !== undefined)
  for (let i = chosen.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1))
    ;[chosen[i], chosen[other]] = [chosen[other] as Socket, chosen[i] as Socket]
  }
  const victims = chosen.slice(0, count)
  for (const socket of victims) socket.resetAndDestroy()
  return victims.length
}

function databases(expiresAfter: number, internal: boolean): Databases {
  let first: Databases['first'] | undefined
  const digests = [...graphs.values()].map((graph) => {
    const records = graph
      .records({ internal, deleted: true })
      .filter(({ expires }) => expires.getTime() > expiresAfter)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    first ??= records
      .filter(({ type }) => type === SOAK_TYPE)
      .map(({ id, version, deleted }) => ({ id, version, deleted }))
    const hash = createHash('sha256')
    for (const record of records) hash.update(record.toBytes())
    return hash.digest('hex')
  })
  return { digests, first: first ?? [] }
}

function measure(): Measures {
  for (let i = 0; i < 2; i++) globalThis.gc?.()
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) {
    // What is over by the next turn is no handle.
    if (kind !== 'Immediate') handles[kind] = (handles[kind] ?? 0) + 1
  }
  const neighbors = [...graphs.values()].reduce((sum, one) => sum + one.neighbors().length, 0)
  return {
    ...{ rss, heapUsed, heapTotal, external, handles, neighbors, failures },
    anonymous: anonymousBytes(),
    fds: readdirSync('/proc/self/fd').length,
    cpuSeconds: cpuSeconds(),
  }
}

function anonymousBytes(): number {
  const match = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(match?.[1]) * 1024
}

async function obey(command: SoakCommand): Promise<unknown> {
  if (command.do === 'measure') return measure()
  if (command.do === 'reset') return reset(command.count)
  if (command.do === 'databases') return databases(command.expiresAfter, command.internal)
  if (command.do === 'start') return start(command.node, command.directory, command.seeds)
  const graph = graphs.get(command.node)
  if (graph === undefined) throw new Error(`node ${command.node} is not open`)
  switch (command.do) {
    case 'close':
      graphs.delete(command.node)
      await graph.close()
      return null
    case 'publish': {
      const { bytes, lifetimeMs } = command
      const payload = crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536)))
      const { id, version, expires } = await graph.publish({
        ...{ type: SOAK_TYPE, lifetimeMs, payload, attributes: { bytes } },
      })
      return { id, version, expires: expires.getTime() }
    }
    case 'update': {
      const payload = crypto.getRandomValues(new Uint8Array(Math.min(command.bytes, 65_536)))
      return { version: (await graph.update(command.id, { payload })).version }
    }
    case 'delete': {
      const version = (graph.get(command.id)?.version ?? 0) + 1
      await graph.deleteRecord(command.id)
      return { version }
    }
  }
}

function say(reply: SoakReply): void {
  if (process.connected) process.send?.(reply)
}

process.on('message', ({ at, command }: SoakRequest) => {
  obey(command).then(
    (value) => {
      say({ at, value })
    },
    (error: unknown) => {
      say({ at, error: String((error as { code?: unknown }).code ?? error) })
    },
  )
})
// Made when they are first used: better now than between two counts of handles.
for (const stream of [process.stdout, process.stderr]) stream.write('')
// A driver that is gone needs no nodes.
process.on('disconnect', () => process.exit())
say({ at: undefined })
