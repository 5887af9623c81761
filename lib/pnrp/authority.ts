import { LIMITS } from '../core/limits.js'
import type { Endpoint } from '../core/endpoint.js'
import { decodeAuthorityBuffer, Reassembler } from '../wire/codec.js'
import type { AuthorityMessage } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { AuthorityPart, Exchange } from './parts.js'

/** AUTHORITY messages, MS-PNRP 3.1.5.6: match, reassemble, decode, hand to who asked. */
export class AuthorityReceiver implements AuthorityPart {
  readonly #context: CloudContext
  /** Made when the first fragment comes; most nodes never see one. */
  #reassembler: Reassembler | undefined

  constructor(context: CloudContext) {
    this.#context = context
  }

  handleAuthority(from: Endpoint, message: AuthorityMessage): void {
    const { exchanges, counters } = this.#context
    const exchange = exchanges.match(message.ackedMessageId, from, 'LOOKUP', 'INQUIRE')
    if (exchange === undefined) {
      // N-35: a known Message ID from elsewhere is a forgery or a late answer; count them apart.
      const known = exchanges.has(message.ackedMessageId)
      counters.add(known ? 'drop.authority-wrong-source' : 'drop.authority-unmatched')
      return
    }
    const bytes = this.#whole(from, message)
    if (bytes === undefined) return
    const decoded = decodeAuthorityBuffer(bytes)
    if (!decoded.ok) {
      counters.add(`drop.authority-buffer.${decoded.code}`)
      return
    }
    exchanges.finish(exchange.messageId)
    exchange.owner.onAuthority?.(exchange, from, decoded.buffer)
  }

  /** N-34: contexts go with the request that they answer. */
  forget(exchange: Exchange): void {
    this.#reassembler?.dropByAcked(exchange.messageId)
  }

  /** The complete AUTHORITY_BUFFER, if this message is or completes one. */
  #whole(from: Endpoint, message: AuthorityMessage): Uint8Array | undefined {
    if (message.offset === 0 && message.buffer.length === message.size) return message.buffer
    this.#reassembler ??= new Reassembler({
      contextsPerNode: LIMITS.reassemblies,
      bytesTotal: LIMITS.reassemblyBytes,
      // All nodes of a loopback cloud have one address, and one owner.
      ...(this.#context.scope === 'loopback'
        ? {}
        : { slotsPerAddress: LIMITS.reassemblySlotsPerAddress }),
    })
    const result = this.#reassembler.accept(from, message)
    if ('dropped' in result) {
      this.#context.counters.add(`drop.fragment.${result.dropped}`)
      return undefined
    }
    return result.complete ? result.buffer : undefined
  }
}
