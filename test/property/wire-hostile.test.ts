// Bytes that nobody meant: refused, or decoded to what an independent decoder reads, and then built
// again to the same bytes unless a lenient reading (spec/deviations.md) applies.
// test-limit: 120s
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import * as codec from '#lib/wire/codec.js'
import { decodeJson, decodeLine } from '#lib/wire/json.js'
import { messageVectors } from '../golden/messages.js'
import { cpaVectors, payloadVectors, revokeFlood } from '../golden/structures.js'
import { suite } from '../harness.js'
import { patched } from '../helpers/hex.js'
import { mutations } from '../helpers/mutations.js'
import { same } from '../helpers/readable.js'
import { anyMessage } from '../helpers/wire-arbitraries.js'
import { canonical, canonicalCpa } from '../oracle/canonical.js'
import { oracle } from '../oracle/pnrp-oracle.js'

const test = suite('hostile bytes')
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** How many of the inputs were accepted: a test whose inputs are all refused would say little. */
const seen = { accepted: 0, refused: 0, lenient: 0 }

function judge(bytes: Uint8Array): void {
  const expected = oracle(bytes)
  const outcome = decodeJson(bytes)
  if (!outcome.ok) {
    seen.refused += 1
    assert.is(
      expected,
      undefined,
      `refused (${outcome.code} at ${outcome.offset}): ${hexOf(bytes)}`,
    )
    assert.ok(outcome.offset <= bytes.length)
    return
  }
  seen.accepted += 1
  assert.ok(expected, `accepted, but should be refused: ${hexOf(bytes)}`)
  assert.equal(outcome.fields, expected, hexOf(bytes))
  const { reencoded } = JSON.parse(decodeLine(hexOf(bytes))) as { reencoded: string }
  if (reencoded === hexOf(bytes)) return
  // only what the lenient readings name may differ
  seen.lenient += 1
  assert.is(reencoded, hexOf(canonical(bytes)), hexOf(bytes))
}

const seeds = fc.oneof(
  fc.constantFrom(...messageVectors.map(({ bytes }) => bytes), revokeFlood.bytes),
  anyMessage.map((message) => codec.encodeMessage(message, { asReceived: true })),
)

test('datagrams as they should be', () => {
  fc.assert(fc.property(seeds, judge), { numRuns: 500 })
})

test('datagrams with something wrong', () => {
  const before = { ...seen }
  const spoiled = fc.tuple(seeds, mutations).map(([bytes, mutate]) => mutate(bytes))
  fc.assert(fc.property(spoiled, judge), { numRuns: 4000 })
  assert.ok(seen.refused - before.refused > 500, 'too few are refused to mean anything')
  assert.ok(seen.accepted - before.accepted > 200, 'too few are accepted to mean anything')
  assert.ok(seen.lenient - before.lenient > 20, 'too few lenient readings to mean anything')
})

test('10,000 random datagrams in a row, with and without a header', () => {
  const header = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 7, 8, 9, 11), fc.uint8Array({ maxLength: 200 }))
    .map(([type, body]) => new Uint8Array([0, 16, 0, 12, 0x51, 4, 0, type, 1, 2, 3, 4, ...body]))
  const anything = fc.oneof(fc.uint8Array({ maxLength: 300 }), header)
  fc.assert(fc.property(anything, judge), { numRuns: 10_000 })
})

test('structures with something wrong are refused or built again', () => {
  const cpas = fc.tuple(fc.constantFrom(...cpaVectors.map(({ bytes }) => bytes)), mutations)
  fc.assert(
    fc.property(cpas, ([seed, mutate]) => {
      const bytes = mutate(seed)
      const outcome = codec.decodeCpa(bytes)
      if (!outcome.ok) return
      const { revokeNonce } = outcome
      const again = codec.encodeCpa(outcome.cpa, { asReceived: true, revokeNonce })
      same(again, canonicalCpa(bytes))
    }),
    { numRuns: 3000 },
  )
  const payloads = fc.tuple(fc.constantFrom(...payloadVectors.map(({ bytes }) => bytes)), mutations)
  fc.assert(
    fc.property(payloads, ([seed, mutate]) => {
      const bytes = mutate(seed)
      const outcome = codec.decodeExtendedPayload(bytes)
      if (!outcome.ok) return
      const again = codec.encodeExtendedPayload(outcome.payload)
      same(again, patched(bytes, 4, 0, 0)) // Reserved
    }),
    { numRuns: 3000 },
  )
})

test.run()
