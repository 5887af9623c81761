import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord, RecordFields } from '../wire/graph/record.js'
import { isReservedType, RECORD_TYPE } from './constants.js'
import type { RecordChanges } from './interface.js'

const NOTHING = new Uint8Array(0)

/** FILETIME ticks of a duration in microseconds. */
export const ticks = (us: number): bigint => BigInt(us) * 10n

export const later = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** Who makes a version of a record, and when. */
export interface Author {
  readonly peerId: string
  readonly graphId: string
  /** Peer time. */
  readonly now: bigint
}

interface Content {
  readonly type: Guid
  readonly id: Guid
  readonly expirationTime: bigint
  readonly payload?: Uint8Array
  readonly attributes?: string
}

/**
 * MS-PPGRH 3.1.7.2; nobody has modified it (GA-48). A version above 1 follows a tombstone (GA-53).
 */
export function created(content: Content, author: Author, version = 1): RecordFields {
  return {
    type: content.type,
    id: content.id,
    version,
    deleted: false,
    creatorId: author.peerId,
    lastModifiedBy: '',
    securityData: NOTHING,
    creationTime: author.now,
    expirationTime: content.expirationTime,
    modificationTime: author.now,
    graphId: author.graphId,
    payload: content.payload ?? NOTHING,
    attributes: content.attributes ?? '',
  }
}

/** 3.1.4.4: what is absent stays. */
export function updated(old: GraphRecord, changes: RecordChanges, author: Author): RecordFields {
  return {
    ...nextVersion(old, author),
    // GA-44: peer time may have stepped back.
    modificationTime: later(later(author.now, old.creationTime + 1n), old.modificationTime),
    expirationTime: changes.expirationTime ?? old.expirationTime,
    payload: changes.payload ?? old.payload,
    attributes: changes.attributes ?? old.attributes,
  }
}

/** 3.1.7.9 with GA-11: a version of its own, or it would lose against what it deletes. */
export function deleted(old: GraphRecord, author: Author): RecordFields {
  const modificationTime = later(author.now, old.modificationTime + 1n)
  const least = modificationTime + ticks(LIMITS.graphLeastTombstoneUs)
  return {
    ...nextVersion(old, author),
    deleted: true,
    modificationTime,
    expirationTime: old.expirationTime <= modificationTime ? least : old.expirationTime,
    payload: NOTHING,
    attributes: '',
  }
}

function nextVersion(
  old: GraphRecord,
  author: Author,
): Omit<RecordFields, 'modificationTime' | 'expirationTime' | 'payload' | 'attributes'> {
  return {
    type: old.type,
    id: old.id,
    version: old.version + 1,
    deleted: false,
    creatorId: old.creatorId,
    lastModifiedBy: author.peerId,
    securityData: NOTHING,
    creationTime: old.creationTime,
    graphId: old.graphId,
  }
}

/** 3.1.4.2: what nodes say of themselves is not true any more when they come back. */
export function isPersisted(type: Guid): boolean {
  return type === RECORD_TYPE.graphInfo || !isReservedType(type)
}
