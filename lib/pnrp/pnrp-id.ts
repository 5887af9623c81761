import { concatBytes } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import { sha1, sha1OfParts } from '../native/digest.js'
import type { PnrpId } from '../wire/messages.js'

/**
 * How a classifier's code units become the bytes under SHA-1. MS-PNRP does not say; the first is
 * our reading, the others are what a calibrating cloud tries next, in this order (N-02).
 */
export const CLASSIFIER_ENCODINGS = [
  'utf-16le',
  'utf-16le-nul',
  'utf-16be',
  'utf-16be-nul',
  'utf-8',
] as const

export type ClassifierEncoding = (typeof CLASSIFIER_ENCODINGS)[number]

/** The bytes that ClassifierHash is taken over: the one place that knows the encoding (N-02). */
export function encodeClassifier(
  classifier: string,
  encoding: ClassifierEncoding = 'utf-16le',
): Uint8Array {
  switch (encoding) {
    case 'utf-16le':
      return Buffer.from(classifier, 'utf16le')
    case 'utf-16le-nul':
      return Buffer.from(`${classifier}\0`, 'utf16le')
    case 'utf-16be':
      return Buffer.from(classifier, 'utf16le').swap16()
    case 'utf-16be-nul':
      return Buffer.from(`${classifier}\0`, 'utf16le').swap16()
    case 'utf-8':
      return Buffer.from(classifier, 'utf8')
  }
}

/** Hashes of classifiers met lately, by encoding: a resolve needs the same one three times. */
const hashes = new Map<ClassifierEncoding, Map<string, Uint8Array>>()

/**
 * ClassifierHash, 20 bytes; for an empty classifier SHA-1 of what the encoding leaves (N-45). The
 * array is shared: never write into it.
 */
export function classifierHash(
  classifier: string,
  encoding: ClassifierEncoding = 'utf-16le',
): Uint8Array {
  let known = hashes.get(encoding)
  if (known === undefined || known.size >= LIMITS.classifierHashes) {
    known = new Map()
    hashes.set(encoding, known)
  }
  let hash = known.get(classifier)
  if (hash === undefined) {
    hash = sha1(encodeClassifier(classifier, encoding))
    known.set(classifier, hash)
  }
  return hash
}

const GOO = Uint8Array.of(0x50, 0x4e, 0x52, 0x50) // "PNRP", MS-PNRP 1.3.1.2
const NO_AUTHORITY = new Uint8Array(20)

/**
 * P2P ID, 16 bytes: the upper half of SHA-1(H | authority | H | "PNRP") with H the ClassifierHash
 * (MS-PNRP 1.3.1.2, 3.1.4.4.1). `authority` is absent for unsecured names: 20 zero bytes.
 */
export function p2pIdOf(hash: Uint8Array, authority: Uint8Array = NO_AUTHORITY): Uint8Array {
  return sha1OfParts([hash, authority, hash, GOO], 16)
}

/** P2P ID of a name in parts. */
export function p2pIdOfName(
  name: { readonly authority?: Uint8Array; readonly classifier: string },
  encoding?: ClassifierEncoding,
): Uint8Array {
  return p2pIdOf(classifierHash(name.classifier, encoding), name.authority)
}

/** Service location suffix of a resolve target, MS-PNRP 3.1.4.4: the middle of the prefix. */
export const RESOLVE_SUFFIX: Uint8Array = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0)

/**
 * Service location, 16 bytes: prefix (8, a hint or the upper half of a node's address) and suffix
 * (8; random when registering, N-04).
 */
export function serviceLocationOf(
  prefix: Uint8Array,
  suffix: Uint8Array = RESOLVE_SUFFIX,
): Uint8Array {
  return concatBytes(prefix, suffix)
}

/** PNRP ID, 32 bytes: P2P ID then service location. */
export function pnrpIdOf(p2pId: Uint8Array, serviceLocation: Uint8Array): PnrpId {
  return concatBytes(p2pId, serviceLocation)
}
