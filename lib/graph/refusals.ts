import { parseAttributes, RESERVED_ATTRIBUTE_NAMES } from '../wire/graph/attributes.js'
import type { GraphRecord, RecordFields } from '../wire/graph/record.js'
import { isReservedType } from './constants.js'
import type { RecordSpec } from './interface.js'
import type { Failure } from './parts.js'
import { attributesFit, contentSize } from './validation.js'

interface Circumstances {
  /** Peer time. */
  readonly now: bigint
  readonly maxRecordSize: number
}

const NOTHING = new Uint8Array(0)

/** Why an application may not add this record (MS-PPGRH 3.1.4.3). */
export function publishRefusal(spec: RecordSpec, at: Circumstances): Failure | undefined {
  if (isReservedType(spec.type)) return reserved()
  if (spec.expirationTime <= at.now) return expiration('the record would be expired already')
  return contentRefusal(spec.payload ?? NOTHING, spec.attributes ?? '', at)
}

/** Why the record held may not be replaced by these fields (3.1.4.4, 3.1.7.8). */
export function updateRefusal(
  held: GraphRecord | undefined,
  next: RecordFields | undefined,
  at: Circumstances,
): Failure | undefined {
  if (held === undefined || next === undefined) return unknown()
  if (isReservedType(held.type)) return reserved()
  if (held.deleted) return gone()
  if (next.expirationTime < held.expirationTime) {
    return expiration('a record cannot expire earlier than it did before')
  }
  if (next.expirationTime <= next.modificationTime) {
    return expiration('the record would be expired already')
  }
  return contentRefusal(next.payload, next.attributes, at)
}

/** Why the record held may not be deleted (3.1.4.5). */
export function deleteRefusal(held: GraphRecord | undefined): Failure | undefined {
  if (held === undefined) return unknown()
  if (isReservedType(held.type)) return reserved()
  return held.deleted ? gone() : undefined
}

function contentRefusal(
  payload: Uint8Array,
  attributes: string,
  { maxRecordSize }: Circumstances,
): Failure | undefined {
  // GA-49: less than the maximum here, no greater than it on receipt.
  if (contentSize({ payload, attributes }) >= maxRecordSize) {
    const message = `payload and attributes have to be less than ${maxRecordSize} bytes`
    return { code: 'ERR_PEERNET_RECORD_SIZE', message }
  }
  if (attributes !== '' && !attributesFit(attributes)) {
    const message = `attributes as MS-PPGRH 2.2.3.5 permits them: ${attributesFault(attributes)}`
    return { code: 'ERR_PEERNET_INVALID_ATTRIBUTES', message }
  }
  return undefined
}

function attributesFault(xml: string): string {
  const parsed = parseAttributes(xml)
  if (!parsed.ok) return parsed.reason
  const taken = parsed.attributes.find(({ name }) => RESERVED_ATTRIBUTE_NAMES.has(name))
  return `${taken?.name} is the name of a field that every record has`
}

function reserved(): Failure {
  const message = 'records of this type are the graph’s own'
  return { code: 'ERR_PEERNET_INVALID_RECORD', message }
}

function unknown(): Failure {
  return { code: 'ERR_PEERNET_RECORD_NOT_FOUND', message: 'there is no record with this ID' }
}

function gone(): Failure {
  return { code: 'ERR_PEERNET_RECORD_NOT_FOUND', message: 'the record was deleted' }
}

function expiration(message: string): Failure {
  return { code: 'ERR_PEERNET_RECORD_EXPIRATION', message }
}
