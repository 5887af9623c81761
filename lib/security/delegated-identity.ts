import { equalBytes } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import type { SigningKey } from './crypto-provider.js'
import type { Delegation, DelegateOptions } from './delegation.js'
import type { PeerIdentity } from './peer-identity.js'
import { PeerName } from './peer-name.js'
import { bindSigner } from './signer-binding.js'

/** An identity together with the right to publish names of another one. */
export class DelegatedIdentity {
  readonly identity: PeerIdentity
  readonly delegation: Delegation

  /** Throws ERR_PEERNET_NOT_AUTHORIZED when the delegation belongs to another identity. */
  constructor(identity: PeerIdentity, delegation: Delegation) {
    if (!equalBytes(identity.publicKey, delegation.delegate.publicKey)) {
      throw new PeernetError(
        'ERR_PEERNET_NOT_AUTHORIZED',
        `the delegation does not belong to the identity ${identity.authority}`,
      )
    }
    this.identity = identity
    this.delegation = delegation
  }

  /** Authority of the names: the owner's, not that of the key that signs. */
  get authority(): string {
    return this.delegation.authority
  }

  get signingKey(): SigningKey {
    return this.identity.signingKey
  }

  /** A name of the owner. Throws ERR_PEERNET_NOT_AUTHORIZED for one outside the delegation. */
  peerName(classifier = ''): PeerName {
    const name = PeerName.of(this.authority, classifier)
    this.check(name.classifier)
    return bindSigner(name, this)
  }

  /** Throws ERR_PEERNET_NOT_AUTHORIZED when the delegation does not reach so far. */
  check(classifier: string): void {
    if (this.delegation.permits(classifier)) return
    throw new PeernetError(
      'ERR_PEERNET_NOT_AUTHORIZED',
      `the delegation is for ${JSON.stringify(this.delegation.classifiers)}, ` +
        `not for ${JSON.stringify(classifier)}`,
    )
  }

  /** Hands (part of) the right on. */
  delegate(options: DelegateOptions): Delegation {
    return this.delegation.extend(this.identity, options)
  }
}
