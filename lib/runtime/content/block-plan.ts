import type { ContentInfo, ContentSegment } from '../../content/content-info.js'
import type { IndexRange } from '../../content/retrieval.js'
import { LIMITS } from '../../core/limits.js'
import type { PeerFailure } from './retrieval-client.js'

/** One try at a block that failed, and why. */
export interface Attempt {
  /** `host:port`, or 'origin'. */
  readonly from: string
  readonly failure: PeerFailure | 'changed'
}

/** A block of the content that is wanted. */
export interface WantedBlock {
  readonly segment: ContentSegment
  readonly block: number
  /** Place of its first byte in the content. */
  readonly offset: number
  readonly length: number
  /** What of it belongs to the range asked for. */
  readonly from: number
  readonly to: number
  state: 'waiting' | 'busy' | 'done'
  bytes: Uint8Array | undefined
  /** The cache was asked. */
  isLookedUp: boolean
  /** Peers that cannot give it. */
  readonly failedPeers: Set<string>
  readonly attempts: Attempt[]
}

/** The blocks of content information that its range touches, in order. */
export class BlockPlan {
  readonly blocks: readonly WantedBlock[]
  /** The first block that was not given out yet. */
  head = 0

  constructor(info: ContentInfo) {
    const end = info.range.start + info.range.length
    this.blocks = info.segments.flatMap((segment) =>
      Array.from({ length: segment.blockCount }, (_, block): WantedBlock => {
        const offset = segment.offset + block * segment.blockBytes
        const length = segment.blockLength(block)
        return {
          ...{ segment, block, offset, length },
          from: Math.max(0, info.range.start - offset),
          to: Math.min(length, end - offset),
          ...{ state: 'waiting', bytes: undefined, isLookedUp: false },
          ...{ failedPeers: new Set<string>(), attempts: [] },
        }
      }).filter(({ from, to }) => from < to),
    )
  }

  /** Blocks that may be under way or wait for the reader: so many bytes from the head on. */
  *window(): Generator<WantedBlock> {
    let bytes = 0
    for (let i = this.head; i < this.blocks.length; i++) {
      const one = this.blocks[i] as WantedBlock
      bytes += one.length
      if (i > this.head && bytes > LIMITS.fetchWindowBytes) return
      yield one
    }
  }

  /** The first segments of which something is still to be got. */
  wantedSegments(most: number): ContentSegment[] {
    const found: ContentSegment[] = []
    for (let i = this.head; i < this.blocks.length; i++) {
      const { segment, state } = this.blocks[i] as WantedBlock
      if (state === 'done' || found.at(-1) === segment) continue
      if (found.length >= most) break
      found.push(segment)
    }
    return found
  }

  /** R 3.1.4.3: whether so many consecutive blocks are wanted that a block list is worth it. */
  wantsList(one: WantedBlock): boolean {
    return (this.rangeAround(one)?.count ?? 0) >= LIMITS.retrievalListedBlocks
  }

  /** The blocks of the segment that are wanted: one range, as the whole content range is. */
  rangeAround({ segment }: WantedBlock): IndexRange | undefined {
    return this.#bySegment().get(segment)
  }

  readonly #ranges = new Map<ContentSegment, { index: number; count: number }>()

  #bySegment(): Map<ContentSegment, { index: number; count: number }> {
    if (this.#ranges.size > 0) return this.#ranges
    for (const { segment, block } of this.blocks) {
      const range = this.#ranges.get(segment)
      if (range === undefined) this.#ranges.set(segment, { index: block, count: 1 })
      else range.count = block - range.index + 1
    }
    return this.#ranges
  }
}
