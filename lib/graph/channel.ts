import { LIMITS } from '../core/limits.js'
import { frame } from '../wire/graph/frames.js'
import type { GraphMessage } from '../wire/graph/messages.js'
import {
  GraphMessageReader,
  GraphStreamReader,
  type GraphStreamItem,
  type KnownFlood,
  type ReceivedAcks,
} from '../wire/graph/stream-reader.js'
import type { GraphContext } from './context.js'
import { ClearOutlet, SealedOutlet } from './outlet.js'
import type { SecuritySession, SessionOutput } from './security-provider.js'
import { SendQueue, type SendHost, type SendWatcher } from './send-queue.js'

/** What came out of a connection's stream. */
export interface ChannelReceiver {
  /** Also told between the messages of a chunk: stop giving me more. */
  readonly ended: boolean
  /** True: the record that it brought is held now, or was already. */
  message(message: GraphMessage): boolean
  /** A FLOOD of a record that is held. False: it is not, take the message. */
  known(flood: KnownFlood): boolean
  acknowledged(acks: ReceivedAcks): void
  /** 3.1.5.1.2: the provider has said so. */
  negotiated(): void
  /** Nothing more is read. */
  broken(why: 'protocol' | 'security', code: string): void
  /** The session has output to be sent. */
  sendable(): void
}

/** Max Frame Size of a graph: what is sent, and what is taken (GA-04). */
export function frameSizes(context: GraphContext): { sent: number; taken: number } {
  const { security } = context.config
  if (security === undefined) {
    return { sent: LIMITS.graphFrameBytes, taken: LIMITS.graphFrameBytes }
  }
  const sent = Math.min(security.maxFrame, LIMITS.graphProtectedFrameBytes)
  return { sent, taken: LIMITS.graphProtectedFrameBytes }
}

/** GA-03. The floor leaves room for the hashes and abstracts of large databases. */
export function longestMessage(context: GraphContext): number {
  const { maxRecordSize } = context.properties
  return Math.max(maxRecordSize + LIMITS.graphMessageSlackBytes, LIMITS.graphMessageFloorBytes)
}

function readerOptions(context: GraphContext): ConstructorParameters<typeof GraphStreamReader>[0] {
  return {
    maxFrame: frameSizes(context).taken,
    maxMessage: longestMessage(context),
    stringOrder: context.dialect.stringOrder,
    graphId: context.properties.graphId,
    known: context.database.known,
  }
}

/**
 * The two streams of one connection: bytes in, messages out; and what there is to send. A security
 * session, if there is one, stands between the frames and the messages.
 */
export class Channel {
  readonly queue: SendQueue
  readonly #context: GraphContext
  readonly #receiver: ChannelReceiver
  readonly #reader: GraphStreamReader
  readonly #sealed: SealedOutlet | undefined
  #session: SecuritySession | undefined
  #plain: GraphMessageReader | undefined
  #complete: boolean
  #draining: boolean

  constructor(
    context: GraphContext,
    host: SendHost,
    watcher: SendWatcher,
    receiver: ChannelReceiver,
  ) {
    this.#context = context
    this.#receiver = receiver
    this.#reader = new GraphStreamReader(readerOptions(context))
    if (context.security !== undefined) this.#sealed = new SealedOutlet(this.#protect)
    const outlet = this.#sealed ?? new ClearOutlet(frameSizes(context).sent)
    this.queue = new SendQueue(host, watcher, outlet)
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#session = undefined
    this.#plain = undefined
    this.#complete = false
    this.#draining = false
  }

  /** Bytes kept for incomplete messages. */
  get buffered(): number {
    return this.#reader.buffered + (this.#plain?.buffered ?? 0)
  }

  /** Everything from here on is the provider's, 3.1.5.1.1. */
  secure(session: SecuritySession): void {
    this.#session = session
    this.#reader.mode = 'frames'
    session.start()
    this.drain()
  }

  /** AUTH_INFO, in clear text whatever security there is. */
  sendClear(message: Uint8Array): void {
    this.queue.append(frame(message))
  }

  receive(chunk: Uint8Array): void {
    const reader = this.#reader
    reader.push(chunk)
    for (;;) {
      const item = reader.next()
      if (item === undefined) return
      if (item.kind === 'frame') this.#receiveFrame(item.bytes)
      else this.#handOn(item, reader)
      if (this.#receiver.ended) return
    }
  }

  /**
   * Takes everything that the session has to give. What this leads to may give the session more;
   * that comes out of the same loop, in order.
   */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    while (this.#session !== undefined && !this.#receiver.ended) {
      const output = this.#session.poll()
      if (output === undefined) break
      this.#take(output)
    }
    this.#draining = false
  }

  /** Gives out the handles of application data that was not sent. */
  close(): number[] {
    this.#session?.close()
    this.#session = undefined
    // Whatever still knows the link (a record that is deferred) must not keep half a message.
    this.#reader.close()
    this.#plain?.close()
    return this.queue.clear()
  }

  readonly #protect = (plain: Uint8Array): void => {
    this.#session?.protect(plain)
    this.drain()
  }

  #receiveFrame(bytes: Uint8Array): void {
    this.#session?.receive(bytes)
    this.drain()
  }

  #take(output: SessionOutput): void {
    switch (output.type) {
      case 'frame':
        // GA-05: a token longer than a frame is split; the other side joins the stream again.
        this.#sendFrames(output.bytes)
        return
      case 'plain':
        this.#readPlain(output.bytes)
        return
      case 'complete':
        if (this.#complete) return
        this.#complete = true
        this.#plain = new GraphMessageReader(readerOptions(this.#context))
        this.#receiver.negotiated()
        return
      case 'dropped':
        this.#dropped()
        return
      case 'failed':
        this.#receiver.broken('security', output.why)
    }
  }

  #sendFrames(bytes: Uint8Array): void {
    const { sent } = frameSizes(this.#context)
    for (let at = 0; at < bytes.length; at += sent) {
      this.queue.append(frame(bytes.subarray(at, at + sent)))
    }
    this.#sealed?.frameMade(bytes.length)
    this.#receiver.sendable()
  }

  /** What was read before the negotiation ended is nobody's. */
  #readPlain(bytes: Uint8Array): void {
    const plain = this.#plain
    if (plain === undefined) {
      this.#receiver.broken('security', 'data before the negotiation ended')
      return
    }
    plain.push(bytes)
    for (;;) {
      const item = plain.next()
      if (item === undefined) return
      this.#handOn(item, plain)
      if (this.#receiver.ended) return
    }
  }

  #handOn(item: GraphStreamItem, reader: GraphStreamReader | GraphMessageReader): void {
    if (item.kind === 'known') {
      if (!this.#receiver.known(item)) this.#receiver.message(reader.reconsider())
    } else if (item.kind === 'acks') this.#receiver.acknowledged(item)
    else if (item.kind === 'message') this.#handOnMessage(item.message, reader)
    else if (item.kind === 'dropped') this.#context.counters.add(`drop.record.${item.code}`)
    else if (item.kind === 'error') this.#receiver.broken('protocol', item.code)
  }

  /** What is forgotten while it is taken in (this node answers with another) is not known. */
  #handOnMessage(message: GraphMessage, reader: GraphStreamReader | GraphMessageReader): void {
    const { known } = this.#context.database
    const { generation } = known
    if (this.#receiver.message(message) && known.generation === generation) reader.learn()
  }

  /**
   * 3.1.7.1, 3.1.5.2: that message is lost and no more. When it had other parts, here or there, the
   * rest of the stream could not be told apart, so the connection ends.
   */
  #dropped(): void {
    this.#context.counters.add('drop.security')
    this.#sealed?.dropped()
    const inTheMiddle = this.queue.cutting || (this.#plain?.buffered ?? 0) > 0
    if (inTheMiddle) this.#receiver.broken('security', 'part of a message was lost')
  }
}
