import { toHex } from '../../core/bytes.js'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { encodeSegmentAges } from '../../wire/segment-ages.js'
import {
  ACTION,
  MATCH_BY,
  NAMESPACE,
  TO,
  TYPE,
  type DiscoveryMessage,
  type PeerAddress,
  type Probe,
  type ProbeMatch,
  type ProbeMatches,
  type SegmentState,
} from './messages.js'
import { escapeXml } from './xml.js'

const NAMESPACES = Object.entries(NAMESPACE)
  .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  .join('')

/**
 * An element without attributes and with both tags: some readers search for exactly that (DA-11).
 */
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The datagram of a message. Throws ERR_PEERNET_INVALID_ARG for fields that make none. */
export function encodeDiscovery(message: DiscoveryMessage): Uint8Array {
  const text = message.type === 'probe' ? probeText(message) : matchesText(message)
  const bytes = new Uint8Array(Buffer.from(text, 'utf8'))
  checkArgument(bytes.length <= LIMITS.wsdMessageBytes, 'the message is longer than a datagram')
  return bytes
}

function envelope(header: string, body: string): string {
  const content = element('soap:Header', header) + element('soap:Body', body)
  const root = `<soap:Envelope${NAMESPACES}>${content}</soap:Envelope>`
  return `<?xml version="1.0" encoding="utf-8"?>${root}`
}

function addressing(to: string, action: string, messageId: string): string {
  checkArgument(
    messageId !== '' && messageId.length <= LIMITS.wsdMessageIdLength,
    'a message ID of 1 to 256 characters is wanted',
  )
  return (
    element('wsa:To', to) +
    element('wsa:Action', action) +
    element('wsa:MessageID', escapeXml(messageId))
  )
}

function checkIds(ids: readonly Uint8Array[]): void {
  const [first] = ids
  checkArgument(
    first !== undefined && ids.length <= LIMITS.wsdSegmentIds,
    '1 to 255 segment IDs are wanted',
  )
  checkArgument(
    ids.every((id) => [32, 48, 64].includes(id.length)),
    'a segment ID has 32, 48 or 64 bytes',
  )
}

const hexOf = (id: Uint8Array): string => toHex(id).toUpperCase()

function probeText({ version, messageId, segmentIds }: Probe): string {
  checkIds(segmentIds)
  const scopes = version === 1 ? segmentIds.map(hexOf).join(' ') : packed(segmentIds)
  const probe =
    element('wsd:Types', `PeerDist:${TYPE[version]}`) +
    `<wsd:Scopes MatchBy="${MATCH_BY[version]}">${scopes}</wsd:Scopes>`
  return envelope(addressing(TO.probe, ACTION.probe, messageId), element('wsd:Probe', probe))
}

/** D 2.2.3.3. */
function packed(ids: readonly Uint8Array[]): string {
  const size = ids[0]?.length ?? 0
  checkArgument(
    ids.every((id) => id.length === size),
    'the segment IDs of a probe are equally long',
  )
  const out = new Uint8Array(3 + size * ids.length)
  out.set([size >> 8, size & 0xff, ids.length])
  ids.forEach((id, i) => {
    out.set(id, 3 + i * size)
  })
  return base64(out)
}

function matchesText(message: ProbeMatches): string {
  const { messageId, relatesTo, instanceId, messageNumber, matches } = message
  const numbers = [instanceId, messageNumber]
  checkArgument(
    numbers.every((number) => Number.isSafeInteger(number) && number >= 0),
    'InstanceId and MessageNumber are numbers',
  )
  checkArgument(
    matches.length > 0 && matches.length <= LIMITS.wsdMatches,
    '1 to 16 matches are wanted',
  )
  const header =
    addressing(TO.probeMatches, ACTION.probeMatches, messageId) +
    element('wsa:RelatesTo', escapeXml(relatesTo)) +
    `<wsd:AppSequence InstanceId="${instanceId}" MessageNumber="${messageNumber}">` +
    '</wsd:AppSequence>'
  const body = matches.map((match) => element('wsd:ProbeMatch', matchText(match))).join('')
  return envelope(header, element('wsd:ProbeMatches', body))
}

/** D 2.2.2.2: the order is fixed. */
function matchText(match: ProbeMatch): string {
  const { endpoint, version, addresses } = match
  checkArgument(addresses.length > 0, 'an answer names one address at least')
  const [scopes, data] = match.version === 1 ? dataOf1(match) : dataOf2(match)
  return (
    element('wsa:EndpointReference', element('wsa:Address', escapeXml(endpoint))) +
    element('wsd:Types', `PeerDist:${TYPE[version]}`) +
    element('wsd:Scopes', scopes) +
    element('wsd:XAddrs', addresses.map(addressText).join(' ')) +
    element('wsd:MetadataVersion', String(version)) +
    element('PeerDist:PeerDistData', data)
  )
}

/** DA-12: no scheme. */
function addressText({ host, port }: PeerAddress): string {
  const isHost = /^[\w.:%-]{1,255}$/.test(host)
  checkArgument(isHost && Number.isInteger(port) && port > 0 && port < 65_536, 'no address')
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function dataOf1({ segments }: Extract<ProbeMatch, { version: 1 }>): [string, string] {
  checkIds(segments.map(({ id }) => id))
  const spelling = ({ id, spelling: given }: (typeof segments)[number]): string => {
    const isOurs = given?.toLowerCase() === toHex(id)
    checkArgument(given === undefined || isOurs, 'a spelling of another segment ID')
    return given ?? hexOf(id)
  }
  const counts = segments.map(({ blockCount }) => {
    const isCount = Number.isInteger(blockCount) && blockCount >= 0 && blockCount <= 0xffffffff
    checkArgument(isCount, 'a block count has 32 bits')
    // DA-9.
    return blockCount.toString(16).toUpperCase().padStart(8, '0')
  })
  return [segments.map(spelling).join(' '), element('PeerDist:BlockCount', counts.join(''))]
}

const BITS: Record<SegmentState, number> = { none: 0, some: 2, complete: 3 }

function dataOf2({ states, ages }: Extract<ProbeMatch, { version: 2 }>): [string, string] {
  checkArgument(
    states.length > 0 && states.length <= LIMITS.wsdSegmentIds,
    '1 to 255 states are wanted',
  )
  const bits = new Uint8Array(Math.ceil(states.length / 4))
  states.forEach((state, i) => {
    bits[i >> 2] = (bits[i >> 2] as number) | (BITS[state] << (6 - 2 * (i & 3)))
  })
  return [base64(bits), element('PeerDist:SegmentAges', base64(encodeSegmentAges(ages)))]
}
