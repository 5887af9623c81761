import { checkArgument } from '../core/errors.js'
import { encodeMessage as encodeNative, row } from '../native/codec.js'
import { encodeAuthorityBuffer, setAuthorityBuffer } from './authority-buffer.js'
import { AckFlag, FloodFlag, InquireFlag, LookupFlag, MessageType } from './constants.js'
import { ResolveReason, WireLength, WireLimit } from './constants.js'
import {
  beginFields,
  checkUint,
  checkUint16,
  checkUint32,
  encoded,
  nextField,
  putSpan,
  putBytes,
  putEndpoints,
  putRouteEntry,
} from './fields.js'
import type { EncodeOptions } from './fields.js'
import type {
  AckMessage,
  AdvertiseMessage,
  AuthorityBuffer,
  AuthorityMessage,
  FloodMessage,
  InquireMessage,
  LookupMessage,
  PnrpId,
  PnrpMessage,
  RequestMessage,
  RouteEntry,
  SolicitMessage,
} from './messages.js'
import { MessageRow as Row, Present } from './rows.js'

const NO_BUFFER = `an AUTHORITY_BUFFER has 1 to ${WireLimit.AUTHORITY_BUFFER} bytes`
const TOO_LONG = `a slice has at most ${WireLimit.FRAGMENT} bytes: use splitAuthority`

function setAcked(message: { readonly ackedMessageId: number }): void {
  row[Row.ACKED_MESSAGE_ID] = checkUint32(message.ackedMessageId, 'ackedMessageId')
}

function setValidate(message: { readonly validatePnrpId: PnrpId }): void {
  row[Row.VALIDATE] = putBytes(message.validatePnrpId, WireLength.PNRP_ID, 'validatePnrpId')
}

function setIds(ids: readonly PnrpId[]): void {
  const at = nextField()
  for (const id of ids) putBytes(id, WireLength.PNRP_ID, 'an entry of pnrpIds')
  row[Row.ENTRIES] = at
  row[Row.ENTRY_COUNT] = (nextField() - at) / WireLength.PNRP_ID
}

/** Returns the bit for PRESENT. */
function setRouteEntry(entry: RouteEntry | undefined, options?: EncodeOptions): number {
  if (entry === undefined) return 0
  putRouteEntry(Row.ROUTE_ID, entry, options)
  return Present.ROUTE
}

function setSolicit(message: SolicitMessage, options?: EncodeOptions): void {
  row[Row.TYPE] = MessageType.SOLICIT
  let present = setRouteEntry(message.routeEntry, options)
  row[Row.SOLICIT_TYPE] = 0
  if (message.solicitType !== undefined) {
    present |= Present.CONTROLS
    row[Row.SOLICIT_TYPE] = checkUint(message.solicitType, 2, 'solicitType')
  }
  row[Row.PRESENT] = present
  row[Row.NONCE] = putBytes(message.hashedNonce, WireLength.SHA1, 'hashedNonce')
}

function setAdvertise(message: AdvertiseMessage): void {
  row[Row.TYPE] = MessageType.ADVERTISE
  row[Row.PRESENT] = 0
  setAcked(message)
  setIds(message.pnrpIds)
  row[Row.NONCE] = putBytes(message.hashedNonce, WireLength.SHA1, 'hashedNonce')
}

function setRequest(message: RequestMessage): void {
  row[Row.TYPE] = MessageType.REQUEST
  row[Row.PRESENT] = 0
  row[Row.NONCE] = putBytes(message.nonce, WireLength.NONCE_VALUE, 'nonce')
  setIds(message.pnrpIds)
}

function setFlood(message: FloodMessage, options?: EncodeOptions): void {
  row[Row.TYPE] = MessageType.FLOOD
  row[Row.FLAGS] = message.doNotAck ? FloodFlag.D : 0
  setValidate(message)
  let present = setRouteEntry(message.routeEntry, options)
  if (message.revokeCpa !== undefined) {
    present |= Present.CPA
    putSpan(Row.BYTES, message.revokeCpa, 'revokeCpa')
  }
  row[Row.PRESENT] = present
  putEndpoints(Row.ENTRIES, message.floodedList, 'floodedList', options)
}

function setInquire(message: InquireMessage): void {
  row[Row.TYPE] = MessageType.INQUIRE
  row[Row.FLAGS] =
    (message.wantCpa ? InquireFlag.A : 0) |
    (message.wantExtendedPayload ? InquireFlag.X : 0) |
    (message.wantCertificateChain ? InquireFlag.C : 0)
  setValidate(message)
  row[Row.PRESENT] = 0
  if (message.nonce !== undefined) {
    row[Row.PRESENT] = Present.NONCE
    row[Row.NONCE] = putBytes(message.nonce, WireLength.NONCE_VALUE, 'nonce')
  }
}

function setAuthority(message: AuthorityMessage, options?: EncodeOptions): void {
  const fits = message.buffer.length <= WireLimit.FRAGMENT || options?.asReceived === true
  checkArgument(fits, TOO_LONG)
  row[Row.TYPE] = MessageType.AUTHORITY
  row[Row.PRESENT] = 0
  setAcked(message)
  row[Row.SIZE] = checkUint16(message.size, 'size')
  row[Row.OFFSET] = checkUint16(message.offset, 'offset')
  putSpan(Row.BYTES, message.buffer, 'buffer')
}

function setAck(message: AckMessage): void {
  row[Row.TYPE] = MessageType.ACK
  setAcked(message)
  // the flags element only with something to say (MC-DRT)
  row[Row.PRESENT] = message.notFound ? Present.CONTROLS : 0
  row[Row.FLAGS] = message.notFound ? AckFlag.N : 0
}

function setLookup(message: LookupMessage, options?: EncodeOptions): void {
  row[Row.TYPE] = MessageType.LOOKUP
  row[Row.FLAGS] = message.acceptNotCloser ? LookupFlag.A : 0
  row[Row.PRECISION] = checkUint16(message.precision, 'precision')
  row[Row.CRITERIA] = checkUint(message.resolveCriteria, 0x100, 'resolveCriteria')
  const reasons = options?.asReceived === true ? 0x100 : ResolveReason.SPLIT_DETECTION + 1
  row[Row.REASON] = checkUint(message.resolveReasonCode, reasons, 'resolveReasonCode')
  row[Row.TARGET] = putBytes(message.targetPnrpId, WireLength.PNRP_ID, 'targetPnrpId')
  setValidate(message)
  row[Row.PRESENT] = setRouteEntry(message.routeEntry, options)
  putEndpoints(Row.ENTRIES, message.flaggedPath, 'flaggedPath', options)
}

function setMessage(message: PnrpMessage, options?: EncodeOptions): void {
  switch (message.type) {
    case 'SOLICIT':
      return setSolicit(message, options)
    case 'ADVERTISE':
      return setAdvertise(message)
    case 'REQUEST':
      return setRequest(message)
    case 'FLOOD':
      return setFlood(message, options)
    case 'INQUIRE':
      return setInquire(message)
    case 'AUTHORITY':
      return setAuthority(message, options)
    case 'ACK':
      return setAck(message)
    case 'LOOKUP':
      return setLookup(message, options)
    default:
      // The row still describes what was encoded last.
      checkArgument(false, 'type has to be the name of one of the eight messages')
  }
}

/**
 * Encodes one datagram, MS-PNRP 2.2.2.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when the message breaks a limit
 */
export function encodeMessage(message: PnrpMessage, options?: EncodeOptions): Uint8Array {
  const begun = beginFields()
  row[Row.MESSAGE_ID] = checkUint32(message.messageId, 'messageId')
  setMessage(message, options)
  return encoded(begun, encodeNative(), message.type)
}

/**
 * The AUTHORITY datagrams for one complete buffer, MS-PNRP 3.2.5.10: one when it has at most 1188
 * bytes, else full fragments and a last one, all with the same header.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when the buffer is empty or longer than 37348 bytes
 */
export function splitAuthority(
  messageId: number,
  ackedMessageId: number,
  buffer: Uint8Array,
): Uint8Array[] {
  const size = buffer.length
  const fits = size > 0 && size <= WireLimit.AUTHORITY_BUFFER
  checkArgument(fits, NO_BUFFER)
  const datagrams: Uint8Array[] = []
  for (let offset = 0; offset < size; offset += WireLimit.FRAGMENT) {
    const slice =
      size <= WireLimit.FRAGMENT ? buffer : buffer.subarray(offset, offset + WireLimit.FRAGMENT)
    const type = 'AUTHORITY'
    datagrams.push(encodeMessage({ type, messageId, ackedMessageId, size, offset, buffer: slice }))
  }
  return datagrams
}

/** Length of an AUTHORITY datagram with a full fragment. */
const FULL = WireLength.AUTHORITY_PREFIX + WireLimit.FRAGMENT

/**
 * The AUTHORITY datagrams for a buffer, as `splitAuthority` makes them; an answer that fits one
 * datagram, as nearly all do, is encoded in one go.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when the buffer breaks a limit
 */
export function encodeAnswer(
  messageId: number,
  ackedMessageId: number,
  buffer: AuthorityBuffer,
): Uint8Array[] {
  const begun = beginFields()
  row[Row.MESSAGE_ID] = checkUint32(messageId, 'messageId')
  row[Row.TYPE] = MessageType.AUTHORITY
  row[Row.PRESENT] = Present.BUFFER
  setAcked({ ackedMessageId })
  setAuthorityBuffer(buffer)
  const length = encodeNative()
  if (length > 0 && length <= FULL) return [encoded(begun, length, 'AUTHORITY')]
  return splitAuthority(messageId, ackedMessageId, encodeAuthorityBuffer(buffer))
}
