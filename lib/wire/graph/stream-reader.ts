import { concatBytes } from '../../core/bytes.js'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { nativeCode } from '../../native/codes.js'
import { graphScan, rows } from '../../native/graph.js'
import { viewOf } from './bytes.js'
import { GraphBound, GraphMessageType } from './constants.js'
import { messageAt } from './decode.js'
import { streamWords } from './identity.js'
import type { KnownRecords } from './known-records.js'
import type { GraphMessage } from './messages.js'
import { MessageRow, RecordRow, ROW_WORDS, StreamMode, StreamRow } from './rows.js'
import { claim, claimed, SHARED_MOST } from './slab.js'
import type { StringOrder } from './text.js'

export interface GraphReaderOptions {
  /** Largest Message Size that is read (GA-03). */
  readonly maxMessage: number
  readonly stringOrder: StringOrder
  /** Of the records; empty: not known yet, any will do. */
  readonly graphId: string
  /**
   * For a node that is flooded: FLOODs of these are given out as 'known' and ACKs as 'acks',
   * without an object for each. Absent: all are messages.
   */
  readonly known?: KnownRecords
}

export interface GraphStreamOptions extends GraphReaderOptions {
  /** Largest Frame Size that is read, at most 32,768 (3.1.1). */
  readonly maxFrame: number
}

/**
 * A FLOOD of a record that is known, byte for byte. The same object each time: a node with three
 * neighbours gets most records three times.
 */
export interface KnownFlood {
  readonly kind: 'known'
  readonly bytes: Uint8Array
  /** Where the record begins in them. */
  readonly at: number
}

/** An ACK. The same object each time. */
export interface ReceivedAcks {
  readonly kind: 'acks'
  readonly bytes: Uint8Array
  /** Where the first acknowledgement begins in them (2.2.1.8). */
  readonly at: number
  readonly count: number
}

/** What a stream holds next. Bytes and records borrow its memory: see `GraphRecord.retain`. */
export type GraphStreamItem =
  | { readonly kind: 'message'; readonly message: GraphMessage }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | KnownFlood
  | ReceivedAcks
  /** A FLOOD whose record is none: it is dropped and counted, the connection stays (3.1.7.27). */
  | { readonly kind: 'dropped'; readonly code: string }
  /** The stream cannot be read any further: the connection ends. Nothing follows. */
  | { readonly kind: 'error'; readonly code: string }

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const EMPTY = new Uint8Array(0)
/** Room before what is gathered: the size of the frame in which a record is sent on. */
const HEADROOM = 2

/** Counts scans that filled the table of rows, so that a reader knows whether it was the last. */
let fillings = 0

/**
 * Bytes in, messages out. One native call finds and decodes all that a chunk holds in one piece;
 * only what spans chunks or frames is copied. Whoever pushes asks `next` until it gives undefined:
 * the chunk is not looked at after that, and what it leaves incomplete was copied.
 */
abstract class Reader {
  protected readonly words: Int32Array
  readonly #bigEndian: boolean
  #input: Uint8Array = EMPTY
  #assembly: Uint8Array | undefined
  #filling = 0
  #cursor = 0
  #count = 0
  /** Where the input goes on behind the last item that was given out. */
  #end = 0
  #closed: boolean
  readonly #known: KnownRecords | undefined
  /** Of `known` when the rows were filled. */
  #generation = 0
  readonly #knownFlood: Mutable<KnownFlood> = { kind: 'known', bytes: EMPTY, at: 0 }
  readonly #acks: Mutable<ReceivedAcks> = { kind: 'acks', bytes: EMPTY, at: 0, count: 0 }
  /** The row that was given out last, for `learn` and `reconsider`. */
  #row = 0
  #printLow = 0
  #printHigh = 0

  protected constructor(options: GraphReaderOptions, mode: number, maxFrame: number) {
    const { maxMessage, stringOrder, graphId } = options
    const good = Number.isInteger(maxMessage) && maxMessage >= 8 && maxMessage < 0x7fff0000
    checkArgument(good, 'maxMessage is out of its range')
    this.words = streamWords(stringOrder, graphId)
    this.words[StreamRow.MODE] = mode
    this.words[StreamRow.MAX_FRAME] = maxFrame
    this.words[StreamRow.MAX_MESSAGE] = maxMessage
    this.#bigEndian = stringOrder === 'big-endian'
    this.#known = options.known
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#assembly = undefined
    this.#closed = false
  }

  /** Bytes kept for what is not complete yet. */
  get buffered(): number {
    const at = this.#cursor < this.#count ? this.#end : (this.words[StreamRow.AT] as number)
    return this.#input.length - at + (this.words[StreamRow.HAVE] as number)
  }

  /** Bytes that came in. */
  push(chunk: Uint8Array): void {
    if (this.#closed) return
    this.rewind()
    const at = this.words[StreamRow.AT] as number
    const rest = this.#input.length - at
    this.#input = rest === 0 ? chunk : concatBytes(viewOf(this.#input, at, rest), chunk)
    this.words[StreamRow.AT] = 0
  }

  /** The next item; undefined until more is pushed. */
  next(): GraphStreamItem | undefined {
    if (this.#cursor < this.#count) {
      if (this.#filling === fillings) return this.#take()
      this.rewind()
    }
    while (!this.#closed) {
      if (this.#isEmpty()) {
        this.#input = EMPTY
        this.words[StreamRow.AT] = 0
        return undefined
      }
      const known = this.#known
      const count = graphScan(this.#input, this.words, this.#assembly, known?.words)
      if (count > 0) {
        this.#filling = ++fillings
        if (known !== undefined) this.#generation = known.generation
        this.#cursor = 0
        this.#count = count
        return this.#take()
      }
      if (this.words[StreamRow.CODE] !== 0) return this.#break()
      const need = this.words[StreamRow.NEED] as number
      if (need === 0) {
        this.#input = EMPTY
        this.words[StreamRow.AT] = 0
        return undefined
      }
      this.#lend(need)
    }
    return undefined
  }

  /** Nothing is left of the chunk, and nothing is gathered: seen without a call. */
  #isEmpty(): boolean {
    const { words } = this
    return (
      words[StreamRow.AT] === this.#input.length &&
      words[StreamRow.HAVE] === 0 &&
      words[StreamRow.GATHERING] === 0 &&
      words[StreamRow.CODE] === 0
    )
  }

  /** The record of the FLOOD that was given out last is held now: it is known from here on. */
  learn(): void {
    this.#known?.add(this.#printLow, this.#printHigh)
  }

  /** The message of the 'known' item that was given out last, which is not known any more. */
  reconsider(): GraphMessage {
    return messageAt(this.#row, this.#input, this.#bigEndian, false)
  }

  /** Forgets rows that were not given out; the input is read again from there. */
  protected rewind(): void {
    if (this.#cursor === this.#count) return
    this.#cursor = this.#count = 0
    this.words[StreamRow.AT] = this.#end
    this.words[StreamRow.CODE] = 0
  }

  #take(): GraphStreamItem {
    const row = this.#cursor++ * ROW_WORDS
    this.#end = rows[row + MessageRow.END] as number
    const gathered = rows[row + MessageRow.MEMORY] !== 0
    let bytes = this.#input
    if (gathered) {
      bytes = this.#assembly as Uint8Array
      this.#assembly = undefined
    }
    const code = rows[row + MessageRow.CODE] as number
    if (code !== 0) return { kind: 'dropped', code: nativeCode(code) }
    if (rows[row + MessageRow.TYPE] === 0) {
      const at = rows[row + MessageRow.AT] as number
      return { kind: 'frame', bytes: viewOf(bytes, at, rows[row + MessageRow.SIZE] as number) }
    }
    const common = this.#known && this.#takeCommon(row, bytes, this.#known)
    if (common !== undefined) return common
    return { kind: 'message', message: messageAt(row, bytes, this.#bigEndian, gathered) }
  }

  /** What most of a flood's traffic is. */
  #takeCommon(
    row: number,
    bytes: Uint8Array,
    known: KnownRecords,
  ): KnownFlood | ReceivedAcks | undefined {
    const type = rows[row + MessageRow.TYPE]
    if (type === GraphMessageType.ACK) {
      const acks = this.#acks
      acks.bytes = bytes
      acks.at = rows[row + MessageRow.ENTRIES] as number
      acks.count = rows[row + MessageRow.ENTRY_COUNT] as number
      return acks
    }
    if (type !== GraphMessageType.FLOOD) return undefined
    this.#row = row
    this.#printLow = rows[row + MessageRow.PRINT] as number
    this.#printHigh = rows[row + MessageRow.PRINT + 1] as number
    // What was forgotten since the rows were filled may be this one.
    const isKnown = rows[row + MessageRow.VALUE] !== 0 && known.generation === this.#generation
    if (!isKnown) return undefined
    this.#knownFlood.bytes = bytes
    this.#knownFlood.at = rows[row + MessageRow.RECORD + RecordRow.AT] as number
    return this.#knownFlood
  }

  #break(): GraphStreamItem {
    const code = nativeCode(this.words[StreamRow.CODE] as number)
    this.close()
    return { kind: 'error', code }
  }

  /** Reads no more, and keeps nothing. */
  close(): void {
    this.#closed = true
    this.#cursor = this.#count = 0
    this.#input = EMPTY
    this.#assembly = undefined
    this.words[StreamRow.AT] = this.words[StreamRow.HAVE] = 0
  }

  /**
   * Memory for what has to be gathered. A Message Size is only believed after a good part of the
   * message came; even then its pages are not touched before bytes fill them.
   */
  #lend(need: number): void {
    const have = this.words[StreamRow.HAVE] as number
    let room = need
    if (room > LIMITS.graphAssemblyFirst && have < LIMITS.graphAssemblyFirst) {
      room = LIMITS.graphAssemblyFirst
    } else if (room > LIMITS.graphAssemblySecond && have < LIMITS.graphAssemblySecond) {
      room = LIMITS.graphAssemblySecond
    }
    const old = this.#assembly
    const oldAt = this.words[StreamRow.OFFSET] as number
    let at = HEADROOM
    if (room + HEADROOM <= SHARED_MOST) {
      at += claim(room + HEADROOM)
      this.#assembly = claimed()
    } else {
      const { buffer, byteOffset } = Buffer.allocUnsafeSlow(room + HEADROOM)
      this.#assembly = new Uint8Array(buffer, byteOffset, room + HEADROOM)
    }
    if (old !== undefined) this.#assembly.set(viewOf(old, oldAt, have), at)
    this.words[StreamRow.OFFSET] = at
    this.words[StreamRow.ROOM] = room
  }
}

/** Reads one connection's stream of frames (2.2.1.1). */
export class GraphStreamReader extends Reader {
  /** @throws PeernetError ERR_PEERNET_INVALID_ARG when a bound is out of its range */
  constructor(options: GraphStreamOptions) {
    const { maxFrame } = options
    const good = Number.isInteger(maxFrame) && maxFrame >= 1 && maxFrame <= GraphBound.FRAME_MOST
    checkArgument(good, `maxFrame is 1 to ${GraphBound.FRAME_MOST}`)
    super(options, StreamMode.MESSAGES, maxFrame)
  }

  /**
   * 'frames' after AUTH_INFO under a security provider: set it between two items, and what follows
   * is read so.
   */
  get mode(): 'messages' | 'frames' {
    return this.words[StreamRow.MODE] === StreamMode.MESSAGES ? 'messages' : 'frames'
  }

  set mode(mode: 'messages' | 'frames') {
    if (mode === this.mode) return
    checkArgument(
      this.words[StreamRow.GATHERING] === 0,
      'the mode changes between two items, not within one',
    )
    this.rewind()
    // What was wrong with the old reading may be right with the new one.
    this.words[StreamRow.CODE] = 0
    this.words[StreamRow.MODE] = mode === 'frames' ? StreamMode.FRAMES : StreamMode.MESSAGES
  }
}

/** The same without frames: what a provider's session gives out as 'plain'. */
export class GraphMessageReader extends Reader {
  constructor(options: GraphReaderOptions) {
    super(options, StreamMode.PLAIN, GraphBound.FRAME_MOST)
  }
}
