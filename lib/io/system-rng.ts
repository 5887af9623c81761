import { randomFillSync } from 'node:crypto'
import type { Rng } from '../core/rng.js'

/** One call into OpenSSL fetches this much: it costs the same as fetching four bytes. */
const POOL_BYTES = 4096

/**
 * The host's CSPRNG (N-35: Message IDs, nonces and service locations must not be predictable).
 * Bytes are used once and wiped from the pool, so that it never tells what was handed out.
 */
export class SystemRng implements Rng {
  readonly #pool = new Uint8Array(POOL_BYTES)
  #used = POOL_BYTES

  bytes(n: number): Uint8Array {
    if (n > POOL_BYTES) return randomFillSync(new Uint8Array(n))
    const at = this.#take(n)
    const out = this.#pool.slice(at, at + n)
    this.#pool.fill(0, at, at + n)
    return out
  }

  uint32(): number {
    const at = this.#take(4)
    const pool = this.#pool
    const value =
      ((pool[at] as number) << 24) |
      ((pool[at + 1] as number) << 16) |
      ((pool[at + 2] as number) << 8) |
      (pool[at + 3] as number)
    pool.fill(0, at, at + 4)
    return value >>> 0
  }

  /** Offset of n fresh bytes of the pool. */
  #take(n: number): number {
    if (this.#used + n > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const at = this.#used
    this.#used += n
    return at
  }
}
