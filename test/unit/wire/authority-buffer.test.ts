// AUTHORITY_BUFFER, MS-PNRP 2.2.2.6.1.
import * as assert from 'uvu/assert'
import { decodeAuthorityBuffer, encodeAuthorityBuffer } from '#lib/wire/codec.js'
import type { AuthorityBuffer } from '#lib/wire/messages.js'
import { bufferVector } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { bufferRefused, decodedBuffer, throwsInvalid, u16 } from '../../helpers/wire.js'

const flags = bufferVector('buffer-flags').bytes
const full = bufferVector('buffer-full')
const plain = { leafSet: false, busy: false, notFound: false }
const encode = (fields: Partial<AuthorityBuffer>) => encodeAuthorityBuffer({ ...plain, ...fields })

/** The elements of `full`, padding included, by FieldID. */
const parts = {
  flags: full.bytes.slice(0, 8),
  chain: full.bytes.slice(8, 20),
  classifier: full.bytes.slice(20, 40),
  payload: full.bytes.slice(40, 260),
  route: full.bytes.slice(260, 320),
  cpa: full.bytes.slice(320),
}

test('PNRP-2.2.2.6.1-1 the flags come first, 0x0040 of Length 6', () => {
  assert.equal([...encode({}).slice(0, 4)], [0, 0x40, 0, 6])
  bufferRefused(patched(flags, 1, 0x41), 'UNEXPECTED_FIELD', 0)
  bufferRefused(patched(flags, 3, 8), 'BAD_LENGTH', 2)
  bufferRefused(new Uint8Array(0), 'TRUNCATED', 0)
  bufferRefused(flags.slice(0, 5), 'TRUNCATED', 4)
})

test('PNRP-2.2.2.6.1-2 two padding bytes follow the flags', () => {
  same(decodedBuffer(patched(full.bytes, 6, 1, 2)), full.buffer)
  assert.equal([...encode({ notFound: true })], [0, 0x40, 0, 6, 0, 1, 0, 0])
})

test('PNRP-2.2.2.6.1-3 L is 0x0200', () => {
  same(decodedBuffer(patched(flags, 4, 0x02, 0)), { ...plain, leafSet: true })
  assert.is(u16(encode({ leafSet: true }), 4), 0x0200)
})

test('PNRP-2.2.2.6.1-4 B is 0x0008', () => {
  same(decodedBuffer(patched(flags, 4, 0, 8)), { ...plain, busy: true })
  assert.is(u16(encode({ busy: true }), 4), 0x0008)
})

test('PNRP-2.2.2.6.1-5 N is 0x0001', () => {
  same(decodedBuffer(patched(flags, 4, 0, 1)), { ...plain, notFound: true })
  assert.is(u16(encode({ notFound: true }), 4), 0x0001)
})

test('PNRP-2.2.2.6.1-6 other flag bits are ignored and sent as 0', () => {
  same(decodedBuffer(patched(flags, 4, 0xfd, 0xf6)), plain)
  const all = decodedBuffer(patched(flags, 4, 0xff, 0xff))
  assert.is(u16(encodeAuthorityBuffer(all), 4), 0x0209)
})

test('PNRP-2.2.2.6.1-7 optional elements come in one order, known by FieldID', () => {
  const optional = [parts.chain, parts.classifier, parts.payload, parts.route, parts.cpa]
  const names = ['certificateChain', 'classifier', 'extendedPayload', 'routeEntry', 'cpa'] as const
  for (let set = 0; set < 32; set++) {
    const chosen = optional.filter((_, index) => (set >> index) & 1)
    const buffer = decodedBuffer(Buffer.concat([parts.flags, ...chosen]))
    for (const [index, name] of names.entries()) {
      same(buffer[name], (set >> index) & 1 ? full.buffer[name] : undefined)
    }
  }
  for (let first = 0; first < 5; first++) {
    for (let second = 0; second <= first; second++) {
      // also twice the same
      const pair = [optional[first], optional[second]] as [Uint8Array, Uint8Array]
      const outcome = decodeAuthorityBuffer(Buffer.concat([parts.flags, ...pair]))
      assert.not.ok(outcome.ok, `${first} before ${second}`)
    }
  }
  const unknown = hex`${parts.flags} 0099 0008 00000000`
  bufferRefused(unknown, 'UNEXPECTED_FIELD', 8)
})

test('PNRP-2.2.2.6.1-8 PNRP-2.2.2.6.1-9 the chain: 4 + size, then padding', () => {
  for (let size = 1; size < 9; size++) {
    const certificateChain = new Uint8Array(size).fill(0x30)
    const bytes = encode({ certificateChain, classifier: 'x' })
    assert.equal([...bytes.slice(8, 12)], [0, 0x80, 0, 4 + size])
    const padding = -size & 3
    assert.equal([...bytes.slice(12 + size, 12 + size + padding)], new Array(padding).fill(0))
    assert.is(u16(bytes, 12 + size + padding), 0x0085)
    const dirty = patched(bytes, 12 + size, ...new Array<number>(padding).fill(0xee))
    same(decodedBuffer(dirty), { ...plain, certificateChain, classifier: 'x' })
  }
  bufferRefused(hex`${parts.flags} 0080 0004`, 'BAD_LENGTH', 10)
  throwsInvalid(() => encode({ certificateChain: new Uint8Array(0) }))
})

test('PNRP-2.2.2.6.1-11 PNRP-2.2.2.6.1-13 the classifier: 12 + its bytes, 8 + its bytes', () => {
  for (const length of [0, 1, 2, 149]) {
    const bytes = encode({ classifier: 'k'.repeat(length) })
    assert.equal([...bytes.slice(8, 10)], [0, 0x85])
    assert.is(u16(bytes, 10), 12 + 2 * length)
    assert.is(u16(bytes, 14), 8 + 2 * length)
  }
  bufferRefused(patched(full.bytes, 23, 0x13), 'BAD_ARRAY', 22)
  bufferRefused(patched(full.bytes, 27, 0x0f), 'BAD_ARRAY', 26)
})

test('PNRP-2.2.2.6.1-12 NumEntries counts 16-bit characters, at most 149 (N-22)', () => {
  const text = 'a\u{1f41f}' // one unit and a surrogate pair
  const bytes = encode({ classifier: text })
  assert.is(u16(bytes, 12), 3)
  assert.is(decodedBuffer(bytes).classifier, text)
  const longest = encode({ classifier: 'k'.repeat(149) })
  assert.is(decodedBuffer(longest).classifier?.length, 149)
  throwsInvalid(() => encode({ classifier: 'k'.repeat(150) }))
  const tooLong = hex`${longest.slice(0, 318)} 006b 0000`
  tooLong.set([0x01, 0x38, 0, 150, 0x01, 0x34], 10) // 12 + 300, 150, 8 + 300
  bufferRefused(tooLong, 'BAD_COUNT', 12)
})

test('PNRP-2.2.2.6.1-14 PNRP-2.2.2.6.1-15 it holds WCHARs of 2 bytes, big-endian (N-03)', () => {
  const bytes = encode({ classifier: '\u0102' })
  assert.equal([...bytes.slice(16, 22)], [0, 0x84, 0, 2, 1, 2])
  bufferRefused(patched(full.bytes, 29, 0x85), 'BAD_ARRAY', 28)
  bufferRefused(patched(full.bytes, 31, 1), 'BAD_ARRAY', 30)
})

test('PNRP-2.2.2.6.1-16 the classifier has no terminating NUL, nor any other', () => {
  const bytes = encode({ classifier: 'ab' })
  assert.equal([...bytes.slice(20)], [0, 0x61, 0, 0x62])
  bufferRefused(patched(bytes, 22, 0, 0), 'BAD_TEXT', 22)
  bufferRefused(patched(bytes, 20, 0, 0), 'BAD_TEXT', 20)
  throwsInvalid(() => encode({ classifier: 'a\0' }), /NUL/)
})

test('PNRP-2.2.2.6.1-17 padding follows the classifier', () => {
  same(decodedBuffer(patched(full.bytes, 38, 1, 2)), full.buffer)
  const odd = encode({ classifier: 'a', cpa: hex`01` })
  assert.equal([...odd.slice(20)], [0, 0x61, 0, 0, 0, 0x9b, 0, 5, 1])
  const even = encode({ classifier: 'ab', cpa: hex`01` })
  assert.equal([...even.slice(20)], [0, 0x61, 0, 0x62, 0, 0x9b, 0, 5, 1])
})

test('PNRP-2.2.2.6.1-19 PNRP-2.2.2.6.1-20 the extended payload: 4 + size, then padding', () => {
  for (let size = 1; size < 6; size++) {
    const extendedPayload = new Uint8Array(size).fill(5)
    const bytes = encode({ extendedPayload, cpa: hex`01` })
    assert.equal([...bytes.slice(8, 12)], [0, 0x5a, 0, 4 + size])
    const padding = -size & 3
    const dirty = patched(bytes, 12 + size, ...new Array<number>(padding).fill(1))
    same(decodedBuffer(dirty), { ...plain, extendedPayload, cpa: hex`01` })
    assert.is(u16(bytes, 12 + size + padding), 0x009b)
  }
})

test('PNRP-2.2.2.6.1-21 PNRP-2.2.2.6.1-22 the route entry: 4 + size, then padding', () => {
  const { routeEntry } = full.buffer
  assert.ok(routeEntry)
  const bytes = encode({ routeEntry, cpa: hex`01` })
  assert.equal([...bytes.slice(8, 12)], [0, 0x9a, 0, 58])
  assert.equal([...bytes.slice(66, 70)], [0, 0, 0, 0x9b])
  same(decodedBuffer(patched(bytes, 66, 7, 7)), { ...plain, routeEntry, cpa: hex`01` })
  bufferRefused(patched(bytes, 11, 57), 'BAD_LENGTH', 10)
})

test('PNRP-2.2.2.6.1-24 PNRP-2.2.2.6.1-25 the CPA: 4 + size, and no padding', () => {
  for (let size = 1; size < 6; size++) {
    const cpa = new Uint8Array(size).fill(9)
    const bytes = encode({ cpa })
    assert.equal([...bytes.slice(8)], [0, 0x9b, 0, 4 + size, ...cpa])
    same(decodedBuffer(bytes), { ...plain, cpa })
    const zeros = spliced(bytes, bytes.length, 0, new Uint8Array(3))
    same(decodedBuffer(zeros), { ...plain, cpa })
    bufferRefused(spliced(bytes, bytes.length, 0, hex`01`), 'TRAILING_BYTES', bytes.length)
  }
  bufferRefused(patched(full.bytes, 323, 0x94), 'TRUNCATED', 324)
})

test('a buffer larger than 37348 bytes is refused both ways', () => {
  const certificateChain = new Uint8Array(37336)
  const largest = encode({ certificateChain })
  assert.is(largest.length, 37348)
  same(decodedBuffer(largest), { ...plain, certificateChain })
  throwsInvalid(() => encode({ certificateChain: new Uint8Array(37337) }))
  bufferRefused(hex`${largest} 00`, 'BAD_LENGTH', 0)
})

test.run()
