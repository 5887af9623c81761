/**
 * Words of what the native graph codec shares (native/core/graph_msg.h, graph_record.h,
 * graph_stream.h, graph_payload.h; the addon's `graphLayout` tells the truth).
 */

/** pn_graph_msg_t */
export const MessageRow = {
  CODE: 0,
  TYPE: 1,
  MEMORY: 2,
  AT: 3,
  SIZE: 4,
  END: 5,
  VALUE: 6,
  ENTRIES: 7,
  ENTRY_COUNT: 8,
  MORE: 9,
  MORE_COUNT: 10,
  NODE_ID: 11,
  TIME: 12,
  /** Three times offset and length. */
  TEXTS: 13,
  /** A RecordRow. */
  RECORD: 19,
  /** Two words. */
  PRINT: 30,
} as const

export const ROW_WORDS = 32

/** Offset of a text that is not there, as a signed word. */
export const ABSENT = -1

/** pn_graph_record_t */
export const RecordRow = {
  AT: 0,
  SIZE: 1,
  VERSION: 2,
  FLAGS: 3,
  CREATOR_UNITS: 4,
  MODIFIER_UNITS: 5,
  SECURITY_SIZE: 6,
  GRAPH_UNITS: 7,
  PAYLOAD_SIZE: 8,
  ATTRIBUTES_UNITS: 9,
  SWAPPED: 10,
} as const

/** pn_graph_stream_t */
export const StreamRow = {
  MODE: 0,
  MAX_FRAME: 1,
  MAX_MESSAGE: 2,
  CODE: 3,
  GATHERING: 4,
  HAVE: 5,
  WANT: 6,
  FRAME_LEFT: 7,
  HEAD: 8,
  NEED: 9,
  ROOM: 10,
  OFFSET: 11,
  AT: 12,
  GRAPH_ORDER: 13,
  GRAPH_UNITS: 14,
  /** Bytes from here on. */
  GRAPH_GRAPH_ID: 15,
} as const

export const STREAM_WORDS = 143

/** pn_graph_known_t: two prints in each set. */
export const KNOWN_SETS = 2048

export const StreamMode = { MESSAGES: 0, FRAMES: 1, PLAIN: 2 } as const

/** pn_graph_info_t */
export const InfoRow = {
  FLAGS: 0,
  SCOPE: 1,
  PRESENCE_LIFETIME: 2,
  MAX_PRESENCE_RECORDS: 3,
  MAX_RECORD_SIZE: 4,
  /** Offset and units, as the next three. */
  GRAPH_ID: 5,
  CREATOR_ID: 7,
  FRIENDLY_NAME: 9,
  COMMENT: 11,
} as const

/** pn_graph_node_t */
export const NodeRow = {
  SIGNATURE: 0,
  NODE_ID: 1,
  ATTRIBUTES: 2,
  ADDRESSES: 4,
  ADDRESS_COUNT: 5,
} as const

export const NodeKind = { SIGNATURE: 1, CONTACT: 2, PRESENCE: 3 } as const
