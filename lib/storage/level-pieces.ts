import { crc32 } from 'node:zlib'
import type { ClassicLevel } from 'classic-level'
import { guidAt, writeGuid, type Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { FORMAT } from './level-entries.js'

/** Where the bytes of a large record lie. */
export interface PieceSet {
  /** No two sets of a store have the same one. */
  readonly generation: number
  /** Bytes of the record, and their CRC-32. */
  readonly length: number
  readonly checksum: number
}

type Deletion = { readonly type: 'del'; readonly key: Buffer }

const LETTER = 'p'.charCodeAt(0)
const KEY_BYTES = 26
const SET_BYTES = 12

/** Between these lie all pieces. */
const FIRST_KEY = Buffer.from([FORMAT, LETTER])
const AFTER_KEY = Buffer.from([FORMAT, LETTER + 1])

/**
 * Large records, in pieces under keys of their own: in one piece, LevelDB would hold a record some
 * four times at once, and checking it would keep everything else waiting.
 *
 * Pieces are written before the entry that makes them count, under a generation of their own, so
 * that a crash leaves the old version or the new one. What no entry knows is swept up at opening.
 */
export class LevelPieces {
  readonly #db: ClassicLevel<Buffer, Buffer>
  readonly #sets = new Map<Guid, PieceSet>()
  #generation = 1

  constructor(db: ClassicLevel<Buffer, Buffer>) {
    this.#db = db
  }

  static wants(bytes: Uint8Array): boolean {
    return bytes.length > LIMITS.graphStorePieceBytes
  }

  /** Each piece is on the disk before the next: LevelDB syncs no log that it has left behind. */
  async write(id: Guid, bytes: Uint8Array): Promise<PieceSet> {
    const generation = this.#generation++
    let checksum = 0
    for (let index = 0; index < countOf(bytes.length); index++) {
      const start = index * LIMITS.graphStorePieceBytes
      const piece = bytes.subarray(start, start + LIMITS.graphStorePieceBytes)
      checksum = crc32(piece, checksum)
      const { buffer, byteOffset, length } = piece
      const value = Buffer.from(buffer, byteOffset, length)
      await this.#db.put(keyOf(id, generation, index), value, { sync: true })
    }
    return { generation, length: bytes.length, checksum }
  }

  /** The record's bytes; undefined when they are damaged. From here on they belong to it. */
  async read(id: Guid, set: PieceSet): Promise<Buffer | undefined> {
    this.changed(id, set)
    const bytes = Buffer.allocUnsafeSlow(set.length)
    let at = 0
    for (let index = 0; index < countOf(set.length); index++) {
      const piece = await this.#db.get(keyOf(id, set.generation, index), { fillCache: false })
      if (piece === undefined || at + piece.length > set.length) return undefined
      at += piece.copy(bytes, at)
    }
    return at === set.length && crc32(bytes) === set.checksum ? bytes : undefined
  }

  /** What the entry of a record knows has been written, or read. */
  changed(id: Guid, set: PieceSet | undefined): void {
    if (set === undefined) this.#sets.delete(id)
    else this.#sets.set(id, set)
    if (set !== undefined) this.#generation = Math.max(this.#generation, set.generation + 1)
  }

  /** Removes the pieces that a record has now. */
  removal(id: Guid): Deletion[] {
    const set = this.#sets.get(id)
    if (set === undefined) return []
    return Array.from({ length: countOf(set.length) }, (_, index) => {
      return { type: 'del', key: keyOf(id, set.generation, index) }
    })
  }

  /** Removes pieces that no entry knows. */
  async sweep(): Promise<void> {
    const keys = await this.#db.keys({ gte: FIRST_KEY, lt: AFTER_KEY }).all()
    const orphans = keys.filter((key) => {
      const generation = key.readUInt32BE(18)
      return this.#sets.get(guidAt(key, 2))?.generation !== generation
    })
    if (orphans.length > 0) await this.#db.batch(orphans.map((key) => ({ type: 'del', key })))
  }
}

export function writeSet({ generation, length, checksum }: PieceSet): Buffer {
  const bytes = Buffer.allocUnsafe(SET_BYTES)
  bytes.writeUInt32BE(generation)
  bytes.writeUInt32BE(length, 4)
  bytes.writeUInt32BE(checksum, 8)
  return bytes
}

export function readSet(bytes: Buffer): PieceSet {
  return {
    generation: bytes.readUInt32BE(0),
    length: bytes.readUInt32BE(4),
    checksum: bytes.readUInt32BE(8),
  }
}

function countOf(length: number): number {
  return Math.ceil(length / LIMITS.graphStorePieceBytes)
}

function keyOf(id: Guid, generation: number, index: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  key[0] = FORMAT
  key[1] = LETTER
  writeGuid(id, key.subarray(2))
  key.writeUInt32BE(generation, 18)
  key.writeUInt32BE(index, 22)
  return key
}
