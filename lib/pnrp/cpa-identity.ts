import { bytesAt, equalBytes, isAllZero, reversedBytes } from '../core/bytes.js'
import type { Mutable } from '../core/mutable.js'
import type { CertifiedPeerAddress, PnrpId } from '../wire/messages.js'
import type { DialectTraits } from './dialect.js'
import { CLASSIFIER_ENCODINGS, classifierHash, p2pIdOf, pnrpIdOf } from './pnrp-id.js'

const P2P_ID_BYTES = 16

type Orders = Pick<DialectTraits, 'serviceLocationOrder' | 'authorityOrder' | 'classifierHashOrder'>

/** What a CPA says about its name, read in the byte orders that make sense of it. */
export interface CpaIdentity extends Orders {
  readonly pnrpId: PnrpId
  /** Absent for an unsecured name; an authority of zeros says the same (3.1.5.7). */
  readonly binaryAuthority?: Uint8Array
  /** Absent for an empty classifier. */
  readonly classifierHash?: Uint8Array
}

/**
 * The PNRP ID that a CPA is for: ClassifierHash, BinaryAuthority and Service Location through the
 * formulas of MS-PNRP 3.1.4.4.1. The byte orders of the three are not beyond doubt (N-42), so all
 * readings are offered, the specification's first; the codec has already decoded by the text.
 */
export function* cpaIdentities(cpa: CertifiedPeerAddress): Generator<CpaIdentity> {
  for (const authorityOrder of ['reversed', 'natural'] as const) {
    if (authorityOrder === 'natural' && authorityOf(cpa) === undefined) return
    for (const classifierHashOrder of ['natural', 'reversed'] as const) {
      if (classifierHashOrder === 'reversed' && cpa.classifierHash === undefined) break
      for (const reading of p2pReadings(cpa, authorityOrder, classifierHashOrder)) {
        yield { ...reading, pnrpId: pnrpIdOf(reading.p2pId, cpa.serviceLocation) }
        yield {
          ...reading,
          pnrpId: pnrpIdOf(reading.p2pId, reversedBytes(cpa.serviceLocation)),
          serviceLocationOrder: 'natural',
        }
      }
    }
  }
}

/** BinaryAuthority, unless it is missing or zero. */
export function authorityOf(cpa: CertifiedPeerAddress): Uint8Array | undefined {
  const { binaryAuthority } = cpa
  return binaryAuthority === undefined || isAllZero(binaryAuthority) ? undefined : binaryAuthority
}

/** The reading of a CPA under which it is for this ID; undefined when there is none. */
export function cpaIdentityFor(cpa: CertifiedPeerAddress, pnrpId: PnrpId): CpaIdentity | undefined {
  if (bytesAt(pnrpId, P2P_ID_BYTES, cpa.serviceLocation)) {
    const specified = asSpecified(cpa, pnrpId)
    if (specified !== undefined) return specified
  } else if (!bytesAt(pnrpId, P2P_ID_BYTES, reversedBytes(cpa.serviceLocation))) {
    return undefined
  }
  for (const identity of cpaIdentities(cpa)) {
    if (equalBytes(identity.pnrpId, pnrpId)) return identity
  }
  return undefined
}

/**
 * The reading that nearly every CPA is for, without going through the others; its service location
 * is known to be that of the ID.
 */
function asSpecified(cpa: CertifiedPeerAddress, pnrpId: PnrpId): CpaIdentity | undefined {
  const { classifierHash } = cpa
  if (classifierHash === undefined) return undefined
  const authority = authorityOf(cpa)
  if (!bytesAt(pnrpId, 0, p2pIdOf(classifierHash, authority))) return undefined
  const identity: Mutable<CpaIdentity> = {
    authorityOrder: 'reversed',
    classifierHashOrder: 'natural',
    serviceLocationOrder: 'reversed',
    pnrpId,
    classifierHash,
  }
  if (authority !== undefined) identity.binaryAuthority = authority
  return identity
}

function* p2pReadings(
  cpa: CertifiedPeerAddress,
  authorityOrder: Orders['authorityOrder'],
  classifierHashOrder: Orders['classifierHashOrder'],
): Generator<Omit<CpaIdentity, 'pnrpId'> & { readonly p2pId: Uint8Array }> {
  const authority = inOrder(authorityOf(cpa), authorityOrder === 'reversed')
  const hash = inOrder(cpa.classifierHash, classifierHashOrder === 'natural')
  const hashes = hash === undefined ? emptyClassifierHashes() : [hash]
  for (const candidate of hashes) {
    yield {
      p2pId: p2pIdOf(candidate, authority),
      authorityOrder,
      classifierHashOrder,
      serviceLocationOrder: 'reversed',
      ...(authority === undefined ? {} : { binaryAuthority: authority }),
      ...(hash === undefined ? {} : { classifierHash: hash }),
    }
  }
}

function inOrder(bytes: Uint8Array | undefined, asDecoded: boolean): Uint8Array | undefined {
  return bytes === undefined || asDecoded ? bytes : reversedBytes(bytes)
}

/** N-45: C is clear; nothing or a NUL was hashed. */
function emptyClassifierHashes(): Uint8Array[] {
  return CLASSIFIER_ENCODINGS.slice(0, 2).map((encoding) => classifierHash('', encoding))
}
