import { toHex } from '../../core/bytes.js'
import { LIMITS } from '../../core/limits.js'
import type { AvailableSegment, AvailableSegments } from '../../discovery/wsd/responder.js'
import type { BlockStore } from '../../storage/block-store.js'
import type { SegmentChange } from '../../storage/stored-blocks.js'

interface Entry {
  readonly blocks: number
  readonly blockCount: number
  readonly createdAt: number
  /** When it was last compared with the disk. */
  checkedAt: number
}

/**
 * The list of available segments (D 3.2.1) of a cache in memory. What this process stores and
 * evicts is in it at once. Other processes write to the same directory: a segment that is asked
 * for is looked up on the disk when that was not done lately, so that the next question, at the
 * latest the probe's repetition, gets the right answer.
 */
export class SegmentIndex implements AvailableSegments {
  readonly #store: BlockStore
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #checking = new Map<string, Promise<void>>()
  /** Segments that were not there, and when that was seen. */
  readonly #absent = new Map<string, number>()
  readonly #unwatch: () => void
  #isClosed = false

  /** Resolves when everything that was there at the start is known; until then it is looked up. */
  readonly loaded: Promise<void>

  constructor(store: BlockStore, now: () => number = Date.now) {
    this.#store = store
    this.#now = now
    this.#unwatch = store.watch((change) => {
      this.#changed(change)
    })
    this.loaded = this.#load().catch(() => undefined)
  }

  get size(): number {
    return this.#entries.size
  }

  get(segmentId: Uint8Array): AvailableSegment | undefined {
    const key = toHex(segmentId)
    const entry = this.#entries.get(key)
    const checkedAt = entry?.checkedAt ?? this.#absent.get(key) ?? -Infinity
    if (this.#now() - checkedAt > LIMITS.cacheIndexMs) this.#checkSoon(key, segmentId)
    if (entry === undefined) return undefined
    const { blocks, blockCount, createdAt } = entry
    const ageMs = Math.max(0, this.#now() - createdAt)
    return { blocks, isComplete: blocks === blockCount, ageMs }
  }

  /** Until everything that is being looked up is known. */
  async settled(): Promise<void> {
    await Promise.all(this.#checking.values())
  }

  close(): void {
    this.#isClosed = true
    this.#unwatch()
  }

  async #load(): Promise<void> {
    for (const id of await this.#store.ids()) {
      const key = toHex(id)
      if (this.#isClosed) return
      if (!this.#entries.has(key)) await this.#check(key, id)
    }
  }

  #changed({ id, blocks, blockCount, createdAt }: SegmentChange): void {
    const key = toHex(id)
    this.#absent.delete(key)
    if (blocks === 0) this.#entries.delete(key)
    else this.#entries.set(key, { blocks, blockCount, createdAt, checkedAt: this.#now() })
  }

  /** Only so many at a time: who asks for nonsense keeps no disk busy. */
  #checkSoon(key: string, id: Uint8Array): void {
    const isFull = this.#checking.size >= LIMITS.cacheIndexLookups
    if (this.#isClosed || isFull || this.#checking.has(key)) return
    const work = this.#check(key, Uint8Array.from(id)).finally(() => {
      this.#checking.delete(key)
    })
    this.#checking.set(key, work)
  }

  async #check(key: string, id: Uint8Array): Promise<void> {
    const held = await this.#store.held(id).catch(() => undefined)
    const now = this.#now()
    if (held === undefined) {
      this.#entries.delete(key)
      this.#absent.delete(key)
      this.#absent.set(key, now)
      if (this.#absent.size <= LIMITS.cacheIndexAbsent) return
      const [oldest] = this.#absent.keys()
      if (oldest !== undefined) this.#absent.delete(oldest)
      return
    }
    this.#absent.delete(key)
    const blocks = held.blocks.reduce((sum, { count }) => sum + count, 0)
    const { blockCount, ageMs } = held
    this.#entries.set(key, { blocks, blockCount, createdAt: now - ageMs, checkedAt: now })
  }
}
