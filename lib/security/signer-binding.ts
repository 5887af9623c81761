import type { DelegatedIdentity } from './delegated-identity.js'
import type { PeerIdentity } from './peer-identity.js'
import type { PeerName } from './peer-name.js'

/** Who publishes a name: its owner, or a delegate with the owner's chain. */
export type Signer = PeerIdentity | DelegatedIdentity

const signers = new WeakMap<object, Signer>()

/** Remembers who made a name, so that registering it needs no further argument. */
export function bindSigner(name: PeerName, signer: Signer): PeerName {
  signers.set(name, signer)
  return name
}

/** Who made this very object, by `identity.peerName(…)`. */
export function boundSigner(name: object): Signer | undefined {
  return signers.get(name)
}
