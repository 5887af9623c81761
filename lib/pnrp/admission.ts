import { bytesKey, isAllZero } from '../core/bytes.js'
import { endpointKey, keepEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { AuthorityBuffer, InquireMessage, RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { validateCpa } from './cpa-validation.js'
import { isReachable } from './destination.js'
import type { AdmissionPart, EntryOrigin, Exchange, ExchangeOwner } from './parts.js'
import { addressesWithin, emittedEntry, keepEntry, sameAddresses } from './route-entry.js'
import { SourceQuota } from './source-quota.js'

/** An entry of the Pending Route Entry Add List, MS-PNRP 3.1.1. */
class PendingEntry implements ExchangeOwner {
  readonly entry: RouteEntry
  readonly origin: EntryOrigin
  readonly needCpa: boolean
  readonly key: string
  readonly #list: Admission

  constructor(
    list: Admission,
    key: string,
    entry: RouteEntry,
    origin: EntryOrigin,
    needCpa: boolean,
  ) {
    this.#list = list
    this.key = key
    this.entry = entry
    this.origin = origin
    this.needCpa = needCpa
  }

  onAuthority(exchange: Exchange, from: Endpoint, buffer: AuthorityBuffer): void {
    this.#list.answered(this, exchange, from, buffer)
  }

  onGivenUp(exchange: Exchange): void {
    this.#list.givenUp(this, exchange)
  }
}

/**
 * Nothing gets into the route entry cache unless its node answered an INQUIRE for it (return
 * routability, MS-PNRP 3.1.5.11), and nothing into a leaf set without a valid CPA (3.2.5.1). Asks
 * only about entries that the cache would keep (design lesson "Validate little").
 */
export class Admission implements AdmissionPart {
  readonly #context: CloudContext
  readonly #pending = new Map<string, PendingEntry>()
  readonly #quota: SourceQuota

  constructor(context: CloudContext) {
    this.#context = context
    this.#quota = new SourceQuota(context.scope)
  }

  get pending(): number {
    return this.#pending.size
  }

  submit(received: RouteEntry, origin: EntryOrigin): void {
    const { cache, counters, now, parts } = this.#context
    // The cache keeps no more addresses than this, so compare and ask only these.
    const entry = emittedEntry(received)
    // N-05, N-67: a port of 1024 or below or an address of another scope makes it unusable.
    const { localEndpoints, scope } = this.#context
    if (!isReachable(entry, localEndpoints, scope) || isAllZero(entry.pnrpId)) {
      counters.add('refused.entry.unusable')
      return
    }
    const cached = cache.get(entry.pnrpId)
    const same = cached !== undefined && sameAddresses(cached, entry)
    if (same) {
      // N-58: only a node that was just asked is validated again, and not every time.
      const fresh = now - cached.validatedAt < LIMITS.revalidateAfterUs
      if (fresh || origin.via !== 'RESOLVE') return
    }
    if (parts.registrations.find(entry.pnrpId) !== undefined) return
    const { keep, leaf } = cache.wouldKeep(entry.pnrpId)
    if (cached === undefined && !keep) {
      counters.add('refused.entry.not-kept')
      return
    }
    // Whoever wants to change the addresses of a node that is known has to prove the right to.
    const moved = cached !== undefined && !same
    this.#ask(entry, origin, leaf || moved)
  }

  recheck(entry: RouteEntry): void {
    const from = this.#context.reachedAt(entry)
    if (from === undefined) return
    const { leaf } = this.#context.cache.wouldKeep(entry.pnrpId)
    this.#ask(entry, { via: 'RESOLVE', from }, leaf)
  }

  admitValidated(entry: RouteEntry, origin: EntryOrigin, keyHash: Uint8Array): void {
    const { cache } = this.#context
    const cached = cache.get(entry.pnrpId)
    if (cached !== undefined || cache.wouldKeep(entry.pnrpId).keep) {
      this.#admit(entry, cached, origin, keyHash)
    }
  }

  /** 3.1.5.6.1.2. */
  answered(
    pending: PendingEntry,
    exchange: Exchange,
    from: Endpoint,
    buffer: AuthorityBuffer,
  ): void {
    const { entry, origin } = pending
    if (buffer.notFound) {
      this.#forget(pending)
      this.#context.counters.add('refused.entry.not-registered')
      this.#context.evictAt(entry.pnrpId, exchange.to)
      return
    }
    if (!pending.needCpa) {
      this.#forget(pending)
      this.#admit(entry, this.#context.cache.get(entry.pnrpId), origin)
      return
    }
    const nonce = exchange.nonce as Uint8Array
    const question = { pnrpId: entry.pnrpId, nonce, wantedPayload: false, answeredBy: from }
    validateCpa(this.#context, buffer, question, (verdict) => {
      this.#forget(pending)
      if (!verdict.ok) {
        this.#context.counters.add('refused.entry.cpa')
        return
      }
      // N-50
      if (!addressesWithin(entry, verdict.peer.serviceAddresses)) {
        this.#context.counters.add('refused.entry.addresses')
        return
      }
      this.#admit(entry, this.#context.cache.get(entry.pnrpId), origin, verdict.keyHash)
    })
  }

  /** 3.2.6.3: discarded silently; one that is cached at this endpoint is dead. */
  givenUp(pending: PendingEntry, exchange: Exchange): void {
    this.#forget(pending)
    this.#context.counters.add('refused.entry.unreachable')
    this.#context.silentAt(pending.entry.pnrpId, exchange.to)
  }

  #ask(received: RouteEntry, origin: EntryOrigin, needCpa: boolean): void {
    const context = this.#context
    const entry = keepEntry(received)
    const destination = context.destinationsOf(entry)
    if (destination === undefined) return
    const key = bytesKey(entry.pnrpId) + endpointKey(destination.to)
    if (this.#pending.has(key)) return
    if (this.#pending.size >= LIMITS.pendingAdmissions || !this.#quota.take(origin.from)) {
      context.counters.add('refused.entry.list-full')
      return
    }
    const pending = new PendingEntry(this, key, entry, keepOrigin(origin), needCpa)
    this.#pending.set(key, pending)
    const message: InquireMessage = {
      type: 'INQUIRE',
      messageId: context.newMessageId(),
      wantCpa: needCpa,
      wantExtendedPayload: false,
      wantCertificateChain: needCpa,
      validatePnrpId: entry.pnrpId,
      // N-10
      ...(needCpa ? { nonce: context.rng.bytes(16) } : {}),
    }
    const exchange = context.request(message, {
      ...destination,
      reason: 'admission',
      owner: pending,
    })
    if (exchange === undefined) this.#forget(pending)
  }

  #admit(
    entry: RouteEntry,
    cached: RouteEntry | undefined,
    origin: EntryOrigin,
    keyHash?: Uint8Array,
  ): void {
    const { cache, now, parts } = this.#context
    if (cached !== undefined && sameAddresses(cached, entry)) {
      cache.touch(entry.pnrpId, now, keyHash)
      return
    }
    const result = cache.insert(entry, now, keyHash)
    if (!result.inserted && !result.replaced) return
    parts.flooding.entryCached(entry, origin)
  }

  #forget(pending: PendingEntry): void {
    if (this.#pending.get(pending.key) !== pending) return
    this.#pending.delete(pending.key)
    this.#quota.release(pending.origin.from)
  }
}

/** A copy that may outlive the datagram. */
function keepOrigin(origin: EntryOrigin): EntryOrigin {
  const { floodedList, floodValidate } = origin
  return {
    via: origin.via,
    from: origin.from,
    ...(floodedList === undefined ? {} : { floodedList: floodedList.map(keepEndpoint) }),
    ...(floodValidate === undefined ? {} : { floodValidate: floodValidate.slice() }),
  }
}
