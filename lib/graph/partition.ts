import { LIMITS } from '../core/limits.js'
import { below } from '../core/rng.js'
import { Alarm, randomSeconds } from './alarm.js'
import type { ConnectionMaintenance } from './connection-maintenance.js'
import type { Contacts } from './contacts.js'
import type { GraphContext } from './context.js'

/** Partition detection and short-term repair (MS-PPGRH 1.3.2.3-4, 3.1.7.13, 3.1.6.5). */
export class Partition {
  readonly #context: GraphContext
  readonly #contacts: Contacts
  readonly #connections: ConnectionMaintenance
  readonly #timer: Alarm

  constructor(context: GraphContext, contacts: Contacts, connections: ConnectionMaintenance) {
    this.#context = context
    this.#contacts = contacts
    this.#connections = connections
    this.#timer = new Alarm(context, () => {
      this.#expired()
    })
  }

  /** 3.1.7.13 */
  detect(): void {
    if (this.#timer.armed || this.#contacts.mismatching.length === 0) return
    this.#timer.set(randomSeconds(this.#context.rng, LIMITS.graphPartitionDelayS))
  }

  cancel(): void {
    this.#timer.cancel()
  }

  /** 3.1.6.5: of several such contacts any one. */
  #expired(): void {
    const suspects = [...this.#contacts.mismatching]
    while (suspects.length > 0) {
      const [suspect] = suspects.splice(below(this.#context.rng, suspects.length), 1)
      if (suspect !== undefined && this.#connections.repairWith(suspect)) return
    }
  }
}
