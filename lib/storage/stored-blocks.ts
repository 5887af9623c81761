import type { HashScheme } from '../content/algorithms.js'
import type { PoolWork } from '../content/blocks.js'
import type { IndexRange } from '../content/retrieval.js'

/** Runs work of lib/content/blocks.ts, best on the thread pool. */
export type RunWork = (work: PoolWork) => Promise<boolean>

export interface BlockStoreOptions {
  readonly directory: string
  readonly run: RunWork
  /** Bytes on disk; the segments used least recently go first. Default 1 GiB. */
  readonly maxBytes?: number
  /** Age at which segments go, in milliseconds. Default 28 days. */
  readonly maxAgeMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A segment of which at least one block is there. */
export interface HeldSegment {
  readonly id: Uint8Array
  readonly scheme: HashScheme
  readonly secret: Uint8Array
  readonly length: number
  readonly blockCount: number
  /** The blocks that are there, sorted and merged. */
  readonly blocks: readonly IndexRange[]
  readonly isComplete: boolean
  /** Milliseconds since the segment was first stored. */
  readonly ageMs: number
}

/** A verified block, and what is needed to seal it. */
export interface StoredBlock {
  readonly bytes: Uint8Array
  readonly secret: Uint8Array
}

/** What is there of a segment now, in numbers. `blocks` 0: it is gone. */
export interface SegmentChange {
  readonly id: Uint8Array
  readonly blocks: number
  readonly blockCount: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** Where a block lies, not verified yet. */
export interface FoundBlock {
  readonly place: { readonly fd: number; readonly position: number }
  readonly length: number
  readonly scheme: HashScheme
  readonly secret: Uint8Array
  readonly hash: Uint8Array
  /** The next block of the segment that is there; 0 when there is none. */
  readonly nextBlock: number
}

/** A block that was read and is not verified yet. */
export interface TakenBlock extends Omit<FoundBlock, 'place'> {
  readonly place: Uint8Array
}

/** Counts of this process, except `bytes` and `segments`, which are of the directory. */
export interface BlockStoreStatistics {
  readonly segments: number
  readonly bytes: number
  readonly maxBytes: number
  readonly hits: number
  readonly misses: number
  readonly stored: number
  readonly evicted: number
  readonly corrupt: number
  readonly failedReads: number
  readonly failedWrites: number
  /** The system's code of the last failure, e.g. ENOSPC. */
  readonly lastFailure: string | undefined
}
