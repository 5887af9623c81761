import { LIMITS } from '../core/limits.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm } from './alarm.js'
import { ConnectionMaintenance } from './connection-maintenance.js'
import { RECORD_TYPE } from './constants.js'
import { Contacts } from './contacts.js'
import type { GraphContext } from './context.js'
import { Departed } from './departed.js'
import { GraphInfo } from './graph-info.js'
import type { ConnectionId, GraphNodeInfo, PropertyChanges } from './interface.js'
import { Partition } from './partition.js'
import type { Failure, Link, MaintenancePart } from './parts.js'
import { ticks } from './peer-time.js'
import { nodeInfo, Presence } from './presence.js'
import { Signature } from './signature.js'

/** What a node does unasked to stay a good member of its graph (MS-PPGRH 3.1.7.16). */
export class Maintenance implements MaintenancePart {
  readonly #context: GraphContext
  readonly #graphInfo: GraphInfo
  readonly #signature: Signature
  readonly #contacts: Contacts
  readonly #presence: Presence
  readonly #departed = new Departed()
  readonly #connections: ConnectionMaintenance
  readonly #partition: Partition
  readonly #timer: Alarm
  #running = false
  #again = false
  #wasListening = false
  #repairAskedAt = -Infinity
  #repairTaken = true

  constructor(context: GraphContext) {
    this.#context = context
    this.#presence = new Presence(context, this.#departed)
    this.#graphInfo = new GraphInfo(context, () => {
      this.#presence.maintain()
    })
    this.#signature = new Signature(context, () => {
      this.#contacts.republishSoon()
      this.#partition.detect()
    })
    this.#contacts = new Contacts(context, this.#signature)
    this.#connections = new ConnectionMaintenance(
      context,
      this.#presence,
      this.#contacts,
      this.#departed,
    )
    this.#partition = new Partition(context, this.#contacts, this.#connections)
    this.#timer = new Alarm(context, () => {
      this.#maintain(true)
    })
  }

  get nodes(): readonly GraphNodeInfo[] {
    return this.#presence.live.map(nodeInfo)
  }

  get signature(): bigint | undefined {
    return this.#signature.value
  }

  start(): void {
    this.#graphInfo.start()
  }

  setPresence(force: boolean): void {
    this.#presence.setForce(force)
  }

  setNodeAttributes(attributes: string): Failure | undefined {
    return this.#presence.setAttributes(attributes)
  }

  setProperties(changes: PropertyChanges): Failure | undefined {
    return this.#graphInfo.change(changes)
  }

  /** 3.1.7.10.2-5 */
  recordStored(record: GraphRecord, _previous: GraphRecord | undefined, local: boolean): void {
    if (this.#context.closing) return
    switch (record.type) {
      case RECORD_TYPE.graphInfo:
        this.#graphInfo.recordStored(record, local)
        return
      case RECORD_TYPE.signature:
        this.#signature.recordStored()
        return
      case RECORD_TYPE.contact:
        this.#contacts.recordStored(record, local)
        // GA-26: it may see another signature than we do.
        this.#partition.detect()
        this.#connections.candidateFound()
        return
      case RECORD_TYPE.presence:
        this.#presence.recordStored(record, local)
        this.#connections.candidateFound()
    }
  }

  /** 3.1.7.19-21 */
  recordExpired(record: GraphRecord): void {
    if (this.#context.closing) return
    const { type } = record
    if (type === RECORD_TYPE.signature) this.#signature.calculate()
    else if (type === RECORD_TYPE.contact) this.#contacts.recordExpired(record)
    else if (type === RECORD_TYPE.presence) this.#presence.recordExpired(record)
    else if (type === RECORD_TYPE.graphInfo) this.#graphInfo.maintain()
  }

  linkConnected(link: Link, first: boolean): void {
    this.#connections.linkConnected(link)
    if (!first) return
    if (link.initiator) {
      this.#signature.settle()
      this.#maintain(false)
    } else this.#startTimer()
  }

  linkClosed(_link: Link): void {
    this.#maintain(false)
  }

  attemptFailed(connection: ConnectionId, next?: ConnectionId): void {
    if (!this.#context.closing) this.#connections.attemptFailed(connection, next)
  }

  synchronized(): void {
    if (this.#context.closing) return
    this.#signature.synchronized()
    this.#contacts.maintain()
    // Rule c of 3.1.7.14 has waited for this.
    this.#connections.run(false)
  }

  takeRepairTurn(): boolean {
    const asked = this.#context.now - this.#repairAskedAt <= LIMITS.graphRepairTurnUs
    const taken = asked && !this.#repairTaken
    this.#repairTaken = true
    return taken
  }

  agreedUntil(link: Link): bigint {
    const { peerTime } = this.#context
    const signs = [...this.#contacts.live, ...this.#presence.live]
      .filter(({ nodeId }) => nodeId === link.nodeId)
      .map(({ modificationTime }) => modificationTime)
    const sign = this.#departed.lastSign(link.remote)
    if (sign !== undefined) signs.push(sign)
    if (signs.length === 0) return peerTime - ticks(LIMITS.graphRepairUnknownS)
    const first = signs.reduce((a, b) => (a < b ? a : b))
    return first - ticks(LIMITS.graphRepairSlackS)
  }

  /** 3.1.4.8, 3.1.7.23 */
  listeningChanged(): void {
    if (this.#context.closing) return
    const started = !this.#wasListening
    this.#wasListening = this.#context.listening.length > 0
    if (!started) {
      this.#presence.addressesChanged()
      this.#contacts.addressesChanged()
    }
    this.#maintain(false)
    this.#presence.maintain()
    this.#signature.calculate()
  }

  withdraw(): void {
    this.#contacts.withdraw()
    this.#presence.withdraw()
    this.#signature.withdraw()
    this.#graphInfo.cancel()
    this.#connections.cancel()
    this.#partition.cancel()
    this.#timer.cancel()
  }

  /**
   * 3.1.7.16. Dropping a link calls for maintenance again (3.1.7.25), which then follows, not
   * being brought about by the timer.
   */
  #maintain(byTimer: boolean): void {
    if (this.#context.closing) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = true
    this.#steps(byTimer)
    this.#running = false
    this.#startTimer()
    if (!this.#again) return
    this.#again = false
    this.#maintain(false)
  }

  #steps(byTimer: boolean): void {
    // GA-32
    this.#context.parts.links.clearAttempted()
    this.#signature.calculate()
    this.#contacts.maintain()
    this.#partition.detect()
    this.#connections.run(byTimer)
    this.#askForRepair()
    // GA-57, GA-27
    this.#presence.maintain()
    this.#contacts.refresh()
    this.#graphInfo.maintain()
  }

  /** 3.1.6.6 */
  #startTimer(): void {
    const alone = this.#context.parts.links.neighbors.length === 0
    this.#timer.set(alone ? LIMITS.graphMaintenanceAloneUs : LIMITS.graphMaintenanceUs)
  }

  /** 3.1.7.15 */
  #askForRepair(): void {
    const { events, now } = this.#context
    if (this.#contacts.own === undefined) return
    if (now - this.#repairAskedAt < LIMITS.graphConnectionRequiredUs) return
    this.#repairAskedAt = now
    this.#repairTaken = false
    events.push({ type: 'connection-required', why: 'long-term-repair' })
  }
}
