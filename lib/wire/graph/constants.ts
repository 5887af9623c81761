// Generated from spec/fields/graph.tsv by spec/tools/generate.mjs (npm run generate). Do not edit.

/** Message types. */
export const GraphMessageType = {
  /** MS-PPGRH 2.2.2.1: first message of an initiator. */
  AUTH_INFO: 0x01,
  /** MS-PPGRH 2.2.2.2: asks for a link, or tells new addresses. */
  CONNECT: 0x02,
  /** MS-PPGRH 2.2.2.3: accepts a CONNECT. */
  WELCOME: 0x03,
  /** MS-PPGRH 2.2.2.4: refuses a CONNECT. */
  REFUSE: 0x04,
  /** MS-PPGRH 2.2.2.5: ends a link. */
  DISCONNECT: 0x05,
  /** MS-PPGRH 2.2.2.6: asks for all records. */
  SOLICIT_NEW: 0x06,
  /** MS-PPGRH 2.2.2.7: asks for records modified since a time. */
  SOLICIT_TIME: 0x07,
  /** MS-PPGRH 2.2.2.8: offers hashes of record ranges. */
  SOLICIT_HASH: 0x08,
  /** MS-PPGRH 2.2.2.9: answers SOLICIT_HASH with what differs. */
  ADVERTISE: 0x09,
  /** MS-PPGRH 2.2.2.10: asks for records of an ADVERTISE. */
  REQUEST: 0x0a,
  /** MS-PPGRH 2.2.2.11: carries one record. */
  FLOOD: 0x0b,
  /** MS-PPGRH 2.2.2.12: ends the answer to a SOLICIT. */
  SYNC_END: 0x0c,
  /** MS-PPGRH 2.2.2.13: carries data of an application. */
  PT2PT: 0x0d,
  /** MS-PPGRH 2.2.2.14: acknowledges FLOODs. */
  ACK: 0x0e,
} as const
export type GraphMessageType = (typeof GraphMessageType)[keyof typeof GraphMessageType]

/** Fixed values. */
export const GraphValue = {
  /** MS-PPGRH 2.2.1.2: version of the message header. */
  VERSION: 0x10,
  /** MS-PPGRH 2.2.1.9: Protocol Version of a record. */
  RECORD_VERSION: 0x0100,
  /** MS-PPGRH 2.2.1.3: Protocol Family of IPv6. */
  FAMILY: 0x0017,
  /** MS-PPGRH 2.2.1.5: Size of a PEER_ADDRESS. */
  ADDRESS_SIZE: 0x20,
} as const
export type GraphValue = (typeof GraphValue)[keyof typeof GraphValue]

/** Connection Type of AUTH_INFO. */
export const GraphConnection = {
  /** MS-PPGRH 2.2.2.1: for a neighbor connection. */
  NEIGHBOR: 0x01,
  /** MS-PPGRH 2.2.2.1: for a direct connection. */
  DIRECT: 0x02,
} as const
export type GraphConnection = (typeof GraphConnection)[keyof typeof GraphConnection]

/** Flags of CONNECT. */
export const GraphConnectFlag = {
  /** MS-PPGRH 2.2.2.2: update: the sender listens now. */
  U: 0x08,
  /** MS-PPGRH 2.2.2.2: direct connection. */
  D: 0x04,
  /** MS-PPGRH 2.2.2.2: the neighbor list is wanted. */
  N: 0x01,
} as const
export type GraphConnectFlag = (typeof GraphConnectFlag)[keyof typeof GraphConnectFlag]

/** Error Code of REFUSE. */
export const GraphRefuse = {
  /** MS-PPGRH 2.2.2.4: at the maximum of neighbors. */
  BUSY: 0x01,
  /** MS-PPGRH 2.2.2.4: a CONNECT on a connected link. */
  ALREADY_CONNECTED: 0x02,
  /** MS-PPGRH 2.2.2.4: there is another connection with the node. */
  DUPLICATE_CONNECTION: 0x03,
  /** MS-PPGRH 2.2.2.4: the application wants no direct connections. */
  DIRECT_CONNECTION_DISALLOWED: 0x04,
} as const
export type GraphRefuse = (typeof GraphRefuse)[keyof typeof GraphRefuse]

/** Reason of DISCONNECT. */
export const GraphDisconnect = {
  /** MS-PPGRH 2.2.2.5: the node leaves the graph. */
  LEAVING: 0x01,
  /** MS-PPGRH 2.2.2.5: the link is the least useful one. */
  LEAST_USEFUL: 0x02,
  /** MS-PPGRH 2.2.2.5: the application wanted it. */
  APP_DISCONNECT: 0x03,
} as const
export type GraphDisconnect = (typeof GraphDisconnect)[keyof typeof GraphDisconnect]

/** Flags of a PEER_RECORD. */
export const GraphRecordFlag = {
  /** MS-PPGRH 2.2.1.9: deleted. */
  D: 0x02,
} as const
export type GraphRecordFlag = (typeof GraphRecordFlag)[keyof typeof GraphRecordFlag]

/** Flags of SYNC_END. */
export const GraphSyncFlag = {
  /** MS-PPGRH 2.2.2.12: final. */
  F: 0x01,
} as const
export type GraphSyncFlag = (typeof GraphSyncFlag)[keyof typeof GraphSyncFlag]

/** Flags of an acknowledgement. */
export const GraphAckFlag = {
  /** MS-PPGRH 2.2.2.14: useful. */
  U: 0x01,
} as const
export type GraphAckFlag = (typeof GraphAckFlag)[keyof typeof GraphAckFlag]

/** Flags of Graph Info. */
export const GraphInfoFlag = {
  /** MS-PPGRH 2.2.3.1: deferred expiration. */
  D: 0x02,
} as const
export type GraphInfoFlag = (typeof GraphInfoFlag)[keyof typeof GraphInfoFlag]

/** Scope of a graph. */
export const GraphScopeValue = {
  /** MS-PPGRH 2.2.3.1: the Internet. */
  GLOBAL: 0x01,
  /** MS-PPGRH 2.2.3.1: a site. */
  SITE_LOCAL: 0x02,
  /** MS-PPGRH 2.2.3.1: a local subnet. */
  LINK_LOCAL: 0x03,
} as const
export type GraphScopeValue = (typeof GraphScopeValue)[keyof typeof GraphScopeValue]

/** Fixed lengths in bytes. */
export const GraphLength = {
  /** MS-PPGRH 2.2.1.2: PEER_MESSAGE. */
  HEADER: 8,
  /** MS-PPGRH 2.2: a GUID. */
  GUID: 16,
  /** MS-PPGRH 2.2.1.7: a hash. */
  MD5: 16,
  /** MS-PPGRH 2.2.1.3: PEER_IN6_ADDRESS. */
  IN6_ADDRESS: 20,
  /** MS-PPGRH 2.2.1.5: PEER_ADDRESS. */
  ADDRESS: 32,
  /** MS-PPGRH 2.2.1.6: RECORD_ABSTRACT. */
  ABSTRACT: 20,
  /** MS-PPGRH 2.2.1.7: HASH_INFO_ENTRY. */
  HASH_INFO: 40,
  /** MS-PPGRH 2.2.1.8: HASH_ENTRY_BOUNDARY. */
  BOUNDARY: 52,
  /** MS-PPGRH 2.2.2.14: record ID and flags. */
  ACK: 20,
  /** MS-PPGRH 2.2.1.9: a PEER_RECORD without what is variable. */
  RECORD: 90,
  /** MS-PPGRH 2.2.3.1: Graph Info without its strings. */
  INFO: 40,
} as const
export type GraphLength = (typeof GraphLength)[keyof typeof GraphLength]

/** Messages without their variable parts, in bytes. */
export const GraphFixed = {
  /** MS-PPGRH 2.2.2.1: part before the strings. */
  AUTH_INFO: 16,
  /** MS-PPGRH 2.2.2.2: part before the addresses. */
  CONNECT: 24,
  /** MS-PPGRH 2.2.2.3: part before the addresses. */
  WELCOME: 32,
  /** MS-PPGRH 2.2.2.4: part before the addresses. */
  REFUSE: 12,
  /** MS-PPGRH 2.2.2.5: part before the addresses. */
  DISCONNECT: 12,
  /** MS-PPGRH 2.2.2.6: part before the record types. */
  SOLICIT_NEW: 12,
  /** MS-PPGRH 2.2.2.7: part before the record types. */
  SOLICIT_TIME: 20,
  /** MS-PPGRH 2.2.2.8: part before the record types. */
  SOLICIT_HASH: 20,
  /** MS-PPGRH 2.2.2.9: part before the ranges. */
  ADVERTISE: 24,
  /** MS-PPGRH 2.2.2.10: part before the abstracts. */
  REQUEST: 16,
  /** MS-PPGRH 2.2.2.10: least size sent, GA-20. */
  REQUEST_SENT: 20,
  /** MS-PPGRH 2.2.2.11: part before the record. */
  FLOOD: 12,
  /** MS-PPGRH 3.1.5.2.10: least size of a FLOOD. */
  FLOOD_LEAST: 16,
  /** MS-PPGRH 2.2.2.12: the whole message. */
  SYNC_END: 12,
  /** MS-PPGRH 2.2.2.13: part before the data. */
  PT2PT: 28,
  /** MS-PPGRH 2.2.2.14: part before the acknowledgements. */
  ACK: 12,
} as const
export type GraphFixed = (typeof GraphFixed)[keyof typeof GraphFixed]

/** What the formats allow. */
export const GraphBound = {
  /** MS-PPGRH 2.2: Max Frame Size without a provider. */
  FRAME: 16379,
  /** MS-PPGRH 3.1.1: Max Frame Size under any provider. */
  FRAME_MOST: 32768,
  /** MS-PPGRH 2.2.1.9: characters of a Graph ID or Peer ID with its NUL. */
  ID_UNITS: 256,
  /** MS-PPGRH 2.2.1.9: likewise. */
  ID_UNITS_LEAST: 2,
  /** MS-PPGRH 2.2.3.1: characters of a friendly name with its NUL. */
  NAME_UNITS: 256,
  /** MS-PPGRH 2.2.3.1: characters of a comment with its NUL. */
  COMMENT_UNITS: 512,
  /** MS-PPGRH 2.2.3.1: least presence lifetime in seconds, if not 0. */
  PRESENCE_LIFETIME: 300,
  /** MS-PPGRH 2.2.3.1: least Max Record Size, if not 0. */
  RECORD_SIZE_LEAST: 1024,
  /** MS-PPGRH 2.2.3.1: largest Max Record Size. */
  RECORD_SIZE: 62914560,
} as const
export type GraphBound = (typeof GraphBound)[keyof typeof GraphBound]
