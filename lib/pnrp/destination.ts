import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { addressKind, addressPolicy, commonAddressBits } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import type { RouteEntry } from '../wire/messages.js'
import type { CloudScope } from './interface.js'

/** Where to send to reach a node; answers from `alternates` count as well (N-35). */
export interface Destination {
  readonly to: Endpoint
  readonly alternates: readonly Endpoint[]
}

const NO_ALTERNATES: readonly Endpoint[] = Object.freeze([])

/**
 * N-67: may a node of a cloud of this scope send to this endpoint? False for multicast,
 * unspecified and IPv4 addresses, for loopback outside the loopback cloud, for addresses of
 * another scope (messages never cross clouds, MS-PNRP 1.3.3), and for ports below 1025.
 */
export function isUsableEndpoint(endpoint: Endpoint, scope: CloudScope): boolean {
  return endpoint.port >= LIMITS.lowestPort && addressKind(endpoint.address) === scope
}

/** Is there any address in the entry that this node can send to (its own excepted)? */
export function isReachable(
  entry: RouteEntry,
  localEndpoints: readonly Endpoint[],
  scope: CloudScope,
): boolean {
  for (const address of entry.addresses) {
    if (isCandidate({ address, port: entry.port }, localEndpoints, scope)) return true
  }
  return false
}

/**
 * Orders the usable addresses of a route entry by RFC 3484 section 6 and takes the first.
 * Undefined when none is usable: the entry must then not be used at all.
 */
export function chooseDestination(
  entry: RouteEntry,
  localEndpoints: readonly Endpoint[],
  scope: CloudScope,
): Destination | undefined {
  let first: Endpoint | undefined
  let several: Endpoint[] | undefined
  for (const address of entry.addresses) {
    const endpoint = { address, port: entry.port }
    if (!isCandidate(endpoint, localEndpoints, scope)) continue
    if (first === undefined) first = endpoint
    else (several ??= [first]).push(endpoint)
  }
  if (first === undefined) return undefined
  if (several === undefined) return { to: first, alternates: NO_ALTERNATES }
  const [to, ...alternates] = orderDestinations(several, localEndpoints)
  return { to: to as Endpoint, alternates }
}

/**
 * RFC 3484 section 6 for endpoints of one scope: rules 5 (matching label), 6 (precedence),
 * 9 (longest matching prefix) and 10 (else unchanged). The others need facts that a cloud does not
 * have (deprecation, mobility, tunnels) or cannot differ inside one scope.
 */
export function orderDestinations(
  endpoints: readonly Endpoint[],
  localEndpoints: readonly Endpoint[],
): Endpoint[] {
  return endpoints
    .map((endpoint) => ({ endpoint, rank: rankOf(endpoint, localEndpoints) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ endpoint }) => endpoint)
}

function isCandidate(
  endpoint: Endpoint,
  localEndpoints: readonly Endpoint[],
  scope: CloudScope,
): boolean {
  if (!isUsableEndpoint(endpoint, scope)) return false
  for (const local of localEndpoints) if (sameEndpoint(local, endpoint)) return false
  return true
}

/** Rules 5, 6 and 9 in one number, the greater the better. */
function rankOf(endpoint: Endpoint, localEndpoints: readonly Endpoint[]): number {
  const { label, precedence } = addressPolicy(endpoint.address)
  let labelMatches = 0
  let prefix = 0
  for (const { address } of localEndpoints) {
    // Source selection, RFC 3484 section 5: rule 6 (matching label) before rule 8 (prefix).
    const matches = addressPolicy(address).label === label ? 1 : 0
    const bits = commonAddressBits(address, endpoint.address)
    if (matches > labelMatches || (matches === labelMatches && bits > prefix)) {
      labelMatches = matches
      prefix = bits
    }
  }
  return labelMatches * 65536 + precedence * 256 + prefix
}
