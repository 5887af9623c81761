import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphContext } from './context.js'

/** Seconds as ticks of 100 ns. */
export function ticks(seconds: number): bigint {
  return BigInt(Math.round(seconds * 10_000_000))
}

/** Neither deleted nor expired (GA-12). */
export function isLive(context: GraphContext, record: GraphRecord): boolean {
  return !record.deleted && record.expirationTime > context.peerTime
}
