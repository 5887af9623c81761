// Generated from spec/fields/pnrp.tsv by spec/tools/generate.mjs (npm run generate). Do not edit.

/** FieldIDs of message elements. */
export const FieldId = {
  /** MS-PNRP 2.2.1: first element of every message. */
  PNRP_HEADER: 0x0010,
  /** MS-PNRP 2.2: Message ID of the message answered. */
  PNRP_HEADER_ACKED: 0x0018,
  /** MS-PNRP 2.2: array element type: 32-byte PNRP ID. */
  PNRP_ID: 0x0030,
  /** MS-PNRP 2.2.2.8: the PNRP ID looked for. */
  TARGET_PNRP_ID: 0x0038,
  /** MS-PNRP 2.2: a PNRP ID of the node asked. */
  VALIDATE_PNRP_ID: 0x0039,
  /** MS-PNRP 2.2: flags of INQUIRE, AUTHORITY_BUFFER and ACK. */
  FLAGS_FIELD: 0x0040,
  /** MS-PNRP 2.2.2.4: flags of FLOOD. */
  FLOOD_CONTROLS: 0x0043,
  /** MS-PNRP 2.2.2.1: Solicit Type. */
  SOLICIT_CONTROLS: 0x0044,
  /** MS-PNRP 2.2.2.8: flags, precision, criteria, reason. */
  LOOKUP_CONTROLS: 0x0045,
  /** MS-PNRP 2.2.2.6.1: an EXTENDED_PAYLOAD structure. */
  EXTENDED_PAYLOAD: 0x005a,
  /** MS-PNRP 2.2: array of PNRP_ID. */
  PNRP_ID_ARRAY: 0x0060,
  /** MS-PNRP 2.2.2.6.1: PKCS #7 certificate chain. */
  CERT_CHAIN: 0x0080,
  /** MS-PNRP 2.2: array element type: 16-bit character unit. */
  WCHAR: 0x0084,
  /** MS-PNRP 2.2.2.6.1: array of WCHAR. */
  CLASSIFIER: 0x0085,
  /** MS-PNRP 2.2: SHA-1 of a nonce. */
  HASHED_NONCE: 0x0092,
  /** MS-PNRP 2.2: 16 random bytes. */
  NONCE: 0x0093,
  /** MS-PNRP 2.2.2.6: size and offset of an AUTHORITY_BUFFER slice. */
  SPLIT_CONTROLS: 0x0098,
  /** MS-PNRP 2.2: a ROUTE_ENTRY structure. */
  ROUTING_ENTRY: 0x009a,
  /** MS-PNRP 2.2.2.6.1: an Encoded CPA. */
  VALIDATE_CPA: 0x009b,
  /** MS-PNRP 2.2.2.4: an Encoded CPA with R set. */
  REVOKE_CPA: 0x009c,
  /** MS-PNRP 2.2: array element type: port and address. */
  IPV6_ENDPOINT: 0x009d,
  /** MS-PNRP 2.2: array of IPV6_ENDPOINT. */
  IPV6_ENDPOINT_ARRAY: 0x009e,
} as const
export type FieldId = (typeof FieldId)[keyof typeof FieldId]

/** Message types. */
export const MessageType = {
  /** MS-PNRP 2.2.2.1: opens a synchronization conversation. */
  SOLICIT: 0x01,
  /** MS-PNRP 2.2.2.2: answers SOLICIT with PNRP IDs. */
  ADVERTISE: 0x02,
  /** MS-PNRP 2.2.2.3: asks for route entries of advertised IDs. */
  REQUEST: 0x03,
  /** MS-PNRP 2.2.2.4: carries a route entry or a revoke CPA. */
  FLOOD: 0x04,
  /** MS-PNRP 2.2.2.5: asks whether an ID is registered, and for its CPA. */
  INQUIRE: 0x07,
  /** MS-PNRP 2.2.2.6: answers LOOKUP and INQUIRE. */
  AUTHORITY: 0x08,
  /** MS-PNRP 2.2.2.7: answers REQUEST and FLOOD. */
  ACK: 0x09,
  /** MS-PNRP 2.2.2.8: asks for a route entry nearer the target. */
  LOOKUP: 0x0b,
} as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

/** Fixed values. */
export const WireValue = {
  /** MS-PNRP 2.2.1: fourth byte of the header. */
  IDENTIFIER: 0x51,
  /** MS-PNRP 2.2.1: protocol version in the header. */
  VERSION_MAJOR: 4,
  /** MS-PNRP 2.2.1: protocol version in the header. */
  VERSION_MINOR: 0,
  /** MS-PNRP 2.2.3.4: version in a ROUTE_ENTRY. */
  ROUTE_ENTRY_MAJOR: 4,
  /** MS-PNRP 2.2.3.4: version in a ROUTE_ENTRY. */
  ROUTE_ENTRY_MINOR: 0,
  /** MS-PNRP 2.2.3.1: CPA version. */
  CPA_MINOR: 0,
  /** MS-PNRP 2.2.3.1: CPA version. */
  CPA_MAJOR: 2,
  /** MS-PNRP 2.2.3.1: PNRP version in a CPA. */
  CPA_PNRP_MINOR: 0,
  /** MS-PNRP 2.2.3.1: PNRP version in a CPA. */
  CPA_PNRP_MAJOR: 4,
  /** MS-PNRP 2.2.3.3: version of an EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_MINOR: 0,
  /** MS-PNRP 2.2.3.3: version of an EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_MAJOR: 2,
  /** MS-PNRP 2.2.3.2: SHA-1 (CALG_SHA1). */
  SIGNATURE_ALG_ID: 0x00008004,
  /** MS-PNRP 1.9: IANA port; a default, never assumed of a peer. */
  DEFAULT_PORT: 3540,
  /** MS-PNRP 3.1.5.2: lowest port accepted or emitted (N-05). */
  MINIMUM_PORT: 1025,
} as const
export type WireValue = (typeof WireValue)[keyof typeof WireValue]

/** Solicit Type. */
export const SolicitType = {
  /** MS-PNRP 2.2.2.1: any entries, local and cached. */
  ANY: 0,
  /** MS-PNRP 2.2.2.1: only locally registered IDs. */
  LOCAL: 1,
} as const
export type SolicitType = (typeof SolicitType)[keyof typeof SolicitType]

/** Flags of FLOOD. */
export const FloodFlag = {
  /** MS-PNRP 2.2.2.4: do not acknowledge. */
  D: 0x0001,
} as const
export type FloodFlag = (typeof FloodFlag)[keyof typeof FloodFlag]

/** Flags of INQUIRE. */
export const InquireFlag = {
  /** MS-PNRP 2.2.2.5: send the CPA. */
  A: 0x0010,
  /** MS-PNRP 2.2.2.5: send the extended payload. */
  X: 0x0008,
  /** MS-PNRP 2.2.2.5: send the certificate chain. */
  C: 0x0004,
} as const
export type InquireFlag = (typeof InquireFlag)[keyof typeof InquireFlag]

/** Flags of AUTHORITY_BUFFER. */
export const AuthorityFlag = {
  /** MS-PNRP 2.2.2.6.1: target not known here but would be in the leaf set. */
  L: 0x0200,
  /** MS-PNRP 2.2.2.6.1: too busy for the LOOKUP. */
  B: 0x0008,
  /** MS-PNRP 2.2.2.6.1: the Validate PNRP ID is not registered here. */
  N: 0x0001,
} as const
export type AuthorityFlag = (typeof AuthorityFlag)[keyof typeof AuthorityFlag]

/** Flags of ACK. */
export const AckFlag = {
  /** MS-PNRP 2.2.2.7: the Validate PNRP ID of the FLOOD is not registered here. */
  N: 0x0001,
} as const
export type AckFlag = (typeof AckFlag)[keyof typeof AckFlag]

/** Flags of LOOKUP. */
export const LookupFlag = {
  /** MS-PNRP 2.2.2.8: nodes not closer than Validate are welcome. */
  A: 0x0002,
} as const
export type LookupFlag = (typeof LookupFlag)[keyof typeof LookupFlag]

/** Resolve Criteria. */
export const ResolveCriteria = {
  /** MS-PNRP 2.2.2.8: all 256 bits. */
  NONE: 0x00,
  /** MS-PNRP 2.2.2.8: first 128 bits. */
  ANY_PEER_NAME: 0x01,
  /** MS-PNRP 2.2.2.8: nearest ID with the same first 128 bits. */
  NEAREST_PEER_NAME: 0x02,
  /** MS-PNRP 2.2.2.8: as NEAREST_PEER_NAME, satisfied by 192 bits. */
  NEAREST64_PEER_NAME: 0x04,
  /** MS-PNRP 2.2.2.8: first Precision bits. */
  UPPER_BITS: 0x08,
} as const
export type ResolveCriteria = (typeof ResolveCriteria)[keyof typeof ResolveCriteria]

/** Resolve Reason Code. */
export const ResolveReason = {
  /** MS-PNRP 2.2.2.8: asked by an application. */
  APP_REQUEST: 0,
  /** MS-PNRP 2.2.2.8: announces a registration. */
  REGISTRATION: 1,
  /** MS-PNRP 2.2.2.8: fills the cache. */
  CACHE_MAINTENANCE: 2,
  /** MS-PNRP 2.2.2.8: looks for a cloud split. */
  SPLIT_DETECTION: 3,
} as const
export type ResolveReason = (typeof ResolveReason)[keyof typeof ResolveReason]

/** Flags of an Encoded CPA. */
export const CpaFlag = {
  /** MS-PNRP 2.2.3.1: the publisher has an extended payload. */
  X: 0x20,
  /** MS-PNRP 2.2.3.1: a friendly name is present. */
  F: 0x10,
  /** MS-PNRP 2.2.3.1: a classifier hash is present. */
  C: 0x08,
  /** MS-PNRP 2.2.3.1: a binary authority is present. */
  A: 0x04,
  /** MS-PNRP 2.2.3.1: the friendly name is UTF-8. */
  U: 0x02,
  /** MS-PNRP 2.2.3.1: revokes. */
  R: 0x01,
} as const
export type CpaFlag = (typeof CpaFlag)[keyof typeof CpaFlag]

/** Payload types. */
export const PayloadType = {
  /** MS-PNRP 2.2.3.1.2: PAYLOAD of a CPA: IPV6_APP_ENDPOINTs. */
  APP_ENDPOINTS: 1,
  /** MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD: text. */
  STRING: 0x80000002,
  /** MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD: bytes. */
  BINARY: 0x80000003,
} as const
export type PayloadType = (typeof PayloadType)[keyof typeof PayloadType]

/** String Type of an EXTENDED_PAYLOAD. */
export const StringType = {
  /** MS-PNRP 2.2.3.3: UTF-16LE with NUL. */
  UNICODE: 0,
  /** MS-PNRP 2.2.3.3: UTF-8 with NUL. */
  UTF8: 1,
} as const
export type StringType = (typeof StringType)[keyof typeof StringType]

/** Fixed lengths in bytes. */
export const WireLength = {
  /** MS-PNRP 2.2: FieldID and Length. */
  ELEMENT_HEADER: 4,
  /** MS-PNRP 2.2: elements start at multiples of this. */
  ALIGNMENT: 4,
  /** MS-PNRP 2.2.1: PNRP_HEADER, whole. */
  HEADER: 12,
  /** MS-PNRP 2.2: Length of PNRP_HEADER_ACKED. */
  HEADER_ACKED: 8,
  /** MS-PNRP 2.2: Length of TARGET_PNRP_ID. */
  TARGET_PNRP_ID: 36,
  /** MS-PNRP 2.2: Length of VALIDATE_PNRP_ID. */
  VALIDATE_PNRP_ID: 36,
  /** MS-PNRP 2.2: Length of FLAGS_FIELD, 2 bytes of padding follow except in ACK. */
  FLAGS_FIELD: 6,
  /** MS-PNRP 2.2.2.4: Length of FLOOD_CONTROLS, 1 byte of padding follows. */
  FLOOD_CONTROLS: 7,
  /** MS-PNRP 2.2.2.1: Length of SOLICIT_CONTROLS, 2 bytes of padding follow. */
  SOLICIT_CONTROLS: 6,
  /** MS-PNRP 2.2.2.8: Length of LOOKUP_CONTROLS, Reserved2 included. */
  LOOKUP_CONTROLS: 12,
  /** MS-PNRP 2.2: Length of HASHED_NONCE. */
  HASHED_NONCE: 24,
  /** MS-PNRP 2.2: Length of NONCE. */
  NONCE: 20,
  /** MS-PNRP 2.2.2.6: Length of SPLIT_CONTROLS. */
  SPLIT_CONTROLS: 8,
  /** MS-PNRP 2.2: Length of an array element without entries. */
  ARRAY_HEADER: 12,
  /** MS-PNRP 2.2: ArrayLength of an array without entries. */
  ARRAY_INNER: 8,
  /** MS-PNRP 2.2.2.6: AUTHORITY before its buffer slice. */
  AUTHORITY_PREFIX: 28,
  /** MS-PNRP 2.2.3.4: ROUTE_ENTRY without addresses. */
  ROUTE_ENTRY_FIXED: 38,
  /** MS-PNRP 2.2.3.6: port and address. */
  IPV6_ENDPOINT: 18,
  /** MS-PNRP 2.2.3.4: an address. */
  IPV6_ADDRESS: 16,
  /** MS-PNRP 1.3.1.2: P2P ID and service location. */
  PNRP_ID: 32,
  /** MS-PNRP 1.3.1.2: first half of a PNRP ID. */
  P2P_ID: 16,
  /** MS-PNRP 1.3.1.2: second half of a PNRP ID. */
  SERVICE_LOCATION: 16,
  /** MS-PNRP 2.2.2.3: a nonce. */
  NONCE_VALUE: 16,
  /** MS-PNRP 2.2.2.1: hashed nonce, authority, classifier hash. */
  SHA1: 20,
  /** MS-PNRP 2.2.2.6.1: a character unit. */
  WCHAR: 2,
  /** MS-PNRP 2.2.3.1: Encoded CPA up to and including Nonce. */
  CPA_FIXED: 48,
  /** MS-PNRP 2.2.3.1: BinaryAuthority. */
  BINARY_AUTHORITY: 20,
  /** MS-PNRP 2.2.3.1: ClassifierHash. */
  CLASSIFIER_HASH: 20,
  /** MS-PNRP 2.2.3.1.4: CPA public key structure. */
  CPA_PUBLIC_KEY: 169,
  /** MS-PNRP 2.2.3.1.4: ASCII of 1.2.840.113549.1.1.1. */
  PUBLIC_KEY_OID: 20,
  /** MS-PNRP 2.2.3.1.4: DER RSAPublicKey of 1024 bits. */
  PUBLIC_KEY_DATA: 140,
  /** MS-PNRP 2.2.3.2: SIGNATURE structure. */
  SIGNATURE: 136,
  /** MS-PNRP 2.2.3.2: signature bytes. */
  SIGNATURE_DATA: 128,
  /** MS-PNRP 2.2.3.1.2: PAYLOAD without data. */
  PAYLOAD_FIXED: 6,
  /** MS-PNRP 2.2.3.1.3: IPV6_APP_ENDPOINT. */
  APP_ENDPOINT: 20,
  /** MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD before its payload. */
  EXTENDED_PAYLOAD_FIXED: 74,
  /** MS-PNRP 2.2.3.3: Total Payload Bytes without data. */
  EXTENDED_PAYLOAD_INNER: 10,
} as const
export type WireLength = (typeof WireLength)[keyof typeof WireLength]

/** Offsets in bytes. */
export const WireOffset = {
  /** MS-PNRP 2.2.2.8: within LOOKUP. */
  LOOKUP_FLAGS: 16,
  /** MS-PNRP 2.2.2.8: within LOOKUP. */
  LOOKUP_PRECISION: 18,
  /** MS-PNRP 2.2.2.8: within LOOKUP. */
  LOOKUP_CRITERIA: 20,
  /** MS-PNRP 2.2.2.8: within LOOKUP. */
  LOOKUP_REASON: 21,
  /** MS-PNRP 2.2.2.8: the ID itself, within LOOKUP. */
  LOOKUP_TARGET: 28,
  /** MS-PNRP 2.2.2.8: the ID itself, within LOOKUP. */
  LOOKUP_VALIDATE: 64,
  /** MS-PNRP 2.2.2.8: first variable element of LOOKUP. */
  LOOKUP_BODY: 96,
  /** MS-PNRP 2.2.3.4: within ROUTE_ENTRY. */
  ROUTE_ENTRY_PORT: 34,
  /** MS-PNRP 2.2.3.4: within ROUTE_ENTRY. */
  ROUTE_ENTRY_FLAGS: 36,
  /** MS-PNRP 2.2.3.4: within ROUTE_ENTRY. */
  ROUTE_ENTRY_COUNT: 37,
  /** MS-PNRP 2.2.3.4: within ROUTE_ENTRY. */
  ROUTE_ENTRY_ADDRESSES: 38,
  /** MS-PNRP 2.2.3.1: within an Encoded CPA. */
  CPA_FLAGS: 6,
  /** MS-PNRP 2.2.3.1: within an Encoded CPA. */
  CPA_NOT_AFTER: 8,
  /** MS-PNRP 2.2.3.1: within an Encoded CPA. */
  CPA_SERVICE_LOCATION: 16,
  /** MS-PNRP 2.2.3.1: within an Encoded CPA. */
  CPA_NONCE: 32,
  /** MS-PNRP 2.2.3.1: first variable field of an Encoded CPA. */
  CPA_BODY: 48,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_SIGNATURE_OFFSET: 6,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_NOT_AFTER: 8,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD, byte-reversed. */
  EXTENDED_PAYLOAD_PNRP_ID: 16,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_NONCE: 48,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_NUM_PAYLOADS: 64,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_TOTAL: 66,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_TYPE: 68,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_LENGTH: 72,
  /** MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD_DATA: 74,
} as const
export type WireOffset = (typeof WireOffset)[keyof typeof WireOffset]

/** Limits. */
export const WireLimit = {
  /** MS-PNRP 3.2.5.10: largest normal datagram: AUTHORITY prefix and one fragment. */
  DATAGRAM: 1216,
  /** MS-PNRP 3.2.5.10: bytes of AUTHORITY_BUFFER in one AUTHORITY. */
  FRAGMENT: 1188,
  /** MS-PNRP 2.2.2.6: 0x91E4, largest complete AUTHORITY_BUFFER. */
  AUTHORITY_BUFFER: 37348,
  /** MS-PNRP 2.2.2.6: fragments of the largest AUTHORITY_BUFFER. */
  FRAGMENTS: 32,
  /** MS-PNRP 2.2: entries of any array that still fit Length (N-22). */
  ARRAY_ENTRIES: 2047,
  /** MS-PNRP 2.2.2.2: PNRP IDs in an ADVERTISE of at most 1232 bytes. */
  ADVERTISE_IDS: 36,
  /** MS-PNRP 2.2.2.3: PNRP IDs in a REQUEST of at most 1232 bytes. */
  REQUEST_IDS: 37,
  /** MS-PNRP 2.2.3.4: addresses in a ROUTE_ENTRY. */
  ROUTE_ENTRY_ADDRESSES: 20,
  /** MS-PNRP 2.2.2.4: entries of an Already Flooded List. */
  FLOODED_LIST: 22,
  /** MS-PNRP 2.2.2.8: entries of a Flagged Path. */
  FLAGGED_PATH: 22,
  /** MS-PNRP 2.2.4: character units of a classifier. */
  CLASSIFIER_UNITS: 149,
  /** MS-PNRP 2.2.3.1: service addresses in a CPA. */
  SERVICE_ADDRESSES: 4,
  /** MS-PNRP 2.2.3.1: PAYLOADs in a CPA. */
  CPA_PAYLOADS: 1,
  /** MS-PNRP 2.2.3.1.2: IPV6_APP_ENDPOINTs in a PAYLOAD. */
  APP_ENDPOINTS: 10,
  /** MS-PNRP 2.2.3.1: bytes of a friendly name. */
  FRIENDLY_NAME: 78,
  /** MS-PNRP 2.2.3.1: smallest Encoded CPA (a revoke). */
  CPA_MINIMUM: 381,
  /** MS-PNRP 2.2.3.1: largest Encoded CPA. */
  CPA_MAXIMUM: 759,
  /** MS-PNRP 2.2.3.3: PayloadLength of the shortest string. */
  EXTENDED_PAYLOAD_STRING_MINIMUM: 6,
  /** MS-PNRP 2.2.3.3: PayloadLength of the longest string. */
  EXTENDED_PAYLOAD_STRING: 4098,
  /** MS-PNRP 2.2.3.3: PayloadLength of the longest binary payload. */
  EXTENDED_PAYLOAD_BINARY: 4096,
  /** MS-PNRP 2.2.3.3: largest EXTENDED_PAYLOAD. */
  EXTENDED_PAYLOAD: 4308,
  /** MS-PNRP 2.2.3.5: certificates in a chain. */
  CERTIFICATES: 25,
} as const
export type WireLimit = (typeof WireLimit)[keyof typeof WireLimit]
