// AUTHORITY, MS-PNRP 2.2.2.6, and its cutting, 3.2.5.10.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage, splitAuthority } from '#lib/wire/codec.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { patched } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decoded, refused, throwsInvalid, u16 } from '../../helpers/wire.js'

const flags = messageVector('authority-flags')
const fragment = messageVector('authority-fragment')
const bufferOf = (size: number) => new Uint8Array(size).map((_, index) => index * 7 + (index >> 8))

test('PNRP-2.2.2.6-1 the Message ID of the request comes first', () => {
  assert.is(decoded(flags.bytes, 'AUTHORITY').ackedMessageId, 6)
  assert.equal([...encodeMessage(flags.message).slice(12, 20)], [0, 0x18, 0, 8, 0, 0, 0, 6])
  refused(patched(flags.bytes, 13, 0x10), 'UNEXPECTED_FIELD', 12)
  refused(patched(flags.bytes, 15, 6), 'BAD_LENGTH', 14)
})

test('PNRP-2.2.2.6-2 SPLIT_CONTROLS are next, 0x0098 of Length 8', () => {
  assert.equal([...encodeMessage(flags.message).slice(20, 24)], [0, 0x98, 0, 8])
  refused(patched(flags.bytes, 21, 0x99), 'UNEXPECTED_FIELD', 20)
  refused(patched(flags.bytes, 23, 9), 'BAD_LENGTH', 22)
  refused(flags.bytes.slice(0, 27), 'TRUNCATED', 24)
})

test('PNRP-2.2.2.6-3 Size does not exceed 37348', () => {
  const largest = splitAuthority(1, 2, bufferOf(37348))
  assert.is(largest.length, 32)
  assert.is(u16(largest[0] as Uint8Array, 24), 0x91e4)
  assert.ok(decodeMessage(largest[0] as Uint8Array).ok)
  refused(patched(largest[0] as Uint8Array, 24, 0x91, 0xe5), 'BAD_SPLIT', 24)
  throwsInvalid(() => splitAuthority(1, 2, bufferOf(37349)))
  throwsInvalid(() => splitAuthority(1, 2, bufferOf(0)))
  const message = { ...decoded(fragment.bytes, 'AUTHORITY'), size: 37349 }
  throwsInvalid(() => encodeMessage(message))
  // an AUTHORITY_BUFFER has at least its flags
  refused(patched(flags.bytes, 24, 0, 5), 'BAD_SPLIT', 24)
})

test('PNRP-2.2.2.6-4 Offset is big-endian and a multiple of 1188', () => {
  assert.is(decoded(fragment.bytes, 'AUTHORITY').offset, 1188)
  for (const offset of [1, 4, 1187, 1189]) {
    refused(patched(fragment.bytes, 26, offset >> 8, offset & 255), 'BAD_SPLIT', 26)
  }
  // at or beyond Size
  refused(patched(fragment.bytes, 24, 0x04, 0xa4), 'BAD_SPLIT', 26)
  refused(patched(fragment.bytes, 26, 0x09, 0x48), 'BAD_SPLIT', 26)
})

test('PNRP-2.2.2.6-5 the rest of the datagram is the slice', () => {
  same(decoded(flags.bytes, 'AUTHORITY').buffer, flags.bytes.slice(28))
  same(decoded(fragment.bytes, 'AUTHORITY').buffer, fragment.bytes.slice(28))
  refused(flags.bytes.slice(0, 28), 'TRUNCATED', 28)
})

test('PNRP-3.2.5.10-1 a buffer of at most 1188 bytes goes out as one AUTHORITY', () => {
  for (const size of [6, 8, 1187, 1188]) {
    const [datagram, ...more] = splitAuthority(5, 6, bufferOf(size))
    assert.equal(more, [])
    const buffer = bufferOf(size)
    same(decoded(datagram as Uint8Array, 'AUTHORITY'), {
      ...{ type: 'AUTHORITY', messageId: 5, ackedMessageId: 6, size, offset: 0, buffer },
    })
  }
})

test('PNRP-3.2.5.10-2 PNRP-3.2.5.10-3 a larger one is cut into fragments', () => {
  for (const size of [1189, 2376, 2377, 5000, 37348]) {
    const slices = splitAuthority(5, 6, bufferOf(size)).map((bytes) => decoded(bytes, 'AUTHORITY'))
    assert.is(slices.length, Math.ceil(size / 1188))
    const lengths = slices.map((slice) => slice.buffer.length)
    assert.equal(lengths.slice(0, -1), new Array(slices.length - 1).fill(1188))
    assert.is(lengths.at(-1), size - 1188 * (slices.length - 1))
    same(Buffer.concat(slices.map((slice) => slice.buffer)), bufferOf(size))
  }
})

test('PNRP-3.2.5.10-4 PNRP-3.2.5.10-5 fragments differ in Offset and slice only', () => {
  const datagrams = splitAuthority(0xfedcba98, 0x12345678, bufferOf(3000))
  for (const [index, datagram] of datagrams.entries()) {
    same(datagram.slice(0, 26), (datagrams[0] as Uint8Array).slice(0, 26))
    assert.is(u16(datagram, 24), 3000)
    assert.is(u16(datagram, 26), index * 1188)
    assert.ok(datagram.length <= 1216)
  }
})

test('a slice that does not fit Size is left to reassembly, and never sent', () => {
  const overrun = { ...decoded(fragment.bytes, 'AUTHORITY'), size: 1189 }
  assert.ok(decodeMessage(patched(fragment.bytes, 24, 0x04, 0xa5)).ok)
  throwsInvalid(() => encodeMessage(overrun))
  const short = { ...decoded(flags.bytes, 'AUTHORITY'), size: 1500 }
  throwsInvalid(() => encodeMessage(short))
  const long = { ...short, size: 1300, buffer: bufferOf(1300) }
  throwsInvalid(() => encodeMessage(long), /splitAuthority/)
  assert.is(encodeMessage(long, { asReceived: true }).length, 1328)
})

test.run()
