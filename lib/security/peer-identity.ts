import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { rsaPrivateKey, rsaSign, type RsaKey } from '../native/rsa.js'
import { authorityOfKey, authorityText } from '../pnrp/peer-name.js'
import type { SigningKey } from './crypto-provider.js'
import { Delegation, type CertificateIssuer, type DelegateOptions } from './delegation.js'
import { openKey, sealKey, wrongPassword } from './key-file.js'
import { readPem, writePem, type PemFile } from './pem.js'
import { PeerName } from './peer-name.js'
import { bindSigner } from './signer-binding.js'

/** What others may know of an identity, and need in order to delegate to it. */
export interface IdentityInfo {
  readonly authority: string
  readonly friendlyName: string
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
}

const PLAIN = 'PRIVATE KEY'
const SEALED = 'ENCRYPTED PRIVATE KEY'
const PUBLIC = 'PUBLIC KEY'

const generate = promisify(generateKeyPair)

/**
 * An RSA key pair that owns secure peer names: only its holder can publish a name with its
 * authority (MS-PNRP 1.3.1.1). Lives in memory; a `KeyStore` keeps it.
 *
 * The wire format fixes RSA with 1024 bits and SHA-1. Take it for a proof of "same publisher as
 * before", not for modern authentication.
 */
export class PeerIdentity implements CertificateIssuer {
  /** For people; 0..255 characters. */
  readonly friendlyName: string
  /** 40 lower-case hex digits: SHA-1 of the public key. */
  readonly authority: string
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  /** DER PrivateKeyInfo. */
  readonly #privateKeyInfo: Uint8Array
  readonly #key: RsaKey

  private constructor(privateKeyInfo: Uint8Array, friendlyName: string) {
    checkArgument(
      friendlyName.length <= LIMITS.certificateNameUnits && !friendlyName.includes('\0'),
      `a friendly name has at most ${LIMITS.certificateNameUnits} characters and no NUL`,
    )
    const keys = loadKeys(privateKeyInfo)
    if (keys === undefined) throw corrupt('it holds no RSA key of 1024 bits with exponent 65537')
    this.#privateKeyInfo = privateKeyInfo
    this.#key = keys.key
    this.publicKey = keys.publicKey
    this.authority = authorityText(authorityOfKey(keys.publicKey))
    this.friendlyName = friendlyName
  }

  /** A new key pair. */
  static async create(options: { readonly friendlyName?: string } = {}): Promise<PeerIdentity> {
    const { privateKey } = await generate('rsa', { modulusLength: 1024, publicExponent: 0x10001 })
    const info = privateKey.export({ type: 'pkcs8', format: 'der' })
    return new PeerIdentity(new Uint8Array(info), options.friendlyName ?? '')
  }

  /**
   * An identity that `export` or a key store wrote. Throws ERR_PEERNET_IDENTITY_CORRUPT, and
   * ERR_PEERNET_WRONG_PASSWORD also when a password is needed and none is given.
   */
  static async import(text: string, password?: string): Promise<PeerIdentity> {
    const file = readPem(text)
    if (file === undefined) throw corrupt('it is no PEM file')
    const friendlyName = friendlyNameIn(file)
    const info = await privateKeyIn(file, password)
    const sealed = file.label === SEALED
    const identity = load(info, friendlyName, sealed)
    const expected = file.headers.get('Authority')
    if (expected === undefined || expected === identity.authority) return identity
    throw corrupt(`its key makes the authority ${identity.authority}, its header says ${expected}`)
  }

  /** What an identity file says without being opened; undefined when it is none. */
  static describe(
    text: string,
  ): { authority: string; friendlyName: string; encrypted: boolean } | undefined {
    const file = readPem(text)
    if (file === undefined || (file.label !== PLAIN && file.label !== SEALED)) return undefined
    const authority = file.headers.get('Authority')
    if (authority === undefined) return undefined
    return { authority, friendlyName: friendlyNameIn(file), encrypted: file.label === SEALED }
  }

  /** The public half that `publicText` wrote. Throws ERR_PEERNET_INVALID_ARG. */
  static readPublic(text: string): IdentityInfo {
    const file = readPem(text)
    const publicKey = file?.label === PUBLIC ? publicKeyOf(file.bytes) : undefined
    checkArgument(
      file !== undefined && publicKey?.length === 140,
      'not the public key of an identity (RSA with 1024 bits, PEM)',
    )
    const authority = authorityText(authorityOfKey(publicKey))
    return { authority, friendlyName: friendlyNameIn(file), publicKey }
  }

  get info(): IdentityInfo {
    const { authority, friendlyName, publicKey } = this
    return { authority, friendlyName, publicKey }
  }

  /** For a `CryptoProvider`. */
  get signingKey(): SigningKey {
    return { keyId: this.authority, publicKey: this.publicKey, privateKey: this.#key }
  }

  /** A name that this identity may publish; `cloud.register` then finds the key by itself. */
  peerName(classifier = ''): PeerName {
    return bindSigner(PeerName.of(this.authority, classifier), this)
  }

  /** RSASSA-PKCS1-v1_5 with SHA-1 over `data`, 128 bytes. */
  sign(data: Uint8Array): Uint8Array {
    const signature = rsaSign(this.#key, data)
    if (signature === undefined) throw new PeernetError('ERR_PEERNET_NATIVE', 'signing failed')
    return signature.slice()
  }

  /** Lets another identity publish names of this one. */
  delegate(options: DelegateOptions): Delegation {
    return Delegation.create(this, options)
  }

  /**
   * The identity as text, the private key encrypted with the password; without a password the text
   * is the key itself.
   */
  async export(password?: string): Promise<string> {
    const headers = {
      Authority: this.authority,
      'Friendly-Name': JSON.stringify(this.friendlyName),
    }
    return password === undefined
      ? writePem(PLAIN, headers, this.#privateKeyInfo)
      : writePem(SEALED, headers, await sealKey(this.#privateKeyInfo, password))
  }

  /** The public half as text, for whoever shall delegate to this identity. */
  publicText(): string {
    const headers = {
      Authority: this.authority,
      'Friendly-Name': JSON.stringify(this.friendlyName),
    }
    const key = createPublicKey({ key: Buffer.from(this.publicKey), format: 'der', type: 'pkcs1' })
    return writePem(PUBLIC, headers, key.export({ type: 'spki', format: 'der' }))
  }

  /** Public facts only. */
  toJSON(): { authority: string; friendlyName: string } {
    return { authority: this.authority, friendlyName: this.friendlyName }
  }

  /** @internal */
  static fromPrivateKeyInfo(info: Uint8Array, friendlyName: string): PeerIdentity {
    return new PeerIdentity(info, friendlyName)
  }
}

function load(info: Uint8Array, friendlyName: string, sealed: boolean): PeerIdentity {
  try {
    return PeerIdentity.fromPrivateKeyInfo(info, friendlyName)
  } catch (error) {
    // One wrong password in 256 leaves a padding that looks right.
    throw sealed ? wrongPassword(error) : error
  }
}

function loadKeys(info: Uint8Array): { key: RsaKey; publicKey: Uint8Array } | undefined {
  try {
    const parsed = createPrivateKey({ key: Buffer.from(info), format: 'der', type: 'pkcs8' })
    if (parsed.asymmetricKeyType !== 'rsa') return undefined
    const key = rsaPrivateKey(parsed.export({ type: 'pkcs1', format: 'der' }))
    const publicKey = createPublicKey(parsed).export({ type: 'pkcs1', format: 'der' })
    return key === undefined ? undefined : { key, publicKey: new Uint8Array(publicKey) }
  } catch {
    return undefined
  }
}

function publicKeyOf(spki: Uint8Array): Uint8Array | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    return new Uint8Array(key.export({ type: 'pkcs1', format: 'der' }))
  } catch {
    return undefined
  }
}

async function privateKeyIn(file: PemFile, password: string | undefined): Promise<Uint8Array> {
  if (file.label === PLAIN) return file.bytes
  if (file.label !== SEALED) throw corrupt(`it holds a ${file.label.toLowerCase()}`)
  if (password === undefined) {
    throw new PeernetError('ERR_PEERNET_WRONG_PASSWORD', 'this identity needs its password')
  }
  return openKey(file.bytes, password)
}

function friendlyNameIn(file: PemFile): string {
  const header = file.headers.get('Friendly-Name')
  if (header === undefined) return ''
  try {
    const name: unknown = JSON.parse(header)
    return typeof name === 'string' ? name : ''
  } catch {
    return ''
  }
}

function corrupt(why: string): PeernetError {
  return new PeernetError('ERR_PEERNET_IDENTITY_CORRUPT', `the identity is damaged: ${why}`)
}
