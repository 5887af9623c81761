import type { Counters } from '../../core/counters.js'
import { Deadlines } from '../../core/deadlines.js'
import type { Endpoint } from '../../core/endpoint.js'
import { checkArgument } from '../../core/errors.js'
import type { Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { Queue } from '../../core/queue.js'
import { below, type Rng } from '../../core/rng.js'
import { formatHost, linkOf, neighbourOf, type WsdLink } from './links.js'
import { newUuid } from './message-id.js'
import type { Probe, ProbeMatch } from './messages.js'
import { AnswerBudget, SeenMessages } from './restraint.js'
import type { Suppression } from './suppression.js'
import { encodeDiscovery } from './write.js'

/** What the cache has of a segment now. */
export interface AvailableSegment {
  /** Blocks that are there: 1 or more. */
  readonly blocks: number
  readonly isComplete: boolean
  /** Since when the segment has been in the cache. */
  readonly ageMs: number
}

/**
 * D 3.2.1: the list of available segments, asked whenever an answer is made, so that it is never
 * behind the cache (3.2.6.1). Must not block.
 */
export interface AvailableSegments {
  get(segmentId: Uint8Array): AvailableSegment | undefined
}

/** A datagram to send to one host. */
export interface AnswerTransmit {
  readonly to: Endpoint
  /** Name of the interface that the probe came over. */
  readonly zone: string
  readonly data: Uint8Array
}

/** To be kept for the next start of this service (DA-39). */
export interface InstanceEffect {
  readonly type: 'store-instance'
  readonly instanceId: number
}

export interface DiscoveryResponderOptions {
  readonly rng: Rng
  readonly counters: Counters
  readonly segments: AvailableSegments
  /** Where this host's retrieval server listens. */
  readonly port: number
  /** APP_MAX_DELAY (3.2.2), 1 to 500 ms. */
  readonly backoffMaxUs?: number
  /** Without it every probe that matches is answered. */
  readonly suppression?: Suppression
}

/** An answer that waits for its moment. */
interface Answer {
  readonly to: Endpoint
  readonly zone: string
  readonly probe: Probe
  readonly probeBytes: number
}

/**
 * Answers probes for what the cache has (MS-PCCRD 3.2), as a machine without I/O. Only neighbours
 * are answered, each probe once and with one datagram, within budgets for each source and for all.
 * After each handler the driver polls `pollTransmit` and `pollEffect` until empty, then sleeps
 * until `pollTimeout()`. Nothing that comes from the network makes it throw.
 */
export class DiscoveryResponder {
  readonly #options: DiscoveryResponderOptions
  readonly #backoffMaxUs: number
  /** 2.2.3.4 <3>: one for each run. */
  readonly endpoint: string
  readonly #seen = new SeenMessages()
  readonly #budget = new AnswerBudget()
  readonly #timers = new Deadlines<Answer>()
  readonly #transmits = new Queue<AnswerTransmit>()
  readonly #effects = new Queue<InstanceEffect>()
  #links: readonly WsdLink[] = []
  #instanceId: number | undefined
  #messageNumber = 0

  constructor(options: DiscoveryResponderOptions) {
    const { backoffMaxUs = LIMITS.wsdBackoffMaxUs, port } = options
    checkArgument(
      backoffMaxUs >= LIMITS.wsdBackoffMinUs && backoffMaxUs <= LIMITS.wsdRequestMaxUs,
      'the longest backoff is 1 to 500 ms',
    )
    checkArgument(Number.isInteger(port) && port > 0 && port < 65_536, 'a port is 1..65535')
    this.#options = options
    this.#backoffMaxUs = backoffMaxUs
    this.endpoint = newUuid(options.rng)
  }

  /** 2.2.3.6, DA-39: begins to answer. `stored`: the ID of the run before, if there was one. */
  start(wallMs: number, stored: number | undefined): void {
    this.#instanceId = Math.max(Math.floor(wallMs / 1000), (stored ?? 0) + 1)
    this.#effects.push({ type: 'store-instance', instanceId: this.#instanceId })
  }

  setLinks(links: readonly WsdLink[]): void {
    this.#links = links
  }

  /**
   * D 3.2.4.1. `zone`: name of the interface of a link-local source, else ''; `probeBytes`: length
   * of the datagram.
   */
  handleProbe(now: Instant, from: Endpoint, zone: string, probe: Probe, probeBytes: number): void {
    const { counters, rng } = this.#options
    const link = linkOf(this.#links, from.address, zone)
    if (this.#instanceId === undefined) {
      counters.add('ignored.wsd-not-started')
    } else if (link === undefined) {
      counters.add('drop.wsd-off-link')
    } else if (!this.#hasAny(probe)) {
      counters.add('ignored.wsd-probe')
    } else if (this.#timers.size >= LIMITS.wsdAnswersWaiting) {
      counters.add('drop.wsd-answers-waiting')
    } else if (this.#seen.has(now, probe.messageId)) {
      counters.add('ignored.wsd-duplicate')
    } else if (!this.#budget.take(now, from)) {
      counters.add('drop.wsd-answer-rate')
    } else {
      this.#seen.add(now, probe.messageId)
      const steps = (this.#backoffMaxUs - LIMITS.wsdBackoffMinUs) / 1000
      const backoff = LIMITS.wsdBackoffMinUs + 1000 * below(rng, Math.floor(steps) + 1)
      const answer = { to: from, zone: link.name, probe, probeBytes }
      this.#timers.set(answer, now + backoff)
    }
  }

  handleTimeout(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      this.#answer(due)
    }
  }

  pollTransmit(): AnswerTransmit | undefined {
    return this.#transmits.shift()
  }

  pollEffect(): InstanceEffect | undefined {
    return this.#effects.shift()
  }

  pollTimeout(): Instant {
    return this.#timers.next()
  }

  #available(segmentId: Uint8Array): AvailableSegment | undefined {
    const found = this.#options.segments.get(segmentId)
    return found === undefined || found.blocks < 1 ? undefined : found
  }

  #hasAny({ segmentIds }: Probe): boolean {
    return segmentIds.some((id) => this.#available(id) !== undefined)
  }

  #answer({ probe, probeBytes, to, zone }: Answer): void {
    const { counters, port } = this.#options
    const own = this.#ownAddress(to, zone)
    if (own === undefined || this.#instanceId === undefined) {
      counters.add('drop.wsd-link-gone')
      return
    }
    const match = this.#matchOf(probe, [{ host: formatHost(own), port }])
    if (match === undefined) {
      counters.add('ignored.wsd-probe') // gone from the cache, or left to others
      return
    }
    const data = encodeDiscovery({
      type: 'probe-matches',
      messageId: newUuid(this.#options.rng),
      relatesTo: probe.messageId,
      instanceId: this.#instanceId,
      messageNumber: this.#messageNumber + 1,
      matches: [match],
    })
    // What an answer has to say makes it longer than a short probe. Whoever makes up probes, of
    // names that grow when they are written again, draws no more than that from us.
    if (data.length >= LIMITS.wsdAnswerFactor * probeBytes) {
      counters.add('drop.wsd-amplifies')
      return
    }
    this.#messageNumber++
    counters.add('sent.wsd-match')
    this.#transmits.push({ to, zone, data })
  }

  /** 2.2.3.8: where the prober reaches us. */
  #ownAddress(to: Endpoint, zone: string): Uint8Array | undefined {
    const link = this.#links.find(({ name }) => name === zone)
    return link && neighbourOf(link, to.address)?.address
  }

  #matchOf(probe: Probe, addresses: ProbeMatch['addresses']): ProbeMatch | undefined {
    const { endpoint } = this
    const { suppression } = this.#options
    const all = probe.segmentIds.map((id) =>
      suppression?.silences(id) === true ? undefined : this.#available(id),
    )
    if (all.every((one) => one === undefined)) return undefined
    if (probe.version === 2) {
      const states = all.map((one) => {
        if (one === undefined) return 'none'
        return one.isComplete ? 'complete' : 'some'
      })
      const ages = all.flatMap((one, index) => (one ? [{ index, ageMs: one.ageMs }] : []))
      return { version: 2, endpoint, addresses, states, ages }
    }
    const segments = all.flatMap((one, i) => {
      const id = probe.segmentIds[i]
      if (one === undefined || id === undefined) return []
      const spelling = probe.spellings?.[i] // DA-10
      const blockCount = one.blocks
      return [{ id, blockCount, ...(spelling === undefined ? {} : { spelling }) }]
    })
    return { version: 1, endpoint, addresses, segments }
  }
}
