import type { Guid } from '../../core/guid.js'

/** What a PEER_RECORD says, MS-PPGRH 2.2.1.9. Empty strings and arrays stand for absent ones. */
export interface RecordFields {
  readonly type: Guid
  readonly id: Guid
  /** 1 at creation, one more with each update. */
  readonly version: number
  /** D: a tombstone. */
  readonly deleted: boolean
  readonly creatorId: string
  readonly lastModifiedBy: string
  readonly securityData: Uint8Array
  /** FILETIME ticks of peer time, as all times of a record. */
  readonly creationTime: bigint
  readonly expirationTime: bigint
  readonly modificationTime: bigint
  readonly graphId: string
  readonly payload: Uint8Array
  /** XML of 2.2.3.5. */
  readonly attributes: string
}

/**
 * A record with its wire form, which is kept as it is and shared by all who send it. Immutable.
 * Its fields are getters that read when asked, so a spread finds none of them: whoever wants a
 * changed record starts from `recordFields` (wire-record.ts).
 */
export interface GraphRecord extends RecordFields {
  /** The PEER_RECORD in this graph's dialect (GA-01). Never write into it. */
  readonly bytes: Uint8Array
  /** Of `bytes`, without making a view of them. */
  readonly size: number
  /**
   * One of the six signed words of the times, high before low: creation, expiration, modification.
   * No bigint is made.
   */
  timeWord(index: number): number
  /** One of the four signed words of `id`, big-endian. No string is made. */
  idWord(index: number): number
  /** Puts `id` into bytes. */
  writeId(bytes: Uint8Array, at: number): void
  /**
   * A record that was just decoded borrows the memory of the stream that it came in; this makes it
   * own its bytes. Whoever keeps a record calls it first. Returns the record itself.
   */
  retain(): GraphRecord
}
