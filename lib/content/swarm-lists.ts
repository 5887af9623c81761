import { NEVER, type Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { Queue } from '../core/queue.js'
import type { SwarmCrowd } from './swarm-crowd.js'
import type { SwarmPeer } from './swarm-peer.js'

/** What the driver is to do; blocks and segments are numbers among the wanted ones. */
export type SwarmAction =
  | { readonly type: 'look-up'; readonly block: number }
  | { readonly type: 'block'; readonly peer: string; readonly block: number }
  | { readonly type: 'list'; readonly peer: string; readonly segment: number }
  | { readonly type: 'origin'; readonly first: number; readonly count: number }
  | { readonly type: 'search'; readonly segments: readonly number[] }

/** When which peer is asked for a block list (R 3.1.4.1): the first at once, others in turn. */
export class SwarmLists {
  readonly #crowd: SwarmCrowd
  /** Peers and segments whose first list is under way, and how long the origin waits for it. */
  readonly #first = new Set<string>()
  #firstUntil: Instant = 0
  #nextAt: Instant = 0
  /** Lists under way. */
  count = 0

  constructor(crowd: SwarmCrowd) {
    this.#crowd = crowd
  }

  /** Until then the origin is not asked: a first list may show that it need not be. */
  get holdUntil(): Instant {
    return this.#first.size > 0 ? this.#firstUntil : 0
  }

  answered(name: string, segment: number): void {
    this.count -= 1
    this.#first.delete(`${name} ${segment}`)
  }

  /** Asks for lists of these segments, the oldest first; returns when there is more to ask for. */
  ask(now: Instant, from: number, to: number, actions: Queue<SwarmAction>): Instant {
    let oldest: { readonly peer: SwarmPeer; readonly segment: number } | undefined
    let oldestAt: Instant = NEVER
    for (const peer of this.#crowd.peers()) {
      if (now < peer.pausedUntil) continue
      for (let segment = from; segment <= to; segment++) {
        if (!this.#crowd.isListed(segment)) continue
        const { isAnswered, isAsking, isFull, nextAt } = this.#crowd.holding(peer, segment)
        if (isAsking || isFull) continue
        if (!isAnswered) {
          this.#first.add(`${peer.name} ${segment}`)
          this.#firstUntil = now + LIMITS.swarmFirstListUs
          this.#ask(peer, segment, actions)
        } else if (nextAt < oldestAt) {
          oldestAt = nextAt
          oldest = { peer, segment }
        }
      }
    }
    if (oldest === undefined || this.count >= LIMITS.swarmLists) return NEVER
    if (now >= Math.max(oldestAt, this.#nextAt)) {
      this.#nextAt = now + LIMITS.swarmListPauseUs
      this.#ask(oldest.peer, oldest.segment, actions)
    }
    return Math.max(oldestAt, this.#nextAt)
  }

  #ask(peer: SwarmPeer, segment: number, actions: Queue<SwarmAction>): void {
    this.#crowd.holding(peer, segment).isAsking = true
    this.count += 1
    actions.push({ type: 'list', peer: peer.name, segment })
  }
}
