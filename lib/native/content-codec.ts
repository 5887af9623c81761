import { addon } from './addon.js'

/**
 * The native codecs of MS-PCCRC, MS-PCCRR and MS-PCHC (native/binding/content_codec.cc). Results
 * other than bytes travel in three shared arrays; a negative result -n is outcome code n
 * (codes.ts).
 */
export const {
  infoHead,
  retrievalRow,
  offerRow,
  infoDecode,
  infoSegments,
  retrievalDecode,
  retrievalEncode,
  retrievalLength,
  offerDecode,
  offerEncode,
} = addon

/** Words of `infoHead`: pn_ci_t. */
export const InfoHead = {
  AT: 0,
  VERSION: 1,
  ALGORITHM: 2,
  HASH_LENGTH: 3,
  SEGMENT_COUNT: 4,
  OFFSET_IN_FIRST: 5,
  START: 6,
  FIRST_INDEX: 7,
  END: 8,
  RANGE_START: 9,
  RANGE_LENGTH: 10,
} as const

/** Numbers of a segment in the table of `infoSegments`: pn_ci_segment_t. */
export const SegmentRow = {
  OFFSET: 0,
  LENGTH: 1,
  HASH_OF_DATA: 2,
  SECRET: 3,
  BLOCKS: 4,
  BLOCK_COUNT: 5,
  NUMBERS: 6,
} as const

/** Words of `retrievalRow`: pn_retrieval_t. Versions are major << 16 | minor. */
export const RetrievalRow = {
  CODE: 0,
  AT: 1,
  HAS_HEADER: 2,
  VERSION: 3,
  TYPE: 4,
  SIZE: 5,
  CIPHER: 6,
  MIN_VERSION: 7,
  MAX_VERSION: 8,
  ID: 9,
  ID_LENGTH: 10,
  RANGES: 11,
  RANGE_COUNT: 12,
  BLOCK_INDEX: 13,
  NEXT_BLOCK: 14,
  BLOCK: 15,
  BLOCK_LENGTH: 16,
  VERIFICATION: 17,
  VERIFICATION_LENGTH: 18,
  IV: 19,
  IV_LENGTH: 20,
  REQUEST_ID: 21,
  IDS: 22,
  ID_COUNT: 23,
  IDS_LENGTH: 24,
  BLOB: 25,
  BLOB_LENGTH: 26,
} as const

/** BLOCK when the encoder shall leave room for a block that is put in later. */
export const BLOCK_LATER = 0xffffffff

/** Words of `offerRow`: pn_offer_t. */
export const OfferRow = {
  CODE: 0,
  AT: 1,
  MINOR: 2,
  MAJOR: 3,
  TYPE: 4,
  PORT: 5,
  ID: 6,
  ID_LENGTH: 7,
  TAG: 8,
  INFO: 9,
  INFO_LENGTH: 10,
  DESCRIPTORS: 11,
  DESCRIPTOR_COUNT: 12,
} as const
