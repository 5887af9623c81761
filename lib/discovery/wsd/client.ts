import { equalBytes } from '../../core/bytes.js'
import type { Counters } from '../../core/counters.js'
import { Deadlines } from '../../core/deadlines.js'
import { endpointKey, type Endpoint } from '../../core/endpoint.js'
import { checkArgument, PeernetError } from '../../core/errors.js'
import type { Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { Queue } from '../../core/queue.js'
import { unit, type Rng } from '../../core/rng.js'
import { hostAddress, isLinkLocal, isUnicast, linkOf, neighbourOf, type WsdLink } from './links.js'
import { newUuid } from './message-id.js'
import type { DiscoveryVersion, PeerAddress, ProbeMatch, ProbeMatches } from './messages.js'
import { encodeDiscovery } from './write.js'

/** What is looked for. */
export interface SoughtSegment {
  /** HoHoDk, 32, 48 or 64 bytes. */
  readonly id: Uint8Array
  /** How many blocks it has, to tell whether a peer of version 1 has all of it. */
  readonly blocks?: number
}

/** What a peer says it has of one of them. */
export interface FoundSegment {
  readonly id: Uint8Array
  /** Version 1: how many blocks. */
  readonly blocks: number | undefined
  /** Undefined where the answer does not tell. */
  readonly isComplete: boolean | undefined
  /** Version 2: since when it has been there, if the answer tells. */
  readonly ageMs: number | undefined
}

/** A peer, and what it says it has: to be believed only as far as blocks verify. */
export interface PeerFinding {
  readonly type: 'peer'
  readonly search: number
  readonly address: Uint8Array
  readonly port: number
  /** The interface of a link-local address; '' for others. */
  readonly zone: string
  /** `urn:uuid:…` of the service, the same on all its addresses; may be empty or forged. */
  readonly service: string
  readonly segments: readonly FoundSegment[]
}

/** No more peers will come for this search. */
export interface SearchEnd {
  readonly type: 'end'
  readonly search: number
}

export type ClientEvent = PeerFinding | SearchEnd

export interface DiscoveryClientOptions {
  readonly rng: Rng
  readonly counters: Counters
  /** How long answers count: 200 to 500 ms, and never less than the longest backoff (3.1.2). */
  readonly requestUs?: number
  readonly backoffMaxUs?: number
  /** DA-37: believe addresses beyond the local subnet. Default false. */
  readonly anyAddress?: boolean
}

interface Search {
  readonly number: number
  readonly version: DiscoveryVersion
  readonly waiting: SoughtSegment[][]
  outstanding: number
}

/** D 3.1.1: an outstanding probe; its timer is the request timer, in two parts. */
class Outstanding {
  repeated = false
  /** Who has answered it. */
  readonly peers = new Set<string>()

  constructor(
    readonly search: Search,
    readonly messageId: string,
    readonly segments: readonly SoughtSegment[],
    readonly data: Uint8Array,
    readonly endsAt: Instant,
  ) {}
}

/**
 * Looks for peers that have segments (MS-PCCRD 3.1), as a machine without I/O. Segments are packed
 * into as few probes as fit in a frame; a probe that nobody answers at first is repeated once.
 * After each handler the driver polls `pollTransmit` (each goes to both groups on every interface)
 * and `pollEvent` until empty, then sleeps until `pollTimeout()`. What comes from the network is
 * dropped and counted by reason, never thrown.
 */
export class DiscoveryClient {
  readonly #options: DiscoveryClientOptions
  readonly #requestUs: number
  readonly #searches = new Map<number, Search>()
  readonly #outstanding = new Map<string, Outstanding>()
  readonly #timers = new Deadlines<Outstanding>()
  readonly #transmits = new Queue<Uint8Array>()
  readonly #events = new Queue<ClientEvent>()
  #links: readonly WsdLink[] = []
  #nextSearch = 1

  constructor(options: DiscoveryClientOptions) {
    const { backoffMaxUs = LIMITS.wsdBackoffMaxUs, requestUs = LIMITS.wsdRequestUs } = options
    checkArgument(
      requestUs >= LIMITS.wsdRequestMinUs && requestUs <= LIMITS.wsdRequestMaxUs,
      'the time for answers is 200 to 500 ms',
    )
    checkArgument(
      requestUs >= backoffMaxUs,
      'the time for answers is not shorter than the longest backoff of an answer',
    )
    this.#options = options
    this.#requestUs = requestUs
  }

  /** The interfaces or their addresses have changed. */
  setLinks(links: readonly WsdLink[]): void {
    this.#links = links
  }

  /**
   * Starts a search and returns its number. Throws ERR_PEERNET_INVALID_ARG for IDs that make no
   * probe and ERR_PEERNET_LIMIT when too many searches run.
   */
  find(now: Instant, version: DiscoveryVersion, segments: readonly SoughtSegment[]): number {
    checkArgument(
      segments.length > 0 && segments.length <= LIMITS.wsdSearchSegments,
      `1 to ${LIMITS.wsdSearchSegments} segments are wanted`,
    )
    const { length } = segments[0]?.id ?? []
    checkArgument(
      segments.every(({ id }) => id.length === length) && [32, 48, 64].includes(length ?? 0),
      'the IDs of a search have 32, 48 or 64 bytes, all the same',
    )
    if (this.#searches.size >= LIMITS.wsdSearches) {
      throw new PeernetError('ERR_PEERNET_LIMIT', 'too many searches for peers at once')
    }
    const waiting = batches(version, segments)
    const search: Search = { number: this.#nextSearch++, version, waiting, outstanding: 0 }
    this.#searches.set(search.number, search)
    this.#sendWaiting(now)
    return search.number
  }

  /** Ends a search without an event; answers that come for it are late. */
  cancel(now: Instant, number: number): void {
    if (!this.#searches.delete(number)) return
    for (const probe of [...this.#outstanding.values()]) {
      if (probe.search.number === number) this.#forget(probe)
    }
    this.#sendWaiting(now)
  }

  /** D 3.1.5. `zone`: name of the interface of a link-local source, else ''. */
  handleMatches(from: Endpoint, zone: string, message: ProbeMatches): void {
    const { counters } = this.#options
    const link = linkOf(this.#links, from.address, zone)
    if (link === undefined && this.#options.anyAddress !== true) {
      counters.add('drop.wsd-off-link')
      return
    }
    for (const match of message.matches) {
      const probe = this.#probeOf(message.relatesTo, match)
      if (probe === undefined) counters.add('ignored.wsd-late')
      else if (probe.search.version !== match.version) counters.add('drop.wsd-other-version')
      else this.#match(probe, match, from, link)
    }
  }

  handleTimeout(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (now < due.endsAt) this.#repeat(due)
      else this.#expire(due)
    }
    this.#sendWaiting(now)
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#transmits.shift()
  }

  pollEvent(): ClientEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Instant {
    return this.#timers.next()
  }

  /** As many probes as may be outstanding; each search has its turn. */
  #sendWaiting(now: Instant): void {
    let isMore = true
    while (isMore && this.#outstanding.size < LIMITS.wsdProbesOutstanding) {
      isMore = false
      for (const search of this.#searches.values()) {
        if (this.#outstanding.size >= LIMITS.wsdProbesOutstanding) return
        const segments = search.waiting.shift()
        if (segments === undefined) continue
        this.#send(now, search, segments)
        isMore = true
      }
    }
  }

  #send(now: Instant, search: Search, segments: readonly SoughtSegment[]): void {
    const { counters, rng } = this.#options
    const messageId = newUuid(rng)
    const segmentIds = segments.map(({ id }) => id)
    const { version } = search
    const data = encodeDiscovery({ type: 'probe', version, messageId, segmentIds })
    const endsAt = now + this.#requestUs
    const probe = new Outstanding(search, messageId, segments, data, endsAt)
    search.outstanding++
    this.#outstanding.set(messageId, probe)
    // SOAP-over-UDP: multicast gets lost. The repetition leaves time for an answer's backoff.
    this.#timers.set(probe, now + Math.round(this.#requestUs * (0.3 + unit(rng) / 5)))
    this.#transmits.push(data)
    counters.add('sent.wsd-probe')
  }

  #repeat(probe: Outstanding): void {
    if (probe.peers.size === 0) {
      this.#transmits.push(probe.data)
      this.#options.counters.add('sent.wsd-probe-again')
    }
    this.#timers.set(probe, probe.endsAt)
  }

  #expire(probe: Outstanding): void {
    this.#forget(probe)
    const { search } = probe
    if (search.outstanding > 0 || search.waiting.length > 0) return
    this.#searches.delete(search.number)
    this.#events.push({ type: 'end', search: search.number })
  }

  #forget(probe: Outstanding): void {
    this.#timers.cancel(probe)
    this.#outstanding.delete(probe.messageId)
    probe.search.outstanding--
  }

  /** Version 1 may do without naming the probe: its scopes do (3.1.5). */
  #probeOf(relatesTo: string, match: ProbeMatch): Outstanding | undefined {
    if (relatesTo !== '' || match.version === 2) return this.#outstanding.get(relatesTo)
    return [...this.#outstanding.values()].find(({ segments }) =>
      segments.some((one) => match.segments.some(({ id }) => equalBytes(id, one.id))),
    )
  }

  #match(probe: Outstanding, match: ProbeMatch, from: Endpoint, link: WsdLink | undefined): void {
    const { counters } = this.#options
    const segments = foundIn(probe.segments, match)
    if (segments.length === 0) {
      counters.add('ignored.wsd-unknown-segments')
      return
    }
    const endpoint = this.#reachable(match.addresses, from, link)
    if (endpoint === undefined) {
      counters.add('drop.wsd-address')
      return
    }
    const zone = isLinkLocal(endpoint.address) ? (link?.name ?? '') : ''
    const key = `${endpointKey(endpoint)}${zone}`
    if (probe.peers.has(key) || probe.peers.size >= LIMITS.wsdPeersPerProbe) {
      counters.add('ignored.wsd-peer-again')
      return
    }
    probe.peers.add(key)
    counters.add('received.wsd-match')
    const { number: search } = probe.search
    const { endpoint: service } = match
    this.#events.push({ type: 'peer', search, ...endpoint, zone, service, segments })
  }

  /** DA-37: the first address that is the sender's own or on its link. */
  #reachable(
    addresses: readonly PeerAddress[],
    from: Endpoint,
    link: WsdLink | undefined,
  ): Endpoint | undefined {
    for (const { host, port } of addresses) {
      const address = hostAddress(host)
      if (address === undefined) continue
      const isNear =
        equalBytes(address, from.address) ||
        (isUnicast(address) &&
          (link === undefined ? !isLinkLocal(address) : neighbourOf(link, address) !== undefined))
      const isAllowed = this.#options.anyAddress === true && isUnicast(address)
      if (isNear || (isAllowed && !isLinkLocal(address))) return { address, port }
    }
    return undefined
  }
}

/** Bytes of a probe around its IDs; and of each ID as it is written (2.2.3.3). */
const FRAME_BYTES = 820
const idBytes = { 1: (length: number) => 2 * length + 1, 2: (length: number) => length * (4 / 3) }

function batches(version: DiscoveryVersion, segments: readonly SoughtSegment[]): SoughtSegment[][] {
  const each = idBytes[version](segments[0]?.id.length ?? 0)
  const size = Math.max(1, Math.floor((LIMITS.wsdProbeBytes - FRAME_BYTES) / each))
  const count = Math.ceil(segments.length / size)
  return Array.from({ length: count }, (_, i) => segments.slice(i * size, (i + 1) * size))
}

/** What an answer has of what was asked for; at most that. */
function foundIn(sought: readonly SoughtSegment[], match: ProbeMatch): FoundSegment[] {
  if (match.version === 2) {
    return sought.flatMap(({ id }, i) => {
      const state = match.states[i] ?? 'none' // DA-14
      const ageMs = match.ages.find(({ index }) => index === i)?.ageMs
      const isComplete = state === 'complete'
      return state === 'none' ? [] : [{ id, blocks: undefined, isComplete, ageMs }]
    })
  }
  return sought.flatMap(({ id, blocks: all }) => {
    const blocks = match.segments.find((one) => equalBytes(one.id, id))?.blockCount ?? 0
    const isComplete = all === undefined ? undefined : blocks >= all
    return blocks === 0 ? [] : [{ id, blocks, isComplete, ageMs: undefined }]
  })
}
