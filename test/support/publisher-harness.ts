// The publisher's sub-machines of one cloud over a real context, cache and codec; the resolver's
// side (resolver, admission, discovery) is a recorder. Time, randomness and crypto are ours.
import { concatBytes, isAllZero } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { sha1 } from '#lib/native/digest.js'
import { RouteCache } from '#lib/native/route-cache.js'
import type { BudgetConfig } from '#lib/pnrp/budgets.js'
import { CloudContext } from '#lib/pnrp/context.js'
import type { CryptoJob, SignJob } from '#lib/pnrp/crypto-port.js'
import { Dialect, type DialectTraits } from '#lib/pnrp/dialect.js'
import { Flooding } from '#lib/pnrp/flooding.js'
import type {
  CloudEffect,
  CloudEvent,
  CloudScope,
  CloudTransmit,
  RegistrationSpec,
} from '#lib/pnrp/interface.js'
import { Maintenance } from '#lib/pnrp/maintenance.js'
import type { EntryOrigin, Exchange, ResolveOutcome, ResolveRequest } from '#lib/pnrp/parts.js'
import { Registrations } from '#lib/pnrp/registrations.js'
import { Responder } from '#lib/pnrp/responder.js'
import { SynchronizationResponder } from '#lib/pnrp/synchronization-responder.js'
import {
  decodeAuthorityBuffer,
  decodeCpa,
  decodeExtendedPayload,
  decodeMessage,
  encodeCpa,
} from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  FloodMessage,
  PnrpId,
  PnrpMessage,
  RouteEntry,
} from '#lib/wire/messages.js'

const RING = 1n << 256n

export const toId = (n: bigint): PnrpId =>
  new Uint8Array(Buffer.from((((n % RING) + RING) % RING).toString(16).padStart(64, '0'), 'hex'))
export const toNumber = (id: Uint8Array): bigint => BigInt(`0x${Buffer.from(id).toString('hex')}`)
/** The ID this far clockwise (negative: counter-clockwise). */
export const offset = (id: Uint8Array, by: bigint): PnrpId => toId(toNumber(id) + by)
export const ZERO_ID: PnrpId = new Uint8Array(32)

const LOOPBACK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** A loopback endpoint. */
export const at = (port: number): Endpoint => ({ address: LOOPBACK, port })

/** A global endpoint: 2001:db8:<network>::<host>. */
export function globalAt(host: number, network = 1, port = 3540): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8, network >> 8, network & 255])
  address.set([host >> 8, host & 255], 14)
  return { address, port }
}

export function entry(pnrpId: PnrpId, endpoint: Endpoint): RouteEntry {
  return { pnrpId, port: endpoint.port, addresses: [endpoint.address] }
}

/** A key as the wire wants it (140 bytes of DER), different for each n. */
export function publicKey(n: number): Uint8Array {
  const modulus = new Uint8Array(128).fill(0x80 | (n & 0x7f))
  modulus[1] = n >> 7
  return concatBytes(
    Uint8Array.of(0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00),
    modulus,
    Uint8Array.of(0x02, 0x03, 0x01, 0x00, 0x01),
  )
}

/**
 * Stands for RSA: 128 bytes that only the key's holder makes (keyId `key-n` holds publicKey(n)).
 */
export function signatureBy(key: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(128)
  for (let i = 0; i < 128; i += 16) {
    out.set(sha1(concatBytes(Uint8Array.of(i), sha1(key), data)).subarray(0, 16), i)
  }
  return out
}

export interface Sent {
  readonly to: Endpoint
  readonly reason: CloudTransmit['reason']
  readonly data: Uint8Array
  readonly message: PnrpMessage
}

export type SentOf<T extends PnrpMessage['type']> = Sent & {
  readonly message: Extract<PnrpMessage, { type: T }>
}

export interface HarnessOptions {
  readonly scope?: CloudScope
  readonly endpoints?: readonly Endpoint[]
  readonly seed?: number
  readonly resolveOnly?: boolean
  readonly budgets?: BudgetConfig
  readonly dialect?: Partial<DialectTraits>
  readonly seeds?: readonly Endpoint[]
}

const OUTCOME: ResolveOutcome = { outcome: 'not-found', refusals: [], lookups: 1, usefulHops: 1 }

export class PublisherHarness {
  readonly context: CloudContext
  readonly registrations: Registrations
  readonly responder: Responder
  readonly flooding: Flooding
  readonly maintenance: Maintenance
  readonly synchronization: SynchronizationResponder
  /** What went to the resolver's side. */
  readonly submitted: { entry: RouteEntry; origin: EntryOrigin }[] = []
  readonly rechecked: RouteEntry[] = []
  readonly resolves: ResolveRequest[] = []
  readonly solicited: Endpoint[] = []
  discoveryRounds = 0
  /**
   * Every cached node answers liveness checks and leaf set probes (it knows nobody new) while time
   * passes; those are not in `sent()`.
   */
  everybodyLives = false
  exhausted = false
  seeds: readonly Endpoint[]
  remembered: readonly Endpoint[] = []
  #handle = 0
  readonly #held: Sent[] = []

  constructor(options: HarnessOptions = {}) {
    const { scope = 'loopback', endpoints = [at(3540)], seed = 1 } = options
    this.seeds = options.seeds ?? []
    const context = new CloudContext({
      scope,
      rng: new SeededRng(seed),
      cache: new RouteCache({ capacity: LIMITS.routeCacheEntries, maxAddresses: 4 }),
      dialect: new Dialect(options.dialect),
      resolveOnly: options.resolveOnly ?? false,
      ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    })
    context.localEndpoints = endpoints
    context.now = seconds(1_000)
    context.wallOffsetMs = Date.UTC(2026, 0, 1) - context.now / 1000
    this.context = context
    this.registrations = new Registrations(context)
    this.responder = new Responder(context)
    this.flooding = new Flooding(context)
    this.maintenance = new Maintenance(context)
    this.synchronization = new SynchronizationResponder(context)
    context.parts = this.#parts()
  }

  #parts(): CloudContext['parts'] {
    return {
      responder: this.responder,
      flooding: this.flooding,
      registrations: this.registrations,
      maintenance: this.maintenance,
      resolver: {
        start: (request) => void this.resolves.push(request),
        cancel: () => false,
        cancelAll: () => {},
        hold: () => {},
        release: () => {},
        joined: () => {},
        active: 0,
      },
      admission: {
        submit: (entry, origin) => void this.submitted.push({ entry, origin }),
        recheck: (entry) => void this.rechecked.push(entry),
        admitValidated: () => {},
        pending: 0,
      },
      authority: { handleAuthority: () => {}, forget: () => {} },
      synchronization: {
        start: (to) => void this.solicited.push(to),
        open: 0,
        handleSolicit: (from, message) => this.synchronization.handleSolicit(from, message),
        handleRequest: (from, message) => this.synchronization.handleRequest(from, message),
      },
      discovery: this.#discovery(),
    }
  }

  #discovery(): CloudContext['parts']['discovery'] {
    const isExhausted = (): boolean => this.exhausted
    const remembered = (): readonly Endpoint[] => this.remembered
    return {
      open: () => {},
      close: () => {},
      round: () => void this.discoveryRounds++,
      handleLocalEvent: () => {},
      conversationEnded: () => {},
      introduce: () => {},
      get exhausted() {
        return isExhausted()
      },
      nextSeed: () => this.seeds[0],
      get remembered() {
        return remembered()
      },
      describe: () => '',
    }
  }

  /** Registers `0.<classifier>` (or another spec), as handle 1, 2, …, and returns the PNRP ID. */
  register(spec: Partial<RegistrationSpec> = {}): PnrpId {
    const handle = ++this.#handle
    this.registrations.register(handle, { ...SPEC, ...spec })
    for (const registration of this.registrations.all()) {
      if (registration.handle === handle) return registration.pnrpId
    }
    throw new Error('not registered')
  }

  /** Puts an entry into the cache, as admission does after validation; no flood follows. */
  cache(pnrpId: PnrpId, endpoint: Endpoint, key = publicKey(99)): RouteEntry {
    const cached = entry(pnrpId, endpoint)
    this.context.cache.insert(cached, this.context.now, sha1(key))
    return cached
  }

  /** The same, and the machine is told. */
  admit(pnrpId: PnrpId, endpoint: Endpoint, origin: Partial<EntryOrigin> = {}): RouteEntry {
    const cached = this.cache(pnrpId, endpoint)
    this.flooding.entryCached(cached, { via: 'RESOLVE', from: endpoint, ...origin })
    return cached
  }

  /** Lets time pass; timers fire in order. */
  pass(us: number): void {
    const { context } = this
    const until = context.now + us
    while (context.timers.next() <= until) {
      context.now = context.timers.next()
      context.timers.takeDue(context.now)?.onTimer()
      if (this.everybodyLives) this.#answerPings()
    }
    context.now = until
  }

  #answerPings(): void {
    const sent = this.#drain()
    for (const one of sent) {
      if (one.reason === 'ping' || one.message.type === 'LOOKUP') this.reply(one)
      else this.#held.push(one)
    }
  }

  /** Everything sent since the last call. */
  sent(): Sent[] {
    return [...this.#held.splice(0), ...this.#drain()]
  }

  #drain(): Sent[] {
    const all: Sent[] = []
    for (;;) {
      const transmit = this.context.transmits.shift()
      if (transmit === undefined) return all
      const decoded = decodeMessage(transmit.data)
      if (!decoded.ok) throw new Error(`sent a malformed message: ${decoded.code}`)
      all.push({ ...transmit, message: decoded.message })
    }
  }

  sentOf<T extends PnrpMessage['type']>(type: T): SentOf<T>[] {
    return this.sent().filter((sent): sent is SentOf<T> => sent.message.type === type)
  }

  /** The one message sent since the last call, which has this type. */
  sole<T extends PnrpMessage['type']>(type: T): SentOf<T> {
    const all = this.sent()
    const [first] = all
    if (all.length !== 1 || first?.message.type !== type) {
      throw new Error(`expected one ${type}, sent ${all.map((s) => s.message.type).join(' ')}`)
    }
    return first as SentOf<T>
  }

  /** The one answer sent since the last call, put together from its fragments. */
  answer(): AuthorityBuffer & { to: Endpoint; datagrams: number; bytes: number } {
    const fragments = this.sentOf('AUTHORITY')
    const [first] = fragments
    if (first === undefined) throw new Error('no answer')
    const whole = new Uint8Array(first.message.size)
    let bytes = 0
    for (const { message, data } of fragments) {
      whole.set(message.buffer, message.offset)
      bytes += data.length
    }
    const decoded = decodeAuthorityBuffer(whole)
    if (!decoded.ok) throw new Error(`sent a malformed answer: ${decoded.code}`)
    return { ...decoded.buffer, to: first.to, datagrams: fragments.length, bytes }
  }

  effects(): CloudEffect[] {
    const all: CloudEffect[] = []
    for (;;) {
      const effect = this.context.effects.shift()
      if (effect === undefined) return all
      all.push(effect)
    }
  }

  /** Crypto jobs that nobody has done yet. */
  jobs(): CryptoJob[] {
    return this.effects().flatMap((effect) => (effect.type === 'crypto' ? [effect.job] : []))
  }

  /** Does all crypto jobs, and those that follow from them. Returns the sign jobs. */
  crypto(): SignJob[] {
    const signed: SignJob[] = []
    for (let jobs = this.jobs(); jobs.length > 0; jobs = this.jobs()) {
      for (const job of jobs) {
        if (job.kind === 'sign') signed.push(job)
        this.context.cryptoDone(doJob(job))
      }
    }
    return signed
  }

  events(): CloudEvent[] {
    const all: CloudEvent[] = []
    for (;;) {
      const event = this.context.events.shift()
      if (event === undefined) return all
      all.push(event)
    }
  }

  eventsOf<T extends CloudEvent['type']>(type: T): Extract<CloudEvent, { type: T }>[] {
    return this.events().filter(
      (event): event is Extract<CloudEvent, { type: T }> => event.type === type,
    )
  }

  counter(name: string): number {
    return this.context.counters.get(name)
  }

  /** Ends the oldest resolve (a registration walk, a split test, …). */
  endResolve(outcome: Partial<ResolveOutcome> = {}): ResolveRequest {
    const request = this.resolves.shift()
    if (request === undefined) throw new Error('no resolve under way')
    request.onDone({ ...OUTCOME, ...outcome })
    return request
  }

  /** Ends all resolves under way. */
  endResolves(): void {
    while (this.resolves.length > 0) this.endResolve()
  }

  /** Answers a FLOOD with an ACK, as the cloud machine routes it (3.1.5.4). */
  acknowledge(sent: SentOf<'FLOOD'>, notFound = false): void {
    const exchange = this.#finish(sent, 'FLOOD')
    if (notFound && !isAllZero(sent.message.validatePnrpId)) {
      this.context.evictAt(sent.message.validatePnrpId, sent.to)
    }
    exchange.owner.onAck?.(exchange, notFound)
  }

  /** Answers a LOOKUP or an INQUIRE, as the cloud machine routes it (3.1.5.6). */
  reply(sent: Sent, buffer: Partial<AuthorityBuffer> = {}): void {
    const exchange = this.#finish(sent, 'LOOKUP', 'INQUIRE')
    const flags = { leafSet: false, busy: false, notFound: false }
    exchange.owner.onAuthority?.(exchange, sent.to, { ...flags, ...buffer })
  }

  #finish({ message, to }: Sent, ...kinds: Exchange['kind'][]): Exchange {
    const exchange = this.context.exchanges.match(message.messageId, to, ...kinds)
    if (exchange === undefined) throw new Error(`no ${kinds.join('/')} of that ID is pending`)
    this.context.exchanges.finish(exchange.messageId)
    return exchange
  }
}

export const SPEC: RegistrationSpec = {
  classifier: 'test',
  keyId: 'key-1',
  publicKey: publicKey(1),
  appEndpoints: [{ address: LOOPBACK, port: 8080, protocol: 6 }],
}

function doJob(job: CryptoJob): Parameters<CloudContext['cryptoDone']>[0] {
  if (job.kind === 'sign') {
    const key = publicKey(Number(job.keyId.slice('key-'.length)))
    const signatures = job.parts.map((part) => signatureBy(key, part))
    return { id: job.id, kind: 'signed', signatures }
  }
  const good = job.items.every(
    (item) => Buffer.compare(signatureBy(item.publicKey, item.data), item.signature) === 0,
  )
  return good
    ? { id: job.id, kind: 'verified', byteOrder: 'spec' }
    : { id: job.id, kind: 'refused', reason: 'signature' }
}

/** A decoded CPA whose signature holds for its own key. */
export function checkedCpa(encoded: Uint8Array | undefined): CertifiedPeerAddress {
  if (encoded === undefined) throw new Error('no CPA')
  const decoded = decodeCpa(encoded)
  if (!decoded.ok) throw new Error(`malformed CPA: ${decoded.code}`)
  const { cpa, signedLength } = decoded
  const expected = signatureBy(cpa.publicKey, encoded.subarray(0, signedLength))
  if (Buffer.compare(expected, cpa.signature) !== 0) throw new Error('the signature does not hold')
  return cpa
}

/** A decoded extended payload whose signature holds for that key. */
export function checkedPayload(encoded: Uint8Array | undefined, key: Uint8Array): ExtendedPayload {
  if (encoded === undefined) throw new Error('no extended payload')
  const decoded = decodeExtendedPayload(encoded)
  if (!decoded.ok) throw new Error(`malformed extended payload: ${decoded.code}`)
  const { signedLength } = decoded
  const expected = signatureBy(key, encoded.subarray(0, signedLength))
  if (Buffer.compare(expected, decoded.payload.signature) !== 0) {
    throw new Error('the signature does not hold')
  }
  return decoded.payload
}

/** A signed revoke CPA for `0.<classifier>` at that PNRP ID. */
export function revokeOf(
  pnrpId: PnrpId,
  key: number,
  change: Partial<CertifiedPeerAddress> = {},
): Uint8Array {
  const cpa: CertifiedPeerAddress = {
    revoke: true,
    hasExtendedPayload: false,
    notAfter: 200_000_000_000_000_000n,
    serviceLocation: pnrpId.subarray(16),
    nonce: new Uint8Array(16),
    classifierHash: sha1(Buffer.from('other', 'utf16le')),
    friendlyNameIsUtf8: false,
    serviceAddresses: [],
    publicKey: publicKey(key),
    ...change,
  }
  const signature = change.signature ?? signatureBy(publicKey(key), encodeCpa(cpa))
  return encodeCpa({ ...cpa, signature })
}

/** PNRP ID of `0.other` (or another name) with this service location: what `revokeOf` revokes. */
export function otherId(serviceLocation: Uint8Array, classifier = 'other'): PnrpId {
  const hash = sha1(Buffer.from(classifier, 'utf16le'))
  const name = concatBytes(hash, new Uint8Array(20), hash, Buffer.from('PNRP'))
  return concatBytes(sha1(name).subarray(0, 16), serviceLocation)
}

export function flood(
  fields: Partial<FloodMessage> & Pick<FloodMessage, 'validatePnrpId'>,
): FloodMessage {
  return { type: 'FLOOD', messageId: 77, doNotAck: false, floodedList: [], ...fields }
}
