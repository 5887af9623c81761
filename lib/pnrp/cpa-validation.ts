import { equalBytes } from '../core/bytes.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import type { Mutable } from '../core/mutable.js'
import { sha1 } from '../native/digest.js'
import { resultCopy } from '../native/result-block.js'
import { decodeCpa, decodeExtendedPayload } from '../wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  PnrpId,
  RouteEntry,
} from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { authorityOf, cpaIdentityFor, type CpaIdentity } from './cpa-identity.js'
import type { CryptoResult, VerifyItem, VerifyJob } from './crypto-port.js'
import type { CpaRefusal, ResolvedPeer } from './interface.js'
import { CLASSIFIER_ENCODINGS, classifierHash, type ClassifierEncoding } from './pnrp-id.js'
import { keepEntry } from './route-entry.js'

/** What was asked, and so what the answer has to prove. */
export interface CpaQuestion {
  /** Validate PNRP ID of the INQUIRE. */
  readonly pnrpId: PnrpId
  /** Its nonce. */
  readonly nonce: Uint8Array
  /** Was X set (N-61)? */
  readonly wantedPayload: boolean
  /** Where the answer came from: it has to be one of the CPA's service addresses. */
  readonly answeredBy: Endpoint
  /** The name looked for, when it is known. */
  readonly name?: { readonly authority?: Uint8Array; readonly classifier: string } | undefined
}

export type CpaVerdict =
  | {
      readonly ok: true
      readonly peer: ResolvedPeer
      /** SHA-1 of the CPA's public key (N-28). */
      readonly keyHash: Uint8Array
      /** The publisher's own entry, when it sent one (N-09). */
      readonly routeEntry: RouteEntry | undefined
    }
  | { readonly ok: false; readonly reason: CpaRefusal }

/** A CPA that passed every check but those of the crypto port. */
interface Candidate {
  readonly cpa: CertifiedPeerAddress
  readonly identity: CpaIdentity
  readonly keyHash: Uint8Array
  readonly items: readonly VerifyItem[]
  readonly payload: ExtendedPayload | undefined
  readonly classifier: string | undefined
  readonly encoding: ClassifierEncoding | undefined
  readonly chain: Uint8Array | undefined
  readonly routeEntry: RouteEntry | undefined
}

/**
 * Validates the answer to an INQUIRE by MS-PNRP 3.1.5.7 to 3.1.5.10, cheap checks first, the
 * signatures (and the chain) by the crypto port last. `done` runs now, or inside a later handler.
 */
export function validateCpa(
  context: CloudContext,
  buffer: AuthorityBuffer,
  question: CpaQuestion,
  done: (verdict: CpaVerdict) => void,
): void {
  const candidate = examine(context, buffer, question)
  if (typeof candidate === 'string') {
    context.counters.add(`refused.cpa.${candidate}`)
    done({ ok: false, reason: candidate })
    return
  }
  context.crypto(verifyJob(context, candidate), (result) => {
    done(conclude(context, candidate, result))
  })
}

/** Everything that needs no key. The reason of the first check that fails, in the text's order. */
function examine(
  context: CloudContext,
  buffer: AuthorityBuffer,
  question: CpaQuestion,
): Candidate | CpaRefusal {
  if (buffer.notFound) return 'not-registered'
  if (buffer.cpa === undefined) return 'no-cpa'
  // The buffer is a view into the datagram, and the signatures may be checked later.
  const bytes = resultCopy(buffer.cpa)
  const decoded = decodeCpa(bytes)
  if (!decoded.ok) return 'cpa-malformed'
  const { cpa, signedLength } = decoded
  if (cpa.revoke) return 'cpa-revoked'
  const keyHash = sha1(cpa.publicKey)
  const identity = cpaIdentityFor(cpa, question.pnrpId)
  const authority = checkAuthority(cpa, identity, buffer, keyHash)
  if (authority !== undefined) return authority
  const { publicKey } = cpa
  const items: VerifyItem[] = [
    { publicKey, data: bytes.subarray(0, signedLength), signature: cpa.signature },
  ]
  let payload: ExtendedPayload | undefined
  if (cpa.hasExtendedPayload && question.wantedPayload) {
    const examined = examinePayload(context, buffer.extendedPayload, question)
    if (typeof examined === 'string') return examined
    payload = examined.payload
    items.push({ publicKey, ...examined.item })
  }
  if (context.fileTime() > cpa.notAfter) return 'cpa-expired'
  if (!equalBytes(cpa.nonce, question.nonce)) return 'cpa-nonce'
  if (identity === undefined || !namesSameId(buffer.routeEntry, question.pnrpId)) {
    return 'cpa-pnrp-id'
  }
  const name = checkName(context, identity, buffer, question)
  if (name.refusal !== undefined) return name.refusal
  if (!cpa.serviceAddresses.some((endpoint) => sameEndpoint(endpoint, question.answeredBy))) {
    return 'cpa-addresses'
  }
  return {
    cpa,
    identity,
    keyHash,
    items,
    payload,
    classifier: buffer.classifier,
    encoding: name.encoding,
    chain: buffer.certificateChain?.slice(),
    routeEntry: buffer.routeEntry === undefined ? undefined : keepEntry(buffer.routeEntry),
  }
}

/** 3.1.5.7: a chain vouches for the key, or the authority is the key's hash. */
function checkAuthority(
  cpa: CertifiedPeerAddress,
  identity: CpaIdentity | undefined,
  buffer: AuthorityBuffer,
  keyHash: Uint8Array,
): CpaRefusal | undefined {
  const decoded = authorityOf(cpa)
  if (decoded === undefined) {
    return cpa.classifierHash === undefined ? 'cpa-authority-missing' : undefined
  }
  if (buffer.certificateChain !== undefined) return undefined
  const authority = identity?.binaryAuthority ?? decoded
  return equalBytes(authority, keyHash) ? undefined : 'cpa-authority'
}

/** N-09: the Route Entry may be missing; when it is there it has to be for the same ID. */
function namesSameId(entry: RouteEntry | undefined, pnrpId: PnrpId): boolean {
  return entry === undefined || equalBytes(entry.pnrpId, pnrpId)
}

interface NameCheck {
  readonly refusal?: CpaRefusal
  /** The encoding under which CLASSIFIER gives ClassifierHash. */
  readonly encoding?: ClassifierEncoding
}

/** CLASSIFIER has to be the text under ClassifierHash, and both have to be those of the name. */
function checkName(
  context: CloudContext,
  identity: CpaIdentity,
  { classifier, certificateChain }: AuthorityBuffer,
  question: CpaQuestion,
): NameCheck {
  const { name } = question
  const delegated = certificateChain !== undefined
  if (name !== undefined) {
    const same =
      name.authority === undefined
        ? identity.binaryAuthority === undefined
        : identity.binaryAuthority !== undefined &&
          equalBytes(name.authority, identity.binaryAuthority)
    if (!same) return { refusal: 'cpa-authority' }
    if (classifier !== undefined && classifier !== name.classifier) {
      return { refusal: 'cpa-classifier' }
    }
  }
  const hash = identity.classifierHash
  if (classifier === undefined) {
    // Without the text nobody can tell what the delegate was allowed (3.1.5.10).
    return delegated && hash !== undefined ? { refusal: 'cpa-classifier' } : {}
  }
  if (hash === undefined) return classifier === '' ? {} : { refusal: 'cpa-classifier' }
  const settled = context.dialect.classifierEncoding
  if (equalBytes(classifierHash(classifier, settled), hash)) return { encoding: settled }
  for (const encoding of CLASSIFIER_ENCODINGS) {
    if (equalBytes(classifierHash(classifier, encoding), hash)) return { encoding }
  }
  return { refusal: 'cpa-classifier' }
}

/** 3.1.5.8, without the signature. */
function examinePayload(
  context: CloudContext,
  received: Uint8Array | undefined,
  question: CpaQuestion,
): { payload: ExtendedPayload; item: { data: Uint8Array; signature: Uint8Array } } | CpaRefusal {
  if (received === undefined) return 'payload-missing'
  const bytes = received.slice()
  const decoded = decodeExtendedPayload(bytes)
  if (!decoded.ok) return 'payload-malformed'
  const { payload, signedLength } = decoded
  if (context.fileTime() > payload.notAfter) return 'payload-expired'
  if (!equalBytes(payload.pnrpId, question.pnrpId)) return 'payload-pnrp-id'
  if (!equalBytes(payload.nonce, question.nonce)) return 'payload-nonce'
  const item = { data: bytes.subarray(0, signedLength), signature: payload.signature }
  return { payload, item }
}

function verifyJob(context: CloudContext, candidate: Candidate): VerifyJob {
  const { chain, cpa, identity, items, classifier = '' } = candidate
  const job = { kind: 'verify' as const, id: context.newJobId(), items }
  if (chain === undefined || identity.binaryAuthority === undefined) return job
  return {
    ...job,
    chainCheck: {
      chain,
      cpaPublicKey: cpa.publicKey,
      binaryAuthority: identity.binaryAuthority,
      classifier,
      wallMs: context.wallMs,
    },
  }
}

function conclude(context: CloudContext, candidate: Candidate, result: CryptoResult): CpaVerdict {
  if (result.kind !== 'verified') {
    const reason = result.kind === 'refused' ? result.reason : 'busy'
    context.counters.add(`refused.cpa.${reason}`)
    return { ok: false, reason }
  }
  const { identity, encoding, keyHash, routeEntry } = candidate
  learnFrom(context, identity)
  context.learn('signatureByteOrder', result.byteOrder)
  if (encoding !== undefined) context.learn('classifierEncoding', encoding)
  return { ok: true, peer: peerOf(candidate), keyHash, routeEntry }
}

/** Field notes, chapter 11: an answer for a known ID shows the byte orders inside the CPA. */
export function learnFrom(context: CloudContext, identity: CpaIdentity): void {
  context.learn('serviceLocationOrder', identity.serviceLocationOrder)
  if (identity.binaryAuthority !== undefined) {
    context.learn('authorityOrder', identity.authorityOrder)
  }
  if (identity.classifierHash !== undefined) {
    context.learn('classifierHashOrder', identity.classifierHashOrder)
  }
}

function peerOf(candidate: Candidate): ResolvedPeer {
  const { cpa, identity, payload, classifier, chain } = candidate
  const vouched = chain === undefined ? ('authority' as const) : ('chain' as const)
  const peer: Mutable<ResolvedPeer> = {
    pnrpId: identity.pnrpId,
    serviceAddresses: cpa.serviceAddresses,
    appEndpoints: cpa.appEndpoints ?? [],
    publicKey: cpa.publicKey,
    notAfter: cpa.notAfter,
    verified: identity.binaryAuthority === undefined ? 'none' : vouched,
  }
  if (cpa.friendlyName !== undefined) {
    peer.friendlyName = { bytes: cpa.friendlyName, utf8: cpa.friendlyNameIsUtf8 }
  }
  if (classifier !== undefined) peer.classifier = classifier
  if (payload !== undefined) peer.extendedPayload = payload.payload
  return peer
}
