import { bytesKey, equalBytes } from './bytes.js'

/**
 * An IPv6 UDP endpoint. `address` is 16 bytes, network order; `port` 0..65535. There is no scope
 * id: a link-local address is meant in the zone of the cloud that handles it (MS-PNRP 2.2.3.6).
 * Endpoints are immutable by convention: never write into `address`.
 */
export interface Endpoint {
  readonly address: Uint8Array
  readonly port: number
}

/** Addresses met lately, by a hash of their bytes; each slot holds the latest of its hash. */
const met = new Array<Uint8Array | undefined>(256)

/**
 * The 16 bytes at an offset as an address: a copy, or the same array as last time. A node meets
 * the same addresses over and over, so this spares most allocations, and comparisons too.
 */
export function addressAt(bytes: Uint8Array, at: number): Uint8Array {
  const slot =
    ((bytes[at + 15] as number) ^ (bytes[at + 14] as number) ^ (bytes[at + 7] as number)) & 0xff
  const known = met[slot]
  if (known !== undefined && isAt(known, bytes, at)) return known
  const address = new Uint8Array(16)
  for (let i = 0; i < 16; i++) address[i] = bytes[at + i] as number
  met[slot] = address
  return address
}

function isAt(address: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 15; i >= 0; i--) if (address[i] !== bytes[at + i]) return false
  return true
}

/** Map key of an endpoint: 16 address characters and one for the port (not for display). */
export function endpointKey(endpoint: Endpoint): string {
  return bytesKey(endpoint.address) + String.fromCharCode(endpoint.port)
}

/** N-65: nodes are recognised by address and port together. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && equalBytes(a.address, b.address)
}
