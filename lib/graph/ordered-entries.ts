import { emptyList } from '../core/list.js'
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
      const index = this.#blockFor(fresh[from] as Entry)
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
    const place = placeFor(block, fresh[from] as Entry)
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
    const index = this.#blockFor(entry)
    const block = this.#blocks[index]
    if (block === undefined) return
    const place = placeFor(block, entry)
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
    let index = this.#blockOf(position)
    let block = this.#blocks[index]
    if (block === undefined) return out
    let place = placeIn(block, position)
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

  /** As `#blockOf`, for the position of an entry: no bigint is made. */
  #blockFor(entry: Entry): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const last = (this.#blocks[middle] as Entry[]).at(-1) as Entry
      if (Entry.compare(last, entry) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first block that does not end before a position; one past the last if all do. */
  #blockOf(position: Position): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const last = (this.#blocks[middle] as Entry[]).at(-1) as Entry
      if (comparePositions(last, position) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Index of the first entry that is not before a position. */
function placeIn(block: readonly Entry[], position: Position): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comparePositions(block[middle] as Entry, position) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The same for the position of an entry. */
function placeFor(block: readonly Entry[], entry: Entry): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Entry.compare(block[middle] as Entry, entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}
