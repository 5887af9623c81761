import { uninitializedBytes } from '../../core/bytes.js'

/** More than stands before a payload, unless a security provider has a lot to say. */
const HEAD_ROOM = 16_384
/** For attributes that are not known yet. */
const TAIL_ROOM = 16_384

/** Payloads that stand where their records will be. */
const roomy = new WeakSet<Uint8Array>()

/**
 * Memory for a payload that is to be filled piece by piece, with room for its record around it:
 * `encodeRecord` then copies nothing of it, and takes the memory over.
 */
export function payloadRoom(length: number, attributesUnits: number): Uint8Array {
  const tail = Math.max(TAIL_ROOM, 8 + 2 * attributesUnits)
  const { buffer } = uninitializedBytes(HEAD_ROOM + length + tail)
  const payload = new Uint8Array(buffer, HEAD_ROOM, length)
  roomy.add(payload)
  return payload
}

/**
 * The memory around such a payload, for the one record that it gets; undefined when it is none, or
 * so many bytes before and behind it do not fit.
 */
export function takeRoom(payload: Uint8Array, head: number, tail: number): Uint8Array | undefined {
  if (payload.length === 0 || !roomy.has(payload)) return undefined
  const { buffer, byteOffset, length } = payload
  if (head > byteOffset || byteOffset + length + tail > buffer.byteLength) return undefined
  roomy.delete(payload)
  return new Uint8Array(buffer)
}
