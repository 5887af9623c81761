import { equalBytes, uninitializedBytes } from '../core/bytes.js'
import { checkArgument } from '../core/errors.js'
import type { BlockWork, OpenWork } from '../native/content-blocks.js'
import { sha2Of, type HashScheme } from './algorithms.js'
import { SEGMENT_2_BYTES, type ContentSegment } from './content-info.js'
import { encodeUnfilledBlock } from './encode-retrieval.js'
import type { BlockMessage, Cipher } from './retrieval.js'

/**
 * Blocks on their way to and from peers (MS-PCCRR 2.2.5.3): encrypted under the leftmost 16, 24 or
 * 32 bytes of the segment secret (DA-17), padded as in PKCS #7 (DA-18). Both functions only prepare
 * work; runBlock or runBlocks of lib/native/content-crypto.ts do it, the latter on the thread pool.
 */

/** Where the block is: in memory, or in an open file. */
export type BlockSource = Uint8Array | { readonly fd: number; readonly position: number }

export interface Sealing {
  /** The whole answer, valid once the work is done. */
  readonly bytes: Uint8Array
  readonly work: BlockWork
}

/** Length of a block on the wire. */
export function sealedLength(cipher: Cipher, length: number): number {
  return cipher === 0 ? length : length - (length % 16) + 16
}

export interface SealingOptions {
  /** The block has to have this hash. */
  readonly check?: { readonly scheme: HashScheme; readonly hash: Uint8Array }
  /** Memory for the answer; more is made if it does not suffice. */
  readonly memory?: Uint8Array
}

/** Memory that the answer with a block of any length that version 1 has will do with. */
export const ANSWER_BYTES = 65_536 + 16 + 128
/** The same for version 2. */
export const LONG_ANSWER_BYTES = SEGMENT_2_BYTES + 16 + 128

/**
 * The MSG_BLK of a block: its file or memory is read, encrypted into the answer's place, and copied
 * nowhere else. The IV has to be fresh and unpredictable (5.1).
 */
export function sealing(
  message: Omit<BlockMessage, 'block'>,
  secret: Uint8Array,
  source: BlockSource,
  length: number,
  { check, memory }: SealingOptions = {},
): Sealing {
  const { cipher, iv } = message
  const isLength = Number.isInteger(length) && length >= 1 && length <= SEGMENT_2_BYTES
  checkArgument(isLength, 'a block has 1 to 131072 bytes')
  const hasIv = cipher === 0 ? iv.length === 0 : iv.length === 16
  checkArgument(hasIv, 'an encrypted block has an IV of 16 bytes, another has none')
  const { bytes, room } = encodeUnfilledBlock(message, sealedLength(cipher, length), memory)
  const vector = cipher === 0 ? NO_IV : iv
  const place = source instanceof Uint8Array ? source : ([source.fd, source.position] as const)
  const work = [0, cipher, secret, vector, place, room, length] as const
  if (check === undefined) return { bytes, work }
  return { bytes, work: [...work, check.hash, sha2Of(check.scheme.algorithm)] }
}

const NO_IV = new Uint8Array(16)

export interface Opening {
  /** The block, valid if the work succeeded: then its hash is the one listed. */
  readonly block: Uint8Array
  readonly work: OpenWork
}

/** An open file, and where in it a block goes. */
export interface BlockTarget {
  readonly fd: number
  readonly position: number
}

/**
 * A received MSG_BLK to be decrypted where it stands, compared with the listed hash and, if it is
 * right, written to the target. Undefined when it cannot be the block: another segment or number,
 * no data, too short, or a block whose hash is not listed.
 */
export function opening(
  message: BlockMessage,
  segment: ContentSegment,
  target?: BlockTarget,
): Opening | undefined {
  const { blockIndex, cipher, block, iv, segmentId } = message
  if (!equalBytes(segmentId, segment.id) || blockIndex >= segment.blockCount) {
    return undefined
  }
  const hash = segment.blockHash(blockIndex)
  const length = segment.blockLength(blockIndex)
  // Padding is at most a cipher block; other lengths are no honest answer (DA-18).
  const isLong = cipher === 0 ? block.length === length : block.length >= length
  if (hash === undefined || !isLong || block.length > sealedLength(cipher, length)) return undefined
  const algorithm = sha2Of(segment.scheme.algorithm)
  const vector = cipher === 0 ? NO_IV : iv
  const own = [1, cipher, segment.secret, vector, block, block, length, hash, algorithm] as const
  const work = target === undefined ? own : ([...own, target.fd, target.position] as const)
  return { block: block.subarray(0, length), work }
}

/** Work of either kind, for a pool that is given in. */
export type PoolWork = BlockWork

/** A plain block to be compared with its hash where it stands. */
export function checking(scheme: HashScheme, plain: Uint8Array, hash: Uint8Array): Opening {
  const algorithm = sha2Of(scheme.algorithm)
  return { block: plain, work: [1, 0, hash, NO_IV, plain, plain, plain.length, hash, algorithm] }
}

/** A plain block to be read from a file and compared with its hash. */
export function reading(
  scheme: HashScheme,
  { fd, position }: { readonly fd: number; readonly position: number },
  length: number,
  hash: Uint8Array,
): Opening {
  const block = uninitializedBytes(length)
  const algorithm = sha2Of(scheme.algorithm)
  return { block, work: [1, 0, hash, NO_IV, [fd, position], block, length, hash, algorithm] }
}
