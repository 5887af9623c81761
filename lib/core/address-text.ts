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
  return new ipaddr.IPv6([...address]).toRFC5952String()
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
