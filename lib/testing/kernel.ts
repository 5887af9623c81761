import type { Endpoint } from '../core/endpoint.js'
import { earlier, NEVER, type Instant } from '../core/instant.js'
import { EventLog } from './event-log.js'
import { EventQueue } from './event-queue.js'
import type { LinkOptions } from './link-options.js'
import { PacketNetwork, type Packet } from './packet-network.js'
import { TimerTable } from './timer-table.js'

/** Something that lives on the simulated network. It acts only inside these calls. */
export interface SimHost {
  /** A datagram has arrived at one of the host's endpoints. */
  handlePacket?(now: Instant, packet: Packet): void
  /** The instant that `pollTimeout` named has come. */
  handleTimeout(now: Instant): void
  /** What the host put in by `SimKernel.later` is due. */
  handleLocal?(now: Instant, what: unknown): void
  /** When `handleTimeout` is wanted next; NEVER if at no time. Asked after every call. */
  pollTimeout(): Instant
}

/** Something of a network that happens at an instant; it tells the host concerned by itself. */
export interface Happening {
  happen(now: Instant): void
}

const EVENT = { packet: 1, local: 2, script: 3, happening: 4 } as const
/** So many events without any time passing mean that hosts keep each other busy for ever. */
const EVENTS_PER_INSTANT_MAX = 5_000_000

/**
 * Virtual time and the order of events. One event queue and one timer table serve all hosts; a host
 * at rest has no timer object and no closure of its own. Nothing in here reads a real clock.
 */
export class SimKernel {
  readonly seed: number
  readonly log: EventLog
  readonly network: PacketNetwork
  readonly #queue = new EventQueue<unknown>()
  readonly #timers = new TimerTable()
  readonly #hosts: (SimHost | undefined)[] = []
  #now: Instant = 0
  #eventsNow = 0

  /**
   * @param seed any integer; decides all luck
   * @param link default options of all links
   * @param keepLog how many of the latest log entries are kept
   */
  constructor(seed: number, link: Partial<LinkOptions> = {}, keepLog = 0) {
    this.seed = seed
    this.log = new EventLog(keepLog)
    this.network = new PacketNetwork(seed, link, this.log, (at, host, packet) => {
      this.#queue.push(at, EVENT.packet, host, packet)
    })
  }

  /** Virtual microseconds since the simulation began. */
  get now(): Instant {
    return this.#now
  }

  /** Hosts ever added; indexes run from 0 and are not used again. */
  get hostCount(): number {
    return this.#hosts.length
  }

  addHost(host: SimHost): number {
    const index = this.network.addHost()
    this.#hosts[index] = host
    this.log.record(this.#now, 'add', index)
    this.poll(index)
    return index
  }

  /**
   * Ends a host on the spot: it neither sends nor receives again. Unbind its endpoints yourself.
   */
  removeHost(index: number): void {
    if (this.#hosts[index] === undefined) return
    this.#hosts[index] = undefined
    this.#timers.set(index, NEVER)
    this.log.record(this.#now, 'remove', index)
  }

  send(host: number, from: Endpoint, to: Endpoint, data: Uint8Array): void {
    this.network.send(this.#now, host, from, to, data)
  }

  /** Has `handleLocal` called after a while; the logged `detail` tells such events apart. */
  later(host: number, delayUs: number, what: unknown): void {
    this.#queue.push(this.#now + Math.max(0, Math.ceil(delayUs)), EVENT.local, host, what)
  }

  /** Has a happening take place at an instant, not before now; `host` is polled after it. */
  post(when: Instant, host: number, happening: Happening): void {
    this.#queue.push(Math.max(this.#now, Math.ceil(when)), EVENT.happening, host, happening)
  }

  /** Is the host there, that is, neither removed nor unheard of? */
  isUp(host: number): boolean {
    return this.#hosts[host] !== undefined
  }

  /** Runs a piece of script at an instant; not before now. */
  at(when: Instant, script: () => void): void {
    this.#queue.push(Math.max(this.#now, Math.ceil(when)), EVENT.script, -1, script)
  }

  /** Reads a host's `pollTimeout` anew; needed only after calling the host from outside. */
  poll(index: number): void {
    const at = this.#hosts[index]?.pollTimeout() ?? NEVER
    this.#timers.set(index, at === NEVER ? NEVER : Math.ceil(at))
  }

  /** When something happens next; NEVER when all is at rest. */
  get next(): Instant {
    return earlier(this.#queue.next, this.#timers.next)
  }

  /** Lets the next event happen if it is due by `limit`; otherwise moves the time there. */
  step(limit: Instant): boolean {
    const event = this.#queue.next
    const timer = this.#timers.next
    if (earlier(event, timer) > limit) {
      if (limit > this.#now) this.#now = limit
      return false
    }
    this.#advance(earlier(event, timer))
    if (event <= timer) this.#happen()
    else this.#expire()
    return true
  }

  /** Runs until an instant; everything that is due then has happened. */
  runUntil(limit: Instant): void {
    while (this.step(limit)) {
      // each step is one event
    }
  }

  /** A deadline may lie in the past when a host was polled late; time never runs backwards. */
  #advance(at: Instant): void {
    if (at > this.#now) {
      this.#now = at
      this.#eventsNow = 0
    } else if (++this.#eventsNow > EVENTS_PER_INSTANT_MAX) {
      throw new Error(`the simulation is stuck at ${this.#now} µs`)
    }
  }

  #happen(): void {
    const payload = this.#queue.pop()
    const { kind, target } = this.#queue
    if (kind === EVENT.script) {
      ;(payload as () => void)()
      return
    }
    if (kind === EVENT.happening) {
      ;(payload as Happening).happen(this.#now)
      if (target >= 0) this.poll(target)
      return
    }
    const host = this.#hosts[target]
    if (kind === EVENT.packet) {
      if (!this.network.arrive(this.#now, target, payload as Packet) || host === undefined) return
      host.handlePacket?.(this.#now, payload as Packet)
    } else {
      this.log.record(this.#now, 'local', target)
      host?.handleLocal?.(this.#now, payload)
    }
    this.poll(target)
  }

  #expire(): void {
    const index = this.#timers.nextNode
    this.log.record(this.#now, 'timer', index)
    this.#hosts[index]?.handleTimeout(this.#now)
    this.poll(index)
  }
}
