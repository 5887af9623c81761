import { equalBytes } from '../core/bytes.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { PnrpId } from '../wire/messages.js'
import { Balancer } from './balancing.js'
import { estimateCloudSize } from './cloud-size.js'
import type { CloudContext } from './context.js'
import { LeafRepair } from './leaf-repair.js'
import { Liveness } from './liveness.js'
import { LostNodes } from './lost-nodes.js'
import type { MaintenancePart } from './parts.js'
import { SplitDetection } from './split-detection.js'
import { LIMITS } from '../core/limits.js'

/** What a node does unasked to stay a good member of its cloud (MS-PNRP 3.1.6.2, 3.2.6.2). */
export class Maintenance implements MaintenancePart {
  readonly #context: CloudContext
  readonly #lostNodes: LostNodes
  readonly #leafRepair: LeafRepair
  readonly #liveness: Liveness
  readonly #balancer: Balancer
  readonly #splits: SplitDetection

  constructor(context: CloudContext) {
    this.#context = context
    this.#lostNodes = new LostNodes(context)
    this.#leafRepair = new LeafRepair(context)
    this.#liveness = new Liveness(context, (entry, silent) => {
      this.#nodeDied(entry, silent)
    })
    this.#balancer = new Balancer(context)
    this.#splits = new SplitDetection(context, (count) => this.#lostNodes.endpoints(count))
  }

  get estimatedNodes(): number | undefined {
    return estimateCloudSize(this.#context)?.nodes
  }

  tick(): void {
    if (this.#context.cache.size === 0) {
      this.#rejoin()
      return
    }
    this.#liveness.start()
    this.#lostNodes.tick()
    this.#leafRepair.tick()
    this.#balancer.tick()
    // One name registered by all makes every estimate implausible: then at least those we know.
    this.#splits.tick(this.estimatedNodes ?? this.#context.cache.size)
  }

  repair(): void {
    const { parts } = this.#context
    parts.discovery.round()
    this.#lostNodes.askAll()
    this.#leafRepair.tick()
    this.#splits.test()
  }

  neighboursChanged(leafOf: readonly PnrpId[]): void {
    if (this.#context.cache.size > 0) this.#liveness.start()
    this.#leafRepair.leafSetsChanged(leafOf)
  }

  nodeLost(pnrpId: PnrpId): void {
    const { admission } = this.#context.parts
    const entry = this.#context.cache.get(pnrpId)
    if (entry === undefined) return
    this.#drop([entry], 'cache.removed-unanswered')
    // Two lost packets are no proof: if it is there after all, it comes back at once.
    const from = this.#context.reachedAt(entry)
    if (from !== undefined) admission.submit(entry, { via: 'RESOLVE', from })
  }

  /** An empty cache: look for nodes by discovery, and ask those we knew (3.2.6.2). */
  #rejoin(): void {
    const { parts } = this.#context
    parts.registrations.neighboursChanged([])
    parts.discovery.round()
    for (const to of this.#lostNodes.endpoints(LIMITS.rejoinConversations)) {
      parts.synchronization.start(to)
    }
  }

  /**
   * All IDs that are reached at the endpoint that stayed silent are gone with it. Those that merely
   * share another address with the entry are not: anybody can write others' addresses into his.
   */
  #nodeDied(entry: CachedEntry, silent: Endpoint | undefined): void {
    const entries = this.#context.cache.entries().filter((other) => {
      if (equalBytes(other.pnrpId, entry.pnrpId)) return true
      if (silent === undefined) return false
      const reached = this.#context.reachedAt(other)
      return reached !== undefined && sameEndpoint(reached, silent)
    })
    this.#drop(entries, 'cache.removed-dead')
  }

  #drop(entries: readonly CachedEntry[], counter: string): void {
    const { cache, counters, parts } = this.#context
    const leafOf: PnrpId[] = []
    for (const entry of entries) {
      const of = cache.leafOf(entry.pnrpId)
      leafOf.push(...of)
      this.#lostNodes.remember(entry, of.length > 0)
      cache.remove(entry.pnrpId)
      counters.add(counter)
    }
    parts.registrations.neighboursChanged(leafOf)
  }
}
