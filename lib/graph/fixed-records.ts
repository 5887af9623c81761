import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'

/** The Record ID that all records of a type have. */
export function fixedIdOf(type: Guid): Guid | undefined {
  if (type === RECORD_TYPE.graphInfo) return FIXED_RECORD_ID.graphInfo
  if (type === RECORD_TYPE.signature) return FIXED_RECORD_ID.signature
  return undefined
}

/**
 * A record whose ID is fixed cannot go on under another one when a stranger has taken the last
 * version. So what counts as the last one grows with the time, and its owner has to wait a little.
 * @param now peer time; 0: not known yet
 */
export function lastVersionOf(type: Guid, now: bigint): number {
  if (now === 0n || fixedIdOf(type) === undefined) return Infinity
  return Number(now / (BigInt(LIMITS.graphVersionUs) * 10n))
}

/** Is that why the record cannot be published now? */
export function isUsedUp({ database, peerTime }: GraphContext, type: Guid): boolean {
  const id = fixedIdOf(type)
  const held = id === undefined ? undefined : database.get(id)
  return (held?.version ?? 0) >= lastVersionOf(type, peerTime)
}
