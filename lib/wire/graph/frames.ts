import { checkArgument } from '../../core/errors.js'
import { viewOf, writeU16 } from './bytes.js'
import type { GraphRecord } from './record.js'
import { passing } from './slab.js'
import { FLOOD_HEAD, WireRecord, writeFloodHead } from './wire-record.js'

/** Messages up to this become one joined piece; longer ones are cut into views (2.2.1.1). */
const JOINED_MOST = 4096

/** The bytes as one frame, 2.2.1.1. */
export function frame(bytes: Uint8Array): Uint8Array {
  checkArgument(bytes.length >= 1 && bytes.length <= 0xffff, 'a frame has 1 to 65535 bytes')
  const at = passing.claim(bytes.length + 2)
  const framed = viewOf(passing.memory, at, bytes.length + 2)
  writeU16(framed, 0, bytes.length)
  framed.set(bytes, 2)
  return framed
}

function frameSize(size: number): Uint8Array {
  const bytes = new Uint8Array(2)
  writeU16(bytes, 0, size)
  return bytes
}

/** The frames of a whole message: one joined piece when it is small, else sizes and views. */
export function frameMessage(message: Uint8Array, maxFrame: number): Uint8Array[] {
  if (message.length <= maxFrame && message.length <= JOINED_MOST) return [frame(message)]
  const pieces: Uint8Array[] = []
  const full = frameSize(maxFrame)
  for (let at = 0; at < message.length; at += maxFrame) {
    const body = message.subarray(at, at + maxFrame)
    pieces.push(body.length === maxFrame ? full : frameSize(body.length), body)
  }
  return pieces
}

/**
 * A FLOOD of the record as one frame. Made once, then shared by all neighbours: never write into
 * it. Undefined when it does not fit one frame: see `FloodCutter`.
 */
export function framedFlood(record: GraphRecord, maxFrame: number): Uint8Array | undefined {
  if (record instanceof WireRecord) {
    return record.size + FLOOD_HEAD > maxFrame ? undefined : record.framedFlood
  }
  return record.bytes.length + FLOOD_HEAD > maxFrame ? undefined : frame(unframedFlood(record))
}

/** The same without frames, for a security session. */
export function unframedFlood(record: GraphRecord): Uint8Array {
  const { bytes } = record
  const message = new Uint8Array(bytes.length + FLOOD_HEAD)
  writeFloodHead(message, 0, bytes.length)
  message.set(bytes, FLOOD_HEAD)
  return message
}

/** The frames of a FLOOD, one at a time: views of the record's bytes. */
export class FloodCutter {
  readonly #bytes: Uint8Array
  readonly #maxFrame: number
  readonly #full: Uint8Array
  /** Of the record; -1: not begun. */
  #at = -1

  constructor(record: GraphRecord, maxFrame: number) {
    checkArgument(maxFrame > FLOOD_HEAD && maxFrame <= 0xffff, 'maxFrame is out of its range')
    this.#bytes = record.bytes
    this.#maxFrame = maxFrame
    this.#full = frameSize(maxFrame)
  }

  /** Bytes of the record that are in no frame yet. */
  get left(): number {
    return this.#bytes.length - Math.max(this.#at, 0)
  }

  next(): readonly Uint8Array[] | undefined {
    if (this.#at < 0) return this.#first()
    const body = this.#bytes.subarray(this.#at, this.#at + this.#maxFrame)
    if (body.length === 0) return undefined
    this.#at += body.length
    return [body.length === this.#maxFrame ? this.#full : frameSize(body.length), body]
  }

  #first(): readonly Uint8Array[] {
    const body = this.#bytes.subarray(0, this.#maxFrame - FLOOD_HEAD)
    this.#at = body.length
    const head = new Uint8Array(2 + FLOOD_HEAD)
    writeU16(head, 0, body.length + FLOOD_HEAD)
    writeFloodHead(head, 2, this.#bytes.length)
    return [head, body]
  }
}
