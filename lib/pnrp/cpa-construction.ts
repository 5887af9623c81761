import { reversedBytes } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import { resultOf } from '../native/result-block.js'
import { encodeCpa, encodeExtendedPayload, renewedCpa } from '../wire/codec.js'
import { WireLength, WireValue } from '../wire/constants.js'
import type { CertifiedPeerAddress, ExtendedPayload } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { RegistrationSpec } from './interface.js'
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

/**
 * The live CPA of a registration, encoded, for as long as the things it was made of stay: from one
 * INQUIRE to the next only the nonce and the expiry change.
 */
interface CpaStem {
  readonly spec: RegistrationSpec
  readonly endpoints: readonly Endpoint[]
  readonly dialectChanges: number
  readonly unsigned: Uint8Array
}

const stems = new WeakMap<LocalRegistration, CpaStem>()

/** The bytes to sign for one INQUIRE, MS-PNRP 3.2.5.7. Without a nonce 16 zero bytes (N-10). */
function unsignedCpa(
  context: CloudContext,
  registration: LocalRegistration,
  nonce: Uint8Array = ZERO_NONCE,
): Uint8Array {
  const { spec } = registration
  const { dialectChanges, localEndpoints } = context
  let stem = stems.get(registration)
  if (
    stem?.spec !== spec ||
    stem.endpoints !== localEndpoints ||
    stem.dialectChanges !== dialectChanges
  ) {
    const unsigned = encodeCpa(liveCpa(context, registration)).slice()
    stem = { spec, endpoints: localEndpoints, dialectChanges, unsigned }
    stems.set(registration, stem)
  }
  return renewedCpa(stem.unsigned, nonce, expiry(context))
}

/** MS-PNRP 3.2.5.7: the CPA of a registration, unsigned, with a nonce of 16 zero bytes. */
export function liveCpa(
  context: CloudContext,
  registration: LocalRegistration,
): CertifiedPeerAddress {
  const { spec } = registration
  return {
    ...nameFields(context, registration),
    revoke: false,
    hasExtendedPayload: spec.extendedPayload !== undefined,
    nonce: ZERO_NONCE,
    ...(spec.friendlyName === undefined ? {} : { friendlyName: spec.friendlyName.bytes }),
    friendlyNameIsUtf8: spec.friendlyName?.utf8 ?? false,
    serviceAddresses: context.localEndpoints,
    ...(spec.appEndpoints.length === 0 ? {} : { appEndpoints: spec.appEndpoints }),
  }
}

/** N-54: signed for each INQUIRE, 24 hours ahead (2.2.3.1: 12 hours to a week). */
function expiry(context: CloudContext): bigint {
  return context.fileTime(LIMITS.cpaLifetimeUs)
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
    notAfter: expiry(context),
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
    notAfter: expiry(context),
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
  const parts: Uint8Array[] = []
  if (wanted.cpa) parts.push(unsignedCpa(context, registration, nonce))
  const payload = wanted.extendedPayload
    ? extendedPayloadOf(context, registration, nonce)
    : undefined
  if (payload !== undefined) parts.push(encodeExtendedPayload(payload))
  if (parts.length === 0) {
    done({})
    return
  }
  sign(context, registration.spec.keyId, parts, (signed) => {
    if (signed === undefined) {
      done(undefined)
      return
    }
    const structures: Mutable<SignedStructures> = {}
    if (wanted.cpa) structures.cpa = signed[0] as Uint8Array
    if (payload !== undefined) structures.extendedPayload = signed.at(-1) as Uint8Array
    done(structures)
  })
}

/** Builds and signs a revoke CPA; undefined when signing failed. */
export function buildSignedRevoke(
  context: CloudContext,
  registration: LocalRegistration,
  done: (revoke: Uint8Array | undefined) => void,
): void {
  const { revokeNonce } = context.dialect
  const unsigned = encodeCpa(revokeCpa(context, registration), { revokeNonce })
  sign(context, registration.spec.keyId, [unsigned], (signed) => {
    done(signed?.[0])
  })
}

/** SIGNATURE without Signature Data, MS-PNRP 2.2.3.2: two lengths and ALG_ID. */
const SIGNATURE_HEAD = new Uint8Array(WireLength.SIGNATURE - WireLength.SIGNATURE_DATA)
const signatureHead = new DataView(SIGNATURE_HEAD.buffer)
signatureHead.setUint16(0, WireLength.SIGNATURE, true)
signatureHead.setUint16(2, WireLength.SIGNATURE_DATA, true)
signatureHead.setUint32(4, WireValue.SIGNATURE_ALG_ID, true)

/** Signs structures that are complete but for their last part, the SIGNATURE, and puts that on. */
function sign(
  context: CloudContext,
  keyId: string,
  parts: readonly Uint8Array[],
  done: (signed: readonly Uint8Array[] | undefined) => void,
): void {
  context.crypto({ kind: 'sign', id: context.newJobId(), keyId, parts }, (result) => {
    if (result.kind !== 'signed') {
      context.counters.add('failed.signing')
      done(undefined)
      return
    }
    const turn = context.dialect.signatureByteOrder === 'capi' // N-43
    done(
      parts.map((part, i) => {
        const signature = result.signatures[i] as Uint8Array
        return resultOf(part, SIGNATURE_HEAD, turn ? reversedBytes(signature) : signature)
      }),
    )
  })
}
