import { randomBytes } from 'node:crypto'
import { equalBytes } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { authorityOfKey, authorityText, formatPeerName, isClassifier } from '../pnrp/peer-name.js'
import { WireLength, WireLimit } from '../wire/constants.js'
import { CertificateType, type Certificate } from './certificate.js'
import { readChain, writeChain } from './certificate-chain.js'
import {
  serialFrom,
  writeCertificate,
  writeTbsCertificate,
  type CertificateFields,
} from './certificate-writer.js'
import { orderChain } from './chain-order.js'
import { chainRefusal } from './chain-validation.js'
import { effectiveRole, grantedList, isListDelegated, mayPublish } from './delegation-rules.js'
import { readPem, writePem } from './pem.js'
import type { Role } from './roles.js'

/** Whoever signs a certificate: a `PeerIdentity`, or a key of the keyed-hash provider. */
export interface CertificateIssuer {
  readonly friendlyName: string
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  /** RSASSA-PKCS1-v1_5 with SHA-1, 128 bytes in RFC 8017 order. */
  sign(data: Uint8Array): Uint8Array
}

/** What a chain says of the one it ends with. */
export type Delegate = Pick<CertificateIssuer, 'friendlyName' | 'publicKey'>

export interface DelegateOptions {
  readonly to: Delegate
  /**
   * What the delegate may publish; an empty list stands for every classifier. With the roles
   * 'admin' and 'inviting-member' an entry also stands for everything that begins with it.
   */
  readonly classifiers: readonly string[]
  /** Default 'member': the classifiers listed and no others. */
  readonly role?: Role
  /** Default: five minutes ago, for clocks that differ. */
  readonly notBefore?: Date
  /** Default: in a year, but not beyond the delegation that this one hangs on. */
  readonly notAfter?: Date
}

const LABEL = 'PKCS7'
const CLOCK_DIFFERENCE_MS = 5 * 60_000
const YEAR_MS = 365 * 86_400_000
/** The last time that a GeneralizedTime can tell. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59)

/**
 * The right to publish names of another identity: a certificate chain from that identity to the
 * delegate (MS-PNRP 1.3.2, 2.2.3.5). Immutable.
 */
export class Delegation {
  /** PKCS #7, as it goes into CERT_CHAIN. */
  readonly chain: Uint8Array
  readonly #root: Certificate
  readonly #leaf: Certificate
  readonly #certificates: readonly Certificate[]

  private constructor(chain: Uint8Array, certificates: readonly Certificate[]) {
    this.chain = chain
    this.#certificates = certificates
    this.#root = certificates[0] as Certificate
    this.#leaf = certificates.at(-1) as Certificate
  }

  /** The first certificates of a chain: the issuer's own, and the delegate's. */
  static create(issuer: CertificateIssuer, options: DelegateOptions): Delegation {
    const { notBefore, notAfter } = validityOf(options)
    const root: CertificateFields = {
      serial: serialFrom(randomBytes(LIMITS.serialBytes)),
      subject: checkFriendlyName(issuer.friendlyName),
      issuer: issuer.friendlyName,
      subjectAltName: ownName(issuer.publicKey),
      issuerAltName: ownName(issuer.publicKey),
      notBefore,
      notAfter,
      publicKey: issuer.publicKey,
      type: 'root',
      peerName: ownName(issuer.publicKey),
    }
    const certificate = issue(issuer, root)
    const [parent] = readChain(writeChain([certificate])) as readonly Certificate[]
    return Delegation.#append([parent as Certificate], issuer, options)
  }

  /**
   * A chain that somebody handed over, as `text()` or PKCS #7 bytes. Everything in it is checked.
   * Throws ERR_PEERNET_CERTIFICATE, the refusal in its message.
   */
  static read(chain: string | Uint8Array, now: Date = new Date()): Delegation {
    const bytes = typeof chain === 'string' ? chainOfText(chain) : chain
    const found = readChain(bytes)
    if (typeof found === 'string') throw refused(found)
    const root = found.find(({ type }) => type === CertificateType.ROOT)
    const leaf = leafOf(found)
    const refusal = chainRefusal({
      chain: bytes,
      cpaPublicKey: leaf.publicKey,
      binaryAuthority: authorityOfKey((root ?? leaf).publicKey),
      classifier: grantedList(leaf)[0] ?? '',
      wallMs: now.getTime(),
    })
    if (refusal !== undefined) throw refused(refusal)
    return new Delegation(bytes, orderChain(found, leaf.publicKey) as readonly Certificate[])
  }

  /** Authority of the names that may be published: that of the first identity. */
  get authority(): string {
    return authorityText(authorityOfKey(this.#root.publicKey))
  }

  /** Whose name it is. */
  get owner(): string {
    return this.#root.subject
  }

  /** Who may publish; its key has to sign. */
  get delegate(): Delegate {
    return { friendlyName: this.#leaf.subject, publicKey: this.#leaf.publicKey }
  }

  /** Empty: every classifier. */
  get classifiers(): readonly string[] {
    return grantedList(this.#leaf)
  }

  get role(): Role {
    return effectiveRole(this.#leaf)
  }

  /** The time in which every certificate of the chain is valid. */
  get notBefore(): Date {
    return new Date(Math.max(...this.#certificates.map((one) => one.notBefore)))
  }

  get notAfter(): Date {
    return new Date(Math.min(...this.#certificates.map((one) => one.notAfter)))
  }

  /** Number of certificates, 2..25. */
  get length(): number {
    return this.#certificates.length
  }

  /** May the delegate publish this classifier? */
  permits(classifier: string): boolean {
    return mayPublish(this.#leaf, classifier)
  }

  /**
   * Hands (part of) the right on. `issuer` is the present delegate. Throws
   * ERR_PEERNET_NOT_AUTHORIZED for what the delegate may not hand on itself.
   */
  extend(issuer: CertificateIssuer, options: DelegateOptions): Delegation {
    if (!equalBytes(issuer.publicKey, this.#leaf.publicKey)) {
      throw new PeernetError(
        'ERR_PEERNET_NOT_AUTHORIZED',
        `this delegation belongs to ${ownName(this.#leaf.publicKey)}, not to ` +
          ownName(issuer.publicKey),
      )
    }
    return Delegation.#append(this.#certificates, issuer, options)
  }

  /** For a file or a message: headers for people and a PEM block. */
  text(): string {
    const headers = {
      Owner: `${JSON.stringify(this.owner)} ${this.authority}`,
      Delegate: `${JSON.stringify(this.#leaf.subject)} ${ownAuthority(this.#leaf.publicKey)}`,
      Role: this.role,
      Classifiers: this.classifiers.length === 0 ? 'all' : JSON.stringify(this.classifiers),
      Valid: `${this.notBefore.toISOString()} to ${this.notAfter.toISOString()}`,
    }
    return writePem(LABEL, headers, this.chain)
  }

  static #append(
    certificates: readonly Certificate[],
    issuer: CertificateIssuer,
    options: DelegateOptions,
  ): Delegation {
    const parent = certificates.at(-1) as Certificate
    const fields = memberFields(parent, certificates[0] as Certificate, options)
    const chain = writeChain([...certificates.map(({ bytes }) => bytes), issue(issuer, fields)])
    if (
      certificates.length >= WireLimit.CERTIFICATES ||
      chain.length > LIMITS.certificateChainBytes
    ) {
      throw new PeernetError(
        'ERR_PEERNET_LIMIT',
        `a chain has at most ${WireLimit.CERTIFICATES} certificates and ` +
          `${LIMITS.certificateChainBytes} bytes`,
      )
    }
    return new Delegation(chain, readChain(chain) as readonly Certificate[])
  }
}

function memberFields(
  parent: Certificate,
  root: Certificate,
  options: DelegateOptions,
): CertificateFields {
  const { to, role = 'member' } = options
  const classifiers = options.classifiers.map((one) => one.normalize('NFC'))
  const { notBefore, notAfter } = validityOf(options, parent)
  checkArgument(to.publicKey.length === WireLength.PUBLIC_KEY_DATA, 'not the key of an identity')
  checkArgument(classifiers.every(isClassifier), 'a classifier has 0 to 149 units and no NUL')
  if (!isListDelegated(classifiers, role, grantedList(parent))) {
    throw new PeernetError(
      'ERR_PEERNET_NOT_AUTHORIZED',
      `only ${JSON.stringify(grantedList(parent))} can be handed on, under the role ${role}`,
    )
  }
  return {
    serial: serialFrom(randomBytes(LIMITS.serialBytes)),
    subject: checkFriendlyName(to.friendlyName),
    issuer: parent.subject,
    subjectAltName: ownName(to.publicKey),
    issuerAltName: parent.subjectAltName as string,
    notBefore,
    notAfter,
    publicKey: to.publicKey,
    type: 'member',
    peerName: root.peerName as string,
    role,
    classifiers,
  }
}

function issue(issuer: CertificateIssuer, fields: CertificateFields): Uint8Array {
  const tbs = writeTbsCertificate(fields)
  return writeCertificate(tbs, issuer.sign(tbs))
}

function validityOf(
  options: Pick<DelegateOptions, 'notBefore' | 'notAfter'>,
  parent?: Certificate,
): { notBefore: number; notAfter: number } {
  const now = Date.now()
  const latest = parent?.notAfter ?? MAX_TIME_MS
  const notBefore = wholeSeconds(options.notBefore?.getTime() ?? now - CLOCK_DIFFERENCE_MS)
  const notAfter = wholeSeconds(options.notAfter?.getTime() ?? Math.min(now + YEAR_MS, latest))
  checkArgument(notBefore >= 0 && notBefore < notAfter, 'notBefore has to come before notAfter')
  checkArgument(notAfter <= latest, `notAfter is ${new Date(latest).toISOString()} at the latest`)
  return { notBefore, notAfter }
}

/** Certificates know no smaller unit. */
function wholeSeconds(wallMs: number): number {
  return Math.floor(wallMs / 1000) * 1000
}

function checkFriendlyName(name: string): string {
  checkArgument(
    name.length <= LIMITS.certificateNameUnits && !name.includes('\0'),
    `a friendly name has at most ${LIMITS.certificateNameUnits} characters and no NUL`,
  )
  return name
}

/** The peer name that an identity calls itself in certificates: its authority, no classifier. */
function ownName(publicKey: Uint8Array): string {
  return formatPeerName({ authority: authorityOfKey(publicKey), classifier: '' })
}

function ownAuthority(publicKey: Uint8Array): string {
  return authorityText(authorityOfKey(publicKey))
}

function chainOfText(text: string): Uint8Array {
  const pem = readPem(text)
  if (pem?.label !== LABEL) throw refused('chain-malformed')
  return pem.bytes
}

/** The certificate that no other one hangs on. */
function leafOf(certificates: readonly Certificate[]): Certificate {
  const parents = new Set(certificates.map(({ issuerAltName }) => issuerAltName))
  const ends = certificates.filter(({ subjectAltName }) => !parents.has(subjectAltName))
  return ends.at(-1) ?? (certificates.at(-1) as Certificate)
}

function refused(reason: string): PeernetError {
  return new PeernetError('ERR_PEERNET_CERTIFICATE', `the certificate chain is refused: ${reason}`)
}
