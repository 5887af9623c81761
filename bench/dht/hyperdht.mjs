// hyperdht: signed mutable values, one node a DHT instance, all on 127.0.0.1.
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'

const require = createRequire(new URL('../peers/package.json', import.meta.url))
const { default: DHT } = await import(pathToFileURL(require.resolve('hyperdht')).href)

const options = { ephemeral: false, firewalled: false, host: '127.0.0.1' }

async function start(bootstrap) {
  const node = new DHT({ ...options, bootstrap })
  await node.fullyBootstrapped()
  return node
}

export default {
  name: 'hyperdht',
  async create(count) {
    const first = await start([])
    const bootstrap = [{ host: '127.0.0.1', port: first.address().port }]
    const nodes = [first]
    while (nodes.length < count) {
      const batch = Math.min(8, count - nodes.length)
      nodes.push(...(await Promise.all(Array.from({ length: batch }, () => start(bootstrap)))))
    }
    return nodes
  },
  async put(node, i) {
    const keyPair = DHT.keyPair()
    const value = Buffer.concat([Buffer.from(`rec${i}:`), randomBytes(200)])
    await node.mutablePut(keyPair, value)
    return keyPair.publicKey
  },
  async get(node, key) {
    return (await node.mutableGet(key, { latest: false })) !== null
  },
}
