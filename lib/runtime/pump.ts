import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../core/clock.js'
import { Deadlines } from '../core/deadlines.js'
import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { SystemClock } from '../io/system-clock.js'
import type { CryptoPort } from '../pnrp/crypto-port.js'
import { decodeMessage } from '../wire/codec.js'
import {
  PumpedNode,
  type DecodeMessage,
  type PumpedNodeOptions,
  type PumpServices,
} from './pumped-node.js'
import { systemScheduler, type Scheduler } from './scheduler.js'

export interface PumpOptions {
  readonly clock?: Clock
  readonly scheduler?: Scheduler
  readonly decode?: DecodeMessage
}

/**
 * Publishes `{ error }` when a machine throws, which is a bug of peernet. Without subscribers it
 * becomes a process warning, the first one only.
 */
const failures = channel('peernet:machine-failure')

/** Steps in which machines hear of the load of the signing queue (N-68). */
const LOAD_STEPS = 4

interface CryptoLoad {
  readonly nodes: Set<PumpedNode>
  reported: number
}

/**
 * Drives all nodes of a process: gives them time, messages and results, carries out what they ask
 * for. It has one OS timer for all of them. Sockets call it through the nodes' ports.
 *
 * The timers of nodes are served after the sockets: an answer that has arrived is never given up.
 */
export class Pump {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #nodes = new Set<PumpedNode>()
  readonly #deadlines = new Deadlines<PumpedNode>()
  readonly #loads = new Map<CryptoPort, CryptoLoad>()
  readonly #services: PumpServices
  #again = new Set<PumpedNode>()
  #armedFor: Instant = NEVER
  #disarm: (() => void) | undefined
  #turnPlanned = false
  #wallOffsetMs: number
  #warned = false

  constructor(options: PumpOptions = {}) {
    this.#clock = options.clock ?? new SystemClock()
    this.#scheduler = options.scheduler ?? systemScheduler
    this.#wallOffsetMs = this.#readWallOffset()
    this.#services = this.#makeServices(options.decode ?? decodeMessage)
  }

  get clock(): Clock {
    return this.#clock
  }

  /** Nodes being driven. */
  get size(): number {
    return this.#nodes.size
  }

  /** Takes a machine over. It has no ports yet: see `PumpedNode.listen`. */
  add(options: PumpedNodeOptions): PumpedNode {
    const node = new PumpedNode(options, this.#services)
    this.#nodes.add(node)
    const load = this.#loads.get(options.crypto) ?? { nodes: new Set(), reported: 0 }
    this.#loads.set(options.crypto, load)
    load.nodes.add(node)
    node.localEvent({ type: 'wall-clock', offsetMs: this.#wallOffsetMs })
    if (load.reported > 0) node.localEvent({ type: 'signing-load', load: load.reported })
    return node
  }

  #makeServices(decode: DecodeMessage): PumpServices {
    return {
      clock: this.#clock,
      decode,
      setDeadline: (node, at) => {
        this.#setDeadline(node, at)
      },
      again: (node) => {
        this.#again.add(node)
        this.#planTurn()
      },
      forget: (node) => {
        this.#forget(node)
      },
      cryptoChanged: (port) => {
        this.#reportLoad(port)
      },
      machineFailed: (error) => {
        this.#machineFailed(error)
      },
      listenerFailed: (error) => {
        this.#scheduler.raise(error)
      },
    }
  }

  #forget(node: PumpedNode): void {
    this.#nodes.delete(node)
    this.#again.delete(node)
    this.#deadlines.cancel(node)
    const load = this.#loads.get(node.crypto)
    load?.nodes.delete(node)
    if (load?.nodes.size === 0) this.#loads.delete(node.crypto)
    if (this.#deadlines.size === 0) this.#stopTimer()
  }

  // --- time

  #setDeadline(node: PumpedNode, at: Instant): void {
    if (at === NEVER) this.#deadlines.cancel(node)
    else this.#deadlines.set(node, at)
    this.#arm()
  }

  /**
   * Sees to it that the OS timer fires no later than the earliest deadline. One that fires too
   * early costs less than setting it anew for every change.
   */
  #arm(): void {
    const next = this.#deadlines.next()
    if (next >= this.#armedFor || this.#turnPlanned) return
    this.#stopTimer()
    const waitMs = Math.ceil((next - this.#clock.now()) / 1000)
    this.#armedFor = next
    this.#disarm = this.#scheduler.timer(Math.max(1, waitMs), () => {
      this.#armedFor = NEVER
      this.#disarm = undefined
      this.#planTurn()
    })
  }

  #stopTimer(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedFor = NEVER
  }

  #planTurn(): void {
    if (this.#turnPlanned) return
    this.#turnPlanned = true
    this.#scheduler.soon(() => {
      this.#turn()
    })
  }

  /** One turn beside the sockets: what was left over, then due timers. */
  #turn(): void {
    let more = true
    try {
      this.#checkWallClock()
      const again = this.#again
      this.#again = new Set()
      for (const node of again) node.pump()
      more = this.#serveTimers() || this.#again.size > 0
    } finally {
      this.#turnPlanned = false
      if (more) this.#planTurn()
      else this.#arm()
    }
  }

  /** True if others may be due, too. */
  #serveTimers(): boolean {
    for (let served = 0; served < LIMITS.timeoutsPerTurn; served++) {
      const now = this.#clock.now()
      const node = this.#deadlines.takeDue(now)
      if (node === undefined) return false
      node.timeout(now)
    }
    return true
  }

  #readWallOffset(): number {
    return this.#clock.wallMs() - this.#clock.now() / 1000
  }

  /** Certificates and CPAs live by the wall clock, which may be set. */
  #checkWallClock(): void {
    const offsetMs = this.#readWallOffset()
    if (Math.abs(offsetMs - this.#wallOffsetMs) < LIMITS.wallClockStepMs) return
    this.#wallOffsetMs = offsetMs
    for (const node of this.#nodes) node.localEvent({ type: 'wall-clock', offsetMs })
  }

  // --- load and failures

  /** N-68: machines refuse work when the signing queue fills up; they hear of it in steps. */
  #reportLoad(port: CryptoPort): void {
    const state = this.#loads.get(port)
    if (state === undefined) return
    const share = Math.min(1, port.backlog / LIMITS.cryptoBacklog)
    const load = Math.floor(share * LOAD_STEPS) / LOAD_STEPS
    if (load === state.reported) return
    state.reported = load
    for (const node of state.nodes) node.localEvent({ type: 'signing-load', load })
  }

  #machineFailed(error: unknown): void {
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
}
