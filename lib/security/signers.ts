import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { checkArgument, PeernetError } from '../core/errors.js'
import { rsaPrivateKey, type RsaKey } from '../native/rsa.js'
import type { RegistrationSpec } from '../pnrp/interface.js'
import { authorityBytes } from '../pnrp/peer-name.js'
import type { SigningKey } from './crypto-provider.js'
import { DelegatedIdentity } from './delegated-identity.js'
import { PeerIdentity } from './peer-identity.js'
import { boundSigner, type Signer } from './signer-binding.js'

/** PEER_E_IDENTITY_NOT_FOUND. */
const IDENTITY_NOT_FOUND = 0x80630501

/** What a name's signer contributes to its registration, and the key for the crypto provider. */
export interface NameSigner {
  readonly spec: Pick<RegistrationSpec, 'authority' | 'keyId' | 'publicKey' | 'certificateChain'>
  readonly key: SigningKey
}

/**
 * Who signs for a name (MS-PNRP 3.2.4.1): `explicit` (a `PeerIdentity` or `DelegatedIdentity`) if
 * given, else the identity that made the name object, else, for unsecured names, `throwaway`.
 * Throws ERR_PEERNET_IDENTITY_NOT_FOUND, ERR_PEERNET_NOT_AUTHORIZED, ERR_PEERNET_INVALID_ARG.
 */
export function signerOf(
  name: { readonly authority: string; readonly classifier: string },
  explicit: unknown,
  throwaway: SigningKey,
): NameSigner {
  const signer = toSigner(explicit) ?? boundSigner(name)
  const authority = authorityBytes(name.authority)
  // An unsecured name may be signed by anybody; its CPA names no authority (2.2.3.1).
  if (authority === undefined) return withKey(signer?.signingKey ?? throwaway, {})
  if (signer === undefined) throw notFound(name.authority)
  if (signer.authority !== name.authority) {
    throw new PeernetError(
      'ERR_PEERNET_NOT_AUTHORIZED',
      `the identity ${signer.authority} cannot publish names of ${name.authority}`,
    )
  }
  return withKey(signer.signingKey, { authority, ...chainOf(signer, name.classifier) })
}

function withKey(
  key: SigningKey,
  more: Pick<RegistrationSpec, 'authority' | 'certificateChain'>,
): NameSigner {
  return { key, spec: { keyId: key.keyId, publicKey: key.publicKey, ...more } }
}

function chainOf(signer: Signer, classifier: string): { certificateChain?: Uint8Array } {
  if (!(signer instanceof DelegatedIdentity)) return {}
  signer.check(classifier)
  return { certificateChain: signer.delegation.chain }
}

function toSigner(explicit: unknown): Signer | undefined {
  if (explicit === undefined) return undefined
  checkArgument(
    explicit instanceof PeerIdentity || explicit instanceof DelegatedIdentity,
    'identity is a PeerIdentity or a DelegatedIdentity',
  )
  return explicit
}

function notFound(authority: string): PeernetError {
  return new PeernetError(
    'ERR_PEERNET_IDENTITY_NOT_FOUND',
    `names of ${authority} need the identity that owns them: make the name with ` +
      "identity.peerName('…'), or give { identity }",
    { hresult: IDENTITY_NOT_FOUND },
  )
}

let throwaway: Promise<SigningKey> | undefined

/** The key of this process for unsecured names without an identity; nobody keeps it. */
export function throwawayKey(): Promise<SigningKey> {
  throwaway ??= makeKey('throwaway')
  return throwaway
}

async function makeKey(keyId: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 1024,
    publicExponent: 0x10001,
  })
  return {
    keyId,
    publicKey: new Uint8Array(publicKey.export({ type: 'pkcs1', format: 'der' })),
    privateKey: rsaPrivateKey(privateKey.export({ type: 'pkcs1', format: 'der' })) as RsaKey,
  }
}
