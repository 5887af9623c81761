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
  const wanted = context.utc - theirs
  const fresh = first && context.neverConnected && context.dialect.acceptFirstPeerTime
  if (fresh) {
    context.clockHome = wanted
  } else if (!isCredible(context, wanted)) {
    context.counters.add('ignored.peer-time')
    const offsetMs = Number((theirs - context.peerTime) / 10_000n)
    context.events.push({ type: 'clock-rejected', connection: link.connection, offsetMs })
    return
  }
  const delta = first ? wanted : (4n * context.peerTimeDelta + wanted) / 5n
  if (delta === context.peerTimeDelta) return
  context.peerTimeDelta = delta
  context.parts.records.clockChanged()
}

/**
 * 20 minutes from the peer time is the document's bound: of one step, so liars could take a node
 * anywhere in many. Ours is the same distance from this host's own time; what is nearer to that
 * than our peer time is leads back, however far away a liar has led it.
 */
function isCredible({ clockHome, peerTimeDelta }: GraphContext, wanted: bigint): boolean {
  const tolerated = BigInt(LIMITS.graphClockToleranceUs) * TICKS_PER_US
  const fromHome = distance(wanted, clockHome)
  if (fromHome > tolerated) return false
  return (
    distance(wanted, peerTimeDelta) <= tolerated || fromHome < distance(peerTimeDelta, clockHome)
  )
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b
}
