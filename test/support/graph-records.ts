import { bytesKey } from '#lib/core/bytes.js'
import { guid, writeGuid, type Guid } from '#lib/core/guid.js'
import { SeededRng } from '#lib/core/rng.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { RecordIds } from '#lib/graph/record-id.js'
import { encodeRecord } from '#lib/wire/graph/codec.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'

/** Records for tests: sound ones, unless a test says otherwise. */

export const APP_TYPE = guid('aaaaaaaa-0000-0000-0000-000000000001')
export const OTHER_TYPE = guid('bbbbbbbb-0000-0000-0000-000000000002')
export const SECOND = 10_000_000n
/** Some peer time, FILETIME ticks: a whole second of 2025. */
export const T0 = 13_406_000_000n * SECOND
export const HOUR = 3600n * SECOND

const rng = new SeededRng(11)

export function recordId(creatorId = 'alice'): Guid {
  return new RecordIds(creatorId, rng).create()
}

/** The ID with this number in its low half and alice's hash in its high half. */
export function numberedId(n: number): Guid {
  const low = new Uint8Array(8)
  new DataView(low.buffer).setUint32(4, n)
  return (recordId().slice(0, 8) + bytesKey(low)) as Guid
}

export function fields(changes: Partial<RecordFields> = {}): RecordFields {
  const creatorId = changes.creatorId ?? 'alice'
  const creationTime = changes.creationTime ?? T0
  return {
    type: APP_TYPE,
    id: changes.id ?? recordId(creatorId),
    version: 1,
    deleted: false,
    creatorId,
    lastModifiedBy: '',
    securityData: new Uint8Array(0),
    creationTime,
    expirationTime: T0 + HOUR,
    modificationTime: changes.modificationTime ?? creationTime,
    graphId: 'g1',
    payload: new Uint8Array(0),
    attributes: '',
    ...changes,
  }
}

/** What records say in words, for those that are made of fields only. */
export function wordsOf({
  id,
  creationTime,
  expirationTime,
  modificationTime,
}: RecordFields): Pick<GraphRecord, 'timeWord' | 'idWord' | 'writeId'> {
  const words = new DataView(new ArrayBuffer(40))
  const times = [creationTime, expirationTime, modificationTime]
  times.forEach((time, i) => {
    words.setBigUint64(8 * i, time)
  })
  writeGuid(id, new Uint8Array(words.buffer), 24)
  return {
    timeWord: (index) => words.getInt32(4 * index),
    idWord: (index) => words.getInt32(24 + 4 * index),
    writeId: (bytes, at) => {
      writeGuid(id, bytes, at)
    },
  }
}

export function record(changes: Partial<RecordFields> = {}): GraphRecord {
  return encodeRecord(fields(changes), DEFAULT_GRAPH_DIALECT)
}

/** Another version of a record. */
export function version(
  of: GraphRecord,
  number: number,
  changes: Partial<RecordFields> = {},
): GraphRecord {
  return record({
    type: of.type,
    id: of.id,
    creatorId: of.creatorId,
    creationTime: of.creationTime,
    expirationTime: of.expirationTime,
    graphId: of.graphId,
    payload: of.payload,
    attributes: of.attributes,
    version: number,
    lastModifiedBy: 'bob',
    modificationTime: of.creationTime + BigInt(number) * SECOND,
    ...changes,
  })
}

export function tombstone(of: GraphRecord, number: number): GraphRecord {
  return version(of, number, { deleted: true, payload: new Uint8Array(0), attributes: '' })
}
