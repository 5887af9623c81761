import type { LocalAddress } from '../io/interfaces.js'
import type { CloudLocalEvent } from '../pnrp/interface.js'
import type { CloudHostOptions } from './cloud-host.js'

/** Multicast discovery for a cloud on these addresses, or why there is none. */
export function openSsdp(
  _addresses: readonly LocalAddress[],
  _deliver: (event: CloudLocalEvent) => void,
): Promise<CloudHostOptions['ssdp']> {
  return Promise.resolve({ unavailable: 'multicast discovery has not been connected yet' })
}
