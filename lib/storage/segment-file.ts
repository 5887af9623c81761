import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HashScheme } from '../content/algorithms.js'
import { algorithmOf, hashLength, sha2Of } from '../content/algorithms.js'
import type { PoolWork } from '../content/blocks.js'
import type { ContentSegment } from '../content/content-info.js'
import { BLOCK_BYTES, SEGMENT_2_BYTES, SEGMENT_BYTES } from '../content/content-info.js'
import { LIMITS } from '../core/limits.js'
import { systemCode } from './atomic-file.js'

/**
 * A segment of the cache in one file: what it is, a row for each block, the blocks at fixed places.
 *
 *     0    magic, version, algorithm, lengths, creation time, ID, secret, hash of data, SHA-256
 *     256  rows of 1 + N bytes: 1 when the block is there, 2 when it is not, and its hash
 *     …    from the next multiple of 4096 on: the blocks, plain
 *
 * A writer writes a block first and its row afterwards, always the same bytes at the same place,
 * so several processes can write at once. Nothing is synced: after a loss of power rows may stand
 * for bytes that never arrived, which reading finds out by the hash.
 */

const MAGIC = Buffer.from('PNSEG1\r\n')
const ROWS_AT = 256
const CHECK_AT = 224
const PAGE = 4096
export const PRESENT = 1
/** The hash is known, the block is not there. */
const LISTED = 2

/** What the head of a file says. */
export interface SegmentHead {
  readonly scheme: HashScheme
  readonly length: number
  readonly blockBytes: number
  readonly blockCount: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly id: Uint8Array
  readonly secret: Uint8Array
  readonly hashOfData: Uint8Array
}

function encodeHead(head: SegmentHead): Buffer {
  const width = hashLength(head.scheme)
  const bytes = Buffer.alloc(dataAt(head))
  MAGIC.copy(bytes)
  bytes[8] = head.scheme.version
  bytes[9] = sha2Of(head.scheme.algorithm)
  bytes[10] = width
  bytes.writeUInt32LE(head.length, 12)
  bytes.writeUInt32LE(head.blockBytes, 16)
  bytes.writeDoubleLE(head.createdAt, 24)
  bytes.set(head.id, 32)
  bytes.set(head.secret, 96)
  bytes.set(head.hashOfData, 160)
  checkOf(bytes).copy(bytes, CHECK_AT)
  return bytes
}

const checkOf = (bytes: Buffer): Buffer =>
  createHash('sha256').update(bytes.subarray(0, CHECK_AT)).digest()

function decodeHead(bytes: Buffer): SegmentHead | undefined {
  const isOurs = bytes.length >= ROWS_AT && bytes.subarray(0, 8).equals(MAGIC)
  if (!isOurs || !checkOf(bytes).equals(bytes.subarray(CHECK_AT, ROWS_AT))) return undefined
  const version = bytes[8]
  const sha2 = bytes[9] as number
  if ((version !== 1 && version !== 2) || sha2 > 2 || (version === 2 && sha2 !== 2)) {
    return undefined
  }
  const scheme = { version, algorithm: algorithmOf(sha2) } as const
  const width = hashLength(scheme)
  const length = bytes.readUInt32LE(12)
  const blockBytes = version === 1 ? BLOCK_BYTES : length
  const longest = version === 1 ? SEGMENT_BYTES : SEGMENT_2_BYTES
  const isSane = bytes[10] === width && length >= 1 && length <= longest
  if (!isSane || bytes.readUInt32LE(16) !== blockBytes) return undefined
  const field = (at: number): Uint8Array => new Uint8Array(bytes.subarray(at, at + width))
  return {
    scheme,
    length,
    blockBytes,
    blockCount: Math.ceil(length / blockBytes),
    createdAt: bytes.readDoubleLE(24),
    id: field(32),
    secret: field(96),
    hashOfData: field(160),
  }
}

type Shape = Pick<SegmentHead, 'scheme' | 'blockCount'>
const rowBytes = ({ scheme }: Pick<SegmentHead, 'scheme'>): number => 1 + hashLength(scheme)
const dataAt = (shape: Shape): number =>
  Math.ceil((ROWS_AT + shape.blockCount * rowBytes(shape)) / PAGE) * PAGE

export function headOf(segment: ContentSegment, createdAt: number): SegmentHead {
  const { scheme, length, blockBytes, blockCount, id, secret, hashOfData } = segment
  return { scheme, length, blockBytes, blockCount, createdAt, id, secret, hashOfData }
}

const rowOf = (hash: Uint8Array): Uint8Array => {
  const row = new Uint8Array(1 + hash.length)
  row[0] = PRESENT
  row.set(hash, 1)
  return row
}

/** What makes the whole file of a segment with a single block, over one that may be there. */
export function creating(
  path: string,
  head: SegmentHead,
  bytes: Uint8Array,
  hash: Uint8Array,
): PoolWork {
  const start = encodeHead(head)
  start.set(rowOf(hash), ROWS_AT)
  return [3, asideOf(path), path, start, bytes]
}

/** What `readingWhole` brings: a segment of one block, not verified yet. */
export interface WholeSegment {
  readonly head: SegmentHead
  readonly hash: Uint8Array
}

/** Reads a segment of one block; its bytes come to stand in `room`. `now`: since 1970, in ms. */
export function readingWhole(
  path: string,
  room: Uint8Array,
  now: number,
): { readonly work: PoolWork; readonly found: () => WholeSegment | undefined } {
  const start = Buffer.allocUnsafe(PAGE)
  const found = (): WholeSegment | undefined => {
    const head = decodeHead(start)
    const isWhole = head?.blockCount === 1 && head.length <= room.length
    if (!isWhole || start[ROWS_AT] !== PRESENT) return undefined
    return { head, hash: start.subarray(ROWS_AT + 1, ROWS_AT + rowBytes(head)) }
  }
  return { work: [4, path, start, room, now / 1000, LIMITS.cacheTouchMs / 1000], found }
}

const asideOf = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.tmp`

/** An open file of a segment. Whoever uses it says so with `uses`; it is closed after the last. */
export class SegmentFile {
  readonly head: SegmentHead
  readonly #file: FileHandle
  #rows: Buffer
  #uses = 1
  #isDropped = false

  private constructor(file: FileHandle, head: SegmentHead, rows: Buffer) {
    this.#file = file
    this.head = head
    this.#rows = rows
  }

  /** Undefined when there is none, or none that can be trusted. Throws errors of the system. */
  static async open(path: string): Promise<SegmentFile | undefined> {
    let file: FileHandle
    try {
      file = await open(path, 'r+')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
    try {
      const bytes = Buffer.alloc(PAGE)
      const { bytesRead } = await file.read(bytes, 0, PAGE, 0)
      const head = bytesRead >= ROWS_AT ? decodeHead(bytes) : undefined
      if (head !== undefined) {
        const rows = Buffer.alloc(head.blockCount * rowBytes(head))
        bytes.copy(rows, 0, ROWS_AT)
        const made = new SegmentFile(file, head, rows)
        if (ROWS_AT + rows.length > PAGE) await made.refresh()
        return made
      }
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return undefined
  }

  /** Makes the file unless another process has just done so; a damaged one is replaced. */
  static async create(path: string, head: SegmentHead): Promise<SegmentFile | undefined> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const aside = asideOf(path)
    try {
      const file = await open(aside, 'wx', 0o600)
      try {
        await file.writeFile(encodeHead(head))
      } finally {
        await file.close()
      }
      try {
        await link(aside, path)
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error
        const found = await SegmentFile.open(path)
        if (found !== undefined) return found
        await rename(aside, path)
      }
    } finally {
      await rm(aside, { force: true })
    }
    return SegmentFile.open(path)
  }

  use(): void {
    this.#uses += 1
  }

  async release(): Promise<void> {
    this.#uses -= 1
    if (this.#uses === 0) await this.#file.close()
  }

  /** The store forgets it: the use that it was made with ends. */
  async drop(): Promise<void> {
    if (this.#isDropped) return
    this.#isDropped = true
    await this.release()
  }

  /** Reads again which blocks are there: other processes write too. */
  async refresh(): Promise<void> {
    const rows = Buffer.alloc(this.#rows.length)
    const { bytesRead } = await this.#file.read(rows, 0, rows.length, ROWS_AT)
    rows.fill(0, bytesRead)
    this.#rows = rows
  }

  /** Whether the file was evicted meanwhile. */
  async isGone(): Promise<boolean> {
    return (await this.#file.stat()).nlink === 0
  }

  has(block: number): boolean {
    return block < this.head.blockCount && this.#rows[this.#rowAt(block)] === PRESENT
  }

  /** How many blocks are there. */
  get held(): number {
    let count = 0
    for (let block = 0; block < this.head.blockCount; block++) if (this.has(block)) count += 1
    return count
  }

  hash(block: number): Uint8Array {
    const at = this.#rowAt(block)
    return this.#rows.subarray(at + 1, at + rowBytes(this.head))
  }

  blockLength(block: number): number {
    const { blockBytes, length } = this.head
    return Math.min(blockBytes, length - block * blockBytes)
  }

  /** The next block that is there after this one; 0 when there is none. */
  next(block: number): number {
    for (let i = block + 1; i < this.head.blockCount; i++) if (this.has(i)) return i
    return 0
  }

  get isComplete(): boolean {
    for (let i = 0; i < this.head.blockCount; i++) if (!this.has(i)) return false
    return true
  }

  /** Where the block stands, or will. */
  place(block: number): { readonly fd: number; readonly position: number } {
    const { head } = this
    return { fd: this.#file.fd, position: dataAt(head) + block * head.blockBytes }
  }

  /** What writes the block and its row; when it is done, `noteWritten` wants to know. */
  writing(block: number, bytes: Uint8Array, hash: Uint8Array): PoolWork {
    const { fd, position } = this.place(block)
    return [2, fd, position, bytes, ROWS_AT + this.#rowAt(block), rowOf(hash)]
  }

  noteWritten(block: number, hash: Uint8Array): void {
    this.#rows.set(rowOf(hash), this.#rowAt(block))
  }

  /** As `writing`, but tells what is wrong by throwing errors of the system. */
  async write(block: number, bytes: Uint8Array, hash: Uint8Array): Promise<void> {
    await this.#writeAll(bytes, this.place(block).position)
    await this.#writeAll(rowOf(hash), ROWS_AT + this.#rowAt(block))
    this.noteWritten(block, hash)
  }

  /** Notes hashes of blocks that are not there; who writes one meanwhile loses it. */
  async learn(hashes: Uint8Array): Promise<void> {
    await this.refresh()
    const width = rowBytes(this.head)
    for (let block = 0; block < this.head.blockCount; block++) {
      if (this.has(block)) continue
      const hash = hashes.subarray(block * (width - 1), (block + 1) * (width - 1))
      this.#rows.set([LISTED, ...hash], this.#rowAt(block))
    }
    await this.#writeAll(this.#rows, ROWS_AT)
  }

  /** The hashes of all blocks; undefined unless they are known and make up the hash of data. */
  hashes(): Uint8Array | undefined {
    const { blockCount, hashOfData, scheme } = this.head
    if (scheme.version === 2) return hashOfData
    const width = rowBytes(this.head)
    const out = new Uint8Array(blockCount * (width - 1))
    for (let block = 0; block < blockCount; block++) {
      out.set(this.hash(block), block * (width - 1))
    }
    const found = createHash(scheme.algorithm).update(out).digest()
    return found.equals(hashOfData) ? out : undefined
  }

  /** Takes a block out that turned out to be damaged. */
  async forget(block: number): Promise<void> {
    this.#rows[this.#rowAt(block)] = 0
    await this.#file.write(Buffer.of(0), 0, 1, ROWS_AT + this.#rowAt(block))
  }

  async touch(now: Date): Promise<void> {
    await this.#file.utimes(now, now)
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        done,
        bytes.length - done,
        position + done,
      )
      done += bytesWritten
    }
  }

  #rowAt(block: number): number {
    return block * rowBytes(this.head)
  }
}
