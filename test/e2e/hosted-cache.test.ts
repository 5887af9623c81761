// A hosted cache between an origin and its clients, over real sockets and TLS (MS-PCHC).
// test-limit: 180s
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import * as assert from 'uvu/assert'
import type { HashAlgorithm } from '#lib/content/algorithms.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { decodeRequest, decodeResponse } from '#lib/content/decode-retrieval.js'
import { contentTag, encodeOffer, OFFER_PATH } from '#lib/content/offers.js'
import { offeredInfo } from '#lib/content/hosted-client.js'
import { RETRIEVAL_PATH } from '#lib/content/retrieval.js'
import { createContentPeer } from '#lib/runtime/content/content-peer.js'
import { RetrievalClient } from '#lib/runtime/content/retrieval-client.js'
import { RetrievalServer } from '#lib/runtime/content/retrieval-server.js'
import {
  cacheIn,
  clearScene,
  content,
  directory,
  fetched,
  isRight,
  listen,
  startOrigin,
  undoing,
  warm,
  OFFER,
  type Origin,
} from '../helpers/distribution-scene.js'
import { blockOf, segmentsOf, SHA256, VERSION_2 } from '../helpers/content-scene.js'
import {
  offering,
  post,
  settled,
  startHosted,
  until,
  type Hosted,
} from '../helpers/hosted-scene.js'
import { test } from '../harness.js'

test.after(clearScene)

const OK = Buffer.of(0, 0, 0, 1, 0)
const INTERESTED = Buffer.of(0, 0, 0, 1, 1)
const tag = contentTag('WebIO')

async function originOf(version: 1 | 2, algorithm: HashAlgorithm = 'sha256'): Promise<Origin> {
  const origin = await startOrigin({ version, algorithm })
  const Ex = 'MinContentInformation=1.0, MaxContentInformation=2.0'
  await warm(origin, { ...OFFER, 'X-P2P-PeerDistEx': Ex })
  return origin
}

/** A fetches from the origin and offers; when the cache has it, the origin is gone, and B comes. */
async function throughCache(hosted: Hosted, content: 1 | 2, protocol: 1 | 2, hash?: HashAlgorithm) {
  const origin = await originOf(content, hash)
  const cache = cacheIn()
  const offers = await offering(hosted, cache, { version: protocol })
  const first = await fetched(origin, { cache, hostedCache: offers, version: content })
  assert.ok(isRight(first.bytes))
  assert.is(first.shares.origin, first.bytes.length)
  await settled(offers, hosted)
  assert.is(offers.counters['drop.hosted-failure'], undefined, JSON.stringify(offers.counters))
  await offers.close()
  const sent = origin.sent()
  const hostedCache = { at: hosted.at, version: protocol }
  const second = await fetched(origin, { cache: cacheIn(), hostedCache, version: content })
  assert.ok(isRight(second.bytes))
  assert.ok(second.shares.peers >= 0.95 * second.bytes.length, JSON.stringify(second.shares))
  assert.ok(second.trace.every(({ peer }) => peer === undefined || peer === hosted.at))
  assert.ok(origin.sent() - sent <= 0.05 * second.bytes.length + 5000)
}

test('D-108 what one client offers over HTTP, the next gets from the cache, in both kinds of content', async () => {
  const hosted = await startHosted()
  await throughCache(hosted, 2, 2)
  await throughCache(hosted, 1, 2)
  const { counters, tags } = hosted.hosted.statistics()
  assert.ok((counters['hosted.block-sealed'] ?? 0) > 40)
  assert.is(counters['hosted.block-verified'], undefined)
  assert.ok(tags.Other > 20, 'told by the tag of this library')
})

test('D-108 D-106 the same over HTTPS with each hash: the cache asks for hashes and verifies', async () => {
  const hosted = await startHosted()
  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    await throughCache(hosted, 1, 1, hash)
  }
  const { counters } = hosted.hosted.statistics()
  assert.is(counters['hosted.block-sealed'], undefined)
  assert.is(counters['hosted.block-verified'], 3 * 23)
  assert.ok((counters['received.hosted-initial'] ?? 0) >= 3)
  assert.ok((counters['received.hosted-segment-info'] ?? 0) >= 3)
})

test('a cache that was closed and opened again has everything, and asks for no hashes', async () => {
  const name = directory()
  const hosted = await startHosted({}, name)
  await throughCache(hosted, 1, 1)
  await throughCache(hosted, 2, 2)
  await hosted.close()
  await hosted.cache.close()
  const again = await startHosted({}, name)
  for (const version of [1, 2] as const) {
    const origin = await originOf(version)
    const got = await fetched(origin, { hostedCache: { at: again.at }, version })
    assert.ok(isRight(got.bytes))
    assert.is(got.shares.peers, got.bytes.length)
  }
  const [segment] = segmentsOf(content, SHA256, new Uint8Array(32).fill(5))
  assert.ok(segment)
  const offer = encodeOffer({ type: 'initial', port: 9, segmentId: segment.id })
  const { body } = await post(`https://${again.tls}${OFFER_PATH[1]}`, offer)
  assert.equal(body, OK)
  assert.is(again.hosted.statistics().counters['ignored.hosted-known'], 1)
})

test('D-104 a cache that asks who offers takes offers with the right answer only', async () => {
  const authenticate = (request: IncomingMessage): boolean =>
    request.headers.authorization === 'Basic YWRhOnNlY3JldA=='
  const hosted = await startHosted({ authenticate, challenge: 'Basic realm="cache"' })
  const origin = await originOf(2)
  const tryWith = async (authorization?: string): Promise<Record<string, number>> => {
    const cache = cacheIn()
    const offers = await offering(hosted, cache, authorization ? { authorization } : {})
    assert.ok(isRight((await fetched(origin, { cache, hostedCache: offers })).bytes))
    await settled(offers, hosted)
    return offers.counters
  }
  assert.ok(((await tryWith())['drop.hosted-failure'] ?? 0) > 0)
  assert.ok(((await tryWith('Basic d3Jvbmc='))['drop.hosted-failure'] ?? 0) > 0)
  assert.is(hosted.replay.statistics().segments, 0)
  const counters = await tryWith('Basic YWRhOnNlY3JldA==')
  assert.is(counters['drop.hosted-failure'], undefined)
  assert.ok(hosted.replay.statistics().segments > 10)
  const refused = await post(`https://${hosted.tls}${OFFER_PATH[1]}`, Buffer.alloc(48))
  assert.equal([refused.status, refused.headers['www-authenticate']], [401, 'Basic realm="cache"'])
})

test('D-108 lists of blocks and segments of a cache tell what it fetched', async () => {
  const hosted = await startHosted()
  await throughCache(hosted, 1, 2)
  const [segment] = segmentsOf(content, SHA256, new Uint8Array(32).fill(5))
  assert.ok(segment)
  const client = new RetrievalClient()
  const ids = [randomBytes(32), segment.id, randomBytes(32)]
  const held = await client.segmentList(hosted.at, ids, randomBytes(16))
  assert.equal(held, { ok: true, value: [false, true, false] })
  const all = [{ index: 0, count: segment.blockCount }]
  assert.equal(await client.blockList(hosted.at, segment, all), { ok: true, value: all })
  const last = segment.blockCount - 1
  const block = await client.block(hosted.at, segment, last)
  assert.ok(block.ok && Buffer.from(block.value).equals(blockOf(content, segment, last)))
  const asked = {
    type: 'getblks',
    segmentId: segment.id,
    ranges: [{ index: 0, count: 1 }],
  } as const
  const { body } = await post(`http://${hosted.at}${RETRIEVAL_PATH}`, encodeRetrieval(asked))
  const decoded = decodeResponse(body)
  assert.ok(decoded.ok && decoded.message.type === 'blk' && decoded.message.nextBlock === 1)
  client.close()
})

test('D-076 lists of segments are asked of the hosted cache, and of no other peer', async () => {
  const hosted = await startHosted()
  await throughCache(hosted, 2, 2)
  const seen = { cache: new Set<string>(), peer: new Set<string>() }
  const spy = (who: Set<string>, to?: string) =>
    listen((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const bytes = Buffer.concat(parts)
        const decoded = decodeRequest(bytes)
        assert.ok(decoded.ok)
        who.add(decoded.message.type)
        if (to === undefined) response.writeHead(503).end()
        else {
          void post(`http://${to}${RETRIEVAL_PATH}`, bytes).then(({ body }) => {
            response.end(body)
          })
        }
      })
    })
  const [cache, peer] = [await spy(seen.cache, hosted.at), await spy(seen.peer)]
  const origin = await originOf(2)
  const got = await fetched(origin, { hostedCache: { at: cache.at }, peers: [peer.at] })
  assert.ok(isRight(got.bytes))
  assert.is(got.shares.peers, got.bytes.length)
  assert.equal([...seen.cache].sort(), ['getblks', 'getseglist'])
  assert.ok(!seen.peer.has('getseglist'))
})

test('a peer with a hosted cache offers what it fetched, from the port where it serves anyway', async () => {
  const hosted = await startHosted()
  const origin = await originOf(2)
  const hostedCache = { at: hosted.at }
  const [one, two] = await Promise.all(
    [1, 2].map(() => createContentPeer({ cache: directory(), host: '::1', hostedCache })),
  )
  assert.ok(one && two)
  undoing(() => Promise.all([one.close(), two.close()]))
  assert.ok(isRight(await (await one.fetch(origin.url)).bytes()))
  assert.ok(one.offers)
  await settled(one.offers, hosted)
  const got = await two.fetch(origin.url)
  assert.ok(isRight(await got.bytes()))
  assert.is(got.shares.peers, content.length)
  assert.equal(two.offers?.counters, {}, 'what came from the cache is not offered to it')
})

test('D-107 blocks of version 2 are given away byte for byte as they came', async () => {
  const hosted = await startHosted()
  const [segment] = segmentsOf(content.subarray(0, 30_000), VERSION_2)
  assert.ok(segment)
  const [block, iv] = [randomBytes(30_016), randomBytes(16)]
  const message = encodeRetrieval({
    ...{ type: 'blk', segmentId: segment.id, blockIndex: 0, nextBlock: 0 },
    ...{ cipher: 3, block, iv },
  })
  let asked = 0
  const { at } = await listen((request, response) => {
    asked += 1
    request.resume()
    response.end(message)
  })
  const offered = { blockBytes: 30_000, segmentBytes: 30_000, tag, version: 2 } as const
  const offer = encodeOffer({
    type: 'batched',
    port: Number(new URL(`http://${at}`).port),
    segments: [{ ...offered, segmentId: segment.id }],
  })
  assert.equal((await post(`http://${hosted.at}${OFFER_PATH[2]}`, offer)).body, OK)
  await until(() => hosted.replay.held(segment.id) !== undefined)
  const ask = encodeRetrieval({
    ...{ type: 'getblks', segmentId: segment.id, ranges: [{ index: 0, count: 1 }] },
  })
  const { body } = await post(`http://${hosted.at}${RETRIEVAL_PATH}`, ask)
  assert.ok(body.equals(message))
  assert.is(asked, 1)
  assert.is(hosted.hosted.statistics().tags.WebIO, 1)
})

test('D-107 D-097 D-098 of version 1 nothing wrong is kept, and an honest client then gets its turn', async () => {
  const hosted = await startHosted()
  const secret = randomBytes(32)
  const [segment] = segmentsOf(content, SHA256, secret)
  assert.ok(segment)
  const url = `https://${hosted.tls}${OFFER_PATH[1]}`
  const initial = (port: number) => encodeOffer({ type: 'initial', port, segmentId: segment.id })
  assert.equal((await post(url, initial(9))).body, INTERESTED)
  // One who knows the segment, and gives blocks of its own making.
  const liar = await listen((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const decoded = decodeRequest(Buffer.concat(parts))
      assert.ok(decoded.ok)
      const { message } = decoded
      if (message.type !== 'getblks' && message.type !== 'getblklist') return
      const { ranges, segmentId } = message
      const block = { blockIndex: ranges[0]?.index ?? 0, nextBlock: 0, cipher: 1 } as const
      const bytes = { block: randomBytes(65_552), iv: randomBytes(16) }
      response.end(
        message.type === 'getblklist'
          ? encodeRetrieval({ type: 'blklist', segmentId, ranges, nextBlock: 0 })
          : encodeRetrieval({ type: 'blk', segmentId, ...block, ...bytes }),
      )
    })
  })
  const port = Number(new URL(`http://${liar.at}`).port)
  const info = offeredInfo(segment)
  assert.equal((await post(url, encodeOffer({ type: 'segment-info', port, tag, info }))).body, OK)
  const count = (name: string): number => hosted.hosted.statistics().counters[name] ?? 0
  await until(() => count('drop.hosted-pull.wrong-hash') === 1)
  assert.is(await hosted.cache.held(segment.id), undefined)
  assert.is((await hosted.cache.statistics()).segments, 0, 'nor are its hashes on the disk')
  // Now the hashes are known: the next one only says that it has the segment.
  const cache = cacheIn()
  for (let block = 0; block < segment.blockCount; block++) {
    await cache.put(segment, block, blockOf(content, segment, block))
  }
  const honest = new RetrievalServer({ cache })
  undoing(() => honest.close())
  const served = await honest.listen(0, '::1')
  assert.equal((await post(url, initial(served.port))).body, OK)
  await until(async () => (await hosted.cache.held(segment.id))?.isComplete === true)
})

test('an offer that comes while the segment is being fetched is not forgotten', async () => {
  const hosted = await startHosted()
  const [segment] = segmentsOf(content, SHA256, randomBytes(32))
  assert.ok(segment)
  const cache = cacheIn()
  const put = (block: number) => cache.put(segment, block, blockOf(content, segment, block))
  for (let block = 0; block < 10; block++) await put(block)
  const client = new RetrievalServer({ cache })
  undoing(() => client.close())
  const { port } = await client.listen(0, '::1')
  const url = `https://${hosted.tls}${OFFER_PATH[1]}`
  const info = encodeOffer({ type: 'segment-info', port, tag, info: offeredInfo(segment) })
  await post(url, info)
  for (let block = 10; block < segment.blockCount; block++) await put(block)
  await post(url, info)
  await until(async () => (await hosted.cache.held(segment.id))?.isComplete === true)
})

test('a cache that is not there, or is not whom it says, delays nobody and changes no byte', async () => {
  const origin = await originOf(1)
  const gone = await listen(() => undefined)
  await gone.kill()
  const hosted = await startHosted()
  const cases = [
    { at: gone.at, offersAt: gone.at },
    { at: hosted.at, offersAt: hosted.tls, ca: undefined },
    { at: hosted.at, offersAt: hosted.at },
  ]
  for (const one of cases) {
    const cache = cacheIn()
    const { ca, ...address } = { ca: '', ...one }
    const offers = await offering(hosted, cache, {
      ...{ ...address, version: 1 },
      ...(ca === undefined ? { ca: (await import('node:tls')).rootCertificates[0] ?? '' } : {}),
    })
    const got = await fetched(origin, { cache, hostedCache: offers })
    assert.ok(isRight(got.bytes))
    await settled(offers, hosted)
    assert.ok((offers.counters['drop.hosted-failure'] ?? 0) > 0)
  }
  assert.is((await hosted.cache.statistics()).segments, 0)
})

test.run()
