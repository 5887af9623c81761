import { PeernetError } from '../core/errors.js'
import { isAuthority, isClassifier } from '../pnrp/peer-name.js'
import { WireLimit } from '../wire/constants.js'
import { PeerName } from './peer-name.js'
import { decodePunycode, encodePunycode } from './punycode.js'

/**
 * Host names under pnrp.net, which stand for peer names. No document describes them fully: the
 * rules below reproduce every example on record; for upper case, signs and Unicode they are not
 * verified against Windows.
 *
 * Literal: `0.test` is `test.pnrp.net`, for unsecured names that are a lower-case host label.
 * Encoded: `A.test` is `ptest-p.pA.pnrp.net`, with the classifier in Punycode between two `p`
 * that keep the label from beginning or ending as no label may.
 */
export interface HostNameOptions {
  /**
   * 'rtm' (default) always puts the leading `p`, as Windows Vista and later do; '2006' only where
   * it is needed, as its beta did. Decoding tries the one asked for first, then the other.
   */
  readonly compat?: 'rtm' | '2006'
}

type Compat = NonNullable<HostNameOptions['compat']>

const DOMAIN = '.pnrp.net'
const LITERAL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/
const LABEL_LENGTH = 63
const HOST_NAME_LENGTH = 253

/** PEER_E_CANNOT_CONVERT_PEER_NAME, PEER_E_INVALID_PEER_DNS_NAME. */
const CANNOT_CONVERT = 0x80634001
const INVALID_DNS_NAME = 0x80634002

/** Does this host name lie under pnrp.net, whether or not it stands for a peer name? */
export function isPeerHostName(host: string): boolean {
  return normalised(host).endsWith(DOMAIN)
}

/** Throws ERR_PEERNET_INVALID_HOST_NAME when the result would be too long for a host name. */
export function peerNameToHostName(
  name: { readonly authority: string; readonly classifier: string },
  { compat = 'rtm' }: HostNameOptions = {},
): string {
  const { authority, classifier } = name
  if (authority === '0' && isLiteral(classifier)) return `${classifier}${DOMAIN}`
  const labels =
    cut(encodeClassifier(classifier, compat, false)) ??
    cut(encodeClassifier(classifier, compat, true)) ??
    []
  const host = [...labels, `p${authority}`].join('.') + DOMAIN
  if (labels.length > 0 && host.length <= HOST_NAME_LENGTH) return host
  throw new PeernetError(
    'ERR_PEERNET_INVALID_HOST_NAME',
    `the peer name has no host name: it would have ${host.length} characters, ` +
      `${HOST_NAME_LENGTH} are possible`,
    { hresult: CANNOT_CONVERT },
  )
}

/** Throws ERR_PEERNET_INVALID_HOST_NAME for host names that stand for no peer name. */
export function hostNameToPeerName(
  host: string,
  { compat = 'rtm' }: HostNameOptions = {},
): PeerName {
  const name = normalised(host)
  const labels = name.slice(0, -DOMAIN.length).split('.')
  if (!name.endsWith(DOMAIN) || name.length > HOST_NAME_LENGTH || !labels.every(isLabel)) {
    throw invalid(host)
  }
  const [only] = labels
  // A single label has no authority beside it: it is literal.
  if (labels.length === 1) return new PeerName(`0.${only as string}`)
  const authority = authorityOf(labels.pop() as string)
  if (authority === undefined) throw invalid(host)
  const other: Compat = compat === 'rtm' ? '2006' : 'rtm'
  const encoded = labels.join('')
  const classifier =
    decodeClassifier(encoded, compat) ??
    (authority === '0' && labels.length === 1 ? only : undefined) ??
    decodeClassifier(encoded, other)
  if (classifier === undefined) throw invalid(host)
  return new PeerName(`${authority}.${classifier}`)
}

function normalised(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

function invalid(host: string): PeernetError {
  return new PeernetError(
    'ERR_PEERNET_INVALID_HOST_NAME',
    `${JSON.stringify(host)} is not the host name of a peer name`,
    { hresult: INVALID_DNS_NAME },
  )
}

function isLabel(label: string): boolean {
  return label.length <= LABEL_LENGTH && LITERAL.test(label)
}

/** What begins with xn-- would be taken for another encoding on its way here. */
function isLiteral(classifier: string): boolean {
  return isLabel(classifier) && !classifier.startsWith('xn--')
}

/** Before a letter the `p` may be missing: early descriptions put it before digits only. */
function authorityOf(label: string): string | undefined {
  const authority = label.startsWith('p') ? label.slice(1) : label
  return isAuthority(authority) && /^[pa-f]/.test(label) ? authority : undefined
}

function encodeClassifier(classifier: string, compat: Compat, escapeHyphens: boolean): string {
  const encoded = encodePunycode(classifier, { escapeHyphens })
  // A `p` of its own is doubled, so that taking one away is always right.
  const leading = compat === 'rtm' || /^(?:$|-|p|xn--)/.test(encoded)
  const trailing = /[-p]$/.test(encoded)
  return `${leading ? 'p' : ''}${encoded}${trailing ? 'p' : ''}`
}

function decodeClassifier(encoded: string, compat: Compat): string | undefined {
  if (compat === 'rtm' && !encoded.startsWith('p')) return undefined
  const withoutLeading = encoded.startsWith('p') ? encoded.slice(1) : encoded
  const bare = withoutLeading.endsWith('p') ? withoutLeading.slice(0, -1) : withoutLeading
  const classifier = decodePunycode(bare, WireLimit.CLASSIFIER_UNITS)
  if (classifier === undefined || !isClassifier(classifier)) return undefined
  // Only what encoding gives back is one; everything else has another reading or none.
  const canonical = [false, true].some(
    (escapeHyphens) => encodeClassifier(classifier, compat, escapeHyphens) === encoded,
  )
  return canonical ? classifier : undefined
}

/** Labels of at most 63 characters; undefined when hyphens leave no place to cut. */
function cut(encoded: string): string[] | undefined {
  const labels: string[] = []
  let rest = encoded
  while (rest.length > LABEL_LENGTH) {
    const at = placeToCut(rest)
    if (at === 0) return undefined
    labels.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return [...labels, rest]
}

/** The last place where neither side gets a hyphen at its end, nor the next one an xn--. */
function placeToCut(text: string): number {
  for (let at = LABEL_LENGTH; at > 0; at--) {
    if (text[at - 1] !== '-' && text[at] !== '-' && !text.startsWith('xn--', at)) return at
  }
  return 0
}
