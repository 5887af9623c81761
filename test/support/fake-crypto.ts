// A crypto port for unit tests: a keyed hash instead of RSA, with RSA's lengths. The hash is over
// public key and data, so that a signature under another key, or of other data, does not verify.
import { createHash } from 'node:crypto'
import type { CryptoJob, CryptoResult, ChainRefusal } from '#lib/pnrp/crypto-port.js'

const KEY_HEAD = [0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00]
const KEY_TAIL = [0x02, 0x03, 0x01, 0x00, 0x01]

/** A DER RSAPublicKey of 140 bytes that belongs to this key id. */
export function fakePublicKey(keyId: string): Uint8Array {
  const key = new Uint8Array(140)
  key.set(KEY_HEAD)
  for (let i = 0; i < 128; i += 32) {
    key.set(createHash('sha256').update(`${keyId}/${i}`).digest(), KEY_HEAD.length + i)
  }
  key[KEY_HEAD.length] = (key[KEY_HEAD.length] as number) | 0x80
  key.set(KEY_TAIL, 135)
  return key
}

export function fakeSignature(publicKey: Uint8Array, data: Uint8Array): Uint8Array {
  const signature = new Uint8Array(128)
  for (let i = 0; i < 128; i += 32) {
    const hash = createHash('sha256').update(publicKey).update(data).update(`${i}`)
    signature.set(hash.digest(), i)
  }
  return signature
}

export function runFakeCrypto(job: CryptoJob, chainRefusal?: ChainRefusal): CryptoResult {
  const { id } = job
  if (job.kind === 'sign') {
    const key = fakePublicKey(job.keyId)
    return { id, kind: 'signed', signatures: job.parts.map((part) => fakeSignature(key, part)) }
  }
  if (job.chainCheck !== undefined && chainRefusal !== undefined) {
    return { id, kind: 'refused', reason: chainRefusal }
  }
  let reversed = false
  for (const { publicKey, data, signature } of job.items) {
    const expected = Buffer.from(fakeSignature(publicKey, data))
    if (expected.equals(signature)) continue
    if (!expected.reverse().equals(signature)) return { id, kind: 'refused', reason: 'signature' }
    reversed = true
  }
  return { id, kind: 'verified', byteOrder: reversed ? 'capi' : 'spec' }
}
