import { bytesKey } from '../core/bytes.js'
import { endpointKey, type Endpoint } from '../core/endpoint.js'
import type { Timed } from '../core/deadlines.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { PnrpId } from '../wire/messages.js'
import type { CloudContext } from './context.js'

/** A joining node that was sent an ADVERTISE (MS-PNRP 3.2.1). */
export class Conversation implements Timed {
  readonly key: string
  /** Of the source address, for the cap on one source. */
  readonly sourceKey: string
  /** What it may ask for (N-24), at most `LIMITS.advertisedIds`. */
  advertised: readonly PnrpId[] = []
  /** ID in the SOLICIT's route entry: Validate PNRP ID of our FLOODs (N-26). */
  pnrpId: PnrpId | undefined
  /** Its REQUEST was answered; kept to acknowledge a repeated one (N-25). */
  answered = false
  startedAt: Instant
  readonly #table: ConversationTable

  constructor(table: ConversationTable, key: string, sourceKey: string, now: Instant) {
    this.#table = table
    this.key = key
    this.sourceKey = sourceKey
    this.startedAt = now
  }

  /** MS-PNRP 3.2.6.1. */
  onTimer(): void {
    this.#table.delete(this)
  }
}

/**
 * The Conversation Table, publisher side: bounded in total and for each source. Strangers fill it,
 * so when it is full the oldest conversation that has had its chance (answered, or long enough for
 * several round trips) makes room.
 */
export class ConversationTable {
  readonly #context: CloudContext
  /** The least recently started first. */
  readonly #conversations = new Map<string, Conversation>()
  readonly #perSource = new Map<string, number>()

  constructor(context: CloudContext) {
    this.#context = context
  }

  get size(): number {
    return this.#conversations.size
  }

  find(from: Endpoint, hashedNonce: Uint8Array): Conversation | undefined {
    return this.#conversations.get(endpointKey(from) + bytesKey(hashedNonce))
  }

  /** Starts a conversation, or restarts the timer of the same one; undefined: no room. */
  open(from: Endpoint, hashedNonce: Uint8Array): Conversation | undefined {
    const { now, timers } = this.#context
    const key = endpointKey(from) + bytesKey(hashedNonce)
    let conversation = this.#conversations.get(key)
    if (conversation === undefined) {
      const sourceKey = this.#sourceKey(from)
      if (!this.#makeRoom(sourceKey)) return undefined
      conversation = new Conversation(this, key, sourceKey, now)
      this.#perSource.set(sourceKey, (this.#perSource.get(sourceKey) ?? 0) + 1)
    } else {
      this.#conversations.delete(key)
      conversation.startedAt = now
    }
    this.#conversations.set(key, conversation)
    timers.set(conversation, now + LIMITS.conversationUs)
    return conversation
  }

  delete(conversation: Conversation): void {
    if (!this.#conversations.delete(conversation.key)) return
    this.#context.timers.cancel(conversation)
    const left = (this.#perSource.get(conversation.sourceKey) ?? 1) - 1
    if (left === 0) this.#perSource.delete(conversation.sourceKey)
    else this.#perSource.set(conversation.sourceKey, left)
  }

  /** On loopback all nodes share one address, so a source is a port there. */
  #sourceKey(from: Endpoint): string {
    return this.#context.scope === 'loopback' ? endpointKey(from) : bytesKey(from.address)
  }

  #makeRoom(sourceKey: string): boolean {
    if ((this.#perSource.get(sourceKey) ?? 0) >= LIMITS.conversationsPerSource) {
      return this.#evict((conversation) => conversation.sourceKey === sourceKey)
    }
    if (this.#conversations.size < LIMITS.conversations) return true
    return this.#evict(() => true)
  }

  /** Removes the oldest conversation, of those concerned, that has had its chance. */
  #evict(concerned: (conversation: Conversation) => boolean): boolean {
    const old = this.#context.now - LIMITS.conversationEvictableUs
    for (const conversation of this.#conversations.values()) {
      if (conversation.startedAt > old && !conversation.answered) continue
      if (!concerned(conversation)) continue
      this.delete(conversation)
      return true
    }
    return false
  }
}
