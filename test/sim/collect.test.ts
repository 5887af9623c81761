// One name, many publishers: asking again for others than those found so far gets them all,
// though a LOOKUP can name only 21 endpoints that nobody needs to name.
import * as assert from 'uvu/assert'
import { bytesKey } from '#lib/core/bytes.js'
import { Simulation, type PnrpId, type SimNode } from '#lib/testing/index.js'
import { suite } from '../harness.js'

const test = suite('collecting')

/** Asks until nobody else is found. */
function collect(sim: Simulation, asker: SimNode): { ids: PnrpId[]; lookups: number } {
  const ids: PnrpId[] = []
  let lookups = 0
  for (;;) {
    const resolution = asker.resolve('0.same', { excludeIds: ids })
    assert.ok(sim.runUntil(() => resolution.done, 31_000))
    lookups += resolution.lookups
    if (resolution.peer === undefined) return { ids, lookups }
    ids.push(resolution.peer.pnrpId)
  }
}

for (const [publishers, lookupsMost] of [
  [1, 10],
  [5, 60],
  [30, 1000],
] as const) {
  test(`all ${publishers} registrations of a name are found, each once`, () => {
    const sim = new Simulation({ seed: 1, keys: 2 })
    const first = sim.addNode()
    first.register('0.first')
    sim.addNodes(59, { seeds: [first] }, 3000)
    for (const node of sim.nodes.slice(1)) {
      node.register(node.index <= publishers ? '0.same' : `0.name-${node.index}`)
    }
    sim.runFor(45_000)
    const { ids, lookups } = collect(sim, first)
    assert.is(ids.length, publishers)
    assert.is(new Set(ids.map(bytesKey)).size, publishers)
    assert.ok(lookups <= lookupsMost, `${lookups} LOOKUPs`)
  })
}

test.run()
