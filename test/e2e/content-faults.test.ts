// Faults that a download, or a cache, has to stand; spec/faults-distribution.md lists them all.
// test-limit: 120s
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { decodeRequest } from '#lib/content/decode-retrieval.js'
import { toHex } from '#lib/core/bytes.js'
import type { FindPeers, PeerOffer } from '#lib/runtime/content/download-peers.js'
import { fetchContent } from '#lib/runtime/content/fetch-content.js'
import { blockOf, SHA256, segmentsOf } from '../helpers/content-scene.js'
import {
  cacheIn,
  clearScene,
  content,
  directory,
  fetched,
  isRight,
  listen,
  startOrigin,
  startPeer,
  warm,
} from '../helpers/distribution-scene.js'
import { until } from '../helpers/hosted-scene.js'
import { skipUnless, test } from '../harness.js'

test.after(clearScene)

/** A peer that answers everything with an empty block: it has nothing. */
async function emptyPeer(): Promise<string> {
  const { at } = await listen((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const decoded = decodeRequest(Buffer.concat(parts))
      assert.ok(decoded.ok)
      const { message } = decoded
      if (message.type === 'getblklist') {
        const { ranges, segmentId } = message
        response.end(encodeRetrieval({ type: 'blklist', segmentId, ranges, nextBlock: 0 }))
      } else if (message.type === 'getblks') {
        const blockIndex = message.ranges[0]?.index ?? 0
        const nothing = { block: new Uint8Array(0), iv: new Uint8Array(0), cipher: 0 } as const
        const { segmentId } = message
        response.end(
          encodeRetrieval({ type: 'blk', segmentId, blockIndex, nextBlock: 0, ...nothing }),
        )
      } else response.destroy()
    })
  })
  return at
}

test('peers that lie in discovery: claims, borrowed names, places where nobody is', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const honest = await startPeer(origin)
  const empty = await emptyPeer()
  const liars = (ids: readonly Uint8Array[]): PeerOffer[] => {
    const segments = ids.map((id) => ({ id, blocks: 0xffff_ffff }))
    return [
      { at: empty, service: 'urn:uuid:1', segments },
      // The honest peer's name at places of somebody else, and no places at all.
      { at: '[::1]:9', service: 'urn:uuid:2', segments },
      { at: 'x\r\nHost: y:80', segments },
      { at: '', segments: [{ id: new Uint8Array(0) }] },
      { at: honest.at, service: 'urn:uuid:2', segments: ids.map((id) => ({ id, blocks: 0 })) },
      ...Array.from({ length: 200 }, (_, i) => ({
        at: `[::1]:${i % 7}`,
        service: `s${i}`,
        segments,
      })),
    ]
  }
  const findPeers: FindPeers = async function* (ids, search) {
    for (const one of liars(ids)) yield one
    await Promise.resolve()
    search.roundOver(ids)
  }
  const got = await fetched(origin, { findPeers, peers: [honest.at], peerRequestMs: 500 })
  assert.ok(isRight(got.bytes))
  const without = await fetched(origin, { findPeers: liarsOnly(empty), peerRequestMs: 500 })
  assert.ok(isRight(without.bytes))
  assert.is(without.shares.origin, content.length, 'all of it from the origin')
})

function liarsOnly(at: string): FindPeers {
  return async function* (ids, search) {
    yield { at, segments: ids.map((id) => ({ id, blocks: 512 })) }
    await Promise.resolve()
    search.roundOver(ids)
    throw new Error('and then it breaks')
  }
}

test('path tricks in cache names: links and odd names lead to nothing outside', async () => {
  skipUnless(process.platform !== 'win32', 'links of Unix')
  const [name, outside] = [directory(), directory()]
  const secret = path.join(outside, 'secret')
  writeFileSync(secret, 'kept')
  const [segment] = segmentsOf(content, SHA256)
  assert.ok(segment)
  const key = toHex(segment.id)
  mkdirSync(path.join(name, key.slice(0, 2)))
  symlinkSync(secret, path.join(name, key.slice(0, 2), `${key}.seg`))
  // A directory of the cache that lies elsewhere, and names that are none.
  const other = key.startsWith('ab') ? 'ac' : 'ab'
  mkdirSync(path.join(name, other))
  for (const odd of ['...seg', '.seg', `${key}.seg.tmp~`, '-rf', `${key}..seg`]) {
    writeFileSync(path.join(name, other, odd), 'odd')
  }
  mkdirSync(path.join(name, 'zz'))
  writeFileSync(path.join(name, 'zz', `${key}.seg`), 'odd')
  const cache = cacheIn(name)
  assert.is(await cache.read(segment.id, 0), undefined)
  assert.ok(await cache.put(segment, 0, blockOf(content, segment, 0)))
  const found = await cache.read(segment.id, 0)
  assert.ok(found && Buffer.from(found.bytes).equals(blockOf(content, segment, 0)))
  assert.not.ok(lstatSync(path.join(name, key.slice(0, 2), `${key}.seg`)).isSymbolicLink())
  // An ID whose bytes spell a way out.
  const spelled = Buffer.alloc(32, '../')
  assert.is(await cache.held(spelled), undefined)
  assert.is(await cache.flush(), 1)
  assert.is(readFileSync(secret, 'latin1'), 'kept')
  assert.equal(readdirSync(outside), ['secret'])
  assert.is(readdirSync(path.join(name, other)).length, 5)
})

const filesIn = (name: string): string[] =>
  readdirSync(name, { recursive: true, encoding: 'utf8' }).filter((file) =>
    lstatSync(path.join(name, file)).isFile(),
  )

test('readers that stop in the middle, and downloads that are aborted, leave no file and no handle', async () => {
  const handles = (): number =>
    process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  const origin = await startOrigin()
  const plain = await startOrigin({ minimumBytes: 1e9 })
  await warm(origin)
  const cache = cacheIn()
  const output = directory()
  const once = async (url: string): Promise<void> => {
    for await (const part of await fetchContent(url, { cache })) if (part.length > 0) break
    const iterator = (await fetchContent(url, { cache }))[Symbol.asyncIterator]()
    await iterator.return(undefined)
    const stream = (await fetchContent(url)).stream().getReader()
    await stream.read()
    await stream.cancel()
    const abort = new AbortController()
    const got = await fetchContent(url, {
      signal: abort.signal,
      onBlock: () => {
        abort.abort()
      },
    })
    const saved = got.saveTo(path.join(output, 'file'))
    if (!got.isDistributed) abort.abort()
    const code = await saved.then(
      () => 'saved',
      (error: { code?: string }) => error.code,
    )
    assert.is(code, 'ERR_PEERNET_ABORTED')
  }
  await once(origin.url)
  const before = handles()
  for (let i = 0; i < 4; i++) for (const { url } of [origin, plain]) await once(url)
  assert.equal(readdirSync(output), [])
  assert.ok(filesIn(cache.directory).every((file) => file.endsWith('.seg')))
  // Sockets take a moment to close on either side.
  await until(() => handles() <= before + 4)
})

test('who is closed in the middle says so: a cache, and what reads from it, afterwards', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const cache = cacheIn()
  const bytes: Uint8Array[] = []
  for await (const part of await fetchContent(origin.url, { cache })) {
    if (bytes.length === 0) await cache.close()
    bytes.push(part)
  }
  assert.ok(isRight(Buffer.concat(bytes)), 'a download goes on without it')
  const again = await fetched(origin, { cache })
  assert.ok(isRight(again.bytes))
  try {
    await cache.held(new Uint8Array(32))
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_PEERNET_CLOSED')
  }
})

test.run()
