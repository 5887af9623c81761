import type { Timed } from '../core/deadlines.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphContext } from './context.js'
import { ticks } from './record-drafts.js'

/** The Record Expiration Timer, MS-PPGRH 3.1.6.7. */
export class Expiry implements Timed {
  readonly #context: GraphContext
  readonly #expired: (record: GraphRecord) => void

  /** `expired` is told of each record after it was taken out. */
  constructor(context: GraphContext, expired: (record: GraphRecord) => void) {
    this.#context = context
    this.#expired = expired
  }

  scanNow(): void {
    this.#context.timers.set(this, this.#context.now)
  }

  /** 3.1.7.3, 3.1.7.10: what expires well before the next scan pulls it in. */
  stored(record: GraphRecord): void {
    const { timers } = this.#context
    const scheduled = timers.get(this)
    const at = this.#context.instantOf(record.expirationTime)
    if (scheduled === undefined || at + LIMITS.graphExpiryMinUs < scheduled) {
      timers.set(this, Math.max(at, this.#context.now))
    }
  }

  onTimer(): void {
    const context = this.#context
    const { database, properties, parts, timers, now } = context
    // 2.2.3.1 D: nothing expires while this node is alone; the next connection scans.
    if (properties.deferExpiration && parts.links.neighbors.length === 0) return
    database.lapse(context.peerTime)
    for (let taken = 0; taken < LIMITS.graphExpiriesPerTurn; taken++) {
      const record = database.takeLapsed()
      if (record === undefined) {
        timers.set(this, now + this.#delay())
        return
      }
      this.#expired(record)
    }
    timers.set(this, now)
  }

  #delay(): number {
    const { database, peerTime } = this.#context
    const next = database.nextExpiry
    const most = ticks(LIMITS.graphExpiryMaxUs)
    if (next === undefined || next - peerTime > most) return LIMITS.graphExpiryMaxUs
    return Math.max(Math.ceil(Number(next - peerTime) / 10), LIMITS.graphExpiryMinUs)
  }
}
