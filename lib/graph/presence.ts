import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { decodePresence, encodePresence } from '../wire/graph/payloads.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm, randomSeconds } from './alarm.js'
import { RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import type { Departed } from './departed.js'
import type { Failure } from './parts.js'
import type { GraphNodeInfo } from './interface.js'
import { isLive, ticks } from './peer-time.js'

/** Max Presence Records that means everyone, 2.2.3.1. */
const EVERYONE = 0xffff_ffff

/** An entry of the Presence List, MS-PPGRH 3.1.1. */
export interface PresentNode extends GraphNodeInfo {
  readonly id: Guid
  readonly modificationTime: bigint
  readonly expirationTime: bigint
}

/**
 * Presence records: which nodes are there, for the application and for connection maintenance, and
 * whether this node says so of itself (MS-PPGRH 3.1.7.4, 3.1.7.10.5, 3.1.7.17, 3.1.7.20, 3.1.6.9).
 */
export class Presence {
  readonly #context: GraphContext
  readonly #departed: Departed
  readonly #timer: Alarm
  readonly #republish: Alarm
  readonly #list = new Map<Guid, PresentNode>()
  /** Once given, this node's presence record keeps its ID. */
  #ownId: Guid | undefined
  #force = false
  #attributes = ''

  constructor(context: GraphContext, departed: Departed) {
    this.#context = context
    this.#departed = departed
    this.#timer = new Alarm(context, () => {
      this.#expired()
    })
    this.#republish = new Alarm(context, () => {
      this.addressesChanged()
    })
  }

  /** Live ones, own included. */
  get live(): readonly PresentNode[] {
    const { peerTime } = this.#context
    return [...this.#list.values()].filter((node) => node.expirationTime > peerTime)
  }

  /** 3.1.4.6 */
  setForce(force: boolean): void {
    this.#force = force
    if (force && this.#isListening) this.#publish(false)
    else if (!force && this.#context.properties.maxPresenceRecords === 0) this.#remove()
    this.maintain()
  }

  setAttributes(attributes: string): Failure | undefined {
    const bad = attributes.length > LIMITS.graphNodeAttributeUnits
    if (bad || /\0|\p{Surrogate}/u.test(attributes)) {
      const message = `node attributes have at most ${LIMITS.graphNodeAttributeUnits} UTF-16 units`
      return { code: 'ERR_PEERNET_INVALID_ARG', message }
    }
    if (attributes === this.#attributes) return undefined
    this.#attributes = attributes
    if (this.#own !== undefined) this.#publish(true)
    return undefined
  }

  /** 3.1.7.17, GA-57 */
  maintain(): void {
    const own = this.#own !== undefined
    if (!this.#isListening) {
      if (own) this.#remove()
    } else if (!own && this.#isWanted) this.#publish(true)
    if (this.#imbalance === undefined || this.#timer.armed) return
    this.#timer.set(randomSeconds(this.#context.rng, LIMITS.graphPresenceDelayS))
  }

  /** 3.1.7.10.5 */
  recordStored(record: GraphRecord, local: boolean): void {
    const node = this.#read(record)
    if (node === undefined) this.#drop(record.id)
    else this.#enter(node)
    if (local || record.id !== this.#ownId) return
    // Somebody else wrote our record: say again what is true.
    if (!this.#republish.armed) this.#republish.set(LIMITS.graphRepublishUs)
  }

  /** 3.1.7.20 */
  recordExpired(record: GraphRecord): void {
    const node = this.#list.get(record.id)
    if (node !== undefined) this.#departed.remember(node.addresses, node.modificationTime)
    this.#drop(record.id)
    this.maintain()
  }

  /** 3.1.7.23 */
  addressesChanged(): void {
    if (this.#own !== undefined && this.#isListening) this.#publish(true)
    else this.maintain()
  }

  /** 3.1.4.12 */
  withdraw(): void {
    this.#remove()
    this.#timer.cancel()
    this.#republish.cancel()
  }

  get #isListening(): boolean {
    return this.#context.listening.length > 0
  }

  /** Published without a look at the number of others. */
  get #isWanted(): boolean {
    return this.#force || this.#context.properties.maxPresenceRecords === EVERYONE
  }

  /** The live record of this node. */
  get #own(): PresentNode | undefined {
    const own = this.#ownId === undefined ? undefined : this.#list.get(this.#ownId)
    return own !== undefined && own.expirationTime > this.#context.peerTime ? own : undefined
  }

  /** What this node could do about the number of presence records (GA-46). */
  get #imbalance(): 'few' | 'many' | undefined {
    const most = this.#context.properties.maxPresenceRecords
    if (most === 0 || most === EVERYONE || this.#force || !this.#isListening) return undefined
    const count = this.live.length
    if (this.#own !== undefined) {
      return count > most + LIMITS.graphPresenceSlack ? 'many' : undefined
    }
    return count < most ? 'few' : undefined
  }

  /** 3.1.6.9 */
  #expired(): void {
    const imbalance = this.#imbalance
    if (imbalance === 'few') this.#publish(true)
    else if (imbalance === 'many') this.#remove()
  }

  /** 3.1.7.4 */
  #publish(autorefresh: boolean): void {
    const { config, listening, nodeId, parts, peerTime, properties } = this.#context
    const addresses = listening.slice(0, LIMITS.graphNodeAddresses)
    const record = parts.records.publishInternal({
      type: RECORD_TYPE.presence,
      ...(this.#ownId === undefined ? {} : { id: this.#ownId }),
      payload: encodePresence({ nodeId, attributes: this.#attributes, addresses }, config.dialect),
      expirationTime: peerTime + ticks(properties.presenceLifetimeS),
      autorefresh,
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

  #enter(node: PresentNode): void {
    const before = this.#list.get(node.id)
    if (before === undefined && this.#list.size >= LIMITS.graphPresenceEntries) {
      this.#context.counters.add('graph.presence-list-full')
      return
    }
    this.#list.set(node.id, node)
    this.#departed.forget(node.addresses)
    if (before?.nodeId !== node.nodeId) {
      if (before !== undefined) this.#tell('disconnected', before)
      this.#tell('connected', node)
    } else if (!isSame(before, node)) this.#tell('updated', node)
  }

  #drop(id: Guid): void {
    const node = this.#list.get(id)
    if (node === undefined) return
    this.#list.delete(id)
    this.#tell('disconnected', node)
  }

  #tell(change: 'connected' | 'updated' | 'disconnected', present: PresentNode): void {
    this.#context.events.push({ type: 'node', change, node: nodeInfo(present) })
  }

  /**
   * Such records would fill the list for good. This node may not know the graph's presence lifetime
   * (GA-27), so only what is beyond any sensible one counts.
   */
  #isEverlasting({ expirationTime }: GraphRecord): boolean {
    const { peerTime, properties } = this.#context
    const most = Math.max(properties.presenceLifetimeS, LIMITS.graphPresenceLifetimeMostS)
    return expirationTime > peerTime + ticks(most + LIMITS.graphLifetimeSlackS)
  }

  #read(record: GraphRecord): PresentNode | undefined {
    if (record.deleted) return undefined
    const decoded = decodePresence(record.payload, this.#context.dialect)
    if (!decoded.ok) return undefined
    const { addresses, attributes, nodeId } = decoded.payload
    if (attributes.length > LIMITS.graphNodeAttributeUnits || this.#isEverlasting(record)) {
      return undefined
    }
    return {
      id: record.id,
      nodeId,
      peerId: record.creatorId,
      addresses: addresses.slice(0, LIMITS.graphNodeAddresses),
      attributes,
      modificationTime: record.modificationTime,
      expirationTime: record.expirationTime,
    }
  }
}

export function nodeInfo({ addresses, attributes, nodeId, peerId }: PresentNode): GraphNodeInfo {
  return { nodeId, peerId, addresses, attributes }
}

function isSame(a: GraphNodeInfo, b: GraphNodeInfo): boolean {
  return a.attributes === b.attributes && sameAddresses(a.addresses, b.addresses)
}

function sameAddresses(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((one, i) => sameEndpoint(one, b[i] as Endpoint))
}
