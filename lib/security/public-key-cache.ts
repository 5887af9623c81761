import { bytesKey } from '../core/bytes.js'
import { rsaPublicKey, type RsaKey } from '../native/rsa.js'

/**
 * Parsed public keys by their DER bytes. Parsing costs as much as verifying, and a publisher signs
 * more than once. Two generations, of which the older is forgotten when the younger is half of the
 * capacity: what is used stays, and using it moves nothing.
 */
export class PublicKeyCache {
  #young = new Map<string, RsaKey>()
  #old = new Map<string, RsaKey>()
  readonly #half: number

  constructor(capacity: number) {
    this.#half = capacity / 2
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Undefined when the bytes are no key of the one legal kind (MS-PNRP 2.2.3.1.4). */
  get(der: Uint8Array): RsaKey | undefined {
    const name = bytesKey(der)
    const known = this.#young.get(name)
    if (known !== undefined) return known
    const key = this.#old.get(name) ?? rsaPublicKey(der)
    if (key === undefined) return undefined
    this.#old.delete(name)
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, key)
    return key
  }
}
