import type { Endpoint } from '../core/endpoint.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { decodeContact, encodeContact } from '../wire/graph/payloads.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm, randomSeconds } from './alarm.js'
import { RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import { isLive, ticks } from './peer-time.js'
import type { Signature } from './signature.js'

/** An entry of the Contact List, MS-PPGRH 3.1.1. */
export interface Contact {
  readonly id: Guid
  readonly nodeId: bigint
  readonly peerId: string
  readonly addresses: readonly Endpoint[]
  /** As the contact saw it when it published. */
  readonly signature: bigint
  readonly modificationTime: bigint
  readonly expirationTime: bigint
}

/** Cmin and Cmax, 3.1.7.12, GA-08: the smaller the signature, the larger the graph. */
export function contactRange(signature: bigint): { min: number; max: number } {
  const value = signature === 0n ? 1 : Number(signature)
  const min = signature >= 2n ** 60n ? LIMITS.graphContactsMin : 60 - Math.log2(value)
  return { min, max: min + LIMITS.graphContactsSlack }
}

/** Contacts: who they are, and whether this node is one (MS-PPGRH 1.3.2.2, 3.1.7.12, 3.1.6.3). */
export class Contacts {
  readonly #context: GraphContext
  readonly #signature: Signature
  readonly #timer: Alarm
  readonly #republish: Alarm
  readonly #list = new Map<Guid, Contact>()
  /** Once given, this node's contact record keeps its ID. */
  #ownId: Guid | undefined

  constructor(context: GraphContext, signature: Signature) {
    this.#context = context
    this.#signature = signature
    this.#timer = new Alarm(context, () => {
      this.#expired()
    })
    this.#republish = new Alarm(context, () => {
      this.addressesChanged()
    })
  }

  /** Live ones, own included. */
  get live(): readonly Contact[] {
    const { peerTime } = this.#context
    return [...this.#list.values()].filter((contact) => contact.expirationTime > peerTime)
  }

  /** The live record of this node. */
  get own(): Contact | undefined {
    const own = this.#ownId === undefined ? undefined : this.#list.get(this.#ownId)
    return own !== undefined && own.expirationTime > this.#context.peerTime ? own : undefined
  }

  /** Contacts that see another signature than the signature record says. */
  get mismatching(): readonly Contact[] {
    const { value } = this.#signature
    if (value === undefined) return []
    return this.live.filter(({ id, signature }) => signature !== value && id !== this.#ownId)
  }

  /** 3.1.7.12 */
  maintain(): void {
    if (this.#imbalance === undefined || this.#timer.armed) return
    this.#timer.set(randomSeconds(this.#context.rng, LIMITS.graphContactDelayS))
  }

  /** 3.1.7.10.4 */
  recordStored(record: GraphRecord, local: boolean): void {
    const contact = this.#read(record)
    if (contact === undefined) this.#list.delete(record.id)
    else if (this.#list.has(record.id) || this.#list.size < LIMITS.graphContactEntries) {
      this.#list.set(record.id, contact)
    } else this.#context.counters.add('graph.contact-list-full')
    // Somebody else wrote our record: say again what is true.
    if (!local && record.id === this.#ownId) this.republishSoon()
    this.maintain()
  }

  /** 3.1.7.21 */
  recordExpired(record: GraphRecord): void {
    this.#list.delete(record.id)
    this.maintain()
  }

  /** GA-26: the signature is another one. */
  republishSoon(): void {
    if (!this.#republish.armed) this.#republish.set(LIMITS.graphRepublishUs)
  }

  /** Keeps the record's rest of life long, so that it outlasts a split (1.3.2.2). */
  refresh(): void {
    const { own } = this
    const oldest = this.#context.peerTime - ticks(LIMITS.graphContactRefreshS)
    if (own !== undefined && own.modificationTime <= oldest) this.#publish()
  }

  /** 3.1.7.23; who cannot be reached is no contact. */
  addressesChanged(): void {
    if (this.own === undefined) return
    if (this.#context.listening.length === 0) this.#remove()
    else this.#publish()
  }

  /** 3.1.4.12 */
  withdraw(): void {
    this.#remove()
    this.#timer.cancel()
    this.#republish.cancel()
  }

  /** What this node could do about the number of contacts. */
  get #imbalance(): 'few' | 'many' | undefined {
    const { min, max } = contactRange(this.#signature.view)
    const count = this.live.length
    if (this.own !== undefined) return count > max ? 'many' : undefined
    if (!this.#signature.settled || this.#context.listening.length === 0) return undefined
    return count < min ? 'few' : undefined
  }

  /** 3.1.6.3 */
  #expired(): void {
    const imbalance = this.#imbalance
    if (imbalance === 'few') this.#publish()
    else if (imbalance === 'many') this.#remove()
  }

  /** 3.1.7.5 */
  #publish(): void {
    const { listening, nodeId, parts, peerTime } = this.#context
    const record = parts.records.publishInternal({
      type: RECORD_TYPE.contact,
      ...(this.#ownId === undefined ? {} : { id: this.#ownId }),
      payload: encodeContact({
        signature: this.#signature.view,
        nodeId,
        addresses: listening.slice(0, LIMITS.graphNodeAddresses),
      }),
      expirationTime: peerTime + ticks(LIMITS.graphContactLifetimeS),
      autorefresh: true,
    })
    if (record !== undefined) this.#ownId = record.id
  }

  /** Also one that somebody else has made incredible. */
  #remove(): void {
    const { database, parts } = this.#context
    const record = this.#ownId === undefined ? undefined : database.get(this.#ownId)
    if (record !== undefined && isLive(this.#context, record))
      parts.records.removeInternal(record.id)
  }

  /** Undefined: not a contact that could be connected to. */
  #read(record: GraphRecord): Contact | undefined {
    if (record.deleted) return undefined
    const most = LIMITS.graphContactLifetimeS + LIMITS.graphLifetimeSlackS
    if (record.expirationTime > this.#context.peerTime + ticks(most)) return undefined
    const decoded = decodeContact(record.payload)
    if (!decoded.ok) return undefined
    const { payload } = decoded
    return {
      id: record.id,
      nodeId: payload.nodeId,
      peerId: record.creatorId,
      addresses: payload.addresses.slice(0, LIMITS.graphNodeAddresses),
      signature: payload.signature,
      modificationTime: record.modificationTime,
      expirationTime: record.expirationTime,
    }
  }
}
