// test-limit: 120s
import * as assert from 'uvu/assert'
import { equalBytes } from '#lib/core/bytes.js'
import {
  allQuestions,
  ask,
  deadEntries,
  leafSets,
  Simulation,
  type SimulationOptions,
} from '#lib/testing/index.js'
import { suite } from '../../harness.js'

const test = suite('simulation')

/** A cloud of `count` nodes that know each other; node i publishes `0.name-i`. */
function cloudOf(count: number, options: Partial<SimulationOptions> = {}): Simulation {
  const sim = new Simulation({ seed: 1, keys: 2, ...options })
  const first = sim.addNode()
  sim.addNodes(count - 1, { seeds: [first] }, 1000)
  for (const node of sim.nodes) node.register(`0.name-${node.index}`)
  sim.runFor(30_000)
  return sim
}

test('two nodes meet through a seed, publish, resolve and forget', () => {
  const sim = new Simulation({ seed: 1, keys: 2 })
  const ada = sim.addNode()
  const bob = sim.addNode({ seeds: [ada] })
  const identity = sim.identity(0)
  bob.register('0.bob')
  const registration = ada.register(identity.peerName('chat'), { comment: 'Ada', payload: 'hello' })
  sim.runFor(3000)
  assert.is(bob.state, 'active')
  assert.is(registration.state, 'registered')

  const result = bob.resolve(identity.peerName('chat'), { trace: true })
  assert.is(result.done, false)
  assert.ok(sim.runUntil(() => result.done))
  assert.is(result.outcome, 'found')
  assert.is(result.peer?.verified, 'authority')
  assert.ok(equalBytes(result.peer?.pnrpId ?? new Uint8Array(), registration.pnrpId as Uint8Array))
  assert.equal(result.peer?.extendedPayload, { kind: 'text', encoding: 'utf-8', text: 'hello' })
  assert.is(Buffer.from(result.peer?.friendlyName?.bytes ?? []).toString('utf16le'), 'Ada')
  assert.ok((result.elapsedMs ?? 0) > 0)
  assert.ok((result.steps?.length ?? 0) >= 2)

  ada.unregister(registration)
  sim.runFor(2500)
  const gone = bob.resolve(identity.peerName('chat'))
  sim.runUntil(() => gone.done)
  assert.is(gone.outcome, 'not-found')
  assert.is(registration.state, 'ended')
})

test('a cloud of ten is complete: leaf sets, and every name from every node', () => {
  const sim = cloudOf(10)
  assert.is(leafSets(sim).ratio, 1)
  const answers = ask(sim, allQuestions(sim))
  assert.is(answers.asked, 90)
  assert.is(answers.found, 90)
  const { byType, packets, signed, verified } = sim.stats
  const counted = Object.values(byType).reduce((sum, n) => sum + n, 0)
  assert.is(counted, packets.sent)
  for (const type of ['SOLICIT', 'ADVERTISE', 'REQUEST', 'FLOOD', 'INQUIRE', 'AUTHORITY', 'ACK']) {
    assert.ok((byType[type] ?? 0) > 0, type)
  }
  assert.ok(signed >= answers.asked, 'each resolve has its own signature')
  assert.ok(verified >= answers.asked)
})

test('same seed, same hash, with real RSA; another seed, another hash', () => {
  const run = (seed: number): string => {
    const rough = { loss: 0.1, duplication: 0.05, reordering: 0.1, jitterMs: 20 }
    const sim = cloudOf(12, { seed, network: rough })
    sim.nodes[3]?.kill()
    sim.nodes[4]?.leave()
    ask(sim, allQuestions(sim).slice(0, 20))
    return sim.hash
  }
  const hash = run(5)
  assert.is(run(5), hash)
  assert.is.not(run(6), hash)
})

test('a killed node answers nothing, one that leaves says goodbye', () => {
  const sim = cloudOf(12)
  const [, killed, left, asker] = sim.nodes
  assert.ok(killed && left && asker)
  left.leave()
  sim.runUntil(() => !left.alive, 5000)
  assert.is(left.alive, false)
  sim.runFor(1000)
  const orderly = asker.resolve(`0.name-${left.index}`)
  sim.runUntil(() => orderly.done)
  assert.is(orderly.outcome, 'not-found')
  assert.ok((orderly.elapsedMs ?? Infinity) < 1000, 'nobody leads there any more')

  const pending = killed.resolve('0.name-5')
  killed.kill()
  assert.is(pending.outcome, 'node-died')
  assert.throws(() => killed.resolve('0.name-5'), /gone/)
  sim.runFor(30_000)
  assert.equal(deadEntries(sim), [])
})

test('a node that moves is found at its new address', () => {
  const sim = cloudOf(12)
  const [asker, mover] = sim.nodes
  assert.ok(asker && mover)
  const before = mover.endpoints[0]
  mover.changeAddresses()
  sim.runFor(10_000)
  const result = asker.resolve(`0.name-${mover.index}`)
  sim.runUntil(() => result.done)
  assert.is(result.outcome, 'found')
  const [found] = result.peer?.serviceAddresses ?? []
  assert.equal(found, mover.endpoints[0])
  assert.not.equal(found, before)
})

test('nodes of one link find each other by multicast, those of another link do not', () => {
  const sim = new Simulation({ seed: 3, keys: 2 })
  const first = sim.addNode({ scope: 'link-local', link: 1 })
  first.register('0.printer')
  sim.runFor(1000)
  const near = sim.addNode({ scope: 'link-local', link: 1 })
  const far = sim.addNode({ scope: 'link-local', link: 2 })
  sim.runFor(30_000)
  const found = near.resolve('0.printer')
  const missed = far.resolve('0.printer')
  sim.runUntil(() => found.done && missed.done)
  assert.is(found.outcome, 'found')
  assert.is(missed.outcome, 'not-found')
  assert.ok(sim.multicast.searches > 0)
})

test('partitions separate and healing joins again', () => {
  const sim = cloudOf(8)
  const [a, b] = [sim.nodes.slice(0, 4), sim.nodes.slice(4)]
  sim.partition(a, b)
  const inside = a[1]?.resolve('0.name-2')
  const across = a[1]?.resolve('0.name-6')
  sim.runUntil(() => inside?.done === true && across?.done === true)
  assert.is(inside?.outcome, 'found')
  assert.is.not(across?.outcome, 'found')
  sim.heal()
  sim.runFor(60_000)
  assert.is(ask(sim, allQuestions(sim)).failures.length, 0)
})

test('the keyed-hash provider stands in for RSA: same packets in number and length', () => {
  const run = (crypto: 'rsa' | 'keyed-hash'): Simulation => {
    const sim = cloudOf(6, { crypto })
    assert.is(ask(sim, allQuestions(sim)).failures.length, 0)
    return sim
  }
  const real = run('rsa').stats
  const stand = run('keyed-hash').stats
  assert.is(stand.packets.sent, real.packets.sent)
  assert.is(stand.bytes, real.bytes)
  assert.is(stand.signed, real.signed)
  assert.is(stand.verified, real.verified)
})

test('signatures take their virtual time', () => {
  const resolveIn = (signUs: number): number => {
    const sim = cloudOf(2, { cryptoTimes: { signUs } })
    const result = sim.nodes[1]?.resolve('0.name-0')
    sim.runUntil(() => result?.done === true)
    return result?.elapsedMs ?? Number.NaN
  }
  const slow = resolveIn(50_000)
  const fast = resolveIn(0)
  assert.ok(slow - fast > 49 && slow - fast < 60, `${fast} and ${slow} ms`)
})

test('misuse is refused with a code', () => {
  const sim = new Simulation({ seed: 1, keys: 1 })
  const node = sim.addNode()
  const code = (body: () => void): string => {
    try {
      body()
    } catch (error) {
      return (error as { code: string }).code
    }
    return 'nothing thrown'
  }
  assert.is(
    code(() => node.resolve('no dot')),
    'ERR_PEERNET_INVALID_PEER_NAME',
  )
  assert.is(
    code(() => node.register(`${'0'.repeat(40)}.x`)),
    'ERR_PEERNET_IDENTITY_NOT_FOUND',
  )
  assert.is(
    code(() => new Simulation({ seed: 0.5 })),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    code(() => new Simulation({ seed: 1, network: { loss: 2 } })),
    'ERR_PEERNET_INVALID_ARG',
  )
  node.kill()
  assert.is(
    code(() => node.register('0.x')),
    'ERR_PEERNET_CLOSED',
  )
})

test.run()
