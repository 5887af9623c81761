import { isAllZero } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import type { InquireMessage, LookupMessage, RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { ResolveRequest } from './parts.js'
import type { ResolveWalk } from './resolve-walk.js'
import { emittedEntry } from './route-entry.js'

/** S9: the LOOKUP to a hop; `flagged` are endpoints that nobody needs to name. */
export function lookupMessage(
  context: CloudContext,
  request: ResolveRequest,
  walk: ResolveWalk,
  hop: RouteEntry,
  flagged: readonly Endpoint[],
): LookupMessage {
  const best = walk.currentBestMatch
  // A hop whose ID we do not know (split test) cannot be compared with.
  const acceptNotCloser =
    walk.collecting || isAllZero(hop.pnrpId) || context.cache.size < LIMITS.sparseCacheEntries
  const message: Mutable<LookupMessage> = {
    type: 'LOOKUP',
    messageId: context.newMessageId(),
    acceptNotCloser,
    precision: request.precision,
    resolveCriteria: request.criteria,
    resolveReasonCode: request.reason,
    targetPnrpId: request.target,
    validatePnrpId: hop.pnrpId,
    flaggedPath: walk.flaggedPath(flagged),
  }
  // N-15
  if (best !== undefined) message.routeEntry = emittedEntry(best)
  return message
}

/** S7: the INQUIRE to the best match, with a fresh nonce (N-10) and all that can be asked for. */
export function inquireMessage(context: CloudContext, match: RouteEntry): InquireMessage {
  return {
    type: 'INQUIRE',
    messageId: context.newMessageId(),
    wantCpa: true,
    wantExtendedPayload: true,
    wantCertificateChain: true,
    validatePnrpId: match.pnrpId,
    nonce: context.rng.bytes(16),
  }
}
