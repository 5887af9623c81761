interface Count {
  n: number
}

/** Named event counts, for what is dropped, refused, sent and received. */
export class Counters {
  readonly #counts = new Map<string, Count>()

  add(name: string, n = 1): void {
    const count = this.#counts.get(name)
    if (count === undefined) this.#counts.set(name, { n })
    else count.n += n
  }

  get(name: string): number {
    return this.#counts.get(name)?.n ?? 0
  }

  /** A copy, sorted by name. */
  snapshot(): Record<string, number> {
    const sorted = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted.map(([name, { n }]) => [name, n]))
  }
}
