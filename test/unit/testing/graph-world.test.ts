// The world around graph machines: streams, disks, clocks and the checkers; with a machine that
// only floods, so that a failure here is one of the simulator.
import * as assert from 'uvu/assert'
import { guid } from '#lib/core/guid.js'
import {
  convergence,
  FloodTrace,
  hopsFrom,
  lostRecords,
  topology,
} from '#lib/testing/graph-checkers.js'
import { GraphWorld, type GraphWorldOptions } from '#lib/testing/graph-world.js'
import type { SimGraphNode } from '#lib/testing/sim-graph-node.js'
import { test } from '../../harness.js'
import { FloodingMachine } from '../../support/flooding-machine.js'

const TYPE = guid('11111111-2222-3333-4444-555555555555')

function makeWorld(options: Partial<GraphWorldOptions> = {}): GraphWorld {
  const makeMachine = (setup: ConstructorParameters<typeof FloodingMachine>[0]) =>
    new FloodingMachine(setup)
  return new GraphWorld({ seed: 1, makeMachine, ...options })
}

/** A chain 0 - 1 - 2 - …, each connected to the one before. */
function chain(world: GraphWorld, count: number): SimGraphNode[] {
  const nodes = [world.addNode()]
  for (let i = 1; i < count; i++) {
    world.runFor(1000)
    nodes.push(world.addNode({ connectTo: nodes[i - 1] as SimGraphNode }))
  }
  world.runFor(1000)
  return nodes
}

test('records reach all nodes of a chain, a hop a link', () => {
  const world = makeWorld()
  const nodes = chain(world, 5)
  const [first] = nodes as [SimGraphNode]
  const trace = new FloodTrace(world)
  const published = first.publish({ type: TYPE, payload: Uint8Array.of(1, 2, 3) })
  world.runFor(1000)
  assert.is(published.state, 'done')
  assert.ok(published.id)
  assert.ok(convergence(world).converged)
  const arrivals = trace.of(published.id)
  assert.equal(
    nodes.map((node) => arrivals.get(node)?.hops),
    [0, 1, 2, 3, 4],
  )
  assert.equal([...hopsFrom(world, first).values()], [0, 1, 2, 3, 4])
  const mesh = topology(world)
  assert.ok(mesh.connected)
  assert.is(mesh.links, 4)
  assert.is(mesh.maxDegree, 2)
  assert.equal(lostRecords(world), [])
})

test('the checkers see what differs, and who lacks an acknowledged record', () => {
  const world = makeWorld()
  const nodes = chain(world, 4)
  const [first, , , last] = nodes as [SimGraphNode, SimGraphNode, SimGraphNode, SimGraphNode]
  world.partition(nodes.slice(0, 2), nodes.slice(2))
  const { id } = first.publish({ type: TYPE })
  assert.is(id, undefined, 'not durable yet')
  world.runFor(500)
  const report = convergence(world)
  assert.not.ok(report.converged)
  assert.is(report.differing.length, 1)
  assert.equal(
    report.groups.map((group) => group.length),
    [2, 2],
  )
  const [lost] = lostRecords(world)
  assert.equal(lost?.missingAt, nodes.slice(2))
  assert.is(lost?.diedWithPublisher, false)
  world.heal()
  assert.ok(world.runUntil(() => convergence(world).converged, 60_000))
  assert.ok(last.records.length === 1)
})

test('a node that dies keeps what its disk acknowledged, and may lose the rest', () => {
  const world = makeWorld()
  const node = world.addNode({ store: { delayMs: 10 } })
  world.runFor(100)
  const safe = node.publish({ type: TYPE })
  world.runFor(100)
  const unsafe = node.publish({ type: TYPE })
  world.runFor(5)
  assert.is(safe.state, 'done')
  assert.is(unsafe.state, 'pending')
  node.kill()
  const again = world.restart(node)
  world.runFor(100)
  assert.ok(safe.id)
  assert.ok(again.record(safe.id))
  assert.ok(again.records.length <= 2)
  assert.equal(again.endpoint.address, node.endpoint.address)
})

test('a lying disk loses what it acknowledged; a full one acknowledges nothing', () => {
  const world = makeWorld()
  const liar = world.addNode({ store: { lying: true } })
  const full = world.addNode({ store: { failing: true } })
  world.runFor(100)
  const published = liar.publish({ type: TYPE })
  const refused = full.publish({ type: TYPE })
  world.runFor(100)
  assert.is(published.state, 'done')
  assert.is(refused.state, 'pending')
  liar.kill()
  assert.is(world.restart(liar).records.length, 0)
})

test('a hundred nodes run, and the same seed gives the same log', () => {
  const run = (seed: number): string => {
    const world = makeWorld({ seed, streams: { fragmentation: 1 } })
    const nodes = [world.addNode()]
    const rng = world.rng('who')
    for (let i = 1; i < 100; i++) {
      world.runFor(1000)
      const connectTo = nodes[rng.uint32() % nodes.length] as SimGraphNode
      nodes.push(world.addNode({ connectTo, clockDriftPpm: i % 50 }))
    }
    world.runFor(2000)
    for (const node of nodes) node.publish({ type: TYPE, payload: rng.bytes(200) })
    assert.ok(world.runUntil(() => convergence(world).converged, 30_000, 500))
    assert.is(nodes[50]?.records.length, 100)
    for (const node of nodes.slice(0, 10)) node.kill(node.index % 2 === 0 ? 'reset' : 'silent')
    world.runFor(5000)
    assert.equal(world.violations, [])
    return world.hash
  }
  assert.is(run(1), run(1))
  assert.is.not(run(1), run(2))
})

test.run()
