import type { Malformed } from '../wire/fields.js'
import {
  infoDecode,
  InfoHead,
  infoHead,
  infoSegments,
  SegmentRow,
} from '../native/content-codec.js'
import { nativeCode } from '../native/codes.js'
import { algorithmOf, type ContentVersion, type HashScheme } from './algorithms.js'
import { ContentSegment, type ContentInfo } from './content-info.js'

export type ParsedContentInfo = { readonly ok: true; readonly info: ContentInfo } | Malformed

/** Inside an offer to a hosted cache the range may be said to be longer than it is. */
const OFFERED = 1

const head = (index: number): number => infoHead[index] as number

/**
 * Reads content information of either version (MS-PCCRC 2.3, 2.4), strictly: everything that can be
 * told without the content itself is checked, complete lists of block hashes included. The result
 * holds views of the bytes. Never throws for bytes of any kind.
 */
export function parseContentInfo(bytes: Uint8Array): ParsedContentInfo {
  return parse(bytes, 0)
}

/** The same inside a SEGMENT_INFO_MESSAGE (MS-PCHC 2.2.1.4). */
export function parseOfferedInfo(bytes: Uint8Array): ParsedContentInfo {
  return parse(bytes, OFFERED)
}

function parse(bytes: Uint8Array, flags: number): ParsedContentInfo {
  const result = infoDecode(bytes, flags)
  if (result !== 0) return { ok: false, code: nativeCode(-result), offset: head(InfoHead.AT) }
  const version = head(InfoHead.VERSION) as ContentVersion
  const algorithm = algorithmOf(head(InfoHead.ALGORITHM))
  const range = { start: head(InfoHead.RANGE_START), length: head(InfoHead.RANGE_LENGTH) }
  const width = head(InfoHead.HASH_LENGTH)
  const firstIndex = head(InfoHead.FIRST_INDEX)
  const table = new Float64Array(head(InfoHead.SEGMENT_COUNT) * SegmentRow.NUMBERS)
  infoSegments(bytes, flags, table)
  const scheme = { version, algorithm }
  const segments: ContentSegment[] = []
  for (let at = 0; at < table.length; at += SegmentRow.NUMBERS) {
    segments.push(segmentAt(scheme, bytes, table.subarray(at), firstIndex + segments.length, width))
  }
  return { ok: true, info: { version, algorithm, range, segments } }
}

function segmentAt(
  scheme: HashScheme,
  bytes: Uint8Array,
  row: Float64Array,
  index: number,
  width: number,
): ContentSegment {
  const number = (column: number): number => row[column] as number
  const view = (column: number, length: number): Uint8Array => {
    const at = number(column)
    return bytes.subarray(at, at + length)
  }
  return new ContentSegment(
    scheme,
    { index, offset: number(SegmentRow.OFFSET), length: number(SegmentRow.LENGTH) },
    {
      hashOfData: view(SegmentRow.HASH_OF_DATA, width),
      secret: view(SegmentRow.SECRET, width),
      blockHashes: view(SegmentRow.BLOCKS, width * number(SegmentRow.BLOCK_COUNT)),
    },
  )
}
