// Every malformed case of the digest's chapter 1.6 is refused with its code and place; what other
// writers do differently without being wrong is read.
import * as assert from 'uvu/assert'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { HashedContent } from '#lib/content/hashed-content.js'
import { parseContentInfo, parseOfferedInfo } from '#lib/content/read-info.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const secret = new Uint8Array(Buffer.from('no more secrets'))

function versionOne(length: number): Uint8Array {
  const hasher = new ContentHasher({ version: 1, algorithm: 'sha256' })
  hasher.push(sampleContent(length))
  return writeContentInfo(hasher.finish(), secret)
}

const one = versionOne(128_000)
const two = versionOne(32 * 1024 * 1024 + 70_000)
const three = writeContentInfo(
  HashedContent.ofSegments({ version: 2, algorithm: 'sha512' }, 70_000, {
    lengths: Uint32Array.of(40_000, 30_000),
    hashes: sampleContent(64),
  }),
  secret,
)

/** A copy with changes: [offset, value, width in bytes], little-endian or big-endian. */
function changed(
  info: Uint8Array,
  ...changes: [at: number, value: number, width?: 1 | 2 | 4 | 8][]
): Uint8Array {
  const copy = info.slice()
  const view = new DataView(copy.buffer)
  const little = info[1] === 1
  for (const [at, value, width = 4] of changes) {
    if (width === 1) view.setUint8(at, value)
    else if (width === 2) view.setUint16(at, value, little)
    else if (width === 4) view.setUint32(at, value, little)
    else view.setBigUint64(at, BigInt(value), little)
  }
  return copy
}

function refused(info: Uint8Array, code: string, offset: number): void {
  assert.equal(parseContentInfo(info), { ok: false, code: `ERR_PEERNET_${code}`, offset })
}

test('the three samples are accepted as they are', () => {
  for (const info of [one, two, three]) assert.ok(parseContentInfo(info).ok)
})

test('D-023 content information cut off anywhere is refused', () => {
  for (const info of [one, three]) {
    for (let length = 0; length < info.length; length++) {
      assert.not(parseContentInfo(info.subarray(0, length)).ok, `${length}`)
    }
  }
  refused(one.subarray(0, 1), 'TRUNCATED', 1)
  refused(one.subarray(0, 17), 'TRUNCATED', 17)
  refused(three.subarray(0, 35), 'TRUNCATED', 35)
})

test('D-023 another version is refused', () => {
  for (const [minor, major] of [
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 3],
    [1, 2],
    [2, 0],
  ]) {
    refused(changed(one, [0, minor as number, 1], [1, major as number, 1]), 'BAD_VERSION', 0)
  }
})

test('D-002 D-016 D-023 another hash algorithm is refused', () => {
  for (const value of [0, 0x8004, 0x800b, 0x800f, 0xffffffff]) {
    refused(changed(one, [2, value]), 'BAD_HASH_ALGORITHM', 2)
  }
  for (const value of [0, 1, 3, 5, 255]) {
    refused(changed(three, [2, value, 1]), 'BAD_HASH_ALGORITHM', 2)
  }
})

test('D-023 no segment, or more than the bytes can hold, is refused', () => {
  for (const count of [0, 2, 100, 0xffffffff]) refused(changed(one, [14, count]), 'BAD_COUNT', 14)
})

test('D-004 D-023 a block size other than 64 KiB is refused', () => {
  for (const value of [0, 1, 65_535, 65_537, 131_072]) {
    refused(changed(one, [30, value]), 'BAD_BLOCK_SIZE', 30)
  }
})

test('D-003 D-023 segments of impossible length are refused', () => {
  refused(changed(one, [26, 0]), 'BAD_SEGMENT_SIZE', 26)
  refused(changed(one, [26, 0x2000001]), 'BAD_SEGMENT_SIZE', 26)
  // the first of two must be full
  refused(changed(two, [26, 0x1ffffff]), 'BAD_SEGMENT_SIZE', 26)
  for (const value of [0, 131_073, 0xffffffff]) {
    refused(changed(three, [36, value]), 'BAD_SEGMENT_SIZE', 36)
    refused(changed(three, [104, value]), 'BAD_SEGMENT_SIZE', 104)
  }
})

test('D-003 D-023 segments that do not follow each other are refused', () => {
  refused(changed(one, [18, 1, 8]), 'BAD_OFFSET', 18)
  refused(changed(two, [98, 0, 8]), 'BAD_OFFSET', 98)
  refused(changed(two, [98, 0x4000000, 8]), 'BAD_OFFSET', 98)
  // beyond 2^53
  refused(changed(one, [22, 0x200000]), 'BAD_OFFSET', 18)
  refused(changed(three, [3, 0x200000]), 'BAD_OFFSET', 3)
  refused(changed(three, [11, 0x200000]), 'BAD_OFFSET', 11)
})

test('D-013 D-023 no block, or more blocks than the segment has, is refused', () => {
  for (const count of [0, 3, 513, 0xffffffff]) {
    refused(changed(one, [98, count]), 'BAD_BLOCK_COUNT', 98)
  }
})

test('D-011 D-023 ranges outside the segments are refused', () => {
  refused(changed(one, [6, 128_000]), 'BAD_RANGE', 6)
  refused(changed(one, [10, 128_001]), 'BAD_RANGE', 10)
  refused(changed(one, [6, 1], [10, 128_000]), 'BAD_RANGE', 10)
  refused(changed(two, [6, 0x2000000]), 'BAD_RANGE', 6)
  refused(changed(two, [10, 70_001]), 'BAD_RANGE', 10)
  refused(changed(two, [10, 0xffffffff]), 'BAD_RANGE', 10)
  refused(changed(three, [19, 40_000]), 'BAD_RANGE', 19)
  refused(changed(three, [23, 70_001, 8]), 'BAD_RANGE', 23)
  refused(changed(three, [19, 1], [23, 70_000, 8]), 'BAD_RANGE', 23)
  refused(changed(three, [23, 0xffffffff], [27, 0xffffffff]), 'BAD_RANGE', 23)
})

test('D-019 D-023 chunks of unknown type or broken length are refused', () => {
  refused(changed(three, [31, 1, 1]), 'BAD_CHUNK', 31)
  for (const length of [0, 1, 67, 135, 137]) refused(changed(three, [32, length]), 'BAD_CHUNK', 32)
  refused(changed(three, [32, 204]), 'TRUNCATED', three.length)
  // one segment in the chunk: the rest would be another chunk, of which type?
  refused(changed(three, [32, 68], [104, 0x01000000]), 'BAD_CHUNK', 104)
})

test('D-023 bytes behind the end are refused', () => {
  const behind = (info: Uint8Array, count: number): Uint8Array => {
    const out = new Uint8Array(info.length + count)
    out.set(info)
    return out
  }
  refused(behind(one, 1), 'TRAILING_BYTES', one.length)
  refused(behind(two, 32), 'TRAILING_BYTES', two.length)
  refused(behind(three, 1), 'TRUNCATED', three.length)
  refused(behind(three, 5), 'BAD_CHUNK', three.length + 1)
})

test('D-006 D-023 a complete list of block hashes that does not give the hash of data is refused', () => {
  refused(changed(one, [102, 0]), 'BAD_HASH', 34)
  refused(changed(one, [34, 0]), 'BAD_HASH', 34)
  refused(changed(two, [two.length - 4, 0]), 'BAD_HASH', 114)
})

test('DA-6 a list that ends early is read: its blocks are from 0 on', () => {
  const short = changed(one, [98, 1]).subarray(0, 134)
  const parsed = parseContentInfo(short)
  assert.ok(parsed.ok)
  const [segment] = parsed.info.segments
  assert.ok(segment)
  assert.is(segment.listedBlocks, 1)
  assert.is(segment.blockCount, 2)
  assert.equal(segment.blockHash(0), short.subarray(102, 134))
  assert.is(segment.blockHash(1), undefined)
  assert.is(segment.blockLength(1), 62_464)
})

test('DA-5 the length of a whole segment may be written out, as in examples 3.1 and 3.4', () => {
  const parsed = parseContentInfo(changed(one, [10, 128_000]))
  assert.ok(parsed.ok)
  assert.equal(parsed.info.range, { start: 0, length: 128_000 })
  const last = parseContentInfo(changed(two, [10, 70_000]))
  assert.ok(last.ok)
  assert.equal(last.info.range, { start: 0, length: 0x2000000 + 70_000 })
})

test('D-099 in an offer the whole length may be written although the range starts later', () => {
  const offered = changed(one, [6, 1000], [10, 128_000])
  const parsed = parseOfferedInfo(offered)
  assert.ok(parsed.ok)
  assert.equal(parsed.info.range, { start: 1000, length: 127_000 })
  assert.not(parseOfferedInfo(changed(one, [6, 1000], [10, 128_001])).ok)
})

test('D-019 segments spread over several chunks are read as one list', () => {
  const apart = new Uint8Array(three.length + 5)
  apart.set(three.subarray(0, 104))
  apart.set(three.subarray(104), 109)
  const view = new DataView(apart.buffer)
  view.setUint32(32, 68)
  view.setUint8(104, 0)
  view.setUint32(105, 68)
  const parsed = parseContentInfo(apart)
  const whole = parseContentInfo(three)
  assert.ok(parsed.ok && whole.ok)
  assert.is(parsed.info.segments.length, 2)
  for (const [i, segment] of whole.info.segments.entries()) {
    const other = parsed.info.segments[i]
    assert.equal(other?.hashOfData, segment.hashOfData)
    assert.equal(other?.offset, segment.offset)
  }
})

test.run()
