import { equalBytes } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { below, unit } from '../core/rng.js'
import { addSmall, compareDistance, isInArc, spanAsNumber } from '../native/ring.js'
import { ResolveCriteria, ResolveReason, type PnrpId, type RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { LocalRegistration, ResolveOutcome } from './parts.js'

const NO_ID = new Uint8Array(32)

export type SplitVerdict = 'none' | 'bigger-part' | 'smaller-part' | 'inconclusive'

/**
 * Tests whether the cloud has come apart, and mends it (MS-PNRP 3.2.6.2.1, 3.2.5.11.1): a resolve
 * of a local ID + 1 that starts at a seed should end at a neighbour that we know.
 */
export class SplitDetection {
  readonly #context: CloudContext
  readonly #knownNodes: (count: number) => readonly Endpoint[]
  #running = 0

  /** `knownNodes`: nodes outside the cache to test through where there are no seeds (N-64). */
  constructor(context: CloudContext, knownNodes: (count: number) => readonly Endpoint[]) {
    this.#context = context
    this.#knownNodes = knownNodes
  }

  /** N-53: about one test a tick in the whole cloud. */
  tick(estimatedNodes: number | undefined): void {
    const { rng } = this.#context
    const probability = estimatedNodes === undefined ? 1 : Math.min(1, 1 / estimatedNodes)
    if (unit(rng) < probability) this.test()
  }

  /** Tests one local ID, through the next seed or another node from outside the cache. */
  test(): void {
    const { parts, rng } = this.#context
    const all = [...parts.registrations.all()]
    const local = all[below(rng, Math.max(1, all.length))]
    if (local === undefined) return
    const through = this.#startingPoint()
    if (through === undefined) {
      // Without any: whoever answers a multicast search is one (N-64).
      parts.discovery.round()
      return
    }
    this.#start(local, through, true)
  }

  #startingPoint(): Endpoint | undefined {
    const { discovery } = this.#context.parts
    const seed = discovery.nextSeed()
    if (seed !== undefined) return seed
    const known = [...this.#knownNodes(LIMITS.lostNodes), ...discovery.remembered]
    return known[below(this.#context.rng, Math.max(1, known.length))]
  }

  #start(local: LocalRegistration, through: Endpoint, first: boolean): void {
    const { cache, now, parts } = this.#context
    if (this.#running >= LIMITS.concurrentSplitTests) return
    const target = addSmall(local.pnrpId, 1)
    // The walk caches whom it meets: the verdict is about what was known before.
    const known = cache.closest(target, 2 * LIMITS.leafSetSide).map((entry) => entry.pnrpId)
    this.#running++
    parts.resolver.start({
      target,
      criteria: ResolveCriteria.NONE,
      precision: 0,
      reason: ResolveReason.SPLIT_DETECTION,
      pickBestMatchFromLocalIds: false,
      initialNextHop: { pnrpId: NO_ID, port: through.port, addresses: [through.address] },
      deadline: now + LIMITS.resolveDeadlineUs,
      onDone: (outcome) => {
        this.#running--
        this.#evaluate(local, target, known, through, outcome, first)
      },
    })
  }

  #evaluate(
    local: LocalRegistration,
    target: PnrpId,
    known: readonly PnrpId[],
    through: Endpoint,
    outcome: ResolveOutcome,
    first: boolean,
  ): void {
    const { counters, events, parts } = this.#context
    const { bestMatch } = outcome
    const isOurs =
      bestMatch !== undefined && parts.registrations.find(bestMatch.pnrpId) !== undefined
    const verdict =
      bestMatch === undefined
        ? 'inconclusive'
        : isOurs
          ? 'none'
          : judgeSplit(target, bestMatch.pnrpId, known)
    counters.add(`split-test.${verdict}`)
    events.push({ type: 'split-test', verdict })
    if (bestMatch === undefined || verdict === 'none' || verdict === 'inconclusive') return
    this.#mend(local, bestMatch, through, first && verdict === 'smaller-part')
  }

  /**
   * N-64: a test announces nothing, so the registration walk of every local ID runs through the
   * node that showed the split; a conversation brings far entries of the other part. The nodes met
   * take us into their leaf sets and flood us on, and so the parts grow together from here.
   */
  #mend(local: LocalRegistration, shown: RouteEntry, through: Endpoint, testOthers: boolean): void {
    const { parts } = this.#context
    parts.registrations.announceAll(shown)
    parts.synchronization.start(through)
    if (!testOthers) return
    for (const other of parts.registrations.all()) {
      if (!equalBytes(other.pnrpId, local.pnrpId)) this.#start(other, through, false)
    }
  }
}

/**
 * MS-PNRP 3.2.5.11.1 with N-52: what it means that a resolve of `target` ended at `bestMatch`, for
 * a node that knew these IDs around the target, nearest first.
 */
export function judgeSplit(
  target: PnrpId,
  bestMatch: PnrpId,
  known: readonly PnrpId[],
): SplitVerdict {
  if (known.some((id) => equalBytes(id, bestMatch))) {
    return known.some((id) => isBetween(id, bestMatch, target)) ? 'bigger-part' : 'none'
  }
  const nearest = known[0]
  const beatsAll = nearest === undefined || compareDistance(target, bestMatch, nearest) < 0
  return beatsAll ? 'smaller-part' : 'bigger-part'
}

/** Strictly between the two on the shorter arc. */
function isBetween(id: PnrpId, a: PnrpId, b: PnrpId): boolean {
  return spanAsNumber(a, b) <= spanAsNumber(b, a) ? isInArc(id, a, b) : isInArc(id, b, a)
}
