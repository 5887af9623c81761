// Who tries to hurt a hosted cache, or others through it, each by name (MS-PCHC, DA-27).
// test-limit: 180s
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { decodeRequest } from '#lib/content/decode-retrieval.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { contentTag, encodeOffer, OFFER_PATH } from '#lib/content/offers.js'
import { offeredInfo } from '#lib/content/hosted-client.js'
import type { BlockMessage, RetrievalRequest } from '#lib/content/retrieval.js'
import { LIMITS } from '#lib/core/limits.js'
import {
  cacheIn,
  clearScene,
  content,
  directory,
  fetched,
  isRight,
  listen,
  OFFER,
  startOrigin,
  warm,
} from '../helpers/distribution-scene.js'
import { segmentsOf, SHA256, VERSION_2 } from '../helpers/content-scene.js'
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

const tag = contentTag('WebIO')
const OK = Buffer.of(0, 0, 0, 1, 0)
const count = ({ hosted }: Hosted, name: string): number => hosted.statistics().counters[name] ?? 0

function batchOf(port: number, ids: readonly Uint8Array[], segmentBytes = 1000): Uint8Array {
  const segments = ids.map((segmentId) => {
    return { blockBytes: segmentBytes, segmentBytes, tag, version: 2, segmentId } as const
  })
  return encodeOffer({ type: 'batched', port, segments })
}

const filesIn = (name: string): string[] =>
  readdirSync(name, { recursive: true, encoding: 'utf8' })
    .map((entry) => path.join(name, entry))
    .filter((entry) => statSync(entry).isFile())

test('path tricks lead nowhere: two addresses are there, each on its own side', async () => {
  const name = directory()
  const hosted = await startHosted({}, path.join(name, 'cache'))
  const batch = batchOf(9, [randomBytes(32)])
  const [http, https] = [`http://${hosted.at}/`, `https://${hosted.tls}/`]
  const at = async (side: string, raw: string, method = 'POST'): Promise<number> =>
    (await post(side, batch, { path: raw, method })).status
  const { 1: first, 2: second } = OFFER_PATH
  const wrong = [
    '/',
    '/../../etc/passwd',
    `/%2e%2e${second}`,
    `/.${second}`,
    `/${second}`,
    `${second}/x`,
    `${second}%00`,
    `${second}//`,
    `http://other${second}x`,
    first,
  ]
  for (const raw of wrong) assert.is(await at(http, raw), 404, raw)
  assert.is(await at(https, second), 404)
  for (const method of ['GET', 'PUT', 'DELETE']) assert.is(await at(http, second, method), 405)
  // DA-24
  for (const raw of [`${second}/`, second.toUpperCase(), `${second}?x=1`]) {
    assert.is(await at(http, raw), 200, raw)
  }
  // Version 1 to the address of version 2, and the other way round (D-102).
  const initial = encodeOffer({ type: 'initial', port: 9, segmentId: randomBytes(32) })
  assert.is((await post(http, initial, { path: second })).status, 0)
  assert.is((await post(https, batch, { path: first })).status, 0)
  assert.is(count(hosted, 'drop.hosted-other-version'), 2)
  assert.equal(readdirSync(name), ['cache'])
})

test('offers that are too long, malformed or random are dropped and counted', async () => {
  const hosted = await startHosted()
  const url = `http://${hosted.at}${OFFER_PATH[2]}`
  const long = Buffer.alloc(LIMITS.hostedOfferBytes + 1)
  assert.is((await post(url, long)).status, 0)
  assert.is(count(hosted, 'drop.hosted-body'), 1)
  const good = batchOf(9, [randomBytes(32), randomBytes(32)])
  const bad = [good.subarray(0, 100), Buffer.concat([good, Buffer.of(0)]), Buffer.alloc(0)]
  for (let i = 0; i < 40; i++) {
    const bytes = Buffer.from(i % 2 === 0 ? good : randomBytes(135))
    // The type, or a tag's size, or an algorithm.
    for (const place of [2, 24, 42]) bytes[place] = 0x80 | (randomBytes(1)[0] ?? 0)
    bad.push(bytes)
  }
  for (const bytes of bad) assert.is((await post(url, bytes)).status, 0)
  assert.is(count(hosted, 'drop.hosted-malformed'), bad.length)
  assert.equal((await post(url, batchOf(0, [randomBytes(32)]))).body, OK, 'it is still there')
})

test('an offer that comes byte by byte is cut off', async () => {
  const hosted = await startHosted({ offerMs: 200 })
  const { hostname, port } = new URL(`http://${hosted.at}`)
  const socket = connect(Number(port), hostname.slice(1, -1))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(`POST ${OFFER_PATH[2]} HTTP/1.1\r\nHost: x\r\nContent-Length: 75\r\n\r\n\x00`)
  await closed
  assert.is(count(hosted, 'drop.hosted-slow'), 1)
})

test('a flood of offers: each client has a rate', async () => {
  const hosted = await startHosted()
  const silent = await listen(() => undefined)
  const port = Number(new URL(`http://${silent.at}`).port)
  const url = `http://${hosted.at}${OFFER_PATH[2]}`
  const statuses: number[] = []
  for (let i = 0; i < 60; i++) {
    const some = Array.from({ length: 32 }, () => {
      return post(url, batchOf(port, [randomBytes(32), randomBytes(32), randomBytes(32)]))
    })
    for (const { status } of await Promise.all(some)) statuses.push(status)
    if (statuses.includes(503)) break
  }
  assert.ok(statuses.every((status) => status === 200 || status === 503))
  assert.ok(count(hosted, 'refused.hosted-rate') > 0)
  const taken = statuses.filter((status) => status === 200).length
  assert.ok(taken >= LIMITS.hostedOfferBurst)
})

/** Answers each GETBLKS with what `make` gives, or lets it do it. */
async function offerer(
  make: (request: RetrievalRequest, response: ServerResponse) => BlockMessage | undefined,
): Promise<number> {
  const { at } = await listen((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const decoded = decodeRequest(Buffer.concat(parts))
      assert.ok(decoded.ok)
      const message = make(decoded.message, response)
      if (message !== undefined) response.end(encodeRetrieval(message))
    })
  })
  return Number(new URL(`http://${at}`).port)
}

const sealed = (segmentId: Uint8Array, length = 1008): BlockMessage => ({
  ...{ type: 'blk', segmentId, blockIndex: 0, nextBlock: 0, cipher: 1 },
  ...{ block: randomBytes(length), iv: randomBytes(16) },
})

test('who offers and then gives plain, short, long, other, no or endless blocks, is slow or gone', async () => {
  const hosted = await startHosted()
  const id = randomBytes(32)
  const lies: [string, Parameters<typeof offerer>[0]][] = [
    ['plaintext', () => ({ ...sealed(id, 1000), cipher: 0, iv: new Uint8Array(0) })],
    ['length', () => sealed(id, 992)],
    ['length', () => sealed(id, 65_536)],
    ['unsolicited', () => sealed(randomBytes(32))],
    ['unsolicited', () => ({ ...sealed(id), blockIndex: 1 })],
    ['absent', () => ({ ...sealed(id), cipher: 0, block: Buffer.alloc(0), iv: Buffer.alloc(0) })],
    ['status', (_, response) => void response.writeHead(500).end()],
    ['malformed', (_, response) => void response.end(randomBytes(500))],
    [
      'malformed',
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', more)
        }
        more()
        return undefined
      },
    ],
    ['timeout', () => undefined],
    ['unreachable', (_, response) => void response.destroy()],
  ]
  const url = `http://${hosted.at}${OFFER_PATH[2]}`
  const wanted = new Map<string, number>()
  for (const [why, lie] of lies) {
    const name = `drop.hosted-pull.${why}`
    wanted.set(name, (wanted.get(name) ?? 0) + 1)
    const port = await offerer(lie)
    assert.equal((await post(url, batchOf(port, [id]))).body, OK)
    await until(() => count(hosted, name) === wanted.get(name))
    assert.is(hosted.replay.held(id), undefined, why)
  }
  const port = await offerer(() => sealed(id))
  await post(url, batchOf(port, [id]))
  await until(() => hosted.replay.held(id)?.isComplete === true)
})

test('a cache that was given rubbish costs its clients no wrong byte, and is healed by the next', async () => {
  const name = directory()
  const given = await startHosted({}, name)
  const origin = await startOrigin({ version: 2 })
  const Ex = 'MinContentInformation=1.0, MaxContentInformation=2.0'
  await warm(origin, { ...OFFER, 'X-P2P-PeerDistEx': Ex })
  const segments = segmentsOf(content, VERSION_2, new Uint8Array(32).fill(5))
  // IDs are public: whoever listens to discovery knows them.
  const liar = await offerer((request) => {
    if (request.type !== 'getblks') return undefined
    const length = segments.find(({ id }) => Buffer.from(id).equals(request.segmentId))?.length ?? 0
    return sealed(request.segmentId, length - (length % 16) + 16)
  })
  const few = segments.filter((_, i) => i % 3 === 0)
  for (const { id, length } of few) {
    await post(`http://${given.at}${OFFER_PATH[2]}`, batchOf(liar, [id], length))
  }
  await until(() => few.every(({ id }) => given.replay.held(id)?.isComplete))
  // Some time later. All addresses are one here: what was given by itself it would not take again.
  await given.close()
  const hosted = await startHosted({}, name, () => Date.now() + LIMITS.hostedTrustMs)
  const cache = cacheIn()
  const offers = await offering(hosted, cache)
  const first = await fetched(origin, { cache, hostedCache: offers })
  assert.ok(isRight(first.bytes))
  const refused = first.trace.filter(({ failed }) =>
    failed.some((one) => one.failure === 'wrong-hash'),
  )
  assert.ok(refused.length > 0 && refused.every(({ from }) => from === 'origin'))
  await settled(offers, hosted)
  const second = await fetched(origin, { hostedCache: { at: hosted.at } })
  assert.ok(isRight(second.bytes))
  assert.is(second.shares.peers, second.bytes.length, `${few.length} segments were wrong`)
})

test('who has the cache and not the content information has nothing to read', async () => {
  const name = directory()
  const hosted = await startHosted({}, name)
  const origin = await startOrigin({ version: 2 })
  const Ex = 'MinContentInformation=1.0, MaxContentInformation=2.0'
  await warm(origin, { ...OFFER, 'X-P2P-PeerDistEx': Ex })
  const cache = cacheIn()
  const offers = await offering(hosted, cache)
  await fetched(origin, { cache, hostedCache: offers })
  await settled(offers, hosted)
  const kept = Buffer.concat(filesIn(name).map((file) => readFileSync(file)))
  assert.ok(kept.length > content.length)
  for (let at = 0; at + 64 <= content.length; at += 10_000) {
    assert.is(kept.indexOf(content.subarray(at, at + 64)), -1)
  }
})

test('hashes of segments that nobody has fill neither disk nor memory', async () => {
  const hosted = await startHosted()
  const url = `https://${hosted.tls}${OFFER_PATH[1]}`
  for (let i = 0; i < 20; i++) {
    const [segment] = segmentsOf(content.subarray(i, 70_000), SHA256, randomBytes(32))
    assert.ok(segment)
    const info = offeredInfo(segment)
    await post(url, encodeOffer({ type: 'segment-info', port: 9, tag, info }))
  }
  await until(() => count(hosted, 'drop.hosted-pull.unreachable') === 20)
  assert.is((await hosted.cache.statistics()).segments, 0)
})

test.run()
