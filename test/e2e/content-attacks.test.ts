// Who tries to hurt those who serve and fetch content, each by name. Of hosted caches there is more
// in hosted-attacks.test.ts.
// test-limit: 120s
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { OFFER_PATH } from '#lib/content/offers.js'
import { RETRIEVAL_PATH } from '#lib/content/retrieval.js'
import { fetchContent } from '#lib/runtime/content/fetch-content.js'
import { InfoCache } from '#lib/runtime/content/info-cache.js'
import { headersAt } from '#lib/runtime/content/origin.js'
import { peerdist } from '#lib/runtime/content/peerdist.js'
import {
  RetrievalServer,
  type RetrievalServerOptions,
} from '#lib/runtime/content/retrieval-server.js'
import { saveFile } from '#lib/runtime/content/save-bytes.js'
import { StaticFiles } from '#lib/runtime/content/static-files.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { checkContentInfo, sampleContent } from '../helpers/content-checker.js'
import { SHA256 } from '../helpers/content-scene.js'
import {
  SECRET,
  ask,
  cacheIn,
  clearScene,
  content,
  directory,
  fetched,
  infoOf,
  isRight,
  listen,
  OFFER,
  startOrigin,
  startPeer,
  undoing,
  warm,
} from '../helpers/distribution-scene.js'
import { startHosted, until } from '../helpers/hosted-scene.js'
import { skipUnless, test } from '../harness.js'

test.after(clearScene)

const portOf = (at: string): number => Number(at.split(':').at(-1))

async function rejectsWith(code: string, work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.is((error as { code?: string } | undefined)?.code, code)
}

/** A raw connection; `closed` resolves when the other side has ended it. */
function dial(port: number): { socket: Socket; closed: Promise<unknown> } {
  const socket = connect(port, '::1')
  socket.on('error', () => undefined)
  socket.resume()
  return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) }
}

async function retrievalServer(
  options: Partial<RetrievalServerOptions>,
): Promise<{ server: RetrievalServer; port: number }> {
  const server = new RetrievalServer({ cache: cacheIn(), ...options })
  undoing(() => server.close())
  const { port } = await server.listen(0, '::1')
  return { server, port }
}

const posted = (where: string, body: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`POST ${where} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ])

test('two writers of one file: each has its own bytes in it when it is done, and nothing is left', async () => {
  const name = directory()
  const file = path.join(name, 'file')
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (go = resolve))
  async function* bytes(byte: number, wait: Promise<void> | undefined): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(2_000_000, byte)
    await wait
    yield Buffer.alloc(2_000_000, byte)
  }
  const slow = saveFile(file, bytes(1, gate))
  await until(() => readdirSync(name).length > 0)
  assert.is(await saveFile(file, bytes(2, undefined)), 4_000_000)
  assert.ok(readFileSync(file).equals(Buffer.alloc(4_000_000, 2)))
  go()
  assert.is(await slow, 4_000_000)
  assert.ok(readFileSync(file).equals(Buffer.alloc(4_000_000, 1)))
  assert.equal(readdirSync(name), ['file'])
})

test('what is saved to a pipe goes through it, and a link stays one', async () => {
  skipUnless(process.platform !== 'win32', 'pipes with names are of Unix')
  const name = directory()
  const pipe = path.join(name, 'pipe')
  assert.is(spawnSync('mkfifo', [pipe]).status, 0)
  const read = text(createReadStream(pipe))
  const bytes = (): Readable => Readable.from([Buffer.from('through '), Buffer.from('the pipe')])
  assert.is(await saveFile(pipe, bytes()), 16)
  assert.is(await read, 'through the pipe')
  assert.ok(statSync(pipe).isFIFO())
  writeFileSync(path.join(name, 'target'), 'before')
  symlinkSync('target', path.join(name, 'link'))
  await saveFile(path.join(name, 'link'), bytes())
  assert.is(readFileSync(path.join(name, 'target'), 'latin1'), 'through the pipe')
  assert.equal(readdirSync(name).sort(), ['link', 'pipe', 'target'])
})

test('a redirect takes credentials to no other server, and leads nowhere but to HTTP', async () => {
  const seen: IncomingHttpHeaders[] = []
  const other = await startOrigin()
  other.intercept = (incoming) => {
    seen.push(incoming.headers)
    return false
  }
  let target = other.url
  const first = await listen((_, response) => {
    // A long body that nobody reads comes along.
    response.writeHead(302, { Location: target }).end(content)
  })
  const url = `http://${first.at}/`
  const headers = { authorization: 'Basic eDp5', Cookie: 'a=b', 'X-Own': 'stays' }
  for (let i = 0; i < 2; i++) {
    const bytes = await (await fetchContent(url, { headers })).bytes()
    assert.ok(isRight(bytes))
  }
  assert.ok(seen.length >= 3, 'the second time with content information, then ranges')
  for (const one of seen) {
    assert.equal([one.authorization, one.cookie, one['x-own']], [undefined, undefined, 'stays'])
  }
  for (const wrong of ['http://[', 'ftp://[::1]/', 'file:///etc/passwd', 'data:,x']) {
    target = wrong
    await rejectsWith('ERR_PEERNET_CONTENT_UNAVAILABLE', fetchContent(url))
  }
  const [here, there] = [new URL('https://a.example/x'), new URL('https://a.example/y')]
  assert.equal(headersAt(there, here, headers), headers, 'the same server')
  const plain = new URL('http://a.example/x')
  assert.equal(headersAt(plain, here, headers), { 'X-Own': 'stays' })
  await rejectsWith('ERR_PEERNET_INVALID_ARG', fetchContent(url, { headers: { A: 'b\r\nC: d' } }))
})

test('who sends many requests at once and goes away leaves no client behind', async () => {
  const { server, port } = await retrievalServer({ maxClients: 4 })
  const ranges = [{ index: 0, count: 1 }]
  const body = encodeRetrieval({ type: 'getblks', segmentId: randomBytes(32), ranges })
  const requests = Buffer.concat(Array.from({ length: 8 }, () => posted(RETRIEVAL_PATH, body)))
  for (let i = 0; i < 20; i++) {
    const { socket, closed } = dial(port)
    socket.write(requests, () => socket.resetAndDestroy())
    await closed
  }
  await until(() => server.statistics().activeClients === 0)
  // The hosted cache counts those who offer: with 64 left behind it would take no more offers.
  const hosted = await startHosted()
  const at = portOf(hosted.at)
  const offer = posted(OFFER_PATH[2], Buffer.alloc(75))
  for (let i = 0; i < 12; i++) {
    const { socket, closed } = dial(at)
    const eight = Buffer.concat(Array.from({ length: 8 }, () => offer))
    socket.write(eight, () => socket.resetAndDestroy())
    await closed
  }
  const status = (): Promise<string> =>
    new Promise((resolve) => {
      const { socket } = dial(at)
      socket.once('close', () => resolve(''))
      socket.once('data', (bytes) => resolve(bytes.toString('latin1', 9, 12)))
      socket.write(posted(OFFER_PATH[2], Buffer.alloc(75)))
    })
  // A malformed offer that is looked at ends the connection; one that is refused gets 503.
  await until(async () => (await status()) === '')
})

test('work for who has gone away ends, and counts until then', async () => {
  const cache = cacheIn()
  let [asked, open] = [0, 0]
  const waiting: (() => void)[] = []
  const slow = Object.create(cache, {
    held: {
      value: async () => {
        asked += 1
        open += 1
        await new Promise<void>((resolve) => waiting.push(resolve))
        open -= 1
        return undefined
      },
    },
  }) as typeof cache
  const { server, port } = await retrievalServer({ cache: slow, maxClients: 1 })
  const segmentIds = Array.from({ length: 500 }, () => randomBytes(32))
  const body = encodeRetrieval({ type: 'getseglist', requestId: randomBytes(16), segmentIds })
  const { socket, closed } = dial(port)
  socket.write(posted(RETRIEVAL_PATH, body))
  await until(() => asked === 1)
  socket.resetAndDestroy()
  await closed
  assert.is(server.statistics().activeClients, 1, 'the disk is still busy for it')
  // Whether the server has heard of the end yet or not: it looks up a few more at most.
  const timer = setInterval(() => waiting.splice(0).forEach((resolve) => resolve()), 5)
  await until(() => server.statistics().activeClients === 0)
  clearInterval(timer)
  assert.ok(asked < 500 && open === 0, String(asked))
})

test('slow heads: who sends a head byte by byte, or nothing, is cut off by each server', async () => {
  const { port } = await retrievalServer({ uploadMs: 200 })
  const hosted = await startHosted({ offerMs: 200 })
  for (const at of [port, portOf(hosted.at), portOf(hosted.tls)]) {
    const { socket, closed } = dial(at)
    socket.write('POST /116')
    await closed
  }
  const { closed } = dial(portOf(hosted.tls))
  await closed
})

test('content that changes between requests: a file that becomes shorter while it is sent', async () => {
  const root = directory()
  const file = path.join(root, 'file')
  const bytes = 32 * 1024 * 1024
  writeFileSync(file, Buffer.alloc(bytes, 7))
  writeFileSync(path.join(root, 'other'), 'second')
  const files = await StaticFiles.of(root, peerdist({ secret: SECRET }))
  const server = await listen((incoming, response) => {
    files.handle(incoming, response).catch(() => response.destroy())
  })
  const socket = connect(portOf(server.at), '::1')
  const get = (name: string): string => `GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`
  socket.write(get('file') + get('other'))
  let [length, last] = [0, '']
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  socket.once('data', () => {
    // The kernel's buffers are full of the file by now, and it has more.
    truncateSync(file, 9 * 1024 * 1024)
  })
  socket.on('data', (part) => {
    length += part.length
    last = (last + part.toString('latin1')).slice(-1000)
  })
  await closed
  assert.ok(length < bytes)
  assert.not.match(last, /second/, 'the next answer does not stand for the rest')
})

test('a pipe among the files is not there, and holds no thread', async () => {
  skipUnless(process.platform !== 'win32', 'pipes with names are of Unix')
  const root = directory()
  assert.is(spawnSync('mkfifo', [path.join(root, 'pipe')]).status, 0)
  const files = await StaticFiles.of(root, peerdist({ secret: SECRET }))
  const server = await listen((incoming, response) => void files.handle(incoming, response))
  const many = Array.from({ length: 6 }, () => ask(`http://${server.at}/pipe`))
  for (const { status } of await Promise.all(many)) assert.is(status, 404)
})

test('content that changes between requests under one date, or with a cookie, is never mixed up', async () => {
  const origin = await startOrigin()
  const now = new Date()
  origin.extra = { 'Last-Modified': now.toUTCString() }
  assert.ok((await warm(origin)).body.equals(content), 'it may change within this second')
  origin.extra = { 'Last-Modified': 'no date' }
  assert.ok((await warm(origin)).body.equals(content))
  // Two people's pages of the same date.
  const pages = { ada: sampleContent(70_000, 1), bob: sampleContent(70_000, 2) }
  const headers = { 'Last-Modified': 'Sun, 22 Nov 2020 10:00:00 GMT', Vary: 'Cookie' }
  const get = async (who: 'ada' | 'bob'): Promise<Buffer> => {
    origin.content = pages[who]
    origin.extra = headers
    return (await ask(origin.url, { ...OFFER, Cookie: who })).body
  }
  assert.ok((await get('ada')).equals(pages.ada))
  checkContentInfo(await get('ada'), pages.ada, SECRET)
  assert.ok((await get('bob')).equals(pages.bob))
  checkContentInfo(await get('bob'), pages.bob, SECRET)
  checkContentInfo(await get('ada'), pages.ada, SECRET)
})

test('content that changes between requests into an error page: an error, and no byte of the page', async () => {
  const origin = await startOrigin()
  await warm(origin)
  origin.intercept = (incoming, response) => {
    if (/peerdist/.test(String(incoming.headers['accept-encoding']))) return false
    response
      .writeHead(incoming.headers.range === undefined ? 404 : 416)
      .end('there is no such page')
    return true
  }
  const name = directory()
  const read = async (): Promise<unknown> => (await fetchContent(origin.url)).bytes()
  const save = async (): Promise<unknown> =>
    (await fetchContent(origin.url)).saveTo(path.join(name, 'file'))
  for (const work of [read, save]) await rejectsWith('ERR_PEERNET_CONTENT_UNAVAILABLE', work())
  assert.equal(readdirSync(name), [])
})

test('content whose client goes away in the middle is not taken for all of it', async () => {
  const dist = peerdist({ secret: SECRET })
  let requests = 0
  let ended: () => void = () => undefined
  const over = new Promise<void>((resolve) => (ended = resolve))
  const server = await listen((incoming, response) => {
    const isFirst = ++requests === 1
    const send = async (): Promise<void> => {
      for (let at = 0; at < content.length && !response.destroyed; at += 100_000) {
        response.write(content.subarray(at, at + 100_000))
        // The first client has gone before there is more.
        if (isFirst && at === 200_000) await once(response, 'close')
      }
      response.end()
      if (isFirst) ended()
    }
    dist(incoming, response, () => {
      response.setHeader('ETag', '"1"')
      void send()
    })
  })
  const { socket } = dial(portOf(server.at))
  const lines = Object.entries(OFFER).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once('data', () => socket.destroy())
  socket.write(`GET / HTTP/1.1\r\nHost: ${server.at}\r\n${lines.join('')}\r\n`)
  await over
  const url = `http://${server.at}/`
  assert.ok(isRight((await ask(url, { ...OFFER, Host: server.at })).body))
  checkContentInfo((await ask(url, { ...OFFER, Host: server.at })).body, content, SECRET)
})

test('handlers that end twice, or have trailers, are served as without the middleware', async () => {
  const dist = peerdist({ secret: SECRET })
  const server = await listen((incoming, response) => {
    dist(incoming, response, () => {
      response.setHeader('ETag', '"1"')
      if (incoming.url === '/trailer') {
        response.setHeader('Trailer', 'X-After')
        response.write(content)
        response.addTrailers({ 'X-After': 'all' })
      } else response.write(content)
      response.end()
      response.end()
    })
  })
  for (const [name, coding] of [
    ['twice', 'peerdist'],
    ['trailer', undefined],
  ]) {
    const url = `http://${server.at}/${name}`
    assert.ok(isRight((await ask(url, OFFER)).body))
    assert.is((await ask(url, OFFER)).headers['content-encoding'], coding)
    assert.ok(isRight((await ask(url)).body))
  }
})

test('content information is kept within its memory, the names of what it is for included', () => {
  const infos = new InfoCache(SECRET, 100_000)
  const hasher = new ContentHasher(SHA256)
  hasher.push(content.subarray(0, 70_000))
  const hashed = hasher.finish()
  const long = (i: number): string => `${i}${'x'.repeat(10_000)}`
  for (let i = 0; i < 50; i++) infos.put(long(i), hashed)
  const kept = Array.from({ length: 50 }, (_, i) => infos.get(long(i))).filter(Boolean)
  assert.is(kept.length, 4)
  infos.put(long(49), hashed)
  assert.ok(infos.get(long(46)), 'what takes its own place drives nobody out')
})

test('an observer that throws ends its download with that error, wherever the block is from', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const peer = await startPeer(origin)
  const cache = cacheIn()
  await fetched(origin, { cache })
  const mine = new Error('mine')
  const onBlock = (): void => {
    throw mine
  }
  for (const from of [{}, { peers: [peer.at] }, { cache }]) {
    const got = await fetchContent(origin.url, { ...from, onBlock })
    try {
      await got.bytes()
      assert.unreachable()
    } catch (error) {
      assert.is(error, mine)
    }
  }
})

test('a peer that has only the ID of what others fetch gets nothing from a full peer that it can read', async () => {
  const origin = await startOrigin()
  const info = infoOf((await warm(origin)).body)
  const peer = await startPeer(origin)
  const ranges = [{ index: 0, count: 1 }]
  const [segment] = info.segments
  assert.ok(segment)
  const body = encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges })
  const answer = await new Promise<Buffer>((resolve) => {
    const { socket } = dial(portOf(peer.at))
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    socket.once('end', () => resolve(Buffer.concat(parts)))
    socket.write(
      posted(RETRIEVAL_PATH, body)
        .toString('latin1')
        .replace('Host: x', 'Host: x\r\nConnection: close'),
      'latin1',
    )
  })
  assert.ok(answer.length > 65_536, 'it is given the block')
  for (let at = 0; at + 32 <= 65_536; at += 4096) {
    assert.is(answer.indexOf(content.subarray(at, at + 32)), -1, 'encrypted')
  }
  for (const secret of [segment.secret, segment.hashOfData, SECRET]) {
    assert.is(answer.indexOf(secret), -1, 'and no key comes along')
  }
})

test.run()
