import { endpointKey } from '../../core/endpoint.js'
import type { Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import type { SsdpFinding, SsdpShared, SsdpTimed } from './agent.js'
import { encodeSearch, SSDP_GROUP } from './messages.js'
import { TokenBucket } from '../../core/token-bucket.js'

interface Search {
  readonly searchTarget: string
  readonly until: Instant
  /** Endpoints that have answered. */
  readonly found: Set<string>
}

/**
 * The searching side. A search goes out twice on each link, since datagrams get lost; the first
 * five different endpoints that answer in time are reported (MS-PNRP 3.1.5.1). Between searches,
 * nodes that announce themselves for the target last searched are reported as well, slowly.
 */
export class Searcher implements SsdpTimed {
  readonly #shared: SsdpShared
  readonly #alive = new TokenBucket({
    perSecond: LIMITS.ssdpAlivePerSecond,
    burst: LIMITS.ssdpTargets,
  })
  #current: Search | undefined

  constructor(shared: SsdpShared) {
    this.#shared = shared
  }

  search(now: Instant, searchTarget: string): void {
    const until = now + LIMITS.ssdpSearchUs
    this.#current = { searchTarget, until, found: new Set() }
    this.#send()
    this.#shared.timers.set(this, now + LIMITS.ssdpRepeatUs)
  }

  /** The repetition. */
  onTimer(): void {
    this.#send()
  }

  handleResponse(now: Instant, finding: SsdpFinding): void {
    const { counters } = this.#shared
    const current = this.#current
    if (this.#shared.isOwn(finding.endpoint)) {
      counters.add('ignored.ssdp-own')
    } else if (current?.searchTarget !== finding.searchTarget) {
      counters.add('drop.ssdp-search-target')
    } else if (now > current.until) {
      counters.add('drop.ssdp-late')
    } else if (current.found.size >= LIMITS.ssdpTargets) {
      counters.add('drop.ssdp-enough')
    } else {
      this.#report(current, finding)
    }
  }

  handleAlive(now: Instant, finding: SsdpFinding): void {
    const { counters } = this.#shared
    const current = this.#current
    if (this.#shared.isOwn(finding.endpoint)) counters.add('ignored.ssdp-own')
    // Others' devices announce themselves all the time: that is no fault.
    else if (current?.searchTarget !== finding.searchTarget) counters.add('ignored.ssdp-alive')
    else if (!this.#alive.take(now)) counters.add('drop.ssdp-alive-rate')
    else this.#report(undefined, finding)
  }

  #report(search: Search | undefined, finding: SsdpFinding): void {
    const { counters, findings } = this.#shared
    const key = endpointKey(finding.endpoint)
    if (search?.found.has(key) === true) {
      counters.add('drop.ssdp-repeated')
      return
    }
    search?.found.add(key)
    findings.push({ searchTarget: finding.searchTarget, endpoint: finding.endpoint })
  }

  #send(): void {
    const { counters, links, transmits } = this.#shared
    if (this.#current === undefined) return
    const data = encodeSearch(this.#current.searchTarget)
    for (const { index } of links) {
      counters.add('sent.ssdp-search')
      transmits.push({ via: 'search', to: SSDP_GROUP, zone: index, data })
    }
  }
}
