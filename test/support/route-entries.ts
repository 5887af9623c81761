// Small, readable PNRP IDs and addresses for unit tests.
import type { Endpoint } from '#lib/core/endpoint.js'
import type { RouteEntry } from '#lib/wire/messages.js'

/** A PNRP ID whose first bytes are these, the rest zero: `id(0x30)` lies at 3/16 of the ring. */
export function id(...first: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes.set(first)
  return bytes
}

/** 2001:db8::n */
export function address(n: number): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set([0x20, 0x01, 0x0d, 0xb8])
  new DataView(bytes.buffer).setUint32(12, n)
  return bytes
}

/** [2001:db8::n]:3540 */
export function endpoint(n: number, port = 3540): Endpoint {
  return { address: address(n), port }
}

/** The node with the given address number registered the given ID. */
export function entry(pnrpId: Uint8Array, ...numbers: readonly number[]): RouteEntry {
  return { pnrpId, port: 3540, addresses: numbers.map(address) }
}
