import { LIMITS } from '../core/limits.js'
import { decodeGraphInfo, encodeGraphInfo } from '../wire/graph/payloads.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm } from './alarm.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import { isUsedUp } from './fixed-records.js'
import type { GraphProperties, PropertyChanges } from './interface.js'
import type { Failure } from './parts.js'
import { isLive, ticks } from './peer-time.js'

/** What a graph is called and how its nodes behave (MS-PPGRH 2.2.3.1, 3.1.7.7, 3.1.7.10.2). */
export class GraphInfo {
  readonly #context: GraphContext
  readonly #republish: Alarm
  readonly #changed: () => void

  /** @param changed other properties hold than before */
  constructor(context: GraphContext, changed: () => void) {
    this.#context = context
    this.#changed = changed
    this.#republish = new Alarm(context, () => {
      this.#publish()
    })
  }

  /** 3.1.4.1; a graph that is opened again believes what it had stored. */
  start(): void {
    const record = this.#live
    if (record !== undefined) this.#adopt(record)
    else if (this.#context.config.creates) this.#publish()
  }

  /** GA-27: the creator sees to it that there is a Graph Info record. */
  maintain(): void {
    if (this.#isCreator && this.#live === undefined) this.#publish()
  }

  /** 3.1.7.10.2 */
  recordStored(record: GraphRecord, local: boolean): void {
    if (local) return
    const modifier = record.lastModifiedBy === '' ? record.creatorId : record.lastModifiedBy
    if (this.#isCreator && modifier !== this.#context.peerId) {
      // The creator decides (3.1.7.7).
      if (!this.#republish.armed) this.#republish.set(LIMITS.graphRepublishUs)
    } else if (!record.deleted) this.#adopt(record)
  }

  /** The command 'properties'. */
  change(changes: PropertyChanges): Failure | undefined {
    if (!this.#isCreator) {
      const message = 'only the creator of a graph changes its properties'
      return { code: 'ERR_PEERNET_NOT_AUTHORIZED', message }
    }
    const properties = { ...this.#context.properties, ...changes }
    const problem = problemOf(properties)
    if (problem !== undefined) return { code: 'ERR_PEERNET_INVALID_ARG', message: problem }
    this.#take(properties)
    this.#publish()
    return undefined
  }

  cancel(): void {
    this.#republish.cancel()
  }

  get #isCreator(): boolean {
    const { config, properties } = this.#context
    return config.creates || properties.creatorId === config.peerId
  }

  get #live(): GraphRecord | undefined {
    const record = this.#context.database.get(FIXED_RECORD_ID.graphInfo)
    return record !== undefined && isLive(this.#context, record) ? record : undefined
  }

  /** 3.1.7.7, GA-27 */
  #publish(): void {
    const { config, parts, peerTime, properties } = this.#context
    const published = parts.records.publishInternal({
      type: RECORD_TYPE.graphInfo,
      id: FIXED_RECORD_ID.graphInfo,
      payload: encodeGraphInfo(properties, config.dialect),
      expirationTime: peerTime + ticks(LIMITS.graphInfoLifetimeS),
      autorefresh: true,
    })
    if (published === undefined && isUsedUp(this.#context, RECORD_TYPE.graphInfo)) {
      this.#republish.set(LIMITS.graphVersionUs)
    }
  }

  /** GA-43: a record for another graph or of another creator changes nothing. */
  #adopt(record: GraphRecord): void {
    const { config, counters, properties } = this.#context
    const decoded = decodeGraphInfo(record.payload, config.dialect)
    const known = properties.creatorId
    if (
      !decoded.ok ||
      decoded.payload.graphId !== properties.graphId ||
      (known !== '' && decoded.payload.creatorId !== known)
    ) {
      counters.add('graph.foreign-graph-info')
      return
    }
    // 3.1.7.10.2: only some change. Whoever could turn the scope could take all addresses away.
    const { scope, deferExpiration } = known === '' ? decoded.payload : properties
    this.#take({ ...decoded.payload, scope, deferExpiration })
  }

  /** Zeros stand for defaults (2.2.3.1). */
  #take(given: GraphProperties): void {
    const properties = {
      ...given,
      presenceLifetimeS: given.presenceLifetimeS || LIMITS.graphPresenceLifetimeMinS,
      maxRecordSize: given.maxRecordSize || LIMITS.graphMaxRecordBytes,
    }
    const before = this.#context.properties
    const keys = Object.keys(before) as (keyof GraphProperties)[]
    if (keys.every((key) => properties[key] === before[key])) return
    this.#context.properties = properties
    this.#context.events.push({ type: 'properties', properties })
    this.#changed()
  }
}

/** 2.2.3.1 */
function problemOf(properties: GraphProperties): string | undefined {
  const { comment, friendlyName, maxPresenceRecords, presenceLifetimeS } = properties
  const isU32 = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 0xffff_ffff
  if (friendlyName.length > LIMITS.graphFriendlyNameUnits || friendlyName.includes('\0')) {
    return `a friendly name has at most ${LIMITS.graphFriendlyNameUnits} characters`
  }
  if (comment.length > LIMITS.graphCommentUnits || comment.includes('\0')) {
    return `a comment has at most ${LIMITS.graphCommentUnits} characters`
  }
  const least = LIMITS.graphPresenceLifetimeMinS
  if (!isU32(presenceLifetimeS) || (presenceLifetimeS !== 0 && presenceLifetimeS < least)) {
    return `a presence lifetime is 0 or at least ${least} s`
  }
  if (!isU32(maxPresenceRecords)) return 'the number of presence records is an unsigned integer'
  return undefined
}
