/** Facts about 16-byte IPv6 addresses in network order. */

import { bytesKey } from './bytes.js'

/** What kind of address this is; one of the cloud scopes, or a kind that PNRP cannot use. */
export type AddressKind =
  | 'global'
  | 'site-local'
  | 'link-local'
  | 'loopback'
  | 'multicast'
  | 'unspecified'
  /** IPv4-mapped or IPv4-compatible: PNRP runs on IPv6 only. */
  | 'embedded-ipv4'

/** Unique local addresses (fc00::/7) have global scope: RFC 4193 3.3. */
export function addressKind(address: Uint8Array): AddressKind {
  const first = address[0] as number
  const second = address[1] as number
  if (first === 0xff) return 'multicast'
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link-local'
  if (first === 0xfe && (second & 0xc0) === 0xc0) return 'site-local'
  return first === 0 ? kindOfZeroByte(address) : 'global'
}

function kindOfZeroByte(address: Uint8Array): AddressKind {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return 'global'
  const marker = ((address[10] as number) << 8) | (address[11] as number)
  if (marker === 0xffff) return 'embedded-ipv4'
  if (marker !== 0) return 'global'
  if (address[12] !== 0 || address[13] !== 0) return 'embedded-ipv4'
  if (address[14] !== 0) return 'embedded-ipv4'
  if (address[15] === 0) return 'unspecified'
  return address[15] === 1 ? 'loopback' : 'embedded-ipv4'
}

/**
 * Whom an address counts as where limits are per address, as a Map key: whoever has a /64 has all
 * of its addresses. On loopback and on a link all nodes share a prefix, and everything that embeds
 * IPv4 (0000::/8, 64:ff9b::/96 among it) has it in the last bytes: there each address counts.
 */
export function networkKey(address: Uint8Array): string {
  const single = address[0] === 0 || addressKind(address) === 'link-local'
  return bytesKey(single ? address : address.subarray(0, 8))
}

/** Length of the common prefix in bits, at most `limit` (RFC 3484 2.2 counts whole addresses). */
export function commonAddressBits(a: Uint8Array, b: Uint8Array, limit = 128): number {
  const bytes = Math.min(16, (limit + 7) >> 3)
  for (let i = 0; i < bytes; i++) {
    const difference = (a[i] as number) ^ (b[i] as number)
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24)
  }
  return limit
}

/** Row of the policy table that an address falls in. */
export interface AddressPolicy {
  readonly precedence: number
  readonly label: number
}

const POLICY = {
  loopback: { precedence: 50, label: 0 },
  plain: { precedence: 40, label: 1 },
  sixToFour: { precedence: 30, label: 2 },
  compatible: { precedence: 20, label: 3 },
  mapped: { precedence: 10, label: 4 },
  teredo: { precedence: 5, label: 5 },
  uniqueLocal: { precedence: 3, label: 13 },
} as const satisfies Record<string, AddressPolicy>

/**
 * The default policy table of RFC 3484 2.1, with the rows for Teredo and unique local addresses
 * that its successor (RFC 6724 2.1) added: a node with global addresses only cannot reach fc00::/7.
 */
export function addressPolicy(address: Uint8Array): AddressPolicy {
  const first = address[0] as number
  if ((first & 0xfe) === 0xfc) return POLICY.uniqueLocal
  const prefix = (first << 8) | (address[1] as number)
  if (prefix === 0x2002) return POLICY.sixToFour
  if (prefix === 0x2001 && address[2] === 0 && address[3] === 0) return POLICY.teredo
  if (first !== 0) return POLICY.plain
  const kind = kindOfZeroByte(address)
  if (kind === 'loopback') return POLICY.loopback
  if (kind === 'embedded-ipv4') return address[10] === 0 ? POLICY.compatible : POLICY.mapped
  return POLICY.plain
}
