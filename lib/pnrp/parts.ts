import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import type {
  AuthorityBuffer,
  FloodMessage,
  InquireMessage,
  LookupMessage,
  PnrpId,
  RequestMessage,
  ResolveCriteria,
  ResolveReason,
  RouteEntry,
  SolicitMessage,
} from '../wire/messages.js'
import type { ResolvedPeer, CpaRefusal, RegistrationSpec, ResolveSpec, CloudLocalEvent } from './interface.js'

/**
 * The seams between the sub-machines of one cloud. `cloud.ts` builds them all over one
 * `CloudContext` and routes messages, timers and effects' results to them; they call each other
 * only through these interfaces.
 */

/** Where a route entry came from, MS-PNRP 3.2.5.1. */
export interface EntryOrigin {
  readonly via: 'SOLICIT' | 'LOOKUP' | 'FLOOD' | 'AUTHORITY' | 'RESOLVE'
  readonly from: Endpoint
  /** Of a FLOOD: its Already Flooded List and Validate PNRP ID. */
  readonly floodedList?: readonly Endpoint[]
  readonly floodValidate?: PnrpId
}

/** A locally registered PNRP ID with all that is needed to answer for it. */
export interface LocalRegistration {
  readonly handle: number
  readonly pnrpId: PnrpId
  readonly spec: RegistrationSpec
}

/** Locally Registered PNRP ID List (MS-PNRP 3.2.1). */
export interface LocalIds {
  readonly size: number
  find(pnrpId: PnrpId): LocalRegistration | undefined
  /** Local ID nearest the target on the ring, skipping `exclude`. */
  nearest(target: PnrpId, exclude?: readonly PnrpId[]): LocalRegistration | undefined
  /** Route entry of a local ID over the Local Endpoint List. */
  routeEntry(registration: LocalRegistration): RouteEntry
  all(): Iterable<LocalRegistration>
}

/** A resolve inside the machine, MS-PNRP 3.1.4.4.2. */
export interface ResolveRequest {
  readonly target: PnrpId
  readonly criteria: ResolveCriteria
  readonly precision: number
  readonly reason: ResolveReason
  readonly pickBestMatchFromLocalIds: boolean
  readonly initialBestMatch?: RouteEntry
  readonly initialNextHop?: RouteEntry
  readonly excludeIds?: readonly PnrpId[]
  readonly deadline: Instant
  /** Set for application resolves: progress events carry it. */
  readonly handle?: number
  /** For application resolves: the name, to check the classifier of the answer. */
  readonly name?: Pick<ResolveSpec, 'authority' | 'classifier'>
  readonly onDone: (result: ResolveOutcome) => void
}

export interface ResolveOutcome {
  readonly outcome: 'found' | 'not-found' | 'unreachable' | 'refused' | 'deadline' | 'cancelled'
  /** CurrentBestMatch when the walk ended. */
  readonly bestMatch?: RouteEntry
  readonly peer?: ResolvedPeer
  readonly refusals: readonly CpaRefusal[]
  readonly lookups: number
  readonly usefulHops: number
}

export interface ResolverPart {
  start(request: ResolveRequest): void
  cancel(handle: number): boolean
  readonly active: number
}

/** Pending Route Entry Add List (3.1.5.11, 3.2.5.1): return routability before anything is cached. */
export interface AdmissionPart {
  submit(entry: RouteEntry, origin: EntryOrigin): void
  /** The entry of this ID is in doubt (invalid revoke, N-28): ask it again now. */
  recheck(entry: RouteEntry): void
}

/** Synchronization conversations, both sides (3.1.4.3, 3.1.5.3, 3.2.5.3, 3.2.5.4). */
export interface SynchronizationPart {
  start(to: Endpoint): void
  handleSolicit(from: Endpoint, message: SolicitMessage): void
  handleRequest(from: Endpoint, message: RequestMessage): void
}

/** Answers as a publisher (3.2.5). */
export interface ResponderPart {
  handleLookup(from: Endpoint, message: LookupMessage): void
  handleInquire(from: Endpoint, message: InquireMessage): void
  /** N-55: the best match is one of our own IDs; the answer it would give. */
  answerLocally(registration: LocalRegistration): ResolvedPeer
}

/** Leaf-set floods and revocation (3.1.5.5, 3.2.5.5, 3.2.5.11). */
export interface FloodingPart {
  handleFlood(from: Endpoint, message: FloodMessage): void
  /** An entry passed validation and is now in the cache (3.2.5.11). */
  entryCached(entry: RouteEntry, origin: EntryOrigin): void
}

/** Registration life (3.2.4). */
export interface RegistrationsPart extends LocalIds {
  register(handle: number, spec: RegistrationSpec): void
  update(handle: number, spec: RegistrationSpec): void
  unregister(handle: number): void
  /** 3.2.7.2: announce every local ID again. */
  addressesChanged(): void
  unregisterAll(): void
  /** Revokes are all acknowledged or given up: nothing left to send. */
  readonly leaving: boolean
}

/** Discovery of other nodes (3.1.4.2, 3.1.5.1). */
export interface DiscoveryPart {
  round(): void
  handleLocalEvent(event: CloudLocalEvent): void
}

/** Periodic work (3.1.6.2, 3.2.6.2). */
export interface MaintenancePart {
  tick(): void
  repair(): void
  readonly estimatedNodes: number | undefined
}

export interface CloudParts {
  resolver: ResolverPart
  admission: AdmissionPart
  synchronization: SynchronizationPart
  responder: ResponderPart
  flooding: FloodingPart
  registrations: RegistrationsPart
  discovery: DiscoveryPart
  maintenance: MaintenancePart
}

/** A request that waits for its answer on the Pending List. */
export interface Exchange {
  readonly messageId: number
  readonly kind: 'SOLICIT' | 'REQUEST' | 'FLOOD' | 'LOOKUP' | 'INQUIRE'
  readonly to: Endpoint
  /** Other addresses of the same route entry: answers from them count too (N-35). */
  readonly alternates: readonly Endpoint[]
  readonly sentAt: Instant
  /** FLOOD: its Validate PNRP ID; LOOKUP, INQUIRE: likewise. */
  readonly validatePnrpId?: PnrpId
  /** INQUIRE: the nonce sent, if any. */
  readonly nonce?: Uint8Array
  readonly owner: ExchangeOwner
}

/** Who sent a request; only the methods that its kind needs. */
export interface ExchangeOwner {
  onAuthority?(exchange: Exchange, from: Endpoint, buffer: AuthorityBuffer): void
  onAck?(exchange: Exchange, notFound: boolean): void
  onAdvertise?(exchange: Exchange, from: Endpoint, pnrpIds: readonly PnrpId[], hashedNonce: Uint8Array): void
  /** The soft timeout passed; the exchange stays open and a late answer still counts. */
  onSoftTimeout?(exchange: Exchange): void
  /** Retry Count reached 0 (3.1.6.3); the exchange is gone. */
  onGivenUp?(exchange: Exchange): void
}
