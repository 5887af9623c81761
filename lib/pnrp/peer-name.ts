import { fromHex, toHex } from '../core/bytes.js'
import { sha1 } from '../native/digest.js'
import { WireLimit } from '../wire/constants.js'

/**
 * A peer name in parts, MS-PNRP 2.2.4. A string here is a sequence of UTF-16 code units; nothing in
 * this file normalises, folds or repairs it (names are compared unit by unit, and so are hashed).
 */
export interface PeerNameParts {
  /** 20 bytes, SHA-1 of the identity's public key; absent for an unsecured name ("0"). */
  readonly authority?: Uint8Array
  /** 0..149 code units, none of them NUL. */
  readonly classifier: string
}

const AUTHORITY = /^(?:0|[0-9a-f]{40})$/

/** '0', or exactly 40 lower-case hex digits. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}

/** 0..149 code units without NUL; unpaired surrogates are allowed, as in Windows. */
export function isClassifier(text: string): boolean {
  return text.length <= WireLimit.CLASSIFIER_UNITS && !text.includes('\0')
}

/** Splits at the first dot; undefined unless the syntax of MS-PNRP 2.2.4 holds. */
export function parsePeerName(text: string): PeerNameParts | undefined {
  const dot = text.indexOf('.')
  if (dot < 0) return undefined
  const authority = text.slice(0, dot)
  const classifier = text.slice(dot + 1)
  if (!isAuthority(authority) || !isClassifier(classifier)) return undefined
  const bytes = authorityBytes(authority)
  return bytes === undefined ? { classifier } : { authority: bytes, classifier }
}

/** `authority.classifier`, with the dot also before an empty classifier. */
export function formatPeerName(name: PeerNameParts): string {
  return `${authorityText(name.authority)}.${name.classifier}`
}

/** '0' for an unsecured name, else 40 lower-case hex digits in SHA-1 output order. */
export function authorityText(authority: Uint8Array | undefined): string {
  return authority === undefined ? '0' : toHex(authority)
}

/** The 20 bytes of an authority that `isAuthority` accepts; undefined for '0'. */
export function authorityBytes(authority: string): Uint8Array | undefined {
  return authority === '0' ? undefined : fromHex(authority)
}

/**
 * The authority of an identity: SHA-1 of its DER RSAPublicKey (140 bytes), the PublicKey Data field
 * of MS-PNRP 2.2.3.1.4 and not the SubjectPublicKeyInfo of 1.3.1.1 (N-01, settled by the vector in
 * MS-RA 2.2.5).
 */
export function authorityOfKey(publicKey: Uint8Array): Uint8Array {
  return sha1(publicKey)
}
