// The retrieval protocol between its server and its client, and against a server that lies, over
// real sockets.
// test-limit: 120s
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { sealing } from '#lib/content/blocks.js'
import type { ContentSegment } from '#lib/content/content-info.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { RETRIEVAL_PATH, type Cipher } from '#lib/content/retrieval.js'
import { runOnPool } from '#lib/io/block-runner.js'
import { runBlock } from '#lib/native/content-blocks.js'
import { RetrievalClient } from '#lib/runtime/content/retrieval-client.js'
import { RetrievalServer } from '#lib/runtime/content/retrieval-server.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { sampleContent } from '../helpers/content-checker.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from '../helpers/content-scene.js'
import { test } from '../harness.js'

const content = sampleContent(400_001)
const SECRET = new Uint8Array(32).fill(3)
const segments = [
  ...segmentsOf(content, SHA256, SECRET),
  ...segmentsOf(content, { version: 1, algorithm: 'sha512' }, SECRET),
  ...segmentsOf(content, VERSION_2, SECRET),
]
const [segment] = segments as [ContentSegment]
const directory = mkdtempSync(path.join(tmpdir(), 'peernet-retrieval-'))
const cache = new BlockStore({ directory, run: runOnPool })
const client = new RetrievalClient()

test.before(async () => {
  for (const one of segments) {
    for (let block = 0; block < one.blockCount; block++) {
      // Block 3 of the first segment is missing everywhere.
      if (one !== segment || block !== 3) await cache.put(one, block, blockOf(content, one, block))
    }
  }
})
test.after(async () => {
  client.close()
  await cache.close()
  rmSync(directory, { recursive: true })
})

async function withServer(
  options: { cipher?: 1 | 2 | 3; maxClients?: number; replyToMalformed?: boolean },
  body: (server: RetrievalServer, peer: string) => Promise<void>,
): Promise<void> {
  const server = new RetrievalServer({ cache, ...options })
  const { port } = await server.listen(0, '::1')
  try {
    await body(server, `[::1]:${port}`)
  } finally {
    await server.close()
  }
}

interface Reply {
  readonly status: number
  readonly body: Buffer
}

/** A request as anybody might send it; status 0 when the connection was closed without answer. */
function send(
  peer: string,
  body: Uint8Array,
  { url = RETRIEVAL_PATH, method = 'POST' } = {},
): Promise<Reply> {
  return new Promise((resolve) => {
    const sent = request(`http://${peer}${url}`, { method }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) })
      })
    })
    sent.on('error', () => {
      resolve({ status: 0, body: Buffer.alloc(0) })
    })
    sent.end(body)
  })
}

test('D-070 all blocks of all kinds of segments arrive under keys of all sizes', async () => {
  for (const cipher of [1, 2, 3] as const) {
    await withServer({ cipher }, async (server, peer) => {
      for (const one of segments) {
        for (let block = 0; block < one.blockCount; block++) {
          if (one === segment && block === 3) continue
          const answer = await client.block(peer, one, block)
          assert.ok(answer.ok, JSON.stringify(answer))
          assert.ok(Buffer.from(answer.value).equals(blockOf(content, one, block)))
        }
      }
      assert.is(server.statistics().activeClients, 0)
    })
  }
})

test('D-070 the same block is encrypted differently each time', async () => {
  await withServer({}, async (_, peer) => {
    const ranges = [{ index: 0, count: 1 }]
    const body = encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges })
    const [one, other] = [await send(peer, body), await send(peer, body)]
    assert.is(one.body.length, other.body.length)
    assert.is.not(one.body.toString('hex'), other.body.toString('hex'))
    assert.not(one.body.includes(Buffer.from(content.subarray(100, 200))), 'no plain bytes')
  })
})

test('D-063 D-066 D-067 lists and missing blocks are told as they are', async () => {
  await withServer({}, async (_, peer) => {
    const asked = [
      { index: 2, count: 4 },
      { index: 0, count: 3 },
    ]
    const list = await client.blockList(peer, segment, asked)
    assert.equal(list.ok && list.value, [
      { index: 0, count: 3 },
      { index: 4, count: 2 },
    ])
    assert.equal(await client.block(peer, segment, 3), { ok: false, failure: 'absent' })
    const ranges = [{ index: 3, count: 1 }]
    const empty = await send(
      peer,
      encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges }),
    )
    // 2.2.5.3: size, header, ID with its size; then block 3, next block 0, no data.
    assert.is(empty.body.subarray(24, 56).toString('hex'), hex(segment.id))
    assert.equal([empty.body.readUInt32BE(56), empty.body.readUInt32BE(64)], [3, 0])
    const held = await send(
      peer,
      encodeRetrieval({
        type: 'getblks',
        segmentId: segment.id,
        ranges: [{ index: 2, count: 1 }],
      }),
    )
    assert.equal([held.body.readUInt32BE(56), held.body.readUInt32BE(60)], [2, 4])
  })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('D-065 of several blocks the one with the smallest number comes', async () => {
  await withServer({}, async (_, peer) => {
    const ranges = [
      { index: 5, count: 1 },
      { index: 1, count: 2 },
    ]
    const { body } = await send(
      peer,
      encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges }),
    )
    assert.is(body.readUInt32BE(56), 1)
  })
})

test('D-069 a list of segments tells which are there', async () => {
  await withServer({}, async (_, peer) => {
    const ids = [segment.id, randomBytes(32), ...segments.slice(2).map(({ id }) => id)]
    const answer = await client.segmentList(peer, ids, randomBytes(16))
    assert.equal(answer.ok && answer.value, [true, false, ...segments.slice(2).map(() => true)])
  })
})

test('D-046 only the path of the protocol is served, in any case, and only to POST', async () => {
  await withServer({}, async (_, peer) => {
    const ranges = [{ index: 0, count: 1 }]
    const body = encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges })
    const bare = RETRIEVAL_PATH.slice(0, -1)
    for (const url of [RETRIEVAL_PATH, bare, RETRIEVAL_PATH.toLowerCase()]) {
      assert.is((await send(peer, body, { url })).status, 200)
    }
    assert.is((await send(peer, body, { url: '/' })).status, 404)
    assert.is((await send(peer, body, { url: `${RETRIEVAL_PATH}more` })).status, 404)
    assert.is((await send(peer, Buffer.alloc(0), { method: 'GET' })).status, 405)
    assert.is((await send(peer, Buffer.concat([body, body]))).status, 0, 'two messages')
  })
})

test('D-060 D-061 questions for versions, and other versions, are answered with ours', async () => {
  await withServer({}, async (_, peer) => {
    const version = { major: 1, minor: 0 }
    const nego = encodeRetrieval({ type: 'nego-req', minVersion: version, maxVersion: version })
    // 2.2.5.1: size 24, version 1.0, type 1, size, no cipher, least 1.0, greatest 2.0.
    const ours = '00000018' + '00000001' + '00000001' + '00000018' + '00000000'
    assert.is((await send(peer, nego)).body.toString('hex'), `${ours}0000000100000002`)
    const ranges = [{ index: 0, count: 1 }]
    const other = encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges })
    other[3] = 9
    assert.is((await send(peer, other)).body.toString('hex'), `${ours}0000000100000002`)
  })
})

test('D-075 what is malformed ends the connection, or gets status 400 if so wished', async () => {
  const ranges = [{ index: 0, count: 1 }]
  const right = encodeRetrieval({ type: 'getblks', segmentId: segment.id, ranges })
  const wrong = [
    Buffer.alloc(0),
    right.subarray(0, 15),
    right.subarray(0, right.length - 1),
    Buffer.alloc(98_305),
    Buffer.alloc(64, 0xff),
  ]
  await withServer({}, async (server, peer) => {
    for (const body of wrong) assert.is((await send(peer, body)).status, 0)
    assert.is(server.statistics().malformed, wrong.length)
    assert.is((await send(peer, right)).status, 200)
  })
  await withServer({ replyToMalformed: true }, async (_, peer) => {
    for (const body of wrong.slice(0, 3)) assert.is((await send(peer, body)).status, 400)
  })
})

test('D-068 clients too many get empty answers, and the count comes back to nothing', async () => {
  await withServer({ maxClients: 1 }, async (server, peer) => {
    const clients = Array.from({ length: 8 }, () => new RetrievalClient())
    const answers = await Promise.all(clients.map((one) => one.block(peer, segment, 0)))
    assert.ok(answers.some(({ ok }) => ok))
    for (const answer of answers) {
      if (!answer.ok) assert.is(answer.failure, 'absent')
    }
    const served = answers.filter(({ ok }) => ok).length
    assert.is(server.statistics().busy, answers.length - served)
    assert.ok((await client.block(peer, segment, 1)).ok)
    assert.is(server.statistics().activeClients, 0)
    for (const one of clients) one.close()
  })
})

test('a peer that knows only the ID of a segment gets nothing that it can read', async () => {
  await withServer({}, async (_, peer) => {
    const [stranger] = segmentsOf(content, SHA256, randomBytes(32)) as [ContentSegment]
    const guess = Object.create(stranger, { id: { value: segment.id } }) as ContentSegment
    const answer = await client.block(peer, guess, 0)
    assert.equal(answer, { ok: false, failure: 'wrong-hash' })
  })
})

type Liar = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

async function withLiar(liar: Liar, body: (peer: string) => Promise<void>): Promise<void> {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      liar(incoming, response, Buffer.concat(parts))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  try {
    await body(`[::1]:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

/** An honest answer for block 0 with something changed. */
function sealed(change: {
  id?: Uint8Array
  index?: number
  secret?: Uint8Array
  from?: number
  cipher?: Cipher
}): Buffer {
  const { id = segment.id, index = 0, secret = segment.secret, from = 0, cipher = 1 } = change
  const block = blockOf(content, segment, from)
  const iv = new Uint8Array(randomBytes(16))
  const fields = {
    type: 'blk',
    segmentId: id,
    blockIndex: index,
    nextBlock: 0,
    cipher,
    iv,
  } as const
  const { bytes, work } = sealing(fields, secret, block, block.length)
  assert.ok(runBlock(work))
  return Buffer.from(bytes)
}

const flipped = (bytes: Buffer, at: number): Buffer => {
  bytes[at] = (bytes[at] as number) ^ 0x40
  return bytes
}

const BLOCK_LIES: readonly (readonly [string, () => Buffer, string])[] = [
  ['corrupt', () => flipped(sealed({}), 2000), 'wrong-hash'],
  ['truncated', () => sealed({}).subarray(0, 5000), 'malformed'],
  ['oversized', () => Buffer.concat([sealed({}), Buffer.alloc(400_000)]), 'malformed'],
  ['wrong key', () => sealed({ secret: new Uint8Array(32).fill(1) }), 'wrong-hash'],
  ['wrong block', () => sealed({ from: 1 }), 'wrong-hash'],
  ['another number', () => sealed({ index: 1 }), 'unsolicited'],
  ['another segment', () => sealed({ id: new Uint8Array(32) }), 'unsolicited'],
  ['nothing', () => Buffer.alloc(0), 'malformed'],
  ['a size that lies', () => flipped(sealed({}), 2), 'malformed'],
]

test('D-072 answers that are not the block asked for are dropped, each for its reason', async () => {
  for (const [name, lie, failure] of BLOCK_LIES) {
    await withLiar(
      (_, response) => response.end(lie()),
      async (peer) => {
        assert.equal(await client.block(peer, segment, 0), { ok: false, failure }, name)
      },
    )
  }
  await withLiar(
    (_, response) => response.end(sealed({})),
    async (peer) => assert.ok((await client.block(peer, segment, 0)).ok, 'an honest one works'),
  )
})

test('D-073 lists beside what was asked for, or for another request, are dropped', async () => {
  const lists = [
    { segmentId: segment.id, ranges: [{ index: 9, count: 2 }] },
    { segmentId: new Uint8Array(32), ranges: [{ index: 0, count: 1 }] },
  ]
  for (const list of lists) {
    await withLiar(
      (_, response) => {
        response.end(encodeRetrieval({ type: 'blklist', nextBlock: 0, ...list }))
      },
      async (peer) => {
        const answer = await client.blockList(peer, segment, [{ index: 0, count: 4 }])
        assert.equal(answer, { ok: false, failure: 'unsolicited' })
      },
    )
  }
  const requestId = randomBytes(16)
  for (const wrong of [
    { requestId: randomBytes(16), ranges: [{ index: 0, count: 1 }] },
    { requestId, ranges: [{ index: 0, count: 2 }] },
  ]) {
    await withLiar(
      (_, response) => {
        response.end(encodeRetrieval({ type: 'seglist', ...wrong }))
      },
      async (peer) => {
        const answer = await client.segmentList(peer, [segment.id], requestId)
        assert.equal(answer, { ok: false, failure: 'unsolicited' })
      },
    )
  }
})

test('D-071 slow and endless answers end with the request timer', async () => {
  const hasty = new RetrievalClient({ requestMs: 200 })
  await withLiar(
    () => {},
    async (peer) => {
      const answer = await hasty.block(peer, segment, 0)
      assert.equal(answer, { ok: false, failure: 'timeout' })
    },
  )
  await withLiar(
    (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(10)), 20)
      response.on('close', () => {
        clearInterval(timer)
      })
    },
    async (peer) => {
      const answer = await hasty.block(peer, segment, 0)
      assert.equal(answer, { ok: false, failure: 'timeout' })
    },
  )
  hasty.close()
  for (const requestMs of [0, 60_001]) assert.throws(() => new RetrievalClient({ requestMs }))
  for (const uploadMs of [99, 3_600_001]) {
    assert.throws(() => new RetrievalServer({ cache, uploadMs }))
  }
})

test('D-071 an upload that takes too long is cut off', async () => {
  const server = new RetrievalServer({ cache, uploadMs: 150 })
  const { port } = await server.listen(0, '::1')
  const ended = await new Promise<boolean>((resolve) => {
    const sent = request(`http://[::1]:${port}${RETRIEVAL_PATH}`, {
      method: 'POST',
      headers: { 'Content-Length': 68 },
    })
    sent.on('error', () => {
      resolve(true)
    })
    sent.write(Buffer.alloc(4))
  })
  assert.ok(ended)
  await server.close()
})

test('servers that are no peers, or speak no common version, are told apart', async () => {
  for (const status of [404, 500, 302]) {
    await withLiar(
      (_, response) => {
        response.statusCode = status
        response.end(sealed({}))
      },
      async (peer) => {
        assert.equal(await client.block(peer, segment, 0), { ok: false, failure: 'status' })
      },
    )
  }
  const [minVersion, maxVersion] = [
    { major: 3, minor: 0 },
    { major: 4, minor: 1 },
  ] as const
  await withLiar(
    (_, response) => {
      response.end(encodeRetrieval({ type: 'nego-resp', minVersion, maxVersion }))
    },
    async (peer) => {
      assert.equal(await client.block(peer, segment, 0), { ok: false, failure: 'version' })
    },
  )
  for (const peer of ['localhost', 'a/b:80', 'http://x:80', '[::1]:0', '[::1]:70000', '@:1']) {
    assert.equal(await client.block(peer, segment, 0), { ok: false, failure: 'unreachable' })
  }
})

test.run()
