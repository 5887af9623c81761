import { checkArgument } from '../core/errors.js'
import { row } from '../native/codec.js'
import { word } from './fields.js'

const MAXIMUM = 0xffff_ffff_ffff_ffffn

/** FILETIME (100 ns ticks since 1601) from two words of the row, the low one first. */
export function ticksAt(index: number): bigint {
  return (BigInt(word(index + 1)) << 32n) | BigInt(word(index))
}

export function putTicks(index: number, ticks: bigint): void {
  checkArgument(ticks >= 0n && ticks <= MAXIMUM, 'notAfter has to be an unsigned 64-bit number')
  row[index] = Number(ticks & 0xffff_ffffn)
  row[index + 1] = Number(ticks >> 32n)
}
