import { formatAddress, formatEndpoint } from '../core/address-text.js'
import { toHex } from '../core/bytes.js'
import type { RevokeNonce } from './cpa.js'
import { AckFlag, AuthorityFlag, FloodFlag, InquireFlag, LookupFlag } from './constants.js'
import { isUsablePort } from './fields.js'
import type {
  AuthorityBuffer,
  AuthorityMessage,
  CertifiedPeerAddress,
  ExtendedPayload,
  PnrpMessage,
  RouteEntry,
} from './messages.js'

/**
 * Decoded objects as the plain values that `peernet pnrp decode` prints (spec/decode.schema.json):
 * bytes as lower-case hex, endpoints as `[address]:port`, 64-bit numbers as decimal text.
 */
export type JsonObject = { [name: string]: unknown }

/** A CPA, and whether its revoke nonce was there. */
export interface CpaFields {
  readonly cpa: CertifiedPeerAddress
  readonly revokeNonce: RevokeNonce
}

/** What an unfragmented AUTHORITY carries, decoded to the end. */
export interface AuthorityFields {
  readonly buffer: AuthorityBuffer
  readonly cpa?: CpaFields
  readonly extendedPayload?: ExtendedPayload
}

function optional<T>(name: string, value: T | undefined, show: (value: T) => unknown): JsonObject {
  return value === undefined ? {} : { [name]: show(value) }
}

function routeEntry(entry: RouteEntry): JsonObject {
  return {
    pnrpId: toHex(entry.pnrpId),
    port: entry.port,
    usable: isUsablePort(entry.port),
    addresses: entry.addresses.map(formatAddress),
  }
}

function certifiedPeerAddress({ cpa, revokeNonce }: CpaFields): JsonObject {
  return {
    revoke: cpa.revoke,
    hasExtendedPayload: cpa.hasExtendedPayload,
    notAfter: cpa.notAfter.toString(),
    serviceLocation: toHex(cpa.serviceLocation),
    ...(revokeNonce === 'absent' ? { revokeNonce } : { nonce: toHex(cpa.nonce) }),
    ...optional('binaryAuthority', cpa.binaryAuthority, toHex),
    ...optional('classifierHash', cpa.classifierHash, toHex),
    ...optional('friendlyName', cpa.friendlyName, toHex),
    friendlyNameIsUtf8: cpa.friendlyNameIsUtf8,
    serviceAddresses: cpa.serviceAddresses.map(formatEndpoint),
    ...optional('appEndpoints', cpa.appEndpoints, (endpoints) =>
      endpoints.map((endpoint) => ({
        endpoint: formatEndpoint(endpoint),
        protocol: endpoint.protocol,
      })),
    ),
    publicKey: toHex(cpa.publicKey),
    ...optional('signature', cpa.signature, toHex),
  }
}

function extendedPayload({ notAfter, pnrpId, nonce, payload, signature }: ExtendedPayload) {
  return {
    notAfter: notAfter.toString(),
    pnrpId: toHex(pnrpId),
    nonce: toHex(nonce),
    payload:
      payload.kind === 'binary'
        ? { kind: payload.kind, data: toHex(payload.data) }
        : { kind: payload.kind, encoding: payload.encoding, text: payload.text },
    ...optional('signature', signature, toHex),
  }
}

function authorityFields(fields: AuthorityFields): JsonObject {
  const { buffer } = fields
  return {
    flags:
      (buffer.leafSet ? AuthorityFlag.L : 0) |
      (buffer.busy ? AuthorityFlag.B : 0) |
      (buffer.notFound ? AuthorityFlag.N : 0),
    leafSet: buffer.leafSet,
    busy: buffer.busy,
    notFound: buffer.notFound,
    ...optional('certificateChain', buffer.certificateChain, toHex),
    ...optional('classifier', buffer.classifier, (text) => text),
    ...optional('extendedPayload', fields.extendedPayload, extendedPayload),
    ...optional('routeEntry', buffer.routeEntry, routeEntry),
    ...optional('cpa', fields.cpa, certifiedPeerAddress),
  }
}

function authority(message: AuthorityMessage, fields: AuthorityFields | undefined): JsonObject {
  const { ackedMessageId, size, offset, buffer } = message
  const content = fields === undefined ? { buffer: toHex(buffer) } : authorityFields(fields)
  return { ackedMessageId, size, offset, ...content }
}

function body(message: PnrpMessage, parts: MessageParts): JsonObject {
  switch (message.type) {
    case 'SOLICIT':
      return {
        ...optional('solicitType', message.solicitType, (type) => type),
        ...optional('routeEntry', message.routeEntry, routeEntry),
        hashedNonce: toHex(message.hashedNonce),
      }
    case 'ADVERTISE':
      return {
        ackedMessageId: message.ackedMessageId,
        pnrpIds: message.pnrpIds.map(toHex),
        hashedNonce: toHex(message.hashedNonce),
      }
    case 'REQUEST':
      return { nonce: toHex(message.nonce), pnrpIds: message.pnrpIds.map(toHex) }
    case 'FLOOD':
      return {
        flags: message.doNotAck ? FloodFlag.D : 0,
        doNotAck: message.doNotAck,
        validatePnrpId: toHex(message.validatePnrpId),
        ...optional('revokeCpa', parts.revokeCpa, certifiedPeerAddress),
        ...optional('routeEntry', message.routeEntry, routeEntry),
        floodedList: message.floodedList.map(formatEndpoint),
      }
    case 'INQUIRE':
      return {
        flags:
          (message.wantCpa ? InquireFlag.A : 0) |
          (message.wantExtendedPayload ? InquireFlag.X : 0) |
          (message.wantCertificateChain ? InquireFlag.C : 0),
        wantCpa: message.wantCpa,
        wantExtendedPayload: message.wantExtendedPayload,
        wantCertificateChain: message.wantCertificateChain,
        validatePnrpId: toHex(message.validatePnrpId),
        ...optional('nonce', message.nonce, toHex),
      }
    case 'AUTHORITY':
      return authority(message, parts.authority)
    case 'ACK':
      return {
        ackedMessageId: message.ackedMessageId,
        flags: message.notFound ? AckFlag.N : 0,
        notFound: message.notFound,
      }
    case 'LOOKUP':
      return {
        flags: message.acceptNotCloser ? LookupFlag.A : 0,
        acceptNotCloser: message.acceptNotCloser,
        precision: message.precision,
        resolveCriteria: message.resolveCriteria,
        resolveReasonCode: message.resolveReasonCode,
        targetPnrpId: toHex(message.targetPnrpId),
        validatePnrpId: toHex(message.validatePnrpId),
        ...optional('routeEntry', message.routeEntry, routeEntry),
        flaggedPath: message.flaggedPath.map(formatEndpoint),
      }
  }
}

/** Structures inside a message, decoded. */
export interface MessageParts {
  readonly revokeCpa?: CpaFields
  /** Absent for a fragment. */
  readonly authority?: AuthorityFields
}

export function messageToJson(message: PnrpMessage, parts: MessageParts): JsonObject {
  return { type: message.type, messageId: message.messageId, ...body(message, parts) }
}
