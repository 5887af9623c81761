/**
 * Byte strings of one length that were met lately, by a hash of their bytes; each slot holds the
 * latest of its hash. A node meets the same addresses and IDs over and over: sharing one array
 * spares most allocations, and comparisons too. What it gives out must never be written into.
 */
export class MetBytes {
  readonly #length: number
  readonly #mask: number
  readonly #slots: (Uint8Array | undefined)[]

  /** `slots` is a power of two. */
  constructor(length: number, slots: number) {
    this.#length = length
    this.#mask = slots - 1
    this.#slots = new Array<Uint8Array | undefined>(slots)
  }

  /** The bytes at an offset: a copy, or the same array as last time. */
  at(bytes: Uint8Array, from: number): Uint8Array {
    const length = this.#length
    const slot = hashOf(bytes, from, length) & this.#mask
    const known = this.#slots[slot]
    if (known !== undefined && isAt(known, bytes, from)) return known
    const fresh = new Uint8Array(length)
    for (let i = 0; i < length; i++) fresh[i] = bytes[from + i] as number
    this.#slots[slot] = fresh
    return fresh
  }
}

/** Of the end and the middle, where addresses of one network and IDs of one name differ. */
function hashOf(bytes: Uint8Array, from: number, length: number): number {
  const last = from + length - 1
  const middle = from + (length >> 1)
  return (
    (bytes[last] as number) ^
    ((bytes[last - 1] as number) << 2) ^
    (bytes[middle - 1] as number) ^
    ((bytes[from] as number) << 1)
  )
}

function isAt(known: Uint8Array, bytes: Uint8Array, from: number): boolean {
  if (known === bytes) return from === 0
  for (let i = known.length - 1; i >= 0; i--) if (known[i] !== bytes[from + i]) return false
  return true
}

const addresses = new MetBytes(16, 256)
const ids = new MetBytes(32, 512)
const hashes = new MetBytes(20, 512)

/** The IPv6 address (16 bytes) at an offset; shared, never write into it. */
export function addressAt(bytes: Uint8Array, from: number): Uint8Array {
  return addresses.at(bytes, from)
}

/** The PNRP ID (32 bytes) at an offset; likewise. */
export function pnrpIdAt(bytes: Uint8Array, from: number): Uint8Array {
  return ids.at(bytes, from)
}

/** The SHA-1 (20 bytes) at an offset; likewise. */
export function sha1At(bytes: Uint8Array, from: number): Uint8Array {
  return hashes.at(bytes, from)
}
