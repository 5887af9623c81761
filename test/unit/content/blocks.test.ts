// Blocks sealed by the server's side and opened by the client's, with node:crypto as the other
// side.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { HashScheme } from '#lib/content/algorithms.js'
import { opening, sealedLength, sealing } from '#lib/content/blocks.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import type { ContentSegment } from '#lib/content/content-info.js'
import { decodeResponse } from '#lib/content/decode-retrieval.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import type { BlockMessage, Cipher } from '#lib/content/retrieval.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { runBlock, runBlocks, type BlockWork } from '#lib/native/content-blocks.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const CIPHERS: readonly Cipher[] = [0, 1, 2, 3]
const KEY_BYTES = [0, 16, 24, 32]
const content = sampleContent(200_001)
const secret = randomBytes(32)

function segmentsOf(scheme: HashScheme): readonly ContentSegment[] {
  const hasher = new ContentHasher(scheme)
  hasher.push(content)
  const parsed = parseContentInfo(writeContentInfo(hasher.finish(), secret))
  assert.ok(parsed.ok)
  return parsed.info.segments
}

const SEGMENTS = [
  ...segmentsOf({ version: 1, algorithm: 'sha256' }),
  ...segmentsOf({ version: 1, algorithm: 'sha512' }),
  ...segmentsOf({ version: 2, algorithm: 'sha512' }),
]

const bytesOf = (segment: ContentSegment, block: number): Uint8Array => {
  const at = segment.offset + block * segment.blockBytes
  return content.subarray(at, at + segment.blockLength(block))
}

const vector = (cipher: Cipher): Uint8Array =>
  cipher === 0 ? new Uint8Array(0) : new Uint8Array(randomBytes(16))

function fieldsOf(segment: ContentSegment, blockIndex: number, cipher: Cipher) {
  const iv = vector(cipher)
  return { type: 'blk', segmentId: segment.id, blockIndex, nextBlock: 0, cipher, iv } as const
}

function received(bytes: Uint8Array): BlockMessage {
  const decoded = decodeResponse(bytes)
  assert.ok(decoded.ok && decoded.message.type === 'blk')
  return decoded.message
}

const inBatch = (works: readonly BlockWork[]): Promise<readonly boolean[]> =>
  new Promise((resolve) => {
    runBlocks(works, resolve)
  })

test('D-056 a sealed block is what AES-CBC with PKCS #7 under the leftmost key bytes gives', () => {
  for (const segment of SEGMENTS) {
    for (let block = 0; block < segment.blockCount; block++) {
      for (const cipher of CIPHERS) {
        const plain = bytesOf(segment, block)
        const fields = fieldsOf(segment, block, cipher)
        const { bytes, work } = sealing(fields, segment.secret, plain, plain.length)
        assert.ok(runBlock(work))
        const message = received(bytes)
        assert.is(message.block.length, sealedLength(cipher, plain.length))
        if (cipher === 0) {
          assert.equal(message.block, plain)
          continue
        }
        const key = segment.secret.subarray(0, KEY_BYTES[cipher])
        const name = `aes-${key.length * 8}-cbc`
        const decipher = createDecipheriv(name, key, fields.iv)
        const clear = Buffer.concat([decipher.update(message.block), decipher.final()])
        assert.is(Buffer.compare(clear, plain), 0)
      }
    }
  }
})

test('blocks of every key size are opened, with whatever padding the sender chose', async () => {
  const works: BlockWork[] = []
  const wanted: [Uint8Array, Uint8Array][] = []
  for (const segment of SEGMENTS) {
    for (let index = 0; index < segment.blockCount; index++) {
      for (const cipher of [1, 2, 3] as const) {
        for (const padding of ['pkcs7', 'zeros'] as const) {
          const fields = fieldsOf(segment, index, cipher)
          const plain = bytesOf(segment, index)
          const key = segment.secret.subarray(0, KEY_BYTES[cipher])
          const coder = createCipheriv(`aes-${key.length * 8}-cbc`, key, fields.iv)
          coder.setAutoPadding(padding === 'pkcs7')
          const rest = padding === 'zeros' ? Buffer.alloc((16 - (plain.length % 16)) % 16) : ''
          const parts = [coder.update(plain), coder.update(Buffer.from(rest)), coder.final()]
          const opened = opening({ ...fields, block: Buffer.concat(parts) }, segment)
          assert.ok(opened)
          works.push(opened.work)
          wanted.push([opened.block, plain])
        }
      }
    }
  }
  assert.ok((await inBatch(works)).every((done) => done))
  for (const [block, plain] of wanted) assert.is(Buffer.compare(block, plain), 0)
})

test('DA-17 a block under the first 32 bytes of the secret is opened whatever it calls its cipher', () => {
  const segment = SEGMENTS[0] as ContentSegment
  for (const cipher of [1, 2] as const) {
    const fields = fieldsOf(segment, 0, cipher)
    const coder = createCipheriv('aes-256-cbc', segment.secret.subarray(0, 32), fields.iv)
    const block = Buffer.concat([coder.update(bytesOf(segment, 0)), coder.final()])
    const opened = opening({ ...fields, block }, segment)
    assert.ok(opened && runBlock(opened.work))
    assert.is(Buffer.compare(opened.block, bytesOf(segment, 0)), 0)
  }
})

test('a block that was changed anywhere, or is another, is not opened', () => {
  for (const segment of SEGMENTS.slice(0, 2)) {
    for (const cipher of CIPHERS) {
      const fields = fieldsOf(segment, 3, cipher)
      const plain = bytesOf(segment, 3)
      const sealed = sealing(fields, segment.secret, plain, plain.length)
      assert.ok(runBlock(sealed.work))
      const message = received(sealed.bytes)
      const attempt = (changes: Partial<BlockMessage>, of = segment): boolean => {
        const changed = { ...message, ...changes }
        const opened = opening({ ...changed, block: Uint8Array.from(changed.block) }, of)
        return opened !== undefined && runBlock(opened.work)
      }
      assert.ok(attempt({}))
      for (const at of [0, 15, 16, 1000, plain.length - 1]) {
        const block = message.block.slice()
        block[at] = (block[at] as number) ^ 1
        assert.not(attempt({ block }))
      }
      if (cipher !== 0) assert.not(attempt({ iv: vector(cipher) }))
      assert.not(attempt({ blockIndex: 2 }))
      assert.not(attempt({ blockIndex: 4 }))
      assert.not(attempt({ block: new Uint8Array(0) }))
      assert.not(attempt({ block: message.block.subarray(0, message.block.length - 16) }))
      assert.not(attempt({ block: new Uint8Array(message.block.length + 16) }))
      assert.not(attempt({ segmentId: randomBytes(32) }))
      assert.not(attempt({}, SEGMENTS.at(-1)))
    }
  }
})

test('in a batch, each block is judged for itself', async () => {
  const works: BlockWork[] = []
  const wanted: boolean[] = []
  for (let i = 0; i < 70; i++) {
    const segment = SEGMENTS[i % 3 === 0 ? 1 : 0] as ContentSegment
    const index = i % segment.blockCount
    const cipher = CIPHERS[i % 4] as Cipher
    const plain = bytesOf(segment, index)
    const fields = fieldsOf(segment, index, cipher)
    const { bytes, work } = sealing(fields, segment.secret, plain, plain.length)
    assert.ok(runBlock(work))
    const message = received(bytes)
    const block = message.block.slice()
    const isGood = i % 5 !== 0
    if (!isGood) block[100] = (block[100] as number) ^ 1
    const opened = opening({ ...message, block }, segment)
    assert.ok(opened)
    // others between them
    works.push(opened.work, work)
    wanted.push(isGood, true)
  }
  // DA-17
  const segment = SEGMENTS[0] as ContentSegment
  const fields = fieldsOf(segment, 0, 1)
  const coder = createCipheriv('aes-256-cbc', segment.secret.subarray(0, 32), fields.iv)
  const block = Buffer.concat([coder.update(bytesOf(segment, 0)), coder.final()])
  const opened = opening({ ...fields, block }, segment)
  assert.ok(opened)
  assert.equal(await inBatch([...works, opened.work]), [...wanted, true])
})

test('blocks are sealed straight from a file, on the pool and at once', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-blocks-'))
  const name = path.join(directory, 'content')
  writeFileSync(name, content)
  const file = await open(name)
  try {
    const segment = SEGMENTS[0] as ContentSegment
    const sealings = CIPHERS.flatMap((cipher) =>
      Array.from({ length: segment.blockCount }, (_, block) => {
        const source = { fd: file.fd, position: block * 65_536 }
        const fields = fieldsOf(segment, block, cipher)
        return sealing(fields, segment.secret, source, segment.blockLength(block))
      }),
    )
    assert.ok((await inBatch(sealings.map(({ work }) => work))).every((done) => done))
    sealings.forEach(({ bytes }, i) => {
      const opened = opening(received(bytes), segment)
      assert.ok(opened && runBlock(opened.work))
      assert.is(Buffer.compare(opened.block, bytesOf(segment, i % segment.blockCount)), 0)
    })
    const beyond = { fd: file.fd, position: content.length - 10 }
    const fields = fieldsOf(segment, 0, 1)
    assert.not(runBlock(sealing(fields, segment.secret, beyond, 11).work))
    assert.ok(runBlock(sealing(fields, segment.secret, beyond, 10).work))
  } finally {
    await file.close()
    rmSync(directory, { recursive: true })
  }
})

test('what makes no block is refused before anything is done', () => {
  const segment = SEGMENTS[0] as ContentSegment
  const plain = bytesOf(segment, 0)
  const fields = fieldsOf(segment, 0, 1)
  const invalid = (work: () => unknown): void => {
    assert.throws(work, (error: { code: string }) => error.code === 'ERR_PEERNET_INVALID_ARG')
  }
  invalid(() => sealing({ ...fields, iv: new Uint8Array(15) }, segment.secret, plain, plain.length))
  invalid(() => sealing(fields, segment.secret, plain, 0))
  invalid(() => runBlock(sealing(fields, segment.secret, plain, plain.length - 1).work))
  invalid(() => runBlock(sealing(fields, segment.secret.subarray(0, 15), plain, plain.length).work))
  invalid(() => runBlock([] as never))
  invalid(() => runBlock(null as never))
  const [first, ...others] = sealing(fields, segment.secret, plain, plain.length).work
  invalid(() => runBlock([9, ...others] as never))
  invalid(() => {
    runBlocks([[first, ...others] as never, [] as never], () => undefined)
  })
})

test.run()
