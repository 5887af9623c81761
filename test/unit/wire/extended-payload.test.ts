// EXTENDED_PAYLOAD, MS-PNRP 2.2.3.3.
import * as assert from 'uvu/assert'
import { decodeExtendedPayload, encodeExtendedPayload } from '#lib/wire/codec.js'
import type { ExtendedPayload } from '#lib/wire/messages.js'
import { payloadVector, payloadVectors } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { counting, hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { decodedPayload, payloadRefused, throwsInvalid, u16le } from '../../helpers/wire.js'

const binary = payloadVector('payload-binary')
const utf16 = payloadVector('payload-utf16')
const utf8 = payloadVector('payload-utf8')

const encode = (payload: ExtendedPayload['payload']) =>
  encodeExtendedPayload({ ...binary.payload, payload })
const binaryOf = (length: number) =>
  encode({ kind: 'binary', data: new Uint8Array(length).fill(1) })
const textOf = (encoding: 'utf-8' | 'utf-16', text: string) =>
  encode({ kind: 'text', encoding, text })

/** Replaces the payload (from offset 74 on) and makes all lengths fit it. */
function withPayload(bytes: Uint8Array, payload: Uint8Array): Uint8Array {
  const grown = spliced(bytes, 74, bytes.length - 136 - 74, payload)
  const put = (at: number, value: number) => grown.set([value & 255, value >> 8], at)
  put(0, grown.length)
  put(6, 74 + payload.length)
  put(66, 10 + payload.length)
  put(72, payload.length)
  return grown
}

test('PNRP-2.2.3.3-1 Length is little-endian and covers the whole structure', () => {
  for (const { bytes, payload } of payloadVectors) {
    assert.is(u16le(encodeExtendedPayload(payload), 0), bytes.length)
    payloadRefused(patched(bytes, 0, (bytes.length + 1) & 255), 'BAD_LENGTH', 0)
    payloadRefused(hex`${bytes} 00`, 'BAD_LENGTH', 0)
    payloadRefused(bytes.slice(0, -1), 'BAD_LENGTH', 0)
  }
})

test('PNRP-2.2.3.3-2 the version is minor 00, major 02', () => {
  assert.equal([...encodeExtendedPayload(binary.payload).slice(2, 4)], [0, 2])
  payloadRefused(patched(binary.bytes, 2, 2, 0), 'BAD_VERSION', 2)
  payloadRefused(patched(binary.bytes, 3, 1), 'BAD_VERSION', 2)
})

test('PNRP-2.2.3.3-3 Reserved is ignored and sent as 0', () => {
  same(decodedPayload(patched(binary.bytes, 4, 0xff, 0xff)), binary.payload)
  assert.equal([...encodeExtendedPayload(binary.payload).slice(4, 6)], [0, 0])
})

test('PNRP-2.2.3.3-4 Signature Offset is little-endian and where the signature starts', () => {
  for (const length of [1, 300, 4096]) assert.is(u16le(binaryOf(length), 6), 74 + length)
  for (const offset of [0, 76, 78]) {
    payloadRefused(patched(binary.bytes, 6, offset), 'BAD_LENGTH', 6)
  }
  const outcome = decodeExtendedPayload(binary.bytes)
  assert.ok(outcome.ok && outcome.signedLength === 77)
})

test('PNRP-2.2.3.3-5 Not After is a little-endian count of 100 ns since 1601', () => {
  const expected = (11_644_473_600n + 1_704_067_200n) * 10_000_000n // 2024-01-01
  assert.is(decodedPayload(binary.bytes).notAfter, expected)
  const bytes = encodeExtendedPayload({ ...binary.payload, notAfter: 0x0102030405060708n })
  assert.equal([...bytes.slice(8, 16)], [8, 7, 6, 5, 4, 3, 2, 1])
})

test('PNRP-2.2.3.3-6 the PNRP ID stands reversed', () => {
  same(decodedPayload(binary.bytes).pnrpId, counting(0x20, 32))
  const bytes = encodeExtendedPayload({ ...binary.payload, pnrpId: hex`01 00*30 02` })
  same(bytes.slice(16, 48), hex`02 00*30 01`)
})

test('PNRP-2.2.3.3-8 there is one payload', () => {
  assert.is(u16le(encodeExtendedPayload(binary.payload), 64), 1)
  for (const count of [0, 2]) payloadRefused(patched(binary.bytes, 64, count), 'BAD_COUNT', 64)
})

test('PNRP-2.2.3.3-9 Total Payload Bytes is 10 + Payload Length', () => {
  for (const length of [1, 4096]) assert.is(u16le(binaryOf(length), 66), 10 + length)
  for (const total of [12, 14]) payloadRefused(patched(binary.bytes, 66, total), 'BAD_LENGTH', 66)
})

test('PNRP-2.2.3.3-10 Payload Type is 0x80000002 or 0x80000003', () => {
  assert.equal([...encodeExtendedPayload(utf8.payload).slice(68, 72)], [2, 0, 0, 0x80])
  assert.equal([...encodeExtendedPayload(binary.payload).slice(68, 72)], [3, 0, 0, 0x80])
  payloadRefused(patched(binary.bytes, 68, 1), 'BAD_PAYLOAD', 68)
  payloadRefused(patched(binary.bytes, 68, 4), 'BAD_PAYLOAD', 68)
  payloadRefused(patched(binary.bytes, 71, 0), 'BAD_PAYLOAD', 68)
})

test('PNRP-2.2.3.3-11 Payload Length: 1 to 4096 binary, 6 to 4098 for a string', () => {
  for (const length of [1, 2, 4095, 4096]) {
    const bytes = binaryOf(length)
    assert.is(u16le(bytes, 72), length)
    assert.is(bytes.length, 74 + length + 136)
    assert.is(decodedPayload(bytes).payload.kind, 'binary')
  }
  for (const length of [0, 4097]) {
    throwsInvalid(() => binaryOf(length))
    payloadRefused(withPayload(binary.bytes, new Uint8Array(length)), 'BAD_PAYLOAD', 72)
  }
  // UTF-8: String Type 2, text, NUL 1, so 3 to 4095 bytes of text (N-44)
  for (const length of [3, 4095]) {
    const bytes = textOf('utf-8', 'x'.repeat(length))
    assert.is(u16le(bytes, 72), 3 + length)
    same(decodedPayload(bytes).payload, {
      ...{ kind: 'text', encoding: 'utf-8', text: 'x'.repeat(length) },
    })
  }
  for (const length of [0, 2, 4096]) throwsInvalid(() => textOf('utf-8', 'x'.repeat(length)))
  // UTF-16: 2 + 2 a unit + 2, so 1 to 2047 units
  for (const length of [1, 2047])
    assert.is(u16le(textOf('utf-16', 'x'.repeat(length)), 72), 4 + 2 * length)
  for (const length of [0, 2048]) throwsInvalid(() => textOf('utf-16', 'x'.repeat(length)))
  payloadRefused(withPayload(utf8.bytes, hex`0100 61 61 00`), 'BAD_PAYLOAD', 72)
  payloadRefused(withPayload(utf8.bytes, hex`0100 61*4096 00`), 'BAD_PAYLOAD', 72)
  assert.is(encodeExtendedPayload({ ...utf8.payload, payload: longest }).length, 4308)
})
const longest = { kind: 'text', encoding: 'utf-8', text: 'x'.repeat(4095) } as const

test('PNRP-2.2.3.3-12 String Type is there exactly for strings, 0 Unicode or 1 UTF-8', () => {
  assert.is(u16le(encodeExtendedPayload(utf16.payload), 74), 0)
  assert.is(u16le(encodeExtendedPayload(utf8.payload), 74), 1)
  same(encodeExtendedPayload(binary.payload).slice(74, 77), hex`010203`)
  payloadRefused(patched(utf8.bytes, 74, 2), 'BAD_VALUE', 74)
  payloadRefused(patched(utf8.bytes, 74, 1, 1), 'BAD_VALUE', 74)
})

test('PNRP-2.2.3.3-13 a string ends with a NUL, its only one', () => {
  same(encodeExtendedPayload(utf16.payload).slice(76, 82), hex`4800 e900 0000`)
  same(encodeExtendedPayload(utf8.payload).slice(76, 80), hex`48 c3a9 00`)
  payloadRefused(patched(utf16.bytes, 80, 1), 'BAD_TEXT', 80)
  payloadRefused(patched(utf8.bytes, 79, 1), 'BAD_TEXT', 79)
  payloadRefused(patched(utf16.bytes, 76, 0, 0), 'BAD_TEXT', 76)
  payloadRefused(patched(utf8.bytes, 76, 0), 'BAD_TEXT', 76)
  payloadRefused(withPayload(utf16.bytes, hex`0000 4800 4800 00`), 'BAD_TEXT', 76)
  throwsInvalid(() => textOf('utf-16', 'a\0b'), /NUL/)
})

test('text keeps every unit, and UTF-8 has to be UTF-8', () => {
  const odd = '\ufeffa\ud800\u{1f41f}\uffff'
  same(decodedPayload(textOf('utf-16', odd)).payload, {
    ...{ kind: 'text', encoding: 'utf-16', text: odd },
  })
  const fine = '\ufeff\u{10ffff}\u0800\u07ff'
  same(decodedPayload(textOf('utf-8', fine)).payload, {
    ...{ kind: 'text', encoding: 'utf-8', text: fine },
  })
  throwsInvalid(() => textOf('utf-8', 'ab\ud800'), /surrogate/)
  // overlong, lone continuation, surrogate, above U+10FFFF, cut short (RFC 3629)
  for (const bad of [hex`c0af`, hex`80`, hex`eda080`, hex`f4908080`, hex`e28280`.slice(0, 2)]) {
    payloadRefused(withPayload(utf8.bytes, hex`0100 616161 ${bad} 00`), 'BAD_TEXT', 76)
  }
})

test('a structure cut short anywhere is refused', () => {
  for (const { bytes } of payloadVectors) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length)
      assert.not.ok(decodeExtendedPayload(cut).ok)
      if (length < 2) continue
      assert.not.ok(decodeExtendedPayload(patched(cut, 0, length & 255, length >> 8)).ok)
    }
  }
})

test.run()
