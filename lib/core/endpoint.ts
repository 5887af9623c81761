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

/** Map key of an endpoint: 16 address characters and one for the port (not for display). */
export function endpointKey(endpoint: Endpoint): string {
  return bytesKey(endpoint.address) + String.fromCharCode(endpoint.port)
}

/** A copy that may outlive the datagram (decoded endpoints are views into it). */
export function keepEndpoint({ address, port }: Endpoint): Endpoint {
  return { address: address.slice(), port }
}

/** N-65: nodes are recognised by address and port together. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && equalBytes(a.address, b.address)
}
