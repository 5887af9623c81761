import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { HashScheme } from '../content/algorithms.js'
import { checking, type PoolWork } from '../content/blocks.js'
import type { ContentSegment } from '../content/content-info.js'
import { normalizedRanges, type IndexRange } from '../content/retrieval.js'
import { equalBytes, fromHex, toHex } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { systemCode } from './atomic-file.js'
import { headOf, SegmentFile } from './segment-file.js'

/** Runs work of lib/content/blocks.ts, best on the thread pool. */
export type RunWork = (work: PoolWork) => Promise<boolean>

export interface BlockStoreOptions {
  readonly directory: string
  readonly run: RunWork
  /** Bytes on disk; the segments used least recently go first. Default 1 GiB. */
  readonly maxBytes?: number
  /** Age at which segments go, in milliseconds. Default 28 days. */
  readonly maxAgeMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A segment of which at least one block is there. */
export interface HeldSegment {
  readonly id: Uint8Array
  readonly scheme: HashScheme
  readonly secret: Uint8Array
  readonly length: number
  readonly blockCount: number
  /** The blocks that are there, sorted and merged. */
  readonly blocks: readonly IndexRange[]
  readonly isComplete: boolean
  /** Milliseconds since the segment was first stored. */
  readonly ageMs: number
}

/** A verified block, and what is needed to seal it. */
export interface StoredBlock {
  readonly bytes: Uint8Array
  readonly secret: Uint8Array
}

/** What is there of a segment now, in numbers. `blocks` 0: it is gone. */
export interface SegmentChange {
  readonly id: Uint8Array
  readonly blocks: number
  readonly blockCount: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** Counts of this process, except `bytes` and `segments`, which are of the directory. */
export interface BlockStoreStatistics {
  readonly segments: number
  readonly bytes: number
  readonly maxBytes: number
  readonly hits: number
  readonly misses: number
  readonly stored: number
  readonly evicted: number
  readonly corrupt: number
  readonly failedReads: number
  readonly failedWrites: number
  /** The system's code of the last failure, e.g. ENOSPC. */
  readonly lastFailure: string | undefined
}

interface Found {
  readonly path: string
  readonly bytes: number
  readonly usedAt: number
}

const NAME = /^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\.seg$/
const TEMPORARY = /\.tmp$/

/**
 * Verified blocks on disk, by segment and block (lib/storage/segment-file.ts); several processes
 * may share a directory. Every block is compared with its hash again when it is read: what a crash,
 * a full disk or a bad sector left behind is never handed out. Failures of the disk are counted
 * and make a block "not there": a download goes on without the cache.
 */
export class BlockStore {
  readonly directory: string
  readonly #options: Required<BlockStoreOptions>
  readonly #open = new Map<string, Promise<SegmentFile | undefined>>()
  readonly #touched = new Map<string, number>()
  readonly #counts = { hits: 0, misses: 0, stored: 0, evicted: 0, corrupt: 0 }
  readonly #failures = { reads: 0, writes: 0, last: undefined as string | undefined }
  readonly #watchers = new Set<(change: SegmentChange) => void>()
  #known: { readonly bytes: number; readonly segments: number } | undefined
  #added = 0
  #trimming: Promise<void> | undefined
  #isClosed = false

  constructor(options: BlockStoreOptions) {
    this.#options = {
      maxBytes: LIMITS.cacheBytes,
      maxAgeMs: LIMITS.cacheAgeMs,
      now: Date.now,
      ...options,
    }
    const { maxBytes, maxAgeMs } = this.#options
    checkArgument(Number.isSafeInteger(maxBytes) && maxBytes >= 0, 'maxBytes is a number of bytes')
    checkArgument(maxAgeMs > 0, 'maxAgeMs is a time above 0')
    this.directory = options.directory
  }

  /**
   * Stores a block that was verified against the segment. False when it cannot be: the disk is
   * full or refuses. Throws ERR_PEERNET_CLOSED, ERR_PEERNET_INVALID_ARG for a block without listed
   * hash or of another length.
   */
  async put(segment: ContentSegment, block: number, bytes: Uint8Array): Promise<boolean> {
    this.#checkOpen()
    const hash = segment.blockHash(block)
    const fits = hash !== undefined && bytes.length === segment.blockLength(block)
    checkArgument(fits, 'a listed block in its whole length is wanted')
    if (this.#options.maxBytes === 0) return false
    try {
      return await this.#put(segment, block, bytes, hash)
    } catch (error) {
      this.#failures.writes += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
      if (['ENOSPC', 'EDQUOT'].includes(this.#failures.last)) this.#trimSoon()
      return false
    }
  }

  async #put(
    segment: ContentSegment,
    block: number,
    bytes: Uint8Array,
    hash: Uint8Array,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const file = await this.#use(segment.id, segment)
      if (file === undefined) return false
      try {
        if (await file.isGone()) {
          await this.#dropKey(toHex(segment.id))
          continue
        }
        const { hashOfData, secret, length } = file.head
        const isSame = equalBytes(hashOfData, segment.hashOfData) && length === segment.length
        if (!isSame || !equalBytes(secret, segment.secret)) return false
        if (file.has(block) && equalBytes(file.hash(block), hash)) return true
        await file.write(block, bytes, hash)
        this.#tell(segment.id, file)
      } finally {
        await file.release()
      }
      this.#counts.stored += 1
      this.#added += bytes.length
      this.#trimIfFull()
      return true
    }
    return false
  }

  /**
   * The block of a segment, verified again; of `expected`, when given, as its hash. Undefined when
   * it is not there (any more).
   */
  async read(
    id: Uint8Array,
    block: number,
    expected?: Uint8Array,
  ): Promise<StoredBlock | undefined> {
    this.#checkOpen()
    let found: StoredBlock | undefined
    try {
      found = await this.#read(id, block, expected)
    } catch (error) {
      this.#failures.reads += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
    }
    this.#counts[found === undefined ? 'misses' : 'hits'] += 1
    return found
  }

  async #read(
    id: Uint8Array,
    block: number,
    expected: Uint8Array | undefined,
  ): Promise<StoredBlock | undefined> {
    const file = await this.#use(id)
    if (file === undefined) return undefined
    try {
      if (!file.has(block)) await file.refresh()
      if (!file.has(block)) return undefined
      const hash = Uint8Array.from(file.hash(block))
      if (expected !== undefined && !equalBytes(hash, expected)) return undefined
      const plain = await file.read(block)
      const check = plain && checking(file.head.scheme, plain, hash)
      if (check === undefined || !(await this.#options.run(check.work))) {
        this.#counts.corrupt += 1
        await file.forget(block)
        this.#tell(id, file)
        return undefined
      }
      await this.#touch(id, file)
      return { bytes: check.block, secret: file.head.secret }
    } finally {
      await file.release()
    }
  }

  /** What is there of a segment, undefined when nothing is. */
  async held(id: Uint8Array): Promise<HeldSegment | undefined> {
    this.#checkOpen()
    try {
      const file = await this.#use(id)
      if (file === undefined) return undefined
      try {
        await file.refresh()
        return (await file.isGone()) ? undefined : this.#heldIn(file)
      } finally {
        await file.release()
      }
    } catch (error) {
      this.#failures.reads += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
      return undefined
    }
  }

  #heldIn(file: SegmentFile): HeldSegment | undefined {
    const { id, scheme, secret, length, blockCount, createdAt } = file.head
    const all = Array.from({ length: blockCount }, (_, index) => ({ index, count: 1 }))
    const blocks = normalizedRanges(all.filter(({ index }) => file.has(index)))
    if (blocks.length === 0) return undefined
    const isComplete = blocks[0]?.count === blockCount
    const ageMs = Math.max(0, this.#options.now() - createdAt)
    return { id, scheme, secret, length, blockCount, blocks, isComplete, ageMs }
  }

  /** IDs of the segments in the directory, whoever wrote them. */
  async ids(): Promise<Uint8Array[]> {
    this.#checkOpen()
    return (await this.#scan()).map(({ path }) => idIn(path))
  }

  /** What this process stores and evicts, told at once. Ends by calling what is returned. */
  watch(listener: (change: SegmentChange) => void): () => void {
    this.#watchers.add(listener)
    return () => {
      this.#watchers.delete(listener)
    }
  }

  #tell(id: Uint8Array, file: SegmentFile): void {
    if (this.#watchers.size === 0) return
    const { blockCount, createdAt } = file.head
    for (const tell of this.#watchers) tell({ id, blocks: file.held, blockCount, createdAt })
  }

  #tellGone(path: string): void {
    const change = { id: idIn(path), blocks: 0, blockCount: 0, createdAt: 0 }
    for (const tell of this.#watchers) tell(change)
  }

  /** Looks through the directory, and evicts what is too old or too much. */
  async statistics(): Promise<BlockStoreStatistics> {
    this.#checkOpen()
    await this.trim()
    const { hits, misses, stored, evicted, corrupt } = this.#counts
    const { maxBytes } = this.#options
    const known = this.#known ?? { bytes: 0, segments: 0 }
    const counts = { hits, misses, stored, evicted, corrupt }
    const { reads, writes, last } = this.#failures
    const failed = { failedReads: reads, failedWrites: writes, lastFailure: last }
    return { ...known, maxBytes, ...counts, ...failed }
  }

  /** Removes everything; returns how many segments that were. */
  async flush(): Promise<number> {
    this.#checkOpen()
    await this.#dropAll()
    const found = await this.#scan()
    for (const { path } of found) {
      await rm(path, { force: true })
      this.#tellGone(path)
    }
    this.#known = { bytes: 0, segments: 0 }
    this.#added = 0
    return found.length
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#trimming
    await this.#dropAll()
  }

  /** Evicts segments that are too old, and the least recently used ones while there is too much. */
  trim(): Promise<void> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined
    })
    return this.#trimming
  }

  async #trim(): Promise<void> {
    this.#added = 0
    const found = await this.#scan()
    const { maxBytes, maxAgeMs, now } = this.#options
    const oldest = now() - maxAgeMs
    let bytes = found.reduce((sum, one) => sum + one.bytes, 0)
    let segments = found.length
    // A tenth of room is made at once, so that not every block looks through the directory.
    const enough = bytes > maxBytes ? maxBytes * 0.9 : maxBytes
    for (const one of found.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= enough && one.usedAt >= oldest) break
      await rm(one.path, { force: true })
      this.#tellGone(one.path)
      this.#counts.evicted += 1
      bytes -= one.bytes
      segments -= 1
    }
    this.#known = { bytes, segments }
  }

  #trimIfFull(): void {
    const { maxBytes } = this.#options
    const isFull = this.#known === undefined || this.#known.bytes + this.#added > maxBytes
    // Others write too: what they added is seen when a sixteenth of the limit went through here.
    if (isFull || this.#added > maxBytes / 16) this.#trimSoon()
  }

  #trimSoon(): void {
    if (this.#isClosed) return
    this.trim().catch((error: unknown) => {
      this.#failures.reads += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
    })
  }

  async #scan(): Promise<Found[]> {
    const found: Found[] = []
    for (const part of await namesIn(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue
      for (const name of await namesIn(join(this.directory, part))) {
        const path = join(this.directory, part, name)
        if (!NAME.test(name) && !TEMPORARY.test(name)) continue
        const facts = await stat(path).catch(() => undefined)
        if (facts === undefined) continue
        const abandoned = this.#options.now() - facts.mtimeMs > LIMITS.cacheTemporaryMs
        if (NAME.test(name)) {
          found.push({ path, bytes: facts.blocks * 512, usedAt: facts.mtimeMs })
        } else if (abandoned) await rm(path, { force: true })
      }
    }
    return found
  }

  /** Made of hex digits only, so that no ID leads out of the directory. */
  #pathOf(key: string): string {
    return join(this.directory, key.slice(0, 2), `${key}.seg`)
  }

  /** The segment's file, in use until `release`; made for `segment` when there is none. */
  async #use(id: Uint8Array, segment?: ContentSegment): Promise<SegmentFile | undefined> {
    checkArgument([32, 48, 64].includes(id.length), 'a segment ID has 32, 48 or 64 bytes')
    const key = toHex(id)
    for (let attempt = 0; attempt < 8; attempt++) {
      const opened = this.#open.get(key) ?? this.#start(key, segment)
      const file = await opened
      if (this.#open.get(key) !== opened) continue
      if (file !== undefined) {
        file.use()
        this.#open.delete(key)
        this.#open.set(key, opened)
        return file
      }
      this.#open.delete(key)
      // Somebody else looked for it before there was one to be made.
      if (segment === undefined) return undefined
      await this.#start(key, segment)
    }
    return undefined
  }

  #start(key: string, segment: ContentSegment | undefined): Promise<SegmentFile | undefined> {
    const path = this.#pathOf(key)
    const opened = SegmentFile.open(path).then((file) =>
      file === undefined && segment !== undefined
        ? SegmentFile.create(path, headOf(segment, this.#options.now()))
        : file,
    )
    this.#open.set(key, opened)
    opened.catch(() => {
      if (this.#open.get(key) === opened) this.#open.delete(key)
    })
    for (const [oldest] of this.#open) {
      if (this.#open.size <= LIMITS.cacheOpenFiles) break
      if (oldest !== key) void this.#dropKey(oldest)
    }
    return opened
  }

  async #touch(id: Uint8Array, file: SegmentFile): Promise<void> {
    const key = toHex(id)
    const now = this.#options.now()
    if (now - (this.#touched.get(key) ?? 0) < LIMITS.cacheTouchMs) return
    if (this.#touched.size >= LIMITS.cacheOpenFiles) this.#touched.clear()
    this.#touched.set(key, now)
    await file.touch(new Date(now))
  }

  async #dropKey(key: string): Promise<void> {
    const opened = this.#open.get(key)
    this.#open.delete(key)
    const file = await opened?.catch(() => undefined)
    await file?.drop()
  }

  async #dropAll(): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.#dropKey(key)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the cache was closed')
  }
}

const idIn = (path: string): Uint8Array => fromHex(basename(path, '.seg')) ?? new Uint8Array(0)

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
