import type { Timed } from '../core/deadlines.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { PnrpId, RouteEntry } from '../wire/messages.js'
import type { RegistrationSpec, RegistrationState } from './interface.js'
import type { LocalRegistration } from './parts.js'

/** The five nearest IDs on each side, nearest first. */
export interface LeafSet {
  readonly smaller: readonly CachedEntry[]
  readonly greater: readonly CachedEntry[]
}

/** Who acts when a registration's timer fires. */
export interface RegistrationTimerOwner {
  due(registration: Registration): void
}

/** One entry of the Locally Registered PNRP ID List. */
export class Registration implements LocalRegistration, Timed {
  readonly handle: number
  readonly pnrpId: PnrpId
  readonly classifierHash?: Uint8Array
  spec: RegistrationSpec
  state: RegistrationState | undefined
  /** Since the last registration walk. */
  leafSetChanged = false

  // The announcer's bookkeeping.
  phase: 'idle' | 'queued' | 'walking' | 'gone' = 'idle'
  /** Walks that somebody answered since the announcement began. */
  walks = 0
  /** No walk is due but the daily one. */
  settled = false
  /** Announce anew when the present walk ends. */
  again = false
  /** Where the next walk starts, if not at the nearest cached entry. */
  through: RouteEntry | undefined
  readonly #timerOwner: RegistrationTimerOwner

  constructor(
    fields: Pick<LocalRegistration, 'handle' | 'pnrpId' | 'spec' | 'classifierHash'>,
    timerOwner: RegistrationTimerOwner,
  ) {
    this.handle = fields.handle
    this.pnrpId = fields.pnrpId
    this.spec = fields.spec
    if (fields.classifierHash !== undefined) this.classifierHash = fields.classifierHash
    this.#timerOwner = timerOwner
  }

  /** Another PNRP ID of a registration that the higher layer knows under its own handle (N-02). */
  get alias(): boolean {
    return this.handle < 0
  }

  onTimer(): void {
    this.#timerOwner.due(this)
  }
}
