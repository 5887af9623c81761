import { bytesKey, equalBytes, isAllZero, samePrefix } from '../core/bytes.js'
import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import { compareDistance } from '../native/ring.js'
import {
  ResolveCriteria,
  ResolveReason,
  type AuthorityBuffer,
  type PnrpId,
  type RouteEntry,
} from '../wire/messages.js'
import { entryHasEndpoint } from './route-entry.js'

/** An entry of NextHopStack. */
export interface Hop {
  readonly entry: RouteEntry
  /** LOOKUPs sent to it so far. */
  useCount: number
}

export interface WalkInput {
  readonly target: PnrpId
  readonly criteria: ResolveCriteria
  /** Bits to match, for UPPER_BITS. */
  readonly precision: number
  readonly reason: ResolveReason
  /** First entry of ResolvePath: one of our own endpoints. */
  readonly ownEndpoint: Endpoint
  /** IDs that must not become the result. */
  readonly excludeIds?: readonly PnrpId[] | undefined
}

/** What came back to a LOOKUP, and what it is worth. */
export interface LookupAnswer {
  readonly flags: Pick<AuthorityBuffer, 'leafSet' | 'busy' | 'notFound'>
  /** Already checked to be reachable in this cloud; owned by the walk from here on. */
  readonly referral?: RouteEntry | undefined
  /** Entries in the route entry cache at present. */
  readonly cacheEntries: number
}

export type LookupVerdict = 'referral' | 'dead-end' | 'busy' | 'not-registered' | 'refused-referral'

/**
 * The state of one resolve (an entry of the Outstanding Resolves Table, MS-PNRP 3.1.1) and the
 * rules of 3.1.5.6.1 that change it. It neither sends nor waits: `resolve.ts` does.
 *
 * The walk is a depth-first search towards the target with backtracking: a node is asked at most
 * three times, each time told not to name anybody who was asked already.
 */
export class ResolveWalk {
  readonly target: PnrpId
  readonly criteria: ResolveCriteria
  readonly precision: number
  readonly reason: ResolveReason
  /** Endpoints already asked (or found dead); the first is our own. */
  readonly resolvePath: Endpoint[]
  readonly nextHopStack: Hop[] = []
  /** Former best matches; the newest is `currentBestMatch`, not in here (N-11). */
  readonly bestMatchStack: RouteEntry[] = []
  currentBestMatch: RouteEntry | undefined
  suspiciousCount = 0
  totalUsefulHops = 0
  /** IDs that the caller does not want. */
  #excluded: Set<string> | undefined
  /** What was refused, or did not answer: an ID at an endpoint, for anybody can name any ID. */
  readonly #ruledOut: {
    readonly pnrpId: PnrpId
    readonly at: Endpoint
    readonly silent: boolean
  }[] = []
  readonly #collecting: boolean

  constructor(input: WalkInput) {
    this.target = input.target
    this.criteria = input.criteria
    this.precision = input.precision
    this.reason = input.reason
    this.resolvePath = [input.ownEndpoint]
    this.#collecting = input.excludeIds !== undefined && input.excludeIds.length > 0
    for (const id of input.excludeIds ?? []) {
      this.#excluded ??= new Set()
      this.#excluded.add(bytesKey(id))
    }
  }

  /**
   * Other registrations of a name lie beyond those already found, which is away from the target:
   * the walk has to welcome nodes that are not closer.
   */
  get collecting(): boolean {
    return this.#collecting
  }

  /** The best match ends the search at once (S7, N-13). */
  closeEnough(entry: RouteEntry): boolean {
    switch (this.criteria) {
      case ResolveCriteria.ANY_PEER_NAME:
        return this.#matches(entry, 128)
      case ResolveCriteria.NEAREST64_PEER_NAME:
        return this.#matches(entry, 192)
      case ResolveCriteria.UPPER_BITS:
        return this.#matches(entry, this.precision)
      default:
        return equalBytes(entry.pnrpId, this.target)
    }
  }

  /** The best match will do when nothing is left to ask (S8, N-13; N-14 for split tests). */
  acceptable(entry: RouteEntry): boolean {
    if (this.reason === ResolveReason.SPLIT_DETECTION) return true
    switch (this.criteria) {
      case ResolveCriteria.NEAREST_PEER_NAME:
      case ResolveCriteria.NEAREST64_PEER_NAME:
        return this.#matches(entry, 128)
      default:
        return this.closeEnough(entry)
    }
  }

  /** Could this entry be the result, as far as one can tell without asking? */
  wanted(entry: RouteEntry): boolean {
    return this.acceptable(entry) && !this.#isRuledOut(entry)
  }

  /** N-23: is `a` nearer to the target than `b`? */
  closer(a: PnrpId, b: PnrpId): boolean {
    return compareDistance(this.target, a, b) < 0
  }

  /** Is the search over, or would its next step be nearer to the target than this entry? */
  leadsCloserThan(entry: RouteEntry): boolean {
    const best = this.currentBestMatch
    if (best !== undefined && this.closeEnough(best)) return true
    const next = this.nextHopStack.at(-1)?.entry
    return next !== undefined && (this.#isMatch(next) || this.closer(next.pnrpId, entry.pnrpId))
  }

  /**
   * A node on top of the stack that would be the result is not asked for the way first: it becomes
   * the best match, as in the example of 4.1.3. A best match that is none gives way even if it is
   * nearer, for then it is another name's, or somebody's who wants to hide this one.
   */
  takeMatch(): void {
    const best = this.currentBestMatch
    const top = this.nextHopStack.at(-1)
    if (top === undefined || !this.#isMatch(top.entry)) return
    if (best !== undefined) {
      if (this.closeEnough(best)) return
      this.bestMatchStack.push(best)
    }
    this.nextHopStack.pop()
    this.currentBestMatch = top.entry
  }

  push(entry: RouteEntry): void {
    this.nextHopStack.push({ entry, useCount: 0 })
  }

  /** The conditions of S8 other than an empty stack. */
  get exhausted(): boolean {
    return (
      this.suspiciousCount > LIMITS.suspiciousCount || this.totalUsefulHops > LIMITS.totalUsefulHops
    )
  }

  /**
   * The path as a LOOKUP carries it, 1..22 endpoints: our own and the newest (N-16). `also` are
   * further endpoints that nobody needs to name.
   */
  flaggedPath(also: readonly Endpoint[] = []): Endpoint[] {
    const path = this.resolvePath
    const room = LIMITS.flaggedPath - 1
    const asked = path.length - 1 <= room ? path.slice(1) : path.slice(path.length - room)
    const flagged = [path[0] as Endpoint, ...asked]
    for (const endpoint of also) {
      if (flagged.length > room) break
      if (!flagged.some((other) => sameEndpoint(other, endpoint))) flagged.push(endpoint)
    }
    return flagged
  }

  /** N-17: no duplicates. */
  addToPath(endpoint: Endpoint): void {
    if (!this.inPath(endpoint)) this.resolvePath.push(endpoint)
  }

  inPath(endpoint: Endpoint): boolean {
    return this.resolvePath.some((other) => sameEndpoint(other, endpoint))
  }

  /** L1 to L3 and L5 to L10 of an answer to the LOOKUP that was sent to `hop` at `to`. */
  answered(hop: Hop, to: Endpoint, answer: LookupAnswer): LookupVerdict {
    const { leafSet, busy, notFound } = answer.flags
    this.addToPath(to)
    this.totalUsefulHops++
    if (leafSet) this.suspiciousCount++
    if (!notFound) {
      this.#heard(hop.entry, to)
      this.#considerBestMatch(hop.entry)
    }
    const verdict = this.#judgeReferral(hop.entry.pnrpId, to, answer)
    // N-18: no progress from a node that leads away, so do not come back. N-19: nor to a busy one.
    const askAgain = verdict !== 'not-closer' && !notFound && !busy
    if (askAgain && hop.useCount < LIMITS.useCount) this.#putBack(hop, verdict === 'welcome')
    if (verdict === 'welcome') {
      this.push(answer.referral as RouteEntry)
      return 'referral'
    }
    if (busy) return 'busy'
    if (notFound) return 'not-registered'
    return verdict === 'none' ? 'dead-end' : 'refused-referral'
  }

  /**
   * That node is not the result after all: the previous best match is best again. If it was only
   * silent, an answer to a LOOKUP clears it.
   */
  ruleOut(pnrpId: PnrpId, at: Endpoint, why: 'refused' | 'silent'): void {
    this.#ruledOut.push({ pnrpId, at, silent: why === 'silent' })
    for (let i = this.nextHopStack.length - 1; i >= 0; i--) {
      const { entry } = this.nextHopStack[i] as Hop
      if (equalBytes(entry.pnrpId, pnrpId) && entryHasEndpoint(entry, at)) {
        this.nextHopStack.splice(i, 1)
      }
    }
    const best = this.currentBestMatch
    if (best === undefined || !this.#isRuledOut(best)) return
    do this.currentBestMatch = this.bestMatchStack.pop()
    while (this.currentBestMatch !== undefined && this.#isRuledOut(this.currentBestMatch))
  }

  /** It is alive: its answer to the INQUIRE, or the INQUIRE, was lost. */
  #heard({ pnrpId }: RouteEntry, from: Endpoint): void {
    const index = this.#ruledOut.findIndex(
      (other) => other.silent && sameEndpoint(other.at, from) && equalBytes(other.pnrpId, pnrpId),
    )
    if (index >= 0) this.#ruledOut.splice(index, 1)
  }

  /** L5. A node whose ID we do not know (split test, Validate zero) is no match. */
  #considerBestMatch(entry: RouteEntry): void {
    if (isAllZero(entry.pnrpId) || this.#isRuledOut(entry)) return
    const best = this.currentBestMatch
    if (best !== undefined) {
      if (!this.closer(entry.pnrpId, best.pnrpId)) return
      this.bestMatchStack.push(best)
    }
    this.currentBestMatch = entry
  }

  /**
   * L8. Whoever had nothing to name will not have more when asked the same again, so it waits until
   * nothing else is left: the walk backtracks to the node before, as in the example of 4.1.3.
   */
  #putBack(hop: Hop, named: boolean): void {
    if (named) this.nextHopStack.push(hop)
    else this.nextHopStack.unshift(hop)
  }

  /** L7, L9, L10. */
  #judgeReferral(
    askedId: PnrpId,
    to: Endpoint,
    answer: LookupAnswer,
  ): 'none' | 'welcome' | 'not-closer' | 'visited' {
    const { referral } = answer
    if (referral === undefined) return 'none'
    if (equalBytes(referral.pnrpId, askedId)) return 'visited'
    // A node may name another ID of its own: the last path entry is the node just asked.
    for (const visited of this.resolvePath) {
      if (!sameEndpoint(visited, to) && entryHasEndpoint(referral, visited)) return 'visited'
    }
    const closer = isAllZero(askedId) || this.closer(referral.pnrpId, askedId)
    const welcome =
      closer ||
      answer.cacheEntries < LIMITS.sparseCacheEntries ||
      (this.#collecting && this.acceptable(referral))
    return welcome ? 'welcome' : 'not-closer'
  }

  /**
   * Does the entry only have to prove itself? Never in a walk whose LOOKUPs are its purpose: to
   * announce an entry, to meet nodes, to test for a split.
   */
  #isMatch(entry: RouteEntry): boolean {
    if (this.reason !== ResolveReason.APP_REQUEST || isAllZero(entry.pnrpId)) return false
    return this.closeEnough(entry) && this.wanted(entry)
  }

  #matches(entry: RouteEntry, bits: number): boolean {
    return samePrefix(entry.pnrpId, this.target, bits)
  }

  #isRuledOut(entry: RouteEntry): boolean {
    if (this.#excluded?.has(bytesKey(entry.pnrpId)) === true) return true
    return this.#ruledOut.some(
      ({ pnrpId, at }) => entryHasEndpoint(entry, at) && equalBytes(entry.pnrpId, pnrpId),
    )
  }
}
