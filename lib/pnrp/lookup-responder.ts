import { equalBytes, isAllZero, samePrefix } from '../core/bytes.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { below, type Rng } from '../core/rng.js'
import { compareDistance } from '../native/ring.js'
import {
  ResolveCriteria,
  type LookupMessage,
  type PnrpId,
  type RouteEntry,
} from '../wire/messages.js'
import { emptyAnswer, sendAuthority } from './authority-sender.js'
import type { CloudContext } from './context.js'

/** N-21: weights of the nearest candidates, the nearest first. */
const WEIGHTS = [4, 2, 1] as const

/**
 * Answers a LOOKUP, MS-PNRP 3.2.5.2: with the local or cached entry nearest the target, of nodes
 * that have not been asked yet. An answer always goes out (N-20), unless the asker's budget is
 * spent twice over. A resolve-only node answers like a publisher without registrations (N-62).
 */
export function answerLookup(context: CloudContext, from: Endpoint, message: LookupMessage): void {
  const { counters, parts } = context
  if (!context.budgets.lookup.take(context.now, from)) {
    answerBusy(context, from, message)
    return
  }
  if (message.routeEntry !== undefined) {
    parts.admission.submit(message.routeEntry, { via: 'LOOKUP', from })
  }
  const validateNotLocal =
    !isAllZero(message.validatePnrpId) &&
    parts.registrations.find(message.validatePnrpId) === undefined
  const local = closestLocal(context, message, validateNotLocal)
  const remote = drawRemote(context, message)
  const suspicious = remote === undefined && context.cache.inLeafRange(message.targetPnrpId)
  const routeEntry = nearer(message.targetPnrpId, local, remote)
  counters.add(routeEntry === undefined ? 'lookup.dead-end' : 'lookup.referred')
  const answer = emptyAnswer()
  answer.notFound = validateNotLocal
  answer.leafSet = suspicious
  if (routeEntry !== undefined) answer.routeEntry = routeEntry
  sendAuthority(context, from, message.messageId, answer)
}

/** N-19: B alone. These answers have a budget too: past it the LOOKUP is dropped. */
function answerBusy(context: CloudContext, from: Endpoint, message: LookupMessage): void {
  if (!context.budgets.busy.take(context.now, from)) {
    context.counters.add('drop.lookup-budget')
    return
  }
  context.counters.add('lookup.busy')
  const answer = emptyAnswer()
  answer.busy = true
  sendAuthority(context, from, message.messageId, answer)
}

/** ClosestLocalMatch: not when the asker came through this node already. */
function closestLocal(
  context: CloudContext,
  message: LookupMessage,
  validateNotLocal: boolean,
): RouteEntry | undefined {
  const { registrations } = context.parts
  if (registrations.size === 0) return undefined
  const visited = context.localEndpoints.some((own) =>
    message.flaggedPath.some((endpoint) => sameEndpoint(own, endpoint)),
  )
  if (visited) return undefined
  const { targetPnrpId, validatePnrpId } = message
  const local = registrations.nearest(targetPnrpId)
  if (local === undefined) return undefined
  if (!validateNotLocal && compareDistance(targetPnrpId, local.pnrpId, validatePnrpId) >= 0) {
    return undefined
  }
  return registrations.routeEntry(local)
}

/** ClosestRemoteMatch: one of the nearest, by lot; but the nearest if it is what is looked for. */
function drawRemote(context: CloudContext, message: LookupMessage): RouteEntry | undefined {
  const { targetPnrpId, flaggedPath } = message
  const closerThan = message.acceptNotCloser ? undefined : message.validatePnrpId
  const { cache, rng } = context
  return cache.oneOfClosest(
    targetPnrpId,
    WEIGHTS.length,
    flaggedPath,
    closerThan,
    // N-20: an entry that ends the search beats the draw.
    (found, nearest) => (found === 1 || meetsCriteria(nearest, message) ? 0 : draw(rng, found)),
  )
}

/** 0 .. candidates - 1, by their weights. */
function draw(rng: Rng, candidates: number): number {
  let total = 0
  for (let i = 0; i < candidates; i++) total += WEIGHTS[i] as number
  let lot = below(rng, total)
  for (let i = 0; i < candidates; i++) {
    lot -= WEIGHTS[i] as number
    if (lot < 0) return i
  }
  return 0
}

/** Is this ID acceptable to the asker (digest 8.3)? Precision counts for UPPER_BITS only. */
function meetsCriteria(pnrpId: PnrpId, message: LookupMessage): boolean {
  const { targetPnrpId, resolveCriteria, precision } = message
  switch (resolveCriteria) {
    case ResolveCriteria.NONE:
      return equalBytes(pnrpId, targetPnrpId)
    case ResolveCriteria.UPPER_BITS:
      return samePrefix(pnrpId, targetPnrpId, precision)
    case ResolveCriteria.ANY_PEER_NAME:
    case ResolveCriteria.NEAREST_PEER_NAME:
    case ResolveCriteria.NEAREST64_PEER_NAME:
      return samePrefix(pnrpId, targetPnrpId, 128)
  }
}

function nearer(
  target: PnrpId,
  local: RouteEntry | undefined,
  remote: RouteEntry | undefined,
): RouteEntry | undefined {
  if (local === undefined || remote === undefined) return local ?? remote
  return compareDistance(target, local.pnrpId, remote.pnrpId) <= 0 ? local : remote
}
