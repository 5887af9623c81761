import { checkArgument } from '../core/errors.js'
import { endpointKey, type Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import type { EventLog } from './event-log.js'
import { DEFAULT_LINK, linkOptions, type LinkOptions } from './link-options.js'
import { draw, drawUnit } from './mix.js'
import { Cuts, type CutDirection } from './network-cuts.js'
import { Firewalls } from './network-firewalls.js'

/** IPv6 and UDP headers, counted against a link's capacity. */
const HEADER_BYTES = 48
/** No link is slower than this many times the mean beyond its minimum. */
const SLOWEST_LINK_FACTOR = 6
const HOSTS_MAX = 0x400_0000

/** Why a packet did not arrive. */
export const DROP_REASONS = [
  'loss',
  'cut',
  'queue-full',
  'no-host',
  'firewall',
  'too-long',
  'filtered',
] as const

export type DropReason = (typeof DROP_REASONS)[number]

/** A datagram on its way. */
export interface Packet {
  /** Counted from 1 in the order of sending. */
  readonly number: number
  /** Index of the sending host. */
  readonly source: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly data: Uint8Array
  readonly sentAt: Instant
  /** How often an endpoint had been taken from its host when it was sent. */
  readonly epoch: number
}

/** Where the network puts packets that will arrive. */
export type Deliver = (at: Instant, host: number, packet: Packet) => void

/** Sees every packet at sending; false drops it. May look, must not keep `data` changed. */
export type PacketFilter = (packet: Packet) => boolean

interface LinkState {
  options: LinkOptions
  /** When the link has sent all that waits in its queue. */
  freeAt: Instant
}

export interface NetworkCounts {
  sent: number
  delivered: number
  bytes: number
  duplicated: number
  readonly dropped: Record<DropReason, number>
}

/** What a random draw decides; each is independent of the others. */
const LUCK = {
  loss: 1,
  jitter: 2,
  duplicate: 3,
  duplicateDelay: 4,
  reorder: 5,
  reorderDelay: 6,
} as const

/**
 * A network of datagrams between hosts: latency, loss, duplication, reordering, capacity, cuts and
 * firewalls. All links share the default options; a host or a pair of hosts can have its own, and
 * only those cost memory. What befalls a packet depends on the seed, its sender and how many
 * packets that sender has sent before, on nothing else.
 */
export class PacketNetwork {
  readonly counts: NetworkCounts = {
    sent: 0,
    delivered: 0,
    bytes: 0,
    duplicated: 0,
    dropped: Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<
      DropReason,
      number
    >,
  }
  readonly cuts = new Cuts()
  readonly firewalls = new Firewalls()
  /** Looks at every packet sent; returns false to drop it. */
  filter: PacketFilter | undefined
  readonly #seed: number
  readonly #log: EventLog
  readonly #deliver: Deliver
  #defaults: LinkOptions
  readonly #hostOf = new Map<string, number>()
  #sentBy = new Uint32Array(64)
  #freeAt = new Float64Array(64)
  #hosts = 0
  /** Counts `unbind`: as long as it stays the same, endpoints are where they were. */
  #epoch = 0
  readonly #hostLinks = new Map<number, LinkOptions>()
  readonly #pairLinks = new Map<number, LinkState>()

  constructor(seed: number, defaults: Partial<LinkOptions>, log: EventLog, deliver: Deliver) {
    this.#seed = seed
    this.#defaults = linkOptions(DEFAULT_LINK, defaults)
    this.#log = log
    this.#deliver = deliver
  }

  /** Adds a host without endpoints; returns its index, counted from 0. */
  addHost(): number {
    checkArgument(this.#hosts < HOSTS_MAX, 'too many hosts')
    if (this.#hosts === this.#sentBy.length) {
      const sentBy = new Uint32Array(this.#hosts * 2)
      sentBy.set(this.#sentBy)
      this.#sentBy = sentBy
      const freeAt = new Float64Array(this.#hosts * 2)
      freeAt.set(this.#freeAt)
      this.#freeAt = freeAt
    }
    return this.#hosts++
  }

  /** Gives an endpoint to a host. Throws ERR_PEERNET_INVALID_ARG when another host has it. */
  bind(host: number, endpoint: Endpoint): void {
    const key = endpointKey(endpoint)
    const owner = this.#hostOf.get(key)
    checkArgument(owner === undefined || owner === host, 'the endpoint is taken by another host')
    this.#hostOf.set(key, host)
  }

  unbind(endpoint: Endpoint): void {
    if (this.#hostOf.delete(endpointKey(endpoint))) this.#epoch++
  }

  hostAt(endpoint: Endpoint): number | undefined {
    return this.#hostOf.get(endpointKey(endpoint))
  }

  /** Changes the options of all links that have none of their own. */
  setDefaults(changes: Partial<LinkOptions>): void {
    this.#defaults = linkOptions(this.#defaults, changes)
  }

  get defaults(): LinkOptions {
    return this.#defaults
  }

  /** Options for all that one host sends, unless the pair has its own. */
  setHostLink(host: number, changes: Partial<LinkOptions>): void {
    this.#hostLinks.set(host, linkOptions(this.#hostLinks.get(host) ?? this.#defaults, changes))
  }

  /** Options for what `from` sends to `to` (one direction). */
  setPairLink(from: number, to: number, changes: Partial<LinkOptions>): void {
    const pair = from * HOSTS_MAX + to
    const link = this.#pairLinks.get(pair)
    const options = linkOptions(
      link?.options ?? this.#hostLinks.get(from) ?? this.#defaults,
      changes,
    )
    if (link === undefined) this.#pairLinks.set(pair, { options, freeAt: 0 })
    else link.options = options
  }

  /** What holds for what `from` sends to `to`. */
  linkOf(from: number, to: number): LinkOptions {
    const pair = this.#pairLinks.get(from * HOSTS_MAX + to)
    return pair?.options ?? this.#hostLinks.get(from) ?? this.#defaults
  }

  /** See `Cuts.add`. */
  cut(a: Iterable<number>, b: Iterable<number>, direction: CutDirection): void {
    this.cuts.add(a, b, direction, this.#hosts)
  }

  /** Sends a datagram: decides what becomes of it and, unless it is lost, when it arrives. */
  send(now: Instant, source: number, from: Endpoint, to: Endpoint, data: Uint8Array): void {
    const number = ++this.counts.sent
    const packet: Packet = { number, source, from, to, data, sentAt: now, epoch: this.#epoch }
    this.counts.bytes += data.length
    this.#log.record(now, 'send', source, number, data.length)
    this.#log.recordBytes(to.address)
    this.#log.recordBytes(data)
    const index = this.#sentBy[source] as number
    this.#sentBy[source] = index + 1
    if (data.length > 65_527) return this.#drop(now, packet, 'too-long')
    if (this.filter?.(packet) === false) return this.#drop(now, packet, 'filtered')
    const target = this.hostAt(to)
    if (target === undefined) return this.#drop(now, packet, 'no-host')
    this.firewalls.sent(now, source, to)
    if (this.cuts.separates(source, target)) return this.#drop(now, packet, 'cut')
    this.#travel(now, packet, target, index)
  }

  /**
   * Called when a packet's time has come: whether it may still enter the host (which may have died,
   * or have a firewall). Counts and logs either way.
   */
  arrive(now: Instant, host: number, packet: Packet): boolean {
    if (packet.epoch !== this.#epoch && this.hostAt(packet.to) !== host) {
      this.#drop(now, packet, 'no-host')
      return false
    }
    if (!this.firewalls.admits(now, host, packet.from)) {
      this.#drop(now, packet, 'firewall')
      return false
    }
    this.counts.delivered++
    this.#log.record(now, 'deliver', host, packet.number, packet.source)
    return true
  }

  /** Constant latency of the link between two hosts, the same both ways, in microseconds. */
  latencyUs(a: number, b: number, options: LinkOptions): number {
    const low = Math.min(a, b)
    const high = Math.max(a, b)
    const u = (draw(this.#seed, low, high, 0) + 1) / 0x1_0000_0001
    const spread = Math.min(-Math.log(u), SLOWEST_LINK_FACTOR)
    return (options.delayMinMs + (options.delayMeanMs - options.delayMinMs) * spread) * 1000
  }

  #travel(now: Instant, packet: Packet, target: number, index: number): void {
    const { source, data } = packet
    const pair =
      this.#pairLinks.size === 0 ? undefined : this.#pairLinks.get(source * HOSTS_MAX + target)
    const options = pair?.options ?? this.#hostLinks.get(source) ?? this.#defaults
    const luck = (purpose: number): number => drawUnit(this.#seed, source, index, purpose)
    let departure = now
    if (options.bytesPerSecond !== Number.POSITIVE_INFINITY) {
      const freeAt = pair === undefined ? (this.#freeAt[source] as number) : pair.freeAt
      const usPerByte = 1_000_000 / options.bytesPerSecond
      const start = Math.max(now, freeAt)
      if (start - now > options.queueBytes * usPerByte) return this.#drop(now, packet, 'queue-full')
      departure = start + (data.length + HEADER_BYTES) * usPerByte
      if (pair === undefined) this.#freeAt[source] = departure
      else pair.freeAt = departure
    }
    if (options.loss > 0 && luck(LUCK.loss) < options.loss) return this.#drop(now, packet, 'loss')
    const base = departure + this.latencyUs(source, target, options)
    let arrival = base + options.jitterMs * 1000 * luck(LUCK.jitter)
    if (options.reordering > 0 && luck(LUCK.reorder) < options.reordering) {
      arrival += options.reorderingDelayMs * 1000 * luck(LUCK.reorderDelay)
    }
    this.#deliver(Math.ceil(arrival), target, packet)
    if (options.duplication > 0 && luck(LUCK.duplicate) < options.duplication) {
      this.counts.duplicated++
      const delay = (options.jitterMs + options.reorderingDelayMs) * luck(LUCK.duplicateDelay)
      this.#deliver(Math.ceil(base + delay * 1000), target, packet)
    }
  }

  #drop(now: Instant, packet: Packet, reason: DropReason): void {
    this.counts.dropped[reason]++
    this.#log.record(now, 'drop', packet.source, packet.number, DROP_REASONS.indexOf(reason))
  }
}
