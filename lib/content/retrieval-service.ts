import { encodeRetrieval } from './encode-retrieval.js'
import { decodeRequest } from './decode-retrieval.js'
import {
  commonMajor,
  normalizedRanges,
  RETRIEVAL_PATH,
  type IndexRange,
  type ProtocolVersion,
  type RetrievalRequest,
} from './retrieval.js'

/** What a server of the retrieval protocol decides (MS-PCCRR 3.2); a driver carries it out. */

/** 1.0 for blocks, 2.0 for lists of segments (2.2.3). */
export const OUR_VERSIONS = {
  minVersion: { major: 1, minor: 0 },
  maxVersion: { major: 2, minor: 0 },
} as const

type Of<Type extends string> = RetrievalRequest & { readonly type: Type }
export type BlockRequest = Of<'getblks'>
export type BlockListRequest = Of<'getblklist'>
export type SegmentListRequest = Of<'getseglist'>

/** What to do with a request: answer at once, look into the cache first, or drop it (DA-22). */
export type Verdict =
  | { readonly kind: 'drop' }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'serve'
      readonly request: BlockRequest | BlockListRequest | SegmentListRequest
    }

/** DA-24: any case, with or without the slash at the end. */
export function isRetrievalPath(url: string): boolean {
  const path = url.split('?', 1)[0] as string
  return (path.endsWith('/') ? path : `${path}/`).toLowerCase() === RETRIEVAL_PATH.toLowerCase()
}

/** 3.2.5.1 to 3.2.5.5, in the order given there. */
export function judgeRequest(body: Uint8Array, isBusy: boolean): Verdict {
  const decoded = decodeRequest(body)
  if (!decoded.ok) {
    const { header } = decoded
    const isOther =
      header !== undefined && decoded.code === 'ERR_PEERNET_BAD_VERSION' && !speaks(header.version)
    return isOther ? { kind: 'answer', bytes: ourVersions() } : { kind: 'drop' }
  }
  const { message, version } = decoded
  if (message.type === 'nego-req' || !speaks(version)) {
    return { kind: 'answer', bytes: ourVersions() }
  }
  return isBusy
    ? { kind: 'answer', bytes: emptyAnswer(message) }
    : { kind: 'serve', request: message }
}

function speaks(version: ProtocolVersion): boolean {
  return commonMajor(OUR_VERSIONS, { minVersion: version, maxVersion: version }) !== undefined
}

function ourVersions(): Uint8Array {
  return encodeRetrieval({ type: 'nego-resp', ...OUR_VERSIONS })
}

/** 3.2.5.2 to 3.2.5.4: to a client too many, or when there is nothing. */
export function emptyAnswer(
  request: BlockRequest | BlockListRequest | SegmentListRequest,
): Uint8Array {
  switch (request.type) {
    case 'getblklist':
      return encodeRetrieval({
        type: 'blklist',
        segmentId: request.segmentId,
        ranges: [],
        nextBlock: 0,
      })
    case 'getseglist':
      return encodeRetrieval({ type: 'seglist', requestId: request.requestId, ranges: [] })
    case 'getblks':
      return encodeRetrieval({
        type: 'blk',
        segmentId: request.segmentId,
        blockIndex: firstBlock(request.ranges),
        nextBlock: 0,
        cipher: 0,
        block: new Uint8Array(0),
        iv: new Uint8Array(0),
      })
  }
}

/** 3.2.5.3: of several blocks the one with the smallest number. */
export function firstBlock(ranges: readonly IndexRange[]): number {
  return Math.min(...ranges.map(({ index }) => index))
}

/** 2.2.5.3: the next block that is there after this one, 0 when there is none. */
export function nextBlock(held: readonly IndexRange[], block: number): number {
  for (const { index, count } of held) {
    if (index > block) return index
    if (block + 1 < index + count) return block + 1
  }
  return 0
}

/** What two lists of ranges have in common, sorted and merged. */
export function intersection(
  some: readonly IndexRange[],
  others: readonly IndexRange[],
): IndexRange[] {
  const out: IndexRange[] = []
  for (const one of normalizedRanges(some)) {
    for (const other of normalizedRanges(others)) {
      const index = Math.max(one.index, other.index)
      const end = Math.min(one.index + one.count, other.index + other.count)
      if (index < end) out.push({ index, count: end - index })
    }
  }
  return normalizedRanges(out)
}

/** MSG_BLKLIST with what was asked for and is there (3.2.5.2). */
export function blockListAnswer(
  request: BlockListRequest,
  held: readonly IndexRange[],
): Uint8Array {
  const ranges = intersection(request.ranges, held).slice(0, 256)
  const last = ranges.at(-1)
  // DA-20
  const next = last === undefined ? 0 : nextBlock(held, last.index + last.count - 1)
  return encodeRetrieval({
    type: 'blklist',
    segmentId: request.segmentId,
    ranges,
    nextBlock: next,
  })
}

/** MSG_SEGLIST; `isHeld`: for each ID of the request whether a part is there (3.2.5.4). */
export function segmentListAnswer(
  { requestId }: SegmentListRequest,
  isHeld: readonly boolean[],
  blob: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const ranges = isHeld.flatMap((held, index) => (held ? [{ index, count: 1 }] : []))
  return encodeRetrieval({
    type: 'seglist',
    requestId,
    ranges: normalizedRanges(ranges).slice(0, 256),
    blob,
  })
}
