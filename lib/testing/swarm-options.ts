import { below, unit } from '../core/rng.js'
import type { LinkOptions } from './link-options.js'
import { derivedRng } from './mix.js'

/** What goes wrong in one swarm run, and how often. Rates are a minute of virtual time. */
export interface SwarmOptions {
  readonly seed: number
  readonly nodes: number
  /** The nodes come within this time. */
  readonly joinMs: number
  readonly network: Partial<LinkOptions>
  /** Nodes killed, left orderly, added; a minute, as a share of the cloud. */
  readonly killRate: number
  readonly leaveRate: number
  readonly joinRate: number
  /** Nodes that get another address, a minute, as a share of the cloud. */
  readonly moveRate: number
  /** Names withdrawn and published anew, a minute, as a share of the cloud. */
  readonly republishRate: number
  /** Cuts made a minute, and how long each lasts at most. */
  readonly cutRate: number
  readonly cutMs: number
  /** Resolves started a minute and node. */
  readonly resolveRate: number
  /** Wall clocks are wrong by up to this much. */
  readonly clockOffsetMs: number
  readonly clockDriftPpm: number
  /** Share of nodes behind a stateful firewall. */
  readonly firewallShare: number
  /** How long faults last before the cloud is left in peace. */
  readonly faultsMs: number
}

/**
 * Options of a swarm run, drawn from its seed. Every fault is switched off entirely in about half
 * of all runs, so that faults are tried alone as well as together.
 */
export function swarmOptions(seed: number): SwarmOptions {
  const rng = derivedRng(seed, 'swarm options')
  const maybe = (most: number): number => (below(rng, 2) === 0 ? 0 : unit(rng) * most)
  const delayMinMs = unit(rng) * 10
  return {
    seed,
    nodes: 5 + below(rng, 76),
    joinMs: below(rng, 2) === 0 ? 0 : unit(rng) * 30_000,
    network: {
      delayMinMs,
      delayMeanMs: delayMinMs + unit(rng) * 90,
      jitterMs: maybe(100),
      loss: maybe(0.2),
      duplication: maybe(0.1),
      reordering: maybe(0.2),
      reorderingDelayMs: unit(rng) * 1500,
      ...(below(rng, 4) === 0 ? { bytesPerSecond: 20_000 + below(rng, 200_000) } : {}),
    },
    killRate: maybe(0.3),
    leaveRate: maybe(0.3),
    joinRate: maybe(0.5),
    moveRate: maybe(0.2),
    republishRate: maybe(0.3),
    cutRate: maybe(1),
    cutMs: unit(rng) * 120_000,
    resolveRate: maybe(4),
    clockOffsetMs: maybe(3_600_000),
    clockDriftPpm: maybe(200),
    firewallShare: below(rng, 4) === 0 ? unit(rng) * 0.2 : 0,
    faultsMs: 120_000 + unit(rng) * 240_000,
  }
}
