import { zoneIndex } from '../io/zones.js'
import type { DatagramTransport } from '../io/datagram-port.js'
import { localAddresses, type InterfaceSource, type LocalAddress } from '../io/interfaces.js'
import { SsdpSocket } from '../io/ssdp-socket.js'
import { SystemClock } from '../io/system-clock.js'
import { SystemRng } from '../io/system-rng.js'
import type { SsdpLink } from '../discovery/ssdp/links.js'
import type { CloudLocalEvent } from '../pnrp/interface.js'
import type { SsdpPort } from './cloud-host.js'

export interface SsdpOptions {
  /** Addresses that the cloud was opened with: it searches on their interfaces ... */
  readonly addresses: readonly LocalAddress[]
  /** ... and, when the cloud follows the host's global addresses, on every one that has such. */
  readonly followsGlobal: boolean
  readonly transport: DatagramTransport
  readonly deliver: (event: CloudLocalEvent) => void
}

/** Multicast discovery for one cloud (MS-PNRP 3.1.4.2.2). Opens no socket before the first use. */
export function openSsdp(options: SsdpOptions): SsdpPort {
  const { addresses, deliver, followsGlobal, transport } = options
  return new SsdpSocket({
    transport,
    clock: new SystemClock(),
    rng: new SystemRng(),
    links: () => ssdpLinks(addresses, followsGlobal),
    onFinding: ({ searchTarget, endpoint }) => {
      deliver({ type: 'ssdp-response', searchTarget, endpoint })
    },
    onUnavailable: (reason) => {
      deliver({ type: 'ssdp-unavailable', reason })
    },
  })
}

/** The interfaces to search on now, with all addresses they have. */
export function ssdpLinks(
  addresses: readonly LocalAddress[],
  followsGlobal: boolean,
  source?: InterfaceSource,
  indexOf: (name: string) => number = zoneIndex,
): SsdpLink[] {
  const present = localAddresses(source)
  const wanted = new Set(addresses.map((one) => one.interface))
  if (followsGlobal) {
    for (const one of present) if (one.kind === 'global') wanted.add(one.interface)
  }
  return [...wanted].flatMap((name) => {
    const own = present.filter((one) => one.interface === name && one.kind !== 'loopback')
    const index = indexOf(name)
    // Without a link-local address an interface cannot speak to ff02::c.
    return index === 0 || own.length === 0
      ? []
      : [{ index, addresses: own.map(({ address }) => address) }]
  })
}
