import { bytesKey } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { PeernetError } from '../core/errors.js'
import type { GraphScope } from '../graph/interface.js'
import { AddressWatch, chooseCloudAddresses } from '../io/interfaces.js'
import type { GraphListeners, ListenAddress } from './graph-listeners.js'
import type { GraphListening, GraphNode } from './graph-node.js'

export interface ListeningOptions {
  readonly listeners: GraphListeners
  readonly scope: GraphScope
  /** Of a link-local or site-local graph. */
  readonly interface?: string
  /** Listen on these instead of the addresses of the scope. */
  readonly addresses?: readonly ListenAddress[]
}

/**
 * Where one graph listens: on the addresses of its scope (MS-PPGRH 3.1.1 Scope), all with one port,
 * and on others when the host's addresses change (3.1.7.23).
 */
export class ScopedListening implements GraphListening {
  readonly #options: ListeningOptions
  #node: GraphNode | undefined
  #port = 0
  #open: ListenAddress[] = []
  #watch: AddressWatch | undefined
  /** Changes are carried out one after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  start(node: GraphNode, port: number): void {
    this.#node = node
    this.#then(async () => {
      try {
        await this.#begin(node, port)
      } catch (error) {
        this.#node = undefined
        const known = error instanceof PeernetError ? error.code : 'ERR_PEERNET_SYSTEM'
        const message = error instanceof Error ? error.message : String(error)
        node.localEvent({ type: 'listen-failed', code: known, message })
      }
    })
  }

  stop(node: GraphNode): void {
    if (this.#node !== node) return
    this.#node = undefined
    this.#watch?.close()
    this.#watch = undefined
    for (const where of this.#open) this.#options.listeners.close(node, where, this.#port)
    this.#open = []
  }

  /** Waits for what is under way. */
  settled(): Promise<void> {
    return this.#work
  }

  async #begin(node: GraphNode, port: number): Promise<void> {
    const { addresses } = this.#options
    const wanted = addresses ?? chooseCloudAddresses(this.#wish)
    this.#port = port
    let failure: unknown
    for (const where of wanted) {
      // An address that cannot be had yet (duplicate address detection) comes with a change.
      await this.#add(node, where).catch((error: unknown) => {
        failure ??= error
      })
    }
    if (this.#open.length === 0) throw failure
    if (addresses === undefined && this.#node === node) {
      this.#watch = new AddressWatch(this.#wish, (now) => {
        this.#then(() => this.#move(node, now))
      })
    }
    this.#tell(node)
  }

  async #add(node: GraphNode, { address, scopeId }: ListenAddress): Promise<void> {
    const where = { address, scopeId }
    const { listeners } = this.#options
    const port = await listeners.open(node, where, this.#port)
    if (this.#node !== node) {
      listeners.close(node, where, port)
      return
    }
    this.#port = port
    this.#open.push(where)
  }

  async #move(node: GraphNode, now: readonly ListenAddress[]): Promise<void> {
    if (this.#node !== node) return
    const wanted = new Set(now.map(keyOf))
    for (const where of this.#open) {
      if (!wanted.has(keyOf(where))) this.#options.listeners.close(node, where, this.#port)
    }
    this.#open = this.#open.filter((where) => wanted.has(keyOf(where)))
    const have = new Set(this.#open.map(keyOf))
    for (const where of now) {
      if (!have.has(keyOf(where))) await this.#add(node, where).catch(() => {})
    }
    this.#tell(node)
  }

  #tell(node: GraphNode): void {
    if (this.#node !== node) return
    const addresses: Endpoint[] = this.#open.map(({ address }) => ({ address, port: this.#port }))
    node.localEvent({ type: 'listening', addresses })
  }

  get #wish(): { scope: GraphScope; interface?: string } {
    const { scope, interface: name } = this.#options
    return name === undefined ? { scope } : { scope, interface: name }
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work)
  }
}

function keyOf({ address, scopeId }: ListenAddress): string {
  return `${bytesKey(address)}%${scopeId}`
}
