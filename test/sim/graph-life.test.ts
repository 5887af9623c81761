// test-limit: 240s
// Issue 3, Done 2: 200 nodes find each other, are cut in two, and lose half of their number.
// Presence lives for an hour here, since its renewal is most of the work; bench/sim/graph.ts runs
// fifty seeds with the five minutes of the default.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { graphLives, type LifeOutcome } from './graph-scenarios.js'

const test = suite('the life of a graph')

for (const seed of [1, 2, 3]) {
  let life: LifeOutcome | undefined

  test(`G-050 G-157 seed ${seed}: degree 3 to 4, never above 7, six hops and at most ten`, () => {
    life = graphLives(seed, { nodes: 200, world: { properties: { presenceLifetimeS: 3600 } } })
    const { mesh } = life
    console.log(JSON.stringify(mesh))
    assert.equal(mesh.failures, [])
    assert.is(mesh.components, 1)
    assert.ok(mesh.meanDegree >= 3 && mesh.meanDegree <= 4, `${mesh.meanDegree}`)
    assert.ok(mesh.everDegree <= 7, `${mesh.everDegree}`)
    assert.ok(mesh.medianHops <= 6 && mesh.maxHops <= 10)
    assert.is(mesh.unreached, 0)
  })

  test(`G-131 G-156 seed ${seed}: a cut of five minutes heals, with all that was written`, () => {
    assert.ok(life)
    console.log(JSON.stringify(life.split))
    assert.equal(life.split.failures, [])
    assert.ok((life.split.healedMs ?? Infinity) <= 15 * 60_000)
  })

  test(`G-154 G-163 seed ${seed}: half of the nodes die, the rest is one graph in ten minutes`, () => {
    assert.ok(life)
    console.log(JSON.stringify(life.kill))
    assert.equal(life.kill.failures, [])
    assert.is(life.kill.survivors, 100)
    assert.ok((life.kill.healedMs ?? Infinity) <= 10 * 60_000)
  })
}

test.run()
