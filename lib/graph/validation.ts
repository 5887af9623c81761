import type { GraphDialect } from './dialect.js'
import { parseAttributes, RESERVED_ATTRIBUTE_NAMES } from '../wire/graph/attributes.js'
import {
  decodeContact,
  decodeGraphInfo,
  decodePresence,
  decodeSignature,
} from '../wire/graph/payloads.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { ABOUT_TICKS, ticksAbout } from './entry.js'
import { RECORD_TYPE } from './constants.js'
import { fixedIdOf, lastVersionOf } from './fixed-records.js'
import { RecordIdCheck } from './record-id.js'

/** What of 3.1.7.27 a record fails, for counting. */
export type RecordFault =
  | 'short'
  | 'creator'
  | 'record-id'
  | 'version'
  | 'modifier'
  | 'expiration-time'
  | 'modification-time'
  | 'time-range'
  | 'graph-id'
  | 'deleted-payload'
  | 'size'
  | 'unmodified-modifier'
  | 'attributes'
  | 'internal-payload'
  | 'expired'

export interface ValidationRules {
  readonly graphId: string
  /** Bytes of payload and attributes. */
  readonly maxRecordSize: number
  readonly dialect: GraphDialect
}

/** 3.1.7.27: the fixed part of a PEER_RECORD. */
const LEAST_BYTES = 90
/** Characters of an ID; with its NUL it has at most 256. */
const MOST_CHARACTERS = 255
/**
 * Where `timeWord` has the times. FILETIME is signed where it is compared: none is negative, since
 * the last hash range ends before that (GA-24) and such a record could never be synchronised. This
 * looks at no clock (GA-47).
 */
const CREATION = 0
const EXPIRATION = 2
const MODIFICATION = 4

/**
 * The syntactic rules of MS-PPGRH 3.1.7.27 in the order in which they are cheap. What the decoder
 * refuses already (lengths, version, terminators) cannot occur here.
 */
export class RecordValidation {
  readonly #ids = new RecordIdCheck()

  /** Undefined: the record is sound. GA-58: one that has expired is not. */
  faultOf(record: GraphRecord, rules: ValidationRules, now: bigint): RecordFault | undefined {
    const { creatorId, lastModifiedBy } = record
    if (record.size < LEAST_BYTES) return 'short'
    if (!isId(creatorId)) return 'creator'
    if (lastModifiedBy !== '' && !isId(lastModifiedBy)) return 'modifier'
    if (record.graphId !== rules.graphId) return 'graph-id'
    const times = faultOfTimes(record, now)
    if (times !== undefined) return times
    if (lastModifiedBy !== '' && compareTimes(record, MODIFICATION, CREATION) === 0) {
      return 'unmodified-modifier'
    }
    if (record.deleted && record.payload.length > 0) return 'deleted-payload'
    // GA-10: two types have an ID of their own, in every graph, and no other one.
    const fixed = fixedIdOf(record.type)
    const idFits = fixed === undefined ? this.#ids.belongs(record, creatorId) : record.id === fixed
    if (!idFits) return 'record-id'
    if (fixed !== undefined && record.version > lastVersionOf(record.type, now)) return 'version'
    return faultOfContent(record, rules)
  }
}

/** Bytes that Max Record Size is about (2.2.3.1). */
export function contentSize(record: {
  readonly payload: Uint8Array
  readonly attributes: string
}): number {
  const { payload, attributes } = record
  return payload.length + (attributes === '' ? 0 : 2 * (attributes.length + 1))
}

function isId(text: string): boolean {
  return text.length > 0 && text.length <= MOST_CHARACTERS
}

function faultOfTimes(record: GraphRecord, now: bigint): RecordFault | undefined {
  if (compareTimes(record, EXPIRATION, MODIFICATION) <= 0) return 'expiration-time'
  if (compareTimes(record, MODIFICATION, CREATION) < 0) return 'modification-time'
  if (record.timeWord(EXPIRATION) < 0) return 'time-range'
  // Far from it, as a rule.
  const about = ticksAbout(record.timeWord(EXPIRATION), record.timeWord(EXPIRATION + 1))
  if (about > Number(now) + ABOUT_TICKS) return undefined
  return record.expirationTime <= now ? 'expired' : undefined
}

/** Two times of a record, by the places of their words; no bigint is made. */
function compareTimes(record: GraphRecord, a: number, b: number): number {
  const high = (record.timeWord(a) >>> 0) - (record.timeWord(b) >>> 0)
  return high !== 0 ? high : (record.timeWord(a + 1) >>> 0) - (record.timeWord(b + 1) >>> 0)
}

function faultOfContent(record: GraphRecord, rules: ValidationRules): RecordFault | undefined {
  const { attributes } = record
  // What is no larger as a whole needs no closer look.
  if (record.size > rules.maxRecordSize && contentSize(record) > rules.maxRecordSize) return 'size'
  if (attributes !== '' && !attributesFit(attributes)) return 'attributes'
  if (!record.deleted && !payloadFits(record, rules.dialect)) return 'internal-payload'
  return undefined
}

/** 2.2.3.5: well-formed, and none has a name that stands for a field of the record. */
export function attributesFit(xml: string): boolean {
  const parsed = parseAttributes(xml)
  return parsed.ok && !parsed.attributes.some(({ name }) => RESERVED_ATTRIBUTE_NAMES.has(name))
}

/** An internal record whose payload nobody can read is of no use to anybody (2.2.3). */
function payloadFits(record: GraphRecord, dialect: GraphDialect): boolean {
  switch (record.type) {
    case RECORD_TYPE.graphInfo:
      return decodeGraphInfo(record.payload, dialect).ok
    case RECORD_TYPE.signature:
      return decodeSignature(record.payload).ok
    case RECORD_TYPE.contact:
      return decodeContact(record.payload).ok
    case RECORD_TYPE.presence:
      return decodePresence(record.payload, dialect).ok
    default:
      return true
  }
}
