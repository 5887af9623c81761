// INQUIRE, MS-PNRP 2.2.2.5.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const plain = messageVector('inquire-plain')
const all = messageVector('inquire-all')

const flagged = (word: number) =>
  decoded(patched(plain.bytes, 16, word >> 8, word & 255), 'INQUIRE')
const wants = (word: number) => {
  const { wantCpa, wantExtendedPayload, wantCertificateChain } = flagged(word)
  return [wantCpa, wantExtendedPayload, wantCertificateChain]
}
const sent = (want: object) => u16(encodeMessage({ ...flagged(0), ...want }), 16)

test('PNRP-2.2.2.5-1 the flags come first, 0x0040 of Length 6', () => {
  assert.equal([...encodeMessage(plain.message).slice(12, 16)], [0, 0x40, 0, 6])
  refused(patched(plain.bytes, 13, 0x43), 'UNEXPECTED_FIELD', 12)
  for (const length of [4, 7, 8]) refused(patched(plain.bytes, 15, length), 'BAD_LENGTH', 14)
})

test('PNRP-2.2.2.5-2 A is 0x0010', () => {
  assert.equal(wants(0x0010), [true, false, false])
  assert.is(sent({ wantCpa: true }), 0x0010)
})

test('PNRP-2.2.2.5-3 X is 0x0008', () => {
  assert.equal(wants(0x0008), [false, true, false])
  assert.is(sent({ wantExtendedPayload: true }), 0x0008)
})

test('PNRP-2.2.2.5-4 C is 0x0004', () => {
  assert.equal(wants(0x0004), [false, false, true])
  assert.is(sent({ wantCertificateChain: true }), 0x0004)
})

test('PNRP-2.2.2.5-5 PNRP-2.2.2.5-6 other flag bits are ignored and sent as 0', () => {
  assert.equal(wants(0xffe0), [false, false, false])
  assert.equal(wants(0x0003), [false, false, false])
  assert.equal(wants(0xffff), [true, true, true])
  assert.is(u16(encodeMessage(flagged(0xffff)), 16), 0x001c)
})

test('PNRP-2.2.2.5-7 two padding bytes follow the flags', () => {
  same(decodeMessage(patched(all.bytes, 18, 5, 6)), { ok: true, message: all.message })
  assert.equal([...encodeMessage(all.message).slice(18, 20)], [0, 0])
  assert.not.ok(decodeMessage(spliced(all.bytes, 18, 2)).ok)
})

test('PNRP-2.2.2.5-8 the Validate PNRP ID is next, 0x0039 of 0x24', () => {
  same(decoded(plain.bytes, 'INQUIRE').validatePnrpId, plain.bytes.slice(24))
  refused(patched(plain.bytes, 21, 0x38), 'UNEXPECTED_FIELD', 20)
  refused(patched(plain.bytes, 23, 0x25), 'BAD_LENGTH', 22)
  refused(plain.bytes.slice(0, 20), 'TRUNCATED', 20)
  refused(plain.bytes.slice(0, 55), 'TRUNCATED', 24)
})

test('PNRP-2.2.2.5-9 PNRP-2.2.2.5-10 the nonce is 0x0093 of 0x14, all there or not at all', () => {
  same(decoded(all.bytes, 'INQUIRE').nonce, all.bytes.slice(60))
  assert.is(decoded(plain.bytes, 'INQUIRE').nonce, undefined)
  assert.is(encodeMessage(all.message).length, 76)
  assert.is(encodeMessage(plain.message).length, 56)
  refused(patched(all.bytes, 57, 0x92), 'TRAILING_BYTES', 56)
  refused(patched(all.bytes, 59, 0x18), 'BAD_LENGTH', 58)
  for (let length = 60; length < 76; length++) {
    refused(all.bytes.slice(0, length), 'TRUNCATED', 60)
  }
  for (const length of [0, 15, 17]) {
    const message = { ...decoded(all.bytes, 'INQUIRE'), nonce: new Uint8Array(length) }
    throwsInvalid(() => encodeMessage(message), /nonce/)
  }
  refused(hex`${all.bytes} 0093 0014 00*16`, 'TRAILING_BYTES', 76)
})

test.run()
