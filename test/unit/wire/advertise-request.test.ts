// ADVERTISE and REQUEST, MS-PNRP 2.2.2.2 and 2.2.2.3.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { counting, hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const advertise = messageVector('advertise-two')
const empty = messageVector('advertise-empty')
const request = messageVector('request-one')

/** `count` different IDs. */
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const id = counting(index, 32)
    id[0] = index >> 8
    return id
  })

const advertiseOf = (count: number) =>
  encodeMessage({ ...decoded(advertise.bytes, 'ADVERTISE'), pnrpIds: idsOf(count) })
const requestOf = (count: number) =>
  encodeMessage({ ...decoded(request.bytes, 'REQUEST'), pnrpIds: idsOf(count) })

test('PNRP-2.2.2.2-1 ADVERTISE starts with the Message ID of the SOLICIT', () => {
  assert.is(decoded(advertise.bytes, 'ADVERTISE').ackedMessageId, 0x11223344)
  assert.equal([...advertiseOf(0).slice(12, 20)], [0, 0x18, 0, 8, 0x11, 0x22, 0x33, 0x44])
  refused(patched(advertise.bytes, 13, 0x19), 'UNEXPECTED_FIELD', 12)
  refused(patched(advertise.bytes, 15, 9), 'BAD_LENGTH', 14)
})

test('PNRP-2.2.2.2-2 PNRP-2.2.2.2-4 the lengths of the ID array follow from its count', () => {
  for (const count of [0, 1, 2, 36]) {
    const bytes = advertiseOf(count)
    assert.equal([...bytes.slice(20, 22)], [0x00, 0x60])
    assert.is(u16(bytes, 22), 12 + count * 32)
    assert.is(u16(bytes, 24), count)
    assert.is(u16(bytes, 26), 8 + count * 32)
  }
  refused(patched(advertise.bytes, 23, 0x4b), 'BAD_ARRAY', 22)
  refused(patched(advertise.bytes, 23, 0x4d), 'BAD_ARRAY', 22)
  refused(patched(advertise.bytes, 27, 0x47), 'BAD_ARRAY', 26)
  refused(patched(advertise.bytes, 27, 0x49), 'BAD_ARRAY', 26)
  refused(patched(advertise.bytes, 25, 1), 'BAD_ARRAY', 26)
  refused(patched(advertise.bytes, 25, 3), 'BAD_ARRAY', 26)
  refused(patched(empty.bytes, 23, 11), 'BAD_LENGTH', 22)
})

test('PNRP-2.2.2.2-3 NumEntries reaches what Length can hold, 2047 (N-22)', () => {
  assert.is(decoded(advertiseOf(0), 'ADVERTISE').pnrpIds.length, 0)
  // 56 + 32 * 2045 = 65496 is the largest that a UDP datagram (65527 bytes) carries
  assert.is(decoded(advertiseOf(2045), 'ADVERTISE').pnrpIds.length, 2045)
  throwsInvalid(() => advertiseOf(2046))
  throwsInvalid(() => advertiseOf(2048))
  for (const count of [0x0800, 0x7fff, 0xffff]) {
    refused(patched(advertise.bytes, 24, count >> 8, count & 0xff), 'BAD_COUNT', 24)
  }
})

test('PNRP-2.2.2.2-5 PNRP-2.2.2.2-6 the array holds PNRP_IDs of 32 bytes', () => {
  assert.equal([...advertiseOf(1).slice(28, 32)], [0, 0x30, 0, 0x20])
  refused(patched(advertise.bytes, 29, 0x31), 'BAD_ARRAY', 28)
  refused(patched(advertise.bytes, 31, 0x10), 'BAD_ARRAY', 30)
})

test('PNRP-2.2.2.2-7 the IDs stand one behind the other', () => {
  const { pnrpIds } = decoded(advertise.bytes, 'ADVERTISE')
  same(pnrpIds, [advertise.bytes.slice(32, 64), advertise.bytes.slice(64, 96)])
  const many = idsOf(7)
  same(decoded(advertiseOf(7), 'ADVERTISE').pnrpIds, many)
  throwsInvalid(() =>
    encodeMessage({ ...decoded(advertise.bytes, 'ADVERTISE'), pnrpIds: [new Uint8Array(31)] }),
  )
})

test('PNRP-2.2.2.2-8 the hashed nonce is the third element, 0x0092 of 0x18', () => {
  const bytes = advertiseOf(2)
  assert.is(bytes.length, 56 + 64)
  assert.equal([...bytes.slice(96, 100)], [0, 0x92, 0, 0x18])
  refused(patched(advertise.bytes, 97, 0x93), 'UNEXPECTED_FIELD', 96)
  refused(patched(advertise.bytes, 99, 0x14), 'BAD_LENGTH', 98)
  refused(advertise.bytes.slice(0, 96), 'TRUNCATED', 96)
})

test('PNRP-2.2.2.3-1 REQUEST starts with the nonce, 0x0093 of 0x14', () => {
  same(decoded(request.bytes, 'REQUEST').nonce, request.bytes.slice(16, 32))
  assert.equal([...requestOf(0).slice(12, 16)], [0, 0x93, 0, 0x14])
  refused(patched(request.bytes, 13, 0x92), 'UNEXPECTED_FIELD', 12)
  refused(patched(request.bytes, 15, 0x18), 'BAD_LENGTH', 14)
  throwsInvalid(() =>
    encodeMessage({ ...decoded(request.bytes, 'REQUEST'), nonce: new Uint8Array(20) }),
  )
})

test('PNRP-2.2.2.3-2 PNRP-2.2.2.3-4 the lengths of its ID array follow from the count', () => {
  for (const count of [0, 1, 37]) {
    const bytes = requestOf(count)
    assert.is(bytes.length, 44 + count * 32)
    assert.equal([...bytes.slice(32, 34)], [0x00, 0x60])
    assert.is(u16(bytes, 34), 12 + count * 32)
    assert.is(u16(bytes, 38), 8 + count * 32)
  }
  refused(patched(request.bytes, 35, 0x2b), 'BAD_ARRAY', 34)
  refused(patched(request.bytes, 35, 0x2d), 'TRUNCATED', 36)
  refused(patched(request.bytes, 39, 0x29), 'BAD_ARRAY', 38)
})

test('PNRP-2.2.2.3-3 NumEntries of a REQUEST has the same range', () => {
  assert.is(decoded(requestOf(0), 'REQUEST').pnrpIds.length, 0)
  assert.is(decoded(requestOf(2046), 'REQUEST').pnrpIds.length, 2046)
  throwsInvalid(() => requestOf(2047))
  refused(patched(request.bytes, 36, 0x08, 0), 'BAD_COUNT', 36)
})

test('PNRP-2.2.2.3-5 PNRP-2.2.2.3-6 PNRP-2.2.2.3-7 it holds PNRP_IDs of 32 bytes', () => {
  assert.equal([...requestOf(1).slice(40, 44)], [0, 0x30, 0, 0x20])
  refused(patched(request.bytes, 41, 0x9d), 'BAD_ARRAY', 40)
  refused(patched(request.bytes, 43, 0x12), 'BAD_ARRAY', 42)
  same(decoded(request.bytes, 'REQUEST').pnrpIds, [request.bytes.slice(44)])
  refused(request.bytes.slice(0, -1), 'TRUNCATED', 36)
})

test('elements in another order are refused', () => {
  const [acked, array] = [advertise.bytes.slice(12, 20), advertise.bytes.slice(20, 96)]
  const swapped = spliced(advertise.bytes, 12, 84, hex`${array} ${acked}`)
  refused(swapped, 'UNEXPECTED_FIELD', 12)
  assert.not.ok(decodeMessage(spliced(request.bytes, 12, 20)).ok)
})

test.run()
