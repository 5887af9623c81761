// Peers that find each other by names in a cloud, over real sockets, with multicast off; and what
// a client does with content whose hashes come later.
// test-limit: 120s
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import path from 'node:path'
import * as assert from 'uvu/assert'
import {
  BlockStore,
  createContentPeer,
  openCloud,
  PeerName,
  publishContent,
  runOnPool,
  segmentName,
  type Cloud,
  type ContentPeer,
} from '#lib/index.js'
import { LIMITS } from '#lib/core/limits.js'
import { toHex } from '#lib/core/bytes.js'
import {
  clearScene,
  cacheIn,
  content,
  directory,
  infoOf,
  isRight,
  listen,
  OFFER,
  SECRET,
  startOrigin,
  type Origin,
  warm,
} from '../helpers/distribution-scene.js'
import { test } from '../harness.js'

const clouds: Cloud[] = []
const peers: ContentPeer[] = []
test.after(async () => {
  for (const peer of peers) await peer.close()
  for (const cloud of clouds) await cloud.close()
  await clearScene()
})

async function cloudOnLoopback(): Promise<Cloud> {
  const seeds = clouds.flatMap(({ endpoints }) => endpoints)
  const cloud = await openCloud({ addresses: ['::1'], port: 0, stateDirectory: false, seeds })
  clouds.push(cloud)
  if (seeds.length > 0) await cloud.whenJoined()
  return cloud
}

async function peerIn(cloud: Cloud, cache = directory()): Promise<ContentPeer> {
  const peer = await createContentPeer({ cache, cloud, host: '::1' })
  peers.push(peer)
  return peer
}

/** From now on it gives hashes alone: however slow the machine is, the rest is waited for. */
function hashesOnly(origin: Origin): void {
  origin.intercept = ({ headers }, response) => {
    if (headers.range === undefined) return false
    response.writeHead(503).end()
    return true
  }
}

test('a peer beyond the link is found by a name in the cloud, among liars', async () => {
  const origin = await startOrigin()
  const { body } = await warm(origin)
  const [segment] = infoOf(body).segments
  assert.ok(segment)
  const holder = await peerIn(await cloudOnLoopback())
  assert.ok(isRight(await (await holder.fetch(origin.url)).bytes()))
  const name = segmentName(segment.id)
  assert.equal(holder.cloudPeers?.names, [name.toString()])
  // Liars: one answers with rubbish, nobody listens at the second, the third leads elsewhere.
  const rubbish = await listen((_request, response) => response.end('no block'))
  const port = Number(rubbish.at.split(':').at(-1))
  const lies = [
    [{ address: '::1', port }],
    [{ address: '::1', port: 1 }],
    [
      { address: '2001:db8::1', port },
      { address: '::1', port, protocol: 'udp' as const },
    ],
  ]
  await holder.cloudPeers?.publish([segment.id])
  const liar = await cloudOnLoopback()
  for (const endpoints of lies) await liar.register(name, { endpoints })
  const seeker = await peerIn(await cloudOnLoopback())
  const before = origin.sent()
  hashesOnly(origin)
  const got = await seeker.fetch(origin.url)
  assert.ok(isRight(await got.bytes()))
  assert.is(got.shares.peers, content.length)
  assert.ok(origin.sent() - before < 0.05 * content.length)
  const from = new Set(got.trace.map(({ peer }) => peer))
  assert.equal([...from], [`[::1]:${holder.port}`])
  // What was fetched is published in its turn; what left the cache is not.
  assert.equal(seeker.cloudPeers?.names, [name.toString()])
  await seeker.cache.flush()
  assert.equal(seeker.cloudPeers?.names, [])
})

test('names are made of public IDs alone, fit the limits of names, and are few', async () => {
  const origin = await startOrigin({ version: 2 })
  const extended = 'MinContentInformation=1.0, MaxContentInformation=2.0'
  const { body } = await warm(origin, { ...OFFER, 'X-P2P-PeerDistEx': extended })
  const { segments } = infoOf(body)
  assert.ok(segments.length > LIMITS.cloudSegments)
  const [cloud] = clouds as [Cloud]
  const cache = directory()
  const peer = await peerIn(cloud, cache)
  assert.ok(isRight(await (await peer.fetch(origin.url)).bytes()))
  const names = peer.cloudPeers?.names ?? []
  const leading = segments.slice(0, LIMITS.cloudSegments)
  assert.equal([...names].sort(), leading.map(({ id }) => segmentName(id).toString()).sort())
  for (const { secret, hashOfData } of segments) {
    for (const hidden of [secret, hashOfData, SECRET]) {
      assert.not.ok(names.some((one) => one.includes(toHex(hidden).slice(0, 16))))
    }
  }
  assert.is(segmentName(new Uint8Array(64)).classifier.length, 144)
  assert.ok(new PeerName(segmentName(new Uint8Array(64)).toString()))
  // The next process publishes them again.
  await peer.close()
  const again = await peerIn(cloud, cache)
  assert.equal([...(again.cloudPeers?.names ?? [])].sort(), [...names].sort())
})

test('a file is published and found without an origin that sends it', async () => {
  const [cloud] = clouds as [Cloud]
  const file = path.join(directory(), 'file')
  writeFileSync(file, content)
  const holder = await peerIn(cloud)
  const published = await holder.publish(file, { secret: SECRET, algorithm: 'sha384' })
  assert.is(published.blocks, 23)
  const origin = await startOrigin({ algorithm: 'sha384' })
  assert.equal((await warm(origin)).body, Buffer.from(published.contentInformation))
  const seeker = await peerIn(await cloudOnLoopback())
  const before = origin.sent()
  hashesOnly(origin)
  const got = await seeker.fetch(origin.url)
  assert.ok(isRight(await got.bytes()))
  assert.ok(origin.sent() - before < 10_000, `${origin.sent() - before}`)
})

test('what cannot be published is said', async () => {
  const [cloud] = clouds as [Cloud]
  const holder = await peerIn(cloud)
  const empty = path.join(directory(), 'empty')
  writeFileSync(empty, '')
  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => (error as { code?: unknown }).code,
    )
  const secret = SECRET
  assert.is(await codeOf(holder.publish(empty, { secret })), 'ERR_PEERNET_CONTENT_EMPTY')
  assert.is(await codeOf(holder.publish(`${empty}-none`, { secret })), 'ERR_PEERNET_SYSTEM')
  writeFileSync(empty, content)
  const signal = AbortSignal.abort()
  assert.is(await codeOf(holder.publish(empty, { secret, signal })), 'ERR_PEERNET_ABORTED')
  const cache = new BlockStore({ directory: directory(), run: runOnPool, maxBytes: 0 })
  assert.is(await codeOf(publishContent(empty, { secret, cache })), 'ERR_PEERNET_SYSTEM')
  await cache.close()
})

test('D-039 a client asks again for the hashes, and others get the content from its cache', async () => {
  const origin = await startOrigin()
  const cache = cacheIn()
  const peer = await createContentPeer({ cache, host: '::1' })
  peers.push(peer)
  const got = await peer.fetch(origin.url)
  assert.ok(isRight(await got.bytes()) && !got.isDistributed)
  assert.ok(await got.kept)
  const wishes = origin.seen.map((headers) => headers['x-p2p-peerdistex'])
  assert.equal(wishes, [
    'MinContentInformation=1.0, MaxContentInformation=2.0',
    'MinContentInformation=1.0, MaxContentInformation=2.0, HashRequest=true',
  ])
  const other = await createContentPeer({ cache: directory(), host: '::1' })
  peers.push(other)
  const second = await other.fetch(origin.url, { peers: [`[::1]:${peer.port}`] })
  assert.ok(isRight(await second.bytes()))
  assert.equal(second.shares, { cache: 0, peers: content.length, origin: 0 })
  assert.is(await second.kept, false)
})

test('D-039 hashes of other content, or none, leave the cache alone', async () => {
  const origin = await startOrigin()
  const cache = cacheIn()
  origin.intercept = (incoming, response) => {
    if (incoming.headers['x-p2p-peerdistex']?.includes('HashRequest') !== true) return false
    response.end('there are none')
    return true
  }
  const first = await createContentPeer({ cache, host: '::1' })
  peers.push(first)
  const got = await first.fetch(origin.url)
  assert.ok(isRight(await got.bytes()))
  assert.is(await got.kept, false)
  assert.is((await cache.statistics()).segments, 0)
  // A reader who goes away asks for nothing.
  origin.intercept = undefined
  const count = origin.seen.length
  const broken = await first.fetch(`${origin.url}?2`)
  for await (const part of broken) if (part.length > 0) break
  assert.is(await broken.kept, false)
  assert.is(origin.seen.length, count + 1)
})

/** A server of bytes: answers each connection with what `reply` says, then ends its side. */
async function rawServer(reply: (request: string) => Buffer, seen: string[]): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1')
      if (text.includes('\r\n\r\n')) socket.end(reply(text))
    })
    socket.on('end', () => seen.push('fin'))
    socket.on('error', ({ message }) => seen.push(message))
    socket.on('close', () => seen.push('close'))
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  return server
}

test('D-044 a connection that the server closes is closed in order', async () => {
  const origin = await startOrigin()
  const { body } = await warm(origin)
  const holder = await peerIn(clouds[0] as Cloud)
  assert.ok(isRight(await (await holder.fetch(origin.url)).bytes()))
  const seen: string[] = []
  const head = [
    'HTTP/1.1 200 OK',
    'ETag: "1"',
    'Connection: close',
    'Content-Encoding: peerdist',
    `X-P2P-PeerDist: Version=1.1, ContentLength=${content.length}`,
    `Content-Length: ${body.length}`,
  ]
  const server = await rawServer(
    () => Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]),
    seen,
  )
  const { port } = server.address() as AddressInfo
  const other = await createContentPeer({ cache: directory(), host: '::1' })
  peers.push(other)
  const url = `http://[::1]:${port}/file`
  const got = await other.fetch(url, { peers: [`[::1]:${holder.port}`] })
  assert.ok(isRight(await got.bytes()))
  await new Promise((resolve) => server.close(resolve))
  assert.equal(seen, ['fin', 'close'])
})

test.run()
