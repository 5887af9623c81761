import type { Endpoint } from '../core/endpoint.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { addressAt, pnrpIdAt, sha1At } from '../core/met-bytes.js'
import { addon } from './addon.js'
import * as scratch from './scratch.js'
import { bytes, doubles, ENTRY, ENTRY_BYTES, putId, takeId, words } from './scratch.js'

const { RECORD_AT, RESULTS_AT, ADDRESS_BYTES, KEY_HASH_BYTES, ID_BYTES, PAGE } = scratch

/** PNRP ID (32 bytes), port and addresses (16 bytes each) of a node: a ROUTE_ENTRY. */
interface RouteEntry {
  readonly pnrpId: Uint8Array
  readonly port: number
  readonly addresses: readonly Uint8Array[]
}

/** A cached entry: a copy. Its byte arrays are shared with others: never write into one. */
export interface CachedEntry extends RouteEntry {
  /** When a return-routability check last succeeded. */
  readonly validatedAt: Instant
  /** 20 bytes: SHA-1 of the key seen when validated (N-28). */
  readonly keyHash?: Uint8Array
}

export interface RouteCacheOptions {
  /** Entries for one local ID; each further local ID adds room for its leaf set. */
  readonly capacity: number
  /** Addresses kept of one entry, 1..4. */
  readonly maxAddresses: number
  /** Entries on each level, at least 10; default 20. */
  readonly entriesPerLevel?: number
  /** Leaf set members on each side; default 5. */
  readonly leafSetSide?: number
}

export interface InsertOutcome {
  readonly inserted: boolean
  /** The ID was there already; addresses, time and key are now the new ones. */
  readonly replaced: boolean
  /** PNRP ID that had to go. */
  readonly evicted?: Uint8Array
  /** Local IDs in whose leaf set the entry now is. */
  readonly leafOf: readonly Uint8Array[]
}

/**
 * Route Entry Cache with levels and leaf sets around the local IDs (MS-PNRP 3.2.1.1, Windows notes
 * <5> and <6>). Local IDs are never in it. Bounded by `capacity`; the work is done in C.
 */
export class RouteCache {
  /** Kept here too: every handler asks, and only changes need a call. */
  #size = 0

  constructor(options: RouteCacheOptions) {
    const { capacity, maxAddresses, entriesPerLevel = 20 } = options
    const side = options.leafSetSide ?? LIMITS.leafSetSide
    for (const [name, value, min, max] of [
      ['maxAddresses', maxAddresses, 1, 4],
      ['entriesPerLevel', entriesPerLevel, 10, 1000],
      ['leafSetSide', side, 1, PAGE / 2],
      ['capacity', capacity, 2 * side + 10, 65534],
    ] as const) {
      const good = Number.isInteger(value) && value >= min && value <= max
      checkArgument(good, `${name} must be an integer from ${min} to ${max}`)
    }
    const sideAndAddresses = (side << 8) | maxAddresses
    addon.cacheInit(this, capacity, entriesPerLevel, sideAndAddresses, LIMITS.localRegistrations)
  }

  /** Entries held. */
  get size(): number {
    return this.#size
  }

  /** Bytes of memory held outside the JavaScript heap. */
  get bytes(): number {
    return addon.cacheBytes(this)
  }

  /** Keeps levels and a leaf set around this ID from now on; it leaves the cache if it was in. */
  addLocal(pnrpId: Uint8Array): void {
    putId(0, pnrpId)
    if (addon.cacheAddLocal(this) < 0) {
      throw new PeernetError('ERR_PEERNET_LIMIT', 'no room for another local PNRP ID')
    }
    this.#changed()
  }

  removeLocal(pnrpId: Uint8Array): void {
    putId(0, pnrpId)
    addon.cacheRemoveLocal(this)
    this.#changed()
  }

  /** Would `insert` keep this ID, and in a leaf set of a local ID? True for IDs already cached. */
  wouldKeep(pnrpId: Uint8Array): { keep: boolean; leaf: boolean } {
    putId(0, pnrpId)
    const flags = addon.cacheWouldKeep(this)
    return { keep: (flags & 1) !== 0, leaf: (flags & 2) !== 0 }
  }

  /** Takes a validated entry in if it is worth its place. Addresses beyond maxAddresses are cut. */
  insert(entry: RouteEntry, validatedAt: Instant, keyHash?: Uint8Array): InsertOutcome {
    const { pnrpId, port, addresses } = entry
    checkArgument(addresses.length > 0, 'a route entry has at least one address')
    putRecord(pnrpId, validatedAt, keyHash)
    words[(RECORD_AT + ENTRY.port) / 2] = port
    const count = Math.min(addresses.length, 4)
    bytes[RECORD_AT + ENTRY.addressCount] = count
    for (let i = 0; i < count; i++) {
      putAddress(addresses[i] as Uint8Array, RECORD_AT + ENTRY.addresses + i * ADDRESS_BYTES)
    }
    const flags = addon.cacheInsert(this)
    this.#changed()
    return {
      inserted: (flags & 1) !== 0,
      replaced: (flags & 2) !== 0,
      ...((flags & 4) !== 0 ? { evicted: takeId(1) } : {}),
      leafOf: (flags & 8) !== 0 ? this.leafOf(pnrpId) : [],
    }
  }

  /** Notes a fresh validation; false when the ID is not cached. */
  touch(pnrpId: Uint8Array, validatedAt: Instant, keyHash?: Uint8Array): boolean {
    putRecord(pnrpId, validatedAt, keyHash)
    return addon.cacheTouch(this) !== 0
  }

  get(pnrpId: Uint8Array): CachedEntry | undefined {
    putId(0, pnrpId)
    return addon.cacheGet(this) !== 0 ? takeEntry(0) : undefined
  }

  has(pnrpId: Uint8Array): boolean {
    putId(0, pnrpId)
    return addon.cacheGet(this) !== 0
  }

  remove(pnrpId: Uint8Array): boolean {
    putId(0, pnrpId)
    const removed = addon.cacheRemove(this) !== 0
    this.#changed()
    return removed
  }

  /** Removes all entries reachable at that address and port; returns how many (N-65). */
  removeEndpoint(endpoint: Endpoint): number {
    putExcluded([endpoint])
    const removed = addon.cacheRemoveEndpoint(this)
    this.#changed()
    return removed
  }

  /**
   * Entries nearest to the target, nearest first; at most 64. Those with an excluded endpoint
   * (address and port, N-65) are skipped; with `closerThan` only IDs nearer than that count.
   */
  closest(
    target: Uint8Array,
    count: number,
    exclude?: readonly Endpoint[],
    closerThan?: Uint8Array,
  ): CachedEntry[] {
    return takeEntries(0, this.#findClosest(target, count, exclude, closerThan))
  }

  /**
   * One of the `count` entries that `closest` gives: `choose` hears how many there are, and the ID
   * of the nearest (a view that dies with the call), and says which.
   */
  oneOfClosest(
    target: Uint8Array,
    count: number,
    exclude: readonly Endpoint[],
    closerThan: Uint8Array | undefined,
    choose: (found: number, nearestId: Uint8Array) => number,
  ): CachedEntry | undefined {
    const found = this.#findClosest(target, count, exclude, closerThan)
    return found === 0 ? undefined : takeEntry(choose(found, nearestId))
  }

  #findClosest(
    target: Uint8Array,
    count: number,
    exclude: readonly Endpoint[] | undefined,
    closerThan: Uint8Array | undefined,
  ): number {
    putId(0, target)
    if (closerThan !== undefined) putId(1, closerThan)
    const excluded = putExcluded(exclude)
    const bounded = closerThan === undefined ? 0 : 1
    return addon.cacheClosest(this, Math.min(count, PAGE), excluded, bounded)
  }

  /** Next cached ID clockwise, never pnrpId itself. */
  above(pnrpId: Uint8Array, exclude?: readonly Endpoint[]): CachedEntry | undefined {
    putId(0, pnrpId)
    return addon.cacheNeighbour(this, 1, putExcluded(exclude)) !== 0 ? takeEntry(0) : undefined
  }

  /** Next cached ID counter-clockwise, never pnrpId itself. */
  below(pnrpId: Uint8Array, exclude?: readonly Endpoint[]): CachedEntry | undefined {
    putId(0, pnrpId)
    return addon.cacheNeighbour(this, 0, putExcluded(exclude)) !== 0 ? takeEntry(0) : undefined
  }

  /**
   * The 5 nearest cached IDs on each side, nearest first. In a small cloud both sides reach around
   * the ring and may name the same nodes.
   */
  leafSet(localId: Uint8Array): { smaller: CachedEntry[]; greater: CachedEntry[] } {
    putId(0, localId)
    const count = addon.cacheLeafSet(this)
    return { smaller: takeEntries(0, count), greater: takeEntries(count, count) }
  }

  /** Local IDs in whose leaf set this cached ID is. */
  leafOf(pnrpId: Uint8Array): Uint8Array[] {
    const ids: Uint8Array[] = []
    for (;;) {
      putId(0, pnrpId)
      const left = addon.cacheLeafOf(this, ids.length)
      for (let i = 0; i < left && i < PAGE; i++) ids.push(takeResultId(i))
      if (left <= PAGE) return ids
    }
  }

  /** Would the target fall in the leaf set of a local ID (3.2.5.2, TargetSuspicious)? */
  inLeafRange(target: Uint8Array): boolean {
    putId(0, target)
    return addon.cacheInLeafRange(this) !== 0
  }

  /** Cached IDs strictly inside the clockwise arc a -> b. */
  countBetween(a: Uint8Array, b: Uint8Array): number {
    putId(0, a)
    putId(1, b)
    return addon.cacheCountBetween(this)
  }

  /** PNRP IDs spread evenly over the ring, at most 64; another choice at each call (3.2.5.3). */
  spread(count: number): Uint8Array[] {
    const found = addon.cacheSpread(this, Math.min(count, PAGE))
    return Array.from({ length: found }, (_, i) => takeResultId(i))
  }

  /**
   * Middle of the gap that most exceeds what its level allows around this local ID, and the prefix
   * length that keeps a LOOKUP inside the gap (3.2.6.2 <6>). A gap is offered three times, then not
   * until it changes: there may be no node in it.
   */
  largestGap(localId: Uint8Array): { target: Uint8Array; precision: number } | undefined {
    putId(0, localId)
    const precision = addon.cacheLargestGap(this)
    return precision === 0 ? undefined : { target: takeId(1), precision }
  }

  /** The entry at a random place; `uint32` is the random number. */
  random(uint32: number): CachedEntry | undefined {
    return this.#size === 0 ? undefined : this.entryAt(uint32 % this.#size)
  }

  /** The entry at a place in the order of IDs; each change may move all of them. */
  entryAt(place: number): CachedEntry | undefined {
    return addon.cacheAt(this, place, 1) === 0 ? undefined : takeEntry(0)
  }

  /** Is the entry at that place in the leaf set of a local ID? */
  isLeafAt(place: number): boolean {
    return addon.cacheIsLeafAt(this, place) !== 0
  }

  /**
   * Tells of every entry, by ascending ID, where it is and when it was validated. Makes nothing:
   * the ID is a view that dies with the call, and `visit` must not use a cache.
   */
  scan(visit: (place: number, pnrpId: Uint8Array, validatedAt: Instant) => void): void {
    for (let from = 0; from < this.#size; from += PAGE) {
      const count = addon.cacheAt(this, from, PAGE)
      for (let i = 0; i < count; i++) {
        const at = RESULTS_AT + i * ENTRY_BYTES + ENTRY.validatedAt
        visit(from + i, resultIds[i] as Uint8Array, doubles[at / 8] as number)
      }
    }
  }

  /** Everything, by ascending ID. */
  entries(): CachedEntry[] {
    const all: CachedEntry[] = []
    for (;;) {
      const count = addon.cacheAt(this, all.length, PAGE)
      if (count === 0) return all
      for (let i = 0; i < count; i++) all.push(takeEntry(i))
    }
  }

  clear(): void {
    addon.cacheClear(this)
    this.#changed()
  }

  #changed(): void {
    this.#size = addon.cacheSize(this)
  }
}

/** The IDs of the results: views. */
const resultIds = Array.from({ length: PAGE }, (_, i) => {
  const at = RESULTS_AT + i * ENTRY_BYTES
  return bytes.subarray(at, at + ID_BYTES)
})
const nearestId = resultIds[0] as Uint8Array

function putRecord(pnrpId: Uint8Array, validatedAt: Instant, keyHash?: Uint8Array): void {
  checkArgument(pnrpId.length === ID_BYTES, 'a PNRP ID has 32 bytes')
  bytes.set(pnrpId, RECORD_AT)
  doubles[(RECORD_AT + ENTRY.validatedAt) / 8] = validatedAt
  bytes[RECORD_AT + ENTRY.hasKey] = keyHash === undefined ? 0 : 1
  if (keyHash === undefined) return
  checkArgument(keyHash.length === KEY_HASH_BYTES, 'a key hash has 20 bytes')
  bytes.set(keyHash, RECORD_AT + ENTRY.keyHash)
}

function putAddress(address: Uint8Array, at: number): void {
  checkArgument(address.length === ADDRESS_BYTES, 'an address has 16 bytes')
  bytes.set(address, at)
}

/** Returns how many there are, for the call that uses them. */
function putExcluded(endpoints: readonly Endpoint[] | undefined): number {
  if (endpoints === undefined) return 0
  checkArgument(endpoints.length <= scratch.EXCLUDED_MAX, 'more than 128 excluded endpoints')
  let at = scratch.EXCLUDED_AT
  for (const { address, port } of endpoints) {
    putAddress(address, at)
    words[(at + ADDRESS_BYTES) / 2] = port
    at += scratch.ENDPOINT_BYTES
  }
  return endpoints.length
}

function takeResultId(index: number): Uint8Array {
  const at = RESULTS_AT + index * ENTRY_BYTES
  return pnrpIdAt(bytes, at)
}

function takeEntries(from: number, count: number): CachedEntry[] {
  const entries: CachedEntry[] = []
  for (let i = 0; i < count; i++) entries.push(takeEntry(from + i))
  return entries
}

function takeEntry(index: number): CachedEntry {
  const at = RESULTS_AT + index * ENTRY_BYTES
  // Nearly all have one, and an array that grows has room for many.
  const addresses = [addressAt(bytes, at + ENTRY.addresses)]
  const count = bytes[at + ENTRY.addressCount] as number
  for (let i = 1; i < count; i++) {
    addresses.push(addressAt(bytes, at + ENTRY.addresses + i * ADDRESS_BYTES))
  }
  const entry: CachedEntry & { keyHash?: Uint8Array } = {
    pnrpId: pnrpIdAt(bytes, at),
    port: words[(at + ENTRY.port) / 2] as number,
    addresses,
    validatedAt: doubles[(at + ENTRY.validatedAt) / 8] as number,
  }
  if (bytes[at + ENTRY.hasKey] !== 0) {
    entry.keyHash = sha1At(bytes, at + ENTRY.keyHash)
  }
  return entry
}
