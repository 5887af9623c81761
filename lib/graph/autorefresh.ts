import type { Timed } from '../core/deadlines.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphContext } from './context.js'
import { ticks } from './record-drafts.js'

/** Ticks from now for which a record lives that has no lifetime of its own (GA-28). */
const DEFAULT_LIFETIME = 3_000_000_000n

/** The Autorefresh Timer, MS-PPGRH 3.1.6.8 and 3.1.7.22. */
export class Autorefresh implements Timed {
  readonly #context: GraphContext
  readonly #refresh: (record: GraphRecord, expirationTime: bigint) => boolean

  /** `refresh` publishes the record as an update; false: it cannot be. */
  constructor(
    context: GraphContext,
    refresh: (record: GraphRecord, expirationTime: bigint) => boolean,
  ) {
    this.#context = context
    this.#refresh = refresh
  }

  /** 3.1.4.1, 3.1.4.2; and when the clock was set. */
  start(): void {
    this.#context.timers.set(this, this.#context.now + LIMITS.graphAutorefreshMinUs)
  }

  /**
   * A record with the flag was stored. It is due 20 s before it expires: the timer has to be early
   * enough for each of them, not within a minute of it (GA-28).
   */
  stored(record: GraphRecord): void {
    const { timers, now } = this.#context
    const due = this.#context.instantOf(record.expirationTime) - LIMITS.graphAutorefreshWindowUs
    const at = Math.max(due, now + LIMITS.graphAutorefreshMinUs)
    const scheduled = timers.get(this)
    if (scheduled === undefined || at < scheduled) timers.set(this, at)
  }

  onTimer(): void {
    const { database, peerTime } = this.#context
    const window = ticks(LIMITS.graphAutorefreshWindowUs)
    for (const record of database.autorefreshDue(peerTime + window)) {
      const { expirationTime, modificationTime } = record
      const lifetime =
        expirationTime > modificationTime ? expirationTime - modificationTime : DEFAULT_LIFETIME
      if (this.#refresh(record, peerTime + lifetime)) continue
      database.setAutorefresh(record.id, false)
      this.#context.counters.add('autorefresh-failed')
    }
    this.#arm()
  }

  #arm(): void {
    const { database, timers, now } = this.#context
    const next = database.nextAutorefresh
    if (next === undefined) return
    const due = this.#context.instantOf(next) - LIMITS.graphAutorefreshWindowUs
    timers.set(this, Math.max(due, now + LIMITS.graphAutorefreshMinUs))
  }
}
