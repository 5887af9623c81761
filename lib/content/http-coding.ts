import type { ContentVersion } from './algorithms.js'

/** The content coding `peerdist` in HTTP headers (MS-PCCRTP 2.2); names are in lower case. */

export type Headers = Readonly<Record<string, string | readonly string[] | number | undefined>>

export const VARY = 'Accept-Encoding, X-P2P-PeerDist, X-P2P-PeerDistEx'

/** What a client that takes content information said. */
export interface Offer {
  /** The version that the answer names (note <3>). */
  readonly version: '1.0' | '1.1'
  /** Versions of content information that it understands. */
  readonly low: ContentVersion
  readonly high: ContentVersion
}

function valueOf(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  if (value === undefined) return undefined
  return typeof value === 'object' ? value.join(', ') : String(value)
}

/** `name=value` pairs, names in lower case. */
function parameters(text: string): Map<string, string> {
  const out = new Map<string, string>()
  for (const part of text.split(',')) {
    const [name = '', ...value] = part.split('=')
    if (value.length > 0) out.set(name.trim().toLowerCase(), value.join('=').trim())
  }
  return out
}

const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === 'true'

function versionIn(text: string | undefined): readonly [number, number] | undefined {
  const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text ?? '')
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}

/** Whether `peerdist` is among the codings, not with a weight of 0 (RFC 9110 12.5.3). */
export function acceptsCoding(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((part) => {
    const [coding = '', ...rest] = part.split(';').map((word) => word.trim().toLowerCase())
    const weight = rest.find((word) => /^q\s*=/.test(word))
    return coding === 'peerdist' && !(weight !== undefined && /^q\s*=\s*0(\.0*)?$/.test(weight))
  })
}

/** What a request offers to take, or undefined when it has to get the content itself. */
export function readOffer(headers: Headers): Offer | undefined {
  const base = valueOf(headers, 'x-p2p-peerdist')
  if (base === undefined) return undefined
  const said = parameters(base)
  const version = versionIn(said.get('version'))
  if (version?.[0] !== 1 || isTrue(said.get('missingdatarequest'))) return undefined
  const extended = valueOf(headers, 'x-p2p-peerdistex')
  const more = parameters(extended ?? '')
  // DA-30: the wish for hashes accepts the coding.
  const accepts =
    acceptsCoding(valueOf(headers, 'accept-encoding') ?? '') || isTrue(more.get('hashrequest'))
  if (!accepts) return undefined
  const answer = version[1] >= 1 ? '1.1' : '1.0'
  const [low, high] = [more.get('mincontentinformation'), more.get('maxcontentinformation')]
  // DA-31
  if (low === undefined && high === undefined) return { version: answer, low: 1, high: 1 }
  const [least, greatest] = [versionIn(low), versionIn(high)]
  const isDefined = (one: readonly [number, number] | undefined): boolean =>
    one !== undefined && one[1] === 0 && (one[0] === 1 || one[0] === 2)
  // DA-32
  if (!isDefined(least) || !isDefined(greatest)) return undefined
  const [from, to] = [least?.[0], greatest?.[0]] as [ContentVersion, ContentVersion]
  return from <= to ? { version: answer, low: from, high: to } : undefined
}

/** Facts of a response that decide whether it may be offered as hashes. */
export interface Entity {
  readonly method: string | undefined
  readonly status: number
  readonly request: Headers
  readonly response: Headers
  /** Undefined when it is not known. */
  readonly length: number | undefined
  /** Milliseconds since Last-Modified; undefined when that names no date. */
  readonly ageMs: number | undefined
}

/** Dates of HTTP have whole seconds. */
const DATE_STEP_MS = 2000

/**
 * Whether a response may go out as content information: the whole of it, to be told apart by a
 * validator (T 3.2), meant for everybody, long enough, and not in another coding.
 */
export function isOfferable(entity: Entity, minimumBytes: number): boolean {
  const { method, status, request, response, length, ageMs = 0 } = entity
  if (method !== 'GET' || status !== 200 || validatorOf(response) === undefined) return false
  // RFC 9110 8.8.2.2: what was changed in this second may be changed once more under its date.
  if (response['etag'] === undefined && ageMs < DATE_STEP_MS) return false
  // DA-29: ranges are answered with bytes.
  if (request['range'] !== undefined || response['content-range'] !== undefined) return false
  const coding = valueOf(response, 'content-encoding')?.toLowerCase()
  if (coding !== undefined && coding !== 'identity') return false
  if (response['set-cookie'] !== undefined) return false
  // They need chunks, and content information comes with its length.
  if (response['trailer'] !== undefined) return false
  const control = (valueOf(response, 'cache-control') ?? '').toLowerCase()
  if (/\b(?:private|no-store|no-transform)\b/.test(control)) return false
  if (request['authorization'] !== undefined && !/\bpublic\b/.test(control)) return false
  if (valueOf(response, 'vary')?.includes('*') === true) return false
  return length === undefined || length >= Math.max(1, minimumBytes)
}

/** Names in Vary that make no difference to the content itself. */
const OWN_VARY = new Set(['', ...VARY.toLowerCase().split(', ')])

/**
 * Names and values of the request's fields that the response depends on by its own word: a date,
 * unlike an entity tag, may be the same for what one client and what another one gets.
 */
export function varyingValues(request: Headers, response: Headers): string[] {
  const names = (valueOf(response, 'vary') ?? '').split(',').map((name) => name.trim())
  return names
    .map((name) => name.toLowerCase())
    .filter((name) => !OWN_VARY.has(name))
    .sort()
    .flatMap((name) => [name, valueOf(request, name) ?? ''])
}

/** The entity tag or else the date; undefined when there is neither. */
export function validatorOf(response: Headers): string | undefined {
  return valueOf(response, 'etag') ?? valueOf(response, 'last-modified')
}

/** Headers of a response whose body is content information of `length` bytes of content. */
export function codedHeaders(
  { version }: Offer,
  length: number,
  infoLength: number,
): Record<string, string | number> {
  return {
    'Content-Encoding': 'peerdist',
    'Content-Length': infoLength,
    'X-P2P-PeerDist': `Version=${version}, ContentLength=${length}`,
  }
}

/** Headers of the content itself while its hashes are being made (T 3.2.5.1). */
export function hashesComing({ version }: Offer): Record<string, string> {
  if (version === '1.0') return {}
  return { 'X-P2P-PeerDist': 'Version=1.1', 'X-P2P-PeerDistEx': 'MakeHashRequest=true' }
}

/** Headers of a request for content or its hashes (T 3.1.4). */
export function offerHeaders(high: ContentVersion, isHashRequest = false): Record<string, string> {
  const wish = isHashRequest ? ', HashRequest=true' : ''
  return {
    'Accept-Encoding': 'peerdist',
    'X-P2P-PeerDistEx': `MinContentInformation=1.0, MaxContentInformation=${high}.0${wish}`,
    'X-P2P-PeerDist': 'Version=1.1',
  }
}

/** Headers of a request for bytes that no peer had (T 2.2): it does not accept the coding. */
export const MISSING_DATA: Readonly<Record<string, string>> = {
  'X-P2P-PeerDist': 'Version=1.1, MissingDataRequest=true',
}

/** What a response says about the coding. */
export interface Coded {
  readonly isCoded: boolean
  /** Length of the content, when it is told. */
  readonly contentLength: number | undefined
  readonly wantsHashRequest: boolean
}

export function readCoded(headers: Headers): Coded {
  const length = parameters(valueOf(headers, 'x-p2p-peerdist') ?? '').get('contentlength')
  const more = parameters(valueOf(headers, 'x-p2p-peerdistex') ?? '')
  return {
    isCoded: valueOf(headers, 'content-encoding')?.trim().toLowerCase() === 'peerdist',
    contentLength: /^\d{1,15}$/.test(length ?? '') ? Number(length) : undefined,
    wantsHashRequest: isTrue(more.get('makehashrequest')),
  }
}
