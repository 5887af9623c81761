import { addon } from './addon.js'

/** Hashes, keys and AES of the content protocols (native/binding/content_crypto.cc). */

/** Numbers of the hash algorithms on the native side (pn_sha2_t). */
export const Sha2 = { SHA256: 0, SHA384: 1, SHA512: 2 } as const
export type Sha2 = (typeof Sha2)[keyof typeof Sha2]

const LENGTHS = [32, 48, 64] as const

/** The whole digest: 32, 48 or 64 bytes. */
export function sha2(algorithm: Sha2, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(LENGTHS[algorithm])
  addon.sha2(algorithm, bytes, out)
  return out
}

/** HMAC with a key of at most 64 bytes over at most 128. */
export function hmac(algorithm: Sha2, key: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(LENGTHS[algorithm])
  addon.contentHmac(algorithm, key, data, out)
  return out
}

/** MS-PCCRC 2.2: Kp of many segments; key, hashes and secrets are equally long each. */
export function segmentSecrets(
  algorithm: Sha2,
  serverKey: Uint8Array,
  hashesOfData: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(hashesOfData.length)
  addon.segmentSecrets(algorithm, serverKey, hashesOfData, out)
  return out
}

/** MS-PCCRC 2.2: HoHoDk of a segment. */
export function segmentId(
  algorithm: Sha2,
  secret: Uint8Array,
  hashOfData: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(secret.length)
  addon.segmentId(algorithm, secret, hashOfData, out)
  return out
}

/** Hashes of the blocks of 64 KiB, one after the other. */
export function hashBlocks(algorithm: Sha2, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 65_536) * LENGTHS[algorithm])
  addon.hashBlocks(algorithm, bytes, out)
  return out
}

/** Segments that one call of hashSegments can find: those of a window. */
export const WINDOW_SEGMENTS = 2048

/**
 * Cuts and hashes segments of version 2 as far as `bytes` tell; `left` bytes from their start the
 * window ends. Puts lengths and 32-byte hashes in the arrays (WINDOW_SEGMENTS rows), returns how
 * many.
 */
export function hashSegments(
  fixed: number,
  bytes: Uint8Array,
  left: number,
  last: boolean,
  lengths: Uint32Array,
  hashes: Uint8Array,
): number {
  return addon.hashSegments(fixed, bytes, left, last ? 1 : 0, lengths, hashes)
}

/**
 * AES in CBC mode without padding, key of 16, 24 or 32 bytes; undefined when the lengths are
 * impossible.
 */
export function aesCbc(
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const out = new Uint8Array(bytes.length)
  return addon.aesCbc(direction === 'encrypt' ? 1 : 0, key, iv, bytes, out) ? out : undefined
}

/** Known lengths through the processor's lanes and one by one; undefined when all is well. */
export function contentSelfTest(): string | undefined {
  return addon.contentSelfTest()
}
