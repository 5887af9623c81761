import { equalBytes } from '../core/bytes.js'
import { keepEndpoint, sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { CachedEntry } from '../native/route-cache.js'
import type { PnrpId } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { extendFloodedList, sendFlood } from './flood-sender.js'
import type { ExchangeOwner } from './parts.js'
import { validateRevoke } from './revoke-validation.js'

/**
 * Revoke CPAs received in FLOODs (MS-PNRP 3.1.5.5 with N-28): a revoke removes an entry only if it
 * is signed with the key that was seen when the entry was validated. Otherwise the entry's node is
 * asked at once whether it still has the name. A valid one travels on, away from the ID that left
 * (4.3, N-30).
 */
export class RevokeReceiver {
  readonly #context: CloudContext
  readonly #owner: ExchangeOwner
  #verifying = 0

  /** `owner` hears of the FLOODs that pass a revoke on. */
  constructor(context: CloudContext, owner: ExchangeOwner) {
    this.#context = context
    this.#owner = owner
  }

  handle(from: Endpoint, encoded: Uint8Array, floodedList: readonly Endpoint[]): void {
    const { budgets, counters, now } = this.#context
    if (this.#verifying >= LIMITS.pendingRevokes || !budgets.inquire.take(now, from)) {
      counters.add('drop.revokes-full')
      return
    }
    // The bytes live in the receive buffer, which is gone when the signature is checked.
    const revoke = encoded.slice()
    const flooded = floodedList.map(keepEndpoint)
    if (!flooded.some((endpoint) => sameEndpoint(endpoint, from))) flooded.push(keepEndpoint(from))
    this.#verifying++
    validateRevoke(this.#context, revoke, (verdict) => {
      this.#verifying--
      if (verdict.ok) this.#remove(verdict.pnrpId, revoke, flooded)
      else if (verdict.entry !== undefined) this.#context.parts.admission.recheck(verdict.entry)
    })
  }

  #remove(pnrpId: PnrpId, revoke: Uint8Array, flooded: readonly Endpoint[]): void {
    const { cache, counters, parts } = this.#context
    const leafOf = cache.leafOf(pnrpId)
    // Chosen before the removal moves others into the leaf set.
    const onward = leafOf.flatMap((localId) => this.#onward(localId, pnrpId, flooded))
    if (!cache.remove(pnrpId)) return
    counters.add('cache.removed-revoked')
    parts.registrations.neighboursChanged(leafOf)
    this.#passOn(onward, revoke, flooded)
  }

  /** Members of a local leaf set that lie further away than we in the revoke's direction. */
  #onward(localId: PnrpId, revoked: PnrpId, flooded: readonly Endpoint[]): CachedEntry[] {
    const { smaller, greater } = this.#context.cache.leafSet(localId)
    const onward: CachedEntry[] = []
    if (hasId(greater, revoked)) onward.push(...nextOf(smaller, revoked, flooded))
    if (hasId(smaller, revoked)) onward.push(...nextOf(greater, revoked, flooded))
    return onward
  }

  #passOn(onward: readonly CachedEntry[], revoke: Uint8Array, flooded: readonly Endpoint[]): void {
    const context = this.#context
    const { localEndpoints, counters } = context
    const targets = onward.filter(
      (entry, i) => onward.findIndex((other) => equalBytes(other.pnrpId, entry.pnrpId)) === i,
    )
    if (targets.length === 0) return
    const list = extendFloodedList(flooded, [
      ...localEndpoints.slice(0, 1),
      ...context.allReachedAt(targets),
    ])
    if (list === undefined) {
      counters.add('flood.list-full')
      return
    }
    for (const target of targets) {
      sendFlood(context, target, { revokeCpa: revoke }, list, this.#owner)
    }
  }
}

function hasId(entries: readonly CachedEntry[], pnrpId: PnrpId): boolean {
  return entries.some((entry) => equalBytes(entry.pnrpId, pnrpId))
}

/** The nearest member that is neither the revoked ID nor flooded already; none or one. */
function nextOf(
  side: readonly CachedEntry[],
  revoked: PnrpId,
  flooded: readonly Endpoint[],
): CachedEntry[] {
  const next = side.find(
    (entry) =>
      !equalBytes(entry.pnrpId, revoked) &&
      !flooded.some(
        (endpoint) =>
          endpoint.port === entry.port &&
          entry.addresses.some((address) => equalBytes(address, endpoint.address)),
      ),
  )
  return next === undefined ? [] : [next]
}
