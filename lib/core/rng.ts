/**
 * Randomness as protocol machines see it. Production passes a CSPRNG (N-35: Message IDs, nonces and
 * service location suffixes must be unpredictable), simulations a seeded generator.
 */
export interface Rng {
  /** A fresh array of n random bytes that the caller owns. */
  bytes(n: number): Uint8Array
  /** Uniform in 0 .. 2^32 - 1. */
  uint32(): number
}

/** Uniform integer in 0 .. bound - 1 (bound 1 .. 2^32), without modulo bias. */
export function below(rng: Rng, bound: number): number {
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound)
  for (;;) {
    const value = rng.uint32()
    if (value < limit) return value % bound
  }
}

/** Uniform in [0, 1). */
export function unit(rng: Rng): number {
  return rng.uint32() / 0x1_0000_0000
}

/** Deterministic generator for simulations and tests (sfc32). Not for production secrets. */
export class SeededRng implements Rng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = 0x9e3779b9
    this.#b = seed >>> 0
    this.#c = Math.floor(seed / 0x1_0000_0000) >>> 0
    for (let i = 0; i < 12; i++) this.uint32()
  }

  uint32(): number {
    const t = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) >>> 0
    return t
  }

  bytes(n: number): Uint8Array {
    const out = new Uint8Array(n)
    for (let i = 0; i < n; i += 4) {
      const word = this.uint32()
      for (let j = i; j < n && j < i + 4; j++) out[j] = word >>> ((j - i) * 8)
    }
    return out
  }
}
