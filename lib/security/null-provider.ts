import { concatBytes, equalBytes, fromHex, reversedBytes, toHex } from '../core/bytes.js'
import { sha256 } from '../native/digest.js'
import type { CryptoJob, CryptoPort, CryptoResult } from '../pnrp/crypto-port.js'
import { isResult, planJob, type Operation, type Outcome } from './crypto-work.js'

/** A key of the keyed-hash provider. */
export interface NullKey {
  readonly keyId: string
  /** 140 bytes in the shape of a DER RSAPublicKey; no private key belongs to it. */
  readonly publicKey: Uint8Array
  /** Signs outside of any job, for certificates. */
  sign(data: Uint8Array): Uint8Array
}

const PUBLIC_HEAD = Uint8Array.of(0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00)
const PUBLIC_TAIL = Uint8Array.of(0x02, 0x03, 0x01, 0x00, 0x01)

/**
 * The CryptoPort of simulations too large for RSA: a signature is a keyed hash of the same length,
 * under a secret that only this provider knows and that differs for every public key. Whoever lacks
 * the provider cannot forge; whoever holds it may sign with any key, so all nodes of one simulation
 * share one, and it is of no use between processes. Every job runs at once.
 */
export class NullCryptoProvider implements CryptoPort {
  readonly backlog = 0
  readonly load = 0
  readonly counts = { signed: 0, verified: 0 }
  readonly #secret: Uint8Array

  /** `seed` makes keys and signatures repeatable. */
  constructor(seed: Uint8Array) {
    this.#secret = sha256(seed)
  }

  /** The key number `index` of this provider. */
  key(index: number): NullKey {
    const name = Buffer.from(`key ${index}`, 'ascii')
    const modulus = stretch(sha256(concatBytes(this.#secret, name)))
    modulus[0] = (modulus[0] as number) | 0x80
    modulus[127] = (modulus[127] as number) | 0x01
    const publicKey = concatBytes(PUBLIC_HEAD, modulus, PUBLIC_TAIL)
    return {
      keyId: toHex(publicKey),
      publicKey,
      sign: (data) => this.#signature(publicKey, data),
    }
  }

  tryNow(job: CryptoJob): CryptoResult {
    const plan = planJob(job)
    if (isResult(plan)) return plan
    return plan.judge(plan.operations.map((operation) => this.#run(operation)))
  }

  enqueue(job: CryptoJob, done: (result: CryptoResult) => void): void {
    done(this.tryNow(job))
  }

  #run(operation: Operation): Outcome {
    if (operation.kind === 'sign') {
      const publicKey = fromHex(operation.keyId)
      if (publicKey?.length !== 140) return undefined
      this.counts.signed++
      const signature = this.#signature(publicKey, operation.data)
      return operation.byteOrder === 'capi' ? reversedBytes(signature) : signature
    }
    this.counts.verified++
    const expected = this.#signature(operation.publicKey, operation.data)
    if (equalBytes(expected, operation.signature)) return 'spec'
    return equalBytes(reversedBytes(expected), operation.signature) ? 'capi' : undefined
  }

  #signature(publicKey: Uint8Array, data: Uint8Array): Uint8Array {
    const key = sha256(concatBytes(this.#secret, publicKey))
    // Twice, or the end of one signed message would be the start of others.
    return stretch(sha256(concatBytes(key, sha256(concatBytes(key, data)))))
  }
}

/** 128 bytes out of 32: four copies that tell each other apart. */
function stretch(digest: Uint8Array): Uint8Array {
  const out = new Uint8Array(128)
  for (let i = 0; i < 4; i++) {
    out.set(digest, i * 32)
    out[i * 32] = (out[i * 32] as number) ^ i
  }
  return out
}
