import { LIMITS } from '../../core/limits.js'
import { parseAttributes, type RecordAttribute } from '../../wire/graph/attributes.js'
import type { Entry } from '../entry.js'
import type { Condition } from './predicate.js'

const NONE: readonly RecordAttribute[] = []

/** Attributes of a record; what cannot be read has none. */
function readAttributes({ record }: Entry): readonly RecordAttribute[] {
  if (record.deleted || record.attributes === '') return NONE
  const parsed = parseAttributes(record.attributes)
  return parsed.ok ? parsed.attributes : NONE
}

/**
 * Indexes that only searches need: by creator, and by attribute. Each is made when it is first
 * asked for, and kept up from then on.
 */
export class SearchIndexes {
  readonly #all: () => Iterable<Entry>
  readonly #mostAttributes: number
  #creators: Map<string, Set<Entry>> | undefined
  #attributes: AttributeIndex | undefined
  /** There were too many attributes for an index: searches look at each record instead. */
  #tooMany = false

  constructor(all: () => Iterable<Entry>, mostAttributes: number = LIMITS.graphIndexedAttributes) {
    this.#all = all
    this.#mostAttributes = mostAttributes
  }

  add(entry: Entry): void {
    if (this.#creators !== undefined) addTo(this.#creators, entry.record.creatorId, entry)
    if (this.#attributes !== undefined) this.#addAttributes(this.#attributes, entry)
  }

  /** Before the entry's record changes. */
  remove(entry: Entry): void {
    if (this.#creators !== undefined) removeFrom(this.#creators, entry.record.creatorId, entry)
    this.#attributes?.remove(entry)
  }

  byCreator(creatorId: string): ReadonlySet<Entry> | undefined {
    if (this.#creators === undefined) {
      this.#creators = new Map()
      for (const entry of this.#all()) addTo(this.#creators, entry.record.creatorId, entry)
    }
    return this.#creators.get(creatorId)
  }

  /** Entries that fulfil a condition on an attribute; undefined: there is no index. */
  byAttribute(condition: Condition): Iterable<Entry> | undefined {
    if (this.#attributes === undefined && !this.#tooMany) {
      this.#attributes = new AttributeIndex()
      for (const entry of this.#all()) {
        if (!this.#addAttributes(this.#attributes, entry)) break
      }
    }
    return this.#attributes?.matching(condition)
  }

  /** Of this entry, without reading them again if they are indexed. */
  attributesOf(entry: Entry): readonly RecordAttribute[] {
    return this.#attributes === undefined ? readAttributes(entry) : this.#attributes.of(entry)
  }

  #addAttributes(index: AttributeIndex, entry: Entry): boolean {
    index.add(entry)
    if (index.size <= this.#mostAttributes) return true
    this.#attributes = undefined
    this.#tooMany = true
    return false
  }
}

/** Entries by the type, name and value of their attributes. */
class AttributeIndex {
  readonly #values = new Map<string, Map<string, Set<Entry>>>()
  readonly #entries = new Map<Entry, readonly RecordAttribute[]>()
  size = 0

  of(entry: Entry): readonly RecordAttribute[] {
    return this.#entries.get(entry) ?? NONE
  }

  add(entry: Entry): void {
    const attributes = readAttributes(entry)
    if (attributes.length === 0) return
    this.#entries.set(entry, attributes)
    this.size += attributes.length
    for (const { type, name, value } of attributes) {
      const key = keyOf(type, name)
      const values = this.#values.get(key)
      if (values === undefined) this.#values.set(key, new Map([[value, new Set([entry])]]))
      else addTo(values, value, entry)
    }
  }

  remove(entry: Entry): void {
    const attributes = this.of(entry)
    this.#entries.delete(entry)
    this.size -= attributes.length
    for (const { type, name, value } of attributes) {
      const key = keyOf(type, name)
      const values = this.#values.get(key)
      if (values === undefined) continue
      removeFrom(values, value, entry)
      if (values.size === 0) this.#values.delete(key)
    }
  }

  *matching({ type, attribute, only, test }: Condition): Generator<Entry> {
    const values = this.#values.get(keyOf(type, attribute))
    if (values === undefined) return
    if (only === undefined) {
      for (const [value, entries] of values) if (test(value)) yield* entries
    } else {
      yield* values.get(only) ?? []
    }
  }
}

function keyOf(type: string, name: string): string {
  return `${type} ${name}`
}

function addTo(map: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const entries = map.get(key)
  if (entries === undefined) map.set(key, new Set([entry]))
  else entries.add(entry)
}

function removeFrom(map: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const entries = map.get(key)
  entries?.delete(entry)
  if (entries?.size === 0) map.delete(key)
}
