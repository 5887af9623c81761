import type { CryptoProvider, SigningKey } from '../security/crypto-provider.js'
import { signerOf, throwawayKey } from '../security/signers.js'
import type { NameLike } from './cloud.js'
import type { SignerSpec } from './registration.js'

/** The keys that one cloud signs with: held by the crypto provider until the cloud closes. */
export class CloudSigning {
  readonly #crypto: CryptoProvider
  readonly #throwaway: SigningKey
  readonly #held = new Set<string>()

  private constructor(crypto: CryptoProvider, throwaway: SigningKey) {
    this.#crypto = crypto
    this.#throwaway = throwaway
  }

  static async open(crypto: CryptoProvider): Promise<CloudSigning> {
    return new CloudSigning(crypto, await throwawayKey())
  }

  /** Throws ERR_PEERNET_IDENTITY_NOT_FOUND, ERR_PEERNET_NOT_AUTHORIZED, ERR_PEERNET_INVALID_ARG. */
  specFor(name: NameLike, explicit: unknown): SignerSpec {
    const { spec, key } = signerOf(name, explicit, this.#throwaway)
    if (!this.#held.has(key.keyId)) {
      this.#held.add(key.keyId)
      this.#crypto.hold(key)
    }
    return spec
  }

  release(): void {
    for (const keyId of this.#held) this.#crypto.release(keyId)
    this.#held.clear()
  }
}
