// Expected values: BigInt arithmetic, written out here independently of the C core.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  addSmall,
  compareDistance,
  isInArc,
  midpoint,
  spanAsNumber,
} from '#lib/native/ring.js'
import { test } from '../../harness.js'

const RING = 1n << 256n
const mod = (n: bigint): bigint => ((n % RING) + RING) % RING

function toBytes(n: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(mod(n).toString(16).padStart(64, '0'), 'hex'))
}

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

// Random numbers, and ones near the borders of words and of the ring.
const edge = fc
  .tuple(fc.constantFrom(0, 1, 63, 64, 65, 127, 128, 191, 192, 255, 256), fc.integer())
  .map(([bit, offset]) => mod((1n << BigInt(bit)) + BigInt(offset % 5)))
const id = fc.oneof(fc.bigInt({ min: 0n, max: RING - 1n }), edge)

const circular = (a: bigint, b: bigint): bigint => {
  const d = mod(a - b)
  return d < RING - d ? d : RING - d
}

test('N-23 distance is measured around the ring, ties go to the smaller ID', () => {
  const naive = (t: bigint, a: bigint, b: bigint): number => {
    const [da, db] = [circular(a, t), circular(b, t)]
    if (da !== db) return da < db ? -1 : 1
    return a < b ? -1 : a > b ? 1 : 0
  }
  fc.assert(
    fc.property(id, id, id, (t, a, b) => {
      assert.is(Math.sign(compareDistance(toBytes(t), toBytes(a), toBytes(b))), naive(t, a, b))
    }),
    { numRuns: 3000 },
  )
})

test('equally distant IDs on both sides of the target differ: the smaller is nearer', () => {
  fc.assert(
    fc.property(id, fc.bigInt({ min: 1n, max: (1n << 255n) - 1n }), (t, d) => {
      const low = toBytes(t - d)
      const high = toBytes(t + d)
      const order = Math.sign(compareDistance(toBytes(t), low, high))
      assert.is(order, toBigInt(low) < toBigInt(high) ? -1 : 1)
    }),
  )
})

test('0 and 2^256 - 1 are neighbours', () => {
  const far = toBytes(1n << 200n)
  assert.ok(compareDistance(toBytes(0n), toBytes(-1n), far) < 0)
  assert.ok(compareDistance(toBytes(-1n), toBytes(0n), far) < 0)
})

test('addition of a small number wraps at 2^256', () => {
  fc.assert(
    fc.property(id, fc.maxSafeNat(), (a, n) => {
      assert.is(toBigInt(addSmall(toBytes(a), n)), mod(a + BigInt(n)))
    }),
  )
  assert.equal(addSmall(toBytes(-1n), 1), toBytes(0n))
})

test('addition refuses numbers that are not small', () => {
  for (const bad of [-1, 0.5, 2 ** 53, NaN]) {
    assert.throws(
      () => addSmall(toBytes(0n), bad),
      (error: { code?: string }) => error.code === 'ERR_PEERNET_INVALID_ARG',
    )
  }
})

test('the midpoint halves the clockwise arc', () => {
  fc.assert(
    fc.property(id, id, (from, to) => {
      const span = mod(to - from) || RING
      assert.is(toBigInt(midpoint(toBytes(from), toBytes(to))), mod(from + span / 2n))
    }),
    { numRuns: 1000 },
  )
})

test('an arc contains what lies strictly between its ends, clockwise', () => {
  fc.assert(
    fc.property(id, id, id, (x, from, to) => {
      const at = mod(x - from)
      const inside = at !== 0n && at < (mod(to - from) || RING)
      assert.is(isInArc(toBytes(x), toBytes(from), toBytes(to)), inside)
    }),
    { numRuns: 1000 },
  )
  assert.is(isInArc(toBytes(5n), toBytes(5n), toBytes(5n)), false)
  assert.is(isInArc(toBytes(6n), toBytes(5n), toBytes(5n)), true)
})

test('a span is the nearest double, and 2^256 for a whole turn', () => {
  fc.assert(
    fc.property(id, id, (from, to) => {
      // Number(BigInt) rounds to the nearest double, ties to even.
      const expected = Number(mod(to - from) || RING)
      assert.is(spanAsNumber(toBytes(from), toBytes(to)), expected)
    }),
    { numRuns: 3000 },
  )
})

test('a span rounds once: ties to even, and the bits far below decide a tie', () => {
  for (const shift of [0n, 3n, 64n, 190n]) {
    for (const low of [0n, 1n, 1n << 60n]) {
      const value = (((1n << 53n) + 1n) << (63n + (shift > 130n ? 130n : shift))) * 2n + low
      assert.is(spanAsNumber(toBytes(0n), toBytes(value)), Number(value))
    }
  }
})

test('IDs of another length are refused', () => {
  for (const length of [0, 31, 33]) {
    assert.throws(
      () => spanAsNumber(new Uint8Array(length), toBytes(0n)),
      (error: { code?: string }) => error.code === 'ERR_PEERNET_INVALID_ARG',
    )
  }
})

test.run()
