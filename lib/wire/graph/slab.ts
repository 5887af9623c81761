import { uninitializedBytes } from '../../core/bytes.js'

/**
 * Memory for many small things: an ArrayBuffer each would cost more than they do. What is claimed
 * lives as long as anyone looks at its slab, and has to be written before it is read.
 */

const SLAB_BYTES = 16_384
/** Bigger things get memory of their own. */
export const SHARED_MOST = SLAB_BYTES / 4

/** A slab being filled, and the ones before it. */
export class Slab {
  readonly #size: number
  #slab: Uint8Array
  #end = 0
  #last: Uint8Array

  constructor(size = SLAB_BYTES) {
    this.#size = size
    this.#slab = uninitializedBytes(size)
    this.#last = this.#slab
  }

  /** Room for so many bytes: their offset in `memory`. */
  claim(length: number): number {
    if (4 * length > this.#size) {
      this.#last = uninitializedBytes(length)
      return 0
    }
    if (this.#end + length > this.#size) {
      this.#slab = uninitializedBytes(this.#size)
      this.#end = 0
    }
    const at = this.#end
    this.#end += length
    this.#last = this.#slab
    return at
  }

  /** The memory that the last `claim` was in. */
  get memory(): Uint8Array {
    return this.#last
  }
}

/** For messages, which are soon gone: they must not keep room between records that stay. */
export const passing = new Slab()

const lasting = new Slab()

/** Room for so many bytes of something that stays: their offset in `claimed()`. */
export function claim(length: number): number {
  return lasting.claim(length)
}

/** The memory that the last `claim` was in. */
export function claimed(): Uint8Array {
  return lasting.memory
}
