import type { Command } from 'commander'
import { parseEndpoint } from '../../../core/address-text.js'
import { PeernetError } from '../../../core/errors.js'
import { addressKind } from '../../../core/ipv6.js'
import {
  graphPlace,
  openGraphs,
  rememberedNodes,
  rememberNodes,
  type GraphPlace,
} from '../../../daemon/graph-places.js'
import { describeGraph, eventRow, GraphService } from '../../../daemon/graph-service.js'
import { ControlServer } from '../../../daemon/server.js'
import {
  createGraph,
  openGraph,
  type CreateGraphOptions,
  type Graph,
  type GraphEventType,
  type OpenGraphOptions,
} from '../../../index.js'
import { localAddresses } from '../../../io/interfaces.js'
import { LevelRecordStore } from '../../../storage/level-record-store.js'
import { parseListen, parsePort } from '../../graph/arguments.js'
import { eventText } from '../../graph/print.js'
import { defaultPeerId } from '../../graph/session.js'
import { safeText, type Output } from '../../output.js'
import { runAction, untilAborted } from '../../session.js'

interface ServeFlags {
  readonly peerId?: string
  readonly listen?: string[]
  readonly port?: string
  readonly scope?: string
  readonly interface?: string
  readonly memory?: boolean
  readonly topology?: boolean
  readonly quiet?: boolean
  readonly records?: boolean
}

interface CreateFlags extends ServeFlags {
  readonly friendlyName?: string
  readonly comment?: string
}

const SCOPES = ['global', 'site-local', 'link-local'] as const
/** How long nodes that are only remembered get. */
const REMEMBERED_MS = 5000
/** Addresses of others that are kept in mind. */
const MOST_SEEN = 256

function withServeFlags(command: Command): Command {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  return command
    .option('--peer-id <id>', 'who you are in the graph (default: your user name)')
    .option('--listen <address>', '[address]:port or address to listen on (repeatable)', collect)
    .option('--port <number>', 'TCP port; default any free one')
    .option('--scope <scope>', `listen on the addresses of a scope: ${SCOPES.join(', ')}`)
    .option('--interface <name>', 'network interface of a link-local or site-local scope')
    .option('--memory', 'keep the database in memory only')
    .option('--no-topology', 'do not tell other nodes who the neighbours are')
    .option('--records', 'print records that come, change and go, too')
    .option('--quiet', 'do not print who comes and goes')
}

/** `peernet graph create` and `join`: both stay until Ctrl-C. */
export function addServe(graph: Command): void {
  const create = withServeFlags(
    graph
      .command('create')
      .argument('<graph>', 'name of the graph, the same for everybody')
      .description('make a graph and stay in it until Ctrl-C')
      .option('--friendly-name <text>', 'what it is called for people')
      .option('--comment <text>', 'what it is for'),
  )
  create.action((graphId: string, flags: CreateFlags) =>
    runAction(create, async (output, signal) => {
      const plan = planOf(graphId, flags)
      const { friendlyName, comment } = flags
      const node = await createGraph({
        ...plan.options,
        ...(friendlyName === undefined ? {} : { friendlyName }),
        ...(comment === undefined ? {} : { comment }),
        signal,
      }).catch((error: unknown) => {
        throw isCode(error, 'ERR_PEERNET_GRAPH_EXISTS')
          ? new PeernetError(
              'ERR_PEERNET_GRAPH_EXISTS',
              `${graphId} exists here already: \`peernet graph join ${graphId}\` opens it again`,
              { cause: error },
            )
          : error
      })
      let entered = false
      try {
        await serve(output, signal, node, plan, async () => {
          await node.listen(plan.port)
          entered = true
        })
      } finally {
        // Or the next attempt would find a graph that nobody has ever been in.
        if (!entered) await node.delete()
      }
    }),
  )

  const join = withServeFlags(
    graph
      .command('join')
      .argument('<graph>', 'name of the graph')
      .argument('[nodes...]', "'[address]:port' of a node that is in it")
      .description('join a graph, or go back to it, and stay in it until Ctrl-C'),
  )
  join.action((graphId: string, nodes: string[], flags: ServeFlags) =>
    runAction(join, async (output, signal) => {
      const plan = await freePlan(output, planOf(graphId, flags), flags)
      await joinGraph(output, signal, plan, nodes)
    }),
  )
}

interface ServePlan {
  readonly place: GraphPlace
  readonly port: number
  readonly options: OpenGraphOptions & CreateGraphOptions & { readonly graphId: string }
  /** Kinds of events to print. */
  readonly events: readonly GraphEventType[]
  /** This host has no other address than ::1. */
  readonly loopback: boolean
}

function planOf(graphId: string, flags: ServeFlags): ServePlan {
  const peerId = flags.peerId ?? defaultPeerId()
  const listen = (flags.listen ?? []).map(parseListen)
  const ports = new Set(listen.flatMap(({ port }) => port ?? []))
  if (flags.port !== undefined) ports.add(parsePort(flags.port))
  if (ports.size > 1) invalid('a graph listens on one port: the ports given differ')
  const scope = SCOPES.find((one) => one === flags.scope)
  if (flags.scope !== undefined && scope === undefined) invalid(`no such scope: ${flags.scope}`)
  const loopback =
    listen.length === 0 &&
    scope === undefined &&
    !localAddresses().some(({ kind }) => kind === 'global' || kind === 'link-local')
  const addresses = loopback ? ['::1'] : listen.map(({ address }) => address)
  return {
    place: graphPlace(graphId, peerId),
    port: [...ports][0] ?? 0,
    events: [...(flags.quiet === true ? [] : MEMBERS), ...(flags.records === true ? RECORDS : [])],
    loopback,
    options: {
      graphId,
      peerId,
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(scope === undefined ? {} : { scope }),
      ...(flags.interface === undefined ? {} : { interface: flags.interface }),
      ...(flags.memory === true ? { directory: false as const } : {}),
      ...(flags.topology === false ? { allowTopology: false } : {}),
    },
  }
}

/** Who did not say who to be, and is in the graph already, becomes a second one. */
async function freePlan(output: Output, plan: ServePlan, flags: ServeFlags): Promise<ServePlan> {
  if (flags.peerId !== undefined) return plan
  const { graphId, peerId } = plan.place
  const open = await openGraphs(graphId)
  await Promise.all(open.map(({ client }) => client.close()))
  const taken = new Set(open.map(({ row }) => row.peerId))
  if (!taken.has(peerId)) return plan
  let number = 2
  while (taken.has(`${peerId}-${number}`)) number++
  const free = `${peerId}-${number}`
  output.line(
    `You are in ${safeText(graphId)} as ${safeText(peerId)} already: this is ${safeText(free)}.`,
  )
  return planOf(graphId, { ...flags, peerId: free })
}

async function joinGraph(
  output: Output,
  signal: AbortSignal,
  plan: ServePlan,
  nodes: readonly string[],
): Promise<void> {
  const { place, options } = plan
  const inMemory = options.directory === false
  const stored = !inMemory && (await LevelRecordStore.exists(place.directory))
  if (!stored && nodes.length === 0) {
    throw new PeernetError(
      'ERR_PEERNET_GRAPH_NOT_FOUND',
      `${place.peerId} has not been in ${place.graphId} yet: give the address of a node, ` +
        `\`peernet graph join ${place.graphId} '[address]:port'\``,
    )
  }
  const remembered = nodes.length > 0 ? [] : await rememberedNodes(place)
  const seeds = nodes.length > 0 ? nodes : remembered
  const graph = await openGraph({ ...options, seeds, signal })
  const enter = async (): Promise<void> => {
    if (nodes.length > 0) {
      try {
        await graph.join(nodes, { port: plan.port, signal })
      } catch (error) {
        if (!isCode(error, 'ERR_PEERNET_CONNECT_FAILED')) throw error
        throw new PeernetError(
          'ERR_PEERNET_CONNECT_FAILED',
          `no node of ${place.graphId} answers at ${nodes.join(' or ')}: is it running there, ` +
            'and is this its name?',
          { cause: error },
        )
      }
      return
    }
    await graph.listen(plan.port)
    await reconnect(output, graph, remembered, signal)
  }
  let entered = false
  try {
    await serve(output, signal, graph, plan, async () => {
      await enter()
      entered = true
    })
  } finally {
    // Nothing is left of a graph that this user has never been in.
    if (!entered && !stored) await graph.delete()
  }
}

/** Tries nodes of last time; alone, too, the node listens. */
async function reconnect(
  output: Output,
  graph: Graph,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REMEMBERED_MS)])
  for (const node of nodes) {
    if (graph.addresses.includes(node)) continue
    try {
      await graph.connect(node, { signal: limit })
      return
    } catch (error) {
      if (isCode(error, 'ERR_PEERNET_ALREADY_CONNECTED')) return
      if (limit.aborted) break
    }
  }
  if (signal.aborted) return
  const none =
    nodes.length > 0 ? 'None of the nodes known from last time answers.' : 'No other node is known.'
  output.problem(`${none} This one waits for others; an address on the command line finds some.`)
}

/** Enters the graph, offers the control socket, prints what happens; leaves on a signal. */
async function serve(
  output: Output,
  signal: AbortSignal,
  graph: Graph,
  plan: ServePlan,
  enter: () => Promise<void>,
): Promise<void> {
  const { place } = plan
  const { note, saved } = rememberer(graph, plan)
  let server: ControlServer | undefined
  try {
    server = await ControlServer.listen(new GraphService(graph), place.socket)
    await enter()
    note()
    await saved()
    printEntered(output, graph, plan)
    const stop = printEvents(output, graph, plan.events)
    const forget = graph.subscribe({ events: ['neighbor'] }, note)
    await untilAborted(signal)
    forget()
    stop()
    output.line('Leaving…')
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    note()
    await server?.close()
    await graph.close()
    await saved()
  }
}

interface Rememberer {
  readonly note: () => void
  readonly saved: () => Promise<void>
}

/** Writes down where others listen, whenever there is news: a crash must not lose the way back. */
function rememberer(graph: Graph, plan: ServePlan): Rememberer {
  const seen = new Set<string>()
  let saving = Promise.resolve()
  const note = (): void => {
    if (plan.options.directory === false) return
    const others = graph.nodes().filter(({ nodeId }) => nodeId !== graph.nodeId)
    const now = [...graph.neighbors(), ...others].flatMap(({ addresses }) => addresses)
    const isNews = now.some((one) => !seen.has(one))
    // Those that are there now come first.
    const all = new Set([...now, ...seen])
    seen.clear()
    for (const one of all) if (seen.size < MOST_SEEN) seen.add(one)
    if (!isNews) return
    saving = saving.then(() => rememberNodes(plan.place, [...seen]).catch(() => {}))
  }
  return { note, saved: () => saving }
}

function printEntered(output: Output, graph: Graph, { loopback }: ServePlan): void {
  const [address = ''] = graph.addresses
  // Who has an address of another scope would not know on which link this one is.
  const parsed = parseEndpoint(address)
  const isLinkLocal = parsed !== undefined && addressKind(parsed.address) === 'link-local'
  const scope = isLinkLocal ? ' --scope link-local' : ''
  const joining = `peernet graph join ${shellWord(graph.id)} '${address}'${scope}`
  output.value({ ...describeGraph(graph), join: joining })
  output.line(`Graph    ${output.paint('bold', safeText(graph.id))}`)
  const { friendlyName } = graph.properties
  if (friendlyName !== '') output.line(`Name     ${safeText(friendlyName)}`)
  output.line(`You      ${safeText(graph.peerId)} (node ${graph.nodeId})`)
  for (const one of graph.addresses) output.line(`Address  ${one}`)
  const records = graph.records().length
  const neighbors = graph.neighbors().length
  output.line(`Here     ${count(records, 'record')}, ${count(neighbors, 'neighbour')}`)
  if (loopback) output.line('This host has no other address: only its own processes can join.')
  output.line('Others join with')
  output.line(`  ${joining}`)
  output.line('Ctrl-C leaves.')
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** What a shell takes as one word. */
function shellWord(text: string): string {
  const safe = safeText(text)
  return /^[\w.@%+:,/-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`
}

const MEMBERS = ['node', 'neighbor', 'connection-required', 'clock-rejected'] as const
const RECORDS = ['record'] as const

function printEvents(output: Output, graph: Graph, events: readonly GraphEventType[]): () => void {
  return graph.subscribe({ events }, (event) => {
    output.value(eventRow(event))
    if (event.type === 'node' && event.node.nodeId === graph.nodeId) return
    if (event.type === 'neighbor' && event.change === 'failed') return
    const text = eventText(eventRow(event))
    if (text !== undefined) output.line(`${output.paint('dim', clock())}  ${text}`)
  })
}

/** `18:00:05`, local time. */
function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}

function invalid(message: string): never {
  throw new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof PeernetError && error.code === code
}
