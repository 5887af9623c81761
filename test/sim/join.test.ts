// test-limit: 600s
// Issue 2, Done 8, first half. bench/sim/long.ts runs the same with twenty seeds.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { joinFast } from './scenarios.js'

const test = suite('joining fast')

for (const seed of [1, 2]) {
  test(`seed ${seed}: 1,000 nodes within a second, 5 % loss, real RSA: 99.9 % of names found`, () => {
    // Every name three times, every node asks three times: a sample of the 999,000 pairs.
    const outcome = joinFast(seed, { nodes: 1000, rounds: 3 })
    console.log(JSON.stringify(outcome))
    assert.is(outcome.asked, 3000)
    const share = outcome.found / outcome.asked
    assert.ok(share >= 0.999, `${outcome.found} found\n${outcome.failures.join('\n')}`)
    assert.ok(outcome.leafSets.ratio > 0.99, `leaf sets ${outcome.leafSets.ratio}`)
    assert.ok(outcome.signed > outcome.asked && outcome.verified > outcome.asked)
  })
}

test.run()
