import type { Guid } from '../../core/guid.js'
import { internedGuidAt, readGuid, readU32, readU64, viewOf, writeU16, writeU32 } from './bytes.js'
import { GraphFixed, GraphMessageType, GraphRecordFlag, GraphValue } from './constants.js'
import type { GraphRecord, RecordFields } from './record.js'
import { RecordRow } from './rows.js'
import { claim, claimed } from './slab.js'
import { internedUtf16At, turnUtf16, utf16At } from './text.js'

/** Bytes before the record in a FLOOD, 2.2.2.11; its frame has two more before them. */
export const FLOOD_HEAD = GraphFixed.FLOOD
export const FLOOD_FRAME_HEAD = FLOOD_HEAD + 2

const FLOOD_HEADER_WORD = (GraphValue.VERSION << 24) | (GraphMessageType.FLOOD << 16)
const NOTHING = new Uint8Array(0)

type Compare = (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  targetEnd: number,
  start: number,
  end: number,
) => number

/** Buffer's, which compares parts without making views. */
const { compare: compareAt } = Buffer.prototype as unknown as { compare: Compare }

/** The record that was framed last, for all neighbours: where it is, and its frame. */
let lastSource: Uint8Array = NOTHING
let lastAt = 0
let lastFrame: Uint8Array = NOTHING

/** Whose memory a record stands in. */
export const Memory = {
  /** That of the stream, until `retain`. */
  BORROWED: 0,
  OWN: 1,
  /** Its own, with room for a FLOOD frame's head before it. */
  ROOMY: 2,
  /** Its own, and the head is there. */
  FRAMED: 3,
} as const
export type Memory = (typeof Memory)[keyof typeof Memory]

/** Bits of the units of an ID, of which three share a number: a database has many records. */
const UNITS_BITS = 9
const UNITS_MASK = (1 << UNITS_BITS) - 1

/** Bits of a record's flags above its Memory. */
const MEMORY_MASK = 3
const DELETED = 4
const BIG_ENDIAN = 8

/** A PEER_RECORD; fields are read when they are asked for, and few are kept. */
export class WireRecord implements GraphRecord {
  readonly version: number
  /** Of `bytes`. */
  readonly size: number
  #source: Uint8Array
  #at: number
  #flags: number
  /** Of creator, modifier and graph ID. */
  readonly #units: number
  #id: Guid | undefined = undefined

  /** `words[base]` begins a RecordRow; its offset is replaced by `at`. */
  constructor(
    source: Uint8Array,
    at: number,
    words: Int32Array,
    base: number,
    bigEndian: boolean,
    memory: Memory,
  ) {
    this.version = (words[base + RecordRow.VERSION] as number) >>> 0
    const deleted = ((words[base + RecordRow.FLAGS] as number) & GraphRecordFlag.D) !== 0
    this.size = words[base + RecordRow.SIZE] as number
    this.#source = source
    this.#at = at
    this.#flags = memory | (deleted ? DELETED : 0) | (bigEndian ? BIG_ENDIAN : 0)
    this.#units =
      (words[base + RecordRow.CREATOR_UNITS] as number) |
      ((words[base + RecordRow.MODIFIER_UNITS] as number) << UNITS_BITS) |
      ((words[base + RecordRow.GRAPH_UNITS] as number) << (2 * UNITS_BITS))
    if (words[base + RecordRow.SWAPPED] !== 0) this.#turn()
  }

  get deleted(): boolean {
    return (this.#flags & DELETED) !== 0
  }

  get type(): Guid {
    return internedGuidAt(this.#source, this.#at)
  }

  get id(): Guid {
    return (this.#id ??= readGuid(this.#source, this.#at + 16))
  }

  idWord(index: number): number {
    return readU32(this.#source, this.#at + 16 + 4 * index) | 0
  }

  writeId(bytes: Uint8Array, at: number): void {
    const from = this.#at + 16
    for (let i = 0; i < 16; i++) bytes[at + i] = this.#source[from + i] as number
  }

  get creatorId(): string {
    return internedUtf16At(
      this.#source,
      this.#creatorAt(),
      this.#creatorUnits() - 1,
      this.#bigEndian(),
    )
  }

  get lastModifiedBy(): string {
    const units = this.#modifierUnits()
    if (units === 0) return ''
    return internedUtf16At(this.#source, this.#modifierAt(), units - 1, this.#bigEndian())
  }

  get securityData(): Uint8Array {
    const size = this.#securitySize()
    return size === 0 ? NOTHING : viewOf(this.#source, this.#timesAt() - size, size)
  }

  get creationTime(): bigint {
    return readU64(this.#source, this.#timesAt())
  }

  get expirationTime(): bigint {
    return readU64(this.#source, this.#timesAt() + 8)
  }

  timeWord(index: number): number {
    return readU32(this.#source, this.#timesAt() + 4 * index) | 0
  }

  get modificationTime(): bigint {
    return readU64(this.#source, this.#timesAt() + 16)
  }

  get graphId(): string {
    return internedUtf16At(this.#source, this.#graphAt(), this.#graphUnits() - 1, this.#bigEndian())
  }

  get payload(): Uint8Array {
    if (this.#payloadSize() === 0) return NOTHING
    return viewOf(this.#source, this.#payloadAt(), this.#payloadSize())
  }

  get attributes(): string {
    const units = this.#attributesUnits()
    if (units === 0) return ''
    return utf16At(this.#source, this.#attributesAt(), units - 1, this.#bigEndian())
  }

  get bytes(): Uint8Array {
    return viewOf(this.#source, this.#at, this.size)
  }

  retain(): this {
    if (this.#memory() === Memory.BORROWED) this.#copy()
    return this
  }

  /** The whole FLOOD as one frame; only for a record that fits one. Never write into it. */
  get framedFlood(): Uint8Array {
    if (lastSource !== this.#source || lastAt !== this.#at) {
      lastFrame = this.#frame()
      lastSource = this.#source
      lastAt = this.#at
    }
    return lastFrame
  }

  /** The same bytes. */
  equals(other: WireRecord): boolean {
    const { size } = this
    if (size !== other.size) return false
    const [at, otherAt] = [this.#at, other.#at]
    return compareAt.call(this.#source, other.#source, otherAt, otherAt + size, at, at + size) === 0
  }

  #memory(): number {
    return this.#flags & MEMORY_MASK
  }

  #setMemory(memory: Memory): void {
    this.#flags = (this.#flags & ~MEMORY_MASK) | memory
  }

  #bigEndian(): boolean {
    return (this.#flags & BIG_ENDIAN) !== 0
  }

  #creatorUnits(): number {
    return this.#units & UNITS_MASK
  }

  #modifierUnits(): number {
    return (this.#units >> UNITS_BITS) & UNITS_MASK
  }

  #graphUnits(): number {
    return this.#units >> (2 * UNITS_BITS)
  }

  // Where fields are: the lengths before them say it (2.2.1.9). Those of the last three are read
  // where they stand.

  #securitySize(): number {
    return readU32(this.#source, this.#at + 48 + 2 * (this.#creatorUnits() + this.#modifierUnits()))
  }

  #payloadSize(): number {
    return readU32(this.#source, this.#payloadAt() - 4)
  }

  #attributesUnits(): number {
    return readU32(this.#source, this.#attributesAt() - 4)
  }

  #creatorAt(): number {
    return this.#at + 44
  }

  #modifierAt(): number {
    return this.#at + 48 + 2 * this.#creatorUnits()
  }

  #timesAt(): number {
    return this.#at + 52 + 2 * (this.#creatorUnits() + this.#modifierUnits()) + this.#securitySize()
  }

  #graphAt(): number {
    return this.#timesAt() + 28
  }

  #payloadAt(): number {
    return this.#graphAt() + 2 * this.#graphUnits() + 6
  }

  #attributesAt(): number {
    return this.#payloadAt() + this.#payloadSize() + 4
  }

  #frame(): Uint8Array {
    if (this.#memory() < Memory.ROOMY) this.#copy()
    const at = this.#at - FLOOD_FRAME_HEAD
    if (this.#memory() === Memory.ROOMY) {
      writeU16(this.#source, at, this.size + FLOOD_HEAD)
      writeFloodHead(this.#source, at + 2, this.size)
      this.#setMemory(Memory.FRAMED)
    }
    return viewOf(this.#source, at, this.size + FLOOD_FRAME_HEAD)
  }

  /** Moves the record to memory of its own, with room before it. */
  #copy(): void {
    const at = claim(this.size + FLOOD_FRAME_HEAD) + FLOOD_FRAME_HEAD
    const memory = claimed()
    memory.set(viewOf(this.#source, this.#at, this.size), at)
    this.#source = memory
    this.#at = at
    this.#setMemory(Memory.ROOMY)
  }

  /** GA-01: turns the strings of a record that came in the other byte order, in a copy. */
  #turn(): void {
    this.#copy()
    turnUtf16(this.#source, this.#creatorAt(), this.#creatorUnits())
    turnUtf16(this.#source, this.#modifierAt(), this.#modifierUnits())
    turnUtf16(this.#source, this.#graphAt(), this.#graphUnits())
    turnUtf16(this.#source, this.#attributesAt(), this.#attributesUnits())
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

/** The same wire form. */
export function sameRecord(a: GraphRecord, b: GraphRecord): boolean {
  if (a instanceof WireRecord && b instanceof WireRecord) return a.equals(b)
  return a.size === b.size && Buffer.compare(a.bytes, b.bytes) === 0
}

/** The 12 bytes before the record. */
export function writeFloodHead(bytes: Uint8Array, at: number, recordSize: number): void {
  writeU32(bytes, at, recordSize + FLOOD_HEAD)
  writeU32(bytes, at + 4, FLOOD_HEADER_WORD)
  writeU32(bytes, at + 8, FLOOD_HEAD << 16)
}
