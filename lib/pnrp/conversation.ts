import { equalBytes } from '../core/bytes.js'
import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { sha1 } from '../native/digest.js'
import type { PnrpId, RequestMessage, RouteEntry, SolicitMessage } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type {
  ConversationOutcome,
  Exchange,
  ExchangeOwner,
  SynchronizationPart,
  SynchronizationResponderPart,
} from './parts.js'

/** The joining side of a synchronization conversation, MS-PNRP 3.1.1 Conversation Table. */
class JoiningConversation implements ExchangeOwner {
  readonly to: Endpoint
  readonly nonce: Uint8Array
  readonly hashedNonce: Uint8Array
  readonly #table: Synchronization

  constructor(table: Synchronization, to: Endpoint, nonce: Uint8Array) {
    this.#table = table
    this.to = to
    this.nonce = nonce
    this.hashedNonce = sha1(nonce)
  }

  onAdvertise(
    _exchange: Exchange,
    _from: Endpoint,
    pnrpIds: readonly PnrpId[],
    hashedNonce: Uint8Array,
  ): void {
    this.#table.advertised(this, pnrpIds, hashedNonce)
  }

  /** The REQUEST arrived; the FLOODs that follow find their way without this conversation. */
  onAck(): void {
    this.#table.release(this)
  }

  onGivenUp(exchange: Exchange): void {
    this.#table.release(this)
    if (exchange.kind === 'SOLICIT') this.#table.ended(this, 'unanswered')
  }
}

/** Both sides of synchronization; the answering one is handed in. */
export class Synchronization implements SynchronizationPart {
  readonly #context: CloudContext
  readonly #responder: SynchronizationResponderPart
  readonly #conversations = new Map<string, JoiningConversation>()

  constructor(context: CloudContext, responder: SynchronizationResponderPart) {
    this.#context = context
    this.#responder = responder
  }

  get open(): number {
    return this.#conversations.size
  }

  /** 3.1.4.3. */
  start(to: Endpoint): void {
    const key = endpointKey(to)
    if (this.#conversations.has(key)) return
    const context = this.#context
    if (this.#conversations.size >= LIMITS.conversationsJoining) {
      context.counters.add('refused.conversations-full')
      return
    }
    const conversation = new JoiningConversation(this, to, context.rng.bytes(16))
    const routeEntry = this.#ownEntry()
    const solicit: SolicitMessage = {
      type: 'SOLICIT',
      messageId: context.newMessageId(),
      hashedNonce: conversation.hashedNonce,
      ...(routeEntry === undefined ? {} : { routeEntry }),
    }
    this.#conversations.set(key, conversation)
    const exchange = context.request(solicit, { to, reason: 'synchronize', owner: conversation })
    if (exchange === undefined) this.release(conversation)
  }

  handleSolicit(from: Endpoint, message: SolicitMessage): void {
    this.#responder.handleSolicit(from, message)
  }

  handleRequest(from: Endpoint, message: RequestMessage): void {
    this.#responder.handleRequest(from, message)
  }

  /** 3.1.5.3, once the SOLICIT has left the Pending List. */
  advertised(
    conversation: JoiningConversation,
    pnrpIds: readonly PnrpId[],
    hashedNonce: Uint8Array,
  ): void {
    const context = this.#context
    if (!equalBytes(hashedNonce, conversation.hashedNonce)) {
      context.counters.add('drop.advertise-nonce')
      this.release(conversation)
      this.ended(conversation, 'refused')
      return
    }
    if (pnrpIds.length === 0) {
      this.release(conversation)
      this.ended(conversation, 'empty')
      return
    }
    const request: RequestMessage = {
      type: 'REQUEST',
      messageId: context.newMessageId(),
      nonce: conversation.nonce,
      pnrpIds: pnrpIds.slice(0, LIMITS.requestedIds),
    }
    const options = { to: conversation.to, reason: 'synchronize' as const, owner: conversation }
    if (context.request(request, options) === undefined) this.release(conversation)
    this.ended(conversation, 'answered')
  }

  release(conversation: JoiningConversation): void {
    this.#conversations.delete(endpointKey(conversation.to))
  }

  ended(conversation: JoiningConversation, outcome: ConversationOutcome): void {
    this.#context.parts.discovery.conversationEnded(conversation.to, outcome)
  }

  /** 2.2.2.1: of any of our IDs; none without one. */
  #ownEntry(): RouteEntry | undefined {
    const { registrations } = this.#context.parts
    for (const registration of registrations.all()) return registrations.routeEntry(registration)
    return undefined
  }
}
