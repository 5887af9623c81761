import { checkArgument } from '../core/errors.js'
import { hashLength, sha2Of } from './algorithms.js'
import { BLOCK_BYTES, type ContentRange } from './content-info.js'
import type { HashedContent } from './hashed-content.js'
import { segmentSecrets, serverKey } from './keys.js'

/** What is written: which segments, and what of them is meant. */
interface Selection {
  readonly first: number
  /** Number of segments. */
  readonly count: number
  readonly start: number
  readonly end: number
}

/**
 * Content information (MS-PCCRC 2.3, 2.4) of hashed content, or of a range of it; exactly as
 * Windows servers write it where the specification leaves a choice. Throws ERR_PEERNET_INVALID_ARG
 * for a range that is empty or leaves the content.
 */
export function writeContentInfo(
  content: HashedContent,
  serverSecret: Uint8Array,
  range: ContentRange = { start: 0, length: content.length },
): Uint8Array {
  const selection = select(content, range)
  const width = hashLength(content)
  const { first, count } = selection
  const hashes = content.segments.hashes.subarray(first * width, (first + count) * width)
  const secrets = segmentSecrets(content, serverKey(content, serverSecret), hashes)
  return content.version === 1
    ? writeVersion1(content, selection, secrets)
    : writeVersion2(content, selection, secrets)
}

function select(content: HashedContent, { start, length }: ContentRange): Selection {
  const isRange =
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(length) &&
    start >= 0 &&
    length >= 1 &&
    start + length <= content.length
  checkArgument(isRange, 'a range of one byte or more inside the content is wanted')
  const end = start + length
  const { starts } = content
  const first = segmentOf(starts, start)
  return { first, count: segmentOf(starts, end - 1) - first + 1, start, end }
}

/** The segment that holds a byte: binary search. */
function segmentOf(starts: Float64Array, offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= offset) low = middle
    else high = middle
  }
  return low
}

function writeVersion1(
  content: HashedContent,
  { first, count, start, end }: Selection,
  secrets: Uint8Array,
): Uint8Array {
  const { starts, segments, blockHashes } = content
  const width = hashLength(content)
  const startOf = (segment: number): number => starts[segment] as number
  const last = first + count - 1
  // DA-6: from block 0 up to the last block of the range.
  const blocksOf = (segment: number): number =>
    Math.ceil((Math.min(end, startOf(segment + 1)) - startOf(segment)) / BLOCK_BYTES)
  let size = 18
  for (let i = first; i <= last; i++) size += 16 + 2 * width + 4 + blocksOf(i) * width
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  view.setUint16(0, 0x0100, true)
  view.setUint32(2, 0x800c + sha2Of(content.algorithm), true)
  view.setUint32(6, start - startOf(first), true)
  // DA-5: 0 when the range ends where the last segment does.
  const inLast = end - Math.max(start, startOf(last))
  view.setUint32(10, end === startOf(last + 1) ? 0 : inLast, true)
  view.setUint32(14, count, true)
  let at = 18
  for (let i = first; i <= last; i++) {
    view.setBigUint64(at, BigInt(startOf(i)), true)
    view.setUint32(at + 8, segments.lengths[i] as number, true)
    view.setUint32(at + 12, BLOCK_BYTES, true)
    out.set(segments.hashes.subarray(i * width, (i + 1) * width), at + 16)
    out.set(secrets.subarray((i - first) * width, (i - first + 1) * width), at + 16 + width)
    at += 16 + 2 * width
  }
  for (let i = first; i <= last; i++) {
    const blocks = blocksOf(i)
    const from = (startOf(i) / BLOCK_BYTES) * width
    view.setUint32(at, blocks, true)
    out.set(blockHashes.subarray(from, from + blocks * width), at + 4)
    at += 4 + blocks * width
  }
  return out
}

function writeVersion2(
  content: HashedContent,
  { first, count, start, end }: Selection,
  secrets: Uint8Array,
): Uint8Array {
  const { starts, segments } = content
  const description = 4 + 2 * 32
  const out = new Uint8Array(31 + 5 + count * description)
  const view = new DataView(out.buffer)
  const firstStart = starts[first] as number
  // DA-7: 0 is the whole content.
  const length = end - start === content.length ? 0 : end - start
  view.setUint16(0, 0x0002)
  view.setUint8(2, 4)
  view.setBigUint64(3, BigInt(firstStart))
  view.setBigUint64(11, BigInt(first))
  view.setUint32(19, start - firstStart)
  view.setBigUint64(23, BigInt(length))
  view.setUint8(31, 0)
  view.setUint32(32, count * description)
  for (let i = 0, at = 36; i < count; i++, at += description) {
    view.setUint32(at, segments.lengths[first + i] as number)
    out.set(segments.hashes.subarray((first + i) * 32, (first + i + 1) * 32), at + 4)
    out.set(secrets.subarray(i * 32, (i + 1) * 32), at + 36)
  }
  return out
}
