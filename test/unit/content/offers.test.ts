// MS-PCHC 2.2: offers written down byte by byte, and every malformed case.
import * as assert from 'uvu/assert'
import { ContentHasher } from '#lib/content/content-hasher.js'
import {
  contentTag,
  decodeOffer,
  decodeOfferAnswer,
  encodeOffer,
  encodeOfferAnswer,
  type Offer,
} from '#lib/content/offers.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { test } from '../../harness.js'

const segmentId = new Uint8Array(32).fill(0xaa)
const tag = contentTag('WebIO')

const INITIAL = hex`
  00 01  00 01  00 00 00 00    # minor, major, type, padding
  1f 90  00 00 00 00 00 00     # port 8080, padding
  aa*32`

const BATCHED = hex`
  00 02  00 03  00 00 00 00
  00 50  00 00 00 00 00 00
  00 00 f0 00  00 00 f0 00  00 10  57 65 62 49 4f 00*11  04  aa*32
  00 01 00 00  02 00 00 00  00 10  57 65 62 49 4f 00*11  01  aa*32`

const batch: Offer = {
  type: 'batched',
  port: 80,
  segments: [
    { blockBytes: 61_440, segmentBytes: 61_440, tag, version: 2, segmentId },
    { blockBytes: 65_536, segmentBytes: 0x2000000, tag, version: 1, segmentId },
  ],
}

function infoOf(length: number): Uint8Array {
  const hasher = new ContentHasher({ version: 1, algorithm: 'sha256' })
  hasher.push(sampleContent(length))
  return writeContentInfo(hasher.finish(), new Uint8Array(32))
}

function refused(bytes: Uint8Array, code: string, offset: number): void {
  assert.equal(decodeOffer(bytes), { ok: false, code: `ERR_PEERNET_${code}`, offset })
}

test('D-095 D-096 an INITIAL_OFFER takes 16 bytes and the segment ID', () => {
  const offer: Offer = { type: 'initial', port: 8080, segmentId }
  assert.equal(encodeOffer(offer), INITIAL)
  assert.equal(decodeOffer(INITIAL), { ok: true, offer })
  for (const length of [48, 64]) {
    const longer = encodeOffer({ ...offer, segmentId: new Uint8Array(length) })
    assert.is(longer.length, 16 + length)
    assert.ok(decodeOffer(longer).ok)
  }
})

test('D-095 padding may hold anything', () => {
  const noisy = patched(patched(INITIAL, 4, 1, 2, 3, 4), 10, 1, 2, 3, 4, 5, 6)
  assert.equal(decodeOffer(noisy), decodeOffer(INITIAL))
})

test('D-099 a SEGMENT_INFO carries the content information of one segment', () => {
  const info = infoOf(128_000)
  const bytes = encodeOffer({ type: 'segment-info', port: 8080, tag, info })
  assert.is(bytes.length, 32 + info.length)
  assert.equal(bytes.subarray(16, 32), tag)
  assert.equal(bytes.subarray(32), info)
  const decoded = decodeOffer(bytes)
  assert.ok(decoded.ok && decoded.offer.type === 'segment-info')
  const { parsed } = decoded.offer
  assert.ok(parsed?.ok)
  assert.is(parsed.info.segments.length, 1)
  // DA-28: such an offer is answered and then ignored
  const bad = decodeOffer(patched(bytes, 34, 0xff))
  assert.ok(bad.ok && bad.offer.parsed?.ok === false)
})

test('D-100 a BATCHED_OFFER has 59 bytes a segment', () => {
  assert.equal(encodeOffer(batch), BATCHED)
  assert.is(BATCHED.length, 16 + 2 * 59)
  assert.equal(decodeOffer(BATCHED), { ok: true, offer: batch })
  const [segment] = batch.type === 'batched' ? batch.segments : []
  assert.ok(segment)
  const many = Array.from({ length: 128 }, () => segment)
  assert.ok(decodeOffer(encodeOffer({ type: 'batched', port: 80, segments: many })).ok)
})

test('D-101 batches of 0 or more than 128, odd tags and algorithms, and bytes behind are refused', () => {
  refused(BATCHED.subarray(0, 16), 'BAD_COUNT', 16)
  const descriptor = BATCHED.subarray(16, 75)
  const many = new Uint8Array([
    ...BATCHED.subarray(0, 16),
    ...Array.from({ length: 129 }, () => [...descriptor]).flat(),
  ])
  refused(many, 'BAD_COUNT', 16)
  refused(patched(BATCHED, 25, 15), 'BAD_LENGTH', 24)
  for (const algorithm of [0, 2, 3, 5]) {
    refused(patched(BATCHED, 42, algorithm), 'BAD_HASH_ALGORITHM', 42)
  }
  refused(spliced(BATCHED, BATCHED.length, 0, new Uint8Array(1)), 'TRAILING_BYTES', 134)
  refused(BATCHED.subarray(0, BATCHED.length - 1), 'TRAILING_BYTES', 75)
  refused(patched(BATCHED, 20, 0, 0, 0, 0), 'BAD_SEGMENT_SIZE', 20)
  refused(patched(BATCHED, 16, 0, 0, 0, 0), 'BAD_BLOCK_SIZE', 16)
})

test('other versions and types are refused', () => {
  refused(patched(INITIAL, 1, 2), 'BAD_VERSION', 0)
  refused(patched(INITIAL, 0, 1), 'BAD_VERSION', 0)
  refused(patched(BATCHED, 1, 1), 'BAD_VERSION', 0)
  for (const type of [0, 4, 255]) refused(patched(INITIAL, 3, type), 'UNKNOWN_MESSAGE_TYPE', 2)
  for (let length = 0; length < 16; length++) {
    assert.not(decodeOffer(INITIAL.subarray(0, length)).ok)
  }
  for (const length of [16, 17, 47, 49]) {
    const odd = new Uint8Array(length)
    odd.set(INITIAL.subarray(0, length))
    refused(odd, 'BAD_ID_LENGTH', 16)
  }
  refused(patched(new Uint8Array(98_305), 0, 0, 1, 0, 1), 'TOO_LONG', 0)
})

test('D-103 an answer is a length of 1 and a code', () => {
  assert.equal(encodeOfferAnswer('ok'), hex`00 00 00 01 00`)
  assert.equal(encodeOfferAnswer('interested'), hex`00 00 00 01 01`)
  for (const type of ['initial', 'segment-info', 'batched'] as const) {
    assert.is(decodeOfferAnswer(hex`00 00 00 01 00`, type), 'ok')
    const interested = decodeOfferAnswer(hex`00 00 00 01 01`, type)
    assert.is(interested, type === 'initial' ? 'interested' : undefined)
    for (const bytes of [
      hex`00 00 00 01`,
      hex`00 00 00 01 02`,
      hex`00 00 00 02 00`,
      hex`01 00 00 01 00`,
      hex`00 00 00 01 00 00`,
    ]) {
      assert.is(decodeOfferAnswer(bytes, type), undefined)
    }
  }
})

test('DA-26 content tags are filled up with zeros; what makes no offer is refused', () => {
  assert.equal(tag, hex`57 65 62 49 4f 00*11`)
  for (const name of ['', 'seventeen letters', 'ü']) assert.throws(() => contentTag(name))
  const code = (error: { code: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'
  const id = { type: 'initial', port: 80, segmentId } as const
  assert.throws(() => encodeOffer({ ...id, port: 65_536 }), code)
  assert.throws(() => encodeOffer({ ...id, segmentId: new Uint8Array(31) }), code)
  assert.throws(() => encodeOffer({ type: 'batched', port: 80, segments: [] }), code)
})

test.run()
