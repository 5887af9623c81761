import { equalBytes } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { below } from '../core/rng.js'
import { sha1 } from '../native/digest.js'
import type {
  FloodMessage,
  PnrpId,
  RequestMessage,
  RouteEntry,
  SolicitMessage,
} from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { ConversationTable, type Conversation } from './conversation-table.js'
import type { SynchronizationResponderPart } from './parts.js'
import { SolicitType } from '../wire/constants.js'

const NO_ID = new Uint8Array(32)

/** The answering side of a synchronization conversation, MS-PNRP 3.2.5.3 and 3.2.5.4. */
export class SynchronizationResponder implements SynchronizationResponderPart {
  readonly #context: CloudContext
  readonly #conversations: ConversationTable

  constructor(context: CloudContext) {
    this.#context = context
    this.#conversations = new ConversationTable(context)
  }

  /** Conversations held at present. */
  get conversations(): number {
    return this.#conversations.size
  }

  handleSolicit(from: Endpoint, message: SolicitMessage): void {
    const { budgets, counters, now, parts } = this.#context
    if (!budgets.solicit.take(now, from)) {
      counters.add('drop.solicit-budget')
      return
    }
    const conversation = this.#conversations.open(from, message.hashedNonce)
    if (conversation === undefined) {
      counters.add('refused.conversations-full')
      this.#advertise(from, message, [])
      return
    }
    conversation.pnrpId = message.routeEntry?.pnrpId.slice()
    conversation.advertised = this.#choose(message)
    this.#advertise(from, message, conversation.advertised)
    if (message.routeEntry !== undefined) {
      parts.admission.submit(message.routeEntry, { via: 'SOLICIT', from })
    }
  }

  handleRequest(from: Endpoint, message: RequestMessage): void {
    const { counters } = this.#context
    // N-25: a node may have several conversations with us; its nonce says which.
    const conversation = this.#conversations.find(from, sha1(message.nonce))
    if (conversation === undefined) {
      counters.add('drop.request-without-conversation')
      return
    }
    this.#acknowledge(from, message.messageId)
    if (conversation.answered) return
    conversation.answered = true
    for (const pnrpId of conversation.advertised) {
      // N-24: only what was advertised, each once.
      if (!requests(message, pnrpId)) continue
      const entry = this.#entryOf(pnrpId)
      if (entry !== undefined) this.#flood(from, conversation, entry)
    }
  }

  /** Up to five cached IDs spread over the ring, then own ones; for LOCAL own ones only. */
  #choose(message: SolicitMessage): PnrpId[] {
    const { cache } = this.#context
    const chosen =
      message.solicitType === SolicitType.LOCAL ? [] : cache.spread(LIMITS.advertisedIds)
    return [...chosen, ...this.#ownIds(LIMITS.advertisedIds - chosen.length)]
  }

  /** `count` of our own IDs, any, or all if there are fewer. */
  #ownIds(count: number): PnrpId[] {
    const { parts, rng } = this.#context
    const own = [...parts.registrations.all()]
    const picked: PnrpId[] = []
    while (picked.length < count && own.length > 0) {
      const at = own.length <= count ? 0 : below(rng, own.length)
      picked.push((own.splice(at, 1)[0] as (typeof own)[number]).pnrpId)
    }
    return picked
  }

  #entryOf(pnrpId: PnrpId): RouteEntry | undefined {
    const { cache, parts } = this.#context
    const local = parts.registrations.find(pnrpId)
    return local === undefined ? cache.get(pnrpId) : parts.registrations.routeEntry(local)
  }

  #advertise(to: Endpoint, solicit: SolicitMessage, pnrpIds: readonly PnrpId[]): void {
    this.#context.send(
      to,
      {
        type: 'ADVERTISE',
        messageId: this.#context.newMessageId(),
        ackedMessageId: solicit.messageId,
        pnrpIds,
        hashedNonce: solicit.hashedNonce,
      },
      'answer',
    )
  }

  #acknowledge(to: Endpoint, ackedMessageId: number): void {
    const messageId = this.#context.newMessageId()
    this.#context.send(to, { type: 'ACK', messageId, ackedMessageId, notFound: false }, 'answer')
  }

  #flood(to: Endpoint, conversation: Conversation, entry: RouteEntry): void {
    const message: FloodMessage = {
      type: 'FLOOD',
      messageId: this.#context.newMessageId(),
      doNotAck: true,
      validatePnrpId: conversation.pnrpId ?? NO_ID,
      routeEntry: entry,
      // We know it already: it need not come back to us.
      floodedList: this.#context.localEndpoints.slice(0, 1),
    }
    this.#context.send(to, message, 'flood')
  }
}

function requests(message: RequestMessage, pnrpId: PnrpId): boolean {
  const { pnrpIds } = message
  const count = Math.min(pnrpIds.length, LIMITS.requestedIds)
  for (let i = 0; i < count; i++) if (equalBytes(pnrpIds[i] as PnrpId, pnrpId)) return true
  return false
}
