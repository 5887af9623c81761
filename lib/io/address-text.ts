import { networkInterfaces } from 'node:os'

/**
 * Addresses as the host's own interfaces want them: only for handing them to Node and for messages.
 * Users are shown RFC 5952 text (lib/runtime/address-text.ts).
 */

/** Eight hexadecimal groups, not shortened. */
export function addressText(address: Uint8Array): string {
  let text = ''
  for (let i = 0; i < 16; i += 2) {
    const group = ((address[i] as number) << 8) | (address[i + 1] as number)
    text += (i === 0 ? '' : ':') + group.toString(16)
  }
  return text
}

/** 16 bytes of what Node reports, e.g. `fe80::1` (zone cut off before). */
export function addressBytes(text: string): Uint8Array {
  const out = new Uint8Array(16)
  const [head = '', tail] = text.split('::')
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  out.set(front, 0)
  out.set(back, 16 - back.length)
  return out
}

/** Bytes of `a:b:c`, whose last part may be dotted IPv4. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (part.includes('.')) return part.split('.').map(Number)
    const group = Number.parseInt(part, 16)
    return [group >> 8, group & 0xff]
  })
}

/** What stands behind the % of an address: the interface's name, on Windows its index. */
export function zoneText(index: number): string {
  if (process.platform === 'win32') return String(index)
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const entry of addresses ?? []) {
      if (entry.family === 'IPv6' && entry.scopeid === index) return name
    }
  }
  return String(index)
}

/** Interface index of a zone, 0 if it is unknown. */
export function zoneIndex(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone)
  for (const entry of networkInterfaces()[zone] ?? []) {
    if (entry.family === 'IPv6' && entry.scopeid !== 0) return entry.scopeid
  }
  return 0
}
