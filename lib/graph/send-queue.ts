import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { joinSmall } from './join.js'
import type { Cutter, Outlet } from './outlet.js'
import type { RecordSource } from './parts.js'

/** What the send queues of a node have in common. */
export interface SendHost {
  /** The current version of a record that waited; undefined when it is gone. */
  currentRecord(id: Guid): GraphRecord | undefined
  /** Bytes handed out on all links and not confirmed by 'written'. */
  aheadBytes: number
}

/** Of one link: what becomes of the things that it sends. */
export interface SendWatcher {
  /** A FLOOD was handed out; it ends at this offset of the stream. */
  floodSent(record: GraphRecord, end: number): void
  /** Application data was handed out; it ends at this offset of the stream. */
  dataSent(handle: number, end: number): void
}

/** A message other than FLOOD, encoded. */
interface Waiting {
  readonly message: Uint8Array
  /** Of the command that sends application data. */
  readonly handle: number | undefined
}

/** A message that no record before it may follow. */
interface Barrier {
  readonly message: Uint8Array
  readonly after: number
}

interface Sending {
  readonly source: RecordSource
  readonly last: Uint8Array | undefined
}

const NOTHING: RecordSource = { next: () => undefined }

/**
 * What one link has to send. Records wait as IDs: when their turn comes, the version that the
 * database then has goes out, as views of the bytes that all links share. So a link that does not
 * drain costs an entry for each record that it missed, and nobody else waits for it.
 *
 * Order: messages other than FLOOD, small records, large records, then what sources give. Frames of
 * a message are contiguous. A barrier (SYNC_END, DISCONNECT) leaves when all records that were
 * queued before it have left.
 *
 * Every queue of the class is bounded; `overflowed` tells that the peer drains too slowly.
 */
export class SendQueue {
  overflowed: boolean
  /** Application data that waits for its turn. */
  dataBytes = 0
  readonly #host: SendHost
  readonly #watcher: SendWatcher
  readonly #outlet: Outlet
  readonly #control = new Queue<Waiting>()
  #controlBytes = 0
  /** ID -> its number in the order of queueing; both maps are in that order. */
  readonly #small = new Map<Guid, number>()
  readonly #large = new Map<Guid, number>()
  readonly #barriers: Barrier[] = []
  readonly #sources: Sending[] = []
  #sequence = 0
  /** Bytes of small records that went before the first large one. */
  #overtaken = 0
  /** The message of several frames that is on its way, and whose it is. */
  #cutter: Cutter | undefined
  #cutRecord: GraphRecord | undefined
  #cutHandle: number | undefined
  #ready: Uint8Array[] = []
  #readyBytes = 0
  /** Offsets in the stream: handed out, and confirmed by 'written'. */
  #handedOut = 0
  #written = 0

  constructor(host: SendHost, watcher: SendWatcher, outlet: Outlet) {
    this.#host = host
    this.#watcher = watcher
    this.#outlet = outlet
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.overflowed = false
    this.#cutter = undefined
    this.#cutRecord = undefined
    this.#cutHandle = undefined
  }

  /** Records that wait, sources not counted. */
  get waiting(): number {
    return this.#small.size + this.#large.size
  }

  /** Bytes that are with the network and have not left the process. */
  get ahead(): number {
    return this.#handedOut - this.#written
  }

  /** In the middle of a message. */
  get cutting(): boolean {
    return this.#cutter !== undefined
  }

  /** Application data waits, or is in the middle of being handed out. */
  get holdsData(): boolean {
    return this.dataBytes > 0 || this.#cutHandle !== undefined
  }

  /** Bytes confirmed so far. */
  get written(): number {
    return this.#written
  }

  /** Nothing waits any more, but perhaps bytes in the network. */
  get empty(): boolean {
    return this.#readyBytes === 0 && this.#idle() && this.#outlet.pending === 0
  }

  /** Anything for `take`? */
  get sendable(): boolean {
    return this.#readyBytes > 0 || (!this.#idle() && this.#room())
  }

  /** Queues a whole message other than FLOOD. */
  pushMessage(message: Uint8Array, handle?: number): void {
    if (this.#cutter === undefined && this.#control.length === 0 && this.#room()) {
      this.#startMessage(message, handle)
      return
    }
    if (handle !== undefined) {
      this.dataBytes += message.length
    } else {
      if (this.#controlBytes > LIMITS.graphQueuedControlBytes) this.overflowed = true
      this.#controlBytes += message.length
    }
    this.#control.push({ message, handle })
  }

  /** Queues a message that follows all records queued so far. */
  pushBarrier(message: Uint8Array): void {
    if (this.#sources.length > 0) {
      this.#sources.push({ source: NOTHING, last: message })
      return
    }
    if (this.waiting === 0 && this.#barriers.length === 0) {
      this.pushMessage(message)
      return
    }
    if (this.#barriers.length > 0 && this.#controlBytes > LIMITS.graphQueuedControlBytes) {
      this.overflowed = true
    }
    this.#controlBytes += message.length
    this.#barriers.push({ message, after: this.#sequence })
  }

  pushRecord(record: GraphRecord): void {
    if (this.#idle() && this.#room() && this.#outlet.isSmall(record)) {
      this.#appendSmall(record)
      return
    }
    const { id } = record
    const [lane, other] = this.#outlet.isSmall(record)
      ? [this.#small, this.#large]
      : [this.#large, this.#small]
    if (lane.has(id)) return
    if (other.size > 0) other.delete(id)
    if (this.waiting >= LIMITS.graphQueuedRecords) this.overflowed = true
    else lane.set(id, ++this.#sequence)
  }

  /** Everything that the source gives follows what is queued, as there is room; then `last`. */
  pushSource(source: RecordSource, last: Uint8Array | undefined): void {
    this.#sources.push({ source, last })
  }

  /** The peer holds this version: does a record wait that it does not need? */
  peerHolds(id: Guid, version: number): void {
    if (this.#small.size === 0 && this.#large.size === 0) return
    if (!this.#small.has(id) && !this.#large.has(id)) return
    const record = this.#host.currentRecord(id)
    if (record !== undefined && record.version > version) return
    this.#small.delete(id)
    this.#large.delete(id)
  }

  /** Bytes that need no more treatment: frames of a security session. */
  append(bytes: Uint8Array): void {
    // One is what most turns bring: no room for more is made before there are more.
    if (this.#readyBytes === 0) this.#ready = [bytes]
    else this.#ready.push(bytes)
    this.#readyBytes += bytes.length
  }

  /** Synchronisation ends with the link. */
  dropSources(): void {
    this.#sources.length = 0
  }

  /** As much as there is room for; undefined when nothing can be sent now. */
  take(): readonly Uint8Array[] | undefined {
    while (this.#room() && this.#fillOnce());
    if (this.#readyBytes === 0) return undefined
    const pieces = joinSmall(this.#ready, LIMITS.graphJoinBytes)
    this.#handedOut += this.#readyBytes
    this.#host.aheadBytes += this.#readyBytes
    this.#readyBytes = 0
    return pieces
  }

  /** Bytes have left the process. A driver that says more than was sent is not believed. */
  confirm(bytes: number): void {
    const confirmed = Math.min(bytes, this.ahead)
    this.#written += confirmed
    this.#host.aheadBytes -= confirmed
  }

  /** The connection is gone. Gives out the handles of data that was not sent. */
  clear(): number[] {
    this.confirm(this.ahead)
    const unsent = this.#cutHandle === undefined ? [] : [this.#cutHandle]
    for (;;) {
      const waiting = this.#control.shift()
      if (waiting === undefined) break
      if (waiting.handle !== undefined) unsent.push(waiting.handle)
    }
    this.#small.clear()
    this.#large.clear()
    this.#barriers.length = 0
    this.#sources.length = 0
    this.#cutter = undefined
    this.#ready = []
    this.#readyBytes = 0
    return unsent
  }

  #idle(): boolean {
    return (
      this.#cutter === undefined &&
      this.#control.length === 0 &&
      this.#small.size === 0 &&
      this.#large.size === 0 &&
      this.#barriers.length === 0 &&
      this.#sources.length === 0
    )
  }

  /**
   * The window of the link is open. Links of a node that has handed out too much in all go on with
   * one piece at a time.
   */
  #room(): boolean {
    const ahead = this.#handedOut - this.#written + this.#readyBytes + this.#outlet.pending
    if (ahead >= LIMITS.graphWriteAheadBytes) return false
    return ahead === 0 || this.#host.aheadBytes < LIMITS.graphWriteAheadTotalBytes
  }

  /** Makes some bytes ready; false when nothing waits. */
  #fillOnce(): boolean {
    if (this.#cutter !== undefined) this.#cutOn(this.#cutter)
    else if (this.#control.length > 0) this.#nextMessage()
    else if (this.#barrierDue()) this.#passBarrier()
    else if (this.#small.size > 0 && !this.#largeDue()) this.#nextSmall()
    else if (this.#large.size > 0) this.#nextLarge()
    else if (this.#sources.length > 0) this.#pull(this.#sources[0] as Sending)
    else return false
    return true
  }

  #cutOn(cutter: Cutter): void {
    const pieces = cutter.next()
    if (pieces !== undefined) {
      for (const piece of pieces) this.#put(piece)
      return
    }
    this.#cutter = undefined
    if (this.#cutRecord !== undefined) this.#watcher.floodSent(this.#cutRecord, this.#end())
    if (this.#cutHandle !== undefined) this.#watcher.dataSent(this.#cutHandle, this.#end())
    this.#cutRecord = undefined
    this.#cutHandle = undefined
  }

  #nextMessage(): void {
    const { message, handle } = this.#control.shift() as Waiting
    if (handle === undefined) this.#controlBytes -= message.length
    else this.dataBytes -= message.length
    this.#startMessage(message, handle)
  }

  #startMessage(message: Uint8Array, handle: number | undefined): void {
    const piece = this.#outlet.smallMessage(message)
    if (piece === undefined) {
      this.#cutter = this.#outlet.cutMessage(message)
      this.#cutHandle = handle
      return
    }
    this.#put(piece)
    if (handle !== undefined) this.#watcher.dataSent(handle, this.#end())
  }

  #barrierDue(): boolean {
    const barrier = this.#barriers[0]
    if (barrier === undefined) return false
    return first(this.#small) > barrier.after && first(this.#large) > barrier.after
  }

  #passBarrier(): void {
    const { message } = this.#barriers.shift() as Barrier
    this.#controlBytes -= message.length
    this.#startMessage(message, undefined)
  }

  #nextSmall(): void {
    const id = this.#small.keys().next().value as Guid
    this.#small.delete(id)
    const record = this.#host.currentRecord(id)
    if (record === undefined) return
    if (this.#large.size > 0) this.#overtaken += record.size
    this.#start(record)
  }

  /** Small ones have overtaken long enough. */
  #largeDue(): boolean {
    return this.#large.size > 0 && this.#overtaken >= LIMITS.graphOvertakingBytes
  }

  #nextLarge(): void {
    const id = this.#large.keys().next().value as Guid
    this.#large.delete(id)
    this.#overtaken = 0
    const record = this.#host.currentRecord(id)
    if (record !== undefined) this.#start(record)
  }

  #pull(sending: Sending): void {
    const record = sending.source.next()
    if (record !== undefined) {
      this.#start(record)
      return
    }
    this.#sources.shift()
    if (sending.last !== undefined) this.#startMessage(sending.last, undefined)
  }

  #start(record: GraphRecord): void {
    if (this.#outlet.isSmall(record)) {
      this.#appendSmall(record)
      return
    }
    this.#cutter = this.#outlet.cutRecord(record)
    this.#cutRecord = record
  }

  #appendSmall(record: GraphRecord): void {
    this.#put(this.#outlet.smallFlood(record))
    this.#watcher.floodSent(record, this.#end())
  }

  #put(piece: Uint8Array): void {
    if (this.#outlet.seals) this.#outlet.seal(piece)
    else this.append(piece)
  }

  /** Where the stream ends once everything that is ready was handed out. */
  #end(): number {
    return this.#handedOut + this.#readyBytes
  }
}

/** Number of the first entry; beyond all when there is none. */
function first(lane: ReadonlyMap<Guid, number>): number {
  for (const sequence of lane.values()) return sequence
  return Number.POSITIVE_INFINITY
}
