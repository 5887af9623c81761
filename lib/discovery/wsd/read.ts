import { fromHex } from '../../core/bytes.js'
import { LIMITS } from '../../core/limits.js'
import { decodeSegmentAges } from '../../wire/segment-ages.js'
import {
  ACTION,
  MATCH_BY,
  NAMESPACE,
  TYPE,
  type DiscoveryMessage,
  type DiscoveryVersion,
  type PeerAddress,
  type Probe,
  type ProbeMatch,
  type ProbeMatches,
  type SegmentState,
} from './messages.js'
import { childrenOf, onlyChild, parseXml, type XmlElement, type XmlFault } from './xml.js'

/**
 * Why a datagram is no message of ours. `other`: one of WS-Discovery for somebody else, which is no
 * fault; the port is shared.
 */
export type DiscoveryFault = XmlFault | 'other' | 'header' | 'scopes' | 'match'

const ID_LENGTHS = [32, 48, 64]
const { soap, wsa, wsd, PeerDist } = NAMESPACE

const words = (text: string): string[] => text.split(/[ \t\r\n]+/).filter((word) => word !== '')

const textOf = (parent: XmlElement | undefined, uri: string, local: string): string | undefined =>
  onlyChild(parent, uri, local)?.text.trim()

/**
 * Reads a datagram of MS-PCCRD, by namespaces and not by prefixes (DA-11). Never throws; bounded by
 * LIMITS.wsd….
 */
export function decodeDiscovery(bytes: Uint8Array): DiscoveryMessage | DiscoveryFault {
  const root = parseXml(bytes)
  if (typeof root === 'string') return root
  if (root.uri !== soap || root.local !== 'Envelope') return 'other'
  const header = onlyChild(root, soap, 'Header')
  const body = onlyChild(root, soap, 'Body')
  const action = textOf(header, wsa, 'Action')
  const messageId = textOf(header, wsa, 'MessageID')
  if (action === ACTION.probe) return probeIn(body, messageId)
  if (action === ACTION.probeMatches) return matchesIn(header, body, messageId)
  return 'other'
}

/** D 2.2.3.1: which of our types, if any, a list of qualified names contains. */
function versionIn(types: XmlElement | undefined): DiscoveryVersion | undefined {
  if (types === undefined) return undefined
  const names = words(types.text).map((name) => {
    const [prefix, local] = name.includes(':') ? name.split(':', 2) : ['', name]
    return types.namespaceOf(prefix ?? '') === PeerDist ? local : undefined
  })
  if (names.includes(TYPE[2])) return 2
  return names.includes(TYPE[1]) ? 1 : undefined
}

function isMessageId(id: string | undefined): id is string {
  return id !== undefined && id !== '' && id.length <= LIMITS.wsdMessageIdLength
}

function probeIn(
  body: XmlElement | undefined,
  messageId: string | undefined,
): Probe | DiscoveryFault {
  const probe = onlyChild(body, wsd, 'Probe')
  const version = versionIn(onlyChild(probe, wsd, 'Types'))
  if (version === undefined) return 'other'
  if (!isMessageId(messageId)) return 'header'
  const scopes = onlyChild(probe, wsd, 'Scopes')
  if (scopes?.attribute('MatchBy')?.trim() !== MATCH_BY[version]) return 'scopes'
  if (version === 1) {
    const spellings = words(scopes.text)
    const segmentIds = hexIds(spellings)
    return segmentIds === undefined
      ? 'scopes'
      : { type: 'probe', version, messageId, segmentIds, spellings }
  }
  const segmentIds = packedIds(scopes.text)
  return segmentIds === undefined ? 'scopes' : { type: 'probe', version, messageId, segmentIds }
}

function hexIds(spellings: readonly string[]): Uint8Array[] | undefined {
  if (spellings.length === 0 || spellings.length > LIMITS.wsdSegmentIds) return undefined
  const ids = spellings.map(fromHex)
  return ids.every((id) => id !== undefined && ID_LENGTHS.includes(id.length))
    ? (ids as Uint8Array[])
    : undefined
}

/** Strict base64, blanks between allowed. */
function fromBase64(text: string): Uint8Array | undefined {
  const packed = text.replaceAll(/[ \t\r\n]/g, '')
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return undefined
  return new Uint8Array(Buffer.from(packed, 'base64'))
}

/** D 2.2.3.3: size of an ID (16 bits), number of IDs (8 bits), the IDs. */
function packedIds(text: string): Uint8Array[] | undefined {
  const bytes = fromBase64(text)
  if (bytes === undefined || bytes.length < 3) return undefined
  const size = (bytes[0] as number) * 256 + (bytes[1] as number)
  const count = bytes[2] as number
  if (!ID_LENGTHS.includes(size) || count === 0 || bytes.length !== 3 + size * count) {
    return undefined
  }
  return Array.from({ length: count }, (_, i) => bytes.slice(3 + i * size, 3 + (i + 1) * size))
}

function numberIn(element: XmlElement | undefined, name: string): number | undefined {
  const text = element?.attribute(name)?.trim() ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function matchesIn(
  header: XmlElement | undefined,
  body: XmlElement | undefined,
  messageId: string | undefined,
): ProbeMatches | DiscoveryFault {
  const all = childrenOf(onlyChild(body, wsd, 'ProbeMatches'), wsd, 'ProbeMatch')
  const ours = all.filter((match) => versionIn(onlyChild(match, wsd, 'Types')) !== undefined)
  if (ours.length === 0) return 'other'
  const relatesTo = textOf(header, wsa, 'RelatesTo') ?? ''
  if (!isMessageId(messageId) || relatesTo.length > LIMITS.wsdMessageIdLength) return 'header'
  const sequence = onlyChild(header, wsd, 'AppSequence')
  const matches = ours.slice(0, LIMITS.wsdMatches).map(matchIn)
  if (matches.some((match) => match === undefined)) return 'match'
  return {
    type: 'probe-matches',
    messageId,
    relatesTo,
    instanceId: numberIn(sequence, 'InstanceId') ?? 0,
    messageNumber: numberIn(sequence, 'MessageNumber') ?? 0,
    matches: matches as ProbeMatch[],
  }
}

function matchIn(match: XmlElement): ProbeMatch | undefined {
  const version = versionIn(onlyChild(match, wsd, 'Types'))
  const reference = onlyChild(match, wsa, 'EndpointReference')
  const endpoint = textOf(reference, wsa, 'Address') ?? ''
  const addresses = addressesIn(textOf(match, wsd, 'XAddrs') ?? '')
  const scopes = onlyChild(match, wsd, 'Scopes')?.text
  const data = onlyChild(match, PeerDist, 'PeerDistData')
  if (addresses.length === 0 || scopes === undefined || endpoint.length > 256) return undefined
  if (version === 2) {
    const bits = fromBase64(scopes)
    if (bits === undefined || bits.length > 64) return undefined
    const blob = fromBase64(textOf(data, PeerDist, 'SegmentAges') ?? '')
    const ages = (blob === undefined ? undefined : decodeSegmentAges(blob)) ?? []
    return { version, endpoint, addresses, states: statesIn(bits), ages }
  }
  const ids = hexIds(words(scopes))
  const counts = ids && blockCounts(textOf(data, PeerDist, 'BlockCount') ?? '', ids.length)
  if (ids === undefined || counts === undefined) return undefined
  const segments = ids.map((id, i) => ({ id, blockCount: counts[i] as number }))
  return { version: 1, endpoint, addresses, segments }
}

/** DA-9: 8 hex digits a segment, or 4 as the specification's text has it. */
function blockCounts(text: string, count: number): number[] | undefined {
  const digits = text.replaceAll(/[ \t\r\n]/g, '')
  const width = digits.length / count
  if ((width !== 8 && width !== 4) || !/^[0-9a-fA-F]+$/.test(digits)) return undefined
  return Array.from({ length: count }, (_, i) =>
    Number.parseInt(digits.slice(i * width, (i + 1) * width), 16),
  )
}

/**
 * D 2.2.3.3, DA-13: two bits a segment, the first in the highest bits; having, then completeness.
 */
function statesIn(bits: Uint8Array): SegmentState[] {
  return Array.from({ length: bits.length * 4 }, (_, i) => {
    const pair = ((bits[i >> 2] as number) >> (6 - 2 * (i & 3))) & 3
    if (pair === 3) return 'complete'
    return pair === 2 ? 'some' : 'none'
  })
}

/** DA-12: `host:port`, or a URL that begins with it. What is neither is passed over. */
function addressesIn(text: string): PeerAddress[] {
  const found: PeerAddress[] = []
  for (const word of words(text).slice(0, LIMITS.wsdAddresses)) {
    const match =
      /^(?:http:\/\/)?(?:\[([0-9a-fA-F:.%\w]{2,64})\]|([\w.-]{1,255})):(\d{1,5})(?:\/.*)?$/.exec(
        word,
      )
    const host = match?.[1] ?? match?.[2]
    const port = Number(match?.[3])
    if (host !== undefined && port >= 1 && port <= 65_535) found.push({ host, port })
  }
  return found
}
