import type { ContentVersion, HashAlgorithm, HashScheme } from './algorithms.js'
import { segmentId } from './keys.js'

/** MS-PCCRC 2.1, 2.3.1.1. */
export const SEGMENT_BYTES = 32 * 1024 * 1024
export const BLOCK_BYTES = 64 * 1024
/** MS-PCCRC 2.4.1.2: the longest segment of version 2. */
export const SEGMENT_2_BYTES = 128 * 1024

/** Bytes of the content from `start` on. */
export interface ContentRange {
  readonly start: number
  readonly length: number
}

/** A segment as content information lists it. Byte arrays are views: do not change them. */
export class ContentSegment {
  /** Number in the whole content, from 0. */
  readonly index: number
  /** Where it stands in the content. */
  readonly offset: number
  readonly length: number
  /** HoD. */
  readonly hashOfData: Uint8Array
  /** Kp, as secret as the content itself; its leftmost bytes are the AES key. */
  readonly secret: Uint8Array
  /** Hashes of the listed blocks, one after the other; in version 2 the hash of data. */
  readonly blockHashes: Uint8Array
  readonly scheme: HashScheme
  #id: Uint8Array | undefined

  constructor(
    scheme: HashScheme,
    place: { readonly index: number; readonly offset: number; readonly length: number },
    hashes: {
      readonly hashOfData: Uint8Array
      readonly secret: Uint8Array
      readonly blockHashes: Uint8Array
    },
  ) {
    this.scheme = scheme
    this.index = place.index
    this.offset = place.offset
    this.length = place.length
    this.hashOfData = hashes.hashOfData
    this.secret = hashes.secret
    this.blockHashes = hashes.blockHashes
  }

  /** HoHoDk, by which peers know the segment. */
  get id(): Uint8Array {
    this.#id ??= segmentId(this.scheme, this.secret, this.hashOfData)
    return this.#id
  }

  /** Bytes of a block; DA-21: a segment of version 2 is one block. */
  get blockBytes(): number {
    return this.scheme.version === 1 ? BLOCK_BYTES : this.length
  }

  /** Blocks of the segment, whether their hashes are listed or not. */
  get blockCount(): number {
    return Math.ceil(this.length / this.blockBytes)
  }

  /** Blocks whose hashes are listed: from block 0 up to the last one of the range (DA-6). */
  get listedBlocks(): number {
    return this.blockHashes.length / this.hashOfData.length
  }

  blockLength(block: number): number {
    return Math.min(this.blockBytes, this.length - block * this.blockBytes)
  }

  /** The listed hash of a block, or undefined: such a block can be had from the origin only. */
  blockHash(block: number): Uint8Array | undefined {
    const width = this.hashOfData.length
    return block < this.listedBlocks
      ? this.blockHashes.subarray(block * width, (block + 1) * width)
      : undefined
  }
}

/** Content information: what lets its holder find, verify and read content at peers. */
export interface ContentInfo {
  readonly version: ContentVersion
  readonly algorithm: HashAlgorithm
  /** What of the content is meant; segments are always listed as a whole. */
  readonly range: ContentRange
  /** In the content's order, without gaps. */
  readonly segments: readonly ContentSegment[]
}
