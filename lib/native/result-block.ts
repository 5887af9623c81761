import { markAsUntransferable } from 'node:worker_threads'

/**
 * Short results are carved out of blocks, as Buffer does it: an ArrayBuffer for each would cost
 * more than what made it. A result that is kept keeps its block, so long ones get their own.
 */
const BLOCK = 16_384
const LONGEST_IN_BLOCK = 2048

let block: ArrayBuffer = new ArrayBuffer(0)
let used = 0

/** Memory that the caller fills: every byte of it, for it may hold anything. */
export function resultBytes(length: number): Uint8Array {
  if (length > LONGEST_IN_BLOCK) return new Uint8Array(length)
  if (length > block.byteLength - used) {
    block = new ArrayBuffer(BLOCK)
    // Who transferred one of the results would take all others away as well.
    markAsUntransferable(block)
    used = 0
  }
  const bytes = new Uint8Array(block, used, length)
  used += length
  return bytes
}

/** A copy of the first `length` bytes, by default all. */
export function resultCopy(bytes: Uint8Array, length: number = bytes.length): Uint8Array {
  const copy = resultBytes(length)
  const whole = length === bytes.length
  copy.set(whole ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, length))
  return copy
}

/** The parts one after the other. */
export function resultOf(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = resultBytes(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
