import type { Endpoint } from '../core/endpoint.js'
import { PeernetError } from '../core/errors.js'
import { toHex } from '../core/bytes.js'
import { Queue } from '../core/queue.js'
import { parseSeed } from '../io/seed-lookup.js'
import type { DatagramPort } from '../io/datagram-port.js'
import type { CloudMachine } from '../pnrp/cloud.js'
import type { CloudCommand, CloudEvent, CloudLocalEvent, CloudScope } from '../pnrp/interface.js'
import { formatEndpoint } from '../core/address-text.js'
import type { CacheEntryInfo, CloudDriver, CloudStatistics, NameLike } from './cloud.js'
import type { CloudHost } from './cloud-host.js'
import type { ProcessRuntime } from './process-runtime.js'
import type { PumpedNode } from './pumped-node.js'
import type { SignerSpec } from './registration.js'
import type { CloudSigning } from './signing.js'

/**
 * An orderly leave takes no longer than this (design/product: signals leave within two seconds).
 */
const LEAVE_MS = 1_800

export interface SocketCloudOptions {
  readonly runtime: ProcessRuntime
  readonly scope: CloudScope
  readonly zone?: string
  readonly machine: CloudMachine
  readonly host: CloudHost
  readonly signing: CloudSigning
}

/**
 * Runs one cloud machine on real sockets: events go out one microtask later, so that a caller has
 * its handle before the first event about it arrives.
 */
export class SocketCloudDriver implements CloudDriver {
  readonly scope: CloudScope
  readonly zone: string | undefined
  readonly #runtime: ProcessRuntime
  readonly #machine: CloudMachine
  readonly #host: CloudHost
  readonly #signing: CloudSigning
  readonly #node: PumpedNode
  readonly #closers: (() => void)[] = []
  #listener: ((event: CloudEvent) => void) | undefined
  readonly #events = new Queue<CloudEvent>()
  #delivering = false
  #settleClosed: (() => void) | undefined
  readonly #deliver = (): void => {
    for (let left = this.#events.length; left > 0; left--) {
      this.#listener?.(this.#events.shift() as CloudEvent)
    }
    this.#delivering = this.#events.length > 0
    if (this.#delivering) queueMicrotask(this.#deliver)
  }

  constructor(options: SocketCloudOptions) {
    const { runtime, machine, host } = options
    this.#runtime = runtime
    this.scope = options.scope
    this.zone = options.zone
    this.#machine = machine
    this.#host = host
    this.#signing = options.signing
    this.#node = runtime.pump.add({
      machine,
      crypto: runtime.crypto,
      onEffect: (effect) => {
        host.carryOut(effect, this)
      },
      onEvent: (event) => {
        this.#onEvent(event)
      },
    })
  }

  /** Called once when the cloud closes. */
  onClose(callback: () => void): void {
    this.#closers.push(callback)
  }

  /** The node in the pump, to open ports on. */
  get node(): PumpedNode {
    return this.#node
  }

  get ports(): readonly DatagramPort[] {
    return this.#node.ports
  }

  get endpoints(): readonly Endpoint[] {
    return this.#node.ports
  }

  listen(listener: (event: CloudEvent) => void): void {
    this.#listener = listener
  }

  nowUs(): number {
    return this.#runtime.pump.clock.now()
  }

  command(command: CloudCommand): void {
    this.#node.command(command)
  }

  addSeeds(seeds: readonly string[]): boolean {
    return this.#host.addSeeds(seeds.map(parseSeed), this)
  }

  localEvent(event: CloudLocalEvent): void {
    this.#node.localEvent(event)
  }

  signerOf(name: NameLike, explicit: unknown): SignerSpec {
    return this.#signing.specFor(name, explicit)
  }

  statistics(): CloudStatistics {
    const machine = this.#machine.statistics()
    const { counts, backlog } = this.#runtime.crypto
    const sockets: Record<string, number> = {}
    for (const port of this.#node.ports) {
      const stats = port.stats()
      for (const [name, value] of Object.entries(stats)) {
        if (typeof value !== 'number') continue
        sockets[`socket.${name}`] = (sockets[`socket.${name}`] ?? 0) + value
      }
    }
    return {
      cacheEntries: machine.cacheEntries,
      registrations: machine.registrations,
      pendingRequests: machine.pendingRequests,
      resolvesActive: machine.resolvesActive,
      estimatedNodes: machine.estimatedNodes,
      signatures: { made: counts.signed, checked: counts.verified, waiting: backlog },
      counters: {
        ...machine.counters,
        ...this.#node.counters.snapshot(),
        ...this.#host.counters,
        ...sockets,
      },
      dialect: machine.dialect,
    }
  }

  cache(): readonly CacheEntryInfo[] {
    const now = this.nowUs()
    return this.#machine.cache().map((node) => ({
      pnrpId: toHex(node.pnrpId),
      endpoints: node.addresses.map((address) => formatEndpoint({ address, port: node.port })),
      validatedMsAgo: (now - node.validatedAt) / 1000,
      leaf: node.leaf,
    }))
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0)) closer()
    await this.#leave()
    await this.#host.close()
    this.#node.close()
    this.#signing.release()
  }

  /** Unregisters everything and waits until the neighbours know, or time is up. */
  async #leave(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LEAVE_MS)
      this.#settleClosed = () => {
        clearTimeout(timer)
        resolve()
      }
      try {
        this.#node.command({ type: 'close', now: true })
      } catch (error) {
        clearTimeout(timer)
        if (!(error instanceof PeernetError)) throw error
        resolve()
      }
    })
  }

  #onEvent(event: CloudEvent): void {
    if (event.type === 'closed') this.#settleClosed?.()
    this.#events.push(event)
    if (this.#delivering) return
    this.#delivering = true
    queueMicrotask(this.#deliver)
  }
}
