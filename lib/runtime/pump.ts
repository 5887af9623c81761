import type { Clock } from '../core/clock.js'
import { LIMITS } from '../core/limits.js'
import type { CryptoPort } from '../pnrp/crypto-port.js'
import { decodeMessage } from '../wire/codec.js'
import {
  PumpedNode,
  type DecodeMessage,
  type PumpedNodeOptions,
  type PumpServices,
} from './pumped-node.js'
import { Turns, type TurnOptions } from './turns.js'

export interface PumpOptions extends TurnOptions {
  readonly decode?: DecodeMessage
  /** Shared with machines of other protocols. */
  readonly turns?: Turns
}

/** Steps in which machines hear of the load of the signing queue (N-68). */
const LOAD_STEPS = 4

interface CryptoLoad {
  readonly nodes: Set<PumpedNode>
  reported: number
}

/**
 * Drives all cloud nodes of a process: gives them time, messages and results, carries out what they
 * ask for. Sockets call it through the nodes' ports.
 */
export class Pump {
  readonly #turns: Turns
  readonly #nodes = new Set<PumpedNode>()
  readonly #loads = new Map<CryptoPort, CryptoLoad>()
  readonly #services: PumpServices

  constructor(options: PumpOptions = {}) {
    this.#turns = options.turns ?? new Turns(options)
    this.#services = {
      turns: this.#turns,
      decode: options.decode ?? decodeMessage,
      forget: (node) => {
        this.#forget(node)
      },
      cryptoChanged: (port) => {
        this.#reportLoad(port)
      },
    }
  }

  get clock(): Clock {
    return this.#turns.clock
  }

  /** Nodes being driven. */
  get size(): number {
    return this.#nodes.size
  }

  /** Takes a machine over. It has no ports yet: see `PumpedNode.listen`. */
  add(options: PumpedNodeOptions): PumpedNode {
    const node = new PumpedNode(options, this.#services)
    this.#nodes.add(node)
    const load = this.#loads.get(options.crypto) ?? { nodes: new Set(), reported: 0 }
    this.#loads.set(options.crypto, load)
    load.nodes.add(node)
    this.#turns.add(node)
    if (load.reported > 0) node.localEvent({ type: 'signing-load', load: load.reported })
    return node
  }

  #forget(node: PumpedNode): void {
    this.#nodes.delete(node)
    const load = this.#loads.get(node.crypto)
    load?.nodes.delete(node)
    if (load?.nodes.size === 0) this.#loads.delete(node.crypto)
  }

  /** N-68: machines refuse work when the signing queue fills up; they hear of it in steps. */
  #reportLoad(port: CryptoPort): void {
    const state = this.#loads.get(port)
    if (state === undefined) return
    const share = Math.min(1, port.backlog / LIMITS.cryptoBacklog)
    const load = Math.floor(share * LOAD_STEPS) / LOAD_STEPS
    if (load === state.reported) return
    state.reported = load
    for (const node of state.nodes) node.localEvent({ type: 'signing-load', load })
  }
}
