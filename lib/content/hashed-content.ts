import { checkArgument, PeernetError } from '../core/errors.js'
import { sha2 } from '../native/content-crypto.js'
import { checkScheme, hashLength, sha2Of, type HashScheme } from './algorithms.js'
import { BLOCK_BYTES, SEGMENT_BYTES } from './content-info.js'

/** Segments of content: where each starts, and its hash of data. */
export interface HashedSegments {
  /** Lengths; all but the last of version 1 are 32 MiB. */
  readonly lengths: Uint32Array
  /** Hashes of data, one after the other. */
  readonly hashes: Uint8Array
}

/**
 * What hashing found in content of `length` bytes: everything that content information says of it
 * except the secrets. Independent of the server secret, so it can be kept beside the content.
 */
export class HashedContent implements HashScheme {
  readonly version: HashScheme['version']
  readonly algorithm: HashScheme['algorithm']
  readonly length: number
  readonly segments: HashedSegments
  /** Version 1: hashes of all blocks, one after the other. Version 2: empty. */
  readonly blockHashes: Uint8Array
  #starts: Float64Array | undefined

  private constructor(
    scheme: HashScheme,
    length: number,
    segments: HashedSegments,
    blocks: Uint8Array,
  ) {
    this.version = scheme.version
    this.algorithm = scheme.algorithm
    this.length = length
    this.segments = segments
    this.blockHashes = blocks
  }

  /** From the hashes of all blocks (version 1). */
  static ofBlocks(scheme: HashScheme, length: number, blockHashes: Uint8Array): HashedContent {
    checkLength(scheme, length, 1)
    const width = hashLength(scheme)
    checkArgument(
      blockHashes.length === Math.ceil(length / BLOCK_BYTES) * width,
      'one hash a block is wanted',
    )
    const count = Math.ceil(length / SEGMENT_BYTES)
    const lengths = new Uint32Array(count).fill(SEGMENT_BYTES)
    lengths[count - 1] = length - (count - 1) * SEGMENT_BYTES
    const hashes = new Uint8Array(count * width)
    const list = (SEGMENT_BYTES / BLOCK_BYTES) * width
    for (let i = 0; i < count; i++) {
      // 2.2: the hash of data of version 1 is the hash of the block hashes.
      const blocks = blockHashes.subarray(i * list, (i + 1) * list)
      hashes.set(sha2(sha2Of(scheme.algorithm), blocks), i * width)
    }
    return new HashedContent(scheme, length, { lengths, hashes }, blockHashes)
  }

  /** From the segments (version 2). */
  static ofSegments(scheme: HashScheme, length: number, segments: HashedSegments): HashedContent {
    checkLength(scheme, length, 2)
    const { lengths, hashes } = segments
    let sum = 0
    for (const one of lengths) sum += one
    checkArgument(
      sum === length && hashes.length === lengths.length * hashLength(scheme),
      'the segments do not make up the content',
    )
    return new HashedContent(scheme, length, segments, new Uint8Array(0))
  }

  /** Where each segment starts; one more at the end, the length. */
  get starts(): Float64Array {
    if (this.#starts !== undefined) return this.#starts
    const { lengths } = this.segments
    const starts = new Float64Array(lengths.length + 1)
    for (let i = 0; i < lengths.length; i++) {
      starts[i + 1] = (starts[i] as number) + (lengths[i] as number)
    }
    this.#starts = starts
    return starts
  }
}

function checkLength(scheme: HashScheme, length: number, version: 1 | 2): void {
  checkScheme(scheme)
  checkArgument(scheme.version === version, `these are hashes of version ${version}`)
  checkArgument(Number.isSafeInteger(length) && length >= 0, 'a length in bytes is wanted')
  if (length === 0) throw emptyContent()
}

/** MS-PCCRC 2.3: content information covers one byte at least. */
export function emptyContent(): PeernetError {
  return new PeernetError(
    'ERR_PEERNET_CONTENT_EMPTY',
    'empty content has no content information: serve it as it is',
  )
}
