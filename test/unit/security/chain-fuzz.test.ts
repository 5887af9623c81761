// The chain reader meets strangers' bytes first: whatever they are, it answers with one of its
// reasons, and soon.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { ChainCheck } from '#lib/pnrp/crypto-port.js'
import { readChain } from '#lib/security/certificate-chain.js'
import { checkChain } from '#lib/security/chain-validation.js'
import { der } from '#lib/security/der.js'
import { test } from '../../harness.js'
import { checkOf, goodChain } from '../../support/certificate-maker.js'

const REASON = /^chain-[a-z-]+$/
const good: ChainCheck = checkOf(goodChain())

function answers(chain: Uint8Array): void {
  const verdict = checkChain({ ...good, chain })
  if (!verdict.ok) assert.match(verdict.reason, REASON)
}

type Edit = [kind: 'set' | 'remove' | 'repeat' | 'insert', at: number, value: number]

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.tuple(
    fc.constantFrom<Edit[0]>('set', 'remove', 'repeat', 'insert'),
    fc.nat(good.chain.length - 1),
    fc.nat(255),
  ),
  { minLength: 1, maxLength: 6 },
)

function edit(bytes: Uint8Array, list: Edit[]): Uint8Array {
  const out = [...bytes]
  for (const [kind, at, value] of list) {
    if (kind === 'set') out[at] = value
    if (kind === 'remove') out.splice(at, 1 + (value % 40))
    if (kind === 'insert') out.splice(at, 0, value)
    if (kind === 'repeat') out.splice(at, 0, ...out.slice(at, at + (value % 80)))
  }
  return Uint8Array.from(out)
}

test('edited chains are answered', () => {
  fc.assert(
    fc.property(edits, (list) => {
      answers(edit(good.chain, list))
    }),
    { numRuns: 1500 },
  )
})

test('chains with an octet changed anywhere are answered', () => {
  for (let at = 0; at < good.chain.length; at++) {
    for (const value of [0x00, 0x80, 0xff]) {
      const chain = Uint8Array.from(good.chain)
      if (chain[at] === value) continue
      chain[at] = value
      answers(chain)
    }
  }
})

test('every truncation is refused as malformed', () => {
  for (let length = 0; length < good.chain.length; length++) {
    assert.is(readChain(good.chain.subarray(0, length)), 'chain-malformed')
  }
})

test('arbitrary bytes and nested elements are refused as malformed', () => {
  const nested = fc
    .tuple(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(255), { maxLength: 40 }))
    .map(([content, tags]) => tags.reduce<Uint8Array>((inside, tag) => der(tag, inside), content))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), nested), (bytes) => {
      assert.is(readChain(bytes), 'chain-malformed')
    }),
    { numRuns: 2000 },
  )
})

test('the largest inputs are answered in a moment', () => {
  // 37 KB of the elements that cost most: empty ones, and nesting.
  const empty = new Uint8Array(37_340)
  for (let at = 0; at + 2 <= empty.length; at += 2) empty.set([0x30, 0x00], at)
  let deep: Uint8Array = new Uint8Array(0)
  while (deep.length < 36_000) deep = der(0x30, deep)
  const started = process.cpuUsage()
  for (const bytes of [empty, deep, der(0x30, empty.subarray(0, 37_000))]) answers(bytes)
  const { user } = process.cpuUsage(started)
  assert.ok(user < 1_000_000, `${user} µs`)
})

test.run()
