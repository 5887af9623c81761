import ipaddr from 'ipaddr.js'
import type { Endpoint } from './endpoint.js'
import { PeernetError } from './errors.js'

/** 16 bytes of an IPv6 address text (a zone such as %eth0 is split off), or undefined. */
export function parseAddress(text: string): { address: Uint8Array; zone?: string } | undefined {
  const percent = text.indexOf('%')
  const bare = percent < 0 ? text : text.slice(0, percent)
  if (!ipaddr.IPv6.isValid(bare)) return undefined
  const address = new Uint8Array(ipaddr.IPv6.parse(bare).toByteArray())
  return percent < 0 ? { address } : { address, zone: text.slice(percent + 1) }
}

/** RFC 5952 text of 16 bytes. */
export function formatAddress(address: Uint8Array): string {
  const { from, to } = longestZeroRun(address)
  if (to - from < 2) return groupsText(address, 0, GROUPS)
  return `${groupsText(address, 0, from)}::${groupsText(address, to, GROUPS)}`
}

const GROUPS = 8

function groupAt(address: Uint8Array, i: number): number {
  return ((address[2 * i] as number) << 8) | (address[2 * i + 1] as number)
}

function groupsText(address: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) {
    if (i > from) text += ':'
    text += groupAt(address, i).toString(16)
  }
  return text
}

/** The leftmost of the longest ones, RFC 5952 4.2.3: groups `from` to before `to`. */
function longestZeroRun(address: Uint8Array): { from: number; to: number } {
  const best = { from: 0, to: 0 }
  let from = 0
  for (let i = 0; i < GROUPS; i++) {
    if (groupAt(address, i) !== 0) from = i + 1
    else if (i + 1 - from > best.to - best.from) {
      best.from = from
      best.to = i + 1
    }
  }
  return best
}

/** `[address]:port`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return `[${formatAddress(endpoint.address)}]:${endpoint.port}`
}

/** Reads `[address]:port`; undefined when it is not that. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^\[([^\]]+)\]:(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const parsed = parseAddress(match[1] as string)
  const port = Number(match[2])
  return parsed === undefined || port > 65_535 ? undefined : { address: parsed.address, port }
}

/** `eth0` of `[fe80::1%eth0]:7000`; undefined when there is none. */
export function endpointZone(text: string): string | undefined {
  return /^\[[^\]%]+%([^\]]+)\]/.exec(text)?.[1]
}

/** Like `parseEndpoint`, throwing ERR_PEERNET_INVALID_ARG with the offending text. */
export function requireEndpoint(text: string): Endpoint {
  const endpoint = typeof text === 'string' ? parseEndpoint(text) : undefined
  if (endpoint === undefined) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', `not an [IPv6 address]:port: ${text}`)
  }
  return endpoint
}
