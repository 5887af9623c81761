import { guidWord, type Guid } from '../core/guid.js'
import { emptyList } from '../core/list.js'
import { graphPrint, rows } from '../native/graph.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { MessageRow } from '../wire/graph/rows.js'
import type { Entry } from './entry.js'

/** Slots to begin with, and entries that have left before the rest moves up. */
const LEAST = 64
const HOLES = 1024

/** The last block of a message of 16 bytes; three more rounds follow it. */
const LENGTH = 16 << 24

/** A secret of this process, from that of the records' prints. */
const [KEY_LOW, KEY_HIGH] = ((): [number, number] => {
  graphPrint(new TextEncoder().encode('record IDs'))
  return [rows[MessageRow.PRINT] as number, rows[MessageRow.PRINT + 1] as number]
})()

/**
 * HalfSipHash-1-3 (Aumasson and Bernstein) of the four words of an ID. Strangers choose IDs: who
 * does not know the secret cannot choose them so that their hashes are alike.
 */
function idHash(id0: number, id1: number, id2: number, id3: number): number {
  let a = KEY_LOW
  let b = KEY_HIGH
  let c = 0x6c796765 ^ KEY_LOW
  let d = 0x74656462 ^ KEY_HIGH
  for (let i = 0; i < 8; i++) {
    const word =
      i === 0 ? id0 : i === 1 ? id1 : i === 2 ? id2 : i === 3 ? id3 : i === 4 ? LENGTH : 0
    d ^= word
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 7) | (d >>> 25)) ^ a
    c = (c + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ c
    c = (c << 16) | (c >>> 16)
    a ^= word
    if (i === 4) c ^= 0xff
  }
  return b ^ d
}

/**
 * Entries by Record ID. A map with strings as keys would need a string for each record that is
 * flooded, and three times the memory to look through.
 */
export class IdIndex {
  /** Pairs of a hash and a place among the entries, counted from 1; 0: free. Half are free. */
  #slots = new Int32Array(2 * LEAST)
  /** In the order in which they came; undefined: has left. */
  #entries: (Entry | undefined)[] = emptyList<Entry>()
  #size = 0
  /** Of iterations under way: where they go on. */
  readonly #cursors = new Set<{ at: number }>()

  get size(): number {
    return this.#size
  }

  get(id: Guid): Entry | undefined {
    const slot = this.#find(guidWord(id, 0), guidWord(id, 1), guidWord(id, 2), guidWord(id, 3))
    return this.#at(slot)
  }

  /** The entry with the ID of this record. */
  getFor(record: GraphRecord): Entry | undefined {
    return this.#at(this.#findFor(record))
  }

  /** Its ID is not there yet. */
  add(entry: Entry): void {
    if (this.#entries.length - this.#size > Math.max(HOLES, this.#size)) this.#moveUp()
    this.#size++
    if (4 * this.#size > this.#slots.length) this.#grow()
    const { record } = entry
    const hash = idHash(record.idWord(0), record.idWord(1), record.idWord(2), record.idWord(3))
    this.#put(hash, this.#entries.push(entry))
  }

  remove(entry: Entry): void {
    const slot = this.#findFor(entry.record)
    if (slot < 0) return
    this.#entries[(this.#slots[slot + 1] as number) - 1] = undefined
    this.#size--
    this.#free(slot)
  }

  /** All, in the order in which they came. One that is added meanwhile is met, too. */
  *[Symbol.iterator](): Generator<Entry> {
    const cursor = { at: 0 }
    this.#cursors.add(cursor)
    try {
      while (cursor.at < this.#entries.length) {
        const entry = this.#entries[cursor.at++]
        if (entry !== undefined) yield entry
      }
    } finally {
      this.#cursors.delete(cursor)
    }
  }

  #at(slot: number): Entry | undefined {
    return slot < 0 ? undefined : this.#entries[(this.#slots[slot + 1] as number) - 1]
  }

  #findFor(record: GraphRecord): number {
    return this.#find(record.idWord(0), record.idWord(1), record.idWord(2), record.idWord(3))
  }

  /** Its slot; -1: it is not there. */
  #find(id0: number, id1: number, id2: number, id3: number): number {
    const slots = this.#slots
    const mask = slots.length - 2
    const hash = idHash(id0, id1, id2, id3)
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const place = slots[slot + 1] as number
      if (place === 0) return -1
      if (slots[slot] !== hash) continue
      const { record } = this.#entries[place - 1] as Entry
      if (
        record.idWord(3) === id3 &&
        record.idWord(2) === id2 &&
        record.idWord(1) === id1 &&
        record.idWord(0) === id0
      ) {
        return slot
      }
    }
  }

  #put(hash: number, place: number): void {
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (hash << 1) & mask
    while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
    slots[slot] = hash
    slots[slot + 1] = place
  }

  /** Frees a slot, and moves those behind it that would not be found across the gap. */
  #free(slot: number): void {
    const slots = this.#slots
    const mask = slots.length - 2
    let gap = slot
    for (let next = (gap + 2) & mask; slots[next + 1] !== 0; next = (next + 2) & mask) {
      const home = ((slots[next] as number) << 1) & mask
      if (((next - home) & mask) < ((next - gap) & mask)) continue
      slots[gap] = slots[next] as number
      slots[gap + 1] = slots[next + 1] as number
      gap = next
    }
    slots[gap] = slots[gap + 1] = 0
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    for (let slot = 0; slot < old.length; slot += 2) {
      const place = old[slot + 1] as number
      if (place !== 0) this.#put(old[slot] as number, place)
    }
  }

  /** Closes the holes that those who left have left. */
  #moveUp(): void {
    const places = new Int32Array(this.#entries.length + 1)
    const entries = emptyList<Entry>()
    this.#entries.forEach((entry, i) => {
      places[i] = entries.length
      if (entry !== undefined) entries.push(entry)
    })
    places[this.#entries.length] = entries.length
    for (const cursor of this.#cursors) cursor.at = places[cursor.at] as number
    const slots = this.#slots
    for (let at = 1; at < slots.length; at += 2) {
      const place = slots[at] as number
      if (place !== 0) slots[at] = (places[place - 1] as number) + 1
    }
    this.#entries = entries
  }
}
