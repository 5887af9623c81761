// MS-PCCRR 2.2.6: the extensible blob. The long example is that of MS-PCCRD 4.4.
import * as assert from 'uvu/assert'
import { decodeSegmentAges, encodeSegmentAges } from '#lib/wire/segment-ages.js'
import { hex, patched } from '../../helpers/hex.js'
import { test } from '../../harness.js'

test('D-059 D-086 the ages of the example in MS-PCCRD 4.4 are 600 seconds each', () => {
  const blob = new Uint8Array(Buffer.from('AAEDAgBg6gACYOoA', 'base64'))
  const ages = [
    { index: 0, ageMs: 600_000 },
    { index: 2, ageMs: 600_000 },
  ]
  assert.equal(decodeSegmentAges(blob), ages)
  assert.equal(encodeSegmentAges(ages), blob)
})

test('D-059 all four units are understood, hundredths are sent', () => {
  const age = hex`05 01 02 03` // 1 + 256 * 2 + 65536 * 3
  const units = { 1: 1000, 2: 100, 3: 10, 4: 1 }
  for (const [unit, ms] of Object.entries(units)) {
    const blob = hex`00 01 ${Uint8Array.of(Number(unit))} 01 ${age}`
    assert.equal(decodeSegmentAges(blob), [{ index: 5, ageMs: 197_121 * ms }])
  }
  assert.equal(encodeSegmentAges([{ index: 5, ageMs: 1_971_219 }]), hex`00 01 03 01 ${age}`)
  // DA-36: the greatest age that 24 bits hold
  assert.equal(encodeSegmentAges([{ index: 0, ageMs: 1e12 }]), hex`00 01 03 01 00 ff ff ff`)
})

test('D-058 a blob is discarded at the first thing that is wrong with it', () => {
  const good = hex`00 01 03 02 00 60 ea 00 02 60 ea 00`
  assert.is(decodeSegmentAges(good)?.length, 2)
  for (let length = 0; length < good.length; length++) {
    assert.is(decodeSegmentAges(good.subarray(0, length)), undefined)
  }
  assert.is(decodeSegmentAges(patched(good, 1, 2)), undefined)
  assert.is(decodeSegmentAges(patched(good, 0, 1)), undefined)
  for (const unit of [0, 5, 255]) assert.is(decodeSegmentAges(patched(good, 2, unit)), undefined)
  assert.is(decodeSegmentAges(patched(good, 3, 3)), undefined)
  // more room than the ages take is no fault
  assert.is(decodeSegmentAges(patched(good, 3, 1))?.length, 1)
  assert.equal(decodeSegmentAges(hex`00 01 03 00`), [])
})

test.run()
