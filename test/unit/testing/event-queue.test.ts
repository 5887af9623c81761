import * as assert from 'uvu/assert'
import { NEVER } from '#lib/core/instant.js'
import { SeededRng, below } from '#lib/core/rng.js'
import { EventQueue } from '#lib/testing/event-queue.js'
import { TimerTable } from '#lib/testing/timer-table.js'
import { test } from '../../harness.js'

test('the event queue gives events by time, and in the order put in at one time', () => {
  const rng = new SeededRng(1)
  const queue = new EventQueue<number>()
  const expected: { at: number; n: number }[] = []
  for (let n = 0; n < 5000; n++) {
    const at = below(rng, 300)
    queue.push(at, n % 7, n % 11, n)
    expected.push({ at, n })
  }
  // Array.prototype.sort is stable: an independent statement of the same order.
  expected.sort((a, b) => a.at - b.at)
  for (const { at, n } of expected) {
    assert.is(queue.next, at)
    assert.is(queue.pop(), n)
    assert.is(queue.kind, n % 7)
    assert.is(queue.target, n % 11)
  }
  assert.is(queue.size, 0)
  assert.is(queue.next, NEVER)
})

test('the event queue stays in order when pushes and pops alternate', () => {
  const rng = new SeededRng(2)
  const queue = new EventQueue<number>()
  let now = 0
  for (let round = 0; round < 20_000; round++) {
    if (queue.size === 0 || below(rng, 5) < 3) {
      const at = now + below(rng, 1000)
      queue.push(at, 0, 0, at)
    } else {
      const at = queue.pop()
      assert.ok(at >= now)
      now = at
    }
  }
})

test('the timer table behaves like a sorted list of one deadline a node', () => {
  const rng = new SeededRng(3)
  const table = new TimerTable()
  const model = new Map<number, number>()
  for (let round = 0; round < 20_000; round++) {
    const node = below(rng, 700)
    const at = below(rng, 4) === 0 ? NEVER : below(rng, 500)
    table.set(node, at)
    if (at === NEVER) model.delete(node)
    else model.set(node, at)
    assert.is(table.size, model.size)
    if (round % 50 !== 0) continue
    let first = { node: -1, at: NEVER }
    for (const [key, value] of model) {
      if (value < first.at || (value === first.at && key < first.node))
        first = { node: key, at: value }
    }
    assert.is(table.next, first.at)
    if (first.node >= 0) assert.is(table.nextNode, first.node)
  }
})

test.run()
