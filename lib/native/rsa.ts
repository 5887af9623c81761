import { addon } from './addon.js'
import { resultBytes } from './result-block.js'

declare const brand: unique symbol

/** A parsed RSA-1024 key (exponent 65537) in native memory; its bytes cannot be read back. */
export interface RsaKey {
  readonly [brand]: true
}

/** Byte order of the 128 signature bytes as the native side counts them (N-43). */
export const SignatureOrder = {
  /** Not a signature of these bytes by this key, in either order. */
  BAD: 0,
  /** RFC 8017: most significant byte first. */
  SPEC: 1,
  /** CryptoAPI: least significant byte first. */
  CAPI: 2,
} as const
export type SignatureOrder = (typeof SignatureOrder)[keyof typeof SignatureOrder]

/** `[key, data, signature]` verifies, `[key, data, order]` signs. */
export type RsaOperation = readonly [RsaKey, Uint8Array, Uint8Array | SignatureOrder]

/** Verified: the order. Signed: 128 bytes. Could not sign: false. */
export type RsaOutcome = SignatureOrder | Uint8Array | false

/** The key in a DER RSAPublicKey of 140 bytes (MS-PNRP 2.2.3.1.4); undefined for other bytes. */
export function rsaPublicKey(der: Uint8Array): RsaKey | undefined {
  return addon.rsaPublicKey(der) as RsaKey | undefined
}

/** The key in a DER RSAPrivateKey (PKCS #1), which is checked for consistency, or undefined. */
export function rsaPrivateKey(der: Uint8Array): RsaKey | undefined {
  return addon.rsaPrivateKey(der) as RsaKey | undefined
}

/** RSASSA-PKCS1-v1_5 over the SHA-1 of `data`, 128 bytes; undefined when the key cannot sign. */
export function rsaSign(
  key: RsaKey,
  data: Uint8Array,
  order: SignatureOrder = SignatureOrder.SPEC,
): Uint8Array | undefined {
  const signature = resultBytes(128)
  return addon.rsaSign(key, data, order, signature) ? signature : undefined
}

/** Tries the 128 signature bytes as they are, then reversed. */
export function rsaVerify(key: RsaKey, data: Uint8Array, signature: Uint8Array): SignatureOrder {
  return addon.rsaVerify(key, data, signature) as SignatureOrder
}

/** Runs the operations one after another on the thread pool; their bytes are copied at once. */
export function rsaBatch(
  operations: readonly RsaOperation[],
  done: (outcomes: readonly RsaOutcome[]) => void,
): void {
  addon.rsaBatch(operations, done as (outcomes: (boolean | number | Uint8Array)[]) => void)
}

/** N-63: known answers through SHA-1 and RSA. Undefined when all is well, else what failed. */
export function cryptoSelfTest(): string | undefined {
  return addon.cryptoSelfTest()
}
