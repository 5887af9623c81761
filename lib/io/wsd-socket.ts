import type { Clock } from '../core/clock.js'
import type { Counters } from '../core/counters.js'
import type { Endpoint } from '../core/endpoint.js'
import { NEVER } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { WsdAgent, type WsdAgentOptions, type WsdTransmit } from '../discovery/wsd/agent.js'
import type { ClientEvent, SoughtSegment } from '../discovery/wsd/client.js'
import { isMapped, WSD_PORT, type WsdLink } from '../discovery/wsd/links.js'
import type { DiscoveryVersion } from '../discovery/wsd/messages.js'
import type { AvailableSegments } from '../discovery/wsd/responder.js'
import { GroupSocket } from './group-socket.js'

/** Where the InstanceId is kept from one run to the next (DA-39). */
export interface InstanceStore {
  /** Undefined when there was no run before, or what it left cannot be read. */
  load(): Promise<number | undefined>
  save(instanceId: number): Promise<void>
}

export interface WsdSocketOptions extends WsdAgentOptions {
  readonly clock: Clock
  /** The interfaces as they are now; asked at each search, and now and then while announcing. */
  readonly links: () => readonly WsdLink[]
  readonly instances: InstanceStore
}

/** A socket of each family, as far as the system has them. */
interface Pair {
  readonly 4: GroupSocket | undefined
  readonly 6: GroupSocket | undefined
}

/**
 * MS-PCCRD on real sockets, opened when first needed: a pair of its own that probes leave from and
 * answers come to, and while something is announced a pair on port 3702, shared with other
 * programs, that hears the groups on every interface. Only a search keeps the process alive.
 */
export class WsdSocket {
  readonly #options: WsdSocketOptions
  readonly #agent: WsdAgent
  readonly #searches = new Map<number, (event: ClientEvent) => void>()
  #links: readonly WsdLink[] = []
  #probes: Promise<Pair> | undefined
  #probePair: Pair | undefined
  #opening: Promise<Pair> | undefined
  #groups: Pair | undefined
  #saving: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #watch: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: WsdSocketOptions) {
    this.#options = options
    this.#agent = new WsdAgent(options)
  }

  /** What was sent, received, dropped and refused, by reason. */
  get counters(): Counters {
    return this.#agent.counters
  }

  /** Resolves to what ends the search early. Errors: see DiscoveryClient.find. */
  async find(
    version: DiscoveryVersion,
    segments: readonly SoughtSegment[],
    onEvent: (event: ClientEvent) => void,
  ): Promise<() => void> {
    this.#probes ??= this.#openPair(0)
    this.#probePair = await this.#probes
    if (this.#closed) return () => {}
    const ports = [this.#probePair[4]?.port ?? 0, this.#probePair[6]?.port ?? 0]
    this.#agent.setProbePorts(ports)
    this.#refreshLinks()
    const search = this.#agent.find(this.#now(), version, segments)
    this.#searches.set(search, onEvent)
    this.#pump()
    return () => {
      if (!this.#searches.delete(search) || this.#closed) return
      this.#agent.cancel(this.#now(), search)
      this.#pump()
    }
  }

  /** Answers probes for these segments from now on; resolves when the groups are joined. */
  async announce(segments: AvailableSegments, port: number): Promise<void> {
    const { clock, instances } = this.#options
    const storedInstance = await instances.load()
    this.#opening ??= this.#openPair(WSD_PORT)
    this.#groups = await this.#opening
    if (this.#closed) return
    this.#watch ??= setInterval(() => {
      this.#refreshLinks()
    }, LIMITS.addressPollMs).unref()
    this.#refreshLinks()
    this.#agent.announce({ segments, port, storedInstance, wallMs: clock.wallMs() })
    this.#pump()
    await this.#saving
  }

  /** See WsdAgent. */
  get service(): string {
    return this.#agent.service
  }

  /** Answers no more; port 3702 stays open for the next announcement. */
  withdraw(): void {
    this.#agent.withdraw()
    this.#pump()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    this.#searches.clear()
    closePair(await this.#probes)
    closePair(await this.#opening)
    await this.#saving
  }

  async #openPair(port: number): Promise<Pair> {
    const { counters } = this
    const receive = (from: Endpoint, zone: string, bytes: Uint8Array): void => {
      if (this.#closed) return
      this.#agent.handleDatagram(this.#now(), from, zone, bytes)
      this.#pump()
    }
    const [four, six] = await Promise.all([
      GroupSocket.open({ family: 4, port, counters, receive }),
      GroupSocket.open({ family: 6, port, counters, receive }),
    ])
    return { 4: four, 6: six }
  }

  #refreshLinks(): void {
    this.#links = this.#options.links().slice(0, LIMITS.wsdLinks)
    this.#agent.setLinks(this.#links)
    this.#groups?.[4]?.join(this.#links)
    this.#groups?.[6]?.join(this.#links)
  }

  #now(): number {
    return this.#options.clock.now()
  }

  #pump(): void {
    const agent = this.#agent
    for (let out = agent.pollTransmit(); out !== undefined; out = agent.pollTransmit()) {
      this.#send(out)
    }
    for (let one = agent.pollEffect(); one !== undefined; one = agent.pollEffect()) {
      this.#save(one.instanceId)
    }
    for (let event = agent.pollEvent(); event !== undefined; event = agent.pollEvent()) {
      const onEvent = this.#searches.get(event.search)
      if (event.type === 'end') this.#searches.delete(event.search)
      onEvent?.(event)
    }
    this.#sleep()
  }

  #send({ data, to, via, zone }: WsdTransmit): void {
    const pair = via === 'probe' ? this.#probePair : this.#groups
    const link = this.#links.find(({ name }) => name === zone)
    pair?.[isMapped(to.address) ? 4 : 6]?.send(to, link, data)
  }

  /** Without it the next run relies on the clock alone. */
  #save(instanceId: number): void {
    this.#saving = this.#saving
      .then(() => this.#options.instances.save(instanceId))
      .catch(() => {
        this.counters.add('refused.wsd-instance-store')
      })
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
    if (!this.#agent.isSearching) this.#timer.unref()
  }
}

function closePair(pair: Pair | undefined): void {
  pair?.[4]?.close()
  pair?.[6]?.close()
}
