/** Entries up to which looking at each costs less than hashing. */
const FEW = 8

/**
 * A map, in order of insertion, for what comes and goes all the time and is mostly a handful:
 * a Map that loses its last entry makes its table anew, which costs more than all else that is done
 * with the entry. With more entries it is a Map, until it is empty again.
 */
export class FewMap<K, V> {
  readonly #keys = new Array<K | undefined>(4)
  readonly #values = new Array<V | undefined>(4)
  #count = 0
  #many: Map<K, V> | undefined

  get size(): number {
    return this.#many?.size ?? this.#count
  }

  has(key: K): boolean {
    return this.#many === undefined ? this.#find(key) >= 0 : this.#many.has(key)
  }

  get(key: K): V | undefined {
    if (this.#many !== undefined) return this.#many.get(key)
    const at = this.#find(key)
    return at < 0 ? undefined : this.#values[at]
  }

  set(key: K, value: V): void {
    const found = this.#many === undefined ? this.#find(key) : -1
    if (found >= 0) {
      this.#values[found] = value
      return
    }
    if (this.#many === undefined && this.#count === FEW) this.#become()
    if (this.#many !== undefined) {
      this.#many.set(key, value)
      return
    }
    this.#keys[this.#count] = key
    this.#values[this.#count++] = value
  }

  delete(key: K): boolean {
    if (this.#many !== undefined) {
      const deleted = this.#many.delete(key)
      if (this.#many.size === 0) this.#many = undefined
      return deleted
    }
    const at = this.#find(key)
    if (at < 0) return false
    this.#count--
    for (let i = at; i < this.#count; i++) {
      this.#keys[i] = this.#keys[i + 1]
      this.#values[i] = this.#values[i + 1]
    }
    this.#keys[this.#count] = undefined
    this.#values[this.#count] = undefined
    return true
  }

  clear(): void {
    this.#many = undefined
    this.#keys.fill(undefined)
    this.#values.fill(undefined)
    this.#count = 0
  }

  /** A copy: the map may change meanwhile. */
  values(): V[] {
    if (this.#many !== undefined) return [...this.#many.values()]
    return this.#values.slice(0, this.#count) as V[]
  }

  #find(key: K): number {
    for (let i = 0; i < this.#count; i++) if (this.#keys[i] === key) return i
    return -1
  }

  #become(): void {
    const many = new Map<K, V>()
    for (let i = 0; i < this.#count; i++) many.set(this.#keys[i] as K, this.#values[i] as V)
    this.clear()
    this.#many = many
  }
}
