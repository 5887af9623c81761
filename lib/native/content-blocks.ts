import { addon } from './addon.js'
import type { Sha2 } from './content-crypto.js'

/** Work on blocks, many at a time on the thread pool (native/binding/content_blocks.cc). */

/** Where a block is: in memory, or in an open file. */
export type BlockPlace = Uint8Array | readonly [fd: number, position: number]

/**
 * Encrypts a block for the wire: CryptoAlgoId 0..3, the segment's secret, a fresh IV, the block,
 * where the ciphertext goes (its padded length, exactly), the block's length. With a hash, the
 * block is compared with it first.
 */
export type SealWork = readonly [
  kind: 0,
  cipher: number,
  secret: Uint8Array,
  iv: Uint8Array,
  block: BlockPlace,
  out: Uint8Array,
  length: number,
  ...check: readonly [] | readonly [hash: Uint8Array, algorithm: Sha2],
]

/**
 * Decrypts a block from the wire, or reads one from a file, and compares its hash. `out` is as long
 * as the ciphertext, and may be it; the block is its first `length` bytes. With a target it is also
 * written there once it is known to be right.
 */
export type OpenWork = readonly [
  kind: 1,
  cipher: number,
  secret: Uint8Array,
  iv: Uint8Array,
  ciphertext: BlockPlace,
  out: Uint8Array,
  length: number,
  hash: Uint8Array,
  algorithm: Sha2,
  ...target: readonly [] | readonly [fd: number, position: number],
]

/** Writes a block and then its row to a file that still has a name. */
export type StoreWork = readonly [
  kind: 2,
  fd: number,
  position: number,
  block: Uint8Array,
  rowPosition: number,
  row: Uint8Array,
]

/** Writes head and block to a new file, which then gets its name. */
export type CreateWork = readonly [
  kind: 3,
  aside: string,
  path: string,
  head: Uint8Array,
  block: Uint8Array,
]

/**
 * Reads the head of a file, and into `room` as much as there is behind it; marks it as used now if
 * the last such mark is `least` ago. Times in seconds.
 */
export type ReadWork = readonly [
  kind: 4,
  path: string,
  head: Uint8Array,
  room: Uint8Array,
  now: number,
  least: number,
]

export type BlockWork = SealWork | OpenWork | StoreWork | CreateWork | ReadWork

/** Does one piece of work at once. False: the file refuses, or not the block of that hash. */
export function runBlock(work: BlockWork): boolean {
  return addon.runBlock(work)
}

/**
 * Does up to 1024 pieces of work on the thread pool, one after the other. Their memory is borrowed:
 * leave it alone, and transfer none of it, until `done`.
 */
export function runBlocks(
  works: readonly BlockWork[],
  done: (results: readonly boolean[]) => void,
): void {
  addon.runBlocks(works, done)
}
