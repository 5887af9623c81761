import { checkArgument, PeernetError } from '../core/errors.js'
import { decodeBatch, encodeBatch } from '../native/codec.js'
import { WireLength } from './constants.js'
import { MessageRow, ROW_WORDS } from './rows.js'

/**
 * Many datagrams in one native call, without an object or a view per field: numbers stand in a
 * descriptor table, one row a datagram (rows.ts names the words), bytes stay in the slab and rows
 * hold their offsets there. `decodeMessage` and `encodeMessage` are the comfortable forms.
 */

/** Spans of a slab: offset and length of datagram i at words i * stride and i * stride + 1. */
export interface Spans {
  readonly words: Int32Array
  readonly stride: number
}

export function makeSpans(capacity: number): Spans {
  return { words: new Int32Array(capacity * 2), stride: 2 }
}

/** Looked up once: V8 does not keep where a typed array finds its methods, a tenth of a LOOKUP. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its array each time
const setBytes = Uint8Array.prototype.set

/** A table of rows, and a cursor on one of them. */
class Table {
  readonly rows: Int32Array
  /** First word of the current row. */
  base = 0

  constructor(readonly capacity: number) {
    checkArgument(
      Number.isInteger(capacity) && capacity > 0,
      'capacity has to be a positive integer',
    )
    this.rows = new Int32Array(capacity * ROW_WORDS)
  }
}

/** Decodes batches. Offsets in rows count from the start of the slab. */
export class BatchDecoder extends Table {
  #slab: Uint8Array = new Uint8Array(0)

  /**
   * Decodes `count` datagrams; `look` says how far inside (`Look`, default the message only). How
   * many were well-formed; the code of each stands in its row.
   */
  decode(slab: Uint8Array, spans: Spans, count: number, look = 0): number {
    this.#slab = slab
    this.base = 0
    return decodeBatch(slab, this.rows, spans.words, spans.stride, count, look)
  }

  /** Moves the cursor to datagram `index`. */
  seek(index: number): void {
    this.base = index * ROW_WORDS
  }

  /** A word of the current row, as an unsigned number. */
  word(index: number): number {
    return (this.rows[this.base + index] as number) >>> 0
  }

  /** A word of the current row that is an offset, a count or a length: never above 2^31. */
  offset(index: number): number {
    return this.rows[this.base + index] as number
  }

  /** Outcome code (codes.ts) of the current datagram, 0 when it is well-formed. */
  get code(): number {
    return this.rows[this.base] as number
  }

  /** Port of the i-th IPV6_ENDPOINT of the current message's array. */
  endpointPort(i: number): number {
    const at = this.endpointAt(i) - 2
    return ((this.#slab[at] as number) << 8) | (this.#slab[at + 1] as number)
  }

  /** Offset in the slab of the i-th endpoint's address. */
  endpointAt(i: number): number {
    const entries = this.rows[this.base + MessageRow.ENTRIES] as number
    return entries + i * WireLength.IPV6_ENDPOINT + 2
  }

  /** Copies `target.length` bytes from an offset in the slab. */
  copy(at: number, target: Uint8Array): void {
    const slab = this.#slab
    for (let i = 0; i < target.length; i++) target[i] = slab[at + i] as number
  }
}

function sourceFull(): PeernetError {
  return new PeernetError('ERR_PEERNET_LIMIT', 'the batch has more bytes than sourceBytes')
}

/**
 * Encodes batches. For each datagram: `begin`, set words of the row, `put` its byte fields and set
 * their offsets; at last `encode` writes all of them.
 */
export class BatchEncoder extends Table {
  readonly source: Uint8Array
  count = 0
  #end = 0

  /** `sourceBytes`: room for the byte fields of a whole batch. */
  constructor(capacity: number, sourceBytes: number) {
    super(capacity)
    this.source = new Uint8Array(sourceBytes)
  }

  /** Offset in the source where the next field will stand. */
  get end(): number {
    return this.#end
  }

  /** Begins a new batch: every row is zero again. */
  clear(): void {
    this.rows.fill(0, 0, this.count * ROW_WORDS) // one call for all: a call per row is dear
    this.count = 0
    this.#end = 0
  }

  /**
   * Starts the next datagram and moves the cursor to its row, which is zero except for type and
   * Message ID. False when the table is full.
   */
  begin(type: number, messageId: number): boolean {
    if (this.count === this.capacity) return false
    const base = this.count * ROW_WORDS
    this.base = base
    this.count += 1
    this.rows[base + MessageRow.TYPE] = type
    this.rows[base + MessageRow.MESSAGE_ID] = messageId
    return true
  }

  set(index: number, value: number): void {
    this.rows[this.base + index] = value
  }

  /**
   * Adds bytes to the source; their offset.
   * @throws PeernetError ERR_PEERNET_LIMIT when `sourceBytes` is used up
   */
  put(bytes: Uint8Array): number {
    const at = this.#end
    if (bytes.length > this.source.length - at) throw sourceFull()
    setBytes.call(this.source, bytes, at)
    this.#end = at + bytes.length
    return at
  }

  /** Adds an IPV6_ENDPOINT to the source; its offset. */
  putEndpoint(address: Uint8Array, port: number): number {
    const at = this.#end
    if (WireLength.IPV6_ENDPOINT > this.source.length - at) throw sourceFull()
    this.source[at] = port >> 8
    this.source[at + 1] = port
    setBytes.call(this.source, address, at + 2)
    this.#end = at + WireLength.IPV6_ENDPOINT
    return at
  }

  /**
   * Encodes all datagrams one behind the other into `out`; the bytes written. A row that cannot be
   * encoded gets a span of length 0 and its code.
   */
  encode(out: Uint8Array, spans: Spans): number {
    return encodeBatch(this.source, this.rows, spans.words, spans.stride, this.count, out)
  }
}
