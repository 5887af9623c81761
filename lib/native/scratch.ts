import { checkArgument } from '../core/errors.js'
import { addon } from './addon.js'

/** The array shared with native/binding/cache.cc and its layout (struct Scratch there). */

const buffer = addon.cacheScratch

export const ID_BYTES = 32
export const KEY_HASH_BYTES = 20
export const ADDRESS_BYTES = 16

export const ENTRY_BYTES = 128
export const RECORD_AT = 3 * ID_BYTES
export const RESULTS_AT = RECORD_AT + ENTRY_BYTES
/** Records that fit the results. */
export const PAGE = 64
export const EXCLUDED_AT = RESULTS_AT + PAGE * ENTRY_BYTES
export const ENDPOINT_BYTES = 18
/** Endpoints that fit an exclusion list. */
export const EXCLUDED_MAX = 128

/** Offsets inside an entry. */
export const ENTRY = {
  validatedAt: 32,
  keyHash: 40,
  port: 60,
  addressCount: 62,
  hasKey: 63,
  addresses: 64,
} as const

export const bytes = new Uint8Array(buffer)
export const words = new Uint16Array(buffer)
export const doubles = new Float64Array(buffer)

/** Puts a PNRP ID into one of the three argument places. */
export function putId(place: 0 | 1 | 2, id: Uint8Array): void {
  checkArgument(id.length === ID_BYTES, 'a PNRP ID has 32 bytes')
  bytes.set(id, place * ID_BYTES)
}

/** A copy of an argument place. */
export function takeId(place: 0 | 1 | 2): Uint8Array {
  return bytes.slice(place * ID_BYTES, (place + 1) * ID_BYTES)
}
