import { toHex } from '../core/bytes.js'
import { EventStream } from './event-stream.js'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type { Mutable } from '../core/mutable.js'
import type {
  CloudEvent,
  CommandFailure,
  CpaRefusal,
  ResolvedPeer,
  ResolveStep,
} from '../pnrp/interface.js'
import type { PnrpId } from '../wire/messages.js'
import { formatAddress, formatEndpoint } from '../core/address-text.js'

/** Where an application listens. `protocol` is 'tcp', 'udp' or another IANA number. */
export interface ServiceEndpoint {
  readonly address: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | number
}

/** One registration that was found, its signature checked. */
export interface ResolvedRecord {
  readonly peerName: string
  /** 64 hex digits. */
  readonly pnrpId: string
  /** The application's endpoints, as the publisher registered them. */
  readonly endpoints: readonly ServiceEndpoint[]
  /** The publisher's own PNRP endpoints, `[address]:port`. */
  readonly nodes: readonly string[]
  readonly comment: string | undefined
  /** Extended payload: text as string, binary as bytes. */
  readonly payload: string | Uint8Array | undefined
  /**
   * 'authority': the key that signed is the one the name is made of. 'chain': a certificate chain
   * leads from the name's key to the signer. 'none': an unsecured name, anybody can publish it.
   */
  readonly verified: 'authority' | 'chain' | 'none'
  readonly notAfter: Date
}

/**
 * How a resolution ended. 'unreachable': the name is published, but its publisher did not answer.
 */
export type ResolutionStatus =
  'found' | 'not-found' | 'unreachable' | 'refused' | 'timeout' | 'aborted' | 'failed'

export interface ResolutionSummary {
  readonly status: ResolutionStatus
  /** Why answers were refused, if any were. */
  readonly refusals: readonly CpaRefusal[]
  readonly lookups: number
  readonly milliseconds: number
  /** With status 'failed': why the search could not begin. */
  readonly failure?: CommandFailure
}

/** Progress: one step of the walk, a record found, or the end. */
export type ResolutionEvent =
  | (ResolutionStepEvent & { readonly atMs: number })
  | { readonly type: 'record'; readonly record: ResolvedRecord; readonly atMs: number }
  | { readonly type: 'end'; readonly summary: ResolutionSummary; readonly atMs: number }

export interface ResolutionStepEvent {
  readonly type: ResolveStep['step']
  /** The node asked or heard, `[address]:port`. */
  readonly node: string
  readonly pnrpId: string
  readonly detail: string
  readonly attempt?: number
  readonly rttMs?: number
}

/** Starts the machine's resolve with the PNRP IDs found so far excluded; returns its handle. */
export type StartWalk = (exclude: readonly PnrpId[]) => number

export interface ResolutionOptions {
  readonly peerName: string
  readonly max: number
  readonly signal: AbortSignal | undefined
  readonly nowUs: () => number
  readonly start: StartWalk
  readonly cancel: (handle: number) => void
}

/**
 * A resolve under way. Iterate it for typed progress events, await `results` for the records (empty
 * when there are none), `summary` for how it ended, or `first()` for one record or an error.
 */
export class Resolution implements AsyncIterable<ResolutionEvent> {
  readonly results: Promise<readonly ResolvedRecord[]>
  readonly summary: Promise<ResolutionSummary>
  readonly #options: ResolutionOptions
  readonly #events = new EventStream<Progress>(LIMITS.resolutionEvents)
  readonly #records: ResolvedRecord[] = []
  readonly #found: PnrpId[] = []
  readonly #refusals: CpaRefusal[] = []
  readonly #startedUs: number
  readonly #onAbort = (): void => {
    this.abort()
  }
  #settleResults!: (records: readonly ResolvedRecord[]) => void
  #settleSummary!: (summary: ResolutionSummary) => void
  #handle = 0
  #lookups = 0
  #done = false

  /** Use `cloud.resolve`. */
  constructor(options: ResolutionOptions) {
    this.#options = options
    this.#startedUs = options.nowUs()
    this.results = new Promise((resolve) => (this.#settleResults = resolve))
    this.summary = new Promise((resolve) => (this.#settleSummary = resolve))
    if (options.signal?.aborted === true) {
      this.#finish('aborted')
      return
    }
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#handle = options.start(this.#found)
  }

  /** The handle of the walk that runs now. */
  get handle(): number {
    return this.#handle
  }

  get done(): boolean {
    return this.#done
  }

  [Symbol.asyncIterator](): AsyncIterator<ResolutionEvent> {
    const events = this.#events
    const worded = async (next: Promise<IteratorResult<Progress>>) => {
      const result = await next
      return result.done === true ? result : { done: false, value: this.#inWords(result.value) }
    }
    return { next: () => worded(events.next()), return: () => worded(events.return()) }
  }

  /** Stops the search; `results` keeps what was found. */
  abort(): void {
    if (this.#done) return
    this.#options.cancel(this.#handle)
    this.#finish('aborted')
  }

  /**
   * The first record. Rejects with ERR_PEERNET_NAME_NOT_FOUND, ERR_PEERNET_NAME_UNREACHABLE,
   * ERR_PEERNET_NOT_AUTHORIZED (every answer was refused), ERR_PEERNET_TIMEOUT or
   * ERR_PEERNET_ABORTED.
   */
  async first(): Promise<ResolvedRecord> {
    const [record] = await this.results
    if (record !== undefined) return record
    const summary = await this.summary
    const name = this.#options.peerName
    switch (summary.status) {
      case 'unreachable':
        throw new PeernetError(
          'ERR_PEERNET_NAME_UNREACHABLE',
          `${name} is published, but its publisher does not answer`,
        )
      case 'refused':
        throw new PeernetError(
          'ERR_PEERNET_NOT_AUTHORIZED',
          `every answer for ${name} was refused: ${summary.refusals.join(', ')}`,
        )
      case 'timeout':
        throw new PeernetError('ERR_PEERNET_TIMEOUT', `no answer for ${name} in time`)
      case 'failed':
        throw new PeernetError(
          summary.failure?.code ?? 'ERR_PEERNET_SYSTEM',
          summary.failure?.message ?? `resolving ${name} failed`,
        )
      case 'aborted':
        throw new PeernetError('ERR_PEERNET_ABORTED', `resolving ${name} was aborted`)
      default:
        throw new PeernetError('ERR_PEERNET_NAME_NOT_FOUND', `nobody publishes ${name}`)
    }
  }

  /** Feeds a machine event whose handle is this resolution's. Returns false once it is over. */
  handleEvent(event: Extract<CloudEvent, { type: 'resolve-step' | 'resolve-done' }>): boolean {
    if (this.#done) return false
    if (event.type === 'resolve-step') {
      this.#events.push(event)
      return true
    }
    this.#lookups += event.lookups
    this.#refusals.push(...event.refusals)
    if (event.peer === undefined) {
      this.#finish(this.#records.length > 0 ? 'found' : statusOf(event.outcome), event.failure)
      return false
    }
    const record = toRecord(this.#options.peerName, event.peer)
    this.#records.push(record)
    this.#found.push(event.peer.pnrpId)
    this.#events.push({ type: 'record', record, atMs: this.#elapsedMs() })
    if (this.#records.length >= this.#options.max) {
      this.#finish('found')
      return false
    }
    this.#handle = this.#options.start(this.#found)
    return true
  }

  /** The cloud closes: ends with what was found. */
  closed(): void {
    this.#finish(this.#records.length > 0 ? 'found' : 'aborted')
  }

  #inWords(event: Progress): ResolutionEvent {
    if (event.type !== 'resolve-step') return event
    return { ...describeStep(event.step), atMs: (event.at - this.#startedUs) / 1000 }
  }

  #elapsedMs(): number {
    return (this.#options.nowUs() - this.#startedUs) / 1000
  }

  #finish(status: ResolutionStatus, failure?: CommandFailure): void {
    if (this.#done) return
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    const atMs = this.#elapsedMs()
    const summary: Mutable<ResolutionSummary> = {
      status,
      refusals: this.#refusals,
      lookups: this.#lookups,
      milliseconds: atMs,
    }
    if (failure !== undefined) summary.failure = failure
    this.#events.push({ type: 'end', summary, atMs })
    this.#events.end()
    this.#settleResults(this.#records)
    this.#settleSummary(summary)
  }
}

function statusOf(
  outcome: Extract<CloudEvent, { type: 'resolve-done' }>['outcome'],
): ResolutionStatus {
  if (outcome === 'deadline') return 'timeout'
  return outcome === 'cancelled' ? 'aborted' : outcome
}

/** Steps are put into words for a reader only: most callers want no more than the records. */
type Progress =
  | Extract<CloudEvent, { type: 'resolve-step' }>
  | Extract<ResolutionEvent, { type: 'record' | 'end' }>

function describeStep(step: ResolveStep): ResolutionStepEvent {
  const base = { type: step.step, pnrpId: toHex(step.pnrpId) }
  switch (step.step) {
    case 'lookup':
      return { ...base, node: formatEndpoint(step.to), attempt: step.attempt, detail: 'asked' }
    case 'inquire':
      return { ...base, node: formatEndpoint(step.to), detail: 'asked for the signed answer' }
    case 'soft-timeout':
      return { ...base, node: formatEndpoint(step.to), detail: 'slow, going on without waiting' }
    case 'timeout':
      return { ...base, node: formatEndpoint(step.to), detail: 'no answer (unreachable)' }
    case 'refused':
      return { ...base, node: formatEndpoint(step.from), detail: `refused: ${step.reason}` }
    case 'found': {
      const rttMs = step.rttUs / 1000
      return { ...base, node: formatEndpoint(step.from), rttMs, detail: 'accepted' }
    }
    case 'answer': {
      const rttMs = step.rttUs / 1000
      const referral = step.referral
      const next = referral?.addresses[0]
      const detail =
        referral !== undefined && next !== undefined && step.outcome === 'referral'
          ? `refers to ${formatEndpoint({ address: next, port: referral.port })}`
          : step.outcome === 'dead-end'
            ? 'knows nobody nearer'
            : step.outcome
      return { ...base, node: formatEndpoint(step.from), rttMs, detail }
    }
  }
}

const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

function toRecord(peerName: string, peer: ResolvedPeer): ResolvedRecord {
  return {
    peerName,
    pnrpId: toHex(peer.pnrpId),
    endpoints: peer.appEndpoints.map(({ address, port, protocol }) => ({
      address: formatAddress(address),
      port,
      protocol: protocol === 6 ? 'tcp' : protocol === 17 ? 'udp' : protocol,
    })),
    nodes: peer.serviceAddresses.map(formatEndpoint),
    comment: commentOf(peer.friendlyName),
    payload: payloadOf(peer.extendedPayload),
    verified: peer.verified,
    notAfter: new Date(Number((peer.notAfter - FILETIME_OF_UNIX_EPOCH) / 10_000n)),
  }
}

function commentOf(name: ResolvedPeer['friendlyName']): string | undefined {
  if (name === undefined) return undefined
  return Buffer.from(name.bytes).toString(name.utf8 ? 'utf8' : 'utf16le')
}

function payloadOf(payload: ResolvedPeer['extendedPayload']): string | Uint8Array | undefined {
  if (payload === undefined) return undefined
  return payload.kind === 'text' ? payload.text : payload.data
}
