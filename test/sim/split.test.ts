// test-limit: 600s
// Issue 2, Done 8, second half. bench/sim/long.ts runs the same with twenty seeds, and with more
// nodes.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { splitAndHeal, strangersMeet, type Outcome } from './scenarios.js'

const test = suite('cut in two')

function assertWhole(outcome: Outcome, asked: number): void {
  console.log(JSON.stringify(outcome))
  assert.is(outcome.asked, asked)
  assert.is(outcome.found, outcome.asked, outcome.failures.join('\n'))
}

for (const seed of [1, 2]) {
  test(`seed ${seed}: ten minutes after a cut of ten every node resolves every name`, () => {
    assertWhole(splitAndHeal(seed, { nodes: 100, rounds: 'all' }), 100 * 99)
  })
}

test('two clouds that never met become one through the seed that both know', () => {
  assertWhole(strangersMeet(1, { nodes: 60, rounds: 'all' }), 60 * 59)
})

test.run()
