import type { Timed } from '../core/deadlines.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { GraphRecord } from '../wire/graph/record.js'
import type { GraphContext } from './context.js'
import { ABOUT_TICKS, ticksAbout } from './entry.js'
import { ticks } from './record-drafts.js'

const LEAST = ticks(LIMITS.graphExpiryMinUs)

/** The Record Expiration Timer, MS-PPGRH 3.1.6.7. */
export class Expiry implements Timed {
  readonly #context: GraphContext
  readonly #expired: (record: GraphRecord) => void
  /** When the timer fires, peer time; records that expire later need not look any further. */
  #scanAt: bigint | undefined

  /** `expired` is told of each record after it was taken out. */
  constructor(context: GraphContext, expired: (record: GraphRecord) => void) {
    this.#context = context
    this.#expired = expired
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#scanAt = undefined
  }

  scanNow(): void {
    this.#arm(this.#context.now, 0n)
  }

  /** 3.1.7.3, 3.1.7.10: what expires well before the next scan pulls it in. */
  stored(record: GraphRecord): void {
    const scanAt = this.#scanAt
    const about = ticksAbout(record.timeWord(2), record.timeWord(3))
    if (scanAt !== undefined && about >= Number(scanAt) + ABOUT_TICKS) return
    const { expirationTime } = record
    if (scanAt !== undefined && expirationTime + LEAST >= scanAt) return
    const at = Math.max(this.#context.instantOf(expirationTime), this.#context.now)
    this.#arm(at, expirationTime)
  }

  onTimer(): void {
    const context = this.#context
    const { database, properties, parts, peerTime, now } = context
    // 2.2.3.1 D: nothing expires while this node is alone; the next connection scans.
    this.#scanAt = undefined
    if (properties.deferExpiration && parts.links.neighbors.length === 0) return
    database.lapse(peerTime)
    for (let taken = 0; taken < LIMITS.graphExpiriesPerTurn; taken++) {
      const record = database.takeLapsed()
      if (record === undefined) {
        const delay = this.#delay()
        this.#arm(now + delay, peerTime + ticks(delay))
        return
      }
      this.#expired(record)
    }
    this.scanNow()
  }

  #arm(at: Instant, peerTime: bigint): void {
    this.#scanAt = peerTime
    this.#context.timers.set(this, at)
  }

  #delay(): number {
    const { database, peerTime } = this.#context
    const next = database.nextExpiry
    const most = ticks(LIMITS.graphExpiryMaxUs)
    if (next === undefined || next - peerTime > most) return LIMITS.graphExpiryMaxUs
    return Math.max(Math.ceil(Number(next - peerTime) / 10), LIMITS.graphExpiryMinUs)
  }
}
