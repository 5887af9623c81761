// A leech of peernet in the content benchmark:
//   node peernet-leech.js URL PEER OUT [CACHE]
// Prints DONE, stays until its standard input ends.
import { fetchContent } from '#lib/runtime/content/fetch-content.js'

const [url = '', peer = '', out = '', directory] = process.argv.slice(2)

async function openCache() {
  if (directory === undefined) return undefined
  const { BlockStore } = await import('#lib/storage/block-store.js')
  const { runOnPool } = await import('#lib/io/block-runner.js')
  return new BlockStore({ directory, run: runOnPool })
}

const cache = await openCache()
const options = { peers: [peer], ...(cache === undefined ? {} : { cache }) }
const got = await fetchContent(url, options)
await got.saveTo(out)
await cache?.close()
if (!got.isDistributed || got.shares.origin > 0) throw new Error('not from the peer')
process.stdout.write('DONE\n')
process.stdin.on('end', () => process.exit(0)).resume()
