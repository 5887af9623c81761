import type { Guid } from '../../core/guid.js'
import { viewOf, writeU16, writeU32 } from './bytes.js'
import { GraphAckFlag, GraphFixed, GraphLength, GraphMessageType, GraphValue } from './constants.js'
import type { GraphRecord } from './record.js'
import { passing } from './slab.js'
import type { ReceivedAcks } from './stream-reader.js'

const HEAD = GraphFixed.ACK
const HEADER_WORD = (GraphValue.VERSION << 24) | (GraphMessageType.ACK << 16)

/** Of an acknowledgement that came in. */
export function isUseful({ bytes, at }: ReceivedAcks, index: number): boolean {
  const flags = bytes[at + index * GraphLength.ACK + 19] as number
  return (flags & GraphAckFlag.U) !== 0
}

/** Is it of the record with this ID? */
export function isAckOf({ bytes, at }: ReceivedAcks, index: number, id: Guid): boolean {
  const from = at + index * GraphLength.ACK
  // From the end: IDs of one creator begin alike.
  for (let i = GraphLength.GUID - 1; i >= 0; i--) {
    if (bytes[from + i] !== id.charCodeAt(i)) return false
  }
  return true
}

/** Acknowledgements that wait to be sent, already in the form of the message (2.2.2.14). */
export class AckList {
  #bytes = new Uint8Array(HEAD + 8 * GraphLength.ACK)
  #end: number = HEAD

  get count(): number {
    return (this.#end - HEAD) / GraphLength.ACK
  }

  add(record: GraphRecord, useful: boolean): void {
    const at = this.#next(useful)
    record.writeId(this.#bytes, at)
  }

  /** For a record whose ID stands in bytes. */
  addAt(bytes: Uint8Array, at: number, useful: boolean): void {
    const to = this.#next(useful)
    for (let i = 0; i < GraphLength.GUID; i++) this.#bytes[to + i] = bytes[at + i] as number
  }

  clear(): void {
    this.#end = HEAD
  }

  /** The whole message; the list is empty then. */
  take(): Uint8Array {
    const length = this.#end
    writeU32(this.#bytes, 0, length)
    writeU32(this.#bytes, 4, HEADER_WORD)
    writeU16(this.#bytes, 8, this.count)
    writeU16(this.#bytes, 10, HEAD)
    const at = passing.claim(length)
    const message = viewOf(passing.memory, at, length)
    message.set(viewOf(this.#bytes, 0, length))
    this.#end = HEAD
    return message
  }

  /** Where the next ID belongs; what follows it is written. */
  #next(useful: boolean): number {
    const at = this.#end
    this.#end += GraphLength.ACK
    if (this.#end > this.#bytes.length) {
      const more = new Uint8Array(2 * this.#bytes.length)
      more.set(this.#bytes)
      this.#bytes = more
    }
    writeU32(this.#bytes, at + GraphLength.GUID, useful ? GraphAckFlag.U : 0)
    return at
  }
}
