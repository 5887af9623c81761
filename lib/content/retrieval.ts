/** The messages of the retrieval protocol, MS-PCCRR 2.2. */

/** A protocol version: major and minor are numbers of their own (1.10 is above 1.9). */
export interface ProtocolVersion {
  readonly major: number
  readonly minor: number
}

/** `count` blocks or segments from number `index` on (2.2.1.1, 2.2.1.2). */
export interface IndexRange {
  readonly index: number
  readonly count: number
}

/** CryptoAlgoId, 2.2.3: 0 none, 1 AES-128, 2 AES-192, 3 AES-256, all in CBC mode. */
export type Cipher = 0 | 1 | 2 | 3

interface Negotiation {
  readonly minVersion: ProtocolVersion
  readonly maxVersion: ProtocolVersion
}

/** 2.2.4. `cipher` is a preference that the server may ignore. */
export type RetrievalRequest =
  | ({ readonly type: 'nego-req'; readonly cipher?: Cipher } & Negotiation)
  | {
      readonly type: 'getblklist' | 'getblks'
      readonly segmentId: Uint8Array
      /** 1..256; a client asks for one block a `getblks`. */
      readonly ranges: readonly IndexRange[]
      readonly cipher?: Cipher
    }
  | {
      readonly type: 'getseglist'
      /** 16 bytes. */
      readonly requestId: Uint8Array
      readonly segmentIds: readonly Uint8Array[]
      /** Extensible blob (lib/wire/segment-ages.ts); empty when there is none. */
      readonly blob?: Uint8Array
      readonly cipher?: Cipher
    }

/** MSG_BLK, 2.2.5.3. An empty block: the server does not have it. */
export interface BlockMessage {
  readonly type: 'blk'
  readonly segmentId: Uint8Array
  readonly blockIndex: number
  /** The next block that the server has, 0 when there is none. */
  readonly nextBlock: number
  readonly cipher: Cipher
  /** As it stands on the wire: encrypted unless `cipher` is 0. */
  readonly block: Uint8Array
  /** 16 bytes, or empty. */
  readonly iv: Uint8Array
}

/** 2.2.5. */
export type RetrievalResponse =
  | ({ readonly type: 'nego-resp' } & Negotiation)
  | {
      readonly type: 'blklist'
      readonly segmentId: Uint8Array
      readonly ranges: readonly IndexRange[]
      readonly nextBlock: number
    }
  | BlockMessage
  | {
      readonly type: 'seglist'
      readonly requestId: Uint8Array
      /** Numbers of IDs in the request. */
      readonly ranges: readonly IndexRange[]
      readonly blob?: Uint8Array
    }

export type RetrievalMessage = RetrievalRequest | RetrievalResponse
export type RetrievalType = RetrievalMessage['type']

/** 2.2.3 MsgType: the place is the number. */
export const RETRIEVAL_TYPES = [
  'nego-req',
  'nego-resp',
  'getblklist',
  'getblks',
  'blklist',
  'blk',
  'getseglist',
  'seglist',
] as const satisfies readonly RetrievalType[]

/** 2.1.1: requests are POSTed here (DA-24: case and a trailing slash do not matter). */
export const RETRIEVAL_PATH = '/116B50EB-ECE2-41ac-8429-9F9E963361B7/'

/** 2.2.1.1: blocks of a segment. */
export const SEGMENT_BLOCKS = 512

/**
 * 3.1.5.1: the highest major version that both ranges contain, or undefined when the two cannot
 * talk. Each side then uses the highest minor version that it has in it.
 */
export function commonMajor(ours: Negotiation, theirs: Negotiation): number | undefined {
  const low = Math.max(ours.minVersion.major, theirs.minVersion.major)
  const high = Math.min(ours.maxVersion.major, theirs.maxVersion.major)
  return low <= high ? high : undefined
}

/** Sorted, disjoint and merged, as Windows sends ranges (notes <4>, <7>). */
export function normalizedRanges(ranges: readonly IndexRange[]): IndexRange[] {
  const out: { index: number; count: number }[] = []
  for (const { index, count } of [...ranges].sort((a, b) => a.index - b.index)) {
    const last = out.at(-1)
    if (last === undefined || index > last.index + last.count) {
      if (count > 0) out.push({ index, count })
    } else {
      last.count = Math.max(last.count, index + count - last.index)
    }
  }
  return out
}
