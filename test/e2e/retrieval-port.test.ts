// The retrieval server's own port as HTTP/1.1 sees it (RFC 9112): requests in pieces, several at
// once, and everything that peers do not send and others may.
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { ContentSegment } from '#lib/content/content-info.js'
import { decodeResponse } from '#lib/content/decode-retrieval.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { RETRIEVAL_PATH } from '#lib/content/retrieval.js'
import { toHex } from '#lib/core/bytes.js'
import { runOnPool } from '#lib/io/block-runner.js'
import { RetrievalClient } from '#lib/runtime/content/retrieval-client.js'
import { RetrievalServer } from '#lib/runtime/content/retrieval-server.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { segmentPath } from '#lib/storage/segment-directory.js'
import { sampleContent } from '../helpers/content-checker.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from '../helpers/content-scene.js'
import { test } from '../harness.js'

const content = sampleContent(200_000)
const [segment] = segmentsOf(content, SHA256, new Uint8Array(32).fill(3)) as [ContentSegment]
const directory = mkdtempSync(path.join(tmpdir(), 'peernet-retrieval-port-'))
const cache = new BlockStore({ directory, run: runOnPool })

test.before(async () => {
  for (let block = 0; block < segment.blockCount; block++) {
    assert.ok(await cache.put(segment, block, blockOf(content, segment, block)))
  }
})
test.after(async () => {
  await cache.close()
  rmSync(directory, { recursive: true })
})

const wanted = (block: number): Buffer =>
  Buffer.from(
    encodeRetrieval({
      type: 'getblks',
      segmentId: segment.id,
      ranges: [{ index: block, count: 1 }],
    }),
  )

function post(block: number, extra = ''): Buffer {
  const body = wanted(block)
  const head =
    `POST ${RETRIEVAL_PATH} HTTP/1.1\r\nHost: peer\r\n${extra}` +
    `Content-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

function chunked(block: number, extra = ''): Buffer {
  const body = wanted(block)
  const head =
    `POST ${RETRIEVAL_PATH} HTTP/1.1\r\nHost: peer\r\n${extra}` +
    `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body, Buffer.from('\r\n0\r\n\r\n')])
}

/** What comes back until the server closes, or this side does after `enough` answers. */
function talk(port: number, pieces: readonly Buffer[], enough = Infinity): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    const socket = connect({ port, host: '::1', noDelay: true, allowHalfOpen: true })
    const say = (at: number): void => {
      const piece = pieces[at]
      if (piece === undefined) {
        if (enough === Infinity) socket.end()
      } else socket.write(piece, () => setImmediate(say, at + 1))
    }
    socket.on('connect', () => {
      say(0)
    })
    socket.on('data', (part) => {
      parts.push(part)
      if (answersIn(Buffer.concat(parts)).length >= enough) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      resolve(Buffer.concat(parts))
    })
  })
}

interface Answer {
  readonly status: number
  /** Of MSG_BLK. */
  readonly block: number | undefined
}

/** The whole answers, each with the length that its head tells. */
function answersIn(bytes: Buffer): Answer[] {
  const found: Answer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    const head = bytes.toString('latin1', at, end)
    const length = Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (end < 0 || end + 4 + length > bytes.length) break
    const decoded = decodeResponse(bytes.subarray(end + 4, end + 4 + length))
    const block = decoded.ok && decoded.message.type === 'blk' ? decoded.message : undefined
    if (block !== undefined) assert.is(block.block.length % 16, 0)
    found.push({ status: Number(head.slice(9, 12)), block: block?.blockIndex })
    at = end + 4 + length
  }
  return found
}

async function withPort(
  body: (port: number, server: RetrievalServer) => Promise<void>,
  options: { readonly uploadMs?: number } = {},
): Promise<void> {
  const server = new RetrievalServer({ cache, ...options })
  const { port } = await server.listen(0, '::1')
  try {
    await body(port, server)
    assert.is(server.statistics().activeClients, 0)
  } finally {
    await server.close()
  }
}

const ok = (block: number): Answer => ({ status: 200, block })

test('requests in pieces, and many at once, are answered in their order', async () => {
  await withPort(async (port) => {
    const one = post(1)
    const bytes = Array.from(one, (_, at) => one.subarray(at, at + 1))
    assert.equal(answersIn(await talk(port, bytes)), [ok(1)])
    const many = Buffer.concat([post(0), post(1), post(2), post(3), post(0)])
    const expected = [ok(0), ok(1), ok(2), ok(3), ok(0)]
    assert.equal(answersIn(await talk(port, [many], 5)), expected)
    assert.equal(answersIn(await talk(port, [many.subarray(0, 300), many.subarray(300)])), expected)
  })
})

test('what only HTTP in full allows is served as well, also in between', async () => {
  await withPort(async (port) => {
    const get = Buffer.from('GET /x HTTP/1.1\r\nHost: peer\r\n\r\n')
    const mixed = [post(1), get, chunked(2), post(3), post(0, 'Connection: close\r\n')]
    const expected = [ok(1), { status: 404, block: undefined }, ok(2), ok(3), ok(0)]
    assert.equal(answersIn(await talk(port, [Buffer.concat(mixed)], 6)), expected)
    assert.equal(answersIn(await talk(port, [chunked(1)], 1)), [ok(1)])
    const long = post(2, `X-Long: ${'x'.repeat(4000)}\r\n`)
    assert.equal(answersIn(await talk(port, [long.subarray(0, 3000), long.subarray(3000)], 1)), [
      ok(2),
    ])
    const cased = Buffer.from(post(3).toString('latin1').replace('Host', 'hOST'), 'latin1')
    assert.equal(answersIn(await talk(port, [cased], 1)), [ok(3)])
  })
})

test('requests that two could read in two ways are refused', async () => {
  await withPort(async (port) => {
    const extra = ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', ' folded: 1\r\n']
    for (const one of extra) {
      const [first] = answersIn(await talk(port, [post(1, one)]))
      assert.is(first?.status ?? 400, 400, one)
    }
    const bad = Buffer.from(post(1).toString('latin1').replace('Host: peer\r\n', ''), 'latin1')
    assert.is(answersIn(await talk(port, [bad]))[0]?.status, 400)
    assert.equal(answersIn(await talk(port, [Buffer.alloc(70_000, 'a')]))[0]?.status ?? 400, 400)
  })
})

test('a request that does not end is cut off', async () => {
  await withPort(
    async (port, server) => {
      assert.equal(await talk(port, [post(1).subarray(0, 150)], 1), Buffer.alloc(0))
      assert.is(server.statistics().timeouts, 1)
    },
    { uploadMs: 200 },
  )
})

test('a segment of one block is marked as used, and not given away when it is damaged', async () => {
  await withPort(async (port) => {
    const [whole] = segmentsOf(content, VERSION_2, new Uint8Array(32).fill(5)) as [ContentSegment]
    const writer = new BlockStore({ directory, run: runOnPool })
    assert.ok(await writer.put(whole, 0, blockOf(content, whole, 0)))
    await writer.close()
    const file = segmentPath(directory, toHex(whole.id))
    utimesSync(file, 1000, 1000)
    const client = new RetrievalClient()
    const given = await client.block(`[::1]:${port}`, whole, 0)
    assert.ok(given.ok && Buffer.from(given.value).equals(blockOf(content, whole, 0)))
    assert.ok(Math.abs(statSync(file).mtimeMs - Date.now()) < 3_600_000, 'marked as used')
    const bytes = readFileSync(file)
    bytes[4096 + 10] = (bytes[4096 + 10] as number) ^ 1
    writeFileSync(file, bytes)
    const before = (await cache.statistics()).corrupt
    const gone = await client.block(`[::1]:${port}`, whole, 0)
    assert.equal(gone, { ok: false, failure: 'absent' })
    assert.is((await cache.statistics()).corrupt, before + 1)
    client.close()
  })
})

test.run()
