import { networkInterfaces } from 'node:os'

/**
 * What stands behind the % of an address: the interface's name, on Windows its index. Undefined for
 * an interface that does not exist or has no link-local address.
 */
export function zoneText(index: number): string | undefined {
  if (process.platform === 'win32') return String(index)
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const entry of addresses ?? []) {
      if (entry.family === 'IPv6' && entry.scopeid === index) return name
    }
  }
  return undefined
}

/** Interface index of a zone, 0 if it is unknown. */
export function zoneIndex(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone)
  for (const entry of networkInterfaces()[zone] ?? []) {
    if (entry.family === 'IPv6' && entry.scopeid !== 0) return entry.scopeid
  }
  return 0
}
