import { addon } from './addon.js'

/**
 * The native codec (native/binding/codec.cc). Single calls read and write three shared arrays;
 * they return 0 or a length, and a negative number -n for outcome code n (codes.ts).
 */

/** One descriptor row (lib/wire/rows.ts). */
export const row: Int32Array = addon.codecRow
/** Bytes to decode, or the fields to encode. */
export const source: Uint8Array = addon.codecSource
/** What the last encode call wrote. */
export const output: Uint8Array = addon.codecOutput

/** Bytes to decode: so many of `source`, or an array of their own. */
export type Input = number | Uint8Array

export const {
  decodeMessage,
  decodeAuthority,
  decodeCpa,
  decodeExtendedPayload,
  encodeMessage,
  encodeAuthority,
  encodeCpa,
  encodeExtendedPayload,
  messageType,
  sliceFits,
  decodeBatch,
  encodeBatch,
} = addon
