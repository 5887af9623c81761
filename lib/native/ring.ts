import { checkArgument } from '../core/errors.js'
import { addon } from './addon.js'
import { putId, takeId } from './scratch.js'

/** Arithmetic on the ring of 2^256 PNRP IDs (MS-PNRP 1.3.3); IDs are 32 bytes each. */

/**
 * < 0 when a is nearer to target than b, > 0 when b is, 0 only when a equals b. Of two IDs at the
 * same distance the numerically smaller one is the nearer (N-23).
 */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  putId(0, target)
  putId(1, a)
  putId(2, b)
  return addon.ringCompareDistance()
}

/** (id + n) mod 2^256; n is a safe integer >= 0. */
export function addSmall(id: Uint8Array, n: number): Uint8Array {
  checkArgument(Number.isSafeInteger(n) && n >= 0, 'n must be a safe integer >= 0')
  putId(0, id)
  addon.ringAddSmall(n >>> 0, Math.floor(n / 0x1_0000_0000))
  return takeId(0)
}

/** Middle of the clockwise arc from -> to, rounded down; from = to means the whole ring. */
export function midpoint(from: Uint8Array, to: Uint8Array): Uint8Array {
  putId(0, from)
  putId(1, to)
  addon.ringMidpoint()
  return takeId(0)
}

/** Is x strictly inside the clockwise arc from -> to? With from = to that is all but this point. */
export function isInArc(x: Uint8Array, from: Uint8Array, to: Uint8Array): boolean {
  putId(0, x)
  putId(1, from)
  putId(2, to)
  return addon.ringInArc() !== 0
}

/** (to - from) mod 2^256 as the nearest double; 2^256 when they are equal (N-51). */
export function spanAsNumber(from: Uint8Array, to: Uint8Array): number {
  putId(0, from)
  putId(1, to)
  return addon.ringSpan()
}
