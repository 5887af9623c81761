import { endpointZone, requireEndpoint } from '../core/address-text.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import type { GraphContext } from '../graph/context.js'
import type { GraphEvent as MachineEvent } from '../graph/interface.js'
import { zoneIndex } from '../io/zones.js'
import type { LoadedStore } from '../storage/record-store.js'
import type { DirectHost } from './direct-connection.js'
import { DirectConnections } from './direct-connections.js'
import type { GraphStatus } from './graph-events.js'
import type { GraphNode } from './graph-node.js'
import { checkNotAborted, GraphRequests, type CommandBody, type Done } from './graph-requests.js'
import { GraphSession, type SessionPlan } from './graph-session.js'
import { GraphWatchers, type WatchFilter } from './graph-watchers.js'

/** From what `createGraph` and `openGraph` make a graph object. */
export interface GraphPlan extends SessionPlan {
  /** Nodes to try when the graph has lost its way. */
  readonly seeds: readonly string[]
  /** Removes the database from the disk; absent: it is in memory. */
  readonly remove?: () => Promise<void>
}

export interface ConnectGraphOptions {
  /** The user whose node it has to be. */
  readonly peerId?: string
  readonly signal?: AbortSignal
}

type TopologyEvent = Extract<MachineEvent, { type: 'topology' }>

/**
 * What stands behind a `Graph`: its node from opening to closing, commands under way, those who
 * watch, direct connections.
 */
export class GraphEngine {
  readonly plan: GraphPlan
  readonly watchers = new GraphWatchers()
  readonly direct: DirectConnections
  status: GraphStatus = { listening: false, connected: false, synchronized: false }
  readonly #requests: GraphRequests
  readonly #onTopology: (event: TopologyEvent) => void
  #session: GraphSession
  #nextSeed = 0
  #closing: Promise<void> | undefined
  /** What has the graph for itself. */
  #exclusive: Promise<unknown> | undefined

  constructor(
    plan: GraphPlan,
    loaded: LoadedStore | undefined,
    creates: boolean,
    onTopology: (event: TopologyEvent) => void,
  ) {
    this.plan = plan
    this.#onTopology = onTopology
    this.#requests = new GraphRequests((command) => {
      this.#session.node.command(command)
    })
    this.direct = this.#makeDirect()
    this.#session = this.#begin(loaded, creates)
  }

  /** The machine's state; also the clock for times of records. */
  get context(): GraphContext {
    return this.#session.context
  }

  get node(): GraphNode {
    return this.#session.node
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  checkOpen(): void {
    if (this.closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the graph is closed')
  }

  async command(
    body: CommandBody,
    signal?: AbortSignal,
    onLate?: (done: Done) => void,
  ): Promise<Done> {
    this.checkOpen()
    this.#checkShared()
    return this.#requests.send(body, signal, onLate)
  }

  /** Refuses commands while this work is under way; `close` waits for it. */
  async exclusively(work: () => Promise<void>): Promise<void> {
    this.checkOpen()
    this.#checkShared()
    const done = work()
    this.#exclusive = done.catch(() => {})
    try {
      await done
    } finally {
      this.#exclusive = undefined
    }
  }

  #checkShared(): void {
    if (this.#exclusive === undefined) return
    throw new PeernetError('ERR_PEERNET_GRAPH_IN_USE', 'an import is under way')
  }

  /** Ends the node and begins another one, with what was loaded. */
  async beginAgain(loaded: LoadedStore, why: string): Promise<void> {
    this.checkOpen()
    await this.#session.close()
    this.#requests.fail(why)
    this.#session = this.#begin(loaded, false)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Connects; who gives up meanwhile has the connection ended. */
  async connect(
    endpoint: string,
    direct: boolean,
    { peerId, signal }: ConnectGraphOptions,
  ): Promise<number> {
    const to = requireEndpoint(endpoint)
    if (addressKind(to.address) === 'link-local') this.#useLink(endpoint)
    const more = peerId === undefined ? {} : { peerId }
    const { connection } = await this.command(
      { type: 'connect', to, direct, ...more },
      signal,
      // Nobody waits for it any more.
      (late) => {
        const { connection: unwanted } = late
        if (unwanted !== undefined) this.#order({ type: 'disconnect', connection: unwanted })
      },
    )
    return connection as number
  }

  /** A graph's link-local addresses are those of one link, which the first may name (GA-36). */
  #useLink(endpoint: string): void {
    const zone = endpointZone(endpoint)
    const known = this.node.scopeId
    if (zone === undefined) {
      checkArgument(
        known !== 0,
        `of which network interface? [address%interface]:port: ${endpoint}`,
      )
      return
    }
    const index = zoneIndex(zone)
    checkArgument(index !== 0, `no network interface ${zone} with a link-local address`)
    checkArgument(
      known === 0 || known === index,
      `link-local addresses of this graph are of another network interface than ${zone}`,
    )
    this.plan.scopeId = this.node.scopeId = index
  }

  /** Waits for something that events tell of. */
  async until(
    filter: WatchFilter,
    holds: () => boolean,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    checkNotAborted(signal)
    const stream = this.watchers.watch(filter)
    const stop = (): void => void stream.return()
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      if (holds()) return
      while ((await stream.next()).done !== true) if (holds()) return
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      await stream.return()
    }
    checkNotAborted(signal)
    this.checkOpen()
    throw new PeernetError('ERR_PEERNET_TIMEOUT', `not synchronised within ${timeoutMs} ms`)
  }

  #begin(loaded: LoadedStore | undefined, creates: boolean): GraphSession {
    return new GraphSession(this.plan, loaded, creates, (event) => {
      this.#handleEvent(event)
    })
  }

  #handleEvent(event: MachineEvent): void {
    switch (event.type) {
      case 'done':
      case 'failed':
        this.#requests.settle(event)
        return
      case 'status': {
        const { listening, connected, synchronized } = event
        this.status = { listening, connected, synchronized }
        break
      }
      case 'properties':
        void this.plan.store.setProperties({ ...event.properties }).catch(() => {})
        break
      case 'connection':
        if (event.direct) this.direct.changed(event)
        break
      case 'data':
        this.direct.received(event.connection, event.dataType, event.data)
        break
      case 'connection-required':
        this.#trySeed()
        break
      case 'topology':
        this.#onTopology(event)
        return
      case 'closed':
        // Told when everything else has ended, too.
        return
      default:
    }
    this.watchers.tell(event, this.context)
  }

  #makeDirect(): DirectConnections {
    const host: DirectHost = {
      send: async (connection, dataType, data) => {
        await this.command({ type: 'send', connection, dataType, data })
      },
      disconnect: (connection) => {
        this.#order({ type: 'disconnect', connection })
      },
      pause: (connection, paused) => {
        this.#session.node.pauseReading(connection, paused)
      },
    }
    return new DirectConnections(host, (allow) => {
      this.#order({ type: 'allow-direct', allow })
    })
  }

  /** A command whose outcome is of no interest. */
  #order(body: CommandBody): void {
    if (!this.#session.node.closed) void this.#requests.send(body).catch(() => {})
  }

  /** The graph has lost its way; the application knows some nodes. */
  #trySeed(): void {
    const { seeds } = this.plan
    const seed = seeds[this.#nextSeed++ % Math.max(1, seeds.length)]
    if (seed === undefined || this.closed) return
    void this.connect(seed, false, {}).catch(() => {})
  }

  async #close(): Promise<void> {
    await this.#exclusive
    await this.#leave()
    await this.#session.close()
    this.direct.end()
    this.#requests.fail('the graph was closed')
    this.status = { ...this.status, listening: false, connected: false }
    this.watchers.tell({ type: 'closed' }, this.context)
    this.watchers.end()
    await this.plan.store.close()
  }

  /** Says goodbye, and waits until everybody knows and all is written, or time is up. */
  async #leave(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LIMITS.graphLeaveMs)
    })
    await Promise.race([this.#requests.send({ type: 'close' }).catch(() => {}), late])
    clearTimeout(timer)
  }
}
