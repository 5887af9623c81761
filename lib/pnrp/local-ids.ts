import { bytesKey, compareBytes, equalBytes } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { lowerBound } from '../core/sorted.js'
import { compareDistance } from '../native/ring.js'
import type { PnrpId, RouteEntry } from '../wire/messages.js'
import type { LocalIds, LocalRegistration } from './parts.js'

/** Builds route entries over one Local Endpoint List, whose address array they share. */
class RouteEntryMaker {
  #endpoints: readonly Endpoint[] = []
  #addresses: readonly Uint8Array[] = []

  make(pnrpId: PnrpId, endpoints: readonly Endpoint[]): RouteEntry {
    if (endpoints !== this.#endpoints) {
      this.#endpoints = endpoints
      this.#addresses = endpoints.map((endpoint) => endpoint.address)
    }
    return { pnrpId, port: endpoints[0]?.port ?? 0, addresses: this.#addresses }
  }
}

/**
 * The Locally Registered PNRP ID List (MS-PNRP 3.2.1), found by ID, by handle and by nearness:
 * every LOOKUP asks for the ID nearest its target.
 */
export class LocalIdList<T extends LocalRegistration> implements LocalIds {
  readonly #endpoints: () => readonly Endpoint[]
  readonly #byId = new Map<string, T>()
  readonly #byHandle = new Map<number, T>()
  /** In numeric order of PNRP IDs. */
  readonly #sorted: T[] = []
  readonly #entries = new RouteEntryMaker()

  /** `endpoints` gives the present Local Endpoint List. */
  constructor(endpoints: () => readonly Endpoint[]) {
    this.#endpoints = endpoints
  }

  get size(): number {
    return this.#sorted.length
  }

  add(registration: T): void {
    this.#byId.set(bytesKey(registration.pnrpId), registration)
    this.#byHandle.set(registration.handle, registration)
    this.#sorted.splice(this.#position(registration.pnrpId), 0, registration)
  }

  remove(registration: T): boolean {
    if (this.#byHandle.get(registration.handle) !== registration) return false
    this.#byHandle.delete(registration.handle)
    this.#byId.delete(bytesKey(registration.pnrpId))
    this.#sorted.splice(this.#position(registration.pnrpId), 1)
    return true
  }

  find(pnrpId: PnrpId): T | undefined {
    return this.#sorted.length === 0 ? undefined : this.#byId.get(bytesKey(pnrpId))
  }

  withHandle(handle: number): T | undefined {
    return this.#byHandle.get(handle)
  }

  /** The one at this place in numeric order, 0 .. size - 1. */
  at(index: number): T | undefined {
    return this.#sorted[index]
  }

  nearest(target: PnrpId, exclude: readonly PnrpId[] = []): T | undefined {
    const count = this.#sorted.length
    if (count === 1 && exclude.length === 0) return this.#sorted[0]
    // Outwards from the target on both sides; the nearer of the two heads comes next.
    let up = this.#position(target)
    let down = up - 1
    for (let seen = 0; seen < count; seen++) {
      const above = this.#sorted[up % count] as T
      const below = this.#sorted[(down + count) % count] as T
      const takeAbove = compareDistance(target, above.pnrpId, below.pnrpId) <= 0
      const candidate = takeAbove ? above : below
      if (takeAbove) up++
      else down--
      if (!exclude.some((id) => equalBytes(id, candidate.pnrpId))) return candidate
    }
    return undefined
  }

  routeEntry(registration: LocalRegistration): RouteEntry {
    return this.#entries.make(registration.pnrpId, this.#endpoints())
  }

  all(): readonly T[] {
    return this.#sorted
  }

  /** Index of the first ID that is not smaller. */
  #position(pnrpId: PnrpId): number {
    return lowerBound(this.#sorted, pnrpId, (one, id) => compareBytes(one.pnrpId, id))
  }
}
