import type { Guid } from '../../core/guid.js'
import type { GraphRecord, RecordFields } from './record.js'
import { claim, claimed } from './slab.js'
import { internedUtf16At, utf16At } from './text.js'

/** Bytes before a record in a FLOOD frame: frame size, PEER_MESSAGE header, offset, reserved. */
export const FLOOD_FRAME_HEAD = 14
/** Without the frame size: the fixed part of 2.2.2.11. */
export const FLOOD_HEAD = 12
/** Version 0x10, type 0x0B, reserved 0. */
const FLOOD_HEADER_WORD = 0x100b0000

/** Where the variable fields of a PEER_RECORD are: their lengths say it all. */
export interface RecordLayout {
  readonly size: number
  readonly version: number
  readonly deleted: boolean
  /** Characters with the NUL; 0: absent. So the others. */
  readonly creatorUnits: number
  readonly modifierUnits: number
  readonly securitySize: number
  readonly graphUnits: number
  readonly payloadSize: number
  readonly attributesUnits: number
}

/** Whose memory a record stands in. */
const enum Memory {
  BORROWED,
  OWN,
  /** Its own, and a FLOOD frame's head stands before it. */
  FRAMED,
}

const latin1Slice = (
  Buffer.prototype as unknown as {
    latin1Slice: (this: Uint8Array, start: number, end: number) => string
  }
).latin1Slice

const NOTHING = new Uint8Array(0)

/** A decoded or encoded PEER_RECORD; fields are read when they are asked for. */
export class WireRecord implements GraphRecord {
  readonly version: number
  readonly deleted: boolean
  #source: Uint8Array
  #at: number
  #memory: Memory
  readonly #bigEndian: boolean
  readonly #layout: RecordLayout
  #id: Guid | undefined
  #type: Guid | undefined
  #bytes: Uint8Array | undefined
  #framed: Uint8Array | undefined
  #payload: Uint8Array | undefined
  #modified: bigint | undefined

  constructor(
    source: Uint8Array,
    at: number,
    layout: RecordLayout,
    bigEndian: boolean,
    memory: 'borrowed' | 'own' | 'framed',
  ) {
    this.#source = source
    this.#at = at
    this.#layout = layout
    this.#bigEndian = bigEndian
    this.#memory =
      memory === 'borrowed' ? Memory.BORROWED : memory === 'own' ? Memory.OWN : Memory.FRAMED
    this.version = layout.version
    this.deleted = layout.deleted
  }

  get type(): Guid {
    return (this.#type ??= this.#guidAt(this.#at))
  }

  get id(): Guid {
    return (this.#id ??= this.#guidAt(this.#at + 16))
  }

  get creatorId(): string {
    const units = this.#layout.creatorUnits - 1
    return internedUtf16At(this.#source, this.#at + 44, units, this.#bigEndian)
  }

  get lastModifiedBy(): string {
    const { creatorUnits, modifierUnits } = this.#layout
    if (modifierUnits === 0) return ''
    const at = this.#at + 48 + 2 * creatorUnits
    return internedUtf16At(this.#source, at, modifierUnits - 1, this.#bigEndian)
  }

  get securityData(): Uint8Array {
    const { creatorUnits, modifierUnits, securitySize } = this.#layout
    if (securitySize === 0) return NOTHING
    return this.#view(this.#at + 52 + 2 * (creatorUnits + modifierUnits), securitySize)
  }

  get creationTime(): bigint {
    return this.#timeAt(this.#timesAt)
  }

  get expirationTime(): bigint {
    return this.#timeAt(this.#timesAt + 8)
  }

  get modificationTime(): bigint {
    return (this.#modified ??= this.#timeAt(this.#timesAt + 16))
  }

  get graphId(): string {
    const units = this.#layout.graphUnits - 1
    return internedUtf16At(this.#source, this.#timesAt + 28, units, this.#bigEndian)
  }

  get payload(): Uint8Array {
    const { graphUnits, payloadSize } = this.#layout
    if (payloadSize === 0) return NOTHING
    return (this.#payload ??= this.#view(this.#timesAt + 34 + 2 * graphUnits, payloadSize))
  }

  get attributes(): string {
    const { graphUnits, payloadSize, attributesUnits } = this.#layout
    if (attributesUnits === 0) return ''
    const at = this.#timesAt + 38 + 2 * graphUnits + payloadSize
    return utf16At(this.#source, at, attributesUnits - 1, this.#bigEndian)
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= this.#view(this.#at, this.#layout.size))
  }

  /** Of `bytes`. */
  get size(): number {
    return this.#layout.size
  }

  retain(): this {
    if (this.#memory === Memory.BORROWED) this.#copy()
    return this
  }

  /** The whole FLOOD as one frame; only for records that fit one. Never write into it. */
  get framedFlood(): Uint8Array {
    if (this.#framed !== undefined) return this.#framed
    if (this.#memory !== Memory.FRAMED) this.#copy()
    return (this.#framed = this.#view(
      this.#at - FLOOD_FRAME_HEAD,
      this.#layout.size + FLOOD_FRAME_HEAD,
    ))
  }

  get #timesAt(): number {
    const { creatorUnits, modifierUnits, securitySize } = this.#layout
    return this.#at + 52 + 2 * (creatorUnits + modifierUnits) + securitySize
  }

  /** Moves the record to memory of its own, behind a FLOOD frame's head. */
  #copy(): void {
    const { size } = this.#layout
    const at = claim(size + FLOOD_FRAME_HEAD) + FLOOD_FRAME_HEAD
    const memory = claimed()
    memory.set(this.#source.subarray(this.#at, this.#at + size), at)
    writeFloodFrameHead(memory, at - FLOOD_FRAME_HEAD, size)
    this.#source = memory
    this.#at = at
    this.#memory = Memory.FRAMED
    this.#bytes = undefined
    this.#payload = undefined
  }

  #guidAt(at: number): Guid {
    return latin1Slice.call(this.#source, at, at + 16) as Guid
  }

  #timeAt(at: number): bigint {
    const high = readU32(this.#source, at)
    const low = readU32(this.#source, at + 4)
    return (BigInt(high) << 32n) | BigInt(low)
  }

  #view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#source.buffer, this.#source.byteOffset + at, length)
  }
}

/** All fields, as a plain object to change and encode again. Byte fields are views. */
export function recordFields(record: RecordFields): RecordFields {
  return {
    type: record.type,
    id: record.id,
    version: record.version,
    deleted: record.deleted,
    creatorId: record.creatorId,
    lastModifiedBy: record.lastModifiedBy,
    securityData: record.securityData,
    creationTime: record.creationTime,
    expirationTime: record.expirationTime,
    modificationTime: record.modificationTime,
    graphId: record.graphId,
    payload: record.payload,
    attributes: record.attributes,
  }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

/** The 12 bytes before the record in a FLOOD, 2.2.2.11. */
export function writeFloodHead(bytes: Uint8Array, at: number, recordSize: number): void {
  writeU32(bytes, at, recordSize + FLOOD_HEAD)
  writeU32(bytes, at + 4, FLOOD_HEADER_WORD)
  writeU32(bytes, at + 8, FLOOD_HEAD << 16)
}

function writeFloodFrameHead(bytes: Uint8Array, at: number, recordSize: number): void {
  writeU16(bytes, at, recordSize + FLOOD_HEAD)
  writeFloodHead(bytes, at + 2, recordSize)
}
