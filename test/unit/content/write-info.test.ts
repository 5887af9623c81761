// The layouts of MS-PCCRC 3.2 to 3.7. Sizes and offsets are those printed there.
import * as assert from 'uvu/assert'
import type { ContentVersion, HashScheme } from '#lib/content/algorithms.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { HashedContent } from '#lib/content/hashed-content.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { checkContentInfo, sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const secret = new Uint8Array(Buffer.from('no more secrets'))
const KB = 1024
const MB = 1024 * KB

function hashed(content: Uint8Array, version: ContentVersion = 1): HashedContent {
  const hasher = new ContentHasher({ version, algorithm: version === 1 ? 'sha256' : 'sha512' })
  hasher.push(content)
  return hasher.finish()
}

const content125K = sampleContent(128_000)
const content125M = sampleContent(125 * MB)
const hashed125M = hashed(content125M)
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

test('D-001 D-004 D-014 the 125 KB content of example 3.2 takes 166 bytes, field by field', () => {
  const info = writeContentInfo(hashed(content125K), secret)
  const view = viewOf(info)
  assert.is(info.length, 166)
  assert.equal([info[0], info[1]], [0, 1])
  assert.is(view.getUint32(2, true), 0x800c)
  assert.is(view.getUint32(6, true), 0)
  assert.is(view.getUint32(10, true), 0)
  assert.is(view.getUint32(14, true), 1)
  assert.is(view.getBigUint64(18, true), 0n)
  assert.is(view.getUint32(26, true), 128_000)
  assert.is(view.getUint32(30, true), 0x10000)
  assert.is(view.getUint32(98, true), 2)
  checkContentInfo(info, content125K, secret)
})

test('D-011 D-012 the range of example 3.3 changes only where it starts', () => {
  const whole = writeContentInfo(hashed(content125K), secret)
  const info = writeContentInfo(hashed(content125K), secret, { start: 100 * KB, length: 25 * KB })
  assert.is(info.length, 166)
  assert.is(viewOf(info).getUint32(6, true), 102_400)
  assert.is(viewOf(info).getUint32(10, true), 0)
  const same = info.slice()
  viewOf(same).setUint32(6, 0, true)
  assert.equal(same, whole)
})

test('D-003 D-010 D-014 the 125 MB content of example 3.4 has its lists where the specification says', () => {
  const info = writeContentInfo(hashed125M, secret)
  const view = viewOf(info)
  assert.is(info.length, 64_354)
  assert.is(view.getUint32(14, true), 4)
  for (const [i, at] of [18, 98, 178, 258].entries()) {
    assert.is(Number(view.getBigUint64(at, true)), i * 0x2000000)
    assert.is(view.getUint32(at + 8, true), i === 3 ? 0x1d00000 : 0x2000000)
  }
  for (const [i, at] of [338, 16_726, 33_114, 49_502].entries()) {
    assert.is(view.getUint32(at, true), i === 3 ? 464 : 512)
  }
  checkContentInfo(info, content125M, secret)
})

test('D-011 D-012 D-013 D-014 the range of example 3.5 lists 448 blocks of the last segment', () => {
  const range = { start: 100 * KB, length: 126_876 * KB }
  const info = writeContentInfo(hashed125M, secret, range)
  const view = viewOf(info)
  assert.is(info.length, 63_842)
  assert.is(view.getUint32(6, true), 102_400)
  assert.is(view.getUint32(10, true), 0x1c00000)
  assert.is(view.getUint32(49_502, true), 448)
  const checked = checkContentInfo(info, content125M, secret)
  assert.is(checked.rangeStart, range.start)
  assert.is(checked.rangeLength, range.length)
})

/** 60, 85 and 44 KB, as in examples 3.6 and 3.7. */
function threeSegments(): HashedContent {
  const scheme: HashScheme = { version: 2, algorithm: 'sha512' }
  const lengths = Uint32Array.of(60 * KB, 85 * KB, 44 * KB)
  const hashes = sampleContent(96)
  return HashedContent.ofSegments(scheme, 189 * KB, { lengths, hashes })
}

test('D-015 D-016 D-019 D-020 the 189 KB content of example 3.6 takes 240 bytes, big-endian', () => {
  const info = writeContentInfo(threeSegments(), secret)
  const view = viewOf(info)
  assert.is(info.length, 240)
  assert.equal([...info.subarray(0, 3)], [0, 2, 4])
  assert.is(view.getBigUint64(3), 0n)
  assert.is(view.getBigUint64(11), 0n)
  assert.is(view.getUint32(19), 0)
  assert.is(view.getBigUint64(23), 0n) // DA-7: the whole content
  assert.is(view.getUint8(31), 0)
  assert.is(view.getUint32(32), 0xcc)
  assert.is(view.getUint32(36), 0xf000)
  assert.is(view.getUint32(104), 0x15400)
  assert.is(view.getUint32(172), 0xb000)
})

test('D-021 the range of example 3.7 has the numbers printed there', () => {
  const range = { start: 100 * KB, length: 10 * KB }
  const info = writeContentInfo(threeSegments(), secret, range)
  const view = viewOf(info)
  assert.is(info.length, 104)
  assert.is(view.getBigUint64(3), 0xf000n)
  assert.is(view.getBigUint64(11), 1n)
  assert.is(view.getUint32(19), 0xa000)
  assert.is(view.getBigUint64(23), 0x2800n)
  assert.is(view.getUint32(32), 0x44)
  assert.is(view.getUint32(36), 0x15400)
  const parsed = parseContentInfo(info)
  assert.ok(parsed.ok)
  assert.equal(parsed.info.range, range)
  assert.is(parsed.info.segments[0]?.index, 1)
})

test('D-011 D-021 ranges that end at every edge are written and read back as they were', () => {
  const edges = [1, 2, 65_535, 65_536, 65_537, 32 * MB - 1, 32 * MB, 32 * MB + 1, 64 * MB]
  const whole = hashed125M.length
  for (const start of [0, ...edges]) {
    for (const end of [...edges, whole - 1, whole].filter((edge) => edge > start)) {
      const range = { start, length: end - start }
      const parsed = parseContentInfo(writeContentInfo(hashed125M, secret, range))
      assert.ok(parsed.ok)
      assert.equal(parsed.info.range, range)
      const { segments } = parsed.info
      assert.ok((segments[0]?.offset ?? -1) <= start)
      const last = segments.at(-1)
      assert.ok(last !== undefined && last.offset < end && end <= last.offset + last.length)
      assert.is(last.listedBlocks, Math.ceil((end - last.offset) / 65_536))
    }
  }
  const two = hashed(content125K, 2)
  for (const range of [
    { start: 0, length: 1 },
    { start: 127_999, length: 1 },
    { start: 40_000, length: 60_000 },
  ]) {
    const parsed = parseContentInfo(writeContentInfo(two, secret, range))
    assert.ok(parsed.ok)
    assert.equal(parsed.info.range, range)
  }
})

test('ranges that are empty or leave the content are refused', () => {
  const content = hashed(content125K)
  for (const [start, length] of [
    [0, 0],
    [128_000, 1],
    [127_999, 2],
    [-1, 2],
    [0.5, 1],
    [Number.NaN, 1],
  ]) {
    assert.throws(
      () => writeContentInfo(content, secret, { start: start as number, length: length as number }),
      (error: { code: string }) => error.code === 'ERR_PEERNET_INVALID_ARG',
    )
  }
})

test.run()
