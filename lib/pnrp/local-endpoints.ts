import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { isUsableEndpoint } from './destination.js'
import type { CloudScope } from './interface.js'

/**
 * The Local Endpoint List out of what the host has, MS-PNRP 3.1.4.1: at most four addresses, all of
 * the cloud's scope, all with the port of the first. That they share one scope zone is up to the
 * caller: the zone cannot be seen in an address.
 */
export function chooseLocalEndpoints(
  available: readonly Endpoint[],
  scope: CloudScope,
): readonly Endpoint[] {
  const chosen: Endpoint[] = []
  for (const endpoint of available) {
    if (chosen.length === LIMITS.localEndpoints) break
    if (!isUsableEndpoint(endpoint, scope)) continue
    if (chosen.length > 0 && endpoint.port !== (chosen[0] as Endpoint).port) continue
    if (chosen.some((other) => sameEndpoint(other, endpoint))) continue
    chosen.push({ address: endpoint.address.slice(), port: endpoint.port })
  }
  return Object.freeze(chosen)
}

/** Do both lists hold the same endpoints, in whatever order? */
export function sameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  if (a.length !== b.length) return false
  return a.every((endpoint) => b.some((other) => sameEndpoint(endpoint, other)))
}
