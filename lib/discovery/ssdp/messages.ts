import { formatEndpoint, parseEndpoint } from '../../core/address-text.js'
import type { Endpoint } from '../../core/endpoint.js'
import { parseText, type SsdpText, type TextFault } from './text.js'

/**
 * The SSDP messages that PNRP needs (UPnP Device Architecture 1.0, sections 1.1 and 1.2), in the
 * form in which Windows sends them. They say where a PNRP node listens in the header AL, as
 * `[address]:port` (MS-PNRP 3.1.5.1, 3.2.4.1).
 */
export type SsdpMessage =
  /** M-SEARCH: who has this target? Answers are spread over `mxSeconds`. */
  | { readonly type: 'search'; readonly searchTarget: string; readonly mxSeconds: number }
  | { readonly type: 'response'; readonly searchTarget: string; readonly endpoint: Endpoint }
  /** NOTIFY ssdp:alive. */
  | { readonly type: 'alive'; readonly searchTarget: string; readonly endpoint: Endpoint }
  /** NOTIFY ssdp:byebye. */
  | { readonly type: 'byebye'; readonly searchTarget: string }

export type SsdpFault =
  TextFault | 'search-target' | 'man' | 'mx' | 'endpoint' | 'notification-type'

export type SsdpDecoded =
  | { readonly ok: true; readonly message: SsdpMessage }
  | { readonly ok: false; readonly reason: SsdpFault }

/** ff02::c, port 1900: where searches and notifications go (N-39). */
export const SSDP_GROUP: Endpoint = {
  address: new Uint8Array([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c]),
  port: 1900,
}

/** What Windows asks for. */
export const SEARCH_MX_SECONDS = 3
/** Lifetime of an announcement, as Windows gives it. */
export const MAX_AGE_SECONDS = 14_400

const MX_MAX_SECONDS = 120
/** `[8 groups of 4]:65535` is 47 characters. */
const ENDPOINT_MAX_LENGTH = 54

// Windows writes no space after the colon.
const HOST = 'Host:[FF02::C]:1900'

/** M-SEARCH. */
export function encodeSearch(searchTarget: string): Uint8Array {
  return encode('M-SEARCH * HTTP/1.1', [
    HOST,
    `ST:${searchTarget}`,
    'Man:"ssdp:discover"',
    `MX:${SEARCH_MX_SECONDS}`,
  ])
}

/** The answer to a search. */
export function encodeResponse(searchTarget: string, endpoint: Endpoint): Uint8Array {
  const text = formatEndpoint(endpoint)
  return encode('HTTP/1.1 200 OK', [
    `ST:${searchTarget}`,
    `USN:${text}`,
    `AL:${text}`,
    `Cache-Control:max-age=${MAX_AGE_SECONDS}`,
    'Ext:',
  ])
}

/** NOTIFY ssdp:alive. */
export function encodeAlive(searchTarget: string, endpoint: Endpoint): Uint8Array {
  const text = formatEndpoint(endpoint)
  return encode('NOTIFY * HTTP/1.1', [
    HOST,
    `NT:${searchTarget}`,
    'NTS:ssdp:alive',
    `USN:${text}`,
    `AL:${text}`,
    `Cache-Control:max-age=${MAX_AGE_SECONDS}`,
  ])
}

/** NOTIFY ssdp:byebye. */
export function encodeByebye(searchTarget: string, endpoint: Endpoint): Uint8Array {
  return encode('NOTIFY * HTTP/1.1', [
    HOST,
    `NT:${searchTarget}`,
    'NTS:ssdp:byebye',
    `USN:${formatEndpoint(endpoint)}`,
  ])
}

function encode(startLine: string, headers: readonly string[]): Uint8Array {
  const text = [startLine, ...headers, '', ''].join('\r\n')
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** Reads any of the messages above, from whoever wrote it. Never throws. */
export function decodeSsdp(bytes: Uint8Array): SsdpDecoded {
  const text = parseText(bytes)
  const message = typeof text === 'string' ? text : read(text)
  return typeof message === 'string' ? { ok: false, reason: message } : { ok: true, message }
}

function read(text: SsdpText): SsdpMessage | SsdpFault {
  const { kind, headers } = text
  const searchTarget = headers.get(kind === 'notify' ? 'nt' : 'st')
  if (searchTarget === undefined || searchTarget === '') return 'search-target'
  if (kind === 'search') return readSearch(searchTarget, headers)
  if (kind === 'notify') {
    const type = headers.get('nts')?.toLowerCase()
    if (type === 'ssdp:byebye') return { type: 'byebye', searchTarget }
    if (type !== 'ssdp:alive') return 'notification-type'
  }
  const endpoint = readEndpoint(headers)
  if (endpoint === undefined) return 'endpoint'
  return { type: kind === 'notify' ? 'alive' : 'response', searchTarget, endpoint }
}

function readSearch(
  searchTarget: string,
  headers: ReadonlyMap<string, string>,
): SsdpMessage | SsdpFault {
  const man = headers.get('man')?.replaceAll('"', '').toLowerCase()
  if (man !== 'ssdp:discover') return 'man'
  // UPnP 1.2.3: a multicast search without MX is not answered; more than 120 means 120.
  const mx = headers.get('mx') ?? ''
  if (!/^\d{1,9}$/.test(mx)) return 'mx'
  return { type: 'search', searchTarget, mxSeconds: Math.min(Number(mx), MX_MAX_SECONDS) }
}

/** AL; only where that is missing USN, which carries the same in answers seen in the field. */
function readEndpoint(headers: ReadonlyMap<string, string>): Endpoint | undefined {
  const text = headers.get('al') ?? headers.get('usn') ?? ''
  if (text.length > ENDPOINT_MAX_LENGTH || text.includes('%')) return undefined
  return parseEndpoint(text)
}
