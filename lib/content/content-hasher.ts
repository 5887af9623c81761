import { checkArgument } from '../core/errors.js'
import { hashBlocks, hashSegments, WINDOW_SEGMENTS } from '../native/content-crypto.js'
import { checkScheme, sha2Of, type HashScheme } from './algorithms.js'
import { BLOCK_BYTES, SEGMENT_2_BYTES } from './content-info.js'
import { emptyContent, HashedContent } from './hashed-content.js'

/** How content is cut into segments of version 2. */
export interface SegmentCutting {
  /** Length of all segments but the last, 4 KiB … 128 KiB; absent: the content decides (DA-8). */
  readonly segmentBytes?: number
}

/** Windows of cutting (native/core/pccrc_cut.c): their ends are always ends of segments. */
const WINDOW = 8 * 1024 * 1024
/** Bytes kept before they are hashed together, so that several can be hashed at once. */
const ROOM = 1024 * 1024

/** The number for the native side: 0 when the content decides. Throws ERR_PEERNET_INVALID_ARG. */
export function fixedLength({ segmentBytes }: SegmentCutting): number {
  if (segmentBytes === undefined) return 0
  const isLength =
    Number.isInteger(segmentBytes) && segmentBytes >= 4096 && segmentBytes <= SEGMENT_2_BYTES
  checkArgument(isLength, 'segments are 4096 to 131072 bytes long')
  return segmentBytes
}

/**
 * Hashes content that comes in pieces, on the calling thread, with at most 1 MiB kept. For files
 * and large buffers there is `hashFile` (lib/io), which keeps all cores busy instead.
 */
export class ContentHasher {
  readonly #scheme: HashScheme
  readonly #fixed: number
  readonly #window: number
  readonly #room = new Uint8Array(ROOM)
  #kept = 0
  #length = 0
  /** Version 2: bytes of the current window that are hashed. */
  #inWindow = 0
  #hashes: Uint8Array[] = []
  #lengths: Uint32Array[] = []
  #isFinished = false

  constructor(scheme: HashScheme, cutting: SegmentCutting = {}) {
    checkScheme(scheme)
    this.#scheme = scheme
    this.#fixed = fixedLength(cutting)
    this.#window = this.#fixed === 0 ? WINDOW : Math.floor(WINDOW / this.#fixed) * this.#fixed
  }

  /** Takes the next bytes; they are copied or hashed at once. */
  push(bytes: Uint8Array): void {
    checkArgument(!this.#isFinished, 'the content has ended already')
    this.#length += bytes.length
    for (let at = 0; at < bytes.length;) {
      const taken = Math.min(ROOM - this.#kept, bytes.length - at)
      this.#room.set(bytes.subarray(at, at + taken), this.#kept)
      this.#kept += taken
      at += taken
      if (this.#kept === ROOM) this.#hash(false)
    }
  }

  /** The content has ended. Throws ERR_PEERNET_CONTENT_EMPTY when there was none. */
  finish(): HashedContent {
    checkArgument(!this.#isFinished, 'the content has ended already')
    if (this.#length === 0) throw emptyContent()
    this.#isFinished = true
    this.#hash(true)
    const hashes = joined(this.#hashes)
    if (this.#scheme.version === 1) {
      return HashedContent.ofBlocks(this.#scheme, this.#length, hashes)
    }
    const lengths = new Uint32Array(hashes.length / 32)
    let at = 0
    for (const part of this.#lengths) {
      lengths.set(part, at)
      at += part.length
    }
    return HashedContent.ofSegments(this.#scheme, this.#length, { lengths, hashes })
  }

  #hash(isLast: boolean): void {
    const used = this.#scheme.version === 1 ? this.#hashBlocks(isLast) : this.#hashSegments(isLast)
    this.#room.copyWithin(0, used, this.#kept)
    this.#kept -= used
  }

  #hashBlocks(isLast: boolean): number {
    const used = isLast ? this.#kept : this.#kept - (this.#kept % BLOCK_BYTES)
    const bytes = this.#room.subarray(0, used)
    this.#hashes.push(hashBlocks(sha2Of(this.#scheme.algorithm), bytes))
    return used
  }

  #hashSegments(isLast: boolean): number {
    const lengths = new Uint32Array(WINDOW_SEGMENTS)
    const hashes = new Uint8Array(WINDOW_SEGMENTS * 32)
    let used = 0
    for (;;) {
      const left = this.#window - this.#inWindow
      const bytes = this.#room.subarray(used, this.#kept)
      const count = hashSegments(this.#fixed, bytes, left, isLast, lengths, hashes)
      if (count === 0) return used
      this.#lengths.push(lengths.slice(0, count))
      this.#hashes.push(hashes.slice(0, count * 32))
      for (let i = 0; i < count; i++) {
        used += lengths[i] as number
        this.#inWindow += lengths[i] as number
      }
      if (this.#inWindow === this.#window) this.#inWindow = 0
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
