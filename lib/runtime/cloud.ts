import { PeernetError, checkArgument } from '../core/errors.js'
import { checkNotAborted, unlessAborted } from './aborting.js'
import { EventStream } from './event-stream.js'
import { fromHex } from '../core/bytes.js'
import { FewMap } from '../core/few-map.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import type {
  CloudCommand,
  CloudEvent,
  CloudLocalEvent,
  CloudScope,
  CloudState,
  ResolveSpec,
} from '../pnrp/interface.js'
import type { Endpoint } from '../core/endpoint.js'
import { ResolveCriteria, type PnrpId } from '../wire/messages.js'
import { PeerName } from '../security/peer-name.js'
import { formatEndpoint, requireEndpoint } from '../core/address-text.js'
import { Registration, toSpec, type RegisterOptions, type SignerSpec } from './registration.js'
import { Resolution } from './resolution.js'

/** What is needed of a peer name: `authority` is '0' or 40 hex digits. */
export interface NameLike {
  readonly authority: string
  readonly classifier: string
  toString(): string
}

/** Runs one cloud machine; see cloud-driver.ts. */
export interface CloudDriver {
  readonly scope: CloudScope
  readonly endpoints: readonly Endpoint[]
  /** Interface of a link-local or site-local cloud. */
  readonly zone: string | undefined
  nowUs(): number
  command(command: CloudCommand): void
  localEvent(event: CloudLocalEvent): void
  /** False when all of them are known already. */
  addSeeds(seeds: readonly string[]): boolean
  /** Key material that signs this name; throws ERR_PEERNET_IDENTITY_NOT_FOUND. */
  signerOf(name: NameLike, explicit: unknown): SignerSpec
  statistics(): CloudStatistics
  cache(): readonly CacheEntryInfo[]
  /** Leaves orderly and frees sockets; at most two seconds. */
  close(): Promise<void>
}

export interface CloudStatistics {
  readonly cacheEntries: number
  readonly registrations: number
  readonly pendingRequests: number
  readonly resolvesActive: number
  readonly estimatedNodes: number | undefined
  readonly signatures: { readonly made: number; readonly checked: number; readonly waiting: number }
  /** Messages and drops by name. */
  readonly counters: Readonly<Record<string, number>>
  /** What was learned about the other side's wire habits. */
  readonly dialect: Readonly<Record<string, string>>
}

export interface CacheEntryInfo {
  readonly pnrpId: string
  readonly endpoints: readonly string[]
  readonly validatedMsAgo: number
  readonly leaf: boolean
}

export type Criteria = 'any-peer-name' | 'nearest-peer-name' | 'nearest64-peer-name' | 'exact'

export interface ResolveOptions {
  /** Default 'any-peer-name'. */
  readonly criteria?: Criteria
  /** How many different registrations to look for, 1..100; default 1. */
  readonly max?: number
  /** Give up after this long; default 30,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** May this cloud object's own registrations be the answer? Default false, as in Windows. */
  readonly includeLocal?: boolean
  /** 16 hex digits: prefer registrations near this service location (criteria 'nearest…'). */
  readonly locationPrefix?: string
}

export interface CloudStateInfo {
  readonly state: CloudState
  /** A sentence for people. */
  readonly reason: string
}

const CRITERIA: Record<Criteria, ResolveCriteria> = {
  exact: ResolveCriteria.NONE,
  'any-peer-name': ResolveCriteria.ANY_PEER_NAME,
  'nearest-peer-name': ResolveCriteria.NEAREST_PEER_NAME,
  'nearest64-peer-name': ResolveCriteria.NEAREST64_PEER_NAME,
}

const MAX_RESULTS = 100
const MAX_TIMEOUT_MS = 600_000

/**
 * This process's node in one cloud: publishes names and finds them. Opened by `openCloud`; closes
 * idempotently by `close()` or `await using`.
 */
export class Cloud {
  readonly #driver: CloudDriver
  readonly #resolutions = new FewMap<number, Resolution>()
  readonly #registrations = new Map<number, Registration>()
  readonly #pongs = new Map<number, (event: Extract<CloudEvent, { type: 'pong' }>) => void>()
  readonly #watchers = new Set<EventStream<CloudEvent>>()
  #state: CloudStateInfo = { state: 'virtual', reason: 'not joined yet' }
  #nextHandle = 1
  #closing: Promise<void> | undefined

  constructor(driver: CloudDriver) {
    this.#driver = driver
  }

  get scope(): CloudScope {
    return this.#driver.scope
  }

  /** This node's own endpoints, `[address]:port`. */
  get endpoints(): readonly string[] {
    return this.#driver.endpoints.map(formatEndpoint)
  }

  /** Name of the interface that a link-local or site-local cloud lives on. */
  get zone(): string | undefined {
    return this.#driver.zone
  }

  /** Where the cloud stands and why, e.g. `alone: no seed answered`. */
  get state(): CloudStateInfo {
    return this.#state
  }

  get registrations(): readonly Registration[] {
    return [...this.#registrations.values()]
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Publishes a name. Secure names are signed with their identity's key. Resolves once the cloud's
   * nodes around the name know it (or, in a cloud of one, at once; then `status` is 'lonely').
   */
  async register(
    name: NameLike | string,
    options: RegisterOptions & { readonly identity?: unknown; readonly signal?: AbortSignal } = {},
  ): Promise<Registration> {
    this.#checkOpen()
    checkOptions(options)
    const { signal } = options
    checkNotAborted(signal, 'registering')
    const peerName = toName(name)
    checkArgument(
      peerName.authority !== '0' || peerName.classifier !== '',
      'an unsecured name needs a classifier',
    )
    const signer = this.#driver.signerOf(peerName, options.identity)
    const spec = (current: RegisterOptions): ReturnType<typeof toSpec> =>
      toSpec(peerName.classifier, current, signer, this.#driver.endpoints)
    const first = spec(options)
    const handle = this.#nextHandle++
    const registration = new Registration(peerName.toString(), options, {
      update: (next) => {
        this.#driver.command({ type: 'update', handle, spec: spec(next) })
      },
      unregister: () => {
        this.#driver.command({ type: 'unregister', handle })
      },
    })
    this.#registrations.set(handle, registration)
    this.#driver.command({ type: 'register', handle, spec: first })
    try {
      await unlessAborted(registration.ready, signal, 'registering')
    } catch (error) {
      if (signal?.aborted === true) void registration.close()
      throw error
    }
    return registration
  }

  /** Looks for registrations of a name. See `Resolution`. */
  resolve(name: NameLike | string, options: ResolveOptions = {}): Resolution {
    this.#checkOpen()
    checkOptions(options)
    const peerName = toName(name)
    const { max = 1, timeoutMs = LIMITS.resolveDeadlineUs / 1000 } = options
    checkArgument(
      Number.isInteger(max) && max >= 1 && max <= MAX_RESULTS,
      `max is 1 to ${MAX_RESULTS}`,
    )
    checkArgument(
      timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS,
      `timeoutMs is above 0 and at most ${MAX_TIMEOUT_MS}`,
    )
    const base = resolveSpecOf(peerName, options)
    const deadlineUs = this.#driver.nowUs() + Math.round(timeoutMs * 1000)
    const resolution: Resolution = new Resolution({
      peerName: peerName.toString(),
      max,
      signal: options.signal,
      nowUs: () => this.#driver.nowUs(),
      cancel: (handle) => {
        this.#resolutions.delete(handle)
        if (!this.closed) this.#driver.command({ type: 'cancel-resolve', handle })
      },
      start: (excludeIds) => this.#startWalk(base, excludeIds, deadlineUs),
    })
    if (!resolution.done) this.#resolutions.set(resolution.handle, resolution)
    return resolution
  }

  /** Round trip to a node in milliseconds, or undefined when it does not answer. */
  async ping(
    node: string,
    pnrpId?: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<number | undefined> {
    this.#checkOpen()
    checkNotAborted(options.signal, 'the ping')
    const to = requireEndpoint(node)
    const id = pnrpId === undefined ? undefined : fromHex(pnrpId)
    checkArgument(pnrpId === undefined || id?.length === 32, 'a PNRP ID is 64 hex digits')
    const handle = this.#nextHandle++
    const answered = new Promise<number | undefined>((resolve) => {
      this.#pongs.set(handle, (event) => {
        resolve(event.rttUs === undefined ? undefined : event.rttUs / 1000)
      })
      this.#driver.command({
        type: 'ping',
        handle,
        to,
        ...(id === undefined ? {} : { pnrpId: id }),
      })
    })
    try {
      return await unlessAborted(answered, options.signal, 'the ping')
    } finally {
      this.#pongs.delete(handle)
    }
  }

  /** Asks a node for others (a synchronization conversation). */
  synchronize(node: string): void {
    this.#checkOpen()
    this.#driver.command({ type: 'synchronize', to: requireEndpoint(node) })
  }

  /**
   * Further nodes to ask, as in `OpenCloudOptions.seeds`: at once, and whenever this node looks for
   * others again. False when all of them were known already.
   */
  addSeeds(seeds: readonly string[]): boolean {
    this.#checkOpen()
    return this.#driver.addSeeds(seeds)
  }

  /** Looks for other nodes and tests for a split now instead of at the next maintenance. */
  repair(): void {
    this.#checkOpen()
    this.#driver.command({ type: 'repair' })
  }

  flushCache(): void {
    this.#checkOpen()
    this.#driver.command({ type: 'flush-cache' })
  }

  statistics(): CloudStatistics {
    return this.#driver.statistics()
  }

  cache(): readonly CacheEntryInfo[] {
    return this.#driver.cache()
  }

  /** Every machine event from now on; bounded, the oldest are lost to a slow reader. */
  watch(): EventStream<CloudEvent> {
    const stream: EventStream<CloudEvent> = new EventStream(LIMITS.cloudEvents, () => {
      this.#watchers.delete(stream)
    })
    if (this.closed) stream.end()
    else this.#watchers.add(stream)
    return stream
  }

  /**
   * Waits until the cloud is 'active', or 'alone' when `orAlone`. Rejects with ERR_PEERNET_TIMEOUT,
   * the reason in its message, ERR_PEERNET_ABORTED, and ERR_PEERNET_CLOSED once it is closed.
   */
  async whenJoined(
    options: { timeoutMs?: number; orAlone?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    this.#checkOpen()
    const { timeoutMs = 10_000, orAlone = false, signal } = options
    checkNotAborted(signal, 'joining')
    const joined = (): boolean =>
      this.#state.state === 'active' || (orAlone && this.#state.state === 'alone')
    if (joined()) return
    const stream = this.watch()
    const stop = (): void => void stream.return()
    const timer = setTimeout(stop, timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      for await (const event of stream) if (event.type === 'state' && joined()) return
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      await stream.return()
    }
    checkNotAborted(signal, 'joining')
    this.#checkOpen()
    throw new PeernetError(
      'ERR_PEERNET_TIMEOUT',
      `not joined within ${timeoutMs} ms: ${this.#state.reason}`,
    )
  }

  /** Unregisters every name, tells the neighbours and frees the sockets. At most two seconds. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Feeds an event of the machine; called by the driver. */
  handleEvent(event: CloudEvent): void {
    if (event.type === 'state') this.#state = { state: event.state, reason: event.reason }
    this.#route(event)
    for (const watcher of this.#watchers) watcher.push(event)
  }

  #route(event: CloudEvent): void {
    switch (event.type) {
      case 'resolve-step':
        this.#resolutions.get(event.handle)?.handleEvent(event)
        return
      case 'resolve-done': {
        const resolution = this.#resolutions.get(event.handle)
        if (resolution === undefined) return
        this.#resolutions.delete(event.handle)
        if (resolution.handleEvent(event)) this.#resolutions.set(resolution.handle, resolution)
        return
      }
      case 'registration':
      case 'registration-failed':
      case 'unregistered':
        this.#registrations.get(event.handle)?.handleEvent(event)
        if (event.type !== 'registration') this.#registrations.delete(event.handle)
        return
      case 'pong':
        this.#pongs.get(event.handle)?.(event)
        this.#pongs.delete(event.handle)
        return
      default:
      // The rest is for those who watch.
    }
  }

  #startWalk(base: ResolveSpec, excludeIds: readonly PnrpId[], deadlineUs: number): number {
    const handle = this.#nextHandle++
    this.#driver.command({
      type: 'resolve',
      handle,
      spec: {
        ...base,
        excludeIds: excludeIds.slice(),
        deadlineUs: Math.max(1, deadlineUs - this.#driver.nowUs()),
      },
    })
    return handle
  }

  async #close(): Promise<void> {
    const open = this.#resolutions.values()
    await this.#driver.close()
    for (const resolution of open) resolution.closed()
    for (const registration of this.#registrations.values()) registration.ended()
    for (const [handle, pong] of this.#pongs) pong({ type: 'pong', handle })
    this.#resolutions.clear()
    this.#registrations.clear()
    this.#pongs.clear()
    this.#state = { state: 'closed', reason: 'closed' }
    for (const watcher of this.#watchers) watcher.end()
    this.#watchers.clear()
  }

  #checkOpen(): void {
    if (this.closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the cloud is closed')
  }
}

/** A text must be a whole peer name (MS-PNRP 2.2.4); throws ERR_PEERNET_INVALID_PEER_NAME. */
function toName(name: NameLike | string): NameLike {
  if (typeof name === 'string') return new PeerName(name)
  const like = name as Partial<NameLike> | null | undefined
  checkArgument(
    typeof like?.authority === 'string' && typeof like.classifier === 'string',
    'a peer name is a string or a PeerName',
  )
  return name
}

function checkOptions(options: unknown): void {
  checkArgument(typeof options === 'object' && options !== null, 'the options are an object')
}

function resolveSpecOf(name: NameLike, options: ResolveOptions): ResolveSpec {
  const { criteria = 'any-peer-name' } = options
  checkArgument(
    Object.hasOwn(CRITERIA, criteria),
    `criteria is one of ${Object.keys(CRITERIA).join(', ')}`,
  )
  const authority = name.authority === '0' ? undefined : fromHex(name.authority)
  const prefix = options.locationPrefix === undefined ? undefined : fromHex(options.locationPrefix)
  checkArgument(
    options.locationPrefix === undefined || prefix?.length === 8,
    'locationPrefix is 16 hex digits',
  )
  const spec: Mutable<ResolveSpec> = {
    classifier: name.classifier,
    criteria: CRITERIA[criteria],
    includeLocal: options.includeLocal ?? false,
    deadlineUs: LIMITS.resolveDeadlineUs,
    excludeIds: [],
  }
  if (authority !== undefined) spec.authority = authority
  if (prefix !== undefined) spec.locationPrefix = prefix
  return spec
}
