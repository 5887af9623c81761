import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'

/** Why a peer's answer was of no use. `version`: it speaks none of ours. */
export type PeerFailure =
  | 'unreachable'
  | 'timeout'
  | 'status'
  | 'malformed'
  | 'unsolicited'
  | 'version'
  | 'absent'
  | 'wrong-hash'
  | 'aborted'

/** Whether a peer has a block, as far as is known. */
export const UNKNOWN = 0
export const HAS = 1
export const LACKS = 2

/** What is known of a peer's blocks of one segment. */
export class Holding {
  readonly blocks: Uint8Array
  count = 0
  isAsking = false
  isAnswered = false
  askedAt: Instant = 0
  /** When it may be asked again. */
  nextAt: Instant = 0
  #refreshUs = LIMITS.swarmRefreshMinUs

  constructor(blocks: number) {
    this.blocks = new Uint8Array(blocks)
  }

  get isFull(): boolean {
    return this.count === this.blocks.length
  }

  /** The answer brought something new, or not: then it is asked less often. */
  rest(now: Instant, isNew: boolean): void {
    this.#refreshUs = isNew
      ? LIMITS.swarmRefreshMinUs
      : Math.min(LIMITS.swarmRefreshMaxUs, this.#refreshUs * 2)
    this.nextAt = now + this.#refreshUs
  }
}

/** A peer of one download. */
export class SwarmPeer {
  readonly name: string
  readonly holdings = new Map<number, Holding>()
  slots: number = LIMITS.swarmSlotsFirst
  inFlight = 0
  /** In a row; answers that are no use but no lie count too. */
  failures = 0
  /** Blocks that it was to have and had not, in a row. */
  broken = 0
  /** Blocks nobody said it had, and it had not, in a row. */
  misses = 0
  isStruck = false
  /** It is slow, or fails: no reason to spare the origin. */
  isDoubted = false
  pausedUntil: Instant = 0
  quietUntil: Instant = 0
  /** It may be downloading until then: so long after it was found, or had more than before. */
  growsUntil: Instant
  /** Hash of what all peers know it by. */
  identity = 0
  relays = false
  gaveAt: Instant = 0
  /** Smoothed time of a block. */
  blockUs = 0

  constructor(name: string, now: Instant) {
    this.name = name
    this.growsUntil = now + LIMITS.swarmFoundUs
  }

  holding(segment: number, blocks: number): Holding {
    let one = this.holdings.get(segment)
    if (one === undefined) {
      one = new Holding(blocks)
      this.holdings.set(segment, one)
    }
    return one
  }

  hasSome(): boolean {
    for (const { count } of this.holdings.values()) if (count > 0) return true
    return false
  }

  isFree(now: Instant): boolean {
    return !this.isStruck && this.inFlight < this.slots && now >= this.pausedUntil
  }

  /** When a block asked for at `at` is late. */
  lateAt(at: Instant): Instant {
    const usual = this.blockUs === 0 ? LIMITS.swarmLateMaxUs : this.blockUs * 4
    return at + Math.min(LIMITS.swarmLateMaxUs, Math.max(LIMITS.swarmLateMinUs, usual))
  }

  gave(now: Instant, us: number): void {
    this.gaveAt = now
    this.failures = 0
    this.broken = 0
    this.misses = 0
    this.blockUs = this.blockUs === 0 ? us : this.blockUs + (us - this.blockUs) / 8
    if (this.slots < LIMITS.retrievalPerPeer) this.slots += 1
  }

  /** A first failure costs a pause, several in a row or a lie cost the peer's place. */
  failed(now: Instant, failure: PeerFailure): void {
    const isWrong = failure === 'wrong-hash' && !this.relays
    const isLie = isWrong || failure === 'unsolicited' || failure === 'version'
    this.failures += 1
    this.slots = 1
    this.pausedUntil = now + LIMITS.swarmPauseUs * 2 ** Math.min(4, this.failures - 1)
    if (isLie || this.failures >= LIMITS.swarmStrikes) this.isStruck = true
  }

  /** It has not what it was to have: busy, evicted, or a liar. */
  brokePromise(now: Instant): void {
    this.broken += 1
    if (this.broken % LIMITS.swarmMisses !== 0) return
    const times = this.broken / LIMITS.swarmMisses
    this.pausedUntil = now + LIMITS.swarmPauseUs * 2 ** Math.min(4, times - 1)
    if (times >= LIMITS.swarmStrikes) this.isStruck = true
  }

  /** A block was tried in vain: fewer are tried for a while. */
  missed(now: Instant): void {
    this.misses += 1
    if (this.misses < LIMITS.swarmMisses) return
    const times = this.misses - LIMITS.swarmMisses
    this.quietUntil = now + LIMITS.swarmRefreshMinUs * 2 ** Math.min(4, times)
  }
}
