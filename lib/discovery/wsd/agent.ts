import { Buffer } from 'node:buffer'
import { Counters } from '../../core/counters.js'
import type { Endpoint } from '../../core/endpoint.js'
import { earlier, NEVER, type Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { Queue } from '../../core/queue.js'
import type { Rng } from '../../core/rng.js'
import { perSecond, TokenBucket } from '../../core/token-bucket.js'
import { DiscoveryClient, type ClientEvent, type SoughtSegment } from './client.js'
import { isMapped, isOwnAddress, linkOf, WSD_GROUP_4, WSD_GROUP_6, type WsdLink } from './links.js'
import { NAMESPACE, type DiscoveryVersion } from './messages.js'
import { decodeDiscovery } from './read.js'
import { DiscoveryResponder, type AvailableSegments, type InstanceEffect } from './responder.js'
import { Suppression } from './suppression.js'

/** A datagram to send. */
export interface WsdTransmit {
  /** 'probe': from a port of our own, so that answers find us; 'group': from port 3702. */
  readonly via: 'probe' | 'group'
  readonly to: Endpoint
  /** Name of the interface to leave by. */
  readonly zone: string
  readonly data: Uint8Array
}

export interface WsdAgentOptions {
  readonly rng: Rng
  readonly requestUs?: number
  readonly backoffMaxUs?: number
  /** Keep silent where enough others answer (3.2.4 <8>). Default false. */
  readonly suppression?: boolean
  /** DA-37: believe addresses beyond the local subnet. Default false. */
  readonly anyAddress?: boolean
}

/** What this peer offers. */
export interface Announcement {
  readonly segments: AvailableSegments
  /** Port of the retrieval server. */
  readonly port: number
  readonly wallMs: number
  /** InstanceId of the run before. */
  readonly storedInstance: number | undefined
}

/** Every message of ours has it somewhere. Looked for before any XML is read. */
const MARK = Buffer.from(NAMESPACE.PeerDist)

/**
 * MS-PCCRD for one host, as a machine without I/O: the client, and the responder while something is
 * announced. It takes what comes to port 3702 and to its own port, most of which is for others.
 * After each handler the driver polls `pollTransmit`, `pollEffect` and `pollEvent` until empty,
 * then sleeps until `pollTimeout()`. Input is dropped and counted by reason, never thrown.
 */
export class WsdAgent {
  readonly counters = new Counters()
  readonly #options: WsdAgentOptions
  readonly #client: DiscoveryClient
  readonly #suppression: Suppression | undefined
  readonly #documents = new TokenBucket(perSecond(LIMITS.wsdDocumentsPerSecond))
  readonly #transmits = new Queue<WsdTransmit>()
  #responder: DiscoveryResponder | undefined
  #links: readonly WsdLink[] = []
  #probePorts: readonly number[] = []

  constructor(options: WsdAgentOptions) {
    const { counters } = this
    this.#options = options
    this.#client = new DiscoveryClient({ ...options, counters })
    this.#suppression = options.suppression === true ? new Suppression(options.rng) : undefined
  }

  /** The interfaces or their addresses have changed. */
  setLinks(links: readonly WsdLink[]): void {
    this.#links = links.slice(0, LIMITS.wsdLinks)
    this.#client.setLinks(this.#links)
    this.#responder?.setLinks(this.#links)
  }

  /** The ports that our own probes come from: they are not answered. */
  setProbePorts(ports: readonly number[]): void {
    this.#probePorts = ports
  }

  /** See DiscoveryClient. */
  find(now: Instant, version: DiscoveryVersion, segments: readonly SoughtSegment[]): number {
    return this.#client.find(now, version, segments)
  }

  cancel(now: Instant, search: number): void {
    this.#client.cancel(now, search)
  }

  /** Starts a service that answers probes; it takes the place of the one before. */
  announce({ port, segments, storedInstance, wallMs }: Announcement): void {
    const { counters } = this
    const { backoffMaxUs, rng } = this.#options
    this.#responder = new DiscoveryResponder({
      rng,
      counters,
      segments,
      port,
      ...(backoffMaxUs === undefined ? {} : { backoffMaxUs }),
      ...(this.#suppression === undefined ? {} : { suppression: this.#suppression }),
    })
    this.#responder.setLinks(this.#links)
    this.#responder.start(wallMs, storedInstance)
  }

  /** What answers of this host name as their service, '' while nothing is announced. */
  get service(): string {
    return this.#responder?.endpoint ?? ''
  }

  /** Answers no more; WS-Discovery without Bye needs no message for that (D 1.3). */
  withdraw(): void {
    this.#responder = undefined
  }

  /** `zone`: name of the interface of a link-local source, else ''. */
  handleDatagram(now: Instant, from: Endpoint, zone: string, bytes: Uint8Array): void {
    const { counters } = this
    const isNear = linkOf(this.#links, from.address, zone) !== undefined
    if (this.#probePorts.includes(from.port) && isOwnAddress(this.#links, from.address)) {
      counters.add('ignored.wsd-own')
    } else if (!isNear && this.#options.anyAddress !== true) {
      counters.add('drop.wsd-off-link')
    } else if (bytes.length > LIMITS.wsdMessageBytes) {
      counters.add('drop.wsd-too-long')
    } else if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MARK)) {
      counters.add('ignored.wsd-other')
    } else if (!this.#documents.take(now)) {
      counters.add('drop.wsd-document-rate')
    } else {
      this.#read(now, from, zone, bytes)
    }
  }

  handleTimeout(now: Instant): void {
    this.#client.handleTimeout(now)
    this.#responder?.handleTimeout(now)
  }

  pollTransmit(): WsdTransmit | undefined {
    const answer = this.#responder?.pollTransmit()
    if (answer !== undefined) return { via: 'group', ...answer }
    if (this.#transmits.length === 0) this.#multiply()
    return this.#transmits.shift()
  }

  pollEffect(): InstanceEffect | undefined {
    return this.#responder?.pollEffect()
  }

  pollEvent(): ClientEvent | undefined {
    const event = this.#client.pollEvent()
    if (event?.type === 'peer' && this.#suppression !== undefined) {
      for (const { id, isComplete } of event.segments) {
        this.#suppression.note(id, isComplete === true)
      }
    }
    return event
  }

  pollTimeout(): Instant {
    return earlier(this.#client.pollTimeout(), this.#responder?.pollTimeout() ?? NEVER)
  }

  /** Is a search under way? */
  get isSearching(): boolean {
    return this.#client.pollTimeout() !== NEVER
  }

  #read(now: Instant, from: Endpoint, zone: string, bytes: Uint8Array): void {
    const { counters } = this
    const message = decodeDiscovery(bytes)
    if (typeof message === 'string') {
      counters.add(message === 'other' ? 'ignored.wsd-other' : `drop.wsd-${message}`)
    } else if (message.type === 'probe-matches') {
      counters.add('received.wsd-matches')
      this.#client.handleMatches(from, zone, message)
    } else {
      counters.add('received.wsd-probe')
      this.#responder?.handleProbe(now, from, zone, message, bytes.length)
    }
  }

  /** D 2.1: a probe goes to both groups on every interface. */
  #multiply(): void {
    const data = this.#client.pollTransmit()
    if (data === undefined) return
    for (const { addresses, name: zone } of this.#links) {
      const hasIPv4 = addresses.some(({ address }) => isMapped(address))
      const hasIPv6 = addresses.some(({ address }) => !isMapped(address))
      if (hasIPv6) this.#transmits.push({ via: 'probe', to: WSD_GROUP_6, zone, data })
      if (hasIPv4) this.#transmits.push({ via: 'probe', to: WSD_GROUP_4, zone, data })
    }
  }
}
