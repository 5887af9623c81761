import { equalBytes } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { encodeAuthorityBuffer, encodeCpa, encodeExtendedPayload } from '../wire/codec.js'
import type { PnrpId, RouteEntry } from '../wire/messages.js'
import { Announcer } from './announcer.js'
import type { CloudContext } from './context.js'
import { extendedPayloadOf, liveCpa } from './cpa-construction.js'
import { searchTargetOf } from './search-target.js'
import { Departures } from './departures.js'
import type { CloudEvent, RegistrationSpec } from './interface.js'
import { LocalIdList } from './local-ids.js'
import type { LocalRegistration, RegistrationsPart } from './parts.js'
import { isClassifier } from './peer-name.js'
import { classifierHash, p2pIdOf, pnrpIdOf, serviceLocationOf } from './pnrp-id.js'
import { Registration } from './registration.js'

type FailureCode = Extract<CloudEvent, { type: 'registration-failed' }>['code']

/** Room for the signature in the trial encoding of an answer. */
const UNSIGNED = new Uint8Array(128)

/** The names that this node publishes: their life from register to unregister, MS-PNRP 3.2.4. */
export class Registrations implements RegistrationsPart {
  readonly #context: CloudContext
  readonly #list: LocalIdList<Registration>
  readonly #announcer: Announcer
  readonly #departures: Departures
  /** Further PNRP IDs of a registration, by its handle (N-02). */
  readonly #aliases = new Map<number, readonly Registration[]>()
  #nextAlias = -1

  constructor(context: CloudContext) {
    this.#context = context
    this.#list = new LocalIdList(() => context.localEndpoints)
    this.#announcer = new Announcer(context, this.#list)
    this.#departures = new Departures(context)
  }

  get size(): number {
    return this.#list.size
  }

  find(pnrpId: PnrpId): LocalRegistration | undefined {
    return this.#list.find(pnrpId)
  }

  nearest(target: PnrpId, exclude?: readonly PnrpId[]): LocalRegistration | undefined {
    return this.#list.nearest(target, exclude)
  }

  routeEntry(registration: LocalRegistration): RouteEntry {
    return this.#list.routeEntry(registration)
  }

  all(): Iterable<LocalRegistration> {
    return this.#list.all()
  }

  get leaving(): boolean {
    return this.#departures.active
  }

  /** MS-PNRP 3.2.4.1. */
  register(handle: number, spec: RegistrationSpec): void {
    const refusal = this.#refusalOf(handle, spec)
    if (refusal !== undefined) {
      this.#failed(handle, refusal.code, refusal.message)
      return
    }
    const registration = this.#create(handle, spec)
    const broken = this.#tryAnswer(registration)
    if (broken !== undefined) {
      this.#failed(handle, 'ERR_PEERNET_INVALID_ARG', broken)
      return
    }
    this.#add(registration)
  }

  /** New content under the same PNRP ID: CPAs are made for each INQUIRE, so nothing is sent. */
  update(handle: number, spec: RegistrationSpec): void {
    const registration = this.#list.withHandle(handle)
    if (registration === undefined) return
    const before = registration.spec
    const changed =
      spec.classifier !== before.classifier ||
      !equalBytes(spec.authority ?? UNSIGNED, before.authority ?? UNSIGNED)
    registration.spec = spec
    const broken = changed
      ? 'an update cannot change the name'
      : (contentRefusal(spec) ?? this.#tryAnswer(registration))
    if (broken === undefined) {
      for (const alias of this.#aliasesOf(handle)) alias.spec = spec
      this.#announcer.report(registration)
      return
    }
    registration.spec = before
    const code = 'ERR_PEERNET_INVALID_ARG'
    this.#context.events.push({ type: 'update-failed', handle, code, message: broken })
  }

  /** MS-PNRP 3.2.4.2. From now on the ID is answered with N. */
  unregister(handle: number): void {
    const registration = this.#list.withHandle(handle)
    if (registration === undefined) {
      this.#context.events.push({ type: 'unregistered', handle })
      return
    }
    const leaving = [registration, ...this.#aliasesOf(handle)]
    this.#aliases.delete(handle)
    let left = leaving.length
    for (const each of leaving) {
      this.#remove(each, () => {
        left--
        if (left === 0) this.#context.events.push({ type: 'unregistered', handle })
      })
    }
  }

  unregisterAll(): void {
    for (const { alias, handle } of [...this.#list.all()]) if (!alias) this.unregister(handle)
  }

  addressesChanged(): void {
    if (this.#list.size === 0) return
    this.#announceBySsdp()
    this.announceAll()
  }

  announceAll(through?: RouteEntry): void {
    for (const registration of this.#list.all()) this.#announcer.announce(registration, through)
  }

  neighboursChanged(leafOf: readonly PnrpId[]): void {
    this.#announcer.neighboursChanged()
    for (const pnrpId of leafOf) {
      const registration = this.#list.find(pnrpId)
      if (registration !== undefined) registration.leafSetChanged = true
    }
    this.#context.parts.maintenance.neighboursChanged(leafOf)
  }

  /**
   * The classifier encoding was learned (N-02). Every name is registered under the encoding that is
   * settled now as well, not instead: what others taught us must not make our names unfindable.
   */
  dialectChanged(): void {
    const encoding = this.#context.dialect.classifierEncoding
    for (const registration of [...this.#list.all()]) {
      const { handle, spec } = registration
      if (registration.alias || this.#list.size >= LIMITS.localRegistrations) continue
      const p2pId = p2pIdOf(classifierHash(spec.classifier, encoding), spec.authority)
      const ids = [registration, ...this.#aliasesOf(handle)].map(({ pnrpId }) => pnrpId)
      if (ids.some((pnrpId) => equalBytes(pnrpId.subarray(0, 16), p2pId))) continue
      const alias = this.#create(this.#nextAlias--, spec)
      this.#aliases.set(handle, [...this.#aliasesOf(handle), alias])
      this.#add(alias)
    }
  }

  #aliasesOf(handle: number): readonly Registration[] {
    return this.#aliases.get(handle) ?? []
  }

  #add(registration: Registration): void {
    const first = this.#list.size === 0
    this.#list.add(registration)
    this.#context.cache.addLocal(registration.pnrpId)
    if (first) this.#announceBySsdp()
    this.#announcer.announce(registration)
  }

  #remove(registration: Registration, onLeft: () => void): void {
    const neighbours = this.#context.cache.leafSet(registration.pnrpId)
    this.#list.remove(registration)
    this.#announcer.forget(registration)
    this.#context.cache.removeLocal(registration.pnrpId)
    if (this.#list.size === 0) this.#withdrawFromSsdp()
    this.#departures.start(registration, neighbours, onLeft)
  }

  #create(handle: number, spec: RegistrationSpec): Registration {
    const { dialect, localEndpoints, rng } = this.#context
    const hash = classifierHash(spec.classifier, dialect.classifierEncoding)
    // Step 3: a prefix from any local address. Step 4: a random suffix (N-04).
    const prefix = spec.locationPrefix ?? (localEndpoints[0]?.address ?? UNSIGNED).subarray(0, 8)
    const location = serviceLocationOf(prefix, rng.bytes(8))
    const pnrpId = pnrpIdOf(p2pIdOf(hash, spec.authority), location)
    const fields = {
      handle,
      pnrpId,
      spec,
      ...(spec.classifier === '' ? {} : { classifierHash: hash }),
    }
    return new Registration(fields, this.#announcer)
  }

  #refusalOf(
    handle: number,
    spec: RegistrationSpec,
  ): { code: FailureCode; message: string } | undefined {
    if (this.#context.resolveOnly) {
      return { code: 'ERR_PEERNET_INVALID_ARG', message: 'the cloud was opened for resolving only' }
    }
    if (this.#list.withHandle(handle) !== undefined) {
      return { code: 'ERR_PEERNET_INVALID_ARG', message: `handle ${handle} is registered` }
    }
    if (this.#context.localEndpoints.length === 0) {
      return { code: 'ERR_PEERNET_NO_ADDRESS', message: 'this node has no address in the cloud' }
    }
    if (this.#list.size >= LIMITS.localRegistrations) {
      const message = `at most ${LIMITS.localRegistrations} names are registered at a time`
      return { code: 'ERR_PEERNET_LIMIT', message }
    }
    const name = nameRefusal(spec)
    if (name !== undefined) return { code: 'ERR_PEERNET_INVALID_PEER_NAME', message: name }
    const content = contentRefusal(spec)
    return content === undefined ? undefined : { code: 'ERR_PEERNET_INVALID_ARG', message: content }
  }

  /**
   * Encodes the largest answer that this registration can lead to: what does not fit the wire must
   * fail here and not when a stranger asks. Returns what is wrong. Offline there is no such answer.
   */
  #tryAnswer(registration: Registration): string | undefined {
    if (this.#context.offline) return undefined
    const { spec } = registration
    try {
      const cpa = encodeCpa({ ...liveCpa(this.#context, registration), signature: UNSIGNED })
      const payload = extendedPayloadOf(this.#context, registration)
      encodeAuthorityBuffer({
        leafSet: false,
        busy: false,
        notFound: false,
        ...(spec.certificateChain === undefined ? {} : { certificateChain: spec.certificateChain }),
        ...(spec.classifier === '' ? {} : { classifier: spec.classifier }),
        ...(payload === undefined
          ? {}
          : { extendedPayload: encodeExtendedPayload({ ...payload, signature: UNSIGNED }) }),
        routeEntry: this.#list.routeEntry(registration),
        cpa,
      })
      return undefined
    } catch (error) {
      if (error instanceof PeernetError) return error.message
      throw error
    }
  }

  #announceBySsdp(): void {
    const { effects, localEndpoints, scope } = this.#context
    const endpoint = localEndpoints[0]
    const searchTarget = searchTargetOf(scope)
    if (endpoint === undefined || searchTarget === undefined) return
    effects.push({ type: 'ssdp-announce', searchTarget, endpoint })
  }

  #withdrawFromSsdp(): void {
    const searchTarget = searchTargetOf(this.#context.scope)
    if (searchTarget !== undefined) {
      this.#context.effects.push({ type: 'ssdp-withdraw', searchTarget })
    }
  }

  #failed(handle: number, code: FailureCode, message: string): void {
    this.#context.events.push({ type: 'registration-failed', handle, code, message })
  }
}

/** MS-PNRP 2.2.4, 3.2.4.1 and N-45. */
function nameRefusal({
  authority,
  classifier,
  certificateChain,
}: RegistrationSpec): string | undefined {
  if (!isClassifier(classifier)) return 'a classifier has at most 149 units, none of them NUL'
  if (authority !== undefined && authority.length !== 20) return 'an authority has 20 bytes'
  if (authority === undefined && classifier === '') return 'an unsecured name needs a classifier'
  if (authority === undefined && certificateChain !== undefined) {
    return 'a certificate chain belongs to a secure name'
  }
  return undefined
}

/** MS-PNRP 3.2.4.1: endpoints, unless there is an extended payload; what they must look like. */
function contentRefusal(spec: RegistrationSpec): string | undefined {
  if (spec.appEndpoints.length === 0 && spec.extendedPayload === undefined) {
    return 'a registration needs an endpoint or an extended payload'
  }
  if (spec.locationPrefix !== undefined && spec.locationPrefix.length !== 8) {
    return 'a service location prefix has 8 bytes'
  }
  return undefined
}
