// The seed of peernet in the content benchmark:
//   node peernet-seed.js FILE CACHE VERSION
// A web server that offers the file as hashes, and a peer that has all its blocks. Prints READY and
// both ports, stays until its standard input ends.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
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

async function listen(handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return (server.address() as AddressInfo).port
}

const schemeOf = (version: ContentVersion) =>
  ({ version, algorithm: version === 1 ? 'sha256' : 'sha512' }) as const

async function seed(file: string, directory: string, version: ContentVersion) {
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
  process.stdout.write(`READY ${web} ${peer.port}\n`)
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
  if (hashed.length >= 64 << 20) spawnSync('sync', ['-f', marker])
}

const [file = '', cache = '', version = ''] = process.argv.slice(2)
await seed(file, cache, Number(version) as ContentVersion)
process.stdin.on('end', () => process.exit(0)).resume()
