import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { networkKey } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { emptyList } from '../core/list.js'
import type {
  DisconnectMessage,
  DisconnectReason,
  GraphMessage,
  RefuseMessage,
} from '../wire/graph/messages.js'
import { readGuid, readU32 } from '../wire/graph/bytes.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { KnownFlood } from '../wire/graph/stream-reader.js'
import { authenticationTimeout } from './authentication-timer.js'
import { Channel } from './channel.js'
import type { GraphContext } from './context.js'
import { Handshake } from './handshake.js'
import type { ConnectionEnd, ConnectionId } from './interface.js'
import { Inbox } from './inbox.js'
import { GraphLink, type LinkOwner } from './link.js'
import { LinkReceiver } from './link-receiver.js'
import { Outbox } from './outbox.js'
import type { ConnectOptions, Failure, Link, LinksPart, LinkState, RecordSource } from './parts.js'
import { isLoopback, isUsableAddress, ReferralList, referralsFor } from './referral-list.js'
import { encodeNeighbors, TOPOLOGY_ANSWER } from './topology.js'

/** All connections of a node in its graph, the neighbours among them, and the Referral List. */
export class Links implements LinksPart, LinkOwner {
  readonly outbox: Outbox
  readonly inbox: Inbox
  readonly handshake: Handshake
  readonly #context: GraphContext
  readonly #links = new Map<ConnectionId, GraphLink>()
  readonly #neighbors = emptyList<GraphLink>()
  readonly #referrals = new ReferralList()
  /** Accepted connections of each address, a /64 counting as one. */
  readonly #accepted = new Map<string, number>()
  #nextConnection = 1
  #nextSequence = 1

  constructor(context: GraphContext) {
    this.#context = context
    this.handshake = new Handshake(context, this)
    this.outbox = new Outbox(context)
    this.inbox = new Inbox(context, this.#links)
  }

  get neighbors(): readonly GraphLink[] {
    return this.#neighbors
  }

  get connectionCount(): number {
    return this.#links.size
  }

  get pendingCount(): number {
    let count = 0
    for (const link of this.#links.values()) {
      if (link.initiator && !link.direct && isPending(link.state)) count++
    }
    return count
  }

  get referrals(): readonly Endpoint[] {
    return this.#referrals.all
  }

  get(connection: ConnectionId): GraphLink | undefined {
    return this.#links.get(connection)
  }

  clearAttempted(): void {
    this.#referrals.clearAttempted()
  }

  // Coming and going

  /** 3.1.7.24 */
  connect(to: Endpoint, options: ConnectOptions): ConnectionId | Failure {
    const context = this.#context
    const failure = this.#mayConnect(to)
    if (failure !== undefined) return failure
    const link = new GraphLink(this, this.#nextConnection++, to, options)
    link.addresses = [to]
    if (!options.direct) this.#referrals.markAttempted(to)
    this.#open(link)
    // TCP gets less than the whole handshake.
    const tcp = context.now + LIMITS.graphTcpConnectUs
    context.timers.set(link, Math.min(tcp, link.authenticationEnds))
    link.connectionState = 'out-socket'
    context.effects.push({ type: 'connect', connection: link.connection, to })
    return link.connection
  }

  #mayConnect(to: Endpoint): Failure | undefined {
    const { closing, listening } = this.#context
    if (closing) return { code: 'ERR_PEERNET_CLOSED', message: 'the graph is being closed' }
    if (listening.some((own) => sameEndpoint(own, to))) {
      const message = 'this node listens there itself'
      return { code: 'ERR_PEERNET_INVALID_ARG', message }
    }
    let attempts = 0
    for (const link of this.#links.values()) if (link.initiator && isPending(link.state)) attempts++
    // The number of accepted connections is no reason: strangers could lock this node in.
    if (attempts < LIMITS.graphAttempts) return undefined
    return { code: 'ERR_PEERNET_LIMIT', message: 'too many attempts under way (graphAttempts)' }
  }

  /** 3.1.7.24: the connection that `connect` asked for is up. */
  opened(connection: ConnectionId): void {
    const link = this.#links.get(connection)
    if (link?.connectionState !== 'out-socket') return
    this.#context.timers.set(link, link.authenticationEnds)
    this.handshake.opened(link)
  }

  /** 3.1.7.26 */
  accepted(connection: ConnectionId, remote: Endpoint): void {
    const { closing, counters, effects, timers } = this.#context
    const key = networkKey(remote.address)
    const count = this.#accepted.get(key) ?? 0
    const full =
      this.#links.size >= LIMITS.graphConnections || count >= LIMITS.graphConnectionsPerAddress
    if (closing || full || this.#links.has(connection)) {
      if (full) counters.add('refused.connections')
      effects.push({ type: 'destroy', connection })
      return
    }
    this.#accepted.set(key, count + 1)
    const link = new GraphLink(this, connection, remote)
    this.#open(link)
    link.connectionState = 'in-accepted'
    timers.set(link, link.authenticationEnds)
  }

  /** The Authentication Timer counts the connections that were there before (GA-06). */
  #open(link: GraphLink): void {
    const context = this.#context
    link.authenticationEnds = context.now + authenticationTimeout(this.#links.size)
    link.channel = new Channel(context, this.outbox, link, new LinkReceiver(context, this, link))
    this.#links.set(link.connection, link)
  }

  /** The connection ended, by the other side or by the network. */
  closed(connection: ConnectionId): void {
    const link = this.#links.get(connection)
    if (link === undefined) return
    this.#end(link, link.wasConnected ? 'closed' : 'failed')
  }

  terminate(link: Link, end: ConnectionEnd, next?: ConnectionId): void {
    const ending = link as GraphLink
    if (ending.ended) return
    this.#context.effects.push({ type: 'destroy', connection: ending.connection })
    this.#end(ending, end, next)
  }

  #end(link: GraphLink, end: ConnectionEnd, next?: ConnectionId): void {
    const context = this.#context
    const { state } = link
    link.connectionState = link.initiator ? 'out-disconnected' : 'in-disconnected'
    this.#links.delete(link.connection)
    context.timers.cancel(link)
    for (const handle of link.channel.close()) {
      context.fail(handle, 'ERR_PEERNET_CLOSED', 'the connection ended before it was sent')
    }
    this.inbox.forget(link)
    link.acks.clear()
    if (!link.initiator) this.#forgetAccepted(link.remote)
    if (state === 'connected') this.#left(link, end)
    link.state = link.wasConnected ? 'disconnected' : 'connect-failed'
    // In DISCONNECTING this was told already.
    if (isPending(state) && link.initiator) this.#attemptFailed(link, end, next)
  }

  #forgetAccepted(remote: Endpoint): void {
    const key = networkKey(remote.address)
    const count = (this.#accepted.get(key) ?? 1) - 1
    if (count === 0) this.#accepted.delete(key)
    else this.#accepted.set(key, count)
  }

  #attemptFailed(link: GraphLink, end: ConnectionEnd, next: ConnectionId | undefined): void {
    const context = this.#context
    context.counters.add(`failed.${end}`)
    this.#tell(link, 'failed', end, next)
    if (link.handle !== undefined) {
      const code = end === 'timed-out' ? 'ERR_PEERNET_TIMEOUT' : 'ERR_PEERNET_CONNECT_FAILED'
      context.fail(link.handle, code, `the connection came to nothing: ${end}`)
    }
    if (!link.direct) context.parts.maintenance.attemptFailed(link.connection, next)
  }

  /** 3.1.5.2.3: tries the next node instead of the one that refused. */
  followReferral(refused: GraphLink): ConnectionId | undefined {
    const { listening, rng } = this.#context
    if (refused.hops >= LIMITS.graphReferralHops) return undefined
    const to = this.#referrals.attempt(
      rng,
      (endpoint) =>
        listening.some((own) => sameEndpoint(own, endpoint)) ||
        this.isConnected({ addresses: [endpoint] }),
    )
    if (to === undefined) return undefined
    const { handle, repair } = refused
    const hops = refused.hops + 1
    const options = { direct: false, repair, hops, ...(handle === undefined ? {} : { handle }) }
    const next = this.connect(to, options)
    if (typeof next !== 'number') return undefined
    refused.handle = undefined
    return next
  }

  addReferrals(from: GraphLink, addresses: readonly Endpoint[]): void {
    const { listening } = this.#context
    for (const address of addresses.slice(0, LIMITS.graphReferralsReturned)) {
      const own = listening.some((one) => sameEndpoint(one, address))
      if (!own && this.isSaidBy(from, address)) this.#referrals.add(address)
    }
  }

  /** Can it be true that a node listens there? Of our loopback only this host knows. */
  isSaidBy({ remote }: GraphLink, address: Endpoint): boolean {
    const { scope } = this.#context.properties
    return isUsableAddress(address, scope) && (isLoopback(remote) || !isLoopback(address))
  }

  isConnected(target: {
    readonly nodeId?: bigint
    readonly addresses: readonly Endpoint[]
  }): boolean {
    for (const link of this.#links.values()) {
      if (link.direct || link.state === 'disconnecting') continue
      if (target.nodeId !== undefined && link.nodeId === target.nodeId) return true
      const { addresses } = link
      if (target.addresses.some((one) => addresses.some((other) => sameEndpoint(one, other)))) {
        return true
      }
    }
    return false
  }

  /** WELCOME was sent or received. */
  connected(link: GraphLink): void {
    const { now, parts, timers } = this.#context
    link.state = 'connected'
    link.connectedAt = now
    link.sequence = this.#nextSequence++
    link.watch.begin(now)
    timers.set(link, link.watch.next())
    if (link.handle !== undefined) {
      this.#context.done(link.handle, { connection: link.connection })
      link.handle = undefined
    }
    this.#tell(link, 'connected')
    if (link.direct) return
    this.#context.onLoopback ||= isLoopback(link.remote)
    this.#neighbors.push(link)
    parts.sync.linkConnected(link)
    parts.maintenance.linkConnected(link, this.#neighbors.length === 1)
  }

  /** A CONNECTED link is no longer. */
  #left(link: GraphLink, end: ConnectionEnd): void {
    const { sync, maintenance } = this.#context.parts
    link.state = 'disconnecting'
    this.#tell(link, 'disconnected', end)
    if (link.direct) return
    this.#neighbors.splice(this.#neighbors.indexOf(link), 1)
    sync.linkClosed(link)
    maintenance.linkClosed(link)
  }

  /** 3.1.7.25 */
  disconnect(link: Link, reason: DisconnectReason): void {
    const leaving = link as GraphLink
    if (leaving.state !== 'connected') this.terminate(link, reason)
    else this.finish(leaving, this.disconnectMessage(link, reason), reason)
  }

  disconnectMessage(link: Link, reason: DisconnectReason): DisconnectMessage {
    return { type: 'DISCONNECT', reason, addresses: referralsFor(link, this.#neighbors) }
  }

  /** 3.1.4.12: DISCONNECT to all; those that are not CONNECTED just end. */
  disconnectAll(): void {
    // All lists are made before the first neighbour leaves.
    const last: [GraphLink, DisconnectMessage][] = []
    for (const link of this.#links.values()) {
      if (link.state === 'connected') last.push([link, this.disconnectMessage(link, 'leaving')])
      else if (link.state !== 'disconnecting') this.terminate(link, 'closed')
    }
    for (const [link, message] of last) this.finish(link, message, 'leaving')
  }

  /** Sends a last message, then ends: at the latest when the other side takes no bytes (GA-35). */
  finish(link: GraphLink, last: RefuseMessage | DisconnectMessage, end: ConnectionEnd): void {
    const { now, timers } = this.#context
    this.outbox.sendLast(link, last)
    link.finishingSince = now
    timers.set(link, now + LIMITS.graphFinishUs)
    if (link.state === 'connected') this.#left(link, end)
    else if (link.initiator) this.#attemptFailed(link, end, undefined)
    link.state = 'disconnecting'
    link.handle = undefined
  }

  /** Nodes that only ask for neighbours: the newest ones stay. */
  boundVisitors(): void {
    const visitors = [...this.#links.values()].filter(
      (link) => link.topology && !link.initiator && link.state === 'connected',
    )
    const oldest = visitors[0]
    if (oldest === undefined || visitors.length <= LIMITS.graphTopologyVisitors) return
    this.disconnect(oldest, 'application')
  }

  /** The answer to TOPOLOGY_QUESTION. */
  sendNeighbors(link: GraphLink): void {
    const nodeIds = this.#neighbors.flatMap(({ nodeId }) => nodeId ?? [])
    this.send(link, { type: 'PT2PT', dataType: TOPOLOGY_ANSWER, data: encodeNeighbors(nodeIds) })
  }

  #tell(
    link: GraphLink,
    change: 'connected' | 'disconnected' | 'failed',
    end?: ConnectionEnd,
    next?: ConnectionId,
  ): void {
    if (link.topology) {
      if (change === 'connected' || !link.initiator) return
      const { connection } = link
      this.#context.events.push({ type: 'topology', connection, neighbors: undefined })
      return
    }
    this.#context.events.push({
      type: 'connection',
      change,
      connection: link.connection,
      direct: link.direct,
      incoming: !link.initiator,
      remote: link.remote,
      ...(link.peerId === undefined ? {} : { peerId: link.peerId }),
      ...(link.nodeId === undefined ? {} : { nodeId: link.nodeId }),
      ...(end === undefined ? {} : { end }),
      ...(next === undefined ? {} : { next }),
    })
  }

  /** 3.1.6.1, 3.1.6.2, GA-35, GA-56: what the timer means depends on the state. */
  linkTimer(link: GraphLink): void {
    const { now, timers } = this.#context
    if (link.state !== 'connected') {
      this.terminate(link, 'timed-out')
      return
    }
    if (link.watch.silent(now)) {
      this.terminate(link, 'silent')
      return
    }
    if (link.watch.doubtful) this.outbox.challenge(link)
    if (link.watch.pingDue(now)) this.outbox.ping(link)
    timers.set(link, link.watch.next())
  }

  // Bytes and messages

  receive(connection: ConnectionId, chunk: Uint8Array): void {
    const link = this.#links.get(connection)
    if (link === undefined || link.state === 'disconnecting') {
      this.#context.counters.add('drop.after-end')
    } else if (link.connectionState === 'out-socket') {
      // Its driver has not said that it is up.
      this.#context.counters.add('drop.before-connected')
    } else {
      this.inbox.receive(link, chunk)
    }
  }

  /** The security session of a connection has output. */
  sessionOutput(connection: ConnectionId): void {
    const link = this.#links.get(connection)
    if (link === undefined) return
    link.channel.drain()
    if (!link.ended) this.outbox.hasOutput(link)
  }

  written(connection: ConnectionId, bytes: number): void {
    const link = this.#links.get(connection)
    if (link !== undefined) this.outbox.written(link, bytes)
  }

  send(link: Link, message: GraphMessage): void {
    this.outbox.send(link as GraphLink, message)
  }

  sendRecord(link: Link, record: GraphRecord): void {
    this.outbox.sendRecord(link as GraphLink, record)
  }

  sendRecords(link: Link, source: RecordSource, last?: GraphMessage): void {
    this.outbox.sendRecords(link as GraphLink, source, last)
  }

  flood(record: GraphRecord, except?: Link): void {
    for (let i = 0; i < this.#neighbors.length; i++) {
      const link = this.#neighbors[i] as GraphLink
      if (link !== except) this.outbox.sendRecord(link, record)
    }
  }

  acknowledge(link: Link, record: GraphRecord, useful: boolean): void {
    const { queue } = (link as GraphLink).channel
    if (queue.waiting > 0) queue.peerHolds(record.id, record.version)
    this.outbox.acknowledge(link as GraphLink, record, useful)
  }

  acknowledgeKnown(link: Link, { bytes, at }: KnownFlood): void {
    const { queue } = (link as GraphLink).channel
    if (queue.waiting > 0) queue.peerHolds(readGuid(bytes, at + 16), readU32(bytes, at + 32))
    this.outbox.acknowledgeAt(link as GraphLink, bytes, at + 16)
  }

  /** 3.1.5.2.2 */
  pingAll(): void {
    for (const link of this.#links.values()) if (link.state === 'connected') this.outbox.ping(link)
  }

  floodSent(link: GraphLink, record: GraphRecord, end: number): void {
    this.outbox.floodSent(link, record, end)
  }

  dataSent(_link: GraphLink, handle: number): void {
    this.#context.done(handle)
  }
}

/** Neither CONNECTED nor over. */
function isPending(state: LinkState): boolean {
  return state === 'start' || state === 'authenticated' || state === 'connect-wait'
}
