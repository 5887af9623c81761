import { rm } from 'node:fs/promises'
import { reading, type PoolWork } from '../content/blocks.js'
import { ContentSegment } from '../content/content-info.js'
import { normalizedRanges } from '../content/retrieval.js'
import { equalBytes, toHex } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { isFull, systemCode } from './atomic-file.js'
import { creating, headOf, readingWhole, SegmentFile } from './segment-file.js'
import type {
  BlockStoreOptions,
  BlockStoreStatistics,
  FoundBlock,
  HeldSegment,
  SegmentChange,
  StoredBlock,
  TakenBlock,
} from './stored-blocks.js'
import { idIn, segmentFiles, segmentPath, type StoredFile } from './segment-directory.js'

type Prepare<Value> = (
  found: FoundBlock,
) => { readonly work: PoolWork; readonly value: Value } | undefined

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
  /** Segments that found the disk full: room for them is not made by evicting themselves. */
  #wantRoom = new Set<string>()
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
   * Stores a block that was verified against the segment. On a full disk it makes room and tries
   * once more. False when it cannot be stored: the disk refuses, or is full of other things.
   * Throws ERR_PEERNET_CLOSED, ERR_PEERNET_INVALID_ARG for a block without listed hash or of
   * another length.
   */
  async put(segment: ContentSegment, block: number, bytes: Uint8Array): Promise<boolean> {
    this.#checkOpen()
    const hash = segment.blockHash(block)
    const fits = hash !== undefined && bytes.length === segment.blockLength(block)
    checkArgument(fits, 'a listed block in its whole length is wanted')
    if (this.#options.maxBytes === 0) return false
    const isStored = await this.#tryPut(segment, block, bytes, hash)
    const key = toHex(segment.id)
    if (isStored || !this.#wantRoom.has(key)) return isStored
    await this.#makeRoom(key)
    return !this.#isClosed && (await this.#tryPut(segment, block, bytes, hash))
  }

  async #tryPut(
    segment: ContentSegment,
    block: number,
    bytes: Uint8Array,
    hash: Uint8Array,
  ): Promise<boolean> {
    try {
      return await this.#put(segment, block, bytes, hash)
    } catch (error) {
      this.#failures.writes += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
      if (isFull(error)) this.#wantRoom.add(toHex(segment.id))
      return false
    }
  }

  /** Evicts for a full disk; a look through the directory under way may have passed that point. */
  async #makeRoom(key: string): Promise<void> {
    await this.#trimming?.catch(() => undefined)
    if (this.#isClosed || !this.#wantRoom.has(key)) return
    this.#trimSoon()
    await this.#trimming?.catch(() => undefined)
  }

  async #put(
    segment: ContentSegment,
    block: number,
    bytes: Uint8Array,
    hash: Uint8Array,
  ): Promise<boolean> {
    const isOne = segment.blockCount === 1 && !this.#open.has(toHex(segment.id))
    if (isOne && (await this.#create(segment, bytes, hash))) return true
    for (let attempt = 0; attempt < 3; attempt++) {
      const file = await this.#use(segment.id, segment)
      if (file === undefined) return false
      try {
        const { hashOfData, secret, length } = file.head
        const isSame = equalBytes(hashOfData, segment.hashOfData) && length === segment.length
        if (!isSame || !equalBytes(secret, segment.secret)) return false
        const isThere = file.has(block) && equalBytes(file.hash(block), hash)
        if (!isThere && (await this.#options.run(file.writing(block, bytes, hash)))) {
          file.noteWritten(block, hash)
        } else if (await file.isGone()) {
          await this.#dropKey(toHex(segment.id))
          continue
        } else if (isThere) return true
        else await file.write(block, bytes, hash)
        this.#tell(file)
      } finally {
        await file.release()
      }
      this.#countStored(bytes.length)
      return true
    }
    return false
  }

  /** A segment with one block, whole at once. False: find out the slow way why not. */
  async #create(segment: ContentSegment, bytes: Uint8Array, hash: Uint8Array): Promise<boolean> {
    const head = headOf(segment, this.#options.now())
    const work = creating(this.#pathOf(toHex(segment.id)), head, bytes, hash)
    if (!(await this.#options.run(work))) return false
    const { id, createdAt } = head
    for (const tell of this.#watchers) tell({ id, blocks: 1, blockCount: 1, createdAt })
    this.#countStored(bytes.length)
    return true
  }

  #countStored(bytes: number): void {
    this.#counts.stored += 1
    this.#added += bytes
    this.#trimIfFull()
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
    return this.#find(id, block, (found) => {
      if (expected !== undefined && !equalBytes(found.hash, expected)) return undefined
      const { block: bytes, work } = reading(found.scheme, found.place, found.length, found.hash)
      return { work, value: { bytes, secret: found.secret } }
    })
  }

  /**
   * Has a block worked on where it lies, without reading it here. The work that `prepare` makes
   * has to compare it with its hash. Undefined when the block is not there (any more).
   */
  use<Value>(
    id: Uint8Array,
    block: number,
    prepare: (found: FoundBlock) => { readonly work: PoolWork; readonly value: Value },
  ): Promise<Value | undefined> {
    return this.#find(id, block, prepare)
  }

  /**
   * Brings a segment of one block to `room` in one step, where `use` takes four; compare it with
   * its hash. Undefined: look for it with `use`.
   */
  async take(id: Uint8Array, room: Uint8Array): Promise<TakenBlock | undefined> {
    this.#checkOpen()
    const key = toHex(id)
    if (this.#open.has(key)) return undefined
    const { work, found } = readingWhole(this.#pathOf(key), room, this.#options.now())
    const whole = (await this.#options.run(work)) ? found() : undefined
    if (whole === undefined) return undefined
    const { hash, head } = whole
    const { length, scheme, secret } = head
    this.#counts.hits += 1
    return { place: room.subarray(0, length), length, scheme, secret, hash, nextBlock: 0 }
  }

  async #find<Value>(
    id: Uint8Array,
    block: number,
    prepare: Prepare<Value>,
  ): Promise<Value | undefined> {
    const value = await this.#reading(id, (file) => this.#workOn(file, block, prepare))
    this.#counts[value === undefined ? 'misses' : 'hits'] += 1
    return value
  }

  async #workOn<Value>(
    file: SegmentFile,
    block: number,
    prepare: Prepare<Value>,
  ): Promise<Value | undefined> {
    if (!file.has(block)) await file.refresh()
    if (!file.has(block)) return undefined
    const { scheme, secret } = file.head
    const hash = Uint8Array.from(file.hash(block))
    const [place, length, nextBlock] = [
      file.place(block),
      file.blockLength(block),
      file.next(block),
    ]
    const prepared = prepare({ place, length, scheme, secret, hash, nextBlock })
    if (prepared === undefined) return undefined
    if (!(await this.#options.run(prepared.work))) {
      this.#counts.corrupt += 1
      await file.forget(block)
      this.#tell(file)
      return undefined
    }
    await this.#touch(file)
    return prepared.value
  }

  /** What is there of a segment, undefined when nothing is. */
  async held(id: Uint8Array): Promise<HeldSegment | undefined> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const found = await this.#reading(id, async (file) => {
        if (!file.isComplete) await file.refresh()
        if (!(await file.isGone())) return { held: this.#heldIn(file) }
        // Evicted, or replaced by a file of another process.
        await this.#dropKey(toHex(id))
        return 'gone'
      })
      if (found !== 'gone') return found?.held
    }
    return undefined
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

  /** A segment of which something is there, if the hashes of all its blocks are known. */
  async segment(id: Uint8Array): Promise<ContentSegment | undefined> {
    return this.#reading(id, async (file) => {
      await file.refresh()
      const { hashOfData, length, scheme, secret } = file.head
      const blockHashes = file.hashes()
      if (blockHashes === undefined || (await file.isGone())) return undefined
      const place = { index: 0, offset: 0, length }
      return new ContentSegment(scheme, place, { hashOfData, secret, blockHashes })
    })
  }

  /** Keeps the hashes of a segment of which a block is there. Not while others are being put. */
  async learn(segment: ContentSegment): Promise<boolean> {
    const isAll = segment.listedBlocks === segment.blockCount
    const done = await this.#reading(segment.id, async (file) => {
      if (!isAll || !equalBytes(file.head.secret, segment.secret)) return false
      if (file.hashes() === undefined) await file.learn(segment.blockHashes)
      return true
    })
    return done ?? false
  }

  async #reading<T>(
    id: Uint8Array,
    read: (file: SegmentFile) => Promise<T>,
  ): Promise<T | undefined> {
    this.#checkOpen()
    try {
      const file = await this.#use(id)
      try {
        return file && (await read(file))
      } finally {
        await file?.release()
      }
    } catch (error) {
      this.#failures.reads += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
      return undefined
    }
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

  #tell(file: SegmentFile): void {
    if (this.#watchers.size === 0) return
    const { id, blockCount, createdAt } = file.head
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
    const wanting = this.#wantRoom
    this.#wantRoom = new Set()
    const isMuch = bytes > maxBytes || wanting.size > 0
    const enough = isMuch ? Math.min(bytes, maxBytes) * 0.9 : maxBytes
    for (const one of found.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= enough && one.usedAt >= oldest) break
      if (wanting.has(toHex(idIn(one.path)))) continue
      await rm(one.path, { force: true })
      // An open file would keep its place on the disk.
      await this.#dropKey(toHex(idIn(one.path)))
      this.#tellGone(one.path)
      this.#counts.evicted += 1
      bytes -= one.bytes
      segments -= 1
    }
    this.#known = { bytes, segments }
  }

  #trimIfFull(): void {
    const { maxBytes } = this.#options
    const isMuch = this.#known === undefined || this.#known.bytes + this.#added > maxBytes
    // Others write too: what they added is seen when a sixteenth of the limit went through here.
    if (isMuch || this.#added > maxBytes / 16) this.#trimSoon()
  }

  #trimSoon(): void {
    if (this.#isClosed) return
    this.trim().catch((error: unknown) => {
      this.#failures.reads += 1
      this.#failures.last = systemCode(error) ?? 'unknown'
    })
  }

  #scan(): Promise<StoredFile[]> {
    return segmentFiles(this.directory, this.#options.now())
  }

  #pathOf(key: string): string {
    return segmentPath(this.directory, key)
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

  async #touch(file: SegmentFile): Promise<void> {
    const { id, createdAt } = file.head
    const key = toHex(id)
    const now = this.#options.now()
    if (now - (this.#touched.get(key) ?? createdAt) < LIMITS.cacheTouchMs) return
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
