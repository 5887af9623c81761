import { Counters } from '../../core/counters.js'
import { Deadlines } from '../../core/deadlines.js'
import type { Endpoint } from '../../core/endpoint.js'
import type { Instant } from '../../core/instant.js'
import { Queue } from '../../core/queue.js'
import type { Rng } from '../../core/rng.js'
import { Announcer } from './announcer.js'
import { linkOf, type SsdpLink } from './links.js'
import { decodeSsdp } from './messages.js'
import { Searcher } from './searcher.js'

/** A datagram to send. */
export interface SsdpTransmit {
  /** 'search': from a port of our own, so that answers find us; 'group': from port 1900. */
  readonly via: 'search' | 'group'
  readonly to: Endpoint
  /** Interface index: zone of `to`, and the interface to leave by. */
  readonly zone: number
  readonly data: Uint8Array
}

/** A node that answered a search or announced itself. */
export interface SsdpFinding {
  readonly searchTarget: string
  readonly endpoint: Endpoint
}

/** What the searching and the announcing side share. */
export interface SsdpShared {
  readonly rng: Rng
  readonly counters: Counters
  /** Keys are the owners of the timers. */
  readonly timers: Deadlines<SsdpTimed>
  readonly transmits: Queue<SsdpTransmit>
  readonly findings: Queue<SsdpFinding>
  links: readonly SsdpLink[]
  /** Port that our own searches come from; 0 before it is known. */
  searchPort: number
  /** Is this what we announce ourselves? */
  isOwn(endpoint: Endpoint): boolean
}

export interface SsdpTimed {
  onTimer(now: Instant): void
}

/**
 * SSDP for one cloud, as a machine without I/O: searches, and answers searches while something is
 * announced (MS-PNRP 3.1.4.2.2, 3.1.5.1, 3.2.4.1). After each handler the driver polls
 * `pollTransmit` and `pollFinding` until empty, then sleeps until `pollTimeout()`. Input is dropped
 * and counted by reason, never thrown.
 */
export class SsdpAgent {
  readonly #shared: SsdpShared
  readonly #searcher: Searcher
  readonly #announcer: Announcer

  constructor(config: { readonly rng: Rng; readonly links: readonly SsdpLink[] }) {
    this.#shared = {
      rng: config.rng,
      links: config.links,
      searchPort: 0,
      isOwn: (endpoint) => this.#announcer.isAnnounced(endpoint),
      counters: new Counters(),
      timers: new Deadlines(),
      transmits: new Queue(),
      findings: new Queue(),
    }
    this.#searcher = new Searcher(this.#shared)
    this.#announcer = new Announcer(this.#shared)
  }

  get counters(): Counters {
    return this.#shared.counters
  }

  /** The interfaces or their addresses have changed. */
  setLinks(links: readonly SsdpLink[]): void {
    this.#shared.links = links
  }

  /** Where searches are sent from: they come back to us by the group, and are not answered. */
  setSearchPort(port: number): void {
    this.#shared.searchPort = port
  }

  /** Starts a search; the one before ends. */
  search(now: Instant, searchTarget: string): void {
    this.#searcher.search(now, searchTarget)
  }

  /** Answers searches for this target from now on, and says so once. */
  announce(now: Instant, searchTarget: string, endpoint: Endpoint): void {
    this.#announcer.announce(now, searchTarget, endpoint)
  }

  withdraw(searchTarget: string): void {
    this.#announcer.withdraw(searchTarget)
  }

  /** `zone`: interface index of the source address, 0 if the system does not tell. */
  handleDatagram(now: Instant, from: Endpoint, zone: number, data: Uint8Array): void {
    const { counters, links } = this.#shared
    const link = linkOf(links, from, zone)
    if (link === undefined) {
      counters.add('drop.ssdp-not-on-link')
      return
    }
    const decoded = decodeSsdp(data)
    if (!decoded.ok) {
      counters.add(`drop.ssdp-malformed-${decoded.reason}`)
      return
    }
    const { message } = decoded
    if (message.type === 'search') this.#announcer.handleSearch(now, from, link, message)
    else if (message.type === 'response') this.#searcher.handleResponse(now, message)
    else if (message.type === 'alive') this.#searcher.handleAlive(now, message)
    else counters.add('received.ssdp-byebye')
  }

  handleTimeout(now: Instant): void {
    const { timers } = this.#shared
    for (let due = timers.takeDue(now); due !== undefined; due = timers.takeDue(now)) {
      due.onTimer(now)
    }
  }

  pollTransmit(): SsdpTransmit | undefined {
    return this.#shared.transmits.shift()
  }

  pollFinding(): SsdpFinding | undefined {
    return this.#shared.findings.shift()
  }

  pollTimeout(): Instant {
    return this.#shared.timers.next()
  }
}
