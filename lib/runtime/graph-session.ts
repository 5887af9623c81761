import type { GraphContext } from '../graph/context.js'
import type { GraphEvent } from '../graph/interface.js'
import { makeGraph, type GraphSetup } from '../graph/make-graph.js'
import type { LoadedStore, RecordStore } from '../storage/record-store.js'
import { ScopedListening, type ListeningOptions } from './graph-listening.js'
import { GraphNode } from './graph-node.js'
import type { ProcessRuntime } from './process-runtime.js'

/** From what a graph object makes its node, now and after an import. */
export interface SessionPlan {
  readonly runtime: ProcessRuntime
  readonly setup: Omit<GraphSetup, 'rng' | 'stored' | 'creates'>
  readonly listening: Omit<ListeningOptions, 'listeners'>
  /** Interface index for link-local addresses of others; 0 until an address names one. */
  scopeId: number
  readonly store: RecordStore
}

/** One node in a graph, from opening to closing. */
export class GraphSession {
  readonly node: GraphNode
  readonly #listening: ScopedListening

  /** @param loaded undefined: this node creates the graph, or has never been in it */
  constructor(
    plan: SessionPlan,
    loaded: LoadedStore | undefined,
    creates: boolean,
    onEvent: (event: GraphEvent) => void,
  ) {
    const { runtime, setup, store } = plan
    const stored =
      loaded === undefined
        ? undefined
        : {
            records: loaded.records,
            peerTimeDelta: loaded.clock?.peerTimeDelta ?? 0n,
            ...(loaded.clock === undefined ? {} : { leftAt: loaded.clock.leftAt }),
          }
    this.#listening = new ScopedListening({ ...plan.listening, listeners: runtime.listeners })
    this.node = new GraphNode({
      turns: runtime.turns,
      machine: makeGraph({
        ...setup,
        rng: runtime.rng,
        creates,
        stores: !store.volatile,
        ...(stored === undefined ? {} : { stored }),
      }),
      graphId: setup.properties.graphId,
      store,
      listening: this.#listening,
      scopeId: plan.scopeId,
      onEvent,
    })
  }

  /** The machine's state, with its clock at now. */
  get context(): GraphContext {
    return this.node.machine.context
  }

  /** Ends all connections and the listening on the spot. */
  async close(): Promise<void> {
    this.node.close()
    await this.#listening.settled()
  }
}
