import { uninitializedBytes } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'

/** An answer with a block of version 1, or with the longest segment of version 2, and its head. */
const SIZES = [65_536 + 512, 131_072 + 512] as const
const SMALL = 16_384

/**
 * Memory for answers with blocks, used again and again: V8 collects all of its heap when much
 * memory outside of it is made and dropped, and fresh pages cost more than a block's encryption.
 */
export class BlockMemory {
  readonly #free = SIZES.map((): Uint8Array[] => [])

  take(length: number): Uint8Array {
    const size = SIZES.findIndex((one) => length <= one)
    if (length < SMALL || size < 0) return uninitializedBytes(length)
    const whole = this.#free[size]?.pop() ?? uninitializedBytes(SIZES[size] as number)
    return whole.subarray(0, length)
  }

  /** `bytes`: what `take` returned, or a part of it, once; nobody may look at it any more. */
  giveBack({ buffer }: Uint8Array): void {
    const free = this.#free[SIZES.findIndex((one) => one === buffer.byteLength)]
    if (free !== undefined && free.length < LIMITS.retrievalBuffers) {
      free.push(new Uint8Array(buffer as ArrayBuffer))
    }
  }
}
