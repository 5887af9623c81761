import { networkInterfaces } from 'node:os'
import { hostAddress, isMapped, type WsdLink } from '../discovery/wsd/links.js'
import type { InterfaceSource } from './interfaces.js'

/**
 * The interfaces that have addresses now, of either family. They are named as the system writes the
 * zone of a link-local address: by name, on Windows by index.
 */
export function wsdLinks(
  loopback = false,
  source: InterfaceSource = networkInterfaces,
  platform: NodeJS.Platform = process.platform,
): WsdLink[] {
  return Object.entries(source()).flatMap(([name, entries = []]) => {
    const used = entries.filter((entry) => loopback || !entry.internal)
    const addresses = used.flatMap(({ address: text, cidr }) => {
      const address = hostAddress(text)
      const length = Number(/\/(\d{1,3})$/.exec(cidr ?? '')?.[1] ?? Number.NaN)
      if (address === undefined || Number.isNaN(length)) return []
      return [{ address, prefixBits: isMapped(address) ? 96 + length : length }]
    })
    const index = used.find((entry) => entry.family === 'IPv6' && entry.scopeid !== 0)?.scopeid
    const zone = platform === 'win32' && index !== undefined ? String(index) : name
    return addresses.length === 0 ? [] : [{ name: zone, addresses }]
  })
}
