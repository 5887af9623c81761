import { LIMITS } from '../core/limits.js'
import { spanAsNumber } from '../native/ring.js'
import type { CloudContext } from './context.js'

const RING = 2 ** 256

/** How big the cloud seems to be, as one node sees it. */
export interface CloudSize {
  /** Registered PNRP IDs. */
  readonly ids: number
  readonly nodes: number
}

/**
 * MS-PNRP 3.2.6.2.1.1. The arc between the two neighbours of a local ID holds that ID and half of
 * each neighbour's share: two IDs' worth of the ring. Undefined when no local ID has neighbours on
 * both sides, or all estimates are implausible.
 */
export function estimateCloudSize(context: CloudContext): CloudSize | undefined {
  const { cache, parts } = context
  let sum = 0
  let counted = 0
  for (const { pnrpId } of parts.registrations.all()) {
    const a = cache.below(pnrpId)
    const b = cache.above(pnrpId)
    if (a === undefined || b === undefined) continue
    // N-51: both neighbours the same ID is the whole ring (spanAsNumber says 2^256).
    const estimate = (2 * RING) / spanAsNumber(a.pnrpId, b.pnrpId)
    // The same name registered many times makes neighbours implausibly close.
    if (estimate >= 2 ** 32) continue
    sum += estimate
    counted++
  }
  if (counted === 0) return undefined
  const ids = sum / counted
  return { ids, nodes: ids / parts.registrations.size }
}

/**
 * The same from whole leaf sets: ten gaps instead of two, so within a third or so of the truth
 * where the estimate of the specification is often off by three. For what has to fit the cloud's
 * size.
 */
export function steadyCloudSize(context: CloudContext): number | undefined {
  const { cache, parts } = context
  let ids = 0
  let share = 0
  let left = LIMITS.cloudSizeSample
  for (const { pnrpId } of parts.registrations.all()) {
    if (left-- === 0) break
    const { smaller, greater } = cache.leafSet(pnrpId)
    const a = smaller.at(-1)
    const b = greater.at(-1)
    if (a === undefined || b === undefined) continue
    // In a small cloud the two sides meet: then the leaf set is all there is.
    const arc = (spanAsNumber(a.pnrpId, pnrpId) + spanAsNumber(pnrpId, b.pnrpId)) / RING
    ids += smaller.length + greater.length
    share += Math.min(1, arc)
  }
  // As above: one name registered by all packs the IDs into a corner of the ring.
  if (share === 0 || ids / share >= 2 ** 32) return undefined
  return ids / share / parts.registrations.size
}
