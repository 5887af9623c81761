import { formatAddress, parseAddress } from '../../core/address-text.js'
import { equalBytes } from '../../core/bytes.js'
import type { Endpoint } from '../../core/endpoint.js'
import { addressKind, commonAddressBits } from '../../core/ipv6.js'

/**
 * Addresses of discovery have 16 bytes; those of IPv4 are mapped (`::ffff:a.b.c.d`), so that one
 * comparison of prefixes serves both families.
 */
export interface LinkAddress {
  readonly address: Uint8Array
  /** Length of the on-link prefix in bits of the 16 bytes: 96 + n for IPv4. */
  readonly prefixBits: number
}

/** An interface on which peers are looked for and answered. */
export interface WsdLink {
  /** The interface's name: the zone of link-local addresses. */
  readonly name: string
  readonly addresses: readonly LinkAddress[]
}

/** D 2.1: the groups of WS-Discovery. */
export const WSD_PORT = 3702
export const WSD_GROUP_4: Endpoint = { address: mapped(239, 255, 255, 250), port: WSD_PORT }
export const WSD_GROUP_6: Endpoint = {
  address: Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c),
  port: WSD_PORT,
}

function mapped(...bytes: readonly number[]): Uint8Array {
  const out = new Uint8Array(16)
  out.fill(0xff, 10, 12)
  out.set(bytes, 12)
  return out
}

/** Is this an IPv4 address in its 16 bytes? */
export function isMapped(address: Uint8Array): boolean {
  if (address[10] !== 0xff || address[11] !== 0xff) return false
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false
  return true
}

/** The 16 bytes of an IPv4 or IPv6 address in text, its zone cut off; undefined for others. */
export function hostAddress(text: string): Uint8Array | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return parseAddress(text)?.address
  return parts.every((part) => part < 256) ? mapped(...parts) : undefined
}

/** An address as hosts are written: IPv4 with dots, IPv6 without brackets and zone. */
export function formatHost(address: Uint8Array): string {
  return isMapped(address) ? address.subarray(12).join('.') : formatAddress(address)
}

/** Is this an address that one host can have, other than its own loopback? */
export function isUnicast(address: Uint8Array): boolean {
  if (!isMapped(address)) {
    return ['global', 'site-local', 'link-local'].includes(addressKind(address))
  }
  const first = address[12] as number
  return first !== 0 && first !== 127 && first < 224
}

export const isLinkLocal = (address: Uint8Array): boolean => addressKind(address) === 'link-local'

/** The address of a link whose prefix holds this one. */
export function neighbourOf(link: WsdLink, address: Uint8Array): LinkAddress | undefined {
  return link.addresses.find(
    ({ address: own, prefixBits }) =>
      commonAddressBits(own, address, prefixBits) === prefixBits &&
      isMapped(own) === isMapped(address),
  )
}

/**
 * The link that a datagram came over, or undefined when its source is no neighbour: discovery stays
 * on the local subnet (D 3.1.4.1, 5), so strangers neither draw answers nor plant peers. `zone`:
 * name of the interface where a link-local source is, else ''.
 */
export function linkOf(
  links: readonly WsdLink[],
  address: Uint8Array,
  zone: string,
): WsdLink | undefined {
  if (isLinkLocal(address)) return links.find(({ name }) => name === zone)
  return links.find((link) => neighbourOf(link, address) !== undefined)
}

export function isOwnAddress(links: readonly WsdLink[], address: Uint8Array): boolean {
  return links.some((link) => link.addresses.some((one) => equalBytes(one.address, address)))
}
