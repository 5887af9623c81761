// test-limit: 120s
// Issue 2, Done 6, in virtual time: what SIGKILL leaves behind.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { publishersDie } from './scenarios.js'

const test = suite('sudden death')

for (const [seed, nodes] of [
  [1, 20],
  [2, 100],
] as const) {
  test(`${nodes} nodes: names of the dead are gone within 3 s, cached entries within 30 s`, () => {
    const outcome = publishersDie(seed, { nodes, rounds: 1 })
    assert.ok(outcome.asked >= nodes)
    assert.equal(outcome.wrong, [])
    assert.ok(outcome.slowestMs <= 3000, `${outcome.slowestMs} ms`)
    assert.is(outcome.leftOver, 0)
  })
}

test.run()
