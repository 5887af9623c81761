// hyperdht: signed mutable values; every node is a DHT instance with a socket of its own on
// 127.0.0.1. `get` verifies the signature.
import DHT from 'hyperdht'

const options = { ephemeral: false, firewalled: false, host: '127.0.0.1' }
const JOIN_TOGETHER = 8

async function start(bootstrap) {
  const node = new DHT({ ...options, bootstrap })
  await node.fullyBootstrapped()
  return node
}

export async function create(count) {
  const first = await start([])
  const bootstrap = [{ host: '127.0.0.1', port: first.address().port }]
  const nodes = [first]
  while (nodes.length < count) {
    const batch = Math.min(JOIN_TOGETHER, count - nodes.length)
    nodes.push(...(await Promise.all(Array.from({ length: batch }, () => start(bootstrap)))))
  }
  return nodes
}

export async function put(node, _index, value) {
  const keyPair = DHT.keyPair()
  await node.mutablePut(keyPair, Buffer.from(value))
  return keyPair.publicKey
}

export async function get(node, key) {
  return (await node.mutableGet(key, { latest: false })) !== null
}

export async function close(nodes) {
  await Promise.all(nodes.map((node) => node.destroy({ force: true })))
}
