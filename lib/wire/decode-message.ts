import {
  WireLength,
  MessageType,
  FloodFlag,
  InquireFlag,
  AckFlag,
  LookupFlag,
} from './constants.js'
import { pnrpIdAt } from '../core/met-bytes.js'
import type { Mutable } from '../core/mutable.js'
import { decodeMessage as decodeNative, messageType, row } from '../native/codec.js'
import { endpointsAt, inputOf, malformed, routeEntryAt, view, word } from './fields.js'
import type { Malformed } from './fields.js'
import type {
  AckMessage,
  AdvertiseMessage,
  AuthorityMessage,
  FloodMessage,
  InquireMessage,
  LookupMessage,
  PnrpId,
  PnrpMessage,
  RequestMessage,
  ResolveCriteria,
  RouteEntry,
  SolicitMessage,
} from './messages.js'
import { Look, MessageRow as Row, Present } from './rows.js'

/**
 * The header gate of MS-PNRP 3.1.5.2: the message type when the 12-byte header conforms, else
 * undefined. Cheaper than decoding.
 */
export function messageTypeOf(bytes: Uint8Array): MessageType | undefined {
  const type = messageType(inputOf(bytes))
  return type === 0 ? undefined : (type as MessageType)
}

function has(bit: number): boolean {
  return ((row[Row.PRESENT] as number) & bit) !== 0
}

function hasFlag(flag: number): boolean {
  return ((row[Row.FLAGS] as number) & flag) !== 0
}

function idAt(bytes: Uint8Array, index: number): PnrpId {
  return pnrpIdAt(bytes, word(index))
}

function idsOf(bytes: Uint8Array): PnrpId[] {
  const ids: PnrpId[] = []
  const count = word(Row.ENTRY_COUNT)
  for (let i = 0, at = word(Row.ENTRIES); i < count; i++, at += WireLength.PNRP_ID) {
    ids.push(pnrpIdAt(bytes, at))
  }
  return ids
}

/** Sets the optional route entry. */
function addRouteEntry(message: { routeEntry?: RouteEntry }, bytes: Uint8Array): void {
  if (has(Present.ROUTE)) message.routeEntry = routeEntryAt(bytes, Row.ROUTE_ID)
}

function solicit(bytes: Uint8Array, messageId: number): SolicitMessage {
  const message: Mutable<SolicitMessage> = {
    type: 'SOLICIT',
    messageId,
    hashedNonce: view(bytes, word(Row.NONCE), WireLength.SHA1),
  }
  if (has(Present.CONTROLS)) message.solicitType = word(Row.SOLICIT_TYPE) as 0 | 1
  addRouteEntry(message, bytes)
  return message
}

function advertise(bytes: Uint8Array, messageId: number): AdvertiseMessage {
  return {
    type: 'ADVERTISE',
    messageId,
    ackedMessageId: word(Row.ACKED_MESSAGE_ID),
    pnrpIds: idsOf(bytes),
    hashedNonce: view(bytes, word(Row.NONCE), WireLength.SHA1),
  }
}

function request(bytes: Uint8Array, messageId: number): RequestMessage {
  const nonce = view(bytes, word(Row.NONCE), WireLength.NONCE_VALUE)
  return { type: 'REQUEST', messageId, nonce, pnrpIds: idsOf(bytes) }
}

function flood(bytes: Uint8Array, messageId: number): FloodMessage {
  const message: Mutable<FloodMessage> = {
    type: 'FLOOD',
    messageId,
    doNotAck: hasFlag(FloodFlag.D),
    validatePnrpId: idAt(bytes, Row.VALIDATE),
    floodedList: endpointsAt(bytes, word(Row.ENTRIES), word(Row.ENTRY_COUNT)),
  }
  if (has(Present.CPA)) message.revokeCpa = view(bytes, word(Row.BYTES), word(Row.BYTES_LENGTH))
  addRouteEntry(message, bytes)
  return message
}

function inquire(bytes: Uint8Array, messageId: number): InquireMessage {
  const message: Mutable<InquireMessage> = {
    type: 'INQUIRE',
    messageId,
    wantCpa: hasFlag(InquireFlag.A),
    wantExtendedPayload: hasFlag(InquireFlag.X),
    wantCertificateChain: hasFlag(InquireFlag.C),
    validatePnrpId: idAt(bytes, Row.VALIDATE),
  }
  if (has(Present.NONCE)) message.nonce = view(bytes, word(Row.NONCE), WireLength.NONCE_VALUE)
  return message
}

function authority(bytes: Uint8Array, messageId: number): AuthorityMessage {
  return {
    type: 'AUTHORITY',
    messageId,
    ackedMessageId: word(Row.ACKED_MESSAGE_ID),
    size: word(Row.SIZE),
    offset: word(Row.OFFSET),
    buffer: view(bytes, word(Row.BYTES), word(Row.BYTES_LENGTH)),
  }
}

function ack(messageId: number): AckMessage {
  const ackedMessageId = word(Row.ACKED_MESSAGE_ID)
  return { type: 'ACK', messageId, ackedMessageId, notFound: hasFlag(AckFlag.N) }
}

function lookup(bytes: Uint8Array, messageId: number): LookupMessage {
  const message: Mutable<LookupMessage> = {
    type: 'LOOKUP',
    messageId,
    acceptNotCloser: hasFlag(LookupFlag.A),
    precision: word(Row.PRECISION),
    resolveCriteria: word(Row.CRITERIA) as ResolveCriteria,
    resolveReasonCode: word(Row.REASON),
    targetPnrpId: idAt(bytes, Row.TARGET),
    validatePnrpId: idAt(bytes, Row.VALIDATE),
    flaggedPath: endpointsAt(bytes, word(Row.ENTRIES), word(Row.ENTRY_COUNT)),
  }
  addRouteEntry(message, bytes)
  return message
}

/** The message object for what a native decode call left in the row. */
export function messageFromRow(bytes: Uint8Array): PnrpMessage {
  const messageId = word(Row.MESSAGE_ID)
  switch (row[Row.TYPE]) {
    case MessageType.SOLICIT:
      return solicit(bytes, messageId)
    case MessageType.ADVERTISE:
      return advertise(bytes, messageId)
    case MessageType.REQUEST:
      return request(bytes, messageId)
    case MessageType.FLOOD:
      return flood(bytes, messageId)
    case MessageType.INQUIRE:
      return inquire(bytes, messageId)
    case MessageType.AUTHORITY:
      return authority(bytes, messageId)
    case MessageType.ACK:
      return ack(messageId)
    default:
      return lookup(bytes, messageId)
  }
}

export type DecodedMessage = { readonly ok: true; readonly message: PnrpMessage } | Malformed

/**
 * Decodes one datagram, strictly (MS-PNRP 2.2.2; spec/deviations.md lists the lenient readings).
 * A FLOOD's revoke CPA has to be well-formed; an AUTHORITY's slice is left to `Reassembler`, since
 * one that does not fit also ends its reassembly (3.1.5.6).
 *
 * PNRP IDs and addresses are shared arrays that may be kept. Other byte fields are views into
 * `bytes`: copy what is kept beyond the call. Write into none of them.
 */
export function decodeMessage(bytes: Uint8Array): DecodedMessage {
  const failure = malformed(decodeNative(inputOf(bytes), Look.REVOKE), Row.AT)
  return failure ?? { ok: true, message: messageFromRow(bytes) }
}
