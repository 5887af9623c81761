import type { Endpoint } from '../core/endpoint.js'
import { checkArgument } from '../core/errors.js'
import type { CloudScope } from '../pnrp/interface.js'

/** IANA's port of PNRP. */
export const DEFAULT_PORT = 3540

const LOWEST_LOOPBACK_PORT = 10_000

/**
 * An address of its own for each host, by its index: every global host has a /64 of its own, link-
 * and site-local hosts share theirs, loopback hosts share `::1` and differ by port (N-67).
 * @param moves how often the host has got a new address so far
 */
export function endpointOfHost(index: number, scope: CloudScope, moves = 0): Endpoint {
  const address = new Uint8Array(16)
  const view = new DataView(address.buffer)
  if (scope === 'loopback') {
    const port = LOWEST_LOOPBACK_PORT + index
    checkArgument(port <= 65_535, 'no more ports for hosts on ::1')
    address[15] = 1
    return { address, port }
  }
  if (scope === 'global') {
    view.setUint32(0, 0x20010db8)
    view.setUint32(4, index)
  } else {
    view.setUint16(0, scope === 'link-local' ? 0xfe80 : 0xfec0)
  }
  view.setUint32(8, moves)
  view.setUint32(12, index + 1)
  return { address, port: DEFAULT_PORT }
}
