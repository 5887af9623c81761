import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import type {
  AuthorityBuffer,
  AuthorityMessage,
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
import type {
  CloudLocalEvent,
  CommandFailure,
  CpaRefusal,
  RegistrationSpec,
  ResolvedPeer,
  ResolveResult,
  ResolveSpec,
} from './interface.js'

/**
 * The seams between the sub-machines of one cloud. `cloud.ts` builds them all over one
 * `CloudContext` (each constructor takes it as its first argument and has no side effects) and
 * routes messages, timers and effects' results to them; they call each other only through these
 * interfaces, by way of `context.parts`.
 *
 * | part            | class                    | file                         |
 * |-----------------|--------------------------|------------------------------|
 * | resolver        | Resolver                 | resolver.ts                  |
 * | admission       | Admission                | admission.ts                 |
 * | authority       | AuthorityReceiver        | authority.ts                 |
 * | synchronization | Synchronization          | conversation.ts (joining)    |
 * |                 | SynchronizationResponder | synchronization-responder.ts |
 * | responder       | Responder                | responder.ts                 |
 * | flooding        | Flooding                 | flooding.ts                  |
 * | registrations   | Registrations            | registrations.ts             |
 * | discovery       | CloudDiscovery           | cloud-discovery.ts           |
 * | maintenance     | Maintenance              | maintenance.ts               |
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
  /** 20 bytes; absent for an empty classifier (flag C clear). */
  readonly classifierHash?: Uint8Array
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
  /** 'failed': not started, because the table is full or there is no local address. */
  readonly outcome: ResolveResult
  readonly failure?: CommandFailure
  /** CurrentBestMatch when the walk ended; for a split test the entry in its answer (N-14). */
  readonly bestMatch?: RouteEntry
  readonly peer?: ResolvedPeer
  readonly refusals: readonly CpaRefusal[]
  readonly lookups: number
  readonly usefulHops: number
}

/** A resolve of the application while the cloud is still looking for its first neighbour. */
export interface EarlyResolve {
  readonly handle: number
  resume(): void
  end(failure?: CommandFailure): void
}

export interface ResolverPart {
  /** Always ends in `onDone`, perhaps before this call returns. */
  start(request: ResolveRequest): void
  cancel(handle: number): boolean
  /** Ends every resolve with 'cancelled', or with 'failed' for this reason. */
  cancelAll(failure?: CommandFailure): void
  /** Keeps a resolve that asked before anybody was known, until `joined`, `cancel` or a timer. */
  hold(early: EarlyResolve): void
  release(early: EarlyResolve): void
  /** Others are known now, or it is clear that there are none. */
  joined(): void
  readonly active: number
}

/**
 * Pending Route Entry Add List (3.1.5.11, 3.2.5.1): return routability before anything is cached.
 */
export interface AdmissionPart {
  submit(entry: RouteEntry, origin: EntryOrigin): void
  /** The entry of this ID is in doubt (invalid revoke, N-28): ask it again now. */
  recheck(entry: RouteEntry): void
  /**
   * The entry's node has just proven itself to someone else's INQUIRE with a valid CPA for exactly
   * these addresses: cache it without asking again.
   */
  admitValidated(entry: RouteEntry, origin: EntryOrigin, keyHash: Uint8Array): void
  /** Entries waiting for the answer to their INQUIRE. */
  readonly pending: number
}

/** AUTHORITY messages: match, reassemble, decode, hand to the exchange's owner (3.1.5.6). */
export interface AuthorityPart {
  handleAuthority(from: Endpoint, message: AuthorityMessage): void
  /** The request is answered or given up: free its reassembly (3.1.6.3, N-34). */
  forget(exchange: Exchange): void
}

/** Synchronization conversations, both sides (3.1.4.3, 3.1.5.3, 3.2.5.3, 3.2.5.4). */
export interface SynchronizationPart extends SynchronizationResponderPart {
  /** Joining side: SOLICIT that node, unless a conversation with it is under way already. */
  start(to: Endpoint): void
  /** Conversations of the joining side under way. */
  readonly open: number
}

/** The answering half (3.2.5.3, 3.2.5.4). */
export interface SynchronizationResponderPart {
  handleSolicit(from: Endpoint, message: SolicitMessage): void
  handleRequest(from: Endpoint, message: RequestMessage): void
}

/** How a conversation that we started ended: 'empty' = it answered but offers nothing. */
export type ConversationOutcome = 'answered' | 'empty' | 'refused' | 'unanswered'

/** Answers as a publisher (3.2.5). */
export interface ResponderPart {
  handleLookup(from: Endpoint, message: LookupMessage): void
  handleInquire(from: Endpoint, message: InquireMessage): void
  /** Nodes that were given a CPA in the last minutes, to be told when a name goes. */
  readonly recentAskers: readonly Endpoint[]
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
  /** Run the registration walk of every local ID, starting at that node if one is given (N-64). */
  announceAll(through?: RouteEntry): void
  /**
   * The classifier encoding was learned (N-02): names registered under another get new PNRP IDs.
   */
  dialectChanged(): void
  /**
   * The cache gained or lost an entry; `leafOf` are the local IDs in whose leaf set it is or was.
   */
  neighboursChanged(leafOf: readonly PnrpId[]): void
  unregisterAll(): void
  /** Revokes are all acknowledged or given up: nothing left to send. */
  readonly leaving: boolean
}

/** Discovery of other nodes (3.1.4.2, 3.1.5.1). */
export interface DiscoveryPart {
  /** 3.1.4.1: forget everything, index 0, mode LocalOOB, first round. */
  open(seeds: readonly Endpoint[], lastUsed: readonly Endpoint[]): void
  /** The cloud is closed: stop, and forget everything. */
  close(): void
  round(): void
  handleLocalEvent(event: CloudLocalEvent): void
  /** A conversation (of whatever origin) ended; called by the synchronization part. */
  conversationEnded(to: Endpoint, outcome: ConversationOutcome): void
  /** A local ID waits for its first neighbour: nodes asked before it existed should hear of it. */
  introduce(): void
  /** Every mode was tried since a node was last known, and nothing is under way: we are alone. */
  readonly exhausted: boolean
  /**
   * The seed to use next (3.1.4.2.1, 3.2.6.2.1), not one of our own endpoints; the index moves on.
   */
  nextSeed(): Endpoint | undefined
  /** Last-used nodes that the cloud was opened with, newest first (N-64). */
  readonly remembered: readonly Endpoint[]
  /**
   * What was tried and how it went, in words for people: 'no seed is configured, nobody answered
   * the multicast search'. Only asked for when the cloud's state changes.
   */
  describe(): string
}

/** Periodic work (3.1.6.2, 3.2.6.2). The cloud machine owns the Maintenance Timer. */
export interface MaintenancePart {
  /** The Maintenance Timer expired; includes discovery when no other member is known (3.1.6.2). */
  tick(): void
  repair(): void
  /**
   * The node of a cached entry did not answer in time: the entry leaves the cache, its node is
   * remembered to be asked again later, and the leaf sets that lost it are refilled.
   */
  nodeLost(pnrpId: PnrpId): void
  /** Called by the registrations part: see `RegistrationsPart.neighboursChanged`. */
  neighboursChanged(leafOf: readonly PnrpId[]): void
  readonly estimatedNodes: number | undefined
}

export interface CloudParts {
  readonly resolver: ResolverPart
  readonly admission: AdmissionPart
  readonly authority: AuthorityPart
  readonly synchronization: SynchronizationPart
  readonly responder: ResponderPart
  readonly flooding: FloodingPart
  readonly registrations: RegistrationsPart
  readonly discovery: DiscoveryPart
  readonly maintenance: MaintenancePart
}

/** A request that waits for its answer on the Pending List. */
export interface Exchange {
  readonly messageId: number
  readonly kind: 'SOLICIT' | 'REQUEST' | 'FLOOD' | 'LOOKUP' | 'INQUIRE'
  readonly to: Endpoint
  /** Other addresses of the same route entry: answers from them count too (N-35). */
  readonly alternates: readonly Endpoint[]
  /** First transmission. */
  readonly sentAt: Instant
  /** Transmissions still to come before it is given up; below 2 it was sent more than once. */
  readonly retryCount: number
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
  onAdvertise?(
    exchange: Exchange,
    from: Endpoint,
    pnrpIds: readonly PnrpId[],
    hashedNonce: Uint8Array,
  ): void
  /**
   * The soft timeout passed since the first transmission (`retryCount` 2) or the second (1); the
   * exchange stays open and a late answer still counts.
   */
  onSoftTimeout?(exchange: Exchange): void
  /** Retry Count reached 0 (3.1.6.3); the exchange is gone. */
  onGivenUp?(exchange: Exchange): void
}
