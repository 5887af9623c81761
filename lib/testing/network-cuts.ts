/** Which way a cut stops packets; 'both' is a symmetric partition. */
export type CutDirection = 'both' | 'a-to-b' | 'b-to-a'

const IN_A = 1
const IN_B = 2

interface Cut {
  /** For each host: IN_A, IN_B, both or neither. */
  readonly membership: Uint8Array
  readonly direction: CutDirection
}

/** The cuts that are in force. Each costs one byte a host, however many pairs it separates. */
export class Cuts {
  readonly #cuts: Cut[] = []

  get count(): number {
    return this.#cuts.length
  }

  /** Stops packets between the hosts of `a` and those of `b`. Hosts added later are in neither. */
  add(a: Iterable<number>, b: Iterable<number>, direction: CutDirection, hosts: number): void {
    const membership = new Uint8Array(hosts)
    for (const host of a) membership[host] = (membership[host] ?? 0) | IN_A
    for (const host of b) membership[host] = (membership[host] ?? 0) | IN_B
    this.#cuts.push({ membership, direction })
  }

  clear(): void {
    this.#cuts.length = 0
  }

  separates(from: number, to: number): boolean {
    for (const { membership, direction } of this.#cuts) {
      const source = membership[from] ?? 0
      const target = membership[to] ?? 0
      if (direction !== 'b-to-a' && (source & IN_A) !== 0 && (target & IN_B) !== 0) return true
      if (direction !== 'a-to-b' && (source & IN_B) !== 0 && (target & IN_A) !== 0) return true
    }
    return false
  }
}
