import type { Guid } from '../core/guid.js'
import { equalBytes } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import type {
  HashEntryBoundary,
  RecordAbstract,
  RecordTypes,
  RequestMessage,
  SolicitHashMessage,
  SolicitNewMessage,
  SolicitTimeMessage,
} from '../wire/graph/messages.js'
import type { GraphContext } from './context.js'
import { comparePositions, FIRST_POSITION, type Entry, type Position } from './entry.js'
import { hashOf } from './hash-ranges.js'
import type { Link, RecordSource } from './parts.js'
import { recordsOfTypes, recordsWithIds, typeTest } from './record-sources.js'

/** 2.2.1.8, 2.2.1.6 */
const BOUNDARY_BYTES = 52
const ABSTRACT_BYTES = 20
const HEADER_BYTES = 24
/** How a boundary shows the beginning of everything. */
const LOWEST_ID = '\0'.repeat(16) as Guid

const SYNC_END = { type: 'SYNC_END', final: true } as const

/** The side of a sync that answers, on one link: MS-PPGRH 3.1.5.2.5-7 and 3.1.5.2.9. */
export class SyncResponder {
  readonly #context: GraphContext
  readonly #link: Link
  /** SOLICITs and REQUESTs whose records are on their way. */
  #sources = 0
  /** Looks at the whole database that it has caused lately, and when that was reckoned. */
  #passes = 0
  #lookedAt = 0
  /** What was advertised and may be requested; undefined unless SYNC_TYPE is HASH. */
  #advertised: ReadonlySet<Guid> | undefined

  constructor(context: GraphContext, link: Link) {
    this.#context = context
    this.#link = link
  }

  /** 3.1.5.2.5, 3.1.5.2.6: one final SYNC_END each (GA-21). */
  solicited(message: SolicitNewMessage | SolicitTimeMessage): void {
    if (!this.#mayLook(message)) return
    const since = message.type === 'SOLICIT_TIME' ? message.modificationTime : 0n
    this.#send((ended) => recordsOfTypes(this.#context.database, message, since, ended))
  }

  /** 3.1.5.2.7 */
  hashSolicited(message: SolicitHashMessage): void {
    const { ranges } = message
    // Who asks again without having asked for anything has this node look for nothing.
    if (this.#advertised !== undefined) this.#passes += LIMITS.graphSyncPasses / 2
    if (!this.#mayLook(message)) return
    if (ranges.length > LIMITS.graphHashRanges || !isAscending(ranges)) {
      this.#context.parts.links.terminate(this.#link, 'protocol')
      return
    }
    const boundaries: HashEntryBoundary[] = []
    const abstracts: RecordAbstract[] = []
    for (const { entries, lower, upper } of this.#mismatches(message)) {
      const room = LIMITS.graphAdvertised - abstracts.length
      // The rest is for the next round: whoever asks sees that this was a lot.
      if (entries.length > room && abstracts.length > 0) break
      boundaries.push({
        lowerTime: lower === FIRST_POSITION ? 0n : lower.time,
        lowerId: lower === FIRST_POSITION ? LOWEST_ID : lower.id,
        upperTime: upper.time,
        upperId: upper.id,
        count: Math.min(entries.length, room),
      })
      for (const { id, record } of entries) {
        // Who asks about everything at once gets a part of it.
        if (abstracts.length === LIMITS.graphAdvertised) break
        abstracts.push({ id, version: record.version })
      }
      const bytes =
        HEADER_BYTES + boundaries.length * BOUNDARY_BYTES + abstracts.length * ABSTRACT_BYTES
      if (bytes >= LIMITS.graphSyncBytes || abstracts.length === LIMITS.graphAdvertised) break
    }
    this.#advertised = new Set(abstracts.map(({ id }) => id))
    this.#context.parts.links.send(this.#link, { type: 'ADVERTISE', boundaries, abstracts })
  }

  /**
   * A few bytes have this node look at all its records; a peer that syncs has it do so a few times.
   * False: this one has had its share, and the link ends.
   */
  #mayLook({ inclusions }: RecordTypes): boolean {
    const { database, counters, now, parts } = this.#context
    const refilled = (now - this.#lookedAt) / LIMITS.graphSyncPassUs
    this.#lookedAt = now
    this.#passes = Math.max(0, this.#passes - refilled)
    const [only] = inclusions
    const some = only === undefined ? database.size : database.entriesOfType(only).length
    if (some >= LIMITS.graphSyncPassRecords) this.#passes += some / database.size
    if (this.#passes <= LIMITS.graphSyncPasses) return true
    counters.add('ended.sync-passes')
    parts.links.terminate(this.#link, 'protocol')
    return false
  }

  /** 3.1.5.2.9. False: nothing was advertised, and the link ends. */
  requested(message: RequestMessage): boolean {
    const advertised = this.#advertised
    if (advertised === undefined) {
      this.#context.parts.links.terminate(this.#link, 'protocol')
      return false
    }
    this.#advertised = undefined
    // Each is sent once, however often it is asked for.
    const wanted = new Set<Guid>()
    for (const { id } of message.abstracts) if (advertised.has(id)) wanted.add(id)
    this.#send((ended) => recordsWithIds(this.#context.database, wanted, ended))
    return true
  }

  #send(source: (ended: () => void) => RecordSource): void {
    const { links } = this.#context.parts
    if (this.#sources >= LIMITS.graphSyncSources) {
      links.terminate(this.#link, 'protocol')
      return
    }
    this.#sources++
    links.sendRecords(
      this.#link,
      source(() => this.#sources--),
      SYNC_END,
    )
  }

  /** Ranges whose hash is another here, or that hold more than is advertised at once. */
  *#mismatches(
    message: SolicitHashMessage,
  ): Generator<{ entries: readonly Entry[]; lower: Position; upper: Position }> {
    const { hashes } = this.#context.database
    const all = message.inclusions.length + message.exclusions.length === 0
    const covers = typeTest(message)
    let lower = FIRST_POSITION
    for (const { hash, modificationTime, recordId } of message.ranges) {
      const upper = { time: modificationTime, id: recordId }
      if (all) {
        const own = hashes.aligned(lower, upper, LIMITS.graphHashRange)
        if (own === undefined || !equalBytes(own, hash)) {
          const entries = hashes.entries(lower, upper, LIMITS.graphAdvertised)
          const whole = own === undefined && entries.length < LIMITS.graphAdvertised
          if (!whole || !equalBytes(hashOf(entries), hash)) yield { entries, lower, upper }
        }
      } else {
        const entries = hashes.entries(lower, upper).filter(({ record }) => covers(record.type))
        if (!equalBytes(hashOf(entries), hash)) yield { entries, lower, upper }
      }
      lower = upper
    }
  }
}

/** GA-23: each range ends after the one before it. */
function isAscending(ranges: SolicitHashMessage['ranges']): boolean {
  let lower = FIRST_POSITION
  for (const { modificationTime, recordId } of ranges) {
    const upper = { time: modificationTime, id: recordId }
    if (comparePositions(upper, lower) <= 0) return false
    lower = upper
  }
  return true
}
