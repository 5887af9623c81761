// test-limit: 300s
// Random faults, then peace: `runSwarm` of lib/testing. bench/sim/long.ts runs many more seeds; one
// that once failed belongs in the list below, with what was wrong.
import * as assert from 'uvu/assert'
import { runSwarm, swarmOptions } from '#lib/testing/index.js'
import { suite } from '../harness.js'

const test = suite('swarm')

for (const seed of [3, 6, 12]) {
  test(`seed ${seed}: safe under faults, whole and at rest after them`, () => {
    const report = runSwarm(seed)
    console.log(JSON.stringify(report))
    assert.equal(report.violations, [])
    assert.ok(report.asked > 0)
  })
}

test('a violated bound is reported: the swarm can fail', () => {
  // Nobody gets a word through for the whole of the peace: no latency fits into its minute.
  const changes = {
    nodes: 4,
    faultsMs: 1000,
    network: { delayMinMs: 200_000, delayMeanMs: 200_000 },
  }
  const report = runSwarm(1, { changes, peaceMinutes: 1 })
  assert.is(report.convergedAfterMinutes, undefined)
  assert.ok(report.violations.length > 0)
})

test('each fault is off in about half of all swarms', () => {
  const options = Array.from({ length: 200 }, (_, seed) => swarmOptions(seed))
  for (const rate of ['killRate', 'leaveRate', 'moveRate', 'cutRate', 'resolveRate'] as const) {
    const off = options.filter((drawn) => drawn[rate] === 0).length
    // Binomial, n = 200, p = 1/2: four standard deviations are 28.
    assert.ok(Math.abs(off - 100) < 28, `${rate}: ${off} of 200`)
  }
})

test.run()
