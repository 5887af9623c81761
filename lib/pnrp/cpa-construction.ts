import { reversedBytes } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import { encodeCpa, encodeExtendedPayload } from '../wire/codec.js'
import type { CertifiedPeerAddress, ExtendedPayload } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { CryptoResult } from './crypto-port.js'
import type { LocalRegistration } from './parts.js'

const ZERO_NONCE = new Uint8Array(16)

/**
 * Signed structures for one answer, encoded; each undefined if it was not wanted or is not there.
 */
export interface SignedStructures {
  readonly cpa?: Uint8Array
  readonly extendedPayload?: Uint8Array
}

/** What to build: the CPA, the extended payload (if the registration has one), or both. */
export interface WantedStructures {
  readonly cpa: boolean
  readonly extendedPayload: boolean
}

/** MS-PNRP 3.2.5.7: the CPA of a registration, unsigned. Without a nonce 16 zero bytes (N-10). */
export function liveCpa(
  context: CloudContext,
  registration: LocalRegistration,
  nonce: Uint8Array = ZERO_NONCE,
): CertifiedPeerAddress {
  const { spec } = registration
  return {
    ...nameFields(context, registration),
    revoke: false,
    hasExtendedPayload: spec.extendedPayload !== undefined,
    nonce,
    ...(spec.friendlyName === undefined ? {} : { friendlyName: spec.friendlyName.bytes }),
    friendlyNameIsUtf8: spec.friendlyName?.utf8 ?? false,
    serviceAddresses: context.localEndpoints,
    ...(spec.appEndpoints.length === 0 ? {} : { appEndpoints: spec.appEndpoints }),
  }
}

/** MS-PNRP 3.2.4.2 step 1: the revoke CPA, unsigned: zero nonce (N-29), no payload (2.2.3.1). */
export function revokeCpa(
  context: CloudContext,
  registration: LocalRegistration,
): CertifiedPeerAddress {
  return {
    ...nameFields(context, registration),
    revoke: true,
    hasExtendedPayload: false,
    nonce: ZERO_NONCE,
    friendlyNameIsUtf8: false,
    serviceAddresses: [],
  }
}

function nameFields(
  context: CloudContext,
  { pnrpId, spec, classifierHash }: LocalRegistration,
): Pick<
  CertifiedPeerAddress,
  'notAfter' | 'serviceLocation' | 'publicKey' | 'binaryAuthority' | 'classifierHash'
> {
  const { dialect } = context
  // The codec writes the orders of the specification; a dialect that differs gets them turned
  // (N-42).
  const turned = (bytes: Uint8Array, turn: boolean): Uint8Array =>
    turn ? reversedBytes(bytes) : bytes
  const location = pnrpId.subarray(16)
  return {
    // N-54: signed for each INQUIRE, 24 hours ahead (2.2.3.1: 12 hours to a week).
    notAfter: context.fileTime(LIMITS.cpaLifetimeUs),
    serviceLocation: turned(location, dialect.get('serviceLocationOrder') === 'natural'),
    publicKey: spec.publicKey,
    ...(spec.authority === undefined
      ? {}
      : { binaryAuthority: turned(spec.authority, dialect.get('authorityOrder') === 'natural') }),
    ...(classifierHash === undefined
      ? {}
      : {
          classifierHash: turned(classifierHash, dialect.get('classifierHashOrder') === 'reversed'),
        }),
  }
}

/** MS-PNRP 3.2.5.8: the extended payload of a registration, unsigned. */
export function extendedPayloadOf(
  context: CloudContext,
  { pnrpId, spec }: LocalRegistration,
  nonce: Uint8Array = ZERO_NONCE,
): ExtendedPayload | undefined {
  if (spec.extendedPayload === undefined) return undefined
  return {
    notAfter: context.fileTime(LIMITS.cpaLifetimeUs),
    pnrpId,
    nonce,
    payload: spec.extendedPayload,
  }
}

/**
 * Builds and signs what is wanted, in one job (MS-PNRP 3.2.5.9). `done` runs in a later handler, or
 * within this call when nothing has to be signed; undefined when signing failed.
 */
export function buildSigned(
  context: CloudContext,
  registration: LocalRegistration,
  wanted: WantedStructures,
  nonce: Uint8Array | undefined,
  done: (signed: SignedStructures | undefined) => void,
): void {
  const cpa = wanted.cpa ? liveCpa(context, registration, nonce) : undefined
  const payload = wanted.extendedPayload
    ? extendedPayloadOf(context, registration, nonce)
    : undefined
  const parts: Uint8Array[] = []
  if (cpa !== undefined) parts.push(encodeCpa(cpa))
  if (payload !== undefined) parts.push(encodeExtendedPayload(payload))
  if (parts.length === 0) {
    done({})
    return
  }
  sign(context, registration.spec.keyId, parts, (signatures) => {
    if (signatures === undefined) {
      done(undefined)
      return
    }
    const [first, second] = signatures
    const payloadSignature = cpa === undefined ? first : second
    done({
      ...(cpa === undefined ? {} : { cpa: encodeCpa({ ...cpa, signature: first as Uint8Array }) }),
      ...(payload === undefined
        ? {}
        : {
            extendedPayload: encodeExtendedPayload({
              ...payload,
              signature: payloadSignature as Uint8Array,
            }),
          }),
    })
  })
}

/** Builds and signs a revoke CPA; undefined when signing failed. */
export function buildSignedRevoke(
  context: CloudContext,
  registration: LocalRegistration,
  done: (revoke: Uint8Array | undefined) => void,
): void {
  const options = { revokeNonce: context.dialect.revokeNonce }
  const cpa = revokeCpa(context, registration)
  sign(context, registration.spec.keyId, [encodeCpa(cpa, options)], (signatures) => {
    const signature = signatures?.[0]
    done(signature === undefined ? undefined : encodeCpa({ ...cpa, signature }, options))
  })
}

function sign(
  context: CloudContext,
  keyId: string,
  parts: readonly Uint8Array[],
  done: (signatures: readonly Uint8Array[] | undefined) => void,
): void {
  context.crypto({ kind: 'sign', id: context.newJobId(), keyId, parts }, (result: CryptoResult) => {
    if (result.kind !== 'signed') {
      context.counters.add('failed.signing')
      done(undefined)
      return
    }
    const turn = context.dialect.signatureByteOrder === 'capi' // N-43
    done(turn ? result.signatures.map(reversedBytes) : result.signatures)
  })
}
