import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { HashSlots, type SentContent } from '#lib/runtime/content/hash-slots.js'
import { test } from '../../harness.js'

class Sent implements SentContent {
  isAbandoned = false
  constructor(public sent = 0) {}
  abandon(): void {
    this.isAbandoned = true
  }
}

const { peerdistHashings: PLACES, peerdistSlowMs: SLOW, peerdistSlowBytesPerS: RATE } = LIMITS

test('slow peers: clients that hardly read keep no hashes from being made', () => {
  const slots = new HashSlots()
  const slow = Array.from({ length: PLACES }, () => new Sent())
  slow.forEach((content, i) => assert.ok(slots.take(`/${i}`, content, 0)))
  assert.not.ok(slots.take('/new', new Sent(), SLOW - 1), 'they have their time')
  assert.not.ok(slots.take('/0', new Sent(), SLOW - 1))
  const fresh = new Sent()
  assert.ok(slots.take('/0', fresh, SLOW), 'the same content for another client')
  assert.ok(slots.take('/new', new Sent(), SLOW))
  assert.equal(
    slow.map(({ isAbandoned }) => isAbandoned),
    [true, true, false, false],
  )
  slots.release('/0', slow[0] as Sent)
  assert.not.ok(slots.take('/0', new Sent(), SLOW), 'who gave way releases nothing of others')
  slots.release('/0', fresh)
  assert.ok(slots.take('/0', new Sent(), SLOW))
})

test('who reads on stays, however long it takes', () => {
  const slots = new HashSlots()
  const steady = new Sent()
  assert.ok(slots.take('/a', steady, 0))
  for (let ms = SLOW; ms < 100 * SLOW; ms += SLOW) {
    steady.sent = (ms / 1000) * RATE
    assert.not.ok(slots.take('/a', new Sent(), ms))
  }
  assert.not.ok(steady.isAbandoned)
})

test.run()
