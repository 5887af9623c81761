import { LIMITS } from '../core/limits.js'
import { encodeGraphMessage } from '../wire/graph/codec.js'
import type {
  AuthInfoMessage,
  ConnectMessage,
  DisconnectMessage,
  RefuseCode,
  RefuseMessage,
  WelcomeMessage,
} from '../wire/graph/messages.js'
import type { GraphContext } from './context.js'
import type { GraphLink } from './link.js'
import type { Links } from './links.js'
import { adjustPeerTime } from './peer-clock.js'
import { referralsFor } from './referral-list.js'
import { TOPOLOGY_VISIT } from './topology.js'

/** 3.1.5.1, 3.1.5.2.1 to .4: how links come to be CONNECTED, or do not. */
export class Handshake {
  readonly #context: GraphContext
  readonly #links: Links

  constructor(context: GraphContext, links: Links) {
    this.#context = context
    this.#links = links
  }

  /** 3.1.7.24: TCP is up. */
  opened(link: GraphLink): void {
    const { config, properties } = this.#context
    link.connectionState = 'out-sock-connected'
    const message: AuthInfoMessage = {
      type: 'AUTH_INFO',
      connectionType: link.direct ? 'direct' : 'neighbor',
      graphId: properties.graphId,
      sourcePeerId: config.peerId,
      ...(link.wantedPeer === undefined ? {} : { destinationPeerId: link.wantedPeer }),
    }
    link.channel.sendClear(encodeGraphMessage(message))
    this.#links.outbox.hasOutput(link)
    this.#negotiate(link)
  }

  /** 3.1.5.1.1; what the message itself shows to be wrong ends in the codec. */
  authInfo(link: GraphLink, message: AuthInfoMessage): void {
    const { config, properties } = this.#context
    const wanted = message.destinationPeerId
    if (
      link.connectionState !== 'in-accepted' ||
      message.graphId !== properties.graphId ||
      (wanted !== undefined && wanted !== config.peerId)
    ) {
      this.#links.terminate(link, 'protocol')
      return
    }
    link.direct = message.connectionType === 'direct'
    link.peerId = message.sourcePeerId
    this.#negotiate(link)
  }

  /** Without a provider both sides are AUTHENTICATED now. */
  #negotiate(link: GraphLink): void {
    const { security } = this.#context.config
    if (security === undefined) {
      this.authenticated(link)
      return
    }
    link.connectionState = link.initiator ? 'out-sent-authinfo' : 'in-got-authinfo'
    link.channel.secure(
      security.openSession({
        connection: link.connection,
        initiator: link.initiator,
        direct: link.direct,
        peerId: link.initiator ? link.wantedPeer : link.peerId,
      }),
    )
  }

  /** 3.1.5.1.2; the other side's time for CONNECT or WELCOME begins (GA-35). */
  authenticated(link: GraphLink): void {
    const { listening, nodeId, now, timers } = this.#context
    link.connectionState = link.initiator ? 'out-authenticated' : 'in-authenticated'
    link.state = 'authenticated'
    timers.set(link, now + LIMITS.graphConnectUs)
    if (!link.initiator) return
    // GA-15: N on neighbour CONNECTs, too.
    this.#links.send(link, {
      type: 'CONNECT',
      update: false,
      direct: link.direct,
      neighborList: true,
      nodeId,
      addresses: listening.slice(0, LIMITS.graphListeningAddresses),
      ...(link.topology ? { friendlyName: TOPOLOGY_VISIT } : {}),
    })
    link.state = 'connect-wait'
    link.connectSentAt = now
  }

  /** 3.1.5.2.1. */
  connect(link: GraphLink, message: ConnectMessage): void {
    const links = this.#links
    if (link.state === 'connected') {
      if (message.update && !link.direct) this.#replaceAddresses(link, message)
      // GA-39: a direct link has nothing to update.
      else if (message.update) links.terminate(link, 'protocol')
      // GA-16: before the test for duplicates, which would find this very link.
      else this.#refuse(link, 'already-connected')
      return
    }
    if (link.state !== 'authenticated' || message.direct !== link.direct) {
      links.terminate(link, 'protocol')
      return
    }
    link.nodeId = message.nodeId
    this.#replaceAddresses(link, message)
    if (link.direct) this.#acceptDirect(link, message)
    else this.#acceptNeighbor(link, message)
  }

  #replaceAddresses(link: GraphLink, message: ConnectMessage): void {
    link.addresses = message.addresses.filter((address) => this.#links.isSaidBy(link, address))
  }

  #acceptDirect(link: GraphLink, message: ConnectMessage): void {
    const { allowDirect, config } = this.#context
    link.topology = message.friendlyName === TOPOLOGY_VISIT
    if (link.topology ? config.allowTopology === false : !allowDirect) {
      this.#refuse(link, 'direct-disallowed')
      return
    }
    this.#welcome(link, [])
    this.#links.connected(link)
    if (link.topology) this.#links.boundVisitors()
  }

  #acceptNeighbor(link: GraphLink, message: ConnectMessage): void {
    const { nodeId, parts, properties } = this.#context
    const { neighbors } = this.#links
    // GA-31: links that are not CONNECTED do not count. A node does not neighbour itself either.
    const duplicate = neighbors.some((other) => other.nodeId === message.nodeId)
    if (duplicate || message.nodeId === nodeId) {
      this.#refuse(link, 'duplicate')
      return
    }
    if (neighbors.length >= this.#maximum) {
      this.#refuse(link, 'busy')
      return
    }
    this.#welcome(link, message.neighborList ? referralsFor(link, neighbors) : [])
    this.#links.connected(link)
    if (properties.deferExpiration) parts.records.scanNow()
  }

  get #maximum(): number {
    return this.#context.config.limits?.maxNeighbors ?? LIMITS.graphNeighborsMax
  }

  #welcome(link: GraphLink, addresses: WelcomeMessage['addresses']): void {
    const { config, nodeId, peerTime } = this.#context
    const { peerId } = config
    this.#links.send(link, { type: 'WELCOME', nodeId, peerTime, addresses, peerId })
  }

  #refuse(link: GraphLink, code: RefuseCode): void {
    const addresses = code === 'busy' ? referralsFor(link, this.#links.neighbors) : []
    this.#context.counters.add(`refused.${code}`)
    this.#links.finish(link, { type: 'REFUSE', code, addresses }, 'refused')
  }

  /** 3.1.5.2.2. */
  welcome(link: GraphLink, message: WelcomeMessage): void {
    const { nodeId, parts, properties } = this.#context
    const links = this.#links
    if (link.state !== 'connect-wait' || message.nodeId === nodeId) {
      links.terminate(link, 'protocol')
      return
    }
    link.nodeId = message.nodeId
    link.peerId = message.peerId
    links.addReferrals(link, message.addresses)
    if (link.direct) {
      links.connected(link)
      links.pingAll()
      return
    }
    const twin = links.neighbors.find((other) => other.nodeId === link.nodeId)
    if (twin !== undefined && !this.#replaces(link, twin)) {
      links.finish(link, links.disconnectMessage(link, 'least-useful'), 'least-useful')
      return
    }
    if (twin === undefined && links.neighbors.length >= this.#maximum) {
      // Others have come while this one was on its way.
      links.finish(link, links.disconnectMessage(link, 'least-useful'), 'least-useful')
      return
    }
    const first = links.neighbors.every((other) => other === twin)
    // Before maintenance, which may publish records: their times should be the graph's.
    adjustPeerTime(this.#context, link, message.peerTime, first)
    links.connected(link)
    if (twin !== undefined) links.disconnect(twin, 'least-useful')
    if (first && properties.deferExpiration) parts.records.scanNow()
    links.pingAll()
    if (!link.ended) parts.sync.start(link, first)
  }

  /**
   * GA-31: both nodes connected to each other at once. The connection that the lower node ID opened
   * stays; of two that the same node opened the older one.
   */
  #replaces(link: GraphLink, twin: GraphLink): boolean {
    return !twin.initiator && this.#context.nodeId < (link.nodeId as bigint)
  }

  /** 3.1.5.2.3. */
  refuse(link: GraphLink, message: RefuseMessage): void {
    const links = this.#links
    // Each of a row of refusals would have this node connect somewhere.
    if (link.state !== 'connect-wait' || link.refused) {
      links.terminate(link, 'protocol')
      return
    }
    link.refused = true
    links.addReferrals(link, message.addresses)
    // The other side holds this link for CONNECTED: the Connect Timer will tell.
    const next = link.direct ? undefined : links.followReferral(link)
    if (message.code !== 'already-connected') links.terminate(link, 'refused', next)
  }

  /** 3.1.5.2.4. */
  disconnect(link: GraphLink, message: DisconnectMessage): void {
    this.#links.addReferrals(link, message.addresses)
    this.#links.terminate(link, message.reason)
  }

  /** 3.1.4.8, 3.1.7.23: the neighbours learn where this node listens now. */
  listeningChanged(): void {
    const { listening, nodeId } = this.#context
    if (listening.length === 0) return
    for (const link of this.#links.neighbors) {
      this.#links.send(link, {
        type: 'CONNECT',
        update: true,
        direct: false,
        neighborList: false,
        nodeId,
        addresses: listening.slice(0, LIMITS.graphListeningAddresses),
      })
    }
  }
}
