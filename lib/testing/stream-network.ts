import { bytesKey } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { checkArgument } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'
import { milliseconds, seconds, type Instant } from '../core/instant.js'
import type { Happening, SimKernel } from './kernel.js'
import { draw, drawUnit } from './mix.js'
import { SimStream, type StreamFailure, type StreamHandlers } from './sim-stream.js'
import { streamOptions, type StreamOptions } from './stream-options.js'
import type { Pipe, PipeNetwork } from './stream-pipe.js'

/** TCP/IPv6 headers, and the payload of one packet that they are counted for. */
const HEADER_BYTES = 60
const SEGMENT_BYTES = 1440
const FIRST_EPHEMERAL_PORT = 49_152
const EPHEMERAL_PORTS = 16_384

/** What a random draw decides; apart from those of the packet network. */
const LUCK = { fragment: 11, fragmentAt: 12, jitter: 13, loss: 14 } as const

/** Called for a connection that came in; what it returns hears of it from then on. */
export type StreamListener = (now: Instant, stream: SimStream) => StreamHandlers

export interface StreamCounts {
  /** Connections that came up, and attempts that failed. */
  connected: number
  refused: number
  timedOut: number
  resets: number
  /** Bytes of payload put on the way, in so many pieces. */
  bytes: number
  pieces: number
}

interface Host {
  readonly addresses: Uint8Array[]
  readonly listeners: Map<number, StreamListener>
  readonly streams: Set<SimStream>
  /** 'refusing': the process is dead, its machine is not. 'gone': nothing answers. */
  state: 'up' | 'refusing' | 'gone'
  nextPort: number
  /** When its uplink has sent all that it was given. */
  freeAt: Instant
  /** It reads nothing before this. */
  stalledUntil: Instant
}

/**
 * Byte streams between the hosts of a simulation, as TCP gives them: in order, with bounded
 * buffers, cut into arbitrary pieces, alive as long as nobody notices that they are not. Latency,
 * capacity, loss and cuts are those of the kernel's packet network. What befalls a piece depends
 * on the seed, its connection and its place in it, on nothing else.
 */
export class StreamNetwork implements PipeNetwork {
  readonly options: StreamOptions
  readonly counts: StreamCounts = {
    connected: 0,
    refused: 0,
    timedOut: 0,
    resets: 0,
    bytes: 0,
    pieces: 0,
  }
  readonly #kernel: SimKernel
  readonly #hosts = new Map<number, Host>()
  /** Who has an address, alive or not; the last to bind it. */
  readonly #owners = new Map<string, number>()
  #streams = 0

  constructor(kernel: SimKernel, options: Partial<StreamOptions> = {}) {
    this.#kernel = kernel
    this.options = streamOptions(options)
  }

  get now(): Instant {
    return this.#kernel.now
  }

  get bufferBytes(): number {
    return this.options.bufferBytes
  }

  get dataTimeoutUs(): number {
    return milliseconds(this.options.dataTimeoutMs)
  }

  /** Puts a host of the kernel on this network. Its addresses may be those of a dead host. */
  addHost(index: number, addresses: readonly Uint8Array[]): void {
    this.#hosts.set(index, {
      addresses: [],
      listeners: new Map(),
      streams: new Set(),
      state: 'up',
      nextPort: 0,
      freeAt: 0,
      stalledUntil: 0,
    })
    for (const address of addresses) this.bind(index, address)
  }

  /** Gives a host an address. Throws ERR_PEERNET_INVALID_ARG when a live host has it. */
  bind(index: number, address: Uint8Array): void {
    const owner = this.#owners.get(bytesKey(address))
    checkArgument(
      owner === undefined || owner === index || this.#host(owner).state !== 'up',
      'the address is taken by another host',
    )
    this.#owners.set(bytesKey(address), index)
    this.#host(index).addresses.push(address)
  }

  /** Takes an address away; connections that use it hang. */
  unbind(index: number, address: Uint8Array): void {
    const key = bytesKey(address)
    if (this.#owners.get(key) === index) this.#owners.delete(key)
    const host = this.#host(index)
    const at = host.addresses.findIndex((one) => bytesKey(one) === key)
    if (at >= 0) host.addresses.splice(at, 1)
  }

  /** Throws ERR_PEERNET_INVALID_ARG when the host listens there already. */
  listen(index: number, port: number, listener: StreamListener): void {
    const { listeners } = this.#host(index)
    checkArgument(!listeners.has(port), 'the port is in use')
    listeners.set(port, listener)
  }

  stopListening(index: number, port: number): void {
    this.#host(index).listeners.delete(port)
  }

  /** Starts a connection; the handlers are called while the simulation runs. */
  connect(index: number, to: Endpoint, handlers: StreamHandlers): SimStream {
    const host = this.#host(index)
    const port = FIRST_EPHEMERAL_PORT + (host.nextPort++ % EPHEMERAL_PORTS)
    const kind = addressKind(to.address)
    const address = host.addresses.find((one) => addressKind(one) === kind) ?? host.addresses[0]
    checkArgument(address !== undefined, 'the host has no address')
    const stream = this.#makeStream(host, index, { address, port }, to)
    stream.handlers = handlers
    this.#kernel.log.record(this.now, 'stream', index, stream.number, to.port)
    this.#kernel.post(this.now + milliseconds(this.options.connectTimeoutMs), index, {
      happen: () => {
        if (stream.state === 'connecting') this.fail(stream, 'timed-out')
      },
    })
    this.#tryConnect(stream, seconds(1))
    return stream
  }

  /**
   * The process of a host dies. 'reset': its machine tells all peers and refuses newcomers;
   * 'silent': the machine is gone, nobody is told anything.
   */
  crash(index: number, how: 'reset' | 'silent'): void {
    const host = this.#host(index)
    host.state = how === 'reset' ? 'refusing' : 'gone'
    host.listeners.clear()
    const streams = [...host.streams]
    for (const stream of streams) {
      stream.die()
      if (how === 'reset' && stream.peer !== undefined) this.sendReset(stream.peer, stream)
    }
    this.#kernel.log.record(this.now, 'stream', index, 0, how === 'reset' ? 1 : 2)
  }

  /** A host's application reads nothing for a while: its peers' buffers fill up. */
  stall(index: number, ms: number): void {
    this.#host(index).stalledUntil = this.now + milliseconds(ms)
  }

  /** Breaks all connections between two hosts, as a middlebox does; both are told. */
  reset(a: number, b: number): void {
    for (const stream of [...this.#host(a).streams]) {
      const { peer } = stream
      if (peer?.host !== b) continue
      this.sendReset(peer, stream)
      this.sendReset(stream, peer)
    }
  }

  /** The open connections of a host, in the order of their beginning. */
  streamsOf(index: number): readonly SimStream[] {
    return [...this.#host(index).streams].filter((stream) => stream.state === 'open')
  }

  // --- PipeNetwork

  cut(pipe: Pipe, bytes: number): number {
    const size = Math.min(bytes, this.options.chunkBytes)
    const { fragmentation } = this.options
    pipe.cuts++
    if (fragmentation === 0 || size === 1 || this.#luck(pipe, LUCK.fragment) >= fragmentation) {
      return size
    }
    return 1 + Math.floor(this.#luck(pipe, LUCK.fragmentAt) * (size - 1))
  }

  arrival(pipe: Pipe, bytes: number): Instant {
    const { from, to } = pipe
    if (to === undefined) return this.now
    const link = this.#kernel.network.linkOf(from.host, to.host)
    const packets = Math.max(1, Math.ceil(bytes / SEGMENT_BYTES))
    let departure = this.now
    if (link.bytesPerSecond !== Number.POSITIVE_INFINITY) {
      const host = this.#host(from.host)
      const wireBytes = bytes + packets * HEADER_BYTES
      departure = Math.max(departure, host.freeAt) + (wireBytes * 1_000_000) / link.bytesPerSecond
      host.freeAt = departure
    }
    let arrival = departure + this.#kernel.network.latencyUs(from.host, to.host, link)
    arrival += milliseconds(link.jitterMs) * this.#luck(pipe, LUCK.jitter)
    const lossy = link.loss > 0 && this.#luck(pipe, LUCK.loss) < 1 - (1 - link.loss) ** packets
    if (lossy) arrival += milliseconds(this.options.lossDelayMs)
    return Math.ceil(arrival)
  }

  latencyUs({ from, to }: Pipe): number {
    return to === undefined ? 0 : this.#latencyUs(from.host, to.host)
  }

  reach({ from, to }: Pipe): 'open' | 'dead' | 'cut' | Instant {
    if (to === undefined) return 'cut'
    const target = this.#reachHost(from.host, to.host, to.local.address)
    if (target === undefined) return 'cut'
    if (target !== to.host || this.#host(target).state !== 'up') return 'dead'
    const { stalledUntil } = this.#host(target)
    return stalledUntil > this.now ? stalledUntil : 'open'
  }

  post(at: Instant, host: number, happening: Happening): void {
    this.#kernel.post(at, host, happening)
  }

  sendReset(to: SimStream, from: SimStream): void {
    if (to.state === 'closed') return
    const { host } = to
    this.#kernel.post(this.now + this.#latencyUs(from.host, host), host, {
      happen: () => {
        const reached = this.#reachHost(from.host, host, to.local.address) === host
        if (reached && this.#isHostUp(host)) this.fail(to, 'reset')
      },
    })
  }

  logSent(pipe: Pipe, pieces: readonly Uint8Array[], bytes: number): void {
    this.counts.bytes += bytes
    this.counts.pieces++
    this.#kernel.log.record(this.now, 'send', pipe.from.host, pipe.number, bytes)
    for (const piece of pieces) this.#kernel.log.recordBytes(piece)
  }

  logArrived(pipe: Pipe, bytes: number): void {
    this.#kernel.log.record(this.now, 'deliver', pipe.to?.host ?? -1, pipe.number, bytes)
  }

  isUp(stream: SimStream): boolean {
    return this.#isHostUp(stream.host)
  }

  fail(stream: SimStream, why: StreamFailure): void {
    if (stream.state === 'closed') return
    if (why === 'refused') this.counts.refused++
    else if (why === 'reset') this.counts.resets++
    else this.counts.timedOut++
    this.#kernel.log.record(this.now, 'stream', stream.host, stream.number, -1)
    stream.hearFailure(this.now, why)
    this.#kernel.poll(stream.host)
  }

  // --- connecting

  /** The SYN arrives after the latency; one that is lost is sent again after a growing pause. */
  #tryConnect(stream: SimStream, pauseUs: number): void {
    const { address } = stream.remote
    const owner = this.#owners.get(bytesKey(address))
    const way = owner === undefined ? 0 : this.#latencyUs(stream.host, owner)
    this.#kernel.post(this.now + way, stream.host, {
      happen: (now) => {
        if (stream.state !== 'connecting' || !this.#isHostUp(stream.host)) return
        const target = this.#reachHost(stream.host, owner, address)
        if (target === undefined) this.#retryConnect(stream, pauseUs)
        else if (!this.#accept(now, stream, target)) {
          this.#kernel.post(now + way, stream.host, {
            happen: () => {
              this.fail(stream, 'refused')
            },
          })
        }
      },
    })
  }

  #retryConnect(stream: SimStream, pauseUs: number): void {
    this.#kernel.post(this.now + pauseUs, stream.host, {
      happen: () => {
        if (stream.state === 'connecting') this.#tryConnect(stream, pauseUs * 2)
      },
    })
  }

  #accept(now: Instant, client: SimStream, target: number): boolean {
    const host = this.#host(target)
    const listener = host.listeners.get(client.remote.port)
    if (listener === undefined) return false
    const server = this.#makeStream(host, target, client.remote, client.local)
    server.state = 'open'
    server.peer = client
    client.peer = server
    client.out.to = server
    server.out.to = client
    this.counts.connected++
    server.out.accept()
    server.handlers = listener(now, server)
    this.#kernel.poll(target)
    return true
  }

  #makeStream(host: Host, index: number, local: Endpoint, remote: Endpoint): SimStream {
    const where = { number: ++this.#streams, host: index, local, remote }
    const stream = new SimStream(this, where, () => {
      host.streams.delete(stream)
    })
    host.streams.add(stream)
    return stream
  }

  /** Who answers for an address now; undefined when nobody can be heard. */
  #reachHost(from: number, expected: number | undefined, address: Uint8Array): number | undefined {
    const owner = this.#owners.get(bytesKey(address))
    if (owner === undefined || this.#host(owner).state === 'gone') return undefined
    const { cuts } = this.#kernel.network
    const to = expected ?? owner
    if (cuts.separates(from, to) || cuts.separates(to, from)) return undefined
    return owner
  }

  #isHostUp(index: number): boolean {
    return this.#hosts.get(index)?.state === 'up'
  }

  #latencyUs(from: number, to: number): number {
    const { network } = this.#kernel
    return Math.ceil(network.latencyUs(from, to, network.linkOf(from, to)))
  }

  #luck(pipe: Pipe, purpose: number): number {
    const stream = draw(this.#kernel.seed, pipe.number, purpose, LUCK.fragment)
    return drawUnit(this.#kernel.seed, stream, pipe.cuts, purpose)
  }

  #host(index: number): Host {
    const host = this.#hosts.get(index)
    checkArgument(host !== undefined, 'no such host on the stream network')
    return host
  }
}
