import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { OfferedSegment } from '../content/offers.js'
import { normalizedRanges, type BlockMessage, type IndexRange } from '../content/retrieval.js'
import { fromHex, toHex } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { isFull, systemCode } from './atomic-file.js'

/** A block as it came: encrypted under a key that is not known here. */
export type SealedBlock = Pick<BlockMessage, 'cipher' | 'block' | 'iv'>

/** What the one who offered a segment says of it; nothing of that can be verified. */
export type ReplaySegment = Pick<OfferedSegment, 'segmentId' | 'segmentBytes' | 'version'>

export interface ReplayStoreOptions {
  readonly directory: string
  /** Bytes on disk; the segments used least recently go first. Default 1 GiB. */
  readonly maxBytes?: number
  /** Age at which segments go, in milliseconds. Default 28 days. */
  readonly maxAgeMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A segment of which at least one block is there. */
export interface ReplayedSegment {
  readonly blocks: readonly IndexRange[]
  readonly isComplete: boolean
  /** Milliseconds since its latest block was stored. */
  readonly ageMs: number
  /** Who gave that one; unknown after a restart. */
  readonly source: string | undefined
}

export interface ReplayStoreStatistics {
  readonly segments: number
  readonly bytes: number
  readonly maxBytes: number
  readonly evicted: number
  readonly corrupt: number
  readonly failedWrites: number
  /** The system's code of the last failure, e.g. ENOSPC. */
  readonly lastFailure: string | undefined
}

interface Entry {
  readonly version: 1 | 2
  readonly segmentBytes: number
  readonly blockCount: number
  /** Bytes on disk of each block. */
  readonly blocks: Map<number, number>
  bytes: number
  storedAt: number
  usedAt: number
  touchedAt: number
  source: string | undefined
}

/**
 *     0   magic, 1 byte cipher, 3 bytes reserved, length of the block
 *     16  IV
 *     32  SHA-256 of what stands before and behind
 *     64  the block
 */
const MAGIC = Buffer.from('PNRPL1\r\n')
const HEAD = 64
const PAGE = 4096
/** ID, version, bytes of the segment, number of the block. */
const NAME = /^([0-9a-f]{64})-([12])-(\d{1,8})-(\d{1,3})\.rpl$/

/**
 * Blocks that only their readers can decrypt and verify (DA-27), one in a file, so that a crash
 * leaves a block there or not there. The directory belongs to one process, which knows by heart
 * what is in it. Whether a block is still what came is checked when it is read.
 */
export class ReplayStore {
  readonly directory: string
  readonly #options: Required<ReplayStoreOptions>
  /** By segment ID in hex; the one used latest comes last. */
  readonly #entries = new Map<string, Entry>()
  readonly #counts = { evicted: 0, corrupt: 0, failedWrites: 0 }
  #lastFailure: string | undefined
  #bytes = 0
  #isClosed = false

  private constructor(options: Required<ReplayStoreOptions>) {
    this.#options = options
    this.directory = options.directory
  }

  /** Reads what is there. Throws ERR_PEERNET_INVALID_ARG, ERR_PEERNET_SYSTEM. */
  static async open(options: ReplayStoreOptions): Promise<ReplayStore> {
    const defaults = { maxBytes: LIMITS.cacheBytes, maxAgeMs: LIMITS.cacheAgeMs, now: Date.now }
    const store = new ReplayStore({ ...defaults, ...options })
    const { maxBytes, maxAgeMs, directory } = store.#options
    checkArgument(Number.isSafeInteger(maxBytes) && maxBytes >= 0, 'maxBytes is a number of bytes')
    checkArgument(maxAgeMs > 0, 'maxAgeMs is a time above 0')
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await store.#readDirectory()
    } catch (cause) {
      throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot use ${directory}`, { cause })
    }
    await store.#evict()
    return store
  }

  /** What is there of a segment. */
  held(id: Uint8Array): ReplayedSegment | undefined {
    const entry = this.#entries.get(toHex(id))
    if (entry === undefined) return undefined
    const { blockCount, source, storedAt } = entry
    const blocks = normalizedRanges([...entry.blocks.keys()].map((index) => ({ index, count: 1 })))
    const isComplete = entry.blocks.size === blockCount
    return { blocks, isComplete, source, ageMs: Math.max(0, this.#options.now() - storedAt) }
  }

  /** False when it cannot be stored: the disk is full or refuses. */
  async put(
    segment: ReplaySegment,
    block: number,
    sealed: SealedBlock,
    source: string,
  ): Promise<boolean> {
    this.#checkOpen()
    const { maxBytes, now } = this.#options
    if (segment.segmentId.length !== 32 || sealed.iv.length !== 16 || maxBytes === 0) return false
    const key = toHex(segment.segmentId)
    const path = this.#pathOf(key, segment, block)
    const size = sizeOf(HEAD + sealed.block.length)
    try {
      await this.#forgetOthers(key, segment)
      await writeAside(path, encode(sealed))
    } catch (error) {
      this.#counts.failedWrites += 1
      this.#lastFailure = systemCode(error) ?? 'unknown'
      if (isFull(error)) await this.#evict(Math.min(this.#bytes, maxBytes) * 0.9)
      return false
    }
    const entry = this.#add(key, segment, block, size, now())
    entry.source = source
    await this.#evict()
    return true
  }

  /** Undefined when it is not there, or not as it was. */
  async read(id: Uint8Array, block: number): Promise<SealedBlock | undefined> {
    this.#checkOpen()
    const key = toHex(id)
    const entry = this.#entries.get(key)
    if (entry?.blocks.has(block) !== true) return undefined
    const path = this.#pathOf(key, { ...entry, segmentId: id }, block)
    const bytes = await readFile(path).catch(() => undefined)
    const sealed = bytes === undefined ? undefined : decode(bytes)
    if (sealed === undefined) {
      this.#counts.corrupt += 1
      this.#forgetBlock(key, entry, block)
      await rm(path, { force: true }).catch(() => undefined)
      return undefined
    }
    this.#used(key, entry)
    await this.#touch(entry, path)
    return sealed
  }

  statistics(): ReplayStoreStatistics {
    const { maxBytes } = this.#options
    const sizes = { segments: this.#entries.size, bytes: this.#bytes, maxBytes }
    return { ...sizes, ...this.#counts, lastFailure: this.#lastFailure }
  }

  /** Evicts what is too old; what is too much goes at once anyway. */
  async trim(): Promise<void> {
    this.#checkOpen()
    await this.#evict()
  }

  close(): void {
    this.#isClosed = true
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the cache was closed')
  }

  /** Made of hex digits and numbers only, so that no ID leads out of the directory. */
  #pathOf(key: string, { segmentBytes, version }: ReplaySegment, block: number): string {
    const name = `${key}-${version}-${segmentBytes}-${block}.rpl`
    return join(this.directory, key.slice(0, 2), name)
  }

  async #readDirectory(): Promise<void> {
    const found: { match: RegExpExecArray; size: number; usedAt: number }[] = []
    for (const part of await readdir(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue
      for (const name of await readdir(join(this.directory, part))) {
        const path = join(this.directory, part, name)
        const match = NAME.exec(name)
        // What another process of long ago was writing when it died.
        if (match === null && name.endsWith('.tmp')) await rm(path, { force: true })
        const facts = match === null ? undefined : await stat(path).catch(() => undefined)
        if (match === null || facts === undefined) continue
        found.push({ match, size: sizeOf(facts.size), usedAt: facts.mtimeMs })
      }
    }
    for (const { match, size, usedAt } of found.sort((a, b) => a.usedAt - b.usedAt)) {
      const [, key = '', version, segmentBytes, block] = match
      const segmentId = fromHex(key) as Uint8Array
      const facts = { segmentId, segmentBytes: Number(segmentBytes) }
      const segment = { ...facts, version: version === '1' ? 1 : 2 } as const
      if (Number(block) < blocksOf(segment)) this.#add(key, segment, Number(block), size, usedAt)
    }
  }

  #add(key: string, segment: ReplaySegment, block: number, size: number, at: number): Entry {
    const { segmentBytes, version } = segment
    const entry = this.#entries.get(key) ?? {
      ...{ version, segmentBytes, blockCount: blocksOf(segment), blocks: new Map(), bytes: 0 },
      ...{ storedAt: at, usedAt: at, touchedAt: at, source: undefined },
    }
    this.#bytes += size - (entry.blocks.get(block) ?? 0)
    entry.bytes += size - (entry.blocks.get(block) ?? 0)
    entry.blocks.set(block, size)
    entry.storedAt = at
    entry.usedAt = at
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  /** Whoever says something else of a segment than the last one did begins it anew. */
  async #forgetOthers(key: string, { segmentBytes, version }: ReplaySegment): Promise<void> {
    const entry = this.#entries.get(key)
    const isSame = entry?.segmentBytes === segmentBytes && entry.version === version
    if (entry !== undefined && !isSame) await this.#remove(key, entry)
  }

  #forgetBlock(key: string, entry: Entry, block: number): void {
    const size = entry.blocks.get(block) ?? 0
    this.#bytes -= size
    entry.bytes -= size
    entry.blocks.delete(block)
    if (entry.blocks.size === 0 && this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  #used(key: string, entry: Entry): void {
    entry.usedAt = this.#options.now()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
  }

  /** So that the order of use outlives a restart. */
  async #touch(entry: Entry, path: string): Promise<void> {
    const now = this.#options.now()
    if (now - entry.touchedAt < LIMITS.cacheTouchMs) return
    entry.touchedAt = now
    await utimes(path, new Date(now), new Date(now)).catch(() => undefined)
  }

  async #evict(maxBytes = this.#options.maxBytes): Promise<void> {
    const { maxAgeMs, now } = this.#options
    const oldest = now() - maxAgeMs
    for (const [key, entry] of this.#entries) {
      const isMuch = this.#bytes > maxBytes || this.#entries.size > LIMITS.replaySegments
      if (!isMuch && entry.usedAt >= oldest) break
      this.#counts.evicted += 1
      await this.#remove(key, entry)
    }
  }

  async #remove(key: string, entry: Entry): Promise<void> {
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    const segment = { ...entry, segmentId: fromHex(key) as Uint8Array }
    for (const block of entry.blocks.keys()) {
      await rm(this.#pathOf(key, segment, block), { force: true }).catch(() => undefined)
    }
  }
}

/** On disk. */
const sizeOf = (length: number): number => Math.ceil(length / PAGE) * PAGE

/** DA-21: a segment of version 2 is one block. */
export function blocksOf({ segmentBytes, version }: Omit<ReplaySegment, 'segmentId'>): number {
  return version === 1 ? Math.ceil(segmentBytes / 65_536) : 1
}

async function writeAside(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(aside, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

function encode({ block, cipher, iv }: SealedBlock): Buffer {
  const bytes = Buffer.alloc(HEAD + block.length)
  MAGIC.copy(bytes)
  bytes[8] = cipher
  bytes.writeUInt32LE(block.length, 12)
  bytes.set(iv, 16)
  bytes.set(block, HEAD)
  checkOf(bytes).copy(bytes, 32)
  return bytes
}

function decode(bytes: Buffer): SealedBlock | undefined {
  const isWhole =
    bytes.length >= HEAD &&
    bytes.subarray(0, 8).equals(MAGIC) &&
    bytes.readUInt32LE(12) === bytes.length - HEAD &&
    checkOf(bytes).equals(bytes.subarray(32, HEAD))
  const cipher = bytes[8]
  if (!isWhole || (cipher !== 1 && cipher !== 2 && cipher !== 3)) return undefined
  return { cipher, iv: bytes.subarray(16, 32), block: bytes.subarray(HEAD) }
}

const checkOf = (bytes: Buffer): Buffer =>
  createHash('sha256').update(bytes.subarray(0, 32)).update(bytes.subarray(HEAD)).digest()
