import { checkArgument, PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type { ClientEvent, FoundSegment, SoughtSegment } from '../discovery/wsd/client.js'
import { formatHost, type WsdLink } from '../discovery/wsd/links.js'
import type { DiscoveryVersion } from '../discovery/wsd/messages.js'
import type { AvailableSegments } from '../discovery/wsd/responder.js'
import { SystemClock } from '../io/system-clock.js'
import { SystemRng } from '../io/system-rng.js'
import { wsdLinks } from '../io/wsd-links.js'
import { WsdSocket } from '../io/wsd-socket.js'
import { InstanceFile } from '../storage/instance-store.js'
import { EventStream } from './event-stream.js'

export type { FoundSegment, SoughtSegment } from '../discovery/wsd/client.js'
export type { AvailableSegment, AvailableSegments } from '../discovery/wsd/responder.js'

export interface PeerDiscoveryOptions {
  /** File that keeps the InstanceId between runs; without it the clock does alone (DA-39). */
  readonly instanceFile?: string
  /** How long a search takes: 200 to 500 ms. Default 300. */
  readonly requestMs?: number
  /** Longest delay of an answer: 1 to 500 ms. Default 65. */
  readonly backoffMaxMs?: number
  /** Keep silent where enough other peers answer. Default false. */
  readonly suppression?: boolean
  /** DA-37: believe peers that name addresses beyond the local subnet. Default false. */
  readonly anyAddress?: boolean
  /** Use the loopback interface too, for peers on one host without a network. Default false. */
  readonly loopback?: boolean
  /** The interfaces to use; asked again and again. Default: all that have addresses. */
  readonly links?: () => readonly WsdLink[]
}

export interface FindOptions {
  /** Version of the content information that the segments are from. Default 1. */
  readonly version?: DiscoveryVersion
  /** Ends the search; what has been found so far stays valid. */
  readonly signal?: AbortSignal
}

/** A peer on the link that says it has some of what was looked for; only blocks prove it. */
export interface FoundPeer {
  /** IPv4, or IPv6 without brackets, link-local with its zone: fit for `net.connect`. */
  readonly address: string
  readonly port: number
  /** `urn:uuid:…`: the same on all addresses of a peer while it runs; '' if it tells none. */
  readonly service: string
  readonly segments: readonly FoundSegment[]
}

export interface AnnounceOptions {
  /** What there is now; asked at each probe, so it may change at any time. */
  readonly segments: AvailableSegments
  /** Port of the retrieval server. */
  readonly port: number
}

/** Peers on the local links, by MS-PCCRD. Opens no socket before the first use. */
export class PeerDiscovery {
  readonly #socket: WsdSocket
  #closed = false

  constructor(options: PeerDiscoveryOptions = {}) {
    const { anyAddress, backoffMaxMs, instanceFile, loopback, requestMs, suppression } = options
    const us = (ms: number | undefined, fallback: number): number =>
      ms === undefined ? fallback : Math.round(ms * 1000)
    this.#socket = new WsdSocket({
      clock: new SystemClock(),
      rng: new SystemRng(),
      links: options.links ?? (() => wsdLinks(loopback)),
      instances: instanceFile === undefined ? noInstances : new InstanceFile(instanceFile),
      requestUs: us(requestMs, LIMITS.wsdRequestUs),
      backoffMaxUs: us(backoffMaxMs, LIMITS.wsdBackoffMaxUs),
      suppression: suppression ?? false,
      anyAddress: anyAddress ?? false,
    })
  }

  /** What was sent, received, dropped and refused, by reason. */
  get counters(): Record<string, number> {
    return this.#socket.counters.snapshot()
  }

  /**
   * Looks for peers that have segments; yields them as they answer and ends after `requestMs` (for
   * very many segments after several times that), when the signal fires or the reader stops. A peer
   * that has segments of several probes is yielded for each. Finding nobody is no error. Rejects
   * with ERR_PEERNET_INVALID_ARG for more than 1024 segments or IDs of several lengths,
   * ERR_PEERNET_LIMIT for too many searches at once, and ERR_PEERNET_CLOSED.
   */
  async *find(
    segments: readonly SoughtSegment[],
    options: FindOptions = {},
  ): AsyncGenerator<FoundPeer, void> {
    const { signal, version = 1 } = options
    checkArgument(version === 1 || version === 2, 'version is 1 or 2')
    if (this.#closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the discovery is closed')
    if (signal?.aborted === true) return
    const found = new EventStream<FoundPeer>(LIMITS.wsdSearchSegments)
    const end = (): void => {
      found.end()
    }
    this.#open.add(end)
    signal?.addEventListener('abort', end, { once: true })
    let stop: (() => void) | undefined
    try {
      stop = await this.#socket.find(version, segments, (event) => {
        if (event.type === 'end') end()
        else found.push(peerOf(event))
      })
      yield* found
    } finally {
      stop?.()
      signal?.removeEventListener('abort', end)
      this.#open.delete(end)
    }
  }

  /** The ends of the searches under way. */
  readonly #open = new Set<() => void>()

  /**
   * Answers those who look for these segments from now on, in place of what was announced before.
   * Resolves when this host hears them.
   */
  async announce({ port, segments }: AnnounceOptions): Promise<void> {
    if (this.#closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the discovery is closed')
    checkArgument(Number.isInteger(port) && port > 0 && port < 65_536, 'a port is 1..65535')
    await this.#socket.announce(segments, port)
  }

  /** What others find this peer by: `service` of FoundPeer; '' while nothing is announced. */
  get service(): string {
    return this.#socket.service
  }

  /** Answers no more. */
  withdraw(): void {
    this.#socket.withdraw()
  }

  /** Ends searches and answers, and closes the sockets. */
  async close(): Promise<void> {
    this.#closed = true
    for (const end of this.#open) end()
    await this.#socket.close()
  }
}

const noInstances = {
  load: (): Promise<undefined> => Promise.resolve(undefined),
  save: (): Promise<void> => Promise.resolve(),
}

function peerOf(event: Extract<ClientEvent, { type: 'peer' }>): FoundPeer {
  const { address, port, segments, service, zone } = event
  const host = formatHost(address)
  return { address: zone === '' ? host : `${host}%${zone}`, port, service, segments }
}
