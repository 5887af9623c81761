import type { Timed } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import { NEVER, type Instant } from '../core/instant.js'
import { AckList } from '../wire/graph/ack-list.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { Channel } from './channel.js'
import type { ConnectionId } from './interface.js'
import { LinkWatch } from './link-watch.js'
import type { ConnectOptions, Link, LinkState } from './parts.js'

/** Connection states of 3.1.1: those of an accepted connection, and of one that this node opens. */
export type ConnectionState =
  | 'in-alloc'
  | 'in-accepted'
  | 'in-got-authinfo'
  | 'in-authenticated'
  | 'in-disconnected'
  | 'out-alloc'
  | 'out-socket'
  | 'out-sock-connected'
  | 'out-sent-authinfo'
  | 'out-authenticated'
  | 'out-disconnected'

/** Whoever owns the links acts on their timers, and hears of what was sent. */
export interface LinkOwner {
  linkTimer(link: GraphLink): void
  /** Only asked when the watch wants one. */
  floodSent(link: GraphLink, record: GraphRecord, end: number): void
  dataSent(link: GraphLink, handle: number): void
}

/** One connection with the link on it. Its timer is that of the state it is in. */
export class GraphLink implements Link, Timed {
  readonly connection: ConnectionId
  readonly initiator: boolean
  readonly remote: Endpoint
  readonly repair: boolean
  /** Refusals that have led here, and whether this one was refused. */
  readonly hops: number
  refused: boolean
  /** The peer that an outgoing connection is meant for. */
  readonly wantedPeer: string | undefined
  direct: boolean
  /** A direct one that only asks for neighbours (lib/graph/topology.ts). */
  topology: boolean
  state: LinkState
  connectionState: ConnectionState
  nodeId: bigint | undefined
  peerId: string | undefined
  addresses: readonly Endpoint[] = []
  sequence = 0
  connectedAt: Instant = 0
  utility = 0
  sync: unknown
  brought: GraphRecord | undefined

  /** Command that wants this connection and has not been answered. */
  handle: number | undefined
  /** Of the Authentication Timer. */
  authenticationEnds: Instant = 0
  /** TConnect. */
  connectSentAt: Instant = NEVER
  finishingSince: Instant = NEVER
  finishSent: boolean
  /** Set when it is up. */
  channel!: Channel
  readonly watch = new LinkWatch()
  /** Acknowledgements that wait for something to go along with, at most `graphAckDelayUs`. */
  readonly acks = new AckList()
  /** It waits in the list of links with acknowledgements. */
  acking: boolean
  /** Bytes of an incomplete message, and all that came before it was authenticated. */
  partialBytes = 0
  negotiationBytes = 0
  /** It waits in the list of links that have something to send. */
  dirty: boolean
  /** Offset of the stream where the application data sent so far ends; 0: none is on its way. */
  dataEnd = 0
  readonly #owner: LinkOwner

  constructor(
    owner: LinkOwner,
    connection: ConnectionId,
    remote: Endpoint,
    outgoing?: ConnectOptions,
  ) {
    this.#owner = owner
    this.connection = connection
    this.remote = remote
    this.initiator = outgoing !== undefined
    this.direct = outgoing?.direct ?? false
    this.topology = outgoing?.topology ?? false
    this.repair = outgoing?.repair ?? false
    this.hops = outgoing?.hops ?? 0
    this.wantedPeer = outgoing?.peerId
    this.handle = outgoing?.handle
    this.connectionState = this.initiator ? 'out-alloc' : 'in-alloc'
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.refused = false
    this.state = 'start'
    this.nodeId = undefined
    this.peerId = undefined
    this.sync = undefined
    this.brought = undefined
    this.finishSent = false
    this.acking = false
    this.dirty = false
  }

  get authenticated(): boolean {
    const state = this.connectionState
    return state === 'in-authenticated' || state === 'out-authenticated'
  }

  /** It is, or has been, CONNECTED. */
  get wasConnected(): boolean {
    return this.sequence > 0
  }

  /** The connection is over: nothing that comes from it counts (G-080). */
  get ended(): boolean {
    const state = this.connectionState
    return state === 'in-disconnected' || state === 'out-disconnected'
  }

  onTimer(): void {
    this.#owner.linkTimer(this)
  }

  floodSent(record: GraphRecord, end: number): void {
    if (this.watch.wantsProbe) this.#owner.floodSent(this, record, end)
  }

  dataSent(handle: number, end: number): void {
    this.dataEnd = end
    this.#owner.dataSent(this, handle)
  }
}
