import { equalBytes } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { addressAt, pnrpIdAt } from '../core/met-bytes.js'
import type { RouteEntry } from '../wire/messages.js'

/** A copy that may outlive the datagram (decoded entries are views into it). */
export function keepEntry(entry: RouteEntry): RouteEntry {
  return {
    pnrpId: pnrpIdAt(entry.pnrpId, 0),
    port: entry.port,
    addresses: entry.addresses.map(sharedAddress),
  }
}

const sharedAddress = (address: Uint8Array): Uint8Array => addressAt(address, 0)

/** The entry as we emit it: at most four addresses (N-50). */
export function emittedEntry(entry: RouteEntry): RouteEntry {
  if (entry.addresses.length <= LIMITS.localEndpoints) return entry
  return { ...entry, addresses: entry.addresses.slice(0, LIMITS.localEndpoints) }
}

/** N-65: is one of the entry's endpoints this one? */
export function entryHasEndpoint(entry: RouteEntry, endpoint: Endpoint): boolean {
  if (entry.port !== endpoint.port) return false
  for (const address of entry.addresses) if (equalBytes(address, endpoint.address)) return true
  return false
}

/** Same port and the same set of addresses. */
export function sameAddresses(a: RouteEntry, b: RouteEntry): boolean {
  if (a.port !== b.port || a.addresses.length !== b.addresses.length) return false
  return a.addresses.every((address) => b.addresses.some((other) => equalBytes(address, other)))
}

/** N-50: all of the entry's endpoints (at least one) are among these. */
export function addressesWithin(entry: RouteEntry, endpoints: readonly Endpoint[]): boolean {
  if (entry.addresses.length === 0) return false
  return entry.addresses.every((address) =>
    endpoints.some((other) => other.port === entry.port && equalBytes(other.address, address)),
  )
}
