import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { RttEstimator } from '#lib/pnrp/rtt.js'
import { test } from '../../harness.js'

test('without a sample the soft timeout is the longest', () => {
  const rtt = new RttEstimator()
  assert.is(rtt.smoothedUs, undefined)
  assert.is(rtt.lookupTimeoutUs, LIMITS.softTimeoutMaxUs)
})

// RFC 6298 2.2 and 2.3 by hand: R = 100 ms gives SRTT 100, RTTVAR 50, so 100 + 4 * 50 = 300. Then
// R' = 140: RTTVAR = 3/4 * 50 + 1/4 * 40 = 47.5, SRTT = 7/8 * 100 + 1/8 * 140 = 105, so 295.
test('the estimate follows RFC 6298', () => {
  const rtt = new RttEstimator()
  rtt.sample(100_000)
  assert.is(rtt.lookupTimeoutUs, 300_000)
  rtt.sample(140_000)
  assert.is(rtt.smoothedUs, 105_000)
  assert.is(rtt.lookupTimeoutUs, 295_000)
  // Three times that would be more than the longest.
  assert.is(rtt.inquireTimeoutUs, LIMITS.softTimeoutMaxUs)
  for (let i = 0; i < 50; i++) rtt.sample(100_000)
  assert.is(rtt.inquireTimeoutUs, 3 * rtt.lookupTimeoutUs)
})

test('the soft timeout has a floor and a ceiling', () => {
  const fast = new RttEstimator()
  fast.sample(0)
  for (let i = 0; i < 50; i++) fast.sample(200)
  assert.is(fast.lookupTimeoutUs, LIMITS.softTimeoutMinUs)
  const slow = new RttEstimator()
  slow.sample(2_000_000)
  assert.is(slow.lookupTimeoutUs, LIMITS.softTimeoutMaxUs)
})

test.run()
