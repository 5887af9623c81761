/**
 * Outcome codes of the native core, mirrored from native/core/err.def in its order
 * (test/unit/native/codes.test.ts compares them). The index is the number that rows and calls use.
 */
export const NATIVE_CODES = [
  'OK',
  /** The bytes end inside a field or before a mandatory element. */
  'ERR_PEERNET_TRUNCATED',
  /** Bytes follow the last element that are not its padding. */
  'ERR_PEERNET_TRAILING_BYTES',
  /** FieldID, Length or Identifier of the header is wrong. */
  'ERR_PEERNET_BAD_HEADER',
  /** A version number other than the one defined. */
  'ERR_PEERNET_BAD_VERSION',
  /** A message type that is not defined. */
  'ERR_PEERNET_UNKNOWN_MESSAGE_TYPE',
  /** The FieldID is not one allowed at this position. */
  'ERR_PEERNET_UNEXPECTED_FIELD',
  /** A length field contradicts what it covers. */
  'ERR_PEERNET_BAD_LENGTH',
  /** The five numbers of an array element contradict each other. */
  'ERR_PEERNET_BAD_ARRAY',
  /** A count is outside its range. */
  'ERR_PEERNET_BAD_COUNT',
  /** A field holds a value that its definition does not allow. */
  'ERR_PEERNET_BAD_VALUE',
  /** Size, Offset and slice of an AUTHORITY contradict each other. */
  'ERR_PEERNET_BAD_SPLIT',
  /** A combination of flags that is not allowed. */
  'ERR_PEERNET_BAD_FLAGS',
  /** The nonce of a revoke CPA is not zero. */
  'ERR_PEERNET_BAD_NONCE',
  /** A payload of unknown type or impossible length. */
  'ERR_PEERNET_BAD_PAYLOAD',
  /** Not the public key structure of a 1024-bit RSA key. */
  'ERR_PEERNET_BAD_PUBLIC_KEY',
  /** Not a SIGNATURE structure of SHA-1 and 128 bytes. */
  'ERR_PEERNET_BAD_SIGNATURE',
  /** Text that is not terminated, or not in its encoding. */
  'ERR_PEERNET_BAD_TEXT',
  /** The output buffer is too small. */
  'ERR_PEERNET_NO_BUFFER',
  /** A field's offset and length leave the source bytes. */
  'ERR_PEERNET_OUT_OF_SOURCE',
  /** A slice reaches beyond Size. */
  'ERR_PEERNET_FRAGMENT_OVERRUN',
  /** A slice whose Size differs from that of its context. */
  'ERR_PEERNET_FRAGMENT_SIZE_CHANGED',
  /** A slice other than the last that is not 1188 bytes long. */
  'ERR_PEERNET_FRAGMENT_NOT_FULL',
  /** A slice that was received before. */
  'ERR_PEERNET_FRAGMENT_DUPLICATE',
  /** One source has as many reassemblies as it may. */
  'ERR_PEERNET_REASSEMBLY_SOURCE_FULL',
  /** No room for another slice or reassembly. */
  'ERR_PEERNET_REASSEMBLY_FULL',
  /** A frame of no bytes, or of more than Max Frame Size. */
  'ERR_PEERNET_BAD_FRAME',
  /** Message Size is above what this type of message may have. */
  'ERR_PEERNET_MESSAGE_TOO_LONG',
  /** A frame holds more than the rest of its message. */
  'ERR_PEERNET_SURPLUS_BYTES',
  /** The record is of another graph. */
  'ERR_PEERNET_WRONG_GRAPH',
  /** Longer than such a message may be. */
  'ERR_PEERNET_TOO_LONG',
  /** A hash algorithm other than those defined. */
  'ERR_PEERNET_BAD_HASH_ALGORITHM',
  /** A segment that is empty, too long, or not 32 MiB though others follow. */
  'ERR_PEERNET_BAD_SEGMENT_SIZE',
  /** A block size other than 65536. */
  'ERR_PEERNET_BAD_BLOCK_SIZE',
  /** A segment that does not stand where its number puts it. */
  'ERR_PEERNET_BAD_OFFSET',
  /** No block, or more blocks than the segment has. */
  'ERR_PEERNET_BAD_BLOCK_COUNT',
  /** A range that is empty or leaves what is listed. */
  'ERR_PEERNET_BAD_RANGE',
  /** A chunk of unknown type, or not made of whole descriptions. */
  'ERR_PEERNET_BAD_CHUNK',
  /** A complete list of block hashes does not give the segment's hash of data. */
  'ERR_PEERNET_BAD_HASH',
  /** A segment ID that is not 32, 48 or 64 bytes long. */
  'ERR_PEERNET_BAD_ID_LENGTH',
  /** Cipher, IV and length of an encrypted block contradict each other. */
  'ERR_PEERNET_BAD_CIPHER',
] as const

/** A code other than OK. Stable: users of `peernet pnrp decode` match it. */
export type NativeCode = Exclude<(typeof NATIVE_CODES)[number], 'OK'>

/** The string of a number that a native call gave; numbers that are no code become NATIVE. */
export function nativeCode(number: number): NativeCode | 'ERR_PEERNET_NATIVE' {
  const code = NATIVE_CODES[number]
  return code === undefined || code === 'OK' ? 'ERR_PEERNET_NATIVE' : code
}
