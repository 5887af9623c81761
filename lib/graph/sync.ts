import type { Timed } from '../core/deadlines.js'
import type { Guid } from '../core/guid.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { GraphMessage } from '../wire/graph/messages.js'
import type { GraphContext } from './context.js'
import type { Link, SyncPart } from './parts.js'
import { ticks } from './record-drafts.js'
import { SyncInitiator, type SyncObserver, type SyncPlan } from './sync-initiator.js'
import { SyncResponder } from './sync-responder.js'

/** What Sync keeps at a link. */
interface LinkSync {
  readonly responder: SyncResponder
  initiator: SyncInitiator | undefined
}

/**
 * Synchronisation on all links, MS-PPGRH 3.1.7.29-31. A node that is behind catches up on one link
 * (Sync All, or by time and then by hash); its other links wait for that and then compare by hash
 * only (GA-18).
 */
export class Sync implements SyncPart, SyncObserver, Timed {
  readonly #context: GraphContext
  /** The link on which this node catches up, and links whose sync waits for its end. */
  #main: Link | undefined
  #mainSince: Instant = 0
  #mainProgress: Instant = 0
  readonly #waiting = new Set<Link>()
  /** Since when this node has had what its neighbours have. */
  #settledAt: Instant | undefined
  /** It had neighbours and lost them all, perhaps while others made up a split. */
  #lostTouch: boolean

  constructor(context: GraphContext) {
    this.#context = context
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#main = undefined
    this.#settledAt = undefined
    this.#lostTouch = false
  }

  linkConnected(link: Link): void {
    const context = this.#context
    link.sync = { responder: new SyncResponder(context, link), initiator: undefined }
    // GA-33: what the creator has is the graph.
    if (context.config.creates && context.neverConnected) {
      context.neverConnected = false
      this.#settledAt = context.now
      context.leftAt = context.peerTime
    }
    if (context.timers.get(this) === undefined) this.#armTimer()
  }

  start(link: Link): void {
    if (this.#main !== undefined) this.#waiting.add(link)
    else if (this.#settledAt === undefined) this.#catchUp(link)
    else this.#compare(link)
  }

  handleMessage(link: Link, message: GraphMessage): void {
    const sync = syncOf(link)
    if (sync === undefined) return
    this.#context.database.lapse(this.#context.peerTime)
    this.recordReceived(link)
    const { responder, initiator } = sync
    switch (message.type) {
      case 'SOLICIT_NEW':
      case 'SOLICIT_TIME':
        responder.solicited(message)
        return
      case 'SOLICIT_HASH':
        responder.hashSolicited(message)
        return
      case 'REQUEST':
        if (responder.requested(message)) this.#settled()
        return
      case 'ADVERTISE':
        if (initiator === undefined) this.#context.parts.links.terminate(link, 'protocol')
        else initiator.advertised(message)
        return
      case 'SYNC_END':
        if (message.final) initiator?.ended()
        return
      default:
        return
    }
  }

  recordReceived(link: Link): void {
    if (link === this.#main) this.#mainProgress = this.#context.now
  }

  linkClosed(link: Link): void {
    this.#waiting.delete(link)
    link.sync = undefined
    const { neighbors } = this.#context.parts.links
    if (neighbors.every((other) => other === link)) {
      this.#noteTime()
      this.#lostTouch ||= this.#settledAt !== undefined
      this.#settledAt = undefined
    }
    if (link !== this.#main) return
    this.#main = undefined
    this.#startWaiting()
  }

  closing(): void {
    const context = this.#context
    // Alone since it created the graph: nobody has anything that it lacks.
    if (context.config.creates && context.neverConnected) context.leftAt = context.peerTime
    this.#noteTime()
  }

  typeDone(recordType: Guid): void {
    this.#context.events.push({ type: 'synchronized', recordType })
  }

  finished(initiator: SyncInitiator): void {
    const { link } = initiator
    const sync = syncOf(link)
    if (sync?.initiator !== initiator) return
    sync.initiator = undefined
    const suspect = initiator.otherSignature && this.#isOld()
    this.#context.neverConnected = false
    this.#settled()
    this.#tell()
    if (link === this.#main) {
      this.#main = undefined
      this.#startWaiting()
    } else if (suspect && !link.repair) {
      this.#context.counters.add('sync-after-split')
      this.#run(link, { first: { type: 'time', since: this.#agreed(link) }, hash: false })
    }
  }

  /** Writes down regularly when this node was in the graph; ends a link whose sync stands still. */
  onTimer(): void {
    const { now, parts } = this.#context
    if (parts.links.neighbors.length === 0) return
    this.#noteTime()
    this.#armTimer()
    const main = this.#main
    if (main === undefined || this.#waiting.size === 0) return
    if (now - this.#mainSince >= LIMITS.graphSyncAloneUs) {
      // It goes on, but what it brings may be there to keep this node from the others.
      this.#context.counters.add('sync-slow')
      this.#main = undefined
      this.#startWaiting()
      return
    }
    if (now - this.#mainProgress < LIMITS.graphSyncStallUs) return
    this.#context.counters.add('sync-stalled')
    parts.links.terminate(main, 'timed-out')
  }

  #armTimer(): void {
    const { now, timers } = this.#context
    timers.set(this, now + LIMITS.graphClockWriteUs)
  }

  #noteTime(): void {
    const context = this.#context
    if (this.#settledAt !== undefined) context.leftAt = context.peerTime
    const { leftAt, peerTimeDelta } = context
    if (leftAt !== undefined) context.write({ type: 'clock', peerTimeDelta, leftAt })
  }

  #catchUp(link: Link): void {
    const { leftAt, neverConnected, now } = this.#context
    this.#main = link
    this.#mainSince = now
    this.#mainProgress = now
    if (neverConnected || leftAt === undefined) {
      // Killed before it could note when: its last records may be nowhere else.
      this.#run(link, { first: { type: 'new' }, hash: !neverConnected })
    } else {
      const agreed = link.repair ? this.#agreed(link) : leftAt
      // GA-54: hashes do not show which of two equal versions the graph has agreed on meanwhile.
      const missed = this.#lostTouch ? ticks(LIMITS.graphLostTouchUs) : 0n
      const since = (agreed < leftAt ? agreed : leftAt) - missed
      this.#run(link, { first: { type: 'time', since }, hash: true })
    }
  }

  /** GA-54: conflicts between equal versions do not show in hashes. */
  #compare(link: Link): void {
    if (link.repair) {
      this.#run(link, { first: { type: 'time', since: this.#agreed(link) }, hash: true })
    } else {
      this.#run(link, { hash: true })
    }
  }

  #agreed(link: Link): bigint {
    return this.#context.parts.maintenance.agreedUntil(link)
  }

  #run(link: Link, plan: SyncPlan): void {
    const sync = syncOf(link)
    if (sync === undefined) return
    sync.initiator = new SyncInitiator(this.#context, link, plan, this)
    sync.initiator.begin()
  }

  #startWaiting(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const link of waiting) this.start(link)
  }

  #settled(): void {
    if (!this.#context.neverConnected) this.#settledAt ??= this.#context.now
  }

  #isOld(): boolean {
    const { now } = this.#context
    return this.#settledAt !== undefined && now - this.#settledAt > LIMITS.graphSettledUs
  }

  #tell(): void {
    const { events, parts, properties } = this.#context
    events.push({ type: 'synchronized' })
    if (properties.deferExpiration) parts.records.scanNow()
    parts.maintenance.synchronized()
  }
}

function syncOf(link: Link): LinkSync | undefined {
  return link.sync as LinkSync | undefined
}
