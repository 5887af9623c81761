import * as assert from 'uvu/assert'
import { perSecond, TokenBucket } from '#lib/core/token-bucket.js'
import { test } from '../../harness.js'

const SECOND = 1_000_000

test('a bucket gives what was saved up at once, and its rate in the long run', () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 5 })
  const taken = (now: number): number => {
    let count = 0
    while (bucket.take(now)) count++
    return count
  }
  assert.is(taken(7), 5)
  assert.is(taken(7 + SECOND / 2 - 1), 0)
  assert.is(taken(7 + SECOND / 2), 1)
  assert.is(taken(7 + 60 * SECOND), 5)
})

test('a cost is taken whole or not at all', () => {
  const bucket = new TokenBucket(perSecond(3))
  assert.is(bucket.take(0, 4), false)
  assert.ok(bucket.isFull(0))
  assert.ok(bucket.take(0, 3))
  assert.not(bucket.isFull(SECOND - 1))
  assert.ok(bucket.isFull(SECOND))
})

test('time that goes back refills nothing', () => {
  const bucket = new TokenBucket(perSecond(1))
  assert.ok(bucket.take(10 * SECOND))
  assert.is(bucket.take(5 * SECOND), false)
  assert.ok(bucket.take(11 * SECOND))
})

test.run()
