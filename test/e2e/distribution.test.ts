// Content from peers and origin over HTTP, with every fault that can be made by name.
// test-limit: 240s
import { randomBytes } from 'node:crypto'
import { request, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { decodeRequest } from '#lib/content/decode-retrieval.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import type { PeerSearch } from '#lib/runtime/content/download-peers.js'
import { fetchContent } from '#lib/runtime/content/fetch-content.js'
import { sampleContent } from '../helpers/content-checker.js'
import {
  content,
  sha,
  listen,
  startOrigin,
  ask,
  OFFER,
  warm,
  cacheIn,
  startPeer,
  fetched,
  isRight,
  infoOf,
  clearScene,
} from '../helpers/distribution-scene.js'
import { test } from '../harness.js'

test.after(clearScene)

test('D-110 the second peer takes all bytes from the first, in both versions, and in order', async () => {
  for (const version of [1, 2] as const) {
    const origin = await startOrigin({ version })
    await warm(origin, {
      ...OFFER,
      'X-P2P-PeerDistEx': 'MinContentInformation=1.0, MaxContentInformation=2.0',
    })
    const peer = await startPeer(origin)
    const before = origin.sent()
    const cache = cacheIn()
    const got = await fetched(origin, { peers: [peer.at], cache })
    assert.ok(isRight(got.bytes) && got.isDistributed)
    assert.equal(got.shares, { cache: 0, peers: content.length, origin: 0 })
    assert.ok(origin.sent() - before < 5000, 'only content information came from the origin')
    assert.is(got.trace.length > 10, true)
    assert.ok(got.trace.every((one) => one.from === 'peer' && one.peer === peer.at))
    const again = await fetched(origin, { cache })
    assert.ok(isRight(again.bytes))
    assert.equal(again.shares, { cache: content.length, peers: 0, origin: 0 })
  }
})

test('several peers share the work, found by discovery too, through all kinds of streams', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const peers = [await startPeer(origin), await startPeer(origin)] as const
  async function* findPeers(ids: readonly Uint8Array[]): AsyncGenerator<string> {
    assert.is(ids.length, 1)
    await Promise.resolve()
    yield peers[1].at
  }
  const got = await fetchContent(origin.url, { peers: [peers[0].at], findPeers })
  const parts: Uint8Array[] = []
  const reader = got.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
  }
  assert.ok(isRight(Buffer.concat(parts)))
  assert.is(got.shares.peers, content.length)
  for (const { server } of peers) assert.ok(server.statistics().blocks > 0)
  const other = await fetchContent(origin.url, { peers: [peers[0].at] })
  const chunks: Buffer[] = []
  for await (const chunk of other.readable()) chunks.push(chunk as Buffer)
  assert.ok(isRight(Buffer.concat(chunks)))
})

test('what nobody has is looked for again: a peer that appears later gives it', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const peer = await startPeer(origin)
  let rounds = 0
  const sought: number[] = []
  async function* findPeers(_ids: readonly Uint8Array[], search: PeerSearch) {
    for (; rounds < 3; rounds++) {
      const wanted = search.wanted()
      sought.push(wanted.length)
      await Promise.resolve()
      if (rounds === 2) yield { at: peer.at, segments: wanted }
      search.roundOver(wanted.map(({ id }) => id))
    }
  }
  const got = await fetchContent(origin.url, { findPeers })
  await origin.kill()
  assert.ok(isRight(await got.bytes()))
  assert.is(got.shares.peers, content.length)
  assert.equal(sought, [1, 1, 1])
})

test('D-111 the origin dies midway: the rest comes from peers', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const peer = await startPeer(origin)
  const got = await fetchContent(origin.url, { peers: [peer.at] })
  await origin.kill()
  assert.ok(isRight(await got.bytes()))
  assert.is(got.shares.origin, 0)
})

test('what a peer lacks comes from the origin, and nothing else does', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const peer = await startPeer(origin, 0)
  const info = infoOf((await ask(origin.url, OFFER)).body)
  const [segment] = info.segments
  assert.ok(segment)
  for (let block = 0; block < segment.blockCount; block += 2) {
    const at = block * segment.blockBytes
    const bytes = content.subarray(at, at + segment.blockLength(block))
    await peer.cache.put(segment, block, bytes)
  }
  origin.seen.length = 0
  const got = await fetched(origin, { peers: [peer.at] })
  assert.ok(isRight(got.bytes))
  for (const one of got.trace) assert.is(one.from, one.block % 2 === 0 ? 'peer' : 'origin')
  const missing = origin.seen.filter(({ range }) => range !== undefined)
  assert.ok(missing.length > 0)
  for (const headers of missing) {
    assert.is(headers['x-p2p-peerdist'], 'Version=1.1, MissingDataRequest=true')
    assert.not.ok(headers['accept-encoding']?.includes('peerdist'))
  }
})

test('D-028 D-029 D-041 a server that knows nothing of this is simply read', async () => {
  const plain = await listen((incoming, response) => {
    headers = incoming.headers
    response.end(content)
  })
  let headers: IncomingHttpHeaders = {}
  const got = await fetchContent(`http://${plain.at}/`)
  assert.ok(isRight(await got.bytes()) && !got.isDistributed)
  assert.is(headers['x-p2p-peerdist'], 'Version=1.1')
  const extended = 'MinContentInformation=1.0, MaxContentInformation=2.0'
  assert.is(headers['x-p2p-peerdistex'], extended)
  assert.is(headers['accept-encoding'], 'peerdist')
})

const blockAnswer = (segmentId: Uint8Array, blockIndex: number, block: Uint8Array): Uint8Array =>
  encodeRetrieval({
    ...{ type: 'blk', segmentId, blockIndex, nextBlock: 0, cipher: 1 },
    ...{ block, iv: randomBytes(16) },
  })

/** Peers that say they have everything, and then misbehave. */
async function startLiar(fault: (r: ServerResponse, id: Uint8Array, block: number) => void) {
  return listen((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const decoded = decodeRequest(Buffer.concat(parts))
      if (!decoded.ok || !('ranges' in decoded.message)) return
      const { type, segmentId, ranges } = decoded.message
      if (type === 'getblklist') {
        response.end(encodeRetrieval({ type: 'blklist', segmentId, ranges, nextBlock: 0 }))
      } else fault(response, segmentId, ranges[0]?.index ?? 0)
    })
  })
}

test('D-112 peers that lie, stall or break off never make a wrong byte', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const honest = await startPeer(origin)
  const faults: Record<string, Parameters<typeof startLiar>[0]> = {
    corrupt: (r, id, block) => r.end(blockAnswer(id, block, randomBytes(65_552))),
    truncated: (r, id, block) => r.end(blockAnswer(id, block, randomBytes(65_552)).subarray(0, 99)),
    short: (r, id, block) => r.end(blockAnswer(id, block, randomBytes(16))),
    oversized: (r) => r.end(Buffer.alloc(500_000)),
    'wrong block': (r, id, block) => r.end(blockAnswer(id, block + 1, randomBytes(65_552))),
    'wrong segment': (r, _, block) =>
      r.end(blockAnswer(randomBytes(32), block, randomBytes(65_552))),
    empty: (r, id, block) => r.end(blockAnswer(id, block, new Uint8Array(0))),
    endless: (r) => {
      const timer = setInterval(() => r.write(Buffer.alloc(100)), 10)
      r.on('close', () => {
        clearInterval(timer)
      })
    },
    slow: () => undefined,
    'broken off': (r) => r.destroy(),
    negotiating: (r) => {
      const version = { major: 1, minor: 0 }
      r.end(encodeRetrieval({ type: 'nego-resp', minVersion: version, maxVersion: version }))
    },
    'not found': (r) => {
      r.statusCode = 404
      r.end()
    },
  }
  for (const [name, fault] of Object.entries(faults)) {
    const liar = await startLiar(fault)
    const alone = await fetched(origin, { peerRequestMs: 150, peers: [liar.at] })
    assert.ok(isRight(alone.bytes), name)
    assert.is(alone.shares.origin, content.length, name)
    const failed = alone.trace.flatMap((one) => one.failed)
    assert.ok(failed.length > 0 && failed.every(({ from }) => from === liar.at), name)
    const both = await fetched(origin, { peers: [liar.at, honest.at] })
    assert.ok(isRight(both.bytes), name)
    assert.is(both.shares.origin, 0, name)
    await liar.kill()
  }
})

test('D-074 D-076 from four consecutive blocks on the list is asked for first, then one block at a time', async () => {
  for (const [blocks, lists] of [
    [3, 0],
    [4, 1],
  ] as const) {
    const origin = await startOrigin()
    origin.content = content.subarray(0, blocks * 65_536)
    await warm(origin)
    const peer = await startPeer(origin)
    const asked: string[] = []
    const between = await listen((incoming, response) => {
      const parts: Buffer[] = []
      incoming.on('data', (part: Buffer) => parts.push(part))
      incoming.on('end', () => {
        const body = Buffer.concat(parts)
        const decoded = decodeRequest(body)
        assert.ok(decoded.ok && 'ranges' in decoded.message)
        const { type, ranges } = decoded.message
        asked.push(type)
        const count = ranges.reduce((sum, range) => sum + range.count, 0)
        assert.is(count, type === 'getblks' ? 1 : blocks)
        const options = { method: 'POST', headers: { 'Content-Length': body.length } }
        const to = `http://${peer.at}${incoming.url ?? ''}`
        request(to, options, (answer) => answer.pipe(response)).end(body)
      })
    })
    const got = await fetched(origin, { peers: [between.at] })
    assert.is(got.shares.peers, origin.content.length)
    assert.is(asked.filter((type) => type === 'getblklist').length, lists)
    assert.is(asked.indexOf('getblklist'), lists - 1, 'the list comes first')
    assert.is(asked.filter((type) => type === 'getblks').length, blocks)
    assert.not(asked.includes('getseglist'))
  }
})

test('D-043 content information that does not fit what is told leads to the plain content', async () => {
  const origin = await startOrigin()
  const { body } = await warm(origin)
  const lies: readonly (readonly [number, Uint8Array])[] = [
    [content.length - 1, body],
    [content.length, body.subarray(0, body.length - 1)],
    [content.length, randomBytes(300)],
  ]
  for (const [length, info] of lies) {
    origin.intercept = (incoming, response) => {
      if (incoming.headers['accept-encoding'] !== 'peerdist') return false
      response.writeHead(200, {
        'Content-Encoding': 'peerdist',
        'X-P2P-PeerDist': `Version=1.1, ContentLength=${length}`,
      })
      response.end(info)
      return true
    }
    const got = await fetched(origin)
    assert.ok(isRight(got.bytes) && !got.isDistributed)
  }
})

test('an origin whose content changed meanwhile: the new content, or a clear error', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const got = await fetchContent(origin.url)
  origin.content = sampleContent(1_500_001, 77)
  assert.is(sha(await got.bytes()), sha(origin.content), 'nothing was given out before')
  origin.content = content
  const late = await fetchContent(origin.url)
  const seen: Uint8Array[] = []
  let code = ''
  try {
    for await (const part of late) {
      seen.push(part)
      // The window is 8 MiB, more than all of it: the change has to come before the first answer.
      origin.content = sampleContent(1_500_001, 78)
    }
  } catch (error) {
    code = (error as { code: string }).code
  }
  const bytes = Buffer.concat(seen)
  assert.ok(bytes.equals(content.subarray(0, bytes.length)), 'never a wrong byte')
  assert.ok(bytes.length === content.length || code === 'ERR_PEERNET_CONTENT_CHANGED')
})

test('content that changes after the first block is a clear error, with no byte of the new', async () => {
  const origin = await startOrigin()
  await warm(origin)
  let ranges = 0
  origin.intercept = (incoming, response) => {
    if (incoming.headers.range === undefined) return false
    ranges += 1
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range) ?? []
    response.writeHead(206, { 'Content-Range': `bytes ${from}-${to}/1500001` })
    const right = from === '0' ? content.subarray(0, 65_536) : new Uint8Array(0)
    response.write(right)
    response.end(randomBytes(Number(to) + 1 - Number(from) - right.length))
    return true
  }
  const seen: Uint8Array[] = []
  try {
    for await (const part of await fetchContent(origin.url)) seen.push(part)
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_PEERNET_CONTENT_CHANGED')
  }
  assert.ok(ranges <= 4, 'an origin that changed is asked no more')
  const got = Buffer.concat(seen)
  assert.ok(got.equals(content.subarray(0, got.length)) && got.length <= 65_536)
})

test('an origin that compresses unasked is decoded, or its ranges are refused', async () => {
  const plain = await listen((_, response) => {
    response.writeHead(200, { 'Content-Encoding': 'gzip' })
    response.end(gzipSync(content))
  })
  assert.ok(isRight(await (await fetchContent(`http://${plain.at}/`)).bytes()))
  const origin = await startOrigin()
  await warm(origin)
  origin.intercept = (incoming, response) => {
    if (incoming.headers.range === undefined) return false
    response.writeHead(206, {
      'Content-Encoding': 'gzip',
      'Content-Range': `bytes 0-1500000/1500001`,
    })
    response.end(gzipSync(content))
    return true
  }
  assert.ok(isRight((await fetched(origin)).bytes), 'fetched once more as a whole')
})

test('nobody gives the rest: the error says so, and an abort ends the download', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const got = await fetchContent(origin.url)
  await origin.kill()
  try {
    await got.bytes()
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_PEERNET_CONTENT_UNAVAILABLE')
  }
  const stuck = await startOrigin()
  await warm(stuck)
  const abort = new AbortController()
  const half = await fetchContent(stuck.url, { signal: abort.signal })
  stuck.intercept = () => {
    abort.abort()
    return true
  }
  try {
    await half.bytes()
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_PEERNET_ABORTED')
  }
})

test.run()
