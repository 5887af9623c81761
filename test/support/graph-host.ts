// A program with one graph node, for tests with several processes or hosts. The options of the
// node stand on the command line, commands come as lines of JSON on standard input, answers go as
// lines of JSON to standard output. It ends in order when its input ends.
import { createInterface } from 'node:readline'
import { createGraph, openGraph, type Graph, type OpenGraphOptions } from '#lib/index.js'

export interface GraphHostOptions extends OpenGraphOptions {
  readonly create?: boolean
}

/** What to do; `at` comes back in the answer. */
export type GraphHostCommand = { readonly at: number } & (
  | { readonly do: 'listen'; readonly port?: number }
  | { readonly do: 'join' | 'connect'; readonly to: string }
  | {
      readonly do: 'publish'
      readonly type: string
      readonly text: string
      readonly lifetimeMs?: number
    }
  | { readonly do: 'update'; readonly id: string; readonly text: string }
  | { readonly do: 'delete'; readonly id: string }
  | {
      readonly do: 'database' | 'addresses' | 'neighbors' | 'nodes' | 'statistics' | 'synchronized'
    }
  /** Publishes so many records, as fast as it can; says each when it is safe. */
  | { readonly do: 'flood'; readonly type: string; readonly count: number; readonly bytes: number }
)

export type GraphHostLine =
  | { readonly open: string }
  | { readonly at: number; readonly value?: unknown; readonly error?: string }
  | { readonly safe: string; readonly version: number }
  | { readonly event: unknown }

/** How many publications of a flood are under way at a time. */
const FLOOD_WIDTH = 64

const say = (line: GraphHostLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function flood(
  graph: Graph,
  { type, count, bytes }: GraphHostCommand & { readonly do: 'flood' },
): Promise<number> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { id, version } = await graph.publish({ type, payload: new Uint8Array(bytes) })
      say({ safe: id, version })
    }
  }
  await Promise.all(Array.from({ length: FLOOD_WIDTH }, worker))
  return count
}

async function obey(graph: Graph, command: GraphHostCommand): Promise<unknown> {
  switch (command.do) {
    case 'listen':
      await graph.listen(command.port)
      return graph.addresses
    case 'join':
      await graph.join([command.to])
      return graph.addresses
    case 'connect':
      return graph.connect(command.to)
    case 'publish': {
      const { type, text, lifetimeMs } = command
      const lifetime = lifetimeMs === undefined ? {} : { lifetimeMs }
      return (await graph.publish({ type, payload: Buffer.from(text), ...lifetime })).id
    }
    case 'update':
      return (await graph.update(command.id, { payload: Buffer.from(command.text) })).version
    case 'delete':
      await graph.deleteRecord(command.id)
      return undefined
    case 'database':
      return graph
        .records({ internal: true, deleted: true })
        .map((record) => ({
          ...{ id: record.id, type: record.type, version: record.version },
          deleted: record.deleted,
          bytes: Buffer.from(record.toBytes()).toString('base64'),
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
    case 'addresses':
      return graph.addresses
    case 'neighbors':
      return graph.neighbors()
    case 'nodes':
      return graph.nodes()
    case 'statistics':
      return graph.statistics
    case 'synchronized':
      await graph.whenSynchronized()
      return undefined
    case 'flood':
      return flood(graph, command)
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as GraphHostOptions
const { create = false, ...rest } = options
const graph = await (create ? createGraph(rest) : openGraph(rest))
graph.subscribe({ events: ['record', 'neighbor', 'synchronized'] }, (event) => {
  if (event.type !== 'record') say({ event })
  else say({ event: { type: 'record', change: event.change, id: event.record.id } })
})
say({ open: graph.nodeId })
createInterface({ input: process.stdin })
  .on('line', (text) => {
    const command = JSON.parse(text) as GraphHostCommand
    obey(graph, command).then(
      (value) => {
        say({ at: command.at, value })
      },
      (error: unknown) => {
        say({ at: command.at, error: String((error as { code?: unknown }).code ?? error) })
      },
    )
  })
  .on('close', () => {
    void graph.close()
  })
