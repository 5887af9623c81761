import { checkArgument } from '../core/errors.js'
import { milliseconds, NEVER, type Instant } from '../core/instant.js'
import type { CryptoPort } from '../pnrp/crypto-port.js'
import type { CloudEvent, CloudTransmit } from '../pnrp/interface.js'
import { bytesKey } from '../core/bytes.js'
import { MessageType } from '../wire/constants.js'
import type { PnrpId } from '../wire/messages.js'
import type { EventLog } from './event-log.js'
import { SimKernel, type SimHost } from './kernel.js'
import type { LinkOptions } from './link-options.js'
import { derivedRng } from './mix.js'
import { Multicast, type MulticastAnswer } from './multicast.js'
import type { CutDirection } from './network-cuts.js'
import type { DropReason, PacketNetwork } from './packet-network.js'
import { DEFAULT_CRYPTO_TIMES, type CryptoTimes } from './sim-crypto.js'
import { KeyPool, type SimCryptoKind, type SimIdentity } from './sim-identity.js'
import { SimNode } from './sim-node.js'
import type { SimNodeOptions } from './sim-options.js'
import type { SimWorld } from './sim-world.js'

/** 2026-01-01T00:00:00Z. */
const DEFAULT_EPOCH_MS = 1_767_225_600_000

const TYPE_NAMES = new Map<number, string>(
  Object.entries(MessageType).map(([name, type]) => [type, name]),
)

export interface SimulationOptions {
  /** Any integer. Same seed and same calls: same packets, same times, same hash. */
  readonly seed: number
  /** Default options of all links; see `LinkOptions` for what is assumed. */
  readonly network?: Partial<LinkOptions>
  /**
   * 'rsa': real RSA-1024 signatures (about 0.2 ms of real time each). 'keyed-hash': a stand-in with
   * the same lengths for large clouds, whose forgeries fail as well. Default 'rsa'.
   */
  readonly crypto?: SimCryptoKind
  /** How long signatures take in virtual time. */
  readonly cryptoTimes?: Partial<CryptoTimes>
  /** Key pairs shared by the nodes. Default 8; generated once a process, about 30 ms each. */
  readonly keys?: number
  /** True wall time at virtual time 0, milliseconds since 1970. Default 2026-01-01. */
  readonly epochMs?: number
  /** How many of the latest log entries `log.tail()` can give. Default 0. */
  readonly keepLog?: number
}

/** Counts since the simulation began. */
export interface SimulationStats {
  readonly packets: {
    readonly sent: number
    readonly delivered: number
    readonly duplicated: number
  }
  /** UDP payload bytes sent. */
  readonly bytes: number
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Packets sent by message type, and by what they were sent for. */
  readonly byType: Readonly<Record<string, number>>
  readonly byReason: Readonly<Record<string, number>>
  /** Signatures made and checked. */
  readonly signed: number
  readonly verified: number
}

/**
 * A deterministic simulation of PNRP nodes on a packet network. The nodes run the shipping
 * machines, codec and cache; time is virtual, luck comes from the seed, and nothing is awaited:
 *
 * ```ts
 * const sim = new Simulation({ seed: 1, network: { loss: 0.05 } })
 * const seed = sim.addNode()
 * const [ada, bob] = sim.addNodes(2, { seeds: [seed] })
 * sim.runFor(5_000)
 * ada.register('0.chat')
 * sim.runFor(2_000)
 * const result = bob.resolve('0.chat')
 * sim.runUntil(() => result.done)
 * console.log(result.outcome, result.elapsedMs, sim.hash)
 * ```
 */
export class Simulation implements SimWorld {
  readonly kernel: SimKernel
  readonly multicast: Multicast
  readonly cryptoTimes: CryptoTimes
  readonly epochMs: number
  /** Sees every event of every machine, as it happens. */
  notice: ((node: SimNode, event: CloudEvent) => void) | undefined
  /** Sees everything that machines send, with what it is sent for. */
  transmitted: ((transmit: CloudTransmit) => void) | undefined
  readonly #pool: KeyPool
  readonly #nodes: SimNode[] = []
  readonly #byType = new Map<number, number>()
  readonly #byReason = new Map<CloudTransmit['reason'], number>()
  readonly #ended = new Map<string, Instant>()
  readonly #cryptoAtStart: { signed: number; verified: number }

  constructor(options: SimulationOptions) {
    const { seed, network = {}, keepLog = 0, keys = 8 } = options
    checkArgument(Number.isSafeInteger(seed), 'the seed is an integer')
    this.kernel = new SimKernel(seed, network, keepLog)
    this.multicast = new Multicast(seed)
    this.cryptoTimes = { ...DEFAULT_CRYPTO_TIMES, ...options.cryptoTimes }
    this.epochMs = options.epochMs ?? DEFAULT_EPOCH_MS
    this.#pool = new KeyPool(options.crypto ?? 'rsa', keys)
    this.#cryptoAtStart = { ...this.#pool.port.counts }
  }

  /** Virtual milliseconds since the simulation began. */
  get nowMs(): number {
    return this.kernel.now / 1000
  }

  /** The nodes ever added, by index; dead ones too. */
  get nodes(): readonly SimNode[] {
    return this.#nodes
  }

  get liveNodes(): readonly SimNode[] {
    return this.#nodes.filter((node) => node.alive)
  }

  get network(): PacketNetwork {
    return this.kernel.network
  }

  get log(): EventLog {
    return this.kernel.log
  }

  /** 16 hex digits over everything that has happened so far. */
  get hash(): string {
    return this.kernel.log.hash
  }

  get port(): CryptoPort {
    return this.#pool.port
  }

  get stats(): SimulationStats {
    const { counts } = this.network
    const { signed, verified } = this.#pool.port.counts
    const byType: Record<string, number> = {}
    for (const [type, n] of this.#byType) byType[TYPE_NAMES.get(type) ?? `type ${type}`] = n
    return {
      packets: { sent: counts.sent, delivered: counts.delivered, duplicated: counts.duplicated },
      bytes: counts.bytes,
      dropped: { ...counts.dropped },
      byType,
      byReason: Object.fromEntries(this.#byReason),
      signed: signed - this.#cryptoAtStart.signed,
      verified: verified - this.#cryptoAtStart.verified,
    }
  }

  /** An identity of the pool, counted round; its key pair is the same in every simulation. */
  identity(index: number): SimIdentity {
    return this.#pool.identity(index)
  }

  identityFor(authority: Uint8Array | undefined, index: number): SimIdentity {
    return authority === undefined ? this.#pool.identity(index) : this.#pool.byAuthority(authority)
  }

  /** Randomness of its own for a test's decisions; does not disturb the simulation's. */
  rng(label: string): ReturnType<typeof derivedRng> {
    return derivedRng(this.kernel.seed, `user ${label}`)
  }

  /** Adds a host and opens its cloud at once. */
  addNode(options: SimNodeOptions = {}): SimNode {
    const node = new SimNode(this, options)
    this.#nodes.push(node)
    return node
  }

  /**
   * Adds several nodes. With `overMs` they come one after the other, evenly spread over that time,
   * which this call lets pass.
   */
  addNodes(count: number, options: SimNodeOptions = {}, overMs = 0): SimNode[] {
    const start = this.kernel.now
    return Array.from({ length: count }, (_, i) => {
      if (overMs > 0) this.kernel.runUntil(start + milliseconds((overMs * i) / count))
      return this.addNode(options)
    })
  }

  /** Adds a host of your own making (an attacker, a recorder); returns its index. */
  addHost(host: SimHost): number {
    return this.kernel.addHost(host)
  }

  /** Runs a piece of script at a virtual time, in milliseconds. */
  at(ms: number, script: () => void): void {
    this.kernel.at(milliseconds(ms), script)
  }

  /** Lets virtual time pass. */
  runFor(ms: number): void {
    this.kernel.runUntil(this.kernel.now + milliseconds(ms))
  }

  /**
   * Runs until the condition holds, asked after every `everyMs` of virtual time, or the limit has
   * passed. Returns whether it holds.
   */
  runUntil(condition: () => boolean, limitMs = 60_000, everyMs = 1): boolean {
    const limit = this.kernel.now + milliseconds(limitMs)
    for (;;) {
      if (condition()) return true
      if (this.kernel.now >= limit) return false
      this.kernel.runUntil(Math.min(limit, this.#nextStop(milliseconds(everyMs))))
    }
  }

  /** Cuts the network between two groups of nodes until `heal`. */
  partition(a: Iterable<SimNode>, b: Iterable<SimNode>, direction: CutDirection = 'both'): void {
    const indexes = (nodes: Iterable<SimNode>): number[] => [...nodes].map((node) => node.index)
    this.network.cut(indexes(a), indexes(b), direction)
    this.log.record(this.kernel.now, 'network', -1, 0, this.network.cuts.count)
  }

  /** Ends all cuts. */
  heal(): void {
    this.network.cuts.clear()
    this.log.record(this.kernel.now, 'network', -1, 0, 0)
  }

  /** Changes the default options of all links from now on. */
  setNetwork(changes: Partial<LinkOptions>): void {
    this.network.setDefaults(changes)
    this.log.record(this.kernel.now, 'network', -1, 0, 1)
  }

  countTransmit(transmit: CloudTransmit): void {
    this.transmitted?.(transmit)
    const type = transmit.data[7] ?? 0
    this.#byType.set(type, (this.#byType.get(type) ?? 0) + 1)
    this.#byReason.set(transmit.reason, (this.#byReason.get(transmit.reason) ?? 0) + 1)
  }

  registrationEnded(pnrpId: PnrpId): void {
    this.#ended.set(bytesKey(pnrpId), this.kernel.now)
  }

  /** When the registration of this ID ended, by whatever cause; undefined if it never did. */
  endedAt(pnrpId: PnrpId): Instant | undefined {
    return this.#ended.get(bytesKey(pnrpId))
  }

  searchMulticast(searcher: SimNode, searchTarget: string): readonly MulticastAnswer[] {
    const { loss } = this.network.defaults
    const options = { loss, answerDelayMs: 3000 }
    return this.multicast.search(
      searcher.link,
      searchTarget,
      searcher.index,
      options,
      (host) => !this.network.cuts.separates(searcher.index, host),
    )
  }

  #nextStop(interval: number): Instant {
    const { now, next } = this.kernel
    const idle = next === NEVER ? NEVER : Math.ceil(next)
    return Math.max(now + interval, idle)
  }
}
