import { checkPrimeSync, createPrivateKey, type KeyObject } from 'node:crypto'
import type { Rng } from '../core/rng.js'
import { toHex } from '../core/bytes.js'

const PRIME_BYTES = 64
const PUBLIC_EXPONENT = 65_537n

/**
 * An RSA-1024 key pair that is the same for the same randomness, so that simulations with real
 * signatures can be repeated bit by bit. NOT FOR PRODUCTION: whoever knows the seed has the key.
 */
export function deterministicRsaKey(rng: Rng): KeyObject {
  const p = prime(rng)
  let q = prime(rng)
  while (q === p) q = prime(rng)
  const n = p * q
  const d = inverse(PUBLIC_EXPONENT, (p - 1n) * (q - 1n))
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      n: base64url(n, PRIME_BYTES * 2),
      e: base64url(PUBLIC_EXPONENT, 3),
      d: base64url(d, PRIME_BYTES * 2),
      p: base64url(p, PRIME_BYTES),
      q: base64url(q, PRIME_BYTES),
      dp: base64url(d % (p - 1n), PRIME_BYTES),
      dq: base64url(d % (q - 1n), PRIME_BYTES),
      qi: base64url(inverse(q, p), PRIME_BYTES),
    },
  })
}

/** A 512-bit prime p with its two top bits set (so that n has 1024 bits) and gcd(e, p - 1) = 1. */
function prime(rng: Rng): bigint {
  for (;;) {
    const bytes = rng.bytes(PRIME_BYTES)
    bytes[0] = (bytes[0] as number) | 0xc0
    bytes[PRIME_BYTES - 1] = (bytes[PRIME_BYTES - 1] as number) | 1
    const candidate = BigInt(`0x${toHex(bytes)}`)
    if ((candidate - 1n) % PUBLIC_EXPONENT !== 0n && checkPrimeSync(candidate)) return candidate
  }
}

/** a^-1 mod m by the extended Euclidean algorithm; a and m are coprime. */
function inverse(a: bigint, m: bigint): bigint {
  let [r0, r1] = [m, a % m]
  let [t0, t1] = [0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  return ((t0 % m) + m) % m
}

function base64url(value: bigint, bytes: number): string {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex').toString('base64url')
}
