import type { FloodMessage, GraphMessage, Pt2ptMessage } from '../wire/graph/messages.js'
import { isUseful } from '../wire/graph/ack-list.js'
import type { KnownFlood, ReceivedAcks } from '../wire/graph/stream-reader.js'
import type { ChannelReceiver } from './channel.js'
import { PING_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import type { GraphLink } from './link.js'
import type { Links } from './links.js'
import { decodeNeighbors, TOPOLOGY_ANSWER, TOPOLOGY_QUESTION } from './topology.js'

/** Hands what comes in on a connection to the part that it concerns, MS-PPGRH 3.1.5.1, 3.1.5.2. */
export class LinkReceiver implements ChannelReceiver {
  readonly #context: GraphContext
  readonly #links: Links
  readonly #link: GraphLink

  constructor(context: GraphContext, links: Links, link: GraphLink) {
    this.#context = context
    this.#links = links
    this.#link = link
  }

  /** G-080; and nothing counts after we have sent our last message. */
  get ended(): boolean {
    return this.#link.ended || this.#link.state === 'disconnecting'
  }

  message(message: GraphMessage): boolean {
    const link = this.#link
    if (!link.authenticated) {
      if (message.type === 'AUTH_INFO') this.#links.handshake.authInfo(link, message)
      else this.#links.terminate(link, 'protocol')
      return false
    }
    if (message.type !== 'FLOOD') {
      this.#dispatch(message)
      return false
    }
    return this.#isNeighbor() && this.#context.parts.records.handleFlood(link, message.record)
  }

  known(flood: KnownFlood): boolean {
    const link = this.#link
    if (!link.authenticated) return false
    return !this.#isNeighbor() || this.#context.parts.records.handleKnown(link, flood)
  }

  acknowledged(acks: ReceivedAcks): void {
    const link = this.#link
    if (!link.authenticated) {
      this.#links.terminate(link, 'protocol')
      return
    }
    if (!this.#isNeighbor()) return
    link.watch.acknowledged(acks)
    const { records } = this.#context.parts
    for (let i = 0; i < acks.count; i++) records.handleAck(link, isUseful(acks, i))
  }

  negotiated(): void {
    if (!this.#link.authenticated) this.#links.handshake.authenticated(this.#link)
  }

  broken(why: 'protocol' | 'security', code: string): void {
    this.#context.counters.add(`broken.${code}`)
    this.#links.terminate(this.#link, why)
  }

  sendable(): void {
    this.#links.outbox.hasOutput(this.#link)
  }

  #dispatch(message: Exclude<GraphMessage, FloodMessage>): void {
    const link = this.#link
    const { handshake } = this.#links
    switch (message.type) {
      case 'PT2PT':
        this.#receiveData(message)
        return
      case 'AUTH_INFO':
        // 3.1.5.1.1: once only, and first.
        this.#links.terminate(link, 'protocol')
        return
      case 'CONNECT':
        handshake.connect(link, message)
        return
      case 'WELCOME':
        handshake.welcome(link, message)
        return
      case 'REFUSE':
        handshake.refuse(link, message)
        return
      case 'DISCONNECT':
        handshake.disconnect(link, message)
        return
      case 'SYNC_END':
        // 3.1.5.2.11: ignored, not punished, where it does not belong.
        if (link.state !== 'connected') this.#context.counters.add('ignored.SYNC_END')
        else if (this.#isNeighbor()) this.#context.parts.sync.handleMessage(link, message)
        return
      default:
        if (this.#isNeighbor()) this.#context.parts.sync.handleMessage(link, message)
    }
  }

  /** 3.1.5.2, GA-39: such messages come on CONNECTED neighbour links, or the connection ends. */
  #isNeighbor(): boolean {
    const link = this.#link
    if (link.state === 'connected' && !link.direct) return true
    this.#links.terminate(link, 'protocol')
    return false
  }

  /** 3.1.5.2.13 */
  #receiveData(message: Pt2ptMessage): void {
    const { connection, state } = this.#link
    if (state !== 'connected') {
      this.#links.terminate(this.#link, 'protocol')
      return
    }
    if (message.dataType === PING_TYPE) return
    if (this.#isTopology(message)) return
    // The message is a view of a chunk that dies with this call.
    const data = new Uint8Array(message.data)
    this.#context.events.push({ type: 'data', connection, dataType: message.dataType, data })
  }

  /** True when the application has nothing to do with it. */
  #isTopology({ dataType, data }: Pt2ptMessage): boolean {
    const { config, events } = this.#context
    const link = this.#link
    if (dataType === TOPOLOGY_QUESTION) {
      if (config.allowTopology !== false) this.#links.sendNeighbors(link)
    } else if (dataType === TOPOLOGY_ANSWER) {
      const neighbors = decodeNeighbors(data)
      events.push({ type: 'topology', connection: link.connection, neighbors })
    } else if (link.topology) {
      // It is for nothing else.
      this.#links.terminate(link, 'protocol')
    } else {
      return false
    }
    return true
  }
}
