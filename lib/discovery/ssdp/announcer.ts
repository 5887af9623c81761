import { equalBytes } from '../../core/bytes.js'
import { endpointKey, sameEndpoint, type Endpoint } from '../../core/endpoint.js'
import { seconds, type Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { unit } from '../../core/rng.js'
import type { SsdpShared, SsdpTimed } from './agent.js'
import type { SsdpLink } from './links.js'
import {
  encodeAlive,
  encodeByebye,
  encodeResponse,
  MAX_AGE_SECONDS,
  SSDP_GROUP,
  type SsdpMessage,
} from './messages.js'
import { perSecond, TokenBucket } from '../../core/token-bucket.js'
import { Cooldown } from './cooldown.js'

type SearchMessage = Extract<SsdpMessage, { type: 'search' }>

/** One announced target; its timer is that of the next ssdp:alive. */
class Announcement implements SsdpTimed {
  readonly onTimer: (now: Instant) => void

  constructor(
    readonly endpoint: Endpoint,
    alive: (now: Instant, announcement: Announcement) => void,
  ) {
    this.onTimer = (now) => {
      alive(now, this)
    }
  }
}

/** An answer that waits for its moment. */
class Answer implements SsdpTimed {
  constructor(readonly onTimer: () => void) {}
}

/**
 * The announcing side: answers searches for what is announced (MS-PNRP 3.2.4.1, 3.2.4.2), each at a
 * random moment within the searcher's MX. So that nobody can aim answers at others, each source
 * gets one answer in a while, all together a few a second, and only neighbours on the link any.
 */
export class Announcer {
  readonly #shared: SsdpShared
  readonly #announced = new Map<string, Announcement>()
  readonly #perSource = new Cooldown(LIMITS.ssdpAnswerPauseUs, LIMITS.ssdpSources)
  readonly #total = new TokenBucket(perSecond(LIMITS.ssdpAnswersPerSecond))
  #waiting = 0

  constructor(shared: SsdpShared) {
    this.#shared = shared
  }

  announce(now: Instant, searchTarget: string, endpoint: Endpoint): void {
    const { counters, timers } = this.#shared
    const before = this.#announced.get(searchTarget)
    if (before === undefined && this.#announced.size >= LIMITS.ssdpAnnouncements) {
      counters.add('refused.ssdp-announcements')
      return
    }
    if (before !== undefined) timers.cancel(before)
    const announcement = new Announcement(endpoint, (at, self) => {
      this.#alive(at, searchTarget, self)
    })
    this.#announced.set(searchTarget, announcement)
    this.#alive(now, searchTarget, announcement)
  }

  withdraw(searchTarget: string): void {
    const { counters, timers } = this.#shared
    const announcement = this.#announced.get(searchTarget)
    if (announcement === undefined) return
    this.#announced.delete(searchTarget)
    timers.cancel(announcement)
    counters.add('sent.ssdp-byebye')
    this.#toGroup(encodeByebye(searchTarget, announcement.endpoint))
  }

  isAnnounced(endpoint: Endpoint): boolean {
    for (const one of this.#announced.values())
      if (sameEndpoint(one.endpoint, endpoint)) return true
    return false
  }

  handleSearch(now: Instant, from: Endpoint, link: SsdpLink, search: SearchMessage): void {
    const { counters, rng, searchPort, timers } = this.#shared
    const { mxSeconds, searchTarget } = search
    if (from.port === searchPort && link.addresses.some((own) => equalBytes(own, from.address))) {
      counters.add('ignored.ssdp-own-search')
    } else if (!this.#announced.has(searchTarget)) {
      counters.add('ignored.ssdp-search')
    } else if (this.#waiting >= LIMITS.ssdpAnswersWaiting) {
      counters.add('drop.ssdp-answers-waiting')
    } else if (!this.#perSource.enter(now, `${link.index} ${endpointKey(from)}`)) {
      counters.add('drop.ssdp-source-rate')
    } else if (!this.#total.take(now)) {
      counters.add('drop.ssdp-answer-rate')
    } else {
      this.#waiting++
      const answer = new Answer(() => {
        this.#answer(from, link, searchTarget)
      })
      const window = Math.min(seconds(mxSeconds), LIMITS.ssdpAnswerWindowUs)
      timers.set(answer, now + Math.floor(unit(rng) * window))
    }
  }

  #answer(to: Endpoint, link: SsdpLink, searchTarget: string): void {
    const { counters, transmits } = this.#shared
    this.#waiting--
    const announcement = this.#announced.get(searchTarget)
    if (announcement === undefined) return // withdrawn in the meantime
    counters.add('sent.ssdp-response')
    const data = encodeResponse(searchTarget, announcement.endpoint)
    transmits.push({ via: 'group', to, zone: link.index, data })
  }

  /** Repeated before it expires, at a moment of this node's own. */
  #alive(now: Instant, searchTarget: string, announcement: Announcement): void {
    const { counters, rng, timers } = this.#shared
    counters.add('sent.ssdp-alive')
    this.#toGroup(encodeAlive(searchTarget, announcement.endpoint))
    timers.set(announcement, now + Math.floor(seconds(MAX_AGE_SECONDS) * (0.25 + unit(rng) / 4)))
  }

  #toGroup(data: Uint8Array): void {
    const { links, transmits } = this.#shared
    for (const { index } of links) {
      transmits.push({ via: 'group', to: SSDP_GROUP, zone: index, data })
    }
  }
}
