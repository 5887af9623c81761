import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import { addon } from '#lib/native/addon.js'
import { md5, sha1, sha256 } from '#lib/native/digest.js'
import { test } from '../../harness.js'

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'ascii'))

// FIPS 180-2, appendices A and B.
const vectors = [
  {
    text: 'abc',
    sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    text: 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    sha1: '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
    sha256: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
]

test('SHA-1 and SHA-256 give the published digests', () => {
  for (const vector of vectors) {
    assert.is(toHex(sha1(ascii(vector.text))), vector.sha1)
    assert.is(toHex(sha256(ascii(vector.text))), vector.sha256)
  }
})

test('MD5 gives the published digests', () => {
  // RFC 1321, A.5
  assert.is(toHex(md5(ascii(''))), 'd41d8cd98f00b204e9800998ecf8427e')
  assert.is(toHex(md5(ascii('abc'))), '900150983cd24fb0d6963f7d28e17f72')
  assert.is(toHex(md5(ascii('message digest'))), 'f96b697d7cb7938d525a2f31aaf161d0')
})

test('digests agree with node:crypto at every length around the slab and block sizes', () => {
  const slab = addon.hashInput.length
  const lengths = [0, 1, 55, 56, 63, 64, 65, 119, 140, slab - 1, slab, slab + 1, 3 * slab + 7]
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff)
    assert.is(toHex(md5(bytes)), createHash('md5').update(bytes).digest('hex'))
    assert.is(toHex(sha1(bytes)), createHash('sha1').update(bytes).digest('hex'))
    assert.is(toHex(sha256(bytes)), createHash('sha256').update(bytes).digest('hex'))
  }
})

test('a digest belongs to its caller: the next one does not overwrite it', () => {
  const first = sha1(ascii('abc'))
  sha1(ascii('abd'))
  assert.is(toHex(first), vectors[0]?.sha1)
  assert.is(first.length, 20)
})

test('views into larger buffers are hashed by their own range', () => {
  const whole = ascii('xxabcxx')
  assert.is(toHex(sha1(whole.subarray(2, 5))), vectors[0]?.sha1)
})

test('the native functions refuse other types and lengths', () => {
  const misuse = (value: unknown): void => {
    addon.sha1(value as number)
  }
  for (const value of [undefined, null, 'abc', {}, new Uint16Array(2), 4097, -1]) {
    assert.throws(() => misuse(value), (error: { code?: string }) => {
      return error.code === 'ERR_PEERNET_INVALID_ARG'
    })
  }
})

test('a worker thread has hash arrays of its own', async () => {
  const source = `
    import('#lib/native/digest.js').then(({ sha1 }) => {
      const { parentPort } = require('node:worker_threads')
      parentPort.postMessage(Buffer.from(sha1(Buffer.from('abc'))).toString('hex'))
    })`
  const before = sha1(ascii('unrelated'))
  const worker = new Worker(source, { eval: true })
  const [digest] = (await once(worker, 'message')) as [string]
  assert.is(digest, vectors[0]?.sha1)
  assert.equal(sha1(ascii('unrelated')), before)
  await worker.terminate()
})

test.run()
