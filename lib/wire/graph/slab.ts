/**
 * Memory for many small things: an ArrayBuffer each would cost more than they do. What is claimed
 * lives as long as anyone looks at its slab.
 */

const SLAB_BYTES = 16_384
/** Bigger things get memory of their own. */
export const SHARED_MOST = SLAB_BYTES / 4

let slab = new Uint8Array(new ArrayBuffer(SLAB_BYTES))
let end = 0
let last: Uint8Array = slab

/** Room for so many bytes: their offset in `claimed()`. */
export function claim(length: number): number {
  if (length > SHARED_MOST) {
    last = new Uint8Array(length)
    return 0
  }
  if (end + length > SLAB_BYTES) {
    slab = new Uint8Array(new ArrayBuffer(SLAB_BYTES))
    end = 0
  }
  const at = end
  end += length
  last = slab
  return at
}

/** The memory that the last `claim` was in. */
export function claimed(): Uint8Array {
  return last
}
