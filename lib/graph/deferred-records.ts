import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { ConnectionId } from './interface.js'
import type { Link } from './parts.js'

interface Deferred {
  readonly link: Link
  readonly record: GraphRecord
}

interface Source {
  readonly records: Map<Guid, Deferred>
  bytes: number
}

/**
 * The Deferred Record List of MS-PPGRH 3.1.1: records that the security provider cannot judge yet.
 * What one connection brings is bounded, and so is all of it: when it is full, room for those that
 * brought little is made by those that brought most.
 */
export class DeferredRecords {
  readonly #sources = new Map<ConnectionId, Source>()
  #count = 0
  #bytes = 0

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the record, in place of one with its ID from the same link. False: no room. */
  add(link: Link, record: GraphRecord): boolean {
    const size = record.size
    const source = this.#sources.get(link.connection) ?? {
      records: new Map<Guid, Deferred>(),
      bytes: 0,
    }
    const held = source.records.get(record.id)
    const before = held?.record.size ?? 0
    const count = source.records.size + (held === undefined ? 1 : 0)
    if (count > LIMITS.graphDeferredPerLink) return false
    if (source.bytes - before + size > LIMITS.graphDeferredBytesPerLink) return false
    if (!this.#makeRoom(source, size - before, held === undefined ? 1 : 0)) return false
    if (held !== undefined) this.#drop(source, held)
    record.retain()
    this.#sources.set(link.connection, source)
    source.records.set(record.id, { link, record })
    source.bytes += size
    this.#bytes += size
    this.#count++
    return true
  }

  /** Empties the list. */
  takeAll(): readonly Deferred[] {
    const all = [...this.#sources.values()].flatMap(({ records }) => [...records.values()])
    this.#sources.clear()
    this.#count = 0
    this.#bytes = 0
    return all
  }

  #makeRoom(source: Source, bytes: number, count: number): boolean {
    while (
      this.#count + count > LIMITS.graphDeferred ||
      this.#bytes + bytes > LIMITS.graphDeferredBytes
    ) {
      const largest = this.#largest()
      if (largest === undefined || largest === source) return false
      const [oldest] = largest.records.values()
      if (oldest === undefined || largest.records.size <= source.records.size + count) return false
      this.#drop(largest, oldest)
    }
    return true
  }

  #largest(): Source | undefined {
    let largest: Source | undefined
    for (const source of this.#sources.values()) {
      if (largest === undefined || source.records.size > largest.records.size) largest = source
    }
    return largest
  }

  #drop(source: Source, { link, record }: Deferred): void {
    source.records.delete(record.id)
    source.bytes -= record.size
    this.#bytes -= record.size
    this.#count--
    if (source.records.size === 0) this.#sources.delete(link.connection)
  }
}
