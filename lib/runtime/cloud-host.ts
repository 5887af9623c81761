import type { Counters } from '../core/counters.js'
import type { Endpoint } from '../core/endpoint.js'
import { formatEndpoint } from '../core/address-text.js'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { lookupSeeds, type Seed } from '../io/seed-lookup.js'
import type { CloudLocalEvent } from '../pnrp/interface.js'
import type { LastUsedStore } from '../storage/last-used-store.js'
import type { HostEffect } from './pumped-node.js'

/** Where a cloud's results go back to. */
export interface EffectTarget {
  readonly endpoints: readonly Endpoint[]
  localEvent(event: CloudLocalEvent): void
}

/** Multicast discovery of one cloud (lib/io/ssdp-socket.ts behind it). */
export interface SsdpPort {
  search(searchTarget: string): void
  announce(searchTarget: string, endpoint: Endpoint): void
  withdraw(searchTarget: string): void
  readonly counters: Counters
  close(): Promise<void>
}

export interface CloudHostOptions {
  readonly seeds: readonly Seed[]
  /** Keeps the last-used nodes under this key; absent: nowhere. */
  readonly lastUsed?: { readonly store: LastUsedStore; readonly key: string }
  /** Absent: no multicast, and why. */
  readonly ssdp: SsdpPort | { readonly unavailable: string }
}

/** Carries out what a cloud machine asks of its host: multicast, DNS, keeping last-used nodes. */
export class CloudHost {
  readonly #options: CloudHostOptions
  readonly #seeds: Seed[] = []
  readonly #work = new Set<Promise<void>>()
  #closed = false

  constructor(options: CloudHostOptions) {
    this.#options = options
    this.#seeds.push(...options.seeds)
  }

  /** Asks these too, from now on; false when all of them are known. */
  addSeeds(seeds: readonly Seed[], target: EffectTarget): boolean {
    const known = new Set(this.#seeds.map(seedKey))
    const fresh = seeds.filter((seed) => !known.has(seedKey(seed)))
    if (fresh.length === 0) return false
    if (this.#seeds.length + fresh.length > LIMITS.seeds) {
      throw new PeernetError('ERR_PEERNET_LIMIT', `a cloud has at most ${LIMITS.seeds} seeds`)
    }
    this.#seeds.push(...fresh)
    this.#run(this.#lookupSeeds(target))
    return true
  }

  carryOut(effect: HostEffect, target: EffectTarget): void {
    switch (effect.type) {
      case 'lookup-seeds':
        this.#run(this.#lookupSeeds(target))
        return
      case 'persist-last-used':
        this.#run(this.#persist(effect.endpoints))
        return
      default:
        this.#multicast(effect, target)
    }
  }

  /** What multicast discovery has sent and dropped. */
  get counters(): Record<string, number> {
    const { ssdp } = this.#options
    return 'counters' in ssdp ? ssdp.counters.snapshot() : {}
  }

  /** Waits for what is under way (a list being written). */
  async close(): Promise<void> {
    this.#closed = true
    const { ssdp } = this.#options
    if ('close' in ssdp) await ssdp.close()
    await Promise.all(this.#work)
  }

  #run(work: Promise<void>): void {
    const guarded = work.catch(() => {}).finally(() => this.#work.delete(guarded))
    this.#work.add(guarded)
  }

  async #lookupSeeds(target: EffectTarget): Promise<void> {
    const endpoints = await lookupSeeds(this.#seeds, target.endpoints)
    if (!this.#closed) target.localEvent({ type: 'seeds', endpoints })
  }

  async #persist(endpoints: readonly Endpoint[]): Promise<void> {
    const { lastUsed } = this.#options
    await lastUsed?.store.save(lastUsed.key, endpoints.map(formatEndpoint))
  }

  #multicast(
    effect: Extract<HostEffect, { type: 'ssdp-search' | 'ssdp-announce' | 'ssdp-withdraw' }>,
    target: EffectTarget,
  ): void {
    const { ssdp } = this.#options
    if ('unavailable' in ssdp) {
      if (effect.type === 'ssdp-search') {
        target.localEvent({ type: 'ssdp-unavailable', reason: ssdp.unavailable })
      }
      return
    }
    if (effect.type === 'ssdp-search') ssdp.search(effect.searchTarget)
    else if (effect.type === 'ssdp-withdraw') ssdp.withdraw(effect.searchTarget)
    else ssdp.announce(effect.searchTarget, effect.endpoint)
  }
}

function seedKey(seed: Seed): string {
  return seed.kind === 'name' ? `${seed.name}:${seed.port}` : formatEndpoint(seed.endpoint)
}
