// FLOOD, MS-PNRP 2.2.2.4.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { cpaVector, revokeFlood, revokeWithoutNonce } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const empty = messageVector('flood-empty')
const route = messageVector('flood-route')
const endpoint = { address: new Uint8Array(16).fill(7), port: 4000 }
const floodOf = (count: number) =>
  encodeMessage({
    ...decoded(empty.bytes, 'FLOOD'),
    floodedList: Array.from({ length: count }, () => endpoint),
  })

/** `route` with its route entry (56..131) replaced. */
const withRevoke = (cpa: Uint8Array, padding = -(cpa.length + 4) & 3) =>
  spliced(
    route.bytes,
    56,
    76,
    hex`009c ${new Uint8Array([(cpa.length + 4) >> 8, (cpa.length + 4) & 255])} ${cpa}
        ${new Uint8Array(padding)}`,
  )

test('PNRP-2.2.2.4-1 the controls come first, 0x0043 of Length 7', () => {
  assert.equal([...encodeMessage(empty.message).slice(12, 16)], [0, 0x43, 0, 7])
  refused(patched(empty.bytes, 13, 0x44), 'UNEXPECTED_FIELD', 12)
  for (const length of [6, 8]) refused(patched(empty.bytes, 15, length), 'BAD_LENGTH', 14)
})

test('PNRP-2.2.2.4-2 D is the lowest bit, the other 15 are ignored and sent as 0', () => {
  assert.ok(decoded(patched(empty.bytes, 16, 0, 1), 'FLOOD').doNotAck)
  assert.not.ok(decoded(patched(empty.bytes, 16, 0xff, 0xfe), 'FLOOD').doNotAck)
  const message = decoded(patched(empty.bytes, 16, 0xff, 0xff), 'FLOOD')
  assert.ok(message.doNotAck)
  assert.is(u16(encodeMessage(message), 16), 1)
})

test('PNRP-2.2.2.4-3 PNRP-2.2.2.4-4 Reserved2 and the padding byte are ignored', () => {
  for (const [reserved, padding] of [
    [0xff, 0],
    [0, 0xff],
    [0x12, 0x34],
  ] as const) {
    same(decodeMessage(patched(empty.bytes, 18, reserved, padding)), {
      ok: true,
      message: empty.message,
    })
  }
  assert.equal([...encodeMessage(empty.message).slice(18, 20)], [0, 0])
})

test('PNRP-2.2.2.4-5 the Validate PNRP ID is next, 0x0039 of 0x24', () => {
  same(decoded(route.bytes, 'FLOOD').validatePnrpId, route.bytes.slice(24, 56))
  assert.equal([...encodeMessage(route.message).slice(20, 24)], [0, 0x39, 0, 0x24])
  refused(patched(route.bytes, 21, 0x38), 'UNEXPECTED_FIELD', 20)
  refused(patched(route.bytes, 23, 0x20), 'BAD_LENGTH', 22)
  refused(spliced(route.bytes, 20, 36), 'UNEXPECTED_FIELD', 20)
})

test('PNRP-2.2.2.4-8 PNRP-2.2.2.4-9 a revoke CPA is 0x009C with 4 + its size as Length', () => {
  const bytes = encodeMessage(revokeFlood.message)
  assert.is(u16(bytes, 56), 0x009c)
  assert.is(u16(bytes, 58), 4 + 381)
  refused(patched(revokeFlood.bytes, 57, 0x9b), 'UNEXPECTED_FIELD', 56)
  // one byte more, out of the padding: the CPA no longer ends where its CPA Length says
  refused(patched(revokeFlood.bytes, 59, 0x82), 'BAD_LENGTH', 60)
  refused(patched(revokeFlood.bytes, 58, 0, 4), 'BAD_LENGTH', 58)
})

test('a revoke CPA has to be one', () => {
  // R clear, and not a CPA at all; offsets of the fault inside count from the datagram's start
  refused(withRevoke(cpaVector('cpa-smallest-live').bytes), 'BAD_FLAGS', 60 + 6)
  refused(withRevoke(patched(revokeFlood.bytes.slice(60, 441), 2, 1)), 'BAD_VERSION', 60 + 2)
  assert.ok(decodeMessage(withRevoke(cpaVector('cpa-smallest-revoke').bytes)).ok)
  assert.ok(decodeMessage(withRevoke(revokeWithoutNonce)).ok)
})

test('PNRP-2.2.2.4-10 PNRP-2.2.2.4-11 padding follows the revoke CPA only', () => {
  // 56 + 4 + 381 = 441: three bytes to 444
  same(decodeMessage(patched(revokeFlood.bytes, 441, 1, 2, 3)), {
    ok: true,
    message: revokeFlood.message,
  })
  assert.equal([...encodeMessage(revokeFlood.message).slice(441, 444)], [0, 0, 0])
  for (const missing of [1, 2, 3]) {
    refused(spliced(revokeFlood.bytes, 441, missing), 'UNEXPECTED_FIELD', 444)
  }
  refused(spliced(empty.bytes, 56, 0, new Uint8Array(3)), 'UNEXPECTED_FIELD', 56)
})

test('PNRP-2.2.2.4-13 PNRP-2.2.2.4-14 a route entry is 0x009A with 4 + its size as Length', () => {
  assert.is(decoded(route.bytes, 'FLOOD').routeEntry?.addresses.length, 2)
  assert.is(decoded(empty.bytes, 'FLOOD').routeEntry, undefined)
  const bytes = encodeMessage(route.message)
  assert.is(u16(bytes, 56), 0x009a)
  assert.is(u16(bytes, 58), 4 + 38 + 32)
  refused(patched(route.bytes, 59, 0x5a), 'BAD_LENGTH', 58)
  // before the revoke CPA it is out of order
  const swapped = hex`${route.bytes.slice(0, 132)} ${revokeFlood.bytes.slice(56, 444)}
    ${route.bytes.slice(132)}`
  refused(swapped, 'UNEXPECTED_FIELD', 132)
  const both = hex`${route.bytes.slice(0, 56)} ${revokeFlood.bytes.slice(56, 444)}
    ${route.bytes.slice(56)}`
  const message = decoded(both, 'FLOOD')
  assert.is(message.revokeCpa?.length, 381)
  assert.is(message.routeEntry?.port, 3541)
})

test('PNRP-2.2.2.4-15 padding follows the route entry, any value, only with it', () => {
  same(decodeMessage(patched(route.bytes, 130, 9, 9)), { ok: true, message: route.message })
  assert.equal([...encodeMessage(route.message).slice(130, 132)], [0, 0])
  assert.not.ok(decodeMessage(spliced(route.bytes, 130, 2)).ok)
})

test('PNRP-2.2.2.4-16 PNRP-2.2.2.4-18 the flooded list comes last and cannot be missing', () => {
  refused(route.bytes.slice(0, 132), 'TRUNCATED', 132)
  refused(empty.bytes.slice(0, 56), 'TRUNCATED', 56)
  for (const count of [0, 1, 22]) {
    const bytes = floodOf(count)
    assert.is(u16(bytes, 56), 0x009e)
    assert.is(u16(bytes, 58), 12 + 18 * count)
    assert.is(u16(bytes, 60), count)
    assert.is(u16(bytes, 62), 8 + 18 * count)
    assert.is(bytes.length, 68 + 18 * count)
  }
  refused(patched(route.bytes, 135, 0x1d), 'BAD_ARRAY', 134)
  refused(patched(route.bytes, 139, 0x19), 'BAD_ARRAY', 138)
})

test('PNRP-2.2.2.4-17 the flooded list has 0 to 22 entries', () => {
  assert.is(decoded(floodOf(0), 'FLOOD').floodedList.length, 0)
  same(decoded(floodOf(22), 'FLOOD').floodedList, new Array(22).fill(endpoint))
  throwsInvalid(() => floodOf(23))
  const most = floodOf(22)
  const tooMany = hex`${most} 0fa0 07*16`
  tooMany.set([0x01, 0xaa, 0, 23, 0x01, 0xa6], 58) // 12 + 414, 23, 8 + 414
  refused(tooMany, 'BAD_COUNT', 60)
})

test('PNRP-2.2.2.4-19 PNRP-2.2.2.4-20 it holds IPV6_ENDPOINTs of 18 bytes', () => {
  assert.equal([...floodOf(1).slice(64, 68)], [0, 0x9d, 0, 0x12])
  refused(patched(empty.bytes, 65, 0x9e), 'BAD_ARRAY', 64)
  refused(patched(empty.bytes, 67, 0x10), 'BAD_ARRAY', 66)
})

test.run()
