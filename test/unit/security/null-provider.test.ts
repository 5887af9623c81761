import { createPublicKey } from 'node:crypto'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import { rsaPublicKey } from '#lib/native/rsa.js'
import { NullCryptoProvider } from '#lib/security/null-provider.js'
import { test } from '../../harness.js'
import { cryptoPortSuite } from './crypto-port-suite.js'

const provider = (seed = 1): NullCryptoProvider => new NullCryptoProvider(Uint8Array.of(seed))

cryptoPortSuite(test, 'keyed hash', () => {
  const port = provider()
  return { port, keys: [port.key(0), port.key(1), port.key(2)] }
})

test('public keys have the length and shape of real ones', () => {
  const { publicKey } = provider().key(5)
  assert.is(publicKey.length, 140)
  assert.ok(rsaPublicKey(publicKey))
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'pkcs1' })
  assert.equal(key.asymmetricKeyDetails, { modulusLength: 1024, publicExponent: 65537n })
})

test('the seed decides keys and signatures, and another provider can forge neither', () => {
  const data = Uint8Array.of(1, 2, 3)
  const key = provider().key(0)
  assert.equal(provider().key(0).publicKey, key.publicKey)
  assert.equal(provider().key(0).sign(data), key.sign(data))
  assert.not.equal(provider(2).key(0).publicKey, key.publicKey)
  const { publicKey, keyId } = key
  const forged = provider(2).tryNow({ kind: 'sign', id: 1, keyId, parts: [data] })
  assert.is(forged.kind, 'signed')
  if (forged.kind !== 'signed') return
  const [signature] = forged.signatures as [Uint8Array]
  const items = [{ publicKey, data, signature }]
  assert.is(provider().tryNow({ kind: 'verify', id: 2, items }).kind, 'refused')
})

test('a signature cannot be turned into one of longer data', () => {
  // SHA-256 can be continued from its result; a bare hash over key and data would be no proof.
  const { publicKey, sign } = provider().key(0)
  assert.not.equal(toHex(sign(Uint8Array.of(1))), toHex(sign(Uint8Array.of(1, 0x80))))
  const blocks = [0, 32, 64, 96].map((at) => toHex(sign(publicKey).subarray(at, at + 32)))
  assert.is(new Set(blocks).size, 4)
})

test.run()
