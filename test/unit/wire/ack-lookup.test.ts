// ACK and LOOKUP, MS-PNRP 2.2.2.7 and 2.2.2.8.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const ack = messageVector('ack-plain')
const notFound = messageVector('ack-not-found')
const plain = messageVector('lookup-plain')
const full = messageVector('lookup-full')
const endpoint = { address: new Uint8Array(16).fill(1), port: 3540 }

const lookupOf = (changes: object, asReceived = false) =>
  encodeMessage({ ...decoded(plain.bytes, 'LOOKUP'), ...changes }, { asReceived })
const pathOf = (count: number) =>
  lookupOf({ flaggedPath: Array.from({ length: count }, () => endpoint) })

test('PNRP-2.2.2.7-1 ACK starts with the Message ID acknowledged, 0x0018 of Length 8', () => {
  assert.is(decoded(ack.bytes, 'ACK').ackedMessageId, 4)
  assert.equal([...encodeMessage(ack.message).slice(12, 20)], [0, 0x18, 0, 8, 0, 0, 0, 4])
  refused(patched(ack.bytes, 13, 0x40), 'UNEXPECTED_FIELD', 12)
  refused(patched(ack.bytes, 15, 12), 'BAD_LENGTH', 14)
  refused(ack.bytes.slice(0, 12), 'TRUNCATED', 12)
})

test('PNRP-2.2.2.7-2 its flags are 0x0040 of Length 6, and optional', () => {
  assert.not.ok(decoded(ack.bytes, 'ACK').notFound)
  assert.ok(decoded(notFound.bytes, 'ACK').notFound)
  assert.equal([...encodeMessage(notFound.message).slice(20)], [0, 0x40, 0, 6, 0, 1])
  refused(patched(notFound.bytes, 21, 0x41), 'TRAILING_BYTES', 20)
  refused(patched(notFound.bytes, 23, 8), 'BAD_LENGTH', 22)
  // present without N: accepted, and left out when sent again (MC-DRT)
  const flagless = patched(notFound.bytes, 25, 0)
  assert.not.ok(decoded(flagless, 'ACK').notFound)
})

test('PNRP-2.2.2.7-3 an ACK is 20 or 26 bytes long', () => {
  assert.is(encodeMessage(ack.message).length, 20)
  assert.is(encodeMessage(notFound.message).length, 26)
  for (const length of [22, 23, 24, 25]) {
    assert.not.ok(decodeMessage(notFound.bytes.slice(0, length)).ok, `${length} bytes`)
  }
  assert.not.ok(decodeMessage(hex`${notFound.bytes} 0001`).ok)
})

test('PNRP-2.2.2.7-4 the 15 reserved bits of its flags are ignored and sent as 0', () => {
  assert.not.ok(decoded(patched(notFound.bytes, 24, 0xff, 0xfe), 'ACK').notFound)
  const message = decoded(patched(notFound.bytes, 24, 0xff, 0xff), 'ACK')
  assert.ok(message.notFound)
  assert.is(u16(encodeMessage(message), 24), 1)
})

test('PNRP-2.2.2.8-1 LOOKUP starts with its controls, 0x0045 of Length 12', () => {
  assert.equal([...encodeMessage(plain.message).slice(12, 16)], [0, 0x45, 0, 12])
  refused(patched(plain.bytes, 13, 0x44), 'UNEXPECTED_FIELD', 12)
  for (const length of [10, 11, 14]) refused(patched(plain.bytes, 15, length), 'BAD_LENGTH', 14)
})

test('PNRP-2.2.2.8-2 PNRP-2.2.2.8-3 PNRP-2.2.2.8-4 A is 0x0002, other bits are ignored', () => {
  assert.ok(decoded(patched(plain.bytes, 16, 0, 2), 'LOOKUP').acceptNotCloser)
  assert.not.ok(decoded(patched(plain.bytes, 16, 0xff, 0xfc), 'LOOKUP').acceptNotCloser)
  assert.not.ok(decoded(patched(plain.bytes, 16, 0, 1), 'LOOKUP').acceptNotCloser)
  const message = decoded(patched(plain.bytes, 16, 0xff, 0xff), 'LOOKUP')
  assert.ok(message.acceptNotCloser)
  assert.is(u16(encodeMessage(message), 16), 2)
  assert.is(u16(lookupOf({ acceptNotCloser: false }), 16), 0)
})

test('PNRP-2.2.2.8-5 Precision may hold anything', () => {
  for (const precision of [0, 1, 256, 257, 0xffff]) {
    for (const resolveCriteria of [0, 8]) {
      const bytes = lookupOf({ precision, resolveCriteria })
      assert.is(u16(bytes, 18), precision)
      assert.is(decoded(bytes, 'LOOKUP').precision, precision)
    }
  }
  throwsInvalid(() => lookupOf({ precision: 0x10000 }))
})

test('PNRP-2.2.2.8-7 ResolveCriteria is one of 0, 1, 2, 4, 8 and no combination', () => {
  for (let criteria = 0; criteria < 256; criteria++) {
    const bytes = patched(plain.bytes, 20, criteria)
    if ([0, 1, 2, 4, 8].includes(criteria)) {
      assert.is(decoded(bytes, 'LOOKUP').resolveCriteria, criteria)
      assert.is(lookupOf({ resolveCriteria: criteria })[20], criteria)
    } else {
      refused(bytes, 'BAD_VALUE', 20)
      throwsInvalid(() => lookupOf({ resolveCriteria: criteria }))
    }
  }
})

test('PNRP-2.2.2.8-8 ResolveReasonCode is 0 to 3 when sent, and anything when received', () => {
  for (const reason of [0, 1, 2, 3]) assert.is(lookupOf({ resolveReasonCode: reason })[21], reason)
  for (const reason of [4, 255]) {
    throwsInvalid(() => lookupOf({ resolveReasonCode: reason }), /resolveReasonCode/)
    // 3.2.5.2 step 1 ignores the value
    const message = decoded(patched(plain.bytes, 21, reason), 'LOOKUP')
    assert.is(message.resolveReasonCode, reason)
    assert.is(lookupOf(message, true)[21], reason)
  }
})

test('PNRP-2.2.2.8-10 Reserved2 counts in Length, is sent as 0 and ignored', () => {
  same(decodeMessage(patched(plain.bytes, 22, 0xaa, 0xbb)), { ok: true, message: plain.message })
  assert.equal([...encodeMessage(plain.message).slice(22, 24)], [0, 0])
})

test('PNRP-2.2.2.8-11 PNRP-2.2.2.8-12 target, 0x0038, and validate, 0x0039, follow', () => {
  const message = decoded(plain.bytes, 'LOOKUP')
  same(message.targetPnrpId, plain.bytes.slice(28, 60))
  same(message.validatePnrpId, plain.bytes.slice(64, 96))
  const bytes = encodeMessage(plain.message)
  assert.equal([...bytes.slice(24, 28)], [0, 0x38, 0, 0x24])
  assert.equal([...bytes.slice(60, 64)], [0, 0x39, 0, 0x24])
  refused(patched(plain.bytes, 25, 0x39), 'UNEXPECTED_FIELD', 24)
  refused(patched(plain.bytes, 27, 0x20), 'BAD_LENGTH', 26)
  refused(patched(plain.bytes, 61, 0x38), 'UNEXPECTED_FIELD', 60)
  refused(patched(plain.bytes, 63, 0x28), 'BAD_LENGTH', 62)
})

test('PNRP-2.2.2.8-14 PNRP-2.2.2.8-16 the optional route entry, and padding only with it', () => {
  assert.is(decoded(plain.bytes, 'LOOKUP').routeEntry, undefined)
  assert.is(decoded(full.bytes, 'LOOKUP').routeEntry?.port, 3540)
  const bytes = encodeMessage(full.message)
  assert.equal([...bytes.slice(96, 100)], [0, 0x9a, 0, 4 + 38 + 16])
  assert.equal([...bytes.slice(154, 158)], [0, 0, 0, 0x9e])
  same(decodeMessage(patched(full.bytes, 154, 3, 3)), { ok: true, message: full.message })
  assert.not.ok(decodeMessage(spliced(full.bytes, 154, 2)).ok)
  assert.not.ok(decodeMessage(spliced(plain.bytes, 96, 0, new Uint8Array(2))).ok)
})

test('PNRP-2.2.2.8-17 PNRP-2.2.2.8-19 the Flagged Path comes last and cannot be missing', () => {
  refused(plain.bytes.slice(0, 96), 'TRUNCATED', 96)
  refused(full.bytes.slice(0, 156), 'TRUNCATED', 156)
  for (const count of [1, 2, 22]) {
    const bytes = pathOf(count)
    assert.is(u16(bytes, 96), 0x009e)
    assert.is(u16(bytes, 98), 12 + 18 * count)
    assert.is(u16(bytes, 100), count)
    assert.is(u16(bytes, 102), 8 + 18 * count)
  }
  refused(patched(plain.bytes, 99, 0x1d), 'BAD_ARRAY', 98)
  refused(patched(plain.bytes, 103, 0x1b), 'BAD_ARRAY', 102)
})

test('PNRP-2.2.2.8-18 the Flagged Path has 1 to 22 entries', () => {
  assert.is(decoded(pathOf(1), 'LOOKUP').flaggedPath.length, 1)
  same(decoded(pathOf(22), 'LOOKUP').flaggedPath, new Array(22).fill(endpoint))
  throwsInvalid(() => pathOf(0))
  throwsInvalid(() => pathOf(23))
  refused(patched(plain.bytes.slice(0, 108), 98, 0, 12, 0, 0, 0, 8), 'BAD_COUNT', 100)
  const tooMany = hex`${pathOf(22)} 0dd4 01*16`
  tooMany.set([0x01, 0xaa, 0, 23, 0x01, 0xa6], 98)
  refused(tooMany, 'BAD_COUNT', 100)
})

test('PNRP-2.2.2.8-20 PNRP-2.2.2.8-21 it holds IPV6_ENDPOINTs of 18 bytes', () => {
  assert.equal([...pathOf(1).slice(104, 108)], [0, 0x9d, 0, 0x12])
  refused(patched(plain.bytes, 105, 0x30), 'BAD_ARRAY', 104)
  refused(patched(plain.bytes, 107, 0x14), 'BAD_ARRAY', 106)
})

test.run()
