import { compareBytes, equalBytes } from '../core/bytes.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import { addSmall, midpoint, spanAsNumber } from '../native/ring.js'
import { ResolveCriteria, ResolveReason, type PnrpId } from '../wire/messages.js'
import type { Timed } from '../core/deadlines.js'
import type { CloudContext } from './context.js'
import type { CloudEvent, CommandFailure, CpaRefusal, ResolveSpec } from './interface.js'
import type { EarlyResolve, ResolveOutcome, ResolveRequest } from './parts.js'
import { isClassifier } from './peer-name.js'
import { p2pIdOfName, pnrpIdOf, serviceLocationOf, type ClassifierEncoding } from './pnrp-id.js'

type ResolveDone = Extract<CloudEvent, { type: 'resolve-done' }>

const NOTHING = { refusals: [], lookups: 0, usefulHops: 0 }

/** Where no service location is preferred: the middle of all. */
const ANYWHERE = serviceLocationOf(new Uint8Array(8))

/**
 * A resolve asked for by the application, MS-PNRP 3.1.4.4: makes the target PNRP ID out of the name
 * and tells the application how it ended. Where publishers of this cloud were seen to hash
 * classifiers in several ways (N-02), a name that is not found one way is looked for the other.
 * While nobody is known yet, "nobody publishes it" would be untrue: it waits for the cloud to join.
 */
export class ApplicationResolve implements EarlyResolve, Timed {
  readonly handle: number
  readonly #context: CloudContext
  readonly #spec: ResolveSpec
  readonly #deadline: Instant
  readonly #targets: PnrpId[]
  readonly #refusals: CpaRefusal[] = []
  #lookups = 0
  #usefulHops = 0

  constructor(context: CloudContext, handle: number, spec: ResolveSpec) {
    this.#context = context
    this.handle = handle
    this.#spec = spec
    this.#deadline = context.now + spec.deadlineUs
    this.#targets = []
  }

  start(): void {
    const failure = invalid(this.#spec)
    if (failure !== undefined) {
      this.#report({ ...NOTHING, outcome: 'failed', failure })
      return
    }
    this.#begin()
  }

  #begin(): void {
    this.#targets.push(...targetsOf(this.#spec, this.#context.dialect.classifierEncodings()))
    this.#next()
  }

  resume(): void {
    this.#release()
    this.#begin()
  }

  end(failure?: CommandFailure): void {
    this.#release()
    if (failure === undefined) this.#report({ ...NOTHING, outcome: 'cancelled' })
    else this.#report({ ...NOTHING, outcome: 'failed', failure })
  }

  /** N-56. */
  onTimer(): void {
    this.#release()
    this.#report({ ...NOTHING, outcome: 'deadline' })
  }

  #hold(): void {
    this.#context.timers.set(this, this.#deadline)
    this.#context.parts.resolver.hold(this)
  }

  #release(): void {
    this.#context.timers.cancel(this)
    this.#context.parts.resolver.release(this)
  }

  #next(): void {
    const spec = this.#spec
    const request: Mutable<ResolveRequest> = {
      target: this.#targets.shift() as PnrpId,
      criteria: spec.criteria,
      precision: spec.precision ?? 0,
      reason: ResolveReason.APP_REQUEST,
      pickBestMatchFromLocalIds: spec.includeLocal,
      deadline: this.#deadline,
      handle: this.handle,
      onDone: (result) => {
        this.#ended(result)
      },
    }
    if (spec.excludeIds !== undefined) request.excludeIds = spec.excludeIds
    if (spec.targetPnrpId === undefined) request.name = spec
    this.#context.parts.resolver.start(request)
  }

  #ended(result: ResolveOutcome): void {
    this.#lookups += result.lookups
    this.#usefulHops += result.usefulHops
    this.#refusals.push(...result.refusals)
    if (result.outcome !== 'not-found') this.#report(result)
    else if (this.#targets.length > 0) this.#next()
    else if (this.#lookups === 0 && this.#context.joining) this.#hold()
    else this.#report(result)
  }

  #report(result: ResolveOutcome): void {
    const done: Mutable<ResolveDone> = {
      type: 'resolve-done',
      handle: this.handle,
      outcome: result.outcome,
      refusals: this.#refusals,
      lookups: this.#lookups,
      usefulHops: this.#usefulHops,
    }
    if (result.peer !== undefined) done.peer = result.peer
    if (result.failure !== undefined) done.failure = result.failure
    this.#context.events.push(done)
  }
}

function targetsOf(spec: ResolveSpec, encodings: readonly ClassifierEncoding[]): PnrpId[] {
  if (spec.targetPnrpId !== undefined) return [spec.targetPnrpId]
  const { locationPrefix } = spec
  const location = locationPrefix === undefined ? ANYWHERE : serviceLocationOf(locationPrefix)
  const anyLocation = spec.criteria === ResolveCriteria.ANY_PEER_NAME
  const found = anyLocation ? (spec.excludeIds ?? []) : []
  const targets: PnrpId[] = []
  for (const encoding of encodings) {
    const p2pId = p2pIdOfName(spec, encoding)
    if (found.length > 0) targets.push(...aroundFound(p2pId, found))
    targets.push(pnrpIdOf(p2pId, location))
  }
  return targets
}

/**
 * A LOOKUP can tell of 21 endpoints that nobody needs to name, and a walk makes 22 hops: around one
 * point only so many registrations of a name are found. More of them lie just beyond those found so
 * far, on either side, and then in the widest gaps between them.
 */
function aroundFound(p2pId: Uint8Array, found: readonly PnrpId[]): PnrpId[] {
  const same = found.filter((id) => equalBytes(id.subarray(0, p2pId.length), p2pId))
  const [smallest] = same.sort(compareBytes)
  const greatest = same.at(-1)
  if (same.length < LIMITS.sparseCacheEntries || smallest === undefined || greatest === undefined) {
    return []
  }
  const gaps = same.slice(1).map((to, i) => {
    const from = same[i] as PnrpId
    return { span: spanAsNumber(from, to), middle: midpoint(from, to) }
  })
  const widest = gaps.sort((x, y) => y.span - x.span).slice(0, LIMITS.collectingGaps)
  return [addSmall(greatest, 1), justBelow(smallest), ...widest.map(({ middle }) => middle)]
}

/** id - 1; an ID of 32 zero bytes is nobody's. */
function justBelow(id: PnrpId): PnrpId {
  const below = id.slice()
  for (let i = below.length - 1; i >= 0; i--) {
    below[i] = ((below[i] as number) - 1) & 0xff
    if (below[i] !== 0xff) break
  }
  return below
}

/** Misuse by the caller; the name's syntax is MS-PNRP 2.2.4. */
function invalid(spec: ResolveSpec): CommandFailure | undefined {
  const { authority, classifier, locationPrefix, targetPnrpId, deadlineUs } = spec
  if (!isClassifier(classifier) || (authority !== undefined && authority.length !== 20)) {
    return { code: 'ERR_PEERNET_INVALID_PEER_NAME', message: 'not a peer name' }
  }
  const message =
    locationPrefix !== undefined && locationPrefix.length !== 8
      ? 'a location prefix has 8 bytes'
      : targetPnrpId !== undefined && targetPnrpId.length !== 32
        ? 'a PNRP ID has 32 bytes'
        : !(deadlineUs > 0)
          ? 'a deadline is later than now'
          : undefined
  return message === undefined ? undefined : { code: 'ERR_PEERNET_INVALID_ARG', message }
}
