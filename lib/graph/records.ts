import type { Guid } from '../core/guid.js'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord, RecordFields } from '../wire/graph/record.js'
import { encodeRecord } from '../wire/graph/codec.js'
import type { KnownFlood } from '../wire/graph/stream-reader.js'
import { sameRecord } from '../wire/graph/wire-record.js'
import { Autorefresh } from './autorefresh.js'
import { Completions } from './completions.js'
import { compareRecords } from './conflict.js'
import { isReservedType } from './constants.js'
import type { GraphContext } from './context.js'
import { DeferredRecords } from './deferred-records.js'
import { Expiry } from './expiry.js'
import { fixedIdOf, lastVersionOf } from './fixed-records.js'
import type { RecordChange, RecordChanges, RecordSpec } from './interface.js'
import type { Failure, InternalRecordSpec, Link, RecordCommand, RecordsPart } from './parts.js'
import {
  created,
  deleted,
  isPersisted,
  later,
  ticks,
  updated,
  type Author,
} from './record-drafts.js'
import { RecordIds } from './record-id.js'
import { deleteRefusal, publishRefusal, updateRefusal } from './refusals.js'
import { RecordValidation } from './validation.js'

/** 3.1.7.33: what is left of a utility after each flooded record, and what a useful one adds. */
const UTILITY_DECAY = 31 / 32
const UTILITY_BONUS = 128

/** Room for a tombstone, and for what follows it. */
const LAST_VERSION = 0xffff_fffd

type Operation = 'add' | 'update' | 'delete'

/** The life of records on this node, MS-PPGRH 3.1.4.3-5, 3.1.5.2.10, 3.1.7. */
export class Records implements RecordsPart {
  readonly #context: GraphContext
  readonly #ids: RecordIds
  readonly #validation = new RecordValidation()
  readonly #deferred = new DeferredRecords()
  readonly #completions: Completions
  readonly #expiry: Expiry
  readonly #autorefresh: Autorefresh

  constructor(context: GraphContext) {
    this.#context = context
    this.#ids = new RecordIds(context.peerId, context.rng)
    this.#completions = new Completions(context)
    this.#expiry = new Expiry(context, (record) => this.#expired(record))
    this.#autorefresh = new Autorefresh(context, (record, expirationTime) => {
      return this.#renew(record, { expirationTime })
    })
  }

  start(): void {
    this.#expiry.scanNow()
    this.#autorefresh.start()
  }

  scanNow(): void {
    this.#expiry.scanNow()
  }

  clockChanged(): void {
    this.#expiry.scanNow()
    this.#autorefresh.start()
  }

  handleCommand(command: RecordCommand): void {
    const { handle } = command
    if (command.type === 'revalidate') {
      this.revalidate()
      this.#context.done(handle)
      return
    }
    const result = this.#carryOut(command)
    if (isFailure(result)) this.#context.fail(handle, result.code, result.message)
    else this.#completions.add(handle, result.id)
  }

  persisted(sequence: number): void {
    this.#completions.persisted(sequence)
  }

  persistFailed(sequence: number, message: string): void {
    this.#completions.failed(sequence, message)
  }

  publish(spec: RecordSpec): GraphRecord | Failure {
    const { peerTime, properties } = this.#context
    const refusal = publishRefusal(spec, { now: peerTime, ...properties })
    if (refusal !== undefined) return refusal
    const id = this.#ids.create()
    return this.#publish(created({ ...spec, id }, this.#author()), 'add', spec.autorefresh === true)
  }

  update(id: Guid, changes: RecordChanges): GraphRecord | Failure {
    const { database, peerTime, properties } = this.#context
    const held = database.get(id)
    const author = this.#author()
    const fields = held && updated(held, changes, author)
    const refusal = updateRefusal(held, fields, { now: peerTime, ...properties })
    if (refusal !== undefined) return refusal
    const autorefresh = changes.autorefresh ?? database.autorefreshes(id)
    return this.#publish(fields as RecordFields, 'update', autorefresh)
  }

  remove(id: Guid): GraphRecord | Failure {
    const held = this.#context.database.get(id)
    const refusal = deleteRefusal(held)
    if (refusal !== undefined) return refusal
    return this.#publish(deleted(held as GraphRecord, this.#author()), 'delete', false)
  }

  publishInternal(spec: InternalRecordSpec): GraphRecord | undefined {
    const { database } = this.#context
    const id = this.#usableId(spec)
    let held = database.get(id)
    const author = this.#author()
    if (held !== undefined && this.#outlives(held, spec)) {
      // An update may not shorten a record's life; what follows a tombstone may.
      this.#publish(deleted(held, author), 'delete', false)
      held = database.get(id)
    }
    const result =
      held === undefined || held.deleted || held.type !== spec.type
        ? // GA-53: above the version of a tombstone, or its answers would never end.
          this.#publish(
            created({ ...spec, id }, author, (held?.version ?? 0) + 1),
            'add',
            spec.autorefresh,
          )
        : this.#publish(renewed(held, spec, author), 'update', spec.autorefresh)
    if (!isFailure(result)) return result
    this.#context.counters.add('internal-record-refused')
    return undefined
  }

  /** Somebody has used up the versions of a record that could as well have another ID. */
  #usableId({ id, type }: InternalRecordSpec): Guid {
    if (id === undefined) return this.#ids.create()
    const version = this.#context.database.get(id)?.version ?? 0
    return version < LAST_VERSION || fixedIdOf(type) !== undefined ? id : this.#ids.create()
  }

  /** Somebody has given our record a life far beyond what we would. */
  #outlives(held: GraphRecord, spec: InternalRecordSpec): boolean {
    const slack = ticks(LIMITS.graphLifetimeSlackS * 1e6)
    if (held.deleted || held.type !== spec.type) return false
    return held.expirationTime > spec.expirationTime + slack
  }

  removeInternal(id: Guid): void {
    const held = this.#context.database.get(id)
    if (held === undefined || held.deleted) return
    this.#publish(deleted(held, this.#author()), 'delete', false)
  }

  handleKnown(link: Link, flood: KnownFlood): boolean {
    const { database, parts } = this.#context
    const { generation } = database.known
    this.#context.lapse()
    if (database.known.generation !== generation) return false
    parts.sync.recordReceived(link)
    if (isOpen(link)) {
      updateUtility(link, false)
      parts.links.acknowledgeKnown(link, flood)
    }
    return true
  }

  handleFlood(link: Link, record: GraphRecord): boolean {
    const { database, parts, counters, properties, dialect } = this.#context
    this.#context.lapse()
    parts.sync.recordReceived(link)
    // Most floods bring what came another way already: nothing of that has to be judged again.
    const held = database.current(record)
    if (held !== undefined && sameRecord(record, held)) {
      this.#noteBrought(link, held)
      this.#acknowledge(link, record, false)
      return true
    }
    const rules = {
      graphId: properties.graphId,
      maxRecordSize: properties.maxRecordSize,
      dialect,
    }
    const fault = this.#validation.faultOf(record, rules, this.#context.peerTime)
    if (fault === undefined) return this.#judge(link, record)
    counters.add(`record-${fault}`)
    // By the time of the peer it is sound: it need not wait for the ACK.
    if (fault === 'version') this.#acknowledge(link, record, false)
    return false
  }

  handleAck(link: Link, useful: boolean): void {
    updateUtility(link, useful)
  }

  /** GA-37: they are processed as FLOODs again, from links that may have gone. */
  revalidate(): void {
    for (const { link, record } of this.#deferred.takeAll()) this.handleFlood(link, record)
  }

  #carryOut(command: Exclude<RecordCommand, { type: 'revalidate' }>): GraphRecord | Failure {
    switch (command.type) {
      case 'publish':
        return this.publish(command.record)
      case 'update':
        return this.update(command.id, command.changes)
      case 'delete':
        return this.remove(command.id)
    }
  }

  #author(): Author {
    const { peerId, properties, peerTime } = this.#context
    return { peerId, graphId: properties.graphId, now: peerTime }
  }

  /** 3.1.7.27: the provider has the last word on a record that is sound. */
  #judge(link: Link, record: GraphRecord): boolean {
    const { counters, security } = this.#context
    const verdict = security === undefined ? 'valid' : security.validate(record)
    if (verdict === 'valid') return this.#receive(link, record)
    if (verdict === 'defer') {
      const kept = this.#deferred.add(link, record)
      counters.add(kept ? 'record-deferred' : 'record-deferred-full')
    } else {
      counters.add('record-not-valid')
    }
    return false
  }

  /** Classifies a valid record (3.1.5.2.10). */
  #receive(link: Link, record: GraphRecord): boolean {
    const { database, counters, parts } = this.#context
    const held = database.current(record)
    const order = held === undefined ? 1 : compareRecords(record, held)
    if (order > 0 && !database.hasRoom(record)) {
      database.refuse()
      counters.add('record-no-room')
      this.#acknowledge(link, record, false)
      return false
    }
    this.#acknowledge(link, record, order > 0)
    if (order > 0) {
      // The flag is of this node, whoever makes the next version (GA-28). But a signature, say,
      // that another node took over is that node's to renew, or it would outlive it.
      const autorefresh =
        !record.deleted && !isReservedType(record.type) && database.autorefreshes(record)
      record.retain()
      this.#noteBrought(link, record)
      this.#store(record, autorefresh, link)
    } else if (order < 0 && held !== undefined && isOpen(link)) {
      parts.links.sendRecord(link, held)
    }
    return order >= 0
  }

  /** Of use under a provider only: see Outbox.challenge. */
  #noteBrought(link: Link, record: GraphRecord): void {
    if (this.#context.security === undefined) return
    if (record.size <= LIMITS.graphProtectChunkBytes) link.brought = record
  }

  #acknowledge(link: Link, record: GraphRecord, useful: boolean): void {
    if (!isOpen(link)) return
    const { links } = this.#context.parts
    updateUtility(link, useful)
    links.acknowledge(link, record, useful)
  }

  /** 3.1.7.3 */
  #publish(
    fields: RecordFields,
    operation: Operation,
    autorefresh: boolean,
  ): GraphRecord | Failure {
    const { database, peerTime } = this.#context
    if (fields.version > 1 && fields.version > lastVersionOf(fields.type, peerTime)) {
      return { code: 'ERR_PEERNET_LIMIT', message: 'the versions of this record are used up' }
    }
    const record = this.#encode(fields, operation)
    if (isFailure(record)) return record
    if (!database.hasRoom(record)) {
      const message = 'the database has no room for another record'
      return { code: 'ERR_PEERNET_LIMIT', message }
    }
    this.#store(record, autorefresh)
    return record
  }

  /** 3.1.7.28 */
  #encode(fields: RecordFields, operation: Operation): GraphRecord | Failure {
    const { dialect, security } = this.#context
    try {
      if (security === undefined) return encodeRecord(fields, dialect)
      const securityData = security.secure(fields, operation)
      if (securityData !== undefined) return encodeRecord({ ...fields, securityData }, dialect)
    } catch (error) {
      if (!(error instanceof PeernetError)) throw error
      return { code: error.code, message: error.message }
    }
    const message = `the security provider does not permit to ${operation} this record`
    return { code: 'ERR_PEERNET_NOT_AUTHORIZED', message }
  }

  /** Inserts a record that there is room for, and tells everybody. `from`: who brought it. */
  #store(record: GraphRecord, autorefresh: boolean, from?: Link): void {
    const { database, parts } = this.#context
    const previous = this.#predecessor(record)
    database.put(record, autorefresh)
    if (isPersisted(record.type)) this.#context.write({ type: 'put', record, autorefresh })
    this.#expiry.stored(record)
    if (autorefresh) this.#autorefresh.stored(record)
    parts.links.flood(record, from)
    this.#report(record, previous, from === undefined)
    parts.maintenance.recordStored(record, previous, from === undefined)
  }

  /**
   * What the record takes the place of. A lapsed one expires now, and one of another type (whose ID
   * somebody took for this) is gone: what it said no longer holds.
   */
  #predecessor(record: GraphRecord): GraphRecord | undefined {
    const { database } = this.#context
    const held = database.get(record)
    if (held === undefined) return undefined
    if (held.type === record.type && database.current(record) !== undefined) return held
    database.remove(record.id)
    this.#expired(held)
    return undefined
  }

  #report(record: GraphRecord, previous: GraphRecord | undefined, local: boolean): void {
    if (isReservedType(record.type)) return
    const existed = previous !== undefined && !previous.deleted
    const change: RecordChange = record.deleted ? 'deleted' : existed ? 'updated' : 'added'
    // A tombstone of something that the application never saw is no news.
    if (record.deleted && !existed) return
    this.#context.events.push({ type: 'record', change, record, local })
  }

  /** 3.1.7.18-21; it is out of the database. */
  #expired(record: GraphRecord): void {
    const { events, parts } = this.#context
    if (isPersisted(record.type)) this.#context.write({ type: 'remove', id: record.id })
    if (isReservedType(record.type)) parts.maintenance.recordExpired(record)
    else if (!record.deleted) {
      events.push({ type: 'record', change: 'expired', record, local: false })
    }
  }

  /** 3.1.7.22 */
  #renew(record: GraphRecord, { expirationTime }: { expirationTime: bigint }): boolean {
    const changes = { expirationTime: later(expirationTime, record.expirationTime) }
    return !isFailure(this.#publish(updated(record, changes, this.#author()), 'update', true))
  }
}

function isFailure(result: GraphRecord | Failure): result is Failure {
  return 'code' in result
}

function isOpen(link: Link): boolean {
  return link.state === 'connected'
}

/** 3.1.7.8 for records that this node renews: never earlier than before. */
function renewed(held: GraphRecord, spec: InternalRecordSpec, author: Author): RecordFields {
  const { payload } = spec
  const expirationTime = later(spec.expirationTime, held.expirationTime)
  return updated(held, { payload, expirationTime }, author)
}

/** 3.1.7.33 */
export function updateUtility(link: Link, useful: boolean): void {
  link.utility = link.utility * UTILITY_DECAY + (useful ? UTILITY_BONUS : 0)
}
