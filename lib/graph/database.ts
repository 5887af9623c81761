import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { isReservedType } from './constants.js'
import { Queue } from '../core/queue.js'
import { KnownRecords } from '../wire/graph/known-records.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { ABOUT_TICKS, comparePositions, Entry, type Position } from './entry.js'
import { ExpiryHeap } from './expiry-heap.js'
import { HashRanges } from './hash-ranges.js'
import { IdIndex } from './id-index.js'
import type { StoredRecord } from './machine.js'
import { OrderedEntries } from './ordered-entries.js'
import { SearchIndexes } from './search/indexes.js'

export interface DatabaseLimits {
  readonly records: number
  /** Of the records' wire forms. */
  readonly bytes: number
}

export interface DatabaseStatistics {
  /** All that are held. */
  readonly records: number
  readonly bytes: number
  /** Deleted, and kept until they expire. */
  readonly tombstones: number
  /** Expired and not purged. */
  readonly lapsed: number
  /** Records that found no room. */
  readonly refused: number
}

/**
 * All records of a graph that this node holds, tombstones included (MS-PPGRH 3.1.1): by ID, in the
 * order of the hash sync, by expiry, by type; by creator and attribute once somebody searches so.
 *
 * A record that expired has *lapsed* until it is taken out: it can still be read, but takes no part
 * in synchronisation and conflicts (GA-58). The database knows no clock: `lapse` tells it the time.
 */
export class GraphDatabase {
  readonly #byId = new IdIndex()
  readonly #byType = new Map<Guid, Entry[]>()
  readonly #order = new OrderedEntries()
  readonly #expiry = new ExpiryHeap()
  /** Those that left this state stay until their turn comes. */
  readonly #lapsed = new Queue<Entry>()
  readonly #autorefresh = new Set<Entry>()
  readonly #limits: DatabaseLimits
  #lastWanted: Guid | GraphRecord | undefined
  #lastFound: Entry | undefined
  #bytes = 0
  #tombstones = 0
  #refused = 0
  #lapsedCount = 0
  /** Hashes of 3.1.7.31 over the records that have not lapsed. */
  readonly hashes = new HashRanges(this.#order)
  /** Records that came in lately, as far as they are held and have not lapsed. */
  readonly known = new KnownRecords()
  /** Of the search. */
  readonly indexes = new SearchIndexes(() => this.#byId)

  constructor(limits: Partial<DatabaseLimits> = {}) {
    this.#limits = {
      records: limits.records ?? LIMITS.graphRecords,
      bytes: limits.bytes ?? LIMITS.graphDatabaseBytes,
    }
  }

  /** All that are held, tombstones and lapsed ones included. */
  get size(): number {
    return this.#byId.size
  }

  get statistics(): DatabaseStatistics {
    return {
      records: this.#byId.size,
      bytes: this.#bytes,
      tombstones: this.#tombstones,
      lapsed: this.#lapsedCount,
      refused: this.#refused,
    }
  }

  /** By its ID, or by that of another record. */
  get(wanted: Guid | GraphRecord): GraphRecord | undefined {
    return this.#find(wanted)?.record
  }

  /** Unless it has lapsed. */
  current(wanted: Guid | GraphRecord): GraphRecord | undefined {
    const entry = this.#find(wanted)
    return entry === undefined || entry.lapsed ? undefined : entry.record
  }

  /** Neither deleted nor lapsed. */
  live(id: Guid): GraphRecord | undefined {
    const record = this.current(id)
    return record === undefined || record.deleted ? undefined : record
  }

  autorefreshes(wanted: Guid | GraphRecord): boolean {
    return this.#find(wanted)?.autorefresh === true
  }

  /** All that are held, in no order. One that is added while iterating is met, too. */
  *[Symbol.iterator](): Generator<GraphRecord> {
    for (const { record } of this.#byId) yield record
  }

  /** For the search. */
  entries(): Iterable<Entry> {
    return this.#byId
  }

  /** The one with this ID, if it is there. */
  entry(id: Guid): readonly Entry[] {
    const entry = this.#find(id)
    return entry === undefined ? [] : [entry]
  }

  entriesOfType(type: Guid): readonly Entry[] {
    return this.#byType.get(type) ?? []
  }

  /**
   * Of this type, unless they have lapsed, the latest first. What is added while iterating is not
   * met; everything else that stays is.
   */
  *ofType(type: Guid): Generator<GraphRecord> {
    // From the end, since the last one takes the place of one that leaves.
    for (let index = this.entriesOfType(type).length - 1; index >= 0; index--) {
      const entry = this.entriesOfType(type)[index]
      if (entry?.lapsed === false) yield entry.record
    }
  }

  /**
   * The next records in the order of (Last Modification Time, Record ID), at most `limit`, without
   * those that have lapsed. Going on from the last one's position is sound whatever has changed.
   */
  after(position: Position, limit: number): readonly Entry[] {
    return this.#order.after(position, limit)
  }

  /** What has expired at this peer time lapses (GA-12: Expiration <= now). */
  lapse(peerTime: bigint): void {
    for (;;) {
      const entry = this.#expiry.first()
      if (entry === undefined || entry.expires > peerTime) return
      this.#expiry.remove(entry)
      this.#unorder(entry)
      entry.lapsed = true
      this.known.forget(entry.record)
      this.#lapsed.push(entry)
      this.#lapsedCount++
    }
  }

  /** May anything lapse about this peer time? Tells without making a bigint. */
  mayLapse(about: number): boolean {
    const first = this.#expiry.first()
    return first !== undefined && first.expiresAbout <= about + ABOUT_TICKS
  }

  /** Takes out one record that has lapsed. */
  takeLapsed(): GraphRecord | undefined {
    for (;;) {
      const entry = this.#lapsed.shift()
      if (entry === undefined) return undefined
      if (!entry.lapsed || this.#find(entry.record) !== entry) continue
      this.#drop(entry)
      return entry.record
    }
  }

  /** When the next record expires, peer time; 0 when one has lapsed already. */
  get nextExpiry(): bigint | undefined {
    return this.#lapsedCount > 0 ? 0n : this.#expiry.first()?.expires
  }

  /** When the next record to refresh by itself expires. */
  get nextAutorefresh(): bigint | undefined {
    let next: bigint | undefined
    for (const { expires } of this.#autorefresh) {
      if (next === undefined || expires < next) next = expires
    }
    return next
  }

  /** Records to refresh that expire at this peer time or before. */
  autorefreshDue(peerTime: bigint): GraphRecord[] {
    const due: GraphRecord[] = []
    for (const entry of this.#autorefresh) if (entry.expires <= peerTime) due.push(entry.record)
    return due
  }

  setAutorefresh(id: Guid, autorefresh: boolean): void {
    const entry = this.#find(id)
    if (entry === undefined) return
    entry.autorefresh = autorefresh
    if (autorefresh) this.#autorefresh.add(entry)
    else this.#autorefresh.delete(entry)
  }

  /** Room for this record, in place of what has its ID? */
  hasRoom(record: GraphRecord): boolean {
    return this.#roomFor(record, this.#find(record))
  }

  /** Counts a record that found no room. */
  refuse(): void {
    this.#refused++
  }

  /**
   * Inserts a record, or puts it in the place of the one with its ID (GA-13). It has to own its
   * bytes. False: there is no room for it.
   */
  put(record: GraphRecord, autorefresh = false): boolean {
    const held = this.#find(record)
    if (!this.#roomFor(record, held)) {
      this.#refused++
      return false
    }
    if (held === undefined) this.#add(record, autorefresh)
    else this.#replace(held, record, autorefresh)
    return true
  }

  remove(id: Guid): GraphRecord | undefined {
    const entry = this.#find(id)
    if (entry === undefined) return undefined
    this.#drop(entry)
    return entry.record
  }

  /** Inserts many records into an empty database, in whatever order. Returns how many had room. */
  load(stored: Iterable<StoredRecord>): number {
    const keyed = Array.from(stored, ({ record, autorefresh }) => {
      return { time: record.modificationTime, id: record.id, record, autorefresh }
    })
    keyed.sort(comparePositions)
    let loaded = 0
    for (const { record, autorefresh } of keyed) if (this.put(record, autorefresh)) loaded++
    return loaded
  }

  /** A record that comes in is looked up at every step of its way. */
  #find(wanted: Guid | GraphRecord): Entry | undefined {
    if (wanted !== this.#lastWanted) {
      this.#lastFound =
        typeof wanted === 'string' ? this.#byId.get(wanted) : this.#byId.getFor(wanted)
      this.#lastWanted = wanted
    }
    return this.#lastFound
  }

  #roomFor(record: GraphRecord, held: Entry | undefined): boolean {
    const { size } = record
    const before = held === undefined ? 0 : held.record.size
    // A smaller record in place of a larger one is always welcome: so a deletion frees room.
    if (held !== undefined && size <= before) return true
    const records = this.#byId.size + (held === undefined ? 1 : 0)
    const bytes = this.#bytes + size - before
    if (records <= this.#limits.records && bytes <= this.#limits.bytes) return true
    // However full it is with others', the graph goes on by records of its own.
    return (
      isReservedType(record.type) &&
      size <= LIMITS.graphProtectChunkBytes &&
      records <= this.#limits.records + LIMITS.graphSpareRecords &&
      bytes <= this.#limits.bytes + LIMITS.graphSpareBytes
    )
  }

  #add(record: GraphRecord, autorefresh: boolean): void {
    const entry = new Entry(record, autorefresh)
    this.#byId.add(entry)
    this.#lastWanted = record
    this.#lastFound = entry
    this.#enter(entry)
  }

  #replace(entry: Entry, record: GraphRecord, autorefresh: boolean): void {
    this.#leave(entry, record.type)
    const typeStays = entry.record.type === record.type
    entry.record = record
    entry.autorefresh = autorefresh
    this.#enter(entry, typeStays)
  }

  #drop(entry: Entry): void {
    this.#byId.remove(entry)
    this.#lastWanted = undefined
    this.#lastFound = undefined
    this.#leave(entry)
  }

  #enter(entry: Entry, typeStays = false): void {
    const { record } = entry
    this.#bytes += record.size
    if (record.deleted) this.#tombstones++
    if (entry.autorefresh) this.#autorefresh.add(entry)
    if (!typeStays) this.#enterType(entry)
    this.#order.insert(entry)
    this.hashes.changed(entry)
    this.#expiry.add(entry)
    this.indexes.add(entry)
  }

  /** `nextType`: the entry stays, with a record of this type. */
  #leave(entry: Entry, nextType?: Guid): void {
    const { record } = entry
    this.#bytes -= record.size
    if (record.deleted) this.#tombstones--
    this.#autorefresh.delete(entry)
    if (record.type !== nextType) this.#leaveType(entry)
    if (entry.lapsed) {
      this.#lapsedCount--
      entry.lapsed = false
    } else {
      this.known.forget(record)
      this.#unorder(entry)
      this.#expiry.remove(entry)
    }
    this.indexes.remove(entry)
  }

  #enterType(entry: Entry): void {
    const { type } = entry.record
    let ofType = this.#byType.get(type)
    if (ofType === undefined) this.#byType.set(type, (ofType = []))
    entry.typeIndex = ofType.length
    ofType.push(entry)
  }

  #leaveType(entry: Entry): void {
    const { type } = entry.record
    const ofType = this.#byType.get(type)
    const last = ofType?.pop()
    if (ofType === undefined || last === undefined) return
    if (last !== entry) {
      ofType[entry.typeIndex] = last
      last.typeIndex = entry.typeIndex
    }
    if (ofType.length === 0) this.#byType.delete(type)
  }

  #unorder(entry: Entry): void {
    this.#order.remove(entry)
    this.hashes.changed(entry)
  }
}
