import { LIMITS } from '../core/limits.js'
import { floodHeader } from '../wire/graph/codec.js'
import { FloodCutter, frame, framedFlood, frameMessage } from '../wire/graph/frames.js'
import type { GraphRecord } from '../wire/graph/record.js'

/** Gives out a message piece by piece. */
export interface Cutter {
  next(): readonly Uint8Array[] | undefined
}

/** How messages become bytes of a stream: framed as they are, or through a security session. */
export interface Outlet {
  /** True: pieces go through `seal`, and come back as frames some time. */
  readonly seals: boolean
  /** Bytes given to `seal` that have not come back as frames. */
  readonly pending: number
  seal(plain: Uint8Array): void
  /** The FLOOD of this record is one frame. */
  isSmall(record: GraphRecord): boolean
  smallFlood(record: GraphRecord): Uint8Array
  cutRecord(record: GraphRecord): Cutter
  /** The message as one piece; undefined when it is to be cut. */
  smallMessage(message: Uint8Array): Uint8Array | undefined
  cutMessage(message: Uint8Array): Cutter
}

/** Bytes of a FLOOD before its record. */
const FLOOD_HEADER = 12

/** Without security: frames only, made once for all neighbours. */
export class ClearOutlet implements Outlet {
  readonly seals = false
  readonly pending = 0
  readonly #maxFrame: number

  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame
  }

  seal(): void {
    throw new TypeError('nothing to seal with')
  }

  isSmall(record: GraphRecord): boolean {
    return record.size + FLOOD_HEADER <= this.#maxFrame
  }

  smallFlood(record: GraphRecord): Uint8Array {
    return framedFlood(record, this.#maxFrame) as Uint8Array
  }

  cutRecord(record: GraphRecord): Cutter {
    return new FloodCutter(record, this.#maxFrame)
  }

  smallMessage(message: Uint8Array): Uint8Array | undefined {
    return message.length <= this.#maxFrame ? frame(message) : undefined
  }

  cutMessage(message: Uint8Array): Cutter {
    return new PieceCutter(frameMessage(message, this.#maxFrame))
  }
}

/**
 * With security: a chunk of plain text at a time, each of which the provider makes a frame of
 * (GA-04).
 */
export class SealedOutlet implements Outlet {
  readonly seals = true
  readonly #protect: (plain: Uint8Array) => void
  #given = 0
  #returned = 0

  constructor(protect: (plain: Uint8Array) => void) {
    this.#protect = protect
  }

  /** Frames are longer than what is in them, so this only has to reach zero. */
  get pending(): number {
    return Math.max(0, this.#given - this.#returned)
  }

  seal(plain: Uint8Array): void {
    if (this.pending === 0) {
      this.#given = 0
      this.#returned = 0
    }
    this.#given += plain.length
    this.#protect(plain)
  }

  /** The session gave out a frame. */
  frameMade(bytes: number): void {
    this.#returned += bytes
  }

  /** The session could not protect something: nothing of it will come. */
  dropped(): void {
    this.#returned = this.#given
  }

  isSmall(record: GraphRecord): boolean {
    return record.size + FLOOD_HEADER <= LIMITS.graphProtectChunkBytes
  }

  smallFlood(record: GraphRecord): Uint8Array {
    const message = Buffer.allocUnsafe(FLOOD_HEADER + record.bytes.length)
    message.set(floodHeader(record.bytes.length))
    message.set(record.bytes, FLOOD_HEADER)
    return message
  }

  cutRecord(record: GraphRecord): Cutter {
    return new ChunkCutter(record.bytes, floodHeader(record.bytes.length))
  }

  smallMessage(message: Uint8Array): Uint8Array | undefined {
    return message.length <= LIMITS.graphProtectChunkBytes ? message : undefined
  }

  cutMessage(message: Uint8Array): Cutter {
    return new ChunkCutter(message)
  }
}

class PieceCutter implements Cutter {
  readonly #pieces: readonly Uint8Array[]
  #at = 0

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces
  }

  next(): readonly Uint8Array[] | undefined {
    if (this.#at >= this.#pieces.length) return undefined
    const pieces = this.#pieces.slice(this.#at, this.#at + 2)
    this.#at += 2
    return pieces
  }
}

/** Views of the bytes, each as long as a provider takes at once. */
class ChunkCutter implements Cutter {
  readonly #bytes: Uint8Array
  #head: Uint8Array | undefined
  #at = 0

  constructor(bytes: Uint8Array, head?: Uint8Array) {
    this.#bytes = bytes
    this.#head = head
  }

  next(): readonly Uint8Array[] | undefined {
    if (this.#head !== undefined) {
      const head = this.#head
      this.#head = undefined
      return [head]
    }
    if (this.#at >= this.#bytes.length) return undefined
    const end = Math.min(this.#at + LIMITS.graphProtectChunkBytes, this.#bytes.length)
    const chunk = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return [chunk]
  }
}
