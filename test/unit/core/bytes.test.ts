// Helpers for bytes; expected values by BigInt, Buffer or arithmetic written out here.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { bytesAt, fromHex, samePrefix, toHex } from '#lib/core/bytes.js'
import { MetBytes } from '#lib/core/met-bytes.js'
import { test } from '../../harness.js'

const bytes = (n: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(n.toString(16).padStart(64, '0'), 'hex'))

test('a common prefix ends where the first bit differs, and no prefix is longer than its bytes', () => {
  const id = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n })
  fc.assert(
    fc.property(id, fc.nat(255), fc.nat(0xffff), (a, bit, bits) => {
      const b = a ^ (1n << BigInt(255 - bit))
      assert.is(samePrefix(bytes(a), bytes(b), bits), bits <= bit)
      assert.is(samePrefix(bytes(a), bytes(a), bits), bits <= 256)
    }),
  )
})

test('bytes stand at an offset or not, and never beyond the end', () => {
  const whole = Uint8Array.of(1, 2, 3, 2, 3)
  const at = [0, 1, 2, 3, 4, 5].map((offset) => bytesAt(whole, offset, Uint8Array.of(2, 3)))
  assert.equal(at, [false, true, false, true, false, false])
})

test('hex of any bytes in both cases, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
      const hex = Buffer.from(data).toString('hex')
      assert.is(toHex(data), hex)
      assert.equal(fromHex(hex), data)
      assert.equal(fromHex(hex.toUpperCase()), data)
    }),
  )
  for (const text of ['0', '0g', 'zz', ' 0', '0x']) assert.is(fromHex(text), undefined)
})

test('what is met again is the same array, and what collides is told apart', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 })), (met) => {
      const table = new MetBytes(4, 2)
      for (const data of met) {
        const padded = Uint8Array.of(9, ...data, 9)
        const first = table.at(padded, 1)
        assert.equal(first, data)
        assert.is(table.at(data, 0), first)
        assert.is(table.at(first, 0), first)
        padded.fill(0)
        assert.equal(first, data)
      }
    }),
  )
})

test.run()
