import { LIMITS } from '../core/limits.js'
import type { GraphContext } from './context.js'
import type { GraphLink } from './link.js'

/** What comes in on the links of a node, and what it may cost while it is incomplete. */
export class Inbox {
  readonly #context: GraphContext
  readonly #links: ReadonlyMap<number, GraphLink>
  #partialBytes = 0

  constructor(context: GraphContext, links: ReadonlyMap<number, GraphLink>) {
    this.#context = context
    this.#links = links
  }

  /** Bytes of incomplete messages, over all links. */
  get partialBytes(): number {
    return this.#partialBytes
  }

  receive(link: GraphLink, chunk: Uint8Array): void {
    link.channel.receive(chunk)
    if (link.ended) return
    this.#countPartial(link)
    if (link.ended) return
    if (link.state === 'connected') {
      link.watch.received(this.#context.now, chunk.length, link.partialBytes > 0)
    } else {
      this.#boundHandshake(link, chunk.length)
    }
  }

  /** The link is over. */
  forget(link: GraphLink): void {
    this.#partialBytes -= link.partialBytes
    link.partialBytes = 0
  }

  #countPartial(link: GraphLink): void {
    const { buffered } = link.channel
    if (buffered === link.partialBytes) return
    this.#partialBytes += buffered - link.partialBytes
    link.partialBytes = buffered
    while (this.#partialBytes > LIMITS.graphPartialBytes) {
      let most = link
      for (const other of this.#links.values()) {
        if (other.partialBytes > most.partialBytes) most = other
      }
      this.#end(most, 'ended.partial-bytes')
    }
  }

  #boundHandshake(link: GraphLink, bytes: number): void {
    if (!link.authenticated) link.negotiationBytes += bytes
    if (
      link.negotiationBytes > LIMITS.graphNegotiationBytes ||
      link.partialBytes > LIMITS.graphHandshakeBytes
    ) {
      this.#end(link, 'ended.handshake-bytes')
    }
  }

  #end(link: GraphLink, reason: string): void {
    this.#context.counters.add(reason)
    this.#context.parts.links.terminate(link, 'protocol')
  }
}
