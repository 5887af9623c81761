import type { Guid } from '../core/guid.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { isAckOf } from '../wire/graph/ack-list.js'
import type { ReceivedAcks } from '../wire/graph/stream-reader.js'

/** A FLOOD whose acknowledgement is waited for. */
interface Probe {
  readonly id: Guid
  /** Where in our stream it ends. */
  readonly end: number
  /** When it was sent, or its way out of the process last moved. */
  since: Instant
  left: boolean
  /** The peer has no reason to keep silent about it. */
  readonly certain: boolean
  /** Another FLOOD was acknowledged since. */
  heard: boolean
}

/**
 * Whether the peer of a CONNECTED link still lives (GA-56). Nothing is done for each message but
 * noting the time: the link's timer looks at it now and then.
 *
 * Of the FLOODs one at a time is followed until it is acknowledged. A peer may leave a record
 * unanswered because it defers or refuses it (GA-37); while it acknowledges others, it hears us.
 */
export class LinkWatch {
  /** It has acknowledged nothing for long, perhaps rightly so: what it holds would tell. */
  doubtful: boolean
  #lastReceived: Instant = 0
  #lastSent: Instant = 0
  /** Since when the peer has been in the middle of a message, and how much came since then. */
  #partialSince: Instant | undefined
  #partialBytes = 0
  #probe: Probe | undefined

  constructor() {
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.doubtful = false
    this.#partialSince = undefined
    this.#probe = undefined
  }

  begin(now: Instant): void {
    this.#lastReceived = now
    this.#lastSent = now
  }

  get wantsProbe(): boolean {
    return this.#probe === undefined
  }

  follow(id: Guid, end: number, now: Instant, certain: boolean): void {
    this.#probe = { id, end, since: now, left: false, certain, heard: false }
  }

  sent(now: Instant): void {
    this.#lastSent = now
  }

  /** `partial`: an incomplete message is left. */
  received(now: Instant, bytes: number, partial: boolean): void {
    this.#lastReceived = now
    if (!partial) {
      this.#partialSince = undefined
    } else if (this.#partialSince === undefined) {
      this.#partialSince = now
      this.#partialBytes = bytes
    } else {
      this.#partialBytes += bytes
    }
  }

  /** Bytes have left the process, up to this offset of our stream. */
  written(now: Instant, offset: number): void {
    const probe = this.#probe
    if (probe === undefined || probe.left) return
    probe.since = now
    probe.left = offset >= probe.end
  }

  acknowledged(acks: ReceivedAcks): void {
    const probe = this.#probe
    if (probe === undefined) return
    probe.heard = true
    for (let i = 0; i < acks.count; i++) {
      if (!isAckOf(acks, i, probe.id)) continue
      this.#probe = undefined
      return
    }
  }

  /** The peer is dead, or as good as that. */
  silent(now: Instant): boolean {
    if (now - this.#lastReceived >= LIMITS.graphSilenceUs) return true
    return this.#unacknowledged(now) || this.#trickles(now)
  }

  pingDue(now: Instant): boolean {
    return now - this.#lastSent >= LIMITS.graphPingUs
  }

  /** When there may be something to do again. */
  next(): Instant {
    return Math.min(this.#lastReceived + LIMITS.graphSilenceUs, this.#lastSent + LIMITS.graphPingUs)
  }

  #unacknowledged(now: Instant): boolean {
    const probe = this.#probe
    if (probe === undefined || now - probe.since < LIMITS.graphSilenceUs) return false
    this.#probe = undefined
    if (probe.heard) return false
    if (probe.certain || !probe.left) return true
    this.doubtful = true
    return false
  }

  /** A message that never ends must not keep a connection. */
  #trickles(now: Instant): boolean {
    if (this.#partialSince === undefined) return false
    const us = now - this.#partialSince
    if (us < LIMITS.graphSilenceUs) return false
    return this.#partialBytes < (us / 1e6) * LIMITS.graphSlowestBytesPerSecond
  }
}
