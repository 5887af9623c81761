import * as assert from 'uvu/assert'
import { formatEndpoint, requireEndpoint } from '#lib/core/address-text.js'
import { LIMITS } from '#lib/core/limits.js'
import { lookupSeeds, parseSeed } from '#lib/io/seed-lookup.js'
import { test } from '../../harness.js'

const local = [requireEndpoint('[2001:db8:1::1]:3540')]

test('PNRP-2.1-3 PNRP-2.1-4 N-66 a seed is an address or a name, with port 3540 unless it says another', () => {
  const cases = {
    '[2001:db8::1]:4000': '[2001:db8::1]:4000',
    '[2001:db8::1]': '[2001:db8::1]:3540',
    '2001:db8::1': '[2001:db8::1]:3540',
  }
  for (const [text, expected] of Object.entries(cases)) {
    const seed = parseSeed(text)
    assert.is(seed.kind === 'endpoint' ? formatEndpoint(seed.endpoint) : '', expected)
  }
  assert.equal(parseSeed('seed.example'), { kind: 'name', name: 'seed.example', port: 3540 })
  assert.equal(parseSeed('seed.example:4000'), { kind: 'name', name: 'seed.example', port: 4000 })
})

test('what is no seed is refused', () => {
  for (const text of [
    '',
    'http://x',
    'a b',
    '[::1]:80',
    'x:1024',
    'x:65536',
    '[::1',
    '192.0.2.1:x',
  ]) {
    assert.throws(() => parseSeed(text), /seed/, text)
  }
})

// MS-PNRP 3.1.4.2.1: both names are asked before one address is used. RFC 3484 section 6 rule 9
// decides here: the longer common prefix with our own address comes first.
test('PNRP-3.1.4.2.1-5 PNRP-3.1.4.2.1-6 all names are looked up, their addresses merged and ordered', async () => {
  const asked: string[] = []
  const answers: Record<string, string[]> = {
    'one.example': ['2001:db8:ffff::1', '2001:db8:1::9'],
    'two.example': ['2001:db8:2::5'],
  }
  const seeds = ['one.example', 'two.example:4000'].map(parseSeed)
  const found = await lookupSeeds(seeds, local, (name) => {
    asked.push(name)
    return Promise.resolve(answers[name] ?? [])
  })
  assert.equal(asked, ['one.example', 'two.example'])
  assert.equal(found.map(formatEndpoint), [
    '[2001:db8:1::9]:3540',
    '[2001:db8:2::5]:4000',
    '[2001:db8:ffff::1]:3540',
  ])
})

test('a name that cannot be looked up does not keep the others from being used', async () => {
  const seeds = ['dead.example', '[2001:db8::5]:4000'].map(parseSeed)
  const found = await lookupSeeds(seeds, local, () => Promise.reject(new Error('ENOTFOUND')))
  assert.equal(found.map(formatEndpoint), ['[2001:db8::5]:4000'])
})

test('a name with countless addresses gives a bounded list', async () => {
  const many = Array.from({ length: 500 }, (_, i) => `2001:db8::${(i + 1).toString(16)}`)
  const found = await lookupSeeds([parseSeed('x')], local, () => Promise.resolve(many))
  assert.is(found.length, LIMITS.seedEndpoints)
})

test.run()
