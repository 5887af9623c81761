import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { CloudContext } from './context.js'

/**
 * The most recently used nodes, to begin with at the next start (MS-PNRP 3.1.4.2, Windows note
 * <2>). They are handed out when the cloud is left, and while it runs after 1, 2, 4, … maintenance
 * ticks, at last every ten minutes: enough to survive a crash, little work at rest.
 */
export class LastUsedNodes {
  readonly #context: CloudContext
  #ticks = 0
  #due = 1

  constructor(context: CloudContext) {
    this.#context = context
  }

  tick(): void {
    this.#ticks++
    if (this.#ticks < this.#due) return
    this.#ticks = 0
    this.#due = Math.min(this.#due * 2, LIMITS.lastUsedTicks)
    this.persist()
  }

  persist(): void {
    const endpoints = this.#newest()
    if (endpoints.length > 0) this.#context.effects.push({ type: 'persist-last-used', endpoints })
  }

  /** Of the nodes that answered last, newest first, each once. */
  #newest(): Endpoint[] {
    const { cache } = this.#context
    if (cache.size === 0) return []
    const newest = new Map<string, Endpoint>()
    for (const entry of cache.entries().sort((a, b) => b.validatedAt - a.validatedAt)) {
      if (newest.size === LIMITS.lastUsedNodes) break
      const [address] = entry.addresses
      if (address === undefined) continue
      const endpoint = { address, port: entry.port }
      const key = endpointKey(endpoint)
      if (!newest.has(key)) newest.set(key, endpoint)
    }
    return [...newest.values()]
  }
}
