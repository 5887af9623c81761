// peernet through its public library: every node is a cloud object with a socket of its own on ::1
// and publishes one unsecured name, so that the others route through it.
import { openCloud, PeerIdentity, type Cloud } from '#lib/index.js'
import type { NameSystem } from './harness.js'

const JOIN_TOGETHER = 8

async function start(index: number, seeds: readonly string[]): Promise<Cloud> {
  const cloud = await openCloud({ addresses: ['::1'], port: 0, seeds, stateDirectory: false })
  await cloud.register(`0.node-${index}`, { endpoints: [{ address: 'auto', port: 4000 }] })
  if (seeds.length > 0) await cloud.whenJoined()
  return cloud
}

async function create(count: number): Promise<Cloud[]> {
  const nodes = [await start(0, [])]
  const seeds = [...(nodes[0] as Cloud).endpoints]
  while (nodes.length < count) {
    const batch = Math.min(JOIN_TOGETHER, count - nodes.length)
    const first = nodes.length
    const joining = Array.from({ length: batch }, (_, i) => start(first + i, seeds))
    nodes.push(...(await Promise.all(joining)))
  }
  return nodes
}

/** Secure names, each of an identity of its own; with the value as extended payload or without. */
export function secureNames(withPayload: boolean): NameSystem<Cloud, string> {
  return {
    create,
    async put(cloud, index, value) {
      const identity = await PeerIdentity.create()
      const name = identity.peerName(`record-${index}`).toString()
      await cloud.register(name, {
        identity,
        endpoints: [{ address: 'auto', port: 4001 }],
        ...(withPayload ? { payload: value } : {}),
      })
      return name
    },
    async get(cloud, name) {
      const { verified, payload } = await cloud.resolve(name).first()
      return verified === 'authority' && (payload !== undefined) === withPayload
    },
    async close(nodes) {
      await Promise.all(nodes.map((cloud) => cloud.close()))
    },
  }
}
