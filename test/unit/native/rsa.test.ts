import { execFileSync } from 'node:child_process'
import * as nodeCrypto from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concatBytes, reversedBytes } from '#lib/core/bytes.js'
import { addon } from '#lib/native/addon.js'
import {
  cryptoSelfTest,
  rsaBatch,
  rsaPrivateKey,
  rsaPublicKey,
  rsaSign,
  rsaVerify,
  SignatureOrder,
  type RsaKey,
  type RsaOperation,
  type RsaOutcome,
} from '#lib/native/rsa.js'
import { skipUnless, test } from '../../harness.js'

// node:crypto is the independent implementation: it goes through EVP and does its own padding.
const pair = nodeCrypto.generateKeyPairSync('rsa', { modulusLength: 1024, publicExponent: 65537 })
const privateDer = pair.privateKey.export({ type: 'pkcs1', format: 'der' })
const publicDer = pair.publicKey.export({ type: 'pkcs1', format: 'der' })
const privateKey = rsaPrivateKey(privateDer) as RsaKey
const publicKey = rsaPublicKey(publicDer) as RsaKey

const batch = (operations: RsaOperation[]): Promise<readonly RsaOutcome[]> =>
  new Promise((resolve) => {
    rsaBatch(operations, resolve)
  })

test('the self-test passes', () => {
  assert.is(cryptoSelfTest(), undefined)
})

test('PNRP-3.2.5.9-1 PNRP-3.2.5.9-2 signatures are what node:crypto makes (PKCS #1 v1.5)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (data) => {
      const expected = nodeCrypto.sign('sha1', data, pair.privateKey)
      const signature = rsaSign(privateKey, data) as Uint8Array
      assert.equal(Buffer.from(signature), expected)
      const reversed = rsaSign(privateKey, data, SignatureOrder.CAPI) as Uint8Array
      assert.equal(Buffer.from(reversedBytes(reversed)), expected)
    }),
    { numRuns: 50 },
  )
})

test('signatures of node:crypto verify, as they are and reversed (N-43)', () => {
  const data = Buffer.from('a CPA without its signature')
  const signature = nodeCrypto.sign('sha1', data, pair.privateKey)
  assert.is(rsaVerify(publicKey, data, signature), SignatureOrder.SPEC)
  assert.is(rsaVerify(publicKey, data, reversedBytes(signature)), SignatureOrder.CAPI)
})

test('PNRP-3.1.5.9-4 any changed bit of data or signature is refused', () => {
  const data = nodeCrypto.randomBytes(40)
  const signature = nodeCrypto.sign('sha1', data, pair.privateKey)
  for (let bit = 0; bit < 1024; bit++) {
    const forged = Uint8Array.from(signature)
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7))
    assert.is(rsaVerify(publicKey, data, forged), SignatureOrder.BAD)
  }
  for (let bit = 0; bit < 320; bit++) {
    const other = Uint8Array.from(data)
    other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7))
    assert.is(rsaVerify(publicKey, other, signature), SignatureOrder.BAD)
  }
})

test('PNRP-3.1.5.9-2 a good signature over another hash than SHA-1 is refused', () => {
  const data = Buffer.from('data')
  for (const hash of ['md5', 'sha224', 'sha256', 'ripemd160']) {
    const signature = nodeCrypto.sign(hash, data, pair.privateKey)
    assert.is(rsaVerify(publicKey, data, signature), SignatureOrder.BAD, hash)
  }
})

/** A "signature" whose recovered block is exactly `block`: what only the key's owner can make. */
function withBlock(block: Uint8Array): Uint8Array {
  return nodeCrypto.privateEncrypt(
    { key: pair.privateKey, padding: nodeCrypto.constants.RSA_NO_PADDING },
    block,
  )
}

test('the padding is compared whole: no other block with the right hash inside passes', () => {
  const data = Buffer.from('data')
  const digest = nodeCrypto.createHash('sha1').update(data).digest()
  const info = Buffer.concat([Buffer.from('3021300906052b0e03021a05000414', 'hex'), digest])
  const noNull = Buffer.concat([Buffer.from('301f300706052b0e03021a0414', 'hex'), digest])
  const block = (head: number[], tail: Uint8Array, fill = 0xff): Buffer =>
    Buffer.concat([
      Buffer.from(head),
      Buffer.alloc(128 - head.length - 1 - tail.length, fill),
      Buffer.of(0),
      tail,
    ])
  assert.is(rsaVerify(publicKey, data, withBlock(block([0, 1], info))), SignatureOrder.SPEC)
  const bad = [
    block([0, 2], info),
    block([0, 1], info, 0xfe),
    block([0, 1], noNull),
    // Bleichenbacher 2006: little padding, the hash early, garbage behind it.
    Buffer.concat([Buffer.from([0, 1, 0xff, 0]), info, Buffer.alloc(128 - 4 - info.length, 7)]),
    // The bare hash, as "PKCS #1 with no hash OID".
    block([0, 1], digest),
  ]
  for (const one of bad) {
    assert.is(rsaVerify(publicKey, data, withBlock(one)), SignatureOrder.BAD, one.toString('hex'))
  }
})

test('values that are not below the modulus are refused', () => {
  const modulus = publicDer.subarray(7, 135)
  for (const signature of [new Uint8Array(128).fill(0xff), modulus, new Uint8Array(128)]) {
    assert.is(rsaVerify(publicKey, Buffer.from('data'), signature), SignatureOrder.BAD)
  }
})

test('PNRP-2.2.3.1.4-6 only the one legal form of RSAPublicKey is a key', () => {
  const change = (at: number, value: number): Uint8Array => {
    const der = Uint8Array.from(publicDer)
    der[at] = value
    return der
  }
  const refused = [
    publicDer.subarray(0, 139),
    concatBytes(publicDer, Uint8Array.of(0)),
    change(0, 0x31),
    change(5, 0x82),
    change(6, 0x01), // a 1032-bit modulus
    change(7, 0x7f), // not the full 1024 bits
    change(134, 0x02), // even
    change(139, 0x03), // e = 65539
    new Uint8Array(140),
    new Uint8Array(0),
  ]
  for (const der of refused) assert.is(rsaPublicKey(der), undefined)
  assert.ok(rsaPublicKey(publicDer))
})

test('only consistent 1024-bit private keys with exponent 65537 are loaded', () => {
  const other = (modulusLength: number, publicExponent: number): Buffer =>
    nodeCrypto
      .generateKeyPairSync('rsa', { modulusLength, publicExponent })
      .privateKey.export({ type: 'pkcs1', format: 'der' })
  const damaged = Uint8Array.from(privateDer)
  damaged[200] = (damaged[200] as number) ^ 1
  const refused = [
    other(1032, 65537),
    other(512, 65537),
    other(1024, 3),
    damaged,
    privateDer.subarray(0, -1),
    concatBytes(privateDer, Uint8Array.of(0)),
    publicDer,
    new Uint8Array(0),
    new Uint8Array(10_000).fill(0x30),
  ]
  for (const der of refused) assert.is(rsaPrivateKey(der), undefined)
})

test('a public key cannot sign', () => {
  assert.is(rsaSign(publicKey, Buffer.from('data')), undefined)
})

test('failures leave no trace in the error queue that node:crypto reads', () => {
  rsaSign(publicKey, Buffer.from('data'))
  rsaVerify(publicKey, Buffer.from('data'), new Uint8Array(128).fill(0xff))
  rsaPrivateKey(new Uint8Array(100))
  // A stale entry would make this throw (seen with addons that forget it).
  assert.ok(nodeCrypto.createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' })))
})

test('the thread pool gives the same answers in the same order', async () => {
  const data = Array.from({ length: 20 }, (_, i) => nodeCrypto.randomBytes(i * 30))
  const signatures = data.map((bytes) => nodeCrypto.sign('sha1', bytes, pair.privateKey))
  const operations = data.flatMap((bytes, i): RsaOperation[] => [
    [privateKey, bytes, SignatureOrder.SPEC],
    [publicKey, bytes, signatures[i] as Uint8Array],
    [publicKey, bytes, reversedBytes(signatures[i] as Uint8Array)],
    [publicKey, bytes, new Uint8Array(128)],
    [publicKey, bytes, SignatureOrder.SPEC], // cannot sign
  ])
  const outcomes = await batch(operations)
  assert.is(outcomes.length, operations.length)
  data.forEach((_, i) => {
    assert.equal(Buffer.from(outcomes[i * 5] as Uint8Array), signatures[i])
    assert.equal(outcomes.slice(i * 5 + 1, i * 5 + 5), [1, 2, 0, false])
  })
})

test('a batch works on copies: its bytes may be changed and its keys dropped at once', async () => {
  const data = Buffer.from('to be changed')
  const original = Buffer.from(data)
  const signature = Uint8Array.from(nodeCrypto.sign('sha1', data, pair.privateKey))
  const waiting = batch([[rsaPublicKey(publicDer) as RsaKey, data, signature]])
  data.fill(0)
  signature.fill(0)
  assert.equal(await waiting, [SignatureOrder.SPEC])
  assert.not.equal(data, original)
})

test('many batches at once all come back', async () => {
  const data = Buffer.from('data')
  const signature = nodeCrypto.sign('sha1', data, pair.privateKey)
  const all = await Promise.all(
    Array.from({ length: 200 }, () => batch([[publicKey, data, signature]])),
  )
  assert.ok(all.every(([order]) => order === SignatureOrder.SPEC))
  assert.equal(await batch([]), [])
})

test('the native functions refuse anything but their own keys and byte arrays', () => {
  const data = new Uint8Array(4)
  const signature = new Uint8Array(128)
  const misuse: (() => unknown)[] = [
    () => addon.rsaVerify({}, data, signature),
    () => addon.rsaVerify(publicKey, data, signature.subarray(1)),
    () => addon.rsaVerify(publicKey, 'data' as never, signature),
    () => addon.rsaSign(privateKey, data, 3, signature),
    () => addon.rsaSign(privateKey, data, 1, data),
    () => addon.rsaPublicKey(null as never),
    () => {
      addon.rsaBatch([[publicKey, data]] as never, () => undefined)
    },
    () => {
      addon.rsaBatch([[publicKey, data, signature]], undefined as never)
    },
    () => {
      addon.rsaBatch({} as never, () => undefined)
    },
    () => {
      addon.rsaBatch([[publicKey, data, signature]], {} as never)
    },
    () => {
      addon.rsaBatch([undefined] as never, () => undefined)
    },
    () => {
      // Room for so many would take all memory, and end the process.
      addon.rsaBatch(new Array(0xffff_ffff) as never, () => undefined)
    },
    () => addon.rsaVerify(undefined as never, data, signature),
  ]
  for (const work of misuse) {
    assert.throws(work, (error: { code?: string }) => error.code === 'ERR_PEERNET_INVALID_ARG')
  }
})

test('the openssl command accepts our signatures, and we its', () => {
  let version = ''
  try {
    version = execFileSync('openssl', ['version'], { encoding: 'utf8' })
  } catch {
    // not installed
  }
  skipUnless(version !== '', 'the openssl command is not installed')
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-rsa-'))
  const file = (name: string, content?: Uint8Array | string): string => {
    const full = path.join(directory, name)
    if (content !== undefined) writeFileSync(full, content)
    return full
  }
  try {
    const data = nodeCrypto.randomBytes(500)
    file('data', data)
    file('public.pem', pair.publicKey.export({ type: 'spki', format: 'pem' }))
    file('private.pem', pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    file('signature', rsaSign(privateKey, data))
    const dgst = (...args: string[]): Buffer =>
      execFileSync('openssl', ['dgst', '-sha1', ...args, file('data')])
    const said = dgst('-verify', file('public.pem'), '-signature', file('signature'))
    assert.match(said.toString(), /Verified OK/)
    assert.is(rsaVerify(publicKey, data, dgst('-sign', file('private.pem'))), SignatureOrder.SPEC)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test.run()
