import { bytesKey } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'

interface LostNode {
  readonly entry: RouteEntry
  /** It was in a leaf set: worth more, should the cloud have been cut in two. */
  readonly leaf: boolean
  readonly forgetAt: Instant
}

/**
 * Nodes that stopped answering, remembered outside the cache: a few, for an hour. If the network
 * between two parts of a cloud broke, they are the way back when it heals, long before a split test
 * happens to notice; if they are dead, asking one of them now and then costs two small packets.
 */
export class LostNodes {
  readonly #context: CloudContext
  /** The one to ask next first. */
  readonly #nodes = new Map<string, LostNode>()

  constructor(context: CloudContext) {
    this.#context = context
  }

  get size(): number {
    return this.#nodes.size
  }

  remember(entry: RouteEntry, leaf: boolean): void {
    const key = bytesKey(entry.pnrpId)
    this.#nodes.delete(key)
    if (this.#nodes.size >= LIMITS.lostNodes) this.#makeRoom()
    this.#nodes.set(key, { entry, leaf, forgetAt: this.#context.now + LIMITS.lostNodeUs })
  }

  /** Endpoints of remembered nodes, at most `count`, the one to ask next first. */
  endpoints(count: number): Endpoint[] {
    const endpoints: Endpoint[] = []
    for (const { entry } of this.#nodes.values()) {
      if (endpoints.length >= count) break
      endpoints.push(...this.#context.allReachedAt([entry]))
    }
    return endpoints
  }

  /** Asks the next one; all of them once the first has returned. */
  tick(): void {
    if (this.#nodes.size > 0) this.#ask(this.#dropReturned() ? this.#nodes.size : 1)
  }

  askAll(): void {
    this.#ask(this.#nodes.size)
  }

  /** Removes those that are cached again, or past their time; true if one is cached again. */
  #dropReturned(): boolean {
    const { cache, now } = this.#context
    let returned = false
    for (const [key, { entry, forgetAt }] of this.#nodes) {
      const cached = cache.has(entry.pnrpId)
      if (cached || forgetAt <= now) this.#nodes.delete(key)
      returned ||= cached
    }
    return returned
  }

  #ask(count: number): void {
    const { admission } = this.#context.parts
    for (const [key, node] of [...this.#nodes].slice(0, count)) {
      this.#nodes.delete(key)
      this.#nodes.set(key, node)
      const from = this.#context.reachedAt(node.entry)
      if (from !== undefined) admission.submit(node.entry, { via: 'RESOLVE', from })
    }
  }

  /** The oldest that was no leaf set member goes first. */
  #makeRoom(): void {
    let victim: string | undefined
    for (const [key, { leaf }] of this.#nodes) {
      victim ??= key
      if (leaf) continue
      victim = key
      break
    }
    if (victim !== undefined) this.#nodes.delete(victim)
  }
}
