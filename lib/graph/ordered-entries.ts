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
  #blocks: Entry[][] = []
  #size = 0
  #fresh: Entry[] = []

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
    this.#fresh = []
    fresh.sort(Entry.compare)
    for (const entry of fresh) this.#place(entry)
  }

  #place(entry: Entry): void {
    const tail = this.#blocks.at(-1)
    if (tail === undefined) {
      this.#blocks.push([entry])
      return
    }
    if (Entry.compare(tail.at(-1) as Entry, entry) < 0) {
      if (tail.length < BLOCK) tail.push(entry)
      else this.#blocks.push([entry])
      return
    }
    const index = this.#blockOf(entry)
    const block = this.#blocks[index] as Entry[]
    block.splice(placeIn(block, entry), 0, entry)
    if (block.length > BLOCK) this.#blocks.splice(index + 1, 0, block.splice(BLOCK / 2))
  }

  /** The entry has the position with which it was inserted. */
  remove(entry: Entry): void {
    this.#settle()
    const index = this.#blockOf(entry)
    const block = this.#blocks[index]
    if (block === undefined) return
    const place = placeIn(block, entry)
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
