import { bytesKey } from '../core/bytes.js'
import { rsaPublicKey, type RsaKey } from '../native/rsa.js'

/**
 * Parsed public keys by their DER bytes, the least recently used forgotten first. Parsing costs as
 * much as verifying, and a publisher signs more than once.
 */
export class PublicKeyCache {
  readonly #keys = new Map<string, RsaKey>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#keys.size
  }

  /** Undefined when the bytes are no key of the one legal kind (MS-PNRP 2.2.3.1.4). */
  get(der: Uint8Array): RsaKey | undefined {
    const name = bytesKey(der)
    const known = this.#keys.get(name)
    if (known !== undefined) {
      this.#keys.delete(name)
      this.#keys.set(name, known)
      return known
    }
    const key = rsaPublicKey(der)
    if (key === undefined) return undefined
    if (this.#keys.size >= this.#capacity) {
      const [oldest] = this.#keys.keys()
      this.#keys.delete(oldest as string)
    }
    this.#keys.set(name, key)
    return key
  }
}
