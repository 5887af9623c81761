/**
 * The words of a descriptor row: one decoded datagram (pn_datagram_t of native/core) as 32-bit
 * numbers. Offsets count from the start of the bytes decoded; test/unit/wire/rows.test.ts compares
 * every index with the C structs.
 */
/** pn_msg_t: the message itself. */
export const MessageRow = {
  CODE: 0,
  AT: 1,
  TYPE: 2,
  MESSAGE_ID: 3,
  PRESENT: 4,
  FLAGS: 5,
  ACKED_MESSAGE_ID: 6,
  TARGET: 7,
  VALIDATE: 8,
  NONCE: 9,
  ROUTE_ID: 10,
  ROUTE_PORT: 11,
  ROUTE_ADDRESS_COUNT: 12,
  ROUTE_ADDRESSES: 13,
  ENTRIES: 14,
  ENTRY_COUNT: 15,
  BYTES: 16,
  BYTES_LENGTH: 17,
  SOLICIT_TYPE: 18,
  PRECISION: 19,
  CRITERIA: 20,
  REASON: 21,
  SIZE: 22,
  OFFSET: 23,
} as const

/** pn_authority_t: the AUTHORITY_BUFFER, when PRESENT has BUFFER. */
export const BufferRow = {
  CODE: 24,
  AT: 25,
  PRESENT: 26,
  FLAGS: 27,
  CHAIN: 28,
  CHAIN_LENGTH: 29,
  CLASSIFIER: 30,
  CLASSIFIER_UNITS: 31,
  EXTENDED_PAYLOAD: 32,
  EXTENDED_PAYLOAD_LENGTH: 33,
  ROUTE_ID: 34,
  ROUTE_PORT: 35,
  ROUTE_ADDRESS_COUNT: 36,
  ROUTE_ADDRESSES: 37,
  CPA: 38,
  CPA_LENGTH: 39,
} as const

/** pn_cpa_t: the Encoded CPA, when PRESENT has CPA_FIELDS. */
export const CpaRow = {
  CODE: 40,
  AT: 41,
  LENGTH: 42,
  SIGNED_LENGTH: 43,
  FLAGS: 44,
  REVOKE_NONCE: 45,
  NOT_AFTER_LOW: 46,
  NOT_AFTER_HIGH: 47,
  SERVICE_LOCATION: 48,
  NONCE: 49,
  AUTHORITY: 50,
  CLASSIFIER_HASH: 51,
  FRIENDLY_NAME: 52,
  FRIENDLY_NAME_LENGTH: 53,
  SERVICES: 54,
  SERVICE_COUNT: 55,
  APPS: 56,
  APP_COUNT: 57,
  PUBLIC_KEY: 58,
  SIGNATURE: 59,
} as const

/** pn_extpayload_t: the EXTENDED_PAYLOAD, when PRESENT has PAYLOAD_FIELDS. */
export const PayloadRow = {
  CODE: 60,
  AT: 61,
  LENGTH: 62,
  SIGNED_LENGTH: 63,
  NOT_AFTER_LOW: 64,
  NOT_AFTER_HIGH: 65,
  PNRP_ID: 66,
  NONCE: 67,
  PAYLOAD_TYPE: 68,
  STRING_TYPE: 69,
  DATA: 70,
  DATA_LENGTH: 71,
  SIGNATURE: 72,
} as const

/** Length of a row in words. */
export const ROW_WORDS = 73

/** Bits of PRESENT. CONTROLS: SOLICIT_CONTROLS, or the FLAGS_FIELD of an ACK. */
export const Present = {
  CONTROLS: 0x01,
  ROUTE: 0x02,
  NONCE: 0x04,
  CPA: 0x08,
  CHAIN: 0x10,
  CLASSIFIER: 0x20,
  EXTENDED_PAYLOAD: 0x40,
  /** The BufferRow describes an unfragmented AUTHORITY's buffer. */
  BUFFER: 0x80,
  /** The CpaRow describes the CPA in it, or the revoke CPA of a FLOOD. */
  CPA_FIELDS: 0x100,
  /** The PayloadRow describes the extended payload in it. */
  PAYLOAD_FIELDS: 0x200,
} as const

/** How far decoding looks inside a datagram (PN_LOOK_*). */
export const Look = {
  /** At the message's own elements. */
  MESSAGE: 0,
  /** The revoke CPA of a FLOOD has to be well-formed. */
  REVOKE: 1,
  /** So has the buffer of an unfragmented AUTHORITY, and slices have to fit Size. */
  BUFFER: 2,
  /** So have the CPA and the extended payload in it (with BUFFER). */
  STRUCTURES: 4,
  ALL: 7,
} as const
