// test-limit: 300s
// What publishers do for each other, in virtual time: shipping machines, codec and cache; a keyed
// hash instead of RSA, since this is not about signatures.
import * as assert from 'uvu/assert'
import {
  allQuestions,
  ask,
  deadEntries,
  idlePackets,
  leafSets,
  sampledQuestions,
  type SimNode,
  type Simulation,
} from '#lib/testing/index.js'
import { suite } from '../harness.js'
import { growCloud, halves } from './scenarios.js'

const test = suite('publishers')

const cloudOf = (nodes: number, seed: number, loss = 0): Simulation => {
  const sim = growCloud(seed, { nodes, loss, joinMs: 3000, crypto: 'keyed-hash', rounds: 1 })
  sim.runFor(60_000)
  return sim
}

const resolved = (sim: Simulation, asker: SimNode, name: string): string | undefined => {
  const result = asker.resolve(name)
  sim.runUntil(() => result.done)
  return result.outcome
}

test('PNRP-3.2.1.1-1 a registration is found in about log10(n) LOOKUPs', () => {
  for (const nodes of [30, 200]) {
    const sim = cloudOf(nodes, 1)
    const answers = ask(sim, sampledQuestions(sim, 2, sim.rng('questions')))
    assert.is(answers.found, answers.asked)
    const mean = answers.lookups / answers.asked
    // Prototypes with ideal caches of 20 entries a level needed 1.7 at 100 nodes and 2.5 at 1,000.
    assert.ok(mean <= Math.log10(nodes) + 0.5, `${mean} LOOKUPs among ${nodes} nodes`)
  }
})

test('PNRP-3.2.1.1-2 PNRP-3.2.1.1-3 PNRP-6-5 leaf sets are complete, ten entries and more are spread', () => {
  const sim = cloudOf(120, 2)
  sim.runFor(240_000)
  const { ratio } = leafSets(sim)
  assert.is(ratio, 1)
  for (const node of sim.liveNodes) {
    const firsts = node.machine.cache().map(({ pnrpId }) => pnrpId[0] as number)
    assert.ok(firsts.length >= 10)
    firsts.sort((a, b) => a - b)
    const gaps = firsts.map((first, i) => (firsts[(i + 1) % firsts.length] ?? 0) - first)
    gaps[gaps.length - 1] = (gaps.at(-1) ?? 0) + 256
    // Ten evenly spread entries have gaps of a tenth; no gap may be so wide that three fit in.
    assert.ok(Math.max(...gaps) < 256 * 0.4, `node ${node.index}: ${Math.max(...gaps)} of 256`)
  }
})

test('a cloud at rest sends little', () => {
  // 22 entries a node: one INQUIRE each 22 s, one leaf set probe a tick, with their answers: 2.3/s.
  const small = idlePackets(cloudOf(30, 3), 120_000)
  assert.ok(small < 3, `${small} packets a second and node among 30`)
  const big = idlePackets(cloudOf(300, 3), 60_000)
  // About a third of these take the cloud for a small one.
  assert.ok(big < 2.5, `${big} packets a second and node among 300`)
})

test('an address change is known all over the cloud within seconds', () => {
  const sim = cloudOf(60, 4)
  const mover = sim.nodes[30] as SimNode
  mover.changeAddresses()
  sim.runFor(5_000)
  for (const asker of sim.liveNodes) {
    if (asker === mover) continue
    const result = asker.resolve('0.name-30')
    sim.runUntil(() => result.done)
    assert.is(result.outcome, 'found', `asked by ${asker.index}`)
    assert.equal(result.peer?.serviceAddresses, mover.endpoints)
  }
})

test('a name that is withdrawn is gone within a second, from whoever is asked', () => {
  const sim = cloudOf(60, 5, 0.02)
  const publisher = sim.nodes[30] as SimNode
  const [registration] = publisher.registrations
  assert.ok(registration)
  // Some have just resolved it, and hold its entry.
  for (const asker of sim.liveNodes.slice(0, 20)) resolved(sim, asker, '0.name-30')
  publisher.unregister(registration)
  sim.runFor(1_000)
  for (const asker of sim.liveNodes) {
    if (asker !== publisher) assert.is(resolved(sim, asker, '0.name-30'), 'not-found')
  }
  sim.runFor(30_000)
  assert.equal(deadEntries(sim), [])
})

test('a cut heals where no seed is left: those who were lost are asked again', () => {
  const sim = cloudOf(40, 6)
  // The only seed that anybody knows dies.
  sim.nodes[0]?.kill()
  sim.runFor(60_000)
  const [a, b] = halves(sim)
  sim.partition(a, b)
  sim.runFor(10 * 60_000)
  const parted = ask(sim, sampledQuestions(sim, 1, sim.rng('parted')), { timeoutMs: 10_000 })
  assert.ok(parted.found < parted.asked, 'the cut was felt')
  sim.heal()
  sim.runFor(2 * 60_000)
  const answers = ask(sim, allQuestions(sim))
  assert.is(answers.found, answers.asked)
  assert.is(leafSets(sim).ratio, 1)
})

test('a node with many names and one without any live in the same cloud', () => {
  const sim = cloudOf(20, 7)
  const [first] = sim.nodes
  const rich = sim.addNode({ seeds: [first as SimNode] })
  for (let i = 0; i < 200; i++) rich.register(`0.many-${i}`)
  const poor = sim.addNode({ seeds: [first as SimNode] })
  sim.runFor(60_000)
  for (const i of [0, 77, 199]) {
    assert.is(resolved(sim, poor, `0.many-${i}`), 'found')
    assert.is(resolved(sim, sim.nodes[5] as SimNode, `0.many-${i}`), 'found')
  }
  const before = sim.nowMs
  rich.leave()
  sim.runUntil(() => !rich.alive, 5_000)
  assert.ok(sim.nowMs - before <= 2_000, `left in ${sim.nowMs - before} ms`)
  sim.runFor(40_000)
  assert.equal(deadEntries(sim), [])
})

test.run()
