import { equalBytes } from '../core/bytes.js'
import { rsaPublicKey, rsaVerify, SignatureOrder } from '../native/rsa.js'
import type { ChainCheck, ChainRefusal, VerifyItem } from '../pnrp/crypto-port.js'
import { authorityOfKey, isClassifier, parsePeerName } from '../pnrp/peer-name.js'
import { CERTIFICATE_VERSION, CertificateType, type Certificate } from './certificate.js'
import { readChain } from './certificate-chain.js'
import { orderChain } from './chain-order.js'
import {
  effectiveRole,
  grantedList,
  isListDelegated,
  knownRoles,
  mayPublish,
} from './delegation-rules.js'

/** A signature to verify before the chain may be trusted, and what its failure means. */
export interface ChainSignature extends VerifyItem {
  readonly refusal: ChainRefusal
}

export type ChainVerdict =
  | { readonly ok: true; readonly signatures: readonly ChainSignature[] }
  | { readonly ok: false; readonly reason: ChainRefusal }

type Chain = readonly Certificate[]

/**
 * Validates a certificate chain but for its signatures, which the caller has to verify
 * (MS-PNRP 3.1.5.10 with N-46 to N-49, N-70). The first check that fails gives the reason.
 */
export function checkChain(check: ChainCheck): ChainVerdict {
  const certificates = readChain(check.chain)
  if (typeof certificates === 'string') return { ok: false, reason: certificates }
  const chain = orderChain(certificates, check.cpaPublicKey)
  if (chain === undefined) return { ok: false, reason: 'chain-order' }
  for (const [reason, holds] of CHECKS) if (!holds(chain, check)) return { ok: false, reason }
  return { ok: true, signatures: signaturesOf(chain) }
}

/** In the order of the specification. Its first step is the reader's and the first four's. */
const CHECKS: readonly (readonly [ChainRefusal, (chain: Chain, check: ChainCheck) => boolean])[] = [
  ['chain-critical-extension', (chain) => chain.every((c) => c.unknownCritical === undefined)],
  ['chain-version', (chain) => chain.every(hasVersion)],
  ['chain-member-type', (chain) => members(chain).every((c) => c.type === CertificateType.MEMBER)],
  ['chain-role', (chain) => members(chain).every((c) => knownRoles(c) !== undefined)],
  ['chain-alt-name', (chain) => everyPair(chain, altNamesLink)],
  ['chain-validity', (chain, { wallMs }) => chain.every((c) => isValidAt(c, wallMs))],
  ['chain-classifier-syntax', (chain) => chain.every((c) => grantedList(c).every(isClassifier))],
  ['chain-classifier-delegation', (chain) => everyPair(chain, listIsDelegated)],
  ['chain-root-not-self-signed', (chain) => first(chain).issuer === first(chain).subject],
  ['chain-root-type', (chain) => first(chain).type === CertificateType.ROOT],
  [
    'chain-root-key',
    (chain, { binaryAuthority }) =>
      equalBytes(authorityOfKey(first(chain).publicKey), binaryAuthority),
  ],
  ['chain-leaf-key', (chain, { cpaPublicKey }) => equalBytes(last(chain).publicKey, cpaPublicKey)],
  ['chain-peer-name', samePeerName],
  [
    'chain-classifier-not-delegated',
    (chain, { classifier }) => mayPublish(last(chain), classifier),
  ],
]

const first = (chain: Chain): Certificate => chain[0] as Certificate
const last = (chain: Chain): Certificate => chain[chain.length - 1] as Certificate
const members = (chain: Chain): Chain => chain.slice(1)

function everyPair(chain: Chain, holds: (parent: Certificate, child: Certificate) => boolean) {
  return members(chain).every((child, i) => holds(chain[i] as Certificate, child))
}

function hasVersion({ version }: Certificate): boolean {
  return version !== undefined && equalBytes(version, CERTIFICATE_VERSION)
}

function altNamesLink(parent: Certificate, child: Certificate): boolean {
  return child.issuerAltName !== undefined && child.issuerAltName === parent.subjectAltName
}

function isValidAt({ notBefore, notAfter }: Certificate, wallMs: number): boolean {
  return notBefore <= wallMs && wallMs <= notAfter
}

function listIsDelegated(parent: Certificate, child: Certificate): boolean {
  if (child.classifiers === undefined) return false
  return isListDelegated(child.classifiers, effectiveRole(child), grantedList(parent))
}

/** N-46: the first certificate has to carry the name too. */
function samePeerName(chain: Chain): boolean {
  const { peerName } = last(chain)
  if (peerName === undefined || parsePeerName(peerName) === undefined) return false
  return peerName === first(chain).peerName
}

/** N-46: each certificate is signed with the key of the one before it, the first with its own. */
function signaturesOf(chain: Chain): ChainSignature[] {
  return chain.map((certificate, i) => ({
    publicKey: (chain[i - 1] ?? certificate).publicKey,
    data: certificate.signed,
    signature: certificate.signature,
    refusal: i === 0 ? 'chain-root-not-self-signed' : 'chain-signature',
  }))
}

/** Validates a chain, signatures included, at once: for chains that a caller hands in. */
export function chainRefusal(check: ChainCheck): ChainRefusal | undefined {
  const verdict = checkChain(check)
  if (!verdict.ok) return verdict.reason
  for (const { publicKey, data, signature, refusal } of verdict.signatures) {
    const key = rsaPublicKey(publicKey)
    // X.509 knows one byte order only.
    if (key === undefined || rsaVerify(key, data, signature) !== SignatureOrder.SPEC) return refusal
  }
  return undefined
}
