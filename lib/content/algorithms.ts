import { checkArgument } from '../core/errors.js'
import type { Sha2 } from '../native/content-crypto.js'

/** Hash algorithm of content information; version 2 has only SHA-512, cut to 32 bytes. */
export type HashAlgorithm = 'sha256' | 'sha384' | 'sha512'

/** Version of content information (MS-PCCRC): 1 has blocks, 2 short segments. */
export type ContentVersion = 1 | 2

const NAMES = ['sha256', 'sha384', 'sha512'] as const

export const sha2Of = (algorithm: HashAlgorithm): Sha2 => NAMES.indexOf(algorithm) as Sha2

/** The algorithm of a number of the native side. */
export function algorithmOf(sha2: number): HashAlgorithm {
  const name = NAMES[sha2]
  checkArgument(name !== undefined, `no hash algorithm has the number ${sha2}`)
  return name
}

/** How content is hashed: what its hashes, secrets and IDs are made with, and how long they are. */
export interface HashScheme {
  readonly version: ContentVersion
  readonly algorithm: HashAlgorithm
}

/** Throws ERR_PEERNET_INVALID_ARG. */
export function checkScheme({ version, algorithm }: HashScheme): void {
  checkArgument(version === 1 || version === 2, 'content information has version 1 or 2')
  checkArgument(NAMES.includes(algorithm), 'the hash is sha256, sha384 or sha512')
  checkArgument(version === 1 || algorithm === 'sha512', 'version 2 has only sha512 (DA-4)')
}

/** Bytes of a hash, secret or ID as the protocols carry it (MS-PCCRC 2.3, 2.4). */
export function hashLength({ version, algorithm }: HashScheme): number {
  return version === 2 ? 32 : 32 + 16 * sha2Of(algorithm)
}
