// A node is killed and opened again at any moment, also before it has noted when it was last in the
// graph. What its application was told is safe reaches the others, and theirs reach it.
import * as assert from 'uvu/assert'
import { milliseconds } from '#lib/core/instant.js'
import type { Guid } from '#lib/core/guid.js'
import { below } from '#lib/core/rng.js'
import { GraphWorld } from '#lib/testing/graph-world.js'
import type { SimGraphNode } from '#lib/testing/sim-graph-node.js'
import { APP_TYPE } from '../support/graph-records.js'
import { suite } from '../harness.js'

const test = suite('a node is killed and opened again')

const SEEDS = 60

/** Milliseconds until both nodes hold all that was acknowledged; undefined: not within a minute. */
function killedAndBack(seed: number): number | undefined {
  const world = new GraphWorld({ seed, network: { jitterMs: seed % 2 === 0 ? 5 : 200 } })
  const rng = world.rng('script')
  const stays = world.addNode()
  const killed = world.addNode({ connectTo: stays })
  assert.ok(world.runUntil(() => !killed.machine.context.neverConnected))
  if (below(rng, 2) === 0) world.runFor(below(rng, 90_000))
  const ids: Guid[] = []
  const publish = (node: SimGraphNode): void => {
    const command = node.publish({ type: APP_TYPE, payload: new Uint8Array(20) })
    assert.ok(world.runUntil(() => command.state === 'done', 10_000, 1))
    ids.push(command.id as Guid)
  }
  for (let i = below(rng, 10); i >= 0; i--) publish(below(rng, 4) === 0 ? stays : killed)
  // The last of them may not have left the process.
  killed.kill(below(rng, 2) === 0 ? 'reset' : 'silent')
  world.runFor(below(rng, 5_000))
  publish(stays)
  const back = world.restart(killed, { connectTo: stays })
  const begun = world.kernel.now
  const whole = (): boolean =>
    [stays, back].every((node) => ids.every((id) => node.record(id) !== undefined))
  if (!world.runUntil(whole)) return undefined
  assert.equal(world.violations, [])
  return (world.kernel.now - begun) / milliseconds(1)
}

test(`${SEEDS} seeds: everything acknowledged is with both within a minute`, () => {
  const took = Array.from({ length: SEEDS }, (_, seed) => killedAndBack(seed + 1))
  assert.equal(
    took.flatMap((ms, seed) => (ms === undefined ? [seed + 1] : [])),
    [],
    'seeds that never agree',
  )
})

test.run()
