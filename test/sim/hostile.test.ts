// test-limit: 120s
// Issue 2, Done 7 in a simulated cloud: one node in eight lies as test/sim/hostile-node.ts says.
import * as assert from 'uvu/assert'
import { bytesKey } from '#lib/core/bytes.js'
import { liveNames, Simulation, type SimCryptoKind, type SimNode } from '#lib/testing/index.js'
import { suite } from '../harness.js'
import { FORGERIES, liar, type Forgery, type Victim } from './hostile-node.js'

const test = suite('hostile nodes')

const NODES = 40
const LIARS = 5
const VICTIMS = 4

interface Siege {
  readonly sim: Simulation
  readonly honest: readonly SimNode[]
  readonly liars: ReadonlySet<SimNode>
  readonly victims: readonly Victim[]
  readonly counts: { lookups: number; forged: number }
}

function besiege(seed: number, forgery: Forgery, crypto: SimCryptoKind): Siege {
  const sim = new Simulation({ seed, crypto, keys: 2, network: { delayMeanMs: 10 } })
  const [owner, rogue] = [sim.identity(0), sim.identity(1)]
  const victims: Victim[] = []
  const counts = { lookups: 0, forged: 0 }
  const lie = liar({ sim, identity: rogue, forgery, victims, counts })
  const first = sim.addNode()
  first.register(owner.peerName('first'))
  const liars = new Set<SimNode>()
  for (let i = 1; i < NODES; i++) {
    const isLiar = i % Math.floor(NODES / LIARS) === 0
    const node = sim.addNode({ seeds: [first], ...(isLiar ? { intercept: lie } : {}) })
    node.register(isLiar ? rogue.peerName(`liar-${i}`) : owner.peerName(`honest-${i}`))
    if (isLiar) liars.add(node)
    sim.runFor(100)
  }
  sim.runFor(20_000)
  const honest = sim.nodes.filter((node) => !liars.has(node))
  for (const node of honest.slice(-VICTIMS)) {
    const [registration] = node.registrations
    const [endpoint] = node.endpoints
    assert.ok(registration?.pnrpId && endpoint)
    const classifier = registration.name.slice(41)
    victims.push({ identity: owner, classifier, pnrpId: registration.pnrpId, endpoint })
  }
  return { sim, honest, liars, victims, counts }
}

/** Every honest node asks for every victim; what it gets, and why lies were refused. */
function askAll({ sim, honest, victims }: Siege): Map<string, number> {
  const refusals = new Map<string, number>()
  const asked = honest.flatMap((asker) =>
    victims.map(({ identity, classifier, pnrpId }) => {
      const resolution = asker.resolve(identity.peerName(classifier), { includeLocal: true })
      return { asker, resolution, pnrpId }
    }),
  )
  sim.runFor(31_000)
  for (const { asker, resolution, pnrpId } of asked) {
    const where = `node ${asker.index} asked for ${resolution.name}`
    assert.is(resolution.outcome, 'found', `${where}: ${resolution.refusals.join(' ')}`)
    assert.is(bytesKey(resolution.peer?.pnrpId ?? pnrpId), bytesKey(pnrpId), where)
    assert.is(resolution.peer?.verified, 'authority', where)
    for (const reason of resolution.refusals) {
      refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
    }
  }
  return refusals
}

/**
 * Leaf set members that are not what they claim to be. Far from everything a liar may well be
 * cached under an ID that he made up or stole: return routability is all that MS-PNRP 3.1.5.11 asks
 * for there, and the next CPA that he fails to give ends it. A leaf set member needs a valid CPA.
 */
function falseNeighbours({ sim, honest }: Siege): string[] {
  const owners = new Map(
    liveNames(sim).map(({ pnrpId, publisher }) => [bytesKey(pnrpId), publisher.index]),
  )
  return honest.flatMap((holder) =>
    holder.machine.cache().flatMap(({ pnrpId, addresses, port, leaf }) => {
      const hosts = addresses.map((address) => sim.network.hostAt({ address, port }))
      const owner = owners.get(bytesKey(pnrpId))
      if (!leaf || (owner !== undefined && hosts.every((host) => host === owner))) return []
      return [`node ${holder.index}: owner ${owner ?? 'none'}, leads to ${hosts.join(' ')}`]
    }),
  )
}

for (const [forgery, reason] of Object.entries(FORGERIES) as [Forgery, string][]) {
  test(`${forgery}: refused as ${reason}, and the honest publisher is found`, () => {
    const siege = besiege(7, forgery, 'rsa')
    const refusals = askAll(siege)
    assert.ok(siege.counts.lookups > 0, 'liars were asked')
    assert.ok(siege.counts.forged > 0, 'liars handed out CPAs')
    const others = new Set(['no-cpa', reason])
    assert.ok((refusals.get(reason) ?? 0) > 0, [...refusals.keys()].join(' '))
    for (const other of refusals.keys()) assert.ok(others.has(other), `refused as ${other}`)
    assert.equal(falseNeighbours(siege), [])
  })
}

test('forgeries of the keyed-hash provider fail as well', () => {
  const siege = besiege(8, 'stolen public key', 'keyed-hash')
  const refusals = askAll(siege)
  assert.ok((refusals.get('signature') ?? 0) > 0, [...refusals.keys()].join(' '))
  assert.equal(falseNeighbours(siege), [])
})

test.run()
