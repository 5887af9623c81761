import { isIPv6 } from 'node:net'

/** Where a peer listens, taken apart. */
export interface PeerPlace {
  /** For the socket: with the zone of a link-local address. */
  readonly host: string
  readonly port: number
  /** For the Host header: no zone (RFC 6874 1). */
  readonly authority: string
}

const PEER =
  /^(?:\[([0-9a-fA-F:.]{2,45})(?:%([0-9A-Za-z._-]{1,32}))?\]|([0-9A-Za-z.-]{1,253})):(\d{1,5})$/

/**
 * `host:port`, `[IPv6]:port` or `[fe80::1%eth0]:port`. Undefined for everything else: nothing
 * but a place may come in by an address (DA-12).
 */
export function peerPlace(peer: string): PeerPlace | undefined {
  const [, six, zone, name, digits] = PEER.exec(peer) ?? []
  const port = Number(digits)
  if (!(port >= 1 && port <= 65_535)) return undefined
  if (six === undefined) return { host: name ?? '', port, authority: `${name}:${port}` }
  if (!isIPv6(six)) return undefined
  const host = zone === undefined ? six : `${six}%${zone}`
  return { host, port, authority: `[${six}]:${port}` }
}

/** The text of a peer; IPv6 hosts come without brackets. */
export function peerText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
