import { emptyList } from '../core/list.js'
import { lowerBound } from '../core/sorted.js'
import { comparePositions, Entry, type Position } from './entry.js'

/** Entries a block holds before it is cut in two. */
const BLOCK = 256
/** Fresh entries that are put in order together. */
const FRESH = 1024

/**
 * Entries in the order of (Last Modification Time, Record ID), in blocks that are moved within:
 * O(log n) and the copying of half a block for an insert, O(1) for one at the end.
 *
 * While records flood, nobody asks for their order, and they come nearly in it: they are gathered
 * first, and sorted when somebody asks or there are many.
 */
export class OrderedEntries {
  #blocks = emptyList<Entry[]>()
  #size = 0
  #fresh = emptyList<Entry>()

  get size(): number {
    return this.#size
  }

  insert(entry: Entry): void {
    this.#size++
    this.#fresh.push(entry)
    if (this.#fresh.length >= FRESH) this.#settle()
  }

  #settle(): void {
    if (this.#fresh.length === 0) return
    const fresh = this.#fresh
    this.#fresh = emptyList()
    fresh.sort(Entry.compare)
    // Runs that belong between the same two: a sync brings what is older than the newest records,
    // which were there first.
    let from = 0
    while (from < fresh.length) {
      const index = lowerBound(this.#blocks, fresh[from] as Entry, compareLast)
      const block = this.#blocks[index]
      if (block === undefined) {
        this.#append(fresh, from)
        return
      }
      from = this.#insertRun(index, block, fresh, from)
    }
  }

  /** All from there on are behind all that are there. */
  #append(fresh: readonly Entry[], from: number): void {
    let at = from
    const tail = this.#blocks.at(-1)
    if (tail !== undefined) {
      while (at < fresh.length && tail.length < BLOCK) tail.push(fresh[at++] as Entry)
    }
    for (; at < fresh.length; at += BLOCK) this.#blocks.push(fresh.slice(at, at + BLOCK))
  }

  /** Returns where the next run begins. */
  #insertRun(index: number, block: Entry[], fresh: readonly Entry[], from: number): number {
    const place = lowerBound(block, fresh[from] as Entry, Entry.compare)
    const next = block[place] as Entry
    let to = from + 1
    while (to < fresh.length && Entry.compare(fresh[to] as Entry, next) < 0) to++
    block.splice(place, 0, ...fresh.slice(from, to))
    if (block.length > BLOCK) {
      const size = block.length < 2 * BLOCK ? Math.ceil(block.length / 2) : BLOCK
      const parts: Entry[][] = []
      for (let at = 0; at < block.length; at += size) parts.push(block.slice(at, at + size))
      this.#blocks.splice(index, 1, ...parts)
    }
    return to
  }

  /** The entry has the position with which it was inserted. */
  remove(entry: Entry): void {
    this.#settle()
    const index = lowerBound(this.#blocks, entry, compareLast)
    const block = this.#blocks[index]
    if (block === undefined) return
    const place = lowerBound(block, entry, Entry.compare)
    if (block[place] !== entry) return
    this.#size--
    block.splice(place, 1)
    const next = this.#blocks[index + 1]
    if (block.length === 0) {
      this.#blocks.splice(index, 1)
    } else if (next !== undefined && block.length + next.length <= BLOCK / 2) {
      block.push(...next)
      this.#blocks.splice(index + 1, 1)
    }
  }

  /** At most `limit` entries after a position, in order. */
  after(position: Position, limit: number): Entry[] {
    this.#settle()
    const out: Entry[] = []
    let index = lowerBound(this.#blocks, position, compareLastPosition)
    let block = this.#blocks[index]
    if (block === undefined) return out
    let place = lowerBound(block, position, comparePositions)
    const found = block[place]
    if (found !== undefined && comparePositions(found, position) === 0) place++
    while (block !== undefined && out.length < limit) {
      const end = Math.min(block.length, place + limit - out.length)
      for (; place < end; place++) out.push(block[place] as Entry)
      block = this.#blocks[++index]
      place = 0
    }
    return out
  }

  /** All, in order. Do not change the order while iterating. */
  *[Symbol.iterator](): Generator<Entry> {
    this.#settle()
    for (const block of this.#blocks) yield* block
  }
}

// For the position of an entry, no bigint is made.

const compareLast = (block: readonly Entry[], entry: Entry): number =>
  Entry.compare(block.at(-1) as Entry, entry)

const compareLastPosition = (block: readonly Entry[], position: Position): number =>
  comparePositions(block.at(-1) as Entry, position)
