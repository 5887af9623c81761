import { isAllZero } from '../core/bytes.js'
import { checkArgument } from '../core/errors.js'
import { addressAt } from '../core/met-bytes.js'
import type { Mutable } from '../core/mutable.js'
import { decodeCpa as decodeNative, encodeCpa as encodeNative, row } from '../native/codec.js'
import { resultCopy } from '../native/result-block.js'
import { CpaFlag, WireLength, WireOffset } from './constants.js'
import {
  beginFields,
  checkUint16,
  encoded,
  endpointsAt,
  inputOf,
  malformed,
  nextField,
  putAddress,
  putBytes,
  putEndpoints,
  putReversed,
  putSpan,
  putUint16,
  reversed,
  view,
  word,
} from './fields.js'
import type { EncodeOptions, Malformed } from './fields.js'
import { putTicks, ticksAt, writeTicks } from './file-time.js'
import type { AppEndpoint, CertifiedPeerAddress } from './messages.js'
import { CpaRow as Row } from './rows.js'

/** Whether a revoke CPA carries its (zero) nonce (N-29). */
export type RevokeNonce = 'present' | 'absent'

const REVOKE_NONCE = { present: 0, absent: 1, auto: 2 } as const
const ANY_KIND = 0

export interface DecodeCpaOptions {
  /** 'auto' (default): as the text has it, unless only a CPA without the nonce closes exactly. */
  readonly revokeNonce?: RevokeNonce | 'auto'
}

export interface EncodeCpaOptions extends EncodeOptions {
  /** Default 'present', as the text has it. */
  readonly revokeNonce?: RevokeNonce
}

export interface GoodCpa {
  readonly ok: true
  readonly cpa: CertifiedPeerAddress & { readonly signature: Uint8Array }
  /** The signature covers this many bytes from the start. */
  readonly signedLength: number
  readonly revokeNonce: RevokeNonce
}

export type DecodedCpa = GoodCpa | Malformed

/** IPV6_APP_ENDPOINT: address, port (network order, N-41), protocol (little-endian). */
function appEndpointsAt(bytes: Uint8Array, at: number, count: number): AppEndpoint[] {
  const endpoints: AppEndpoint[] = []
  for (let i = 0, next = at; i < count; i++, next += WireLength.APP_ENDPOINT) {
    const port = ((bytes[next + 16] as number) << 8) | (bytes[next + 17] as number)
    const protocol = (bytes[next + 18] as number) | ((bytes[next + 19] as number) << 8)
    endpoints.push({ address: addressAt(bytes, next), port, protocol })
  }
  return endpoints
}

/** The CPA object for what a native decode call left in the row. */
export function cpaFromRow(bytes: Uint8Array): GoodCpa {
  const flags = word(Row.FLAGS)
  const has = (flag: number) => (flags & flag) !== 0
  const revokeNonce = word(Row.REVOKE_NONCE) === REVOKE_NONCE.absent ? 'absent' : 'present'
  const apps = word(Row.APP_COUNT)
  const cpa: Mutable<GoodCpa['cpa']> = {
    revoke: has(CpaFlag.R),
    hasExtendedPayload: has(CpaFlag.X),
    notAfter: ticksAt(Row.NOT_AFTER_LOW),
    serviceLocation: reversed(bytes, word(Row.SERVICE_LOCATION), WireLength.SERVICE_LOCATION),
    nonce:
      revokeNonce === 'absent'
        ? new Uint8Array(WireLength.NONCE_VALUE)
        : view(bytes, word(Row.NONCE), WireLength.NONCE_VALUE),
    friendlyNameIsUtf8: has(CpaFlag.U),
    serviceAddresses: endpointsAt(bytes, word(Row.SERVICES), word(Row.SERVICE_COUNT)),
    publicKey: view(bytes, word(Row.PUBLIC_KEY), WireLength.PUBLIC_KEY_DATA),
    signature: view(bytes, word(Row.SIGNATURE), WireLength.SIGNATURE_DATA),
  }
  if (has(CpaFlag.A)) {
    cpa.binaryAuthority = reversed(bytes, word(Row.AUTHORITY), WireLength.BINARY_AUTHORITY)
  }
  if (has(CpaFlag.C)) {
    cpa.classifierHash = view(bytes, word(Row.CLASSIFIER_HASH), WireLength.CLASSIFIER_HASH)
  }
  if (has(CpaFlag.F)) {
    cpa.friendlyName = view(bytes, word(Row.FRIENDLY_NAME), word(Row.FRIENDLY_NAME_LENGTH))
  }
  if (apps > 0) cpa.appEndpoints = appEndpointsAt(bytes, word(Row.APPS), apps)
  return { ok: true, cpa, signedLength: word(Row.SIGNED_LENGTH), revokeNonce }
}

/**
 * Decodes an Encoded CPA, MS-PNRP 2.2.3.1: syntax only, nothing is verified. Byte fields are views
 * into `bytes`, except those that stand reversed on the wire.
 */
export function decodeCpa(bytes: Uint8Array, options?: DecodeCpaOptions): DecodedCpa {
  const revokeNonce = REVOKE_NONCE[options?.revokeNonce ?? 'auto']
  const failure = malformed(decodeNative(inputOf(bytes), revokeNonce, ANY_KIND), Row.AT)
  return failure ?? cpaFromRow(bytes)
}

function flagsOf(cpa: CertifiedPeerAddress): number {
  return (
    (cpa.hasExtendedPayload ? CpaFlag.X : 0) |
    (cpa.friendlyName !== undefined ? CpaFlag.F : 0) |
    (cpa.classifierHash !== undefined ? CpaFlag.C : 0) |
    (cpa.binaryAuthority !== undefined ? CpaFlag.A : 0) |
    (cpa.friendlyNameIsUtf8 ? CpaFlag.U : 0) |
    (cpa.revoke ? CpaFlag.R : 0)
  )
}

function putAppEndpoints(endpoints: readonly AppEndpoint[]): void {
  const at = nextField()
  for (const { address, port, protocol } of endpoints) {
    putAddress(address, 'appEndpoints')
    putUint16(checkUint16(port, 'a port of appEndpoints'))
    putUint16(checkUint16(protocol, 'a protocol of appEndpoints'), true)
  }
  checkArgument(nextField() > at, 'appEndpoints is absent or has entries')
  row[Row.APPS] = at
  row[Row.APP_COUNT] = (nextField() - at) / WireLength.APP_ENDPOINT
}

function putName(cpa: CertifiedPeerAddress, options?: EncodeCpaOptions): void {
  const { binaryAuthority, classifierHash, friendlyName } = cpa
  if (binaryAuthority !== undefined) {
    const isOne = !isAllZero(binaryAuthority) || options?.asReceived === true
    checkArgument(isOne, 'an unsecured name has no binaryAuthority') // 2.2.3.1
    const length = WireLength.BINARY_AUTHORITY
    row[Row.AUTHORITY] = putReversed(binaryAuthority, length, 'binaryAuthority')
  }
  if (classifierHash !== undefined) {
    const length = WireLength.CLASSIFIER_HASH
    row[Row.CLASSIFIER_HASH] = putBytes(classifierHash, length, 'classifierHash')
  }
  if (friendlyName !== undefined) {
    putSpan(Row.FRIENDLY_NAME, friendlyName, 'friendlyName')
  }
}

/**
 * Encodes a CPA. Without `cpa.signature` the result is the bytes to sign: the same, with the final
 * CPA Length, less the SIGNATURE at the end.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when it breaks a limit
 */
export function encodeCpa(cpa: CertifiedPeerAddress, options?: EncodeCpaOptions): Uint8Array {
  const begun = beginFields()
  row[Row.FLAGS] = flagsOf(cpa)
  row[Row.REVOKE_NONCE] = REVOKE_NONCE[options?.revokeNonce ?? 'present']
  putTicks(Row.NOT_AFTER_LOW, cpa.notAfter)
  const locationLength = WireLength.SERVICE_LOCATION
  row[Row.SERVICE_LOCATION] = putReversed(cpa.serviceLocation, locationLength, 'serviceLocation')
  checkArgument(!cpa.revoke || isAllZero(cpa.nonce), 'the nonce of a revoke CPA is zero')
  row[Row.NONCE] = putBytes(cpa.nonce, WireLength.NONCE_VALUE, 'nonce')
  putName(cpa, options)
  putEndpoints(Row.SERVICES, cpa.serviceAddresses, 'serviceAddresses', options)
  row[Row.APP_COUNT] = 0
  if (cpa.appEndpoints !== undefined) putAppEndpoints(cpa.appEndpoints)
  row[Row.PUBLIC_KEY] = putBytes(cpa.publicKey, WireLength.PUBLIC_KEY_DATA, 'publicKey')
  if (cpa.signature !== undefined) {
    row[Row.SIGNATURE] = putBytes(cpa.signature, WireLength.SIGNATURE_DATA, 'signature')
  }
  return encoded(begun, encodeNative(cpa.signature !== undefined ? 1 : 0), 'CPA')
}

/** A copy of an encoded live CPA without signature, with this nonce (16 bytes) and expiry. */
export function renewedCpa(unsigned: Uint8Array, nonce: Uint8Array, notAfter: bigint): Uint8Array {
  const bytes = resultCopy(unsigned)
  writeTicks(bytes, WireOffset.CPA_NOT_AFTER, notAfter)
  bytes.set(nonce, WireOffset.CPA_NONCE)
  return bytes
}
