import { FewMap } from '../core/few-map.js'
import { LIMITS } from '../core/limits.js'
import type { CloudContext } from './context.js'
import type { CommandFailure } from './interface.js'
import type { EarlyResolve, ResolverPart, ResolveRequest } from './parts.js'
import { Resolve, type ResolveTable } from './resolve.js'

/** 3.1.4.4: a resolve fails while the Local Endpoint List is empty. */
export const NO_ADDRESS: CommandFailure = {
  code: 'ERR_PEERNET_NO_ADDRESS',
  message: 'this host has no address in the cloud',
}

/** The Outstanding Resolves Table, MS-PNRP 3.1.1 and 3.1.4.4.2 step 1. */
export class Resolver implements ResolverPart, ResolveTable {
  readonly #context: CloudContext
  readonly #resolves = new FewMap<Resolve, Resolve>()
  readonly #early = new Set<EarlyResolve>()

  constructor(context: CloudContext) {
    this.#context = context
  }

  get active(): number {
    return this.#resolves.size + this.#early.size
  }

  start(request: ResolveRequest): void {
    const failure = this.#refusal()
    if (failure !== undefined) {
      request.onDone({ outcome: 'failed', failure, refusals: [], lookups: 0, usefulHops: 0 })
      return
    }
    const resolve = new Resolve(this.#context, this, request)
    this.#resolves.set(resolve, resolve)
    resolve.start()
  }

  cancel(handle: number): boolean {
    for (const resolve of this.#resolves.values()) {
      if (resolve.request.handle !== handle) continue
      resolve.cancel()
      return true
    }
    for (const early of this.#early) {
      if (early.handle !== handle) continue
      early.end()
      return true
    }
    return false
  }

  cancelAll(failure?: CommandFailure): void {
    for (const resolve of this.#resolves.values()) resolve.cancel(failure)
    for (const early of this.#early) early.end(failure)
  }

  hold(early: EarlyResolve): void {
    this.#early.add(early)
  }

  release(early: EarlyResolve): void {
    this.#early.delete(early)
  }

  joined(): void {
    for (const early of [...this.#early]) early.resume()
  }

  ended(resolve: Resolve): void {
    this.#resolves.delete(resolve)
  }

  #refusal(): CommandFailure | undefined {
    if (this.#context.offline) return NO_ADDRESS
    if (this.active < LIMITS.outstandingResolves) return undefined
    this.#context.counters.add('refused.resolve-table-full')
    const message = `${LIMITS.outstandingResolves} resolves are under way`
    return { code: 'ERR_PEERNET_LIMIT', message }
  }
}
