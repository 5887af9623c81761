import { retrievalDecode, retrievalRow, RetrievalRow as Row } from '../native/content-codec.js'
import { nativeCode } from '../native/codes.js'
import type { Malformed } from '../wire/fields.js'
import {
  RETRIEVAL_TYPES,
  type Cipher,
  type IndexRange,
  type ProtocolVersion,
  type RetrievalMessage,
  type RetrievalRequest,
  type RetrievalResponse,
  type RetrievalType,
} from './retrieval.js'

/** A message of the kind that was expected, and the version in its header. */
export interface Retrieved<Message> {
  readonly ok: true
  readonly message: Message
  readonly version: ProtocolVersion
}

/**
 * Bytes that are no such message. Where at least the header could be read, a server whose version
 * is not spoken by the client can still answer with its own (3.2.5.2).
 */
export interface MalformedRetrieval extends Malformed {
  readonly header?: { readonly type: RetrievalType | undefined; readonly version: ProtocolVersion }
}

const word = (index: number): number => retrievalRow[index] as number

/**
 * The body of a POST (MS-PCCRR 2.2.4). Byte fields are views of `bytes`. The message has to fill
 * them; requests of more than 98,304 bytes are refused.
 */
export function decodeRequest(bytes: Uint8Array): Retrieved<RetrievalRequest> | MalformedRetrieval {
  return decode(bytes, 0) as Retrieved<RetrievalRequest> | MalformedRetrieval
}

/** The body of an answer (2.2.5), transport header included; up to 393,220 bytes. */
export function decodeResponse(
  bytes: Uint8Array,
): Retrieved<RetrievalResponse> | MalformedRetrieval {
  return decode(bytes, 1) as Retrieved<RetrievalResponse> | MalformedRetrieval
}

function decode(bytes: Uint8Array, side: 0 | 1): Retrieved<RetrievalMessage> | MalformedRetrieval {
  const result = retrievalDecode(bytes, side)
  if (result !== 0) return malformed(-result)
  return { ok: true, message: messageIn(bytes), version: versionOf(word(Row.VERSION)) }
}

function malformed(code: number): MalformedRetrieval {
  const found = { ok: false, code: nativeCode(code), offset: word(Row.AT) } as const
  if (word(Row.HAS_HEADER) === 0) return found
  const version = versionOf(word(Row.VERSION))
  return { ...found, header: { type: RETRIEVAL_TYPES[word(Row.TYPE)], version } }
}

function versionOf(value: number): ProtocolVersion {
  return { major: value >>> 16, minor: value & 0xffff }
}

function view(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return bytes.subarray(word(at), word(at) + word(length))
}

function rangesIn(bytes: Uint8Array): IndexRange[] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = word(Row.RANGES)
  return Array.from({ length: word(Row.RANGE_COUNT) }, (_, i) => ({
    index: data.getUint32(at + 8 * i),
    count: data.getUint32(at + 8 * i + 4),
  }))
}

function segmentIdsIn(bytes: Uint8Array): Uint8Array[] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = word(Row.IDS)
  return Array.from({ length: word(Row.ID_COUNT) }, () => {
    const length = data.getUint32(at)
    const id = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + Math.ceil(length / 4) * 4
    return id
  })
}

function messageIn(bytes: Uint8Array): RetrievalMessage {
  const type = RETRIEVAL_TYPES[word(Row.TYPE)] as RetrievalType
  const cipher = word(Row.CIPHER) as Cipher
  const segmentId = (): Uint8Array => view(bytes, Row.ID, Row.ID_LENGTH)
  const requestId = (): Uint8Array =>
    bytes.subarray(word(Row.REQUEST_ID), word(Row.REQUEST_ID) + 16)
  const blob = (): Uint8Array => view(bytes, Row.BLOB, Row.BLOB_LENGTH)
  const versions = () => ({
    minVersion: versionOf(word(Row.MIN_VERSION)),
    maxVersion: versionOf(word(Row.MAX_VERSION)),
  })
  switch (type) {
    case 'nego-req':
      return { type, ...versions(), cipher }
    case 'nego-resp':
      return { type, ...versions() }
    case 'getblklist':
    case 'getblks':
      return { type, segmentId: segmentId(), ranges: rangesIn(bytes), cipher }
    case 'blklist':
      return {
        type,
        segmentId: segmentId(),
        ranges: rangesIn(bytes),
        nextBlock: word(Row.NEXT_BLOCK),
      }
    case 'blk':
      return {
        type,
        segmentId: segmentId(),
        blockIndex: word(Row.BLOCK_INDEX),
        nextBlock: word(Row.NEXT_BLOCK),
        cipher,
        block: view(bytes, Row.BLOCK, Row.BLOCK_LENGTH),
        iv: view(bytes, Row.IV, Row.IV_LENGTH),
      }
    case 'getseglist':
      return {
        type,
        requestId: requestId(),
        segmentIds: segmentIdsIn(bytes),
        blob: blob(),
        cipher,
      }
    case 'seglist':
      return { type, requestId: requestId(), ranges: rangesIn(bytes), blob: blob() }
  }
}
