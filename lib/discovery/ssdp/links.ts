import type { Endpoint } from '../../core/endpoint.js'
import { addressKind, commonAddressBits } from '../../core/ipv6.js'

/** An interface on which a cloud searches and announces. */
export interface SsdpLink {
  /** Interface index. */
  readonly index: number
  /** The host's addresses there. */
  readonly addresses: readonly Uint8Array[]
}

/** An on-link prefix; longer and shorter ones are not used on links with hosts. */
const PREFIX_BITS = 64

/**
 * The link that a datagram came over, or undefined when it is none of these. SSDP stays on the link
 * (N-39), so only neighbours count: a link-local source in the zone of a link, or a source that
 * shares the prefix of an address there. Strangers further away can thus neither draw answers nor
 * plant endpoints.
 */
export function linkOf(
  links: readonly SsdpLink[],
  from: Endpoint,
  zone: number,
): SsdpLink | undefined {
  if (addressKind(from.address) === 'link-local') return links.find(({ index }) => index === zone)
  return links.find(
    ({ addresses, index }) =>
      (zone === 0 || zone === index) &&
      addresses.some((own) => commonAddressBits(own, from.address, PREFIX_BITS) === PREFIX_BITS),
  )
}
