// SOLICIT, MS-PNRP 2.2.2.1.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, omit, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const minimal = messageVector('solicit-minimal')
const full = messageVector('solicit-full')

// full: controls at 12, route entry at 20, hashed nonce at 80
const withoutRoute = spliced(full.bytes, 20, 60)
const withoutControls = spliced(full.bytes, 12, 8)

test('PNRP-2.2.2.1-1 PNRP-2.2.2.1-11 optional elements are known by FieldID', () => {
  assert.is(decoded(minimal.bytes, 'SOLICIT').solicitType, undefined)
  assert.is(decoded(minimal.bytes, 'SOLICIT').routeEntry, undefined)
  assert.is(decoded(withoutRoute, 'SOLICIT').solicitType, 1)
  assert.is(decoded(withoutRoute, 'SOLICIT').routeEntry, undefined)
  assert.is(decoded(withoutControls, 'SOLICIT').solicitType, undefined)
  assert.is(decoded(withoutControls, 'SOLICIT').routeEntry?.port, 3540)
  assert.is(u16(encodeMessage(full.message), 12), 0x0044)
  // controls that do not come first
  const controls = full.bytes.slice(12, 20)
  refused(spliced(withoutControls, 72, 0, controls), 'UNEXPECTED_FIELD', 72)
})

test('PNRP-2.2.2.1-2 the controls have Length 6, and are there exactly with their FieldID', () => {
  for (const length of [4, 5, 7, 8]) refused(patched(full.bytes, 15, length), 'BAD_LENGTH', 14)
  const message = { ...minimal.message, solicitType: 0 } as const
  const encoded = encodeMessage(message)
  assert.is(encoded.length, minimal.bytes.length + 8)
  assert.equal([...encoded.slice(12, 20)], [0, 0x44, 0, 6, 0, 0, 0, 0])
})

test('PNRP-2.2.2.1-3 the Reserved byte is ignored on receipt and sent as 0', () => {
  same(decodeMessage(patched(full.bytes, 16, 0xff)), { ok: true, message: full.message })
  assert.is(encodeMessage(full.message)[16], 0)
})

test('PNRP-2.2.2.1-4 SolicitType is 0 or 1', () => {
  assert.is(decoded(patched(full.bytes, 17, 0), 'SOLICIT').solicitType, 0)
  assert.is(decoded(patched(full.bytes, 17, 1), 'SOLICIT').solicitType, 1)
  for (const type of [2, 3, 255]) refused(patched(full.bytes, 17, type), 'BAD_VALUE', 17)
  const message = { ...full.message, solicitType: 2 } as unknown as typeof full.message
  throwsInvalid(() => encodeMessage(message), /solicitType/)
})

test('PNRP-2.2.2.1-5 two padding bytes follow the controls, sent as 0 and ignored', () => {
  same(decodeMessage(patched(full.bytes, 18, 0xab, 0xcd)), { ok: true, message: full.message })
  assert.equal([...encodeMessage(full.message).slice(18, 20)], [0, 0])
})

test('PNRP-2.2.2.1-6 the route entry follows the header or the controls as 0x009A', () => {
  assert.is(u16(encodeMessage(full.message), 20), 0x009a)
  const message = omit(decoded(full.bytes, 'SOLICIT'), 'solicitType')
  assert.is(u16(encodeMessage(message), 12), 0x009a)
  refused(patched(full.bytes, 21, 0x9b), 'UNEXPECTED_FIELD', 20)
})

test('PNRP-2.2.2.1-8 the Length of the route entry is that of ROUTE_ENTRY plus 4', () => {
  // 38 + 16 + 4
  assert.is(u16(encodeMessage(full.message), 22), 58)
  for (const length of [57, 59, 74]) refused(patched(full.bytes, 23, length), 'BAD_LENGTH', 22)
})

test('PNRP-2.2.2.1-10 padding after the route entry is sent as 0 and ignored', () => {
  assert.equal([...encodeMessage(full.message).slice(78, 80)], [0, 0])
  same(decodeMessage(patched(full.bytes, 78, 1, 2)), { ok: true, message: full.message })
})

test('PNRP-2.2.2.1-12 the hashed nonce comes last and cannot be missing', () => {
  refused(full.bytes.slice(0, 80), 'TRUNCATED', 80)
  refused(minimal.bytes.slice(0, 12), 'TRUNCATED', 12)
  refused(patched(minimal.bytes, 13, 0x93), 'UNEXPECTED_FIELD', 12)
  refused(patched(minimal.bytes, 15, 0x17), 'BAD_LENGTH', 14)
  refused(patched(minimal.bytes, 15, 0x19), 'BAD_LENGTH', 14)
  refused(minimal.bytes.slice(0, 35), 'TRUNCATED', 16)
  same(decoded(minimal.bytes, 'SOLICIT').hashedNonce, minimal.bytes.slice(16))
  for (const length of [0, 19, 21]) {
    const hashedNonce = new Uint8Array(length)
    throwsInvalid(() => encodeMessage({ ...decoded(minimal.bytes, 'SOLICIT'), hashedNonce }))
  }
})

test('an element too many is refused', () => {
  refused(hex`${minimal.bytes} 0092 0018 00*20`, 'TRAILING_BYTES', 36)
})

test.run()
