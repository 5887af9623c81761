import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import type { ErrorCode } from '../core/errors.js'
import type { CryptoJob, CryptoResult, ChainRefusal } from './crypto-port.js'
import type {
  AppEndpoint,
  ExtendedPayload,
  PnrpId,
  ResolveCriteria,
  ResolveReason,
  RouteEntry,
} from '../wire/messages.js'

/** What goes into a cloud machine and what comes out of it. One machine = one node in one cloud. */

export type CloudScope = 'global' | 'site-local' | 'link-local' | 'loopback'

/** What a publisher registers, MS-PNRP 3.2.4.1. */
export interface RegistrationSpec {
  /** 20 bytes, absent for unsecured names. For delegated names the root identity's. */
  readonly authority?: Uint8Array
  readonly classifier: string
  /** Key held by the crypto port that signs the CPA, and its DER RSAPublicKey (140 bytes). */
  readonly keyId: string
  readonly publicKey: Uint8Array
  /** PKCS #7 chain of a delegated name. */
  readonly certificateChain?: Uint8Array
  /** Upper 64 bits of the service location; default: of a local address. */
  readonly locationPrefix?: Uint8Array
  /** 1..78 bytes and its encoding. */
  readonly friendlyName?: { readonly bytes: Uint8Array; readonly utf8: boolean }
  readonly appEndpoints: readonly AppEndpoint[]
  readonly extendedPayload?: ExtendedPayload['payload']
}

export interface ResolveSpec {
  readonly authority?: Uint8Array
  readonly classifier: string
  readonly criteria: ResolveCriteria
  /** Upper 64 bits of the wanted service location; default zero. */
  readonly locationPrefix?: Uint8Array
  /** Whole 256-bit target instead of one made from the name (tests, UPPER_BITS). */
  readonly targetPnrpId?: PnrpId
  readonly precision?: number
  /** PickBestMatchFromLocalIds: may this node's own registrations be the answer? */
  readonly includeLocal: boolean
  /** PNRP IDs already returned to the caller: skip them and look for others. */
  readonly excludeIds?: readonly PnrpId[]
  /** N-56; microseconds. */
  readonly deadlineUs: number
}

/** A resolved registration; `verified` says what was proven. */
export interface ResolvedPeer {
  readonly pnrpId: PnrpId
  /** The publisher's PNRP node. */
  readonly serviceAddresses: readonly Endpoint[]
  readonly appEndpoints: readonly AppEndpoint[]
  readonly friendlyName?: { readonly bytes: Uint8Array; readonly utf8: boolean }
  readonly classifier?: string
  readonly extendedPayload?: ExtendedPayload['payload']
  readonly publicKey: Uint8Array
  readonly notAfter: bigint
  /** 'none' for an unsecured name (signature checked, but tied to nobody). */
  readonly verified: 'authority' | 'chain' | 'none'
}

export type CpaRefusal =
  | 'no-cpa'
  | 'not-registered'
  | 'cpa-malformed'
  | 'cpa-authority-missing'
  | 'cpa-authority'
  | 'cpa-classifier'
  | 'cpa-expired'
  | 'cpa-nonce'
  | 'cpa-pnrp-id'
  | 'cpa-addresses'
  | 'cpa-revoked'
  | 'payload-missing'
  | 'payload-malformed'
  | 'payload-expired'
  | 'payload-pnrp-id'
  | 'payload-nonce'
  | 'signature'
  | 'busy'
  | ChainRefusal

/** One step of a resolve walk, for progress, `peer trace` and tests alike. */
export type ResolveStep =
  | {
      readonly step: 'lookup'
      readonly to: Endpoint
      readonly pnrpId: PnrpId
      readonly attempt: number
    }
  | {
      readonly step: 'answer'
      readonly from: Endpoint
      readonly pnrpId: PnrpId
      readonly rttUs: number
      readonly outcome: 'referral' | 'dead-end' | 'busy' | 'not-registered' | 'refused-referral'
      readonly suspicious: boolean
      readonly referral?: RouteEntry
    }
  | { readonly step: 'soft-timeout'; readonly to: Endpoint; readonly pnrpId: PnrpId }
  | {
      readonly step: 'timeout'
      readonly to: Endpoint
      readonly pnrpId: PnrpId
      readonly of: 'lookup' | 'inquire'
    }
  | { readonly step: 'inquire'; readonly to: Endpoint; readonly pnrpId: PnrpId }
  | {
      readonly step: 'refused'
      readonly from: Endpoint
      readonly pnrpId: PnrpId
      readonly reason: CpaRefusal
    }
  | {
      readonly step: 'found'
      readonly from: Endpoint
      readonly pnrpId: PnrpId
      readonly rttUs: number
    }

export type CloudCommand =
  | {
      readonly type: 'open'
      readonly seeds: readonly Endpoint[]
      readonly lastUsed: readonly Endpoint[]
    }
  /**
   * Open Count - 1; at 0 the Cloud Cleanup Timer starts (3.1.4.5). With `now` the cloud does not
   * wait for it: it unregisters everything, and 'closed' follows when the neighbours know.
   */
  | { readonly type: 'close'; readonly now?: boolean }
  | { readonly type: 'register'; readonly handle: number; readonly spec: RegistrationSpec }
  | { readonly type: 'update'; readonly handle: number; readonly spec: RegistrationSpec }
  | { readonly type: 'unregister'; readonly handle: number }
  | { readonly type: 'resolve'; readonly handle: number; readonly spec: ResolveSpec }
  | { readonly type: 'cancel-resolve'; readonly handle: number }
  /** INQUIRE without flags (or SOLICIT when no PNRP ID is known): is that node there? */
  | {
      readonly type: 'ping'
      readonly handle: number
      readonly to: Endpoint
      readonly pnrpId?: PnrpId
    }
  /** Start a conversation with a node now. */
  | { readonly type: 'synchronize'; readonly to: Endpoint }
  /** Run discovery and a split test now. */
  | { readonly type: 'repair' }
  | { readonly type: 'flush-cache' }

export type CloudLocalEvent =
  | { readonly type: 'addresses'; readonly endpoints: readonly Endpoint[] }
  /** Wall clock minus monotonic clock: wallMs = now / 1000 + offsetMs. */
  | { readonly type: 'wall-clock'; readonly offsetMs: number }
  | { readonly type: 'crypto'; readonly result: CryptoResult }
  /** Load of the signing queue: 0 idle .. 1 no capacity left (N-68). */
  | { readonly type: 'signing-load'; readonly load: number }
  | { readonly type: 'seeds'; readonly endpoints: readonly Endpoint[] }
  | { readonly type: 'ssdp-response'; readonly searchTarget: string; readonly endpoint: Endpoint }
  | { readonly type: 'ssdp-unavailable'; readonly reason: string }
  | { readonly type: 'malformed'; readonly reason: string }

export type CloudState =
  'virtual' | 'synchronizing' | 'active' | 'alone' | 'no-net' | 'closing' | 'closed'

export type CloudEffect =
  | { readonly type: 'crypto'; readonly job: CryptoJob }
  | { readonly type: 'ssdp-search'; readonly searchTarget: string }
  | { readonly type: 'ssdp-announce'; readonly searchTarget: string; readonly endpoint: Endpoint }
  | { readonly type: 'ssdp-withdraw'; readonly searchTarget: string }
  /** Ask the driver for the seeds' present addresses (DNS); answered by the local event 'seeds'. */
  | { readonly type: 'lookup-seeds' }
  /** Most recently used nodes, newest first, to be kept for the next start (Windows note <2>). */
  | { readonly type: 'persist-last-used'; readonly endpoints: readonly Endpoint[] }

/** How a resolve ended. */
export type ResolveResult =
  | 'found'
  /** Nobody has it. */
  | 'not-found'
  /** A node has it registered or others say so, but it does not answer. */
  | 'unreachable'
  /** Only answers that failed validation. */
  | 'refused'
  /** Time is up, or no node that was asked has answered. */
  | 'deadline'
  | 'cancelled'
  | 'failed'

/** Why a command was not carried out. */
export interface CommandFailure {
  readonly code: ErrorCode
  readonly message: string
}

export type RegistrationState = 'announcing' | 'registered' | 'lonely'

export type CloudEvent =
  | { readonly type: 'state'; readonly state: CloudState; readonly reason: string }
  | {
      readonly type: 'resolve-step'
      readonly handle: number
      readonly at: number
      readonly step: ResolveStep
    }
  | {
      readonly type: 'resolve-done'
      readonly handle: number
      readonly peer?: ResolvedPeer
      readonly outcome: ResolveResult
      /** With outcome 'failed'. */
      readonly failure?: CommandFailure
      readonly refusals: readonly CpaRefusal[]
      readonly lookups: number
      readonly usefulHops: number
    }
  | {
      readonly type: 'registration'
      readonly handle: number
      readonly state: RegistrationState
      readonly pnrpId: PnrpId
    }
  | { readonly type: 'unregistered'; readonly handle: number }
  | {
      readonly type: 'registration-failed'
      readonly handle: number
      readonly code:
        | 'ERR_PEERNET_NO_ADDRESS'
        | 'ERR_PEERNET_LIMIT'
        | 'ERR_PEERNET_INVALID_PEER_NAME'
        | 'ERR_PEERNET_INVALID_ARG'
        | 'ERR_PEERNET_CLOUD_NOT_OPEN'
      readonly message: string
    }
  /** The registration stays as it was. */
  | {
      readonly type: 'update-failed'
      readonly handle: number
      readonly code: 'ERR_PEERNET_INVALID_ARG'
      readonly message: string
    }
  | {
      readonly type: 'pong'
      readonly handle: number
      readonly rttUs?: number
      readonly pnrpId?: PnrpId
    }
  | {
      readonly type: 'split-test'
      readonly verdict: 'none' | 'bigger-part' | 'smaller-part' | 'inconclusive'
    }
  | { readonly type: 'dialect'; readonly dialect: Readonly<Record<string, string>> }
  /** 'open' or 'close' could not be carried out (3.1.4.1, 3.1.4.5). */
  | {
      readonly type: 'command-failed'
      readonly command: 'open' | 'close'
      readonly failure: CommandFailure
    }
  /** Close finished: floods acknowledged or given up, state deleted. */
  | { readonly type: 'closed' }

/** A datagram to send. `data` is complete and must not be changed. */
export interface CloudTransmit {
  readonly to: Endpoint
  readonly data: Uint8Array
  /** Why it is sent, for traces. */
  readonly reason: ResolveReason | 'answer' | 'flood' | 'synchronize' | 'admission' | 'ping'
}

/** An entry of the route entry cache, as `cloud cache` shows it. */
export interface CachedNode extends RouteEntry {
  readonly validatedAt: Instant
  /** In the leaf set of a local ID. */
  readonly leaf: boolean
}

/** What `cloud statistics` shows of the machine. */
export interface CloudMachineStatistics {
  readonly openCount: number
  readonly cacheEntries: number
  /** Bytes held by the route entry cache. */
  readonly cacheBytes: number
  readonly registrations: number
  readonly pendingRequests: number
  readonly pendingAdmissions: number
  readonly resolvesActive: number
  readonly conversations: number
  readonly estimatedNodes: number | undefined
  /** Smoothed round trip of LOOKUPs, microseconds. */
  readonly smoothedRttUs: number | undefined
  /** Messages and drops by name. */
  readonly counters: Readonly<Record<string, number>>
  readonly dialect: Readonly<Record<string, string>>
}
