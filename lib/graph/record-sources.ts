import type { Guid } from '../core/guid.js'
import type { RecordTypes } from '../wire/graph/messages.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphDatabase } from './database.js'
import { FIRST_POSITION, type Entry, type Position } from './entry.js'
import type { RecordSource } from './parts.js'

/** Entries that a walk through the database looks ahead. */
const STEP = 64

/**
 * What a sync sends (MS-PPGRH 3.1.5.2.5-9), read from the database as the link drains. Records that
 * expire or change in the meantime are left out, or sent as they are then.
 */
class Walk implements RecordSource {
  readonly #records: Iterator<GraphRecord>
  #ended: (() => void) | undefined

  constructor(records: Iterator<GraphRecord>, ended: () => void) {
    this.#records = records
    this.#ended = ended
  }

  next(): GraphRecord | undefined {
    const step = this.#records.next()
    if (step.done !== true) return step.value
    this.#ended?.()
    this.#ended = undefined
    return undefined
  }
}

/** Records of the types, modified at `since` or later. `ended` is called once. */
export function recordsOfTypes(
  database: GraphDatabase,
  types: RecordTypes,
  since: bigint,
  ended: () => void,
): RecordSource {
  const [only] = types.inclusions
  if (only !== undefined && types.inclusions.length === 1) {
    return new Walk(ofType(database, only, since), ended)
  }
  return new Walk(inOrder(database, typeTest(types), since), ended)
}

/** The records with these IDs. */
export function recordsWithIds(
  database: GraphDatabase,
  ids: Iterable<Guid>,
  ended: () => void,
): RecordSource {
  return new Walk(withIds(database, ids), ended)
}

/** Does a SOLICIT cover this type? (2.2.2.6) */
export function typeTest({ inclusions, exclusions }: RecordTypes): (type: Guid) => boolean {
  if (inclusions.length > 0) {
    const included = new Set(inclusions)
    return (type) => included.has(type)
  }
  const excluded = new Set(exclusions)
  return (type) => !excluded.has(type)
}

function* ofType(database: GraphDatabase, type: Guid, since: bigint): Generator<GraphRecord> {
  for (const record of database.ofType(type)) {
    if (record.modificationTime >= since) yield record
  }
}

/** In the order in which the receiver inserts them most cheaply. */
function* inOrder(
  database: GraphDatabase,
  covers: (type: Guid) => boolean,
  since: bigint,
): Generator<GraphRecord> {
  let position: Position = since <= 0n ? FIRST_POSITION : { time: since, id: '' as Guid }
  for (;;) {
    const step: readonly Entry[] = database.after(position, STEP)
    // Read before anything can change: entries move when their record does.
    const end = step.at(-1)
    if (end === undefined) return
    position = { time: end.time, id: end.id }
    for (const entry of step) {
      const { record } = entry
      if (entry.isCurrent && covers(record.type)) yield record
    }
  }
}

function* withIds(database: GraphDatabase, ids: Iterable<Guid>): Generator<GraphRecord> {
  for (const id of ids) {
    const record = database.current(id)
    if (record !== undefined) yield record
  }
}
