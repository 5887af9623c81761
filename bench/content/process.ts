// A process of the content benchmark:
//   node process.js node-seed FILE            node-leech PORT OUT
//   node process.js peernet-seed FILE CACHE VERSION     peernet-leech URL PEER OUT [CACHE]
// Seeds print READY and their ports, leeches DONE; all stay until their standard input ends.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { ContentVersion } from '#lib/content/algorithms.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { runOnPool } from '#lib/io/block-runner.js'
import { hashFile } from '#lib/io/hash-content.js'
import { fetchContent } from '#lib/runtime/content/fetch-content.js'
import { peerdist } from '#lib/runtime/content/peerdist.js'
import { RetrievalServer } from '#lib/runtime/content/retrieval-server.js'
import { StaticFiles } from '#lib/runtime/content/static-files.js'
import { BlockStore } from '#lib/storage/block-store.js'

const secret = new Uint8Array(32).fill(7)
const HOST = '::1'

function say(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`)
}

async function listen(handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return (server.address() as AddressInfo).port
}

async function nodeSeed(file: string): Promise<void> {
  const port = await listen((_, response) => {
    createReadStream(file).pipe(response)
  })
  say('READY', port)
}

function nodeLeech(port: string, out: string): void {
  const hash = createHash('sha256')
  http.get({ host: HOST, port: Number(port) }, (response) => {
    response.on('data', (part: Buffer) => hash.update(part))
    response.pipe(createWriteStream(out)).on('finish', () => {
      say('DONE', hash.digest('hex'))
    })
  })
}

const schemeOf = (version: ContentVersion) =>
  ({ version, algorithm: version === 1 ? 'sha256' : 'sha512' }) as const

/** A web server that offers the file as hashes, and a peer that has all its blocks. */
async function peernetSeed(file: string, directory: string, version: ContentVersion) {
  const cache = new BlockStore({ directory, run: runOnPool, maxBytes: 2 ** 40 })
  await fill(cache, file, version)
  const files = await StaticFiles.of(path.dirname(file), peerdist({ secret, version }))
  const web = await listen((request, response) => {
    files.handle(request, response).catch(() => response.destroy())
  })
  const peer = await new RetrievalServer({ cache }).listen(0, HOST)
  // The hashes are made now, before the clock starts.
  for (let isReady = false; !isReady;) {
    const got = await fetchContent(`http://[${HOST}]:${web}/${path.basename(file)}`)
    isReady = got.isDistributed
    got.readable().destroy()
  }
  say('READY', web, peer.port)
}

async function fill(cache: BlockStore, file: string, version: ContentVersion): Promise<void> {
  const marker = path.join(cache.directory, 'filled')
  if (existsSync(marker)) return
  const hashed = await hashFile(file, schemeOf(version))
  const parsed = parseContentInfo(writeContentInfo(hashed, secret))
  if (!parsed.ok) throw new Error('no content information')
  const from = await open(file)
  for (const segment of parsed.info.segments) {
    for (let block = 0; block < segment.blockCount; block++) {
      const bytes = new Uint8Array(segment.blockLength(block))
      await from.read(bytes, 0, bytes.length, segment.offset + block * segment.blockBytes)
      if (!(await cache.put(segment, block, bytes))) throw new Error('the cache takes nothing')
    }
  }
  await from.close()
  mkdirSync(cache.directory, { recursive: true })
  writeFileSync(marker, '')
}

async function peernetLeech(url: string, peer: string, out: string, cacheDirectory?: string) {
  const cache =
    cacheDirectory === undefined
      ? undefined
      : new BlockStore({ directory: cacheDirectory, run: runOnPool })
  const options = { peers: [peer], ...(cache === undefined ? {} : { cache }) }
  const got = await fetchContent(url, options)
  await got.saveTo(out)
  await cache?.close()
  if (!got.isDistributed || got.shares.origin > 0) throw new Error('not from the peer')
  say('DONE')
}

const [role, ...args] = process.argv.slice(2)
const [first = '', second = '', third = '', fourth] = args
if (role === 'node-seed') await nodeSeed(first)
else if (role === 'node-leech') nodeLeech(first, second)
else if (role === 'peernet-seed') await peernetSeed(first, second, Number(third) as ContentVersion)
else await peernetLeech(first, second, third, fourth)
process.stdin.on('end', () => process.exit(0)).resume()
