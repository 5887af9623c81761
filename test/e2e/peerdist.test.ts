// What the middleware and the file server send, to those who ask for hashes and to others.
// test-limit: 120s
import { writeFileSync } from 'node:fs'
import { type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { peerdist } from '#lib/runtime/content/peerdist.js'
import { StaticFiles } from '#lib/runtime/content/static-files.js'
import { checkContentInfo, sampleContent } from '../helpers/content-checker.js'
import {
  SECRET,
  content,
  directory,
  listen,
  startOrigin,
  ask,
  OFFER,
  warm,
  isRight,
  infoOf,
  clearScene,
} from '../helpers/distribution-scene.js'
import { test } from '../harness.js'

test.after(clearScene)

test('D-027 D-032 D-033 D-037 D-038 the second request gets content information, as it offers', async () => {
  const origin = await startOrigin()
  const first = await ask(origin.url, OFFER)
  assert.ok(isRight(first.body))
  assert.is(first.headers['x-p2p-peerdistex'], 'MakeHashRequest=true')
  const second = await ask(origin.url, {
    'X-P2P-PeerDist': 'Version=1.1',
    'X-P2P-PeerDistEx': `${OFFER['X-P2P-PeerDistEx']}, HashRequest=true`,
  })
  assert.is(second.headers['content-encoding'], 'peerdist')
  assert.is(second.headers['content-length'], String(second.body.length))
  assert.is(second.headers['x-p2p-peerdist'], `Version=1.1, ContentLength=${content.length}`)
  assert.is(second.headers.etag, '"1"')
  assert.match(second.headers.vary ?? '', /Accept-Encoding, X-P2P-PeerDist, X-P2P-PeerDistEx/)
  checkContentInfo(second.body, content, SECRET)
  const old = await ask(origin.url, {
    'Accept-Encoding': 'peerdist;q=0.5',
    'X-P2P-PeerDist': 'Version=1.0',
  })
  assert.is(old.headers['x-p2p-peerdist'], `Version=1.0, ContentLength=${content.length}`)
  const never = await ask(origin.url, { ...OFFER, 'Accept-Encoding': 'gzip, peerdist;q=0' })
  assert.ok(isRight(never.body))
})

test('D-042 a request of HTTP/1.0 gets content information too, and the end of the connection', async () => {
  const origin = await startOrigin()
  const { body } = await warm(origin)
  const port = Number(origin.at.split(':').at(-1))
  const lines = Object.entries(OFFER).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '::1')
  socket.write(`GET /file HTTP/1.0\r\nHost: ${origin.at}\r\n${lines.join('')}\r\n`)
  const bytes = await buffer(socket)
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, end).toString()
  assert.match(head, /Content-Encoding: peerdist/)
  assert.match(head, /X-P2P-PeerDist: Version=1\.1, ContentLength=1500001/)
  assert.ok(bytes.subarray(end + 4).equals(body))
})

test('D-034 D-035 D-036 the version of content information is one that was offered', async () => {
  const origin = await startOrigin({ version: 2 })
  const versionFor = async (extended: string | undefined): Promise<number | undefined> => {
    const rest: OutgoingHttpHeaders = { ...OFFER }
    delete rest['X-P2P-PeerDistEx']
    const { headers, body } = await warm(
      origin,
      extended === undefined ? rest : { ...rest, 'X-P2P-PeerDistEx': extended },
    )
    if (headers['content-encoding'] === 'peerdist') return infoOf(body).version
    assert.ok(isRight(body))
    return undefined
  }
  assert.is(await versionFor(undefined), 1)
  assert.is(await versionFor('MinContentInformation=1.0, MaxContentInformation=1.0'), 1)
  assert.is(await versionFor('MinContentInformation=1.0, MaxContentInformation=2.0'), 2)
  assert.is(await versionFor('mincontentinformation=2.0,MAXCONTENTINFORMATION=2.0'), 2)
  for (const wrong of ['1.0|3.0', '2.0|1.0', '0.9|1.0', 'x|y']) {
    const [low, high] = wrong.split('|')
    const extended = `MinContentInformation=${low}, MaxContentInformation=${high}`
    assert.is(await versionFor(extended), undefined, wrong)
  }
})

test('D-031 D-045 what is private, short, empty or without validator is never offered', async () => {
  const origin = await startOrigin()
  const plain: readonly (readonly [string, OutgoingHttpHeaders, Uint8Array, object?])[] = [
    ['no validator', {}, content],
    ['private', { ETag: '"1"', 'Cache-Control': 'private' }, content],
    ['no-store', { ETag: '"1"', 'Cache-Control': 'max-age=5, no-store' }, content],
    ['a cookie', { ETag: '"1"', 'Set-Cookie': 'a=b' }, content],
    ['authorized', { ETag: '"1"' }, content, { Authorization: 'Basic eDp5' }],
    ['coded', { ETag: '"1"', 'Content-Encoding': 'x-odd' }, content],
    ['short', { ETag: '"1"' }, content.subarray(0, 65_535)],
    ['empty', { ETag: '"1"' }, content.subarray(0, 0)],
  ]
  for (const [name, headers, bytes, extra] of plain) {
    origin.extra = headers
    origin.content = bytes
    const { headers: got, body } = await warm(origin, { ...OFFER, ...extra })
    assert.ok(body.equals(bytes), name)
    assert.is.not(got['content-encoding'], 'peerdist', name)
    assert.is(got['x-p2p-peerdist'], undefined, name)
  }
  origin.extra = { 'Last-Modified': 'Sun, 22 Nov 2026 10:00:00 GMT' }
  origin.content = content
  assert.is((await warm(origin)).headers['content-encoding'], 'peerdist')
})

test('D-040 ranges and requests for missing data are answered with the bytes', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const range = await ask(origin.url, { ...OFFER, Range: 'bytes=10-99999' })
  assert.is(range.status, 206)
  assert.ok(range.body.equals(content.subarray(10, 100_000)))
  const missing = await ask(origin.url, {
    Range: 'bytes=0-4',
    'X-P2P-PeerDist': 'Version=1.1, MissingDataRequest=true',
  })
  assert.ok(missing.body.equals(content.subarray(0, 5)))
})

test('a request without the headers is answered byte by byte as without the middleware', async () => {
  const origin = await startOrigin()
  await warm(origin)
  const { headers, body } = await ask(origin.url, { 'Accept-Encoding': 'gzip' })
  assert.ok(body.equals(content))
  assert.is(headers['content-length'], String(content.length))
  assert.equal([headers['content-encoding'], headers['x-p2p-peerdist']], [undefined, undefined])
  assert.is(
    (await ask(origin.url, OFFER, 'HEAD')).headers['content-length'],
    String(content.length),
  )
})

test('content that changes under another validator is hashed anew', async () => {
  const origin = await startOrigin()
  await warm(origin)
  origin.content = sampleContent(1_000_000, 8)
  origin.extra = { ETag: '"2"' }
  assert.ok((await ask(origin.url, OFFER)).body.equals(origin.content))
  checkContentInfo((await ask(origin.url, OFFER)).body, origin.content, SECRET)
})

test('files of a directory are served as hashes at once, with ranges, and none outside', async () => {
  const root = directory()
  writeFileSync(path.join(root, 'big'), content)
  writeFileSync(path.join(root, 'small'), 'abc')
  writeFileSync(path.join(root, 'empty'), '')
  const outside = directory()
  writeFileSync(path.join(outside, 'secret'), 'x')
  const files = await StaticFiles.of(root, peerdist({ secret: SECRET }))
  const server = await listen((incoming, response) => void files.handle(incoming, response))
  const url = (name: string): string => `http://${server.at}/${name}`
  const coded = await ask(url('big'), OFFER)
  assert.is(coded.headers['content-encoding'], 'peerdist')
  checkContentInfo(coded.body, content, SECRET)
  const plain = await ask(url('big'))
  assert.ok(plain.body.equals(content))
  assert.is(plain.headers.etag, coded.headers.etag)
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=1499999-', 1_499_999, 1_500_001],
    ['bytes=-3', 1_499_998, 1_500_001],
  ] as const) {
    const { status, body } = await ask(url('big'), { ...OFFER, Range: range })
    assert.is(status, 206)
    assert.ok(body.equals(content.subarray(from, to)))
  }
  assert.is((await ask(url('big'), { Range: 'bytes=1500001-' })).status, 416)
  assert.is((await ask(url('big'), { 'If-None-Match': plain.headers.etag ?? '' })).status, 304)
  for (const name of ['small', 'empty']) {
    const { headers } = await ask(url(name), OFFER)
    assert.is(headers['content-encoding'], undefined)
  }
  const up = `..%2f${path.basename(outside)}%2fsecret`
  for (const name of ['', 'none', up, '%00', '%zz', '../../etc/passwd']) {
    assert.is((await ask(url(name))).status, 404, name)
  }
})

test.run()
