import { createPublicKey } from 'node:crypto'
import { bytesKey, toHex } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { rsaPrivateKey, type RsaKey } from '../native/rsa.js'
import type { CryptoPort } from '../pnrp/crypto-port.js'
import { authorityOfKey } from '../pnrp/peer-name.js'
import { CryptoProvider } from '../security/crypto-provider.js'
import { NullCryptoProvider } from '../security/null-provider.js'
import { derivedRng } from './mix.js'
import { deterministicRsaKey } from './rsa-keys.js'

/** 'rsa': real RSA-1024. 'keyed-hash': same lengths, a thousand times cheaper. */
export type SimCryptoKind = 'rsa' | 'keyed-hash'

/** A key pair of a simulation, and the names that it may publish. */
export interface SimIdentity {
  readonly keyId: string
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  /** SHA-1 of the public key, 20 bytes. */
  readonly authority: Uint8Array
  /** The secure name `authority.classifier`. */
  peerName(classifier: string): string
}

class Identity implements SimIdentity {
  readonly keyId: string
  readonly publicKey: Uint8Array
  readonly authority: Uint8Array

  constructor(keyId: string, publicKey: Uint8Array) {
    this.keyId = keyId
    this.publicKey = publicKey
    this.authority = authorityOfKey(publicKey)
  }

  peerName(classifier: string): string {
    return `${toHex(this.authority)}.${classifier}`
  }
}

interface RsaPair {
  readonly publicKey: Uint8Array
  readonly privateKey: RsaKey
}

/** The RSA keys of simulations do not depend on the seed, so a process makes each only once. */
const rsaPairs: RsaPair[] = []

function rsaPair(index: number): RsaPair {
  const known = rsaPairs[index]
  if (known !== undefined) return known
  const key = deterministicRsaKey(derivedRng(0x5ed0, 'rsa key', index))
  const privateKey = rsaPrivateKey(key.export({ type: 'pkcs1', format: 'der' }))
  if (privateKey === undefined) throw new PeernetError('ERR_PEERNET_NATIVE', 'RSA key refused')
  const publicKey = createPublicKey(key).export({ type: 'pkcs1', format: 'der' })
  const pair = { publicKey: Uint8Array.from(publicKey), privateKey }
  rsaPairs[index] = pair
  return pair
}

/** The key pairs that the nodes of a simulation share, and the port that signs with them. */
export class KeyPool {
  readonly port: CryptoPort
  readonly #size: number
  readonly #make: (index: number) => Identity
  readonly #identities: Identity[] = []
  readonly #byAuthority = new Map<string, Identity>()

  constructor(kind: SimCryptoKind, size: number) {
    checkArgument(Number.isInteger(size) && size > 0, 'a simulation has at least one key')
    this.#size = size
    if (kind === 'rsa') {
      const provider = new CryptoProvider({ mode: 'inline' })
      this.port = provider
      this.#make = (index) => {
        const { publicKey, privateKey } = rsaPair(index)
        const keyId = `key ${index}`
        provider.hold({ keyId, publicKey, privateKey })
        return new Identity(keyId, publicKey)
      }
    } else {
      const provider = new NullCryptoProvider(Buffer.from('peernet simulation', 'ascii'))
      this.port = provider
      this.#make = (index) => {
        const { keyId, publicKey } = provider.key(index)
        return new Identity(keyId, publicKey)
      }
    }
  }

  /** Identity number `index`, counted round. */
  identity(index: number): SimIdentity {
    const number = ((index % this.#size) + this.#size) % this.#size
    let identity = this.#identities[number]
    if (identity === undefined) {
      identity = this.#make(number)
      this.#identities[number] = identity
      this.#byAuthority.set(bytesKey(identity.authority), identity)
    }
    return identity
  }

  /**
   * Throws ERR_PEERNET_IDENTITY_NOT_FOUND when none of the pool's identities used so far has it.
   */
  byAuthority(authority: Uint8Array): SimIdentity {
    const identity = this.#byAuthority.get(bytesKey(authority))
    if (identity !== undefined) return identity
    throw new PeernetError('ERR_PEERNET_IDENTITY_NOT_FOUND', 'no identity has this authority')
  }
}
