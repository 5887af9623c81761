import { LIMITS } from '../core/limits.js'
import { ResolveCriteria, ResolveReason, type PnrpId } from '../wire/messages.js'
import type { CloudContext } from './context.js'

/**
 * Fills gaps in the cache (MS-PNRP 3.2.6.2, Windows note <6>): one resolve a tick for the middle of
 * the widest gap, as precise as it takes to land in it. The cache offers each gap a few times only.
 */
export class Balancer {
  readonly #context: CloudContext
  #turn = 0
  /**
   * Ticks to pass before a resolve-only node looks for more nodes again, and the last such wait.
   */
  #pause = 0
  #backoff = 0
  #sizeBefore = 0

  constructor(context: CloudContext) {
    this.#context = context
  }

  tick(): void {
    const { cache, parts } = this.#context
    const { size } = parts.registrations
    if (size === 0) {
      this.#gather()
      return
    }
    const local = [...parts.registrations.all()][this.#turn++ % size]
    const gap = local === undefined ? undefined : cache.largestGap(local.pnrpId)
    if (gap !== undefined) this.#resolve(gap.target, gap.precision)
  }

  /** Windows note <4>: a resolve-only node too keeps ten entries spread over the ring. */
  #gather(): void {
    const { cache, rng } = this.#context
    if (cache.size >= LIMITS.spreadEntries || this.#pause-- > 0) return
    // A cloud may have fewer nodes than that: look less and less often.
    this.#backoff = cache.size > this.#sizeBefore ? 0 : Math.min(this.#backoff * 2 + 1, 63)
    this.#pause = this.#backoff
    this.#sizeBefore = cache.size
    this.#resolve(rng.bytes(32), 3)
  }

  #resolve(target: PnrpId, precision: number): void {
    const { now, parts } = this.#context
    parts.resolver.start({
      target,
      criteria: ResolveCriteria.UPPER_BITS,
      precision,
      reason: ResolveReason.CACHE_MAINTENANCE,
      pickBestMatchFromLocalIds: false,
      deadline: now + LIMITS.resolveDeadlineUs,
      // What matters is that the nodes met on the way enter the cache.
      onDone: () => {},
    })
  }
}
