import { checkArgument } from '../core/errors.js'
import * as native from '../native/content-crypto.js'
import { hashLength, sha2Of, type HashScheme } from './algorithms.js'

/**
 * MS-PCCRC 2.2: the keys and identifiers of segments. Ks = H(server secret), Kp = HMAC(Ks, HoD),
 * HoHoDk = HMAC(Kp, HoD || label). In version 2 every output, and so every key, is SHA-512's first
 * 32 bytes (DA-3).
 */

/** Ks. The server secret is any string of bytes, best 32 random ones. */
export function serverKey(scheme: HashScheme, serverSecret: Uint8Array): Uint8Array {
  checkArgument(serverSecret.length > 0, 'a server secret has at least one byte')
  return native.sha2(sha2Of(scheme.algorithm), serverSecret).subarray(0, hashLength(scheme))
}

/** Kp of many segments at once: hashes of data, one after the other, to secrets likewise. */
export function segmentSecrets(
  scheme: HashScheme,
  key: Uint8Array,
  hashesOfData: Uint8Array,
): Uint8Array {
  return native.segmentSecrets(sha2Of(scheme.algorithm), key, hashesOfData)
}

/** HoHoDk, the segment's public ID. Whoever has it can ask for the segment but not read it. */
export function segmentId(
  scheme: HashScheme,
  secret: Uint8Array,
  hashOfData: Uint8Array,
): Uint8Array {
  return native.segmentId(sha2Of(scheme.algorithm), secret, hashOfData)
}

/** The hash of a block (version 1), or of a segment (version 2). */
export function blockHash(scheme: HashScheme, block: Uint8Array): Uint8Array {
  return native.sha2(sha2Of(scheme.algorithm), block).subarray(0, hashLength(scheme))
}
