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
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) {
    groups.push(((address[i] as number) << 8) | (address[i + 1] as number))
  }
  const { at, length } = longestZeroRun(groups)
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, at))}::${text(groups.slice(at + length))}`
}

/** The leftmost of the longest ones, RFC 5952 4.2.3. */
function longestZeroRun(groups: readonly number[]): { at: number; length: number } {
  const best = { at: 0, length: 0 }
  let length = 0
  groups.forEach((group, i) => {
    length = group === 0 ? length + 1 : 0
    if (length <= best.length) return
    best.at = i + 1 - length
    best.length = length
  })
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

/** Like `parseEndpoint`, throwing ERR_PEERNET_INVALID_ARG with the offending text. */
export function requireEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text)
  if (endpoint === undefined) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', `not an [IPv6 address]:port: ${text}`)
  }
  return endpoint
}
