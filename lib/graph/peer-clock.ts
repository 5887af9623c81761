import { LIMITS } from '../core/limits.js'
import type { GraphContext } from './context.js'
import type { GraphLink } from './link.js'

const TICKS_PER_US = 10n

/**
 * 3.1.5.2.2, the digest's section 11: the initiator adjusts its peer time to that of a WELCOME. The
 * first neighbour's time is taken over, each later one pulls by a fifth.
 *
 * @param first it is the only neighbour
 */
export function adjustPeerTime(
  context: GraphContext,
  link: GraphLink,
  welcomed: bigint,
  first: boolean,
): void {
  const roundTripUs = Math.max(0, Math.round(context.now - link.connectSentAt))
  const theirs = welcomed + (BigInt(roundTripUs) * TICKS_PER_US) / 2n
  const off = theirs - context.peerTime
  const tolerated = BigInt(LIMITS.graphClockToleranceUs) * TICKS_PER_US
  const fresh = first && context.neverConnected && context.config.dialect.acceptFirstPeerTime
  if (!fresh && (off > tolerated || off < -tolerated)) {
    context.counters.add('ignored.peer-time')
    const offsetMs = Number(off / 10_000n)
    context.events.push({ type: 'clock-rejected', connection: link.connection, offsetMs })
    return
  }
  const wanted = context.utc - theirs
  const delta = first ? wanted : (4n * context.peerTimeDelta + wanted) / 5n
  if (delta === context.peerTimeDelta) return
  context.peerTimeDelta = delta
  context.parts.records.clockChanged()
}
