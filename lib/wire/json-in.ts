import { checkArgument } from '../core/errors.js'
import { encodeAuthorityBuffer } from './authority-buffer.js'
import { AckFlag, AuthorityFlag, FloodFlag, InquireFlag, LookupFlag } from './constants.js'
import { WireLength } from './constants.js'
import { encodeCpa } from './cpa.js'
import { encodeMessage } from './encode-message.js'
import { encodeExtendedPayload } from './extended-payload.js'
import { Members } from './json-members.js'
import type { ExtendedPayload, PnrpMessage, ResolveCriteria, RouteEntry } from './messages.js'

/** Tools build again what was received, also what this node would not send itself. */
const AS_RECEIVED = { asReceived: true } as const

function routeEntry(members: Members): RouteEntry {
  const entry = {
    pnrpId: members.bytes('pnrpId'),
    port: members.number('port', 0xffff),
    addresses: members.addresses('addresses'),
  }
  members.ignore('usable')
  members.end()
  return entry
}

/** FLOOD carries revoke CPAs only, AUTHORITY none (2.2.3.1). */
function cpaBytes(members: Members, isRevoke: boolean): Uint8Array {
  const revoke = members.boolean('revoke')
  checkArgument(revoke === isRevoke, `revoke has to be ${isRevoke} in this place`)
  const isAbsent = members.has('revokeNonce') && members.text('revokeNonce') === 'absent'
  const nonce = isAbsent ? new Uint8Array(WireLength.NONCE_VALUE) : members.bytes('nonce')
  const cpa = {
    revoke,
    hasExtendedPayload: members.boolean('hasExtendedPayload'),
    notAfter: members.bigNumber('notAfter'),
    serviceLocation: members.bytes('serviceLocation'),
    nonce,
    ...members.optional('binaryAuthority', (name) => members.bytes(name)),
    ...members.optional('classifierHash', (name) => members.bytes(name)),
    ...members.optional('friendlyName', (name) => members.bytes(name)),
    friendlyNameIsUtf8: members.boolean('friendlyNameIsUtf8'),
    serviceAddresses: members.endpoints('serviceAddresses'),
    ...members.optional('appEndpoints', (name) => members.objects(name).map(appEndpoint)),
    publicKey: members.bytes('publicKey'),
    signature: members.bytes('signature'),
  }
  members.end()
  const revokeNonce = isAbsent ? 'absent' : 'present'
  return encodeCpa(cpa, { ...AS_RECEIVED, revokeNonce })
}

function appEndpoint(members: Members) {
  const endpoint = members.endpoint('endpoint')
  const protocol = members.number('protocol', 0xffff)
  members.end()
  return { ...endpoint, protocol }
}

function payload(members: Members): ExtendedPayload['payload'] {
  const kind = members.text('kind')
  checkArgument(kind === 'binary' || kind === 'text', 'payload.kind is "binary" or "text"')
  if (kind === 'binary') {
    const data = members.bytes('data')
    members.end()
    return { kind, data }
  }
  const encoding = members.text('encoding')
  const isKnown = encoding === 'utf-8' || encoding === 'utf-16'
  checkArgument(isKnown, 'payload.encoding is "utf-8" or "utf-16"')
  const text = members.text('text')
  members.end()
  return { kind, encoding, text }
}

function extendedPayloadBytes(members: Members): Uint8Array {
  const structure = {
    notAfter: members.bigNumber('notAfter'),
    pnrpId: members.bytes('pnrpId'),
    nonce: members.bytes('nonce'),
    payload: payload(members.object('payload')),
    signature: members.bytes('signature'),
  }
  members.end()
  return encodeExtendedPayload(structure)
}

function authorityBytes(members: Members): Uint8Array {
  const { L: leafSet, B: busy, N: notFound } = AuthorityFlag
  const flags = members.flags({ leafSet, busy, notFound })
  const buffer = {
    ...flags,
    ...members.optional('certificateChain', (name) => members.bytes(name)),
    ...members.optional('classifier', (name) => members.text(name)),
    ...members.optional('extendedPayload', (name) => extendedPayloadBytes(members.object(name))),
    ...members.optional('routeEntry', (name) => routeEntry(members.object(name))),
    ...members.optional('cpa', (name) => cpaBytes(members.object(name), false)),
  }
  return encodeAuthorityBuffer(buffer, AS_RECEIVED)
}

/** Either a slice with its place, or the fields of a whole buffer, whose Size follows from them. */
function authority(members: Members, messageId: number): PnrpMessage {
  const type = 'AUTHORITY'
  const ackedMessageId = members.number('ackedMessageId')
  if (members.has('buffer')) {
    const buffer = members.bytes('buffer')
    const size = members.number('size', 0xffff)
    const offset = members.number('offset', 0xffff)
    return { type, messageId, ackedMessageId, size, offset, buffer }
  }
  members.ignore('size')
  const offset = members.has('offset') ? members.number('offset') : 0
  checkArgument(offset === 0, 'a fragment needs its bytes in the member buffer')
  const buffer = authorityBytes(members)
  return { type, messageId, ackedMessageId, size: buffer.length, offset, buffer }
}

function solicit(members: Members, messageId: number): PnrpMessage {
  return {
    type: 'SOLICIT',
    messageId,
    ...members.optional('solicitType', (name) => members.number(name, 1) as 0 | 1),
    ...members.optional('routeEntry', (name) => routeEntry(members.object(name))),
    hashedNonce: members.bytes('hashedNonce'),
  }
}

function flood(members: Members, messageId: number): PnrpMessage {
  return {
    type: 'FLOOD',
    messageId,
    ...members.flags({ doNotAck: FloodFlag.D }),
    validatePnrpId: members.bytes('validatePnrpId'),
    ...members.optional('revokeCpa', (name) => cpaBytes(members.object(name), true)),
    ...members.optional('routeEntry', (name) => routeEntry(members.object(name))),
    floodedList: members.endpoints('floodedList'),
  }
}

function inquire(members: Members, messageId: number): PnrpMessage {
  const { A: wantCpa, X: wantExtendedPayload, C: wantCertificateChain } = InquireFlag
  return {
    type: 'INQUIRE',
    messageId,
    ...members.flags({ wantCpa, wantExtendedPayload, wantCertificateChain }),
    validatePnrpId: members.bytes('validatePnrpId'),
    ...members.optional('nonce', (name) => members.bytes(name)),
  }
}

function lookup(members: Members, messageId: number): PnrpMessage {
  return {
    type: 'LOOKUP',
    messageId,
    ...members.flags({ acceptNotCloser: LookupFlag.A }),
    precision: members.has('precision') ? members.number('precision', 0xffff) : 0,
    resolveCriteria: members.number('resolveCriteria', 0xff) as ResolveCriteria,
    resolveReasonCode: members.number('resolveReasonCode', 0xff),
    targetPnrpId: members.bytes('targetPnrpId'),
    validatePnrpId: members.bytes('validatePnrpId'),
    ...members.optional('routeEntry', (name) => routeEntry(members.object(name))),
    flaggedPath: members.endpoints('flaggedPath'),
  }
}

function message(members: Members): PnrpMessage {
  const type = members.text('type')
  const messageId = members.number('messageId')
  switch (type) {
    case 'SOLICIT':
      return solicit(members, messageId)
    case 'ADVERTISE': {
      const ackedMessageId = members.number('ackedMessageId')
      const pnrpIds = members.byteArrays('pnrpIds')
      return { type, messageId, ackedMessageId, pnrpIds, hashedNonce: members.bytes('hashedNonce') }
    }
    case 'REQUEST': {
      const nonce = members.bytes('nonce')
      return { type, messageId, nonce, pnrpIds: members.byteArrays('pnrpIds') }
    }
    case 'FLOOD':
      return flood(members, messageId)
    case 'INQUIRE':
      return inquire(members, messageId)
    case 'AUTHORITY':
      return authority(members, messageId)
    case 'ACK': {
      const ackedMessageId = members.number('ackedMessageId')
      return { type, messageId, ackedMessageId, ...members.flags({ notFound: AckFlag.N }) }
    }
    case 'LOOKUP':
      return lookup(members, messageId)
    default:
      checkArgument(false, `type is none of the eight messages: ${type}`)
  }
}

/**
 * The datagram for a JSON object of the form that `messageToJson` gives.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG naming the member at fault
 */
export function encodeJson(value: unknown): Uint8Array {
  const members = new Members(value)
  const isFailure = members.has('ok') && !members.boolean('ok')
  checkArgument(!isFailure, 'the line reports a failure, there is nothing to encode')
  members.ignore('ok', 'reencoded')
  const decoded = message(members)
  members.end()
  return encodeMessage(decoded, AS_RECEIVED)
}
