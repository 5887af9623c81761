import { bytesKey } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import { TokenBucket, type Rate } from '../core/token-bucket.js'
import type { CloudScope } from './interface.js'

/** What strangers may draw: all together, from one /64, from one address (undefined: unlimited). */
export interface BudgetRates {
  readonly total: Rate
  readonly prefix?: Rate
  readonly address?: Rate
}

/** The three things that cost us most when strangers ask for them. */
export interface BudgetConfig {
  /**
   * INQUIREs that want something signed, one token for each datagram of the answer; and revokes,
   * whose signature has to be checked.
   */
  readonly inquire: BudgetRates
  /** LOOKUPs, FLOODs, and INQUIREs that only ask whether an ID is here. */
  readonly lookup: BudgetRates
  /** SOLICITs. */
  readonly solicit: BudgetRates
}

/**
 * Rates for a cloud of this scope. On loopback all nodes share one address, and on a link one
 * prefix, so these say nothing about who asks and are not limited there.
 */
export function defaultBudgets(scope: CloudScope): BudgetConfig {
  const { inquire, lookup, solicit } = LIMITS.budgets
  return {
    inquire: ratesFor(scope, inquire),
    lookup: ratesFor(scope, lookup),
    solicit: ratesFor(scope, solicit),
  }
}

function ratesFor(scope: CloudScope, rates: Required<BudgetRates>): BudgetRates {
  const { total, prefix, address } = rates
  if (scope === 'loopback') return { total }
  return scope === 'link-local' ? { total, address } : { total, prefix, address }
}

class SourceBucket extends TokenBucket {
  /** When it was last put at the end of its table. */
  movedAt: Instant

  constructor(rate: Rate, now: Instant) {
    super(rate)
    this.movedAt = now
  }
}

/** How far the order of a table of sources may lag behind their use. */
const ORDER_LAG_US = 1_000_000

/**
 * Buckets by source, at most `LIMITS.budgetSources`, about in the order of their last use. Those
 * that are full again are forgotten little by little, so that the table is no larger than the
 * number of sources of the last seconds. When there is no room, the one unused for longest goes.
 */
class SourceBuckets {
  readonly #rate: Rate
  readonly #buckets = new Map<string, SourceBucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  get size(): number {
    return this.#buckets.size
  }

  /** The bucket of this source, if it holds `cost` tokens. */
  affording(now: Instant, key: string, cost: number): SourceBucket | undefined {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new SourceBucket(this.#rate, now)
      this.#makeRoom(now)
      this.#buckets.set(key, bucket)
    } else if (now - bucket.movedAt >= ORDER_LAG_US) {
      bucket.movedAt = now
      this.#buckets.delete(key)
      this.#makeRoom(now)
      this.#buckets.set(key, bucket)
    }
    return bucket.has(now, cost) ? bucket : undefined
  }

  /** Forgets up to two that are full again; one in any case if the table is. */
  #makeRoom(now: Instant): void {
    let left = 2
    for (const [key, bucket] of this.#buckets) {
      const full = this.#buckets.size >= LIMITS.budgetSources
      if (!full && !bucket.isFull(now)) return
      this.#buckets.delete(key)
      left--
      if (left === 0) return
    }
  }
}

/** What strangers may draw of one resource, in total and each. */
export class Budget {
  readonly #total: TokenBucket
  readonly #prefixes: SourceBuckets | undefined
  readonly #addresses: SourceBuckets | undefined

  constructor(rates: BudgetRates) {
    this.#total = new TokenBucket(rates.total)
    this.#prefixes = rates.prefix === undefined ? undefined : new SourceBuckets(rates.prefix)
    this.#addresses = rates.address === undefined ? undefined : new SourceBuckets(rates.address)
  }

  /** Sources remembered at present. */
  get sources(): number {
    return (this.#prefixes?.size ?? 0) + (this.#addresses?.size ?? 0)
  }

  /** Draws `cost` tokens for this source, or nothing when any of its buckets lacks them. */
  take(now: Instant, from: Endpoint, cost = 1): boolean {
    if (!this.#total.has(now, cost)) return false
    let address: TokenBucket | undefined
    let prefix: TokenBucket | undefined
    if (this.#addresses !== undefined) {
      address = this.#addresses.affording(now, bytesKey(from.address), cost)
      if (address === undefined) return false
    }
    if (this.#prefixes !== undefined) {
      prefix = this.#prefixes.affording(now, bytesKey(from.address.subarray(0, 8)), cost)
      if (prefix === undefined) return false
    }
    address?.take(now, cost)
    prefix?.take(now, cost)
    return this.#total.take(now, cost)
  }
}

/** The budgets of one cloud. */
export class Budgets {
  readonly inquire: Budget
  readonly lookup: Budget
  /** Busy answers to LOOKUPs that the lookup budget refused (N-19). */
  readonly busy: Budget
  readonly solicit: Budget

  constructor(config: BudgetConfig) {
    this.inquire = new Budget(config.inquire)
    this.lookup = new Budget(config.lookup)
    this.busy = new Budget(config.lookup)
    this.solicit = new Budget(config.solicit)
  }
}
