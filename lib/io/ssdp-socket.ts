import type { Clock } from '../core/clock.js'
import type { Counters } from '../core/counters.js'
import type { Endpoint } from '../core/endpoint.js'
import { PeernetError } from '../core/errors.js'
import { NEVER } from '../core/instant.js'
import type { Rng } from '../core/rng.js'
import { SsdpAgent, type SsdpFinding, type SsdpTransmit } from '../discovery/ssdp/agent.js'
import type { SsdpLink } from '../discovery/ssdp/links.js'
import { SSDP_GROUP } from '../discovery/ssdp/messages.js'
import type { DatagramBatch, DatagramPort, DatagramTransport } from './datagram-port.js'

export interface SsdpSocketOptions {
  readonly transport: DatagramTransport
  readonly clock: Clock
  readonly rng: Rng
  /** The interfaces of the cloud as they are now; asked at each search and announcement. */
  readonly links: () => readonly SsdpLink[]
  readonly onFinding: (finding: SsdpFinding) => void
  /** Searching is not possible; `reason` is for people. Called at each search that fails. */
  readonly onUnavailable: (reason: string) => void
}

const ANY_ADDRESS = new Uint8Array(16)
/** A search that has not left by then will not. */
const SEND_CHECK_MS = 30
/** ff02::c never leaves the link. */
const HOPS = 1

/**
 * SSDP for one cloud on real sockets, opened when first needed: one on port 1900 that hears the
 * group, shared with other programs, and one of its own port that searches leave from and answers
 * come to. Neither keeps the process alive. Without port 1900 or the group searching still works.
 */
export class SsdpSocket {
  readonly #options: SsdpSocketOptions
  readonly #agent: SsdpAgent
  readonly #announced = new Map<string, Endpoint>()
  /** Those whose group has been joined. */
  #links: readonly SsdpLink[] = []
  #group: DatagramPort | undefined
  #search: DatagramPort | undefined
  #opening: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: SsdpSocketOptions) {
    this.#options = options
    this.#agent = new SsdpAgent({ rng: options.rng, links: [] })
  }

  /** What was sent, received and dropped, by reason. */
  get counters(): Counters {
    return this.#agent.counters
  }

  /** Searches on all links (MS-PNRP 3.1.4.2.2); answers come by `onFinding`. */
  search(searchTarget: string): void {
    this.#whenOpen(() => {
      this.#sendSearch(searchTarget)
    })
  }

  /** Answers searches for this target from now on (3.2.4.1). */
  announce(searchTarget: string, endpoint: Endpoint): void {
    this.#announced.set(searchTarget, endpoint)
    this.#whenOpen(() => {
      if (this.#announced.get(searchTarget) !== endpoint) return // withdrawn or changed meanwhile
      this.#agent.announce(this.#now(), searchTarget, endpoint)
    })
  }

  /** Stops answering (3.2.4.2). */
  withdraw(searchTarget: string): void {
    if (!this.#announced.delete(searchTarget) || this.#search === undefined) return
    this.#agent.withdraw(searchTarget)
    this.#pump()
  }

  /** Says goodbye for what is announced and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return
    for (const searchTarget of [...this.#announced.keys()]) this.withdraw(searchTarget)
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#opening
    this.#options.transport.flush()
    this.#group?.close()
    this.#search?.close()
  }

  // ---- opening ----

  #whenOpen(work: () => void): void {
    if (this.#closed) return
    this.#opening ??= this.#open()
    void this.#opening.then(() => {
      if (this.#closed) return
      this.#refreshLinks()
      work()
      this.#pump()
    })
  }

  /** Never rejects: what could not be opened stays undefined. */
  async #open(): Promise<void> {
    const { transport } = this.#options
    const receive = (batch: DatagramBatch): void => {
      this.#receive(batch)
    }
    const open = async (port: number): Promise<DatagramPort | undefined> => {
      try {
        const wish = { address: ANY_ADDRESS, port, anyAddress: true, reuseAddress: port !== 0 }
        const socket = await transport.open(wish, receive)
        socket.unref()
        socket.setMulticast({ hops: HOPS, loop: true })
        return socket
      } catch (error) {
        if (!(error instanceof PeernetError)) throw error
        this.#problem = error.message
        this.counters.add(port === 0 ? 'refused.ssdp-search-port' : 'refused.ssdp-group-port')
        return undefined
      }
    }
    this.#search = await open(0)
    this.#group = await open(SSDP_GROUP.port)
    this.#agent.setSearchPort(this.#search?.port ?? 0)
  }

  /** What went wrong last, in words. */
  #problem = ''

  /** Joins the group where interfaces have come, leaves it where they have gone. */
  #refreshLinks(): void {
    const before = this.#links
    const links = this.#options.links()
    this.#links = links
    this.#agent.setLinks(links)
    const isNew = ({ index }: SsdpLink): boolean => !before.some((one) => one.index === index)
    const isGone = ({ index }: SsdpLink): boolean => !links.some((one) => one.index === index)
    for (const { index } of links.filter(isNew)) {
      this.#attempt('join', () => this.#group?.joinGroup(SSDP_GROUP.address, index))
    }
    for (const { index } of before.filter(isGone)) {
      // An interface that no longer exists has taken the membership along.
      this.#attempt('leave', () => this.#group?.leaveGroup(SSDP_GROUP.address, index))
    }
  }

  #attempt(what: 'join' | 'leave', work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof PeernetError)) throw error
      if (what === 'join') this.#problem = error.message
      this.counters.add(`refused.ssdp-${what}`)
    }
  }

  // ---- running ----

  #now(): number {
    return this.#options.clock.now()
  }

  #sendSearch(searchTarget: string): void {
    const { onUnavailable } = this.#options
    const socket = this.#search
    if (socket === undefined) {
      onUnavailable(this.#problem)
      return
    }
    if (this.#links.length === 0) {
      onUnavailable('no interface of the cloud has a link-local address')
      return
    }
    const before = socket.stats()
    this.#agent.search(this.#now(), searchTarget)
    const check = setTimeout(() => {
      const { lastError, sendErrors, sent } = socket.stats()
      if (this.#closed || sent > before.sent || sendErrors === before.sendErrors) return
      onUnavailable(`the system refused to send to ff02::c: ${lastError}`)
    }, SEND_CHECK_MS)
    check.unref()
  }

  #receive(batch: DatagramBatch): void {
    if (this.#closed) return
    for (let i = 0; i < batch.count; i++) {
      const zone = batch.scopeId(i) || batch.interfaceIndex(i)
      this.#agent.handleDatagram(batch.receivedAt(i), batch.from(i), zone, batch.payload(i))
    }
    this.#pump()
  }

  #pump(): void {
    const agent = this.#agent
    for (let out = agent.pollTransmit(); out !== undefined; out = agent.pollTransmit()) {
      this.#send(out)
    }
    for (let found = agent.pollFinding(); found !== undefined; found = agent.pollFinding()) {
      this.#options.onFinding(found)
    }
    this.#sleep()
  }

  #send({ via, to, zone, data }: SsdpTransmit): void {
    const socket = via === 'search' ? this.#search : (this.#group ?? this.#search)
    const isGlobal = to.address[0] !== 0xff && to.address[0] !== 0xfe
    socket?.send(to, data, isGlobal ? 0 : zone)
  }

  #sleep(): void {
    clearTimeout(this.#timer)
    const at = this.#agent.pollTimeout()
    if (this.#closed || at === NEVER) return
    const ms = Math.max(0, Math.ceil((at - this.#now()) / 1000))
    this.#timer = setTimeout(() => {
      this.#agent.handleTimeout(this.#now())
      this.#pump()
    }, ms)
    this.#timer.unref()
  }
}
