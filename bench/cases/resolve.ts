// Names looked up in clouds on the loopback device: secure names of peernet beside signed values of
// hyperdht. A trial is one process with a whole cloud, in a network namespace of its own, so that
// the device counts no other packets.
import type { BenchCase, BenchSuite, TrialOptions } from '../bench.js'
import { importPeer } from '../peers.js'
import { measureSystem, metrics, type NameSystem } from '../resolve/harness.js'
import { secureNames } from '../resolve/peernet.js'

const ENDPOINTS = 'peernet: endpoints'
const PAYLOAD = 'peernet: endpoints and 200 bytes'
const peers = ['hyperdht']

async function systemOf(name: string): Promise<NameSystem> {
  if (name === ENDPOINTS) return secureNames(false)
  if (name === PAYLOAD) return secureNames(true)
  return importPeer<NameSystem>(name)
}

const cases = [32, 128, 512].map((nodes): BenchCase => ({
  case: 'secure names beside signed gets of 200 bytes',
  n: nodes,
  systems: [ENDPOINTS, PAYLOAD, ...peers],
  peers,
  reference: 'hyperdht',
  metrics,
  isolated: true,
  limitSeconds: 180,
  trial: async (system: string, options: TrialOptions) =>
    measureSystem(await systemOf(system), options.quick ? 4 : nodes, options),
}))

const suite: BenchSuite = { name: 'resolve', cases }
export default suite
