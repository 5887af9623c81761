import { checkArgument } from '../core/errors.js'
import { row } from '../native/codec.js'

const MAXIMUM = 0xffff_ffff_ffff_ffffn

// Arithmetic on bigints costs an allocation for each step, these two views cost none.
const whole = new BigUint64Array(1)
const halves = new Uint32Array(whole.buffer)
whole[0] = 1n
const LOW = halves[0] === 1 ? 0 : 1
const HIGH = 1 - LOW

/** FILETIME (100 ns ticks since 1601) from two words of the row, the low one first. */
export function ticksAt(index: number): bigint {
  halves[LOW] = row[index] as number
  halves[HIGH] = row[index + 1] as number
  return whole[0] as bigint
}

export function putTicks(index: number, ticks: bigint): void {
  checkArgument(ticks >= 0n && ticks <= MAXIMUM, 'notAfter has to be an unsigned 64-bit number')
  whole[0] = ticks
  row[index] = halves[LOW] as number
  row[index + 1] = halves[HIGH] as number
}

/** As it stands on the wire, least significant byte first. */
export function writeTicks(bytes: Uint8Array, at: number, ticks: bigint): void {
  whole[0] = ticks
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = (halves[LOW] as number) >>> (8 * i)
    bytes[at + 4 + i] = (halves[HIGH] as number) >>> (8 * i)
  }
}
