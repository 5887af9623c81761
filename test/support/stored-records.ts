// Records for tests of what stores and moves them: valid by syntax, of no machine.
import { guid, type Guid } from '#lib/core/guid.js'
import { SeededRng, type Rng } from '#lib/core/rng.js'
import { encodeRecord } from '#lib/wire/graph/codec.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'

export const TYPE: Guid = guid('11111111-2222-3333-4444-555555555555')
export const GRAPH_ID = 'test.graph'
const TIME = 133_800_000_000_000_000n

export function idOf(n: number): Guid {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(n, 12)
  return bytes.toString('latin1') as Guid
}

export function makeRecord(n: number, changes: Partial<RecordFields> = {}): GraphRecord {
  return encodeRecord(
    {
      type: TYPE,
      id: idOf(n),
      version: 1,
      deleted: false,
      creatorId: 'ada',
      lastModifiedBy: '',
      securityData: new Uint8Array(),
      creationTime: TIME,
      expirationTime: TIME + 864_000_000_000n,
      modificationTime: TIME,
      graphId: GRAPH_ID,
      payload: Uint8Array.of(n & 255),
      attributes: '',
      ...changes,
    },
    { stringOrder: 'big-endian' },
  )
}

/** So many records with random payloads of about 256 bytes. */
export function manyRecords(count: number, rng: Rng = new SeededRng(1)): GraphRecord[] {
  return Array.from({ length: count }, (_, i) => makeRecord(i, { payload: rng.bytes(256) }))
}
