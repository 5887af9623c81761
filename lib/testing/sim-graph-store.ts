import { milliseconds, type Instant } from '../core/instant.js'
import type { Guid } from '../core/guid.js'
import type { Rng } from '../core/rng.js'
import { below } from '../core/rng.js'
import type { GraphEffect, GraphWrite } from '../graph/interface.js'
import type { StoredGraph, StoredRecord } from '../graph/machine.js'

/** How a simulated disk behaves. */
export interface SimStoreOptions {
  /** From a write to its acknowledgement. Default 2. */
  readonly delayMs?: number
  /** Every write fails (a full disk). Default false. */
  readonly failing?: boolean
  /** The disk lies: it acknowledges at once and loses everything when its host dies. */
  readonly lying?: boolean
}

type PersistEffect = Extract<GraphEffect, { type: 'persist' }>

/**
 * The disk of a simulated host. Batches are written one after the other; a host that dies keeps
 * those that were acknowledged, and by luck some of the others, in order.
 */
export class SimGraphStore {
  /** May be changed at any time. */
  options: SimStoreOptions
  /** Batches asked for, and how many of them were acknowledged. */
  written = 0
  acknowledged = 0
  readonly #records = new Map<Guid, StoredRecord>()
  #clock: Extract<GraphWrite, { type: 'clock' }> | undefined
  #pending: PersistEffect[] = []
  #busyUntil: Instant = 0
  #used = false

  constructor(options: SimStoreOptions = {}) {
    this.options = options
  }

  /** Records on the disk. */
  get size(): number {
    return this.#records.size
  }

  /** What a node that opens the graph from this disk loads; undefined when nothing was written. */
  load(): StoredGraph | undefined {
    if (!this.#used) return undefined
    const clock = this.#clock
    return {
      records: [...this.#records.values()],
      peerTimeDelta: clock?.peerTimeDelta ?? 0n,
      ...(clock === undefined ? {} : { leftAt: clock.leftAt }),
    }
  }

  /** Takes a batch; returns when it is acknowledged, or undefined when it fails. */
  write(now: Instant, effect: PersistEffect): Instant | undefined {
    this.written++
    if (this.options.failing === true) return undefined
    this.#pending.push(effect)
    const delay = milliseconds(this.options.delayMs ?? 2)
    this.#busyUntil = Math.max(this.#busyUntil, now) + delay
    return this.#busyUntil
  }

  /** The batch is on the disk. */
  settle(sequence: number): void {
    this.acknowledged++
    if (this.options.lying === true) return
    while ((this.#pending[0]?.sequence ?? Infinity) <= sequence) {
      this.#apply(this.#pending.shift() as PersistEffect)
    }
  }

  /** The host dies with writes under way. */
  crash(rng: Rng): void {
    const survivors = this.options.lying === true ? 0 : below(rng, this.#pending.length + 1)
    for (const effect of this.#pending.slice(0, survivors)) this.#apply(effect)
    this.#pending = []
    this.#busyUntil = 0
  }

  #apply(effect: PersistEffect): void {
    this.#used = true
    for (const write of effect.writes) {
      if (write.type === 'put') {
        const { record, autorefresh } = write
        this.#records.set(record.id, { record, autorefresh })
      } else if (write.type === 'remove') this.#records.delete(write.id)
      else this.#clock = write
    }
  }
}
