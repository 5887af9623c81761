import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { emptyList } from '../core/list.js'
import { Queue } from '../core/queue.js'
import { encodeGraphMessage } from '../wire/graph/codec.js'
import type { GraphMessage } from '../wire/graph/messages.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm } from './alarm.js'
import { longestMessage } from './channel.js'
import { PING_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import { ticksAbout } from './entry.js'
import type { GraphTransmit } from './interface.js'
import type { GraphLink } from './link.js'
import type { Failure, RecordSource } from './parts.js'
import type { SendHost } from './send-queue.js'

/** Acknowledgements that fit one frame: 12 bytes before them, 20 for each. */
const ACKS_PER_MESSAGE = Math.floor((LIMITS.graphFrameBytes - 12) / 20)

/** Of a PT2PT message. */
const DATA_HEADER = 28

const PING: GraphMessage = { type: 'PT2PT', dataType: PING_TYPE, data: new Uint8Array(0) }

/** What the links of a node send: which of them has something, and what all have in common. */
export class Outbox implements SendHost {
  /** Bytes that are with the network, over all links. */
  aheadBytes = 0
  readonly #context: GraphContext
  /** Links that have something to send; acknowledgements; too much. */
  readonly #dirty = new Queue<GraphLink>()
  readonly #acking = emptyList<GraphLink>()
  readonly #overflowed = emptyList<GraphLink>()
  readonly #ackTimer: Alarm

  constructor(context: GraphContext) {
    this.#context = context
    this.#ackTimer = new Alarm(context, () => {
      this.#flushAllAcks()
    })
  }

  /** The link may have something to send. */
  hasOutput(link: GraphLink): void {
    if (link.dirty) return
    link.dirty = true
    this.#dirty.push(link)
  }

  pollTransmit(): GraphTransmit | undefined {
    for (;;) {
      const link = this.#dirty.shift()
      if (link === undefined) return undefined
      link.dirty = false
      if (link.ended) continue
      const { queue } = link.channel
      // Acknowledgements go along with whatever goes.
      if (link.acks.count > 0 && queue.sendable) this.#sendAcks(link)
      const data = queue.take()
      if (link.state === 'disconnecting' && !link.finishSent && queue.empty) {
        link.finishSent = true
        this.#context.effects.push({ type: 'finish', connection: link.connection })
      }
      if (data === undefined) continue
      link.watch.sent(this.#context.now)
      return { connection: link.connection, data }
    }
  }

  /** Bytes of a link have left the process. */
  written(link: GraphLink, bytes: number): void {
    const { now, timers } = this.#context
    const { queue } = link.channel
    queue.confirm(bytes)
    if (queue.sendable) this.hasOutput(link)
    if (link.state === 'connected') {
      link.watch.written(now, queue.written)
    } else if (link.state === 'disconnecting') {
      const end = link.finishingSince + LIMITS.graphFinishTotalUs
      timers.set(link, Math.min(now + LIMITS.graphFinishUs, end))
    }
    if (link.dataEnd > 0 && queue.written >= link.dataEnd && !queue.holdsData) {
      link.dataEnd = 0
      this.#context.events.push({ type: 'drained', connection: link.connection })
    }
  }

  send(link: GraphLink, message: GraphMessage): void {
    if (link.ended || link.state === 'disconnecting') return
    const { queue } = link.channel
    const bytes = encodeGraphMessage(message)
    if (message.type === 'SYNC_END') queue.pushBarrier(bytes)
    else queue.pushMessage(bytes)
    this.#queued(link)
  }

  ping(link: GraphLink): void {
    this.send(link, PING)
    link.watch.sent(this.#context.now)
  }

  /** The last message of a link: after all records, and nothing of a synchronisation. */
  sendLast(link: GraphLink, message: GraphMessage): void {
    const { queue } = link.channel
    this.#flushAcks(link)
    queue.dropSources()
    queue.pushBarrier(encodeGraphMessage(message))
    this.hasOutput(link)
  }

  /** Application data; undefined, or why it is not taken. */
  sendData(link: GraphLink, handle: number, dataType: Guid, data: Uint8Array): Failure | undefined {
    const { queue } = link.channel
    const waiting = queue.dataBytes
    if (data.length + DATA_HEADER > longestMessage(this.#context)) {
      const message = 'no message of this graph is as long as that (graphMessageSlackBytes)'
      return { code: 'ERR_PEERNET_LIMIT', message }
    }
    if (waiting > 0 && waiting + data.length > LIMITS.graphQueuedDataBytes) {
      const message = 'too much data waits for this connection (graphQueuedDataBytes)'
      return { code: 'ERR_PEERNET_LIMIT', message }
    }
    queue.pushMessage(encodeGraphMessage({ type: 'PT2PT', dataType, data }), handle)
    this.#queued(link)
    return undefined
  }

  sendRecord(link: GraphLink, record: GraphRecord): void {
    if (link.state !== 'connected') return
    link.channel.queue.pushRecord(record)
    this.#queued(link)
  }

  sendRecords(link: GraphLink, source: RecordSource, last?: GraphMessage): void {
    if (link.state !== 'connected') return
    const bytes = last === undefined ? undefined : encodeGraphMessage(last)
    link.channel.queue.pushSource(source, bytes)
    this.#queued(link)
  }

  acknowledge(link: GraphLink, record: GraphRecord, useful: boolean): void {
    if (link.state !== 'connected') return
    link.acks.add(record, useful)
    this.#ackAdded(link)
  }

  /** Not useful; the record's ID stands in bytes. */
  acknowledgeAt(link: GraphLink, bytes: Uint8Array, at: number): void {
    if (link.state !== 'connected') return
    link.acks.addAt(bytes, at, false)
    this.#ackAdded(link)
  }

  /** At the end of each handler: acknowledgements that wait, and links that are too slow. */
  settle(): void {
    if (this.#acking.length > 0 && !this.#ackTimer.armed) this.#ackTimer.set(this.#ackDelay)
    for (;;) {
      const slow = this.#overflowed.pop()
      if (slow === undefined) return
      if (slow.ended) continue
      this.#context.counters.add('ended.slow')
      this.#context.parts.links.terminate(slow, 'silent')
    }
  }

  currentRecord(id: Guid): GraphRecord | undefined {
    // G-180: expired records never leave the node.
    return this.#context.database.current(id)
  }

  /**
   * Follows it unless the other side may take the record for expired already (GA-58). Under a
   * provider it may also wait for what it needs to judge it (GA-37): then its silence is no proof.
   */
  floodSent(link: GraphLink, record: GraphRecord, end: number): void {
    if (!this.#lives(record)) return
    const certain = this.#context.security === undefined || record === link.brought
    link.watch.follow(record.id, end, this.#context.now, certain)
  }

  /** FLOODs what the peer itself has brought: it need not judge that to acknowledge it. */
  challenge(link: GraphLink): void {
    link.watch.doubtful = false
    const { brought } = link
    if (brought === undefined || !this.#lives(brought)) return
    if (this.#context.database.current(brought) !== brought) return
    this.sendRecord(link, brought)
  }

  #lives(record: GraphRecord): boolean {
    const ticks = (LIMITS.graphClockToleranceUs + LIMITS.graphSilenceUs) * 10
    const expires = ticksAbout(record.timeWord(2), record.timeWord(3))
    return expires > this.#context.peerTimeAbout + ticks
  }

  #ackAdded(link: GraphLink): void {
    if (link.acks.count >= ACKS_PER_MESSAGE) this.#flushAcks(link)
    else if (!link.acking) {
      link.acking = true
      this.#acking.push(link)
    }
  }

  #queued(link: GraphLink): void {
    if (!link.dirty) this.hasOutput(link)
    if (link.channel.queue.overflowed && !this.#overflowed.includes(link)) {
      this.#overflowed.push(link)
    }
  }

  /** Not the same for all nodes of a graph, which would send them all at once. */
  get #ackDelay(): number {
    const spread = Number(this.#context.nodeId & 0xffn) / 0x100
    return LIMITS.graphAckDelayUs * (1 - spread / 2)
  }

  #flushAllAcks(): void {
    for (const link of this.#acking) {
      link.acking = false
      this.#flushAcks(link)
    }
    this.#acking.length = 0
  }

  #flushAcks(link: GraphLink): void {
    if (link.acks.count === 0) return
    this.#sendAcks(link)
    this.#queued(link)
  }

  #sendAcks(link: GraphLink): void {
    link.channel.queue.pushMessage(link.acks.take())
  }
}
