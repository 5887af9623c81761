import { isAllZero } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { compareDistance } from '../native/ring.js'
import type { AuthorityBuffer, RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { ResolveRequest } from './parts.js'
import type { Hop, ResolveWalk } from './resolve-walk.js'

/** 3.2.7.1: the own entry nearest the target, if one of ours may be the answer. */
export function nearestLocal(
  context: CloudContext,
  { pickBestMatchFromLocalIds, target, excludeIds }: ResolveRequest,
): RouteEntry | undefined {
  if (!pickBestMatchFromLocalIds) return undefined
  const { registrations } = context.parts
  const local = registrations.nearest(target, excludeIds)
  return local === undefined ? undefined : registrations.routeEntry(local)
}

/**
 * Where the excluded IDs are, as far as we know: nobody needs to name them to us. Those nearest the
 * target first, for a LOOKUP has room for 21.
 */
export function endpointsOfExcluded(context: CloudContext, request: ResolveRequest): Endpoint[] {
  const { excludeIds = [], target } = request
  const endpoints: Endpoint[] = []
  if (excludeIds.length === 0) return endpoints
  for (const id of [...excludeIds].sort((a, b) => compareDistance(target, a, b))) {
    const cached = context.cache.get(id)
    const address = cached?.addresses[0]
    if (cached !== undefined && address !== undefined)
      endpoints.push({ address, port: cached.port })
  }
  return endpoints
}

/**
 * L4 and 3.2.5.1: the node asked and the one it named are candidates for the cache; but not one
 * that this resolve is about to INQUIRE itself: that INQUIRE is its validation.
 */
export function submitEntries(
  context: CloudContext,
  walk: ResolveWalk,
  hop: Hop,
  from: Endpoint,
  buffer: AuthorityBuffer,
  referral: RouteEntry | undefined,
): void {
  const { admission } = context.parts
  const inquiredSoon = (entry: RouteEntry): boolean => walk.closeEnough(entry) && walk.wanted(entry)
  if (!buffer.notFound && !inquiredSoon(hop.entry) && !isAllZero(hop.entry.pnrpId)) {
    admission.submit(hop.entry, { via: 'RESOLVE', from })
  }
  if (referral !== undefined && !inquiredSoon(referral)) {
    admission.submit(referral, { via: 'AUTHORITY', from })
  }
}
