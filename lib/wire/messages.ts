import type { Endpoint } from '../core/endpoint.js'
import type { ResolveCriteria } from './constants.js'

export { ResolveCriteria, ResolveReason } from './constants.js'

/** 32 bytes, most significant first: P2P ID (16) then service location (16). MS-PNRP 1.3.1.2. */
export type PnrpId = Uint8Array

/** ROUTE_ENTRY, MS-PNRP 2.2.3.4. One port for 1..20 addresses of 16 bytes each. */
export interface RouteEntry {
  readonly pnrpId: PnrpId
  readonly port: number
  readonly addresses: readonly Uint8Array[]
}

/**
 * MS-PNRP 2.2.2.1. SolicitType 0 = any entries, 1 = only locally registered; absent = no controls.
 */
export interface SolicitMessage {
  readonly type: 'SOLICIT'
  readonly messageId: number
  readonly solicitType?: 0 | 1
  readonly routeEntry?: RouteEntry
  /** 20 bytes, SHA-1 of the conversation nonce. */
  readonly hashedNonce: Uint8Array
}

/** MS-PNRP 2.2.2.2. */
export interface AdvertiseMessage {
  readonly type: 'ADVERTISE'
  readonly messageId: number
  readonly ackedMessageId: number
  readonly pnrpIds: readonly PnrpId[]
  readonly hashedNonce: Uint8Array
}

/** MS-PNRP 2.2.2.3. */
export interface RequestMessage {
  readonly type: 'REQUEST'
  readonly messageId: number
  /** 16 bytes. */
  readonly nonce: Uint8Array
  readonly pnrpIds: readonly PnrpId[]
}

/** MS-PNRP 2.2.2.4. `validatePnrpId` is 32 zero bytes when nothing is carried. */
export interface FloodMessage {
  readonly type: 'FLOOD'
  readonly messageId: number
  /** Flag D. */
  readonly doNotAck: boolean
  readonly validatePnrpId: PnrpId
  /** The Encoded CPA's bytes (structure of 2.2.3.1), when a revoke CPA is carried. */
  readonly revokeCpa?: Uint8Array
  readonly routeEntry?: RouteEntry
  /** Already Flooded List, 0..22. */
  readonly floodedList: readonly Endpoint[]
}

/** MS-PNRP 2.2.2.5. */
export interface InquireMessage {
  readonly type: 'INQUIRE'
  readonly messageId: number
  /** Flag A. */
  readonly wantCpa: boolean
  /** Flag X. */
  readonly wantExtendedPayload: boolean
  /** Flag C. */
  readonly wantCertificateChain: boolean
  readonly validatePnrpId: PnrpId
  /** 16 bytes. */
  readonly nonce?: Uint8Array
}

/**
 * MS-PNRP 2.2.2.6: one slice of an AUTHORITY_BUFFER. Whole when offset is 0 and buffer.length =
 * size.
 */
export interface AuthorityMessage {
  readonly type: 'AUTHORITY'
  readonly messageId: number
  readonly ackedMessageId: number
  readonly size: number
  readonly offset: number
  readonly buffer: Uint8Array
}

/** MS-PNRP 2.2.2.6.1. */
export interface AuthorityBuffer {
  /** Flag L. */
  readonly leafSet: boolean
  /** Flag B. */
  readonly busy: boolean
  /** Flag N. */
  readonly notFound: boolean
  /** PKCS #7, 2.2.3.5. */
  readonly certificateChain?: Uint8Array
  /** UTF-16 code units as a JavaScript string, no NUL. */
  readonly classifier?: string
  /** The EXTENDED_PAYLOAD structure's bytes, 2.2.3.3. */
  readonly extendedPayload?: Uint8Array
  readonly routeEntry?: RouteEntry
  /** The Encoded CPA's bytes, 2.2.3.1. */
  readonly cpa?: Uint8Array
}

/** MS-PNRP 2.2.2.7. */
export interface AckMessage {
  readonly type: 'ACK'
  readonly messageId: number
  readonly ackedMessageId: number
  /** Flag N. */
  readonly notFound: boolean
}

/** MS-PNRP 2.2.2.8. */
export interface LookupMessage {
  readonly type: 'LOOKUP'
  readonly messageId: number
  /** Flag A: nodes not closer than Validate are welcome too. */
  readonly acceptNotCloser: boolean
  readonly precision: number
  readonly resolveCriteria: ResolveCriteria
  /** Received values are not checked against the enumeration (3.2.5.2 step 1 ignores the value). */
  readonly resolveReasonCode: number
  readonly targetPnrpId: PnrpId
  readonly validatePnrpId: PnrpId
  /** Best match so far. */
  readonly routeEntry?: RouteEntry
  /** Flagged Path, 1..22. */
  readonly flaggedPath: readonly Endpoint[]
}

export type PnrpMessage =
  | SolicitMessage
  | AdvertiseMessage
  | RequestMessage
  | FloodMessage
  | InquireMessage
  | AuthorityMessage
  | AckMessage
  | LookupMessage

/** IPV6_APP_ENDPOINT, MS-PNRP 2.2.3.1.3. `protocol` is the IANA number (6 TCP, 17 UDP). */
export interface AppEndpoint {
  readonly address: Uint8Array
  readonly port: number
  readonly protocol: number
}

/**
 * Encoded CPA, MS-PNRP 2.2.3.1. All byte arrays in natural order (the codec reverses where the wire
 * does).
 */
export interface CertifiedPeerAddress {
  readonly revoke: boolean
  /** Flag X: the publisher has an extended payload. */
  readonly hasExtendedPayload: boolean
  /** 100 ns ticks since 1601-01-01 UTC (FILETIME). */
  readonly notAfter: bigint
  /** Low 16 bytes of the PNRP ID. */
  readonly serviceLocation: Uint8Array
  /** 16 bytes; zero when `revoke`. */
  readonly nonce: Uint8Array
  /** 20 bytes; absent for unsecured names. */
  readonly binaryAuthority?: Uint8Array
  /** 20 bytes; absent for an empty classifier. */
  readonly classifierHash?: Uint8Array
  /** 1..78 opaque bytes: UTF-8 when `friendlyNameIsUtf8`, else UTF-16LE code units (N-42). */
  readonly friendlyName?: Uint8Array
  readonly friendlyNameIsUtf8: boolean
  /** The PNRP node's own endpoints, 0..4. */
  readonly serviceAddresses: readonly Endpoint[]
  /** PAYLOAD of type 1: 1..10 application endpoints. */
  readonly appEndpoints?: readonly AppEndpoint[]
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  /** 128 bytes; absent while the CPA is being built. */
  readonly signature?: Uint8Array
}

/** EXTENDED_PAYLOAD, MS-PNRP 2.2.3.3. */
export interface ExtendedPayload {
  readonly notAfter: bigint
  readonly pnrpId: PnrpId
  readonly nonce: Uint8Array
  /** `text` without the terminating NUL; `encoding` is String Type. Binary: 1..4096 bytes. */
  readonly payload:
    | { readonly kind: 'binary'; readonly data: Uint8Array }
    | { readonly kind: 'text'; readonly encoding: 'utf-16' | 'utf-8'; readonly text: string }
  readonly signature?: Uint8Array
}
