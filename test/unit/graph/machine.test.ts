// Whole machines over simulated TCP: what the parts do together as far as links are concerned.
import * as assert from 'uvu/assert'
import { guid } from '#lib/core/guid.js'
import { convergence, topology } from '#lib/testing/graph-checkers.js'
import { GraphWorld } from '#lib/testing/graph-world.js'
import type { SimGraphNode } from '#lib/testing/sim-graph-node.js'
import { test } from '../../harness.js'

const TYPE = guid('11111111-2222-3333-4444-555555555555')

function neighborsOf(node: SimGraphNode): number {
  return node.machine.context.parts.links.neighbors.length
}

test('two nodes: connect, synchronise, flood both ways, close', () => {
  const world = new GraphWorld({ seed: 1 })
  const first = world.addNode()
  const early = first.publish({ type: TYPE, payload: Uint8Array.of(1) })
  world.runFor(1000)
  const second = world.addNode({ connectTo: first })
  world.runFor(2000)
  assert.is(neighborsOf(first), 1)
  assert.ok(early.id && second.record(early.id))
  const late = second.publish({ type: TYPE, payload: Uint8Array.of(2) })
  world.runFor(500)
  assert.ok(late.id && first.record(late.id))
  assert.ok(convergence(world).converged)
  const closing = second.close()
  world.runFor(6000)
  assert.ok(closing.done)
  assert.is(neighborsOf(first), 0)
  assert.not(second.alive)
})

test('GA-31 two nodes that connect to each other at once keep one link', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new GraphWorld({ seed })
    const hub = world.addNode()
    const [a, b] = [world.addNode({ connectTo: hub }), world.addNode({ connectTo: hub })]
    world.runFor(5000)
    const linkTo = (from: SimGraphNode, to: SimGraphNode): number =>
      from.machine.context.parts.links.neighbors.filter((link) => link.nodeId === to.nodeId).length
    for (const node of [a, b]) {
      const other = node === a ? b : a
      for (const link of [...node.machine.context.parts.links.neighbors]) {
        if (link.nodeId === other.nodeId) node.machine.context.parts.links.terminate(link, 'closed')
      }
      node.poke()
    }
    const links = [a, b].map((node) => node.machine.context.parts.links)
    assert.is(typeof links[0]?.connect(b.endpoint, { direct: false }), 'number')
    assert.is(typeof links[1]?.connect(a.endpoint, { direct: false }), 'number')
    a.poke()
    b.poke()
    world.runFor(1000)
    assert.is(linkTo(a, b), 1, `seed ${seed}`)
    assert.is(linkTo(b, a), 1, `seed ${seed}`)
  }
})

test('G-092 G-105 forty nodes that all know one only find places by its referrals', () => {
  const world = new GraphWorld({ seed: 7 })
  const first = world.addNode()
  world.runFor(1000)
  world.addNodes(40, { connectTo: first }, 2000)
  world.runFor(120_000)
  const mesh = topology(world)
  assert.ok(mesh.connected)
  assert.ok(mesh.maxDegree <= 7, `${mesh.maxDegree}`)
  const published = first.publish({ type: TYPE, payload: Uint8Array.of(1) })
  world.runFor(2000)
  const { id } = published
  assert.ok(id && world.liveNodes.every((node) => node.record(id)))
})

test('G-106 a node that leaves is replaced; its neighbours know at once', () => {
  const world = new GraphWorld({ seed: 3 })
  const first = world.addNode()
  world.runFor(1000)
  const others = world.addNodes(9, { connectTo: first }, 2000)
  world.runFor(60_000)
  first.close()
  world.runFor(60_000)
  assert.ok(topology(world).connected)
  assert.ok(others.every((node) => neighborsOf(node) > 0))
})

test('a large record does not hold up small ones on other links', () => {
  // 10 Mbit/s: 4 MB take 3.4 s on a link.
  const world = new GraphWorld({ seed: 5, network: { bytesPerSecond: 1_250_000 } })
  const [a, b] = [world.addNode(), world.addNode({ listen: 'at-once' })]
  world.runFor(1000)
  b.connect(a)
  world.runFor(2000)
  const c = world.addNode({ connectTo: b })
  world.runFor(3000)
  // A chain a - b - c as far as possible: what matters is the way from b to its neighbours.
  a.publish({ type: TYPE, payload: new Uint8Array(4_000_000) })
  world.runFor(500)
  const small = c.publish({ type: TYPE, payload: Uint8Array.of(1) })
  world.runFor(300)
  const { id } = small
  assert.ok(id && b.record(id), 'on its way while the large record is, too')
  world.runFor(20_000)
  assert.ok(convergence(world).converged)
})

test.run()
