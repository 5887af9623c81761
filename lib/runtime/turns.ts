import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../core/clock.js'
import { Deadlines } from '../core/deadlines.js'
import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { SystemClock } from '../io/system-clock.js'
import { systemScheduler, type Scheduler } from './scheduler.js'

export interface TurnOptions {
  readonly clock?: Clock
  readonly scheduler?: Scheduler
}

/** A machine with its driver, as the turns see it. */
export interface TurnNode {
  /** Carries out what the machine asks for, as far as one turn goes. */
  pump(): void
  /** Its deadline has come; it is off the list. */
  timeout(now: Instant): void
  /** Wall clock in ms since 1970 = now / 1000 + offsetMs. */
  wallClock(offsetMs: number): void
}

/** The node wants a turn: it says so itself, a set would be made anew at every turn. */
const WAITS = Symbol('again')

interface Waiting extends TurnNode {
  [WAITS]?: boolean
}

/**
 * Publishes `{ error }` when a machine throws, which is a bug of peernet. Without subscribers it
 * becomes a process warning, the first one only.
 */
const failures = channel('peernet:machine-failure')

/** Empties the list. When one throws, those behind it may ask again. */
function pumpAll(waiting: Waiting[]): void {
  let at = 0
  try {
    while (at < waiting.length) {
      const node = waiting[at++] as Waiting
      // Not if it has left.
      if (node[WAITS] !== true) continue
      node[WAITS] = false
      node.pump()
    }
  } finally {
    for (; at < waiting.length; at++) (waiting[at] as Waiting)[WAITS] = false
    waiting.length = 0
  }
}

/**
 * The time of all machines of a process: one OS timer, one turn beside the sockets, one look at the
 * wall clock. Timers are served after the sockets: an answer that has arrived is never given up.
 */
export class Turns {
  readonly clock: Clock
  readonly #scheduler: Scheduler
  readonly #nodes = new Set<TurnNode>()
  readonly #deadlines = new Deadlines<TurnNode>()
  /** Nodes that want a turn; the other array is that of the turn before, for the next. */
  #again: Waiting[] = []
  #spare: Waiting[] = []
  #armedFor: Instant = NEVER
  #disarm: (() => void) | undefined
  #planned = false
  #wallOffsetMs: number
  #warned = false

  constructor(options: TurnOptions = {}) {
    this.clock = options.clock ?? new SystemClock()
    this.#scheduler = options.scheduler ?? systemScheduler
    this.#wallOffsetMs = this.#readWallOffset()
  }

  /** Nodes being driven. */
  get size(): number {
    return this.#nodes.size
  }

  /** Takes a node in, and tells it the wall clock. */
  add(node: TurnNode): void {
    this.#nodes.add(node)
    node.wallClock(this.#wallOffsetMs)
  }

  forget(node: TurnNode): void {
    this.#nodes.delete(node)
    const waiting: Waiting = node
    waiting[WAITS] = false
    this.#deadlines.cancel(node)
    if (this.#deadlines.size === 0) this.#stopTimer()
  }

  setDeadline(node: TurnNode, at: Instant): void {
    if (at === NEVER) this.#deadlines.cancel(node)
    else this.#deadlines.set(node, at)
    this.#arm()
  }

  /** Gives the node a turn after the sockets. */
  again(node: TurnNode): void {
    const waiting: Waiting = node
    if (waiting[WAITS] === true) return
    waiting[WAITS] = true
    this.#again.push(waiting)
    this.#plan()
  }

  /** An exception of a machine: a bug of ours, which must not stop the other nodes. */
  machineFailed(error: unknown): void {
    if (failures.hasSubscribers) {
      failures.publish({ error })
      return
    }
    if (this.#warned) return
    this.#warned = true
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.emitWarning(`a protocol machine failed, please report this: ${text}`, {
      type: 'PeernetWarning',
      code: 'PEERNET_MACHINE_FAILURE',
    })
  }

  /** An exception of a listener: the application's. */
  listenerFailed(error: unknown): void {
    this.#scheduler.raise(error)
  }

  /**
   * Sees to it that the OS timer fires no later than the earliest deadline. One that fires too
   * early costs less than setting it anew for every change.
   */
  #arm(): void {
    const next = this.#deadlines.next()
    if (next >= this.#armedFor || this.#planned) return
    this.#stopTimer()
    const waitMs = Math.ceil((next - this.clock.now()) / 1000)
    this.#armedFor = next
    this.#disarm = this.#scheduler.timer(Math.max(1, waitMs), () => {
      this.#armedFor = NEVER
      this.#disarm = undefined
      this.#plan()
    })
  }

  #stopTimer(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedFor = NEVER
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    this.#scheduler.soon(this.#onTurn)
  }

  /** One turn beside the sockets: what was left over, then due timers. */
  readonly #onTurn = (): void => {
    let more = true
    try {
      this.#checkWallClock()
      const again = this.#again
      this.#again = this.#spare
      this.#spare = again
      pumpAll(again)
      more = this.#serveTimers() || this.#again.length > 0
    } finally {
      this.#planned = false
      if (more) this.#plan()
      else this.#arm()
    }
  }

  /** True if others may be due, too. */
  #serveTimers(): boolean {
    for (let served = 0; served < LIMITS.timeoutsPerTurn; served++) {
      const now = this.clock.now()
      const node = this.#deadlines.takeDue(now)
      if (node === undefined) return false
      node.timeout(now)
    }
    return true
  }

  #readWallOffset(): number {
    return this.clock.wallMs() - this.clock.now() / 1000
  }

  /** Certificates, CPAs and records live by the wall clock, which may be set. */
  #checkWallClock(): void {
    const offsetMs = this.#readWallOffset()
    if (Math.abs(offsetMs - this.#wallOffsetMs) < LIMITS.wallClockStepMs) return
    this.#wallOffsetMs = offsetMs
    for (const node of this.#nodes) node.wallClock(offsetMs)
  }
}
