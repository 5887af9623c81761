// test-limit: 120s
// Issue 3, Done 1 and 2: cuts that outlast all memory, and nodes that come back after days.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { returnsAfterDays, splitHeals, strangersMeet, grownMesh } from './graph-scenarios.js'

const test = suite('graphs that come together')

test('G-159 two halves that know nothing of each other: the application helps', () => {
  for (const seed of [1, 2, 3]) {
    const outcome = strangersMeet(seed, 24)
    console.log(JSON.stringify(outcome))
    assert.equal(outcome.failures, [])
    assert.is(outcome.before, 2)
  }
})

test('G-131 a cut of five minutes among few nodes, by the default lifetimes', () => {
  for (const seed of [1, 2, 3]) {
    const outcome = splitHeals(grownMesh(seed, { nodes: 24, settleMs: 10 * 60_000 }))
    console.log(JSON.stringify(outcome))
    assert.equal(outcome.failures, [])
  }
})

test('GA-54 a cut of a minute, which no signature tells of: what both sides updated is one', () => {
  for (const seed of [1, 2, 4]) {
    const world = grownMesh(seed, { nodes: 24, settleMs: 10 * 60_000 })
    const outcome = splitHeals(world, { cutMs: 60_000, limitMs: 5 * 60_000 })
    console.log(JSON.stringify(outcome))
    assert.equal(outcome.failures, [])
  }
})

test('G-102 G-177 back after three days: what changed comes, and little else', () => {
  const outcome = returnsAfterDays(1)
  console.log(JSON.stringify(outcome))
  assert.equal(outcome.failures, [])
})

test.run()
