// Drives one CloudMachine by script and in virtual time. All messages, both ways, pass through the
// shipping codec. `CloudNet` joins several harnesses by a simple in-memory network.
import * as assert from 'uvu/assert'
import { endpointKey, sameEndpoint, type Endpoint } from '#lib/core/endpoint.js'
import type { Instant } from '#lib/core/instant.js'
import { SeededRng } from '#lib/core/rng.js'
import { RouteCache } from '#lib/native/route-cache.js'
import { CloudMachine, type CloudMachineOptions } from '#lib/pnrp/cloud.js'
import type { ChainRefusal, CryptoJob } from '#lib/pnrp/crypto-port.js'
import type {
  CloudCommand,
  CloudEffect,
  CloudEvent,
  CloudLocalEvent,
  CloudTransmit,
  ResolveSpec,
} from '#lib/pnrp/interface.js'
import {
  decodeMessage,
  encodeAuthorityBuffer,
  encodeMessage,
  splitAuthority,
} from '#lib/wire/codec.js'
import {
  ResolveCriteria,
  type AuthorityBuffer,
  type PnrpMessage,
  type RouteEntry,
} from '#lib/wire/messages.js'
import { runFakeCrypto } from './fake-crypto.js'
import { endpoint } from './route-entries.js'

/** 2026-11-22T00:00:00Z */
export const WALL_MS = 1_795_305_600_000

/** A datagram that the machine sent, decoded. */
export interface Sent<M extends PnrpMessage = PnrpMessage> {
  readonly to: Endpoint
  readonly message: M
  readonly at: Instant
  readonly reason: CloudTransmit['reason']
}

type MessageOf<T extends PnrpMessage['type']> = Extract<PnrpMessage, { type: T }>
type EventOf<T extends CloudEvent['type']> = Extract<CloudEvent, { type: T }>

export interface HarnessOptions extends Partial<CloudMachineOptions> {
  /** Default: one, [2001:db8::1]:3540. */
  readonly own?: readonly Endpoint[]
  readonly seeds?: readonly Endpoint[]
  readonly lastUsed?: readonly Endpoint[]
  /** Default true. */
  readonly opened?: boolean
  readonly rngSeed?: number
  /** Entries in the cache from the beginning, validated at time 0. */
  readonly cached?: readonly RouteEntry[]
}

export class CloudHarness {
  now: Instant = 0
  readonly machine: CloudMachine
  readonly cache: RouteCache
  readonly own: readonly Endpoint[]
  /** What was sent and not yet taken. */
  readonly sent: Sent[] = []
  readonly events: CloudEvent[] = []
  readonly effects: CloudEffect[] = []
  /** Crypto jobs wait in `heldCrypto` instead of being run at once. */
  holdCrypto = false
  readonly heldCrypto: CryptoJob[] = []
  /** Every certificate chain is refused for this reason. */
  chainRefusal: ChainRefusal | undefined
  onTransmit: ((transmit: CloudTransmit) => void) | undefined

  constructor(options: HarnessOptions = {}) {
    this.own = options.own ?? [endpoint(1)]
    this.cache = options.cache ?? new RouteCache({ capacity: 256, maxAddresses: 4 })
    this.machine = new CloudMachine({
      scope: 'global',
      rng: new SeededRng(options.rngSeed ?? 1),
      ...options,
      cache: this.cache,
    })
    for (const entry of options.cached ?? []) this.cache.insert(entry, 0)
    this.local({ type: 'wall-clock', offsetMs: WALL_MS })
    this.local({ type: 'addresses', endpoints: this.own })
    if (options.opened === false) return
    const { seeds = [], lastUsed = [] } = options
    this.command({ type: 'open', seeds, lastUsed })
  }

  get counters(): Readonly<Record<string, number>> {
    return this.machine.statistics().counters
  }

  counter(name: string): number {
    return this.counters[name] ?? 0
  }

  command(command: CloudCommand): void {
    this.machine.handleCommand(this.now, command)
    this.pump()
  }

  local(event: CloudLocalEvent): void {
    this.machine.handleLocalEvent(this.now, event)
    this.pump()
  }

  /** Delivers a message, encoded and decoded. */
  deliver(from: Endpoint, message: PnrpMessage): void {
    this.deliverBytes(from, encodeMessage(message))
  }

  deliverBytes(from: Endpoint, bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes)
    if (decoded.ok) this.machine.handleMessage(this.now, from, decoded.message)
    else this.machine.handleLocalEvent(this.now, { type: 'malformed', reason: decoded.code })
    // Decoded fields are views: whoever keeps one without copying now holds garbage.
    bytes.fill(0xee)
    this.pump()
  }

  /** Answers a LOOKUP or INQUIRE that the machine sent, from where it was sent to. */
  answer(request: Sent, buffer: Partial<AuthorityBuffer>, from: Endpoint = request.to): void {
    for (const fragment of this.fragments(request, buffer)) this.deliverBytes(from, fragment)
  }

  /** The AUTHORITY datagrams of an answer. */
  fragments(request: Sent, buffer: Partial<AuthorityBuffer>, messageId = 0x77): Uint8Array[] {
    const whole = { leafSet: false, busy: false, notFound: false, ...buffer }
    return splitAuthority(messageId, request.message.messageId, encodeAuthorityBuffer(whole))
  }

  /** Lets time pass, timers firing at their moments. */
  advance(us: number): void {
    const until = this.now + us
    for (;;) {
      const next = this.machine.pollTimeout()
      if (next > until) break
      this.now = Math.max(this.now, next)
      this.machine.handleTimeout(this.now)
      this.pump()
    }
    this.now = until
  }

  /** Runs the crypto jobs held so far. */
  releaseCrypto(): void {
    for (const job of this.heldCrypto.splice(0)) this.#finishCrypto(job)
  }

  /** Removes and returns all that was sent, of one type if given. */
  take<T extends PnrpMessage['type']>(type: T): Sent<MessageOf<T>>[] {
    const taken = this.sent.filter((sent) => sent.message.type === type)
    const rest = this.sent.filter((sent) => sent.message.type !== type)
    this.sent.splice(0, this.sent.length, ...rest)
    return taken as Sent<MessageOf<T>>[]
  }

  /** The one message of this type that was sent. */
  takeOne<T extends PnrpMessage['type']>(type: T): Sent<MessageOf<T>> {
    const taken = this.take(type)
    assert.is(taken.length, 1, `one ${type} sent`)
    return taken[0] as Sent<MessageOf<T>>
  }

  eventsOf<T extends CloudEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type)
  }

  /** Starts an application resolve; the target is given whole. */
  resolve(handle: number, spec: Partial<ResolveSpec>): void {
    this.command({
      type: 'resolve',
      handle,
      spec: {
        classifier: 'test',
        criteria: ResolveCriteria.ANY_PEER_NAME,
        includeLocal: false,
        deadlineUs: 30_000_000,
        ...spec,
      },
    })
  }

  /** How the resolve ended, if it has. */
  outcome(handle: number): EventOf<'resolve-done'> | undefined {
    return this.eventsOf('resolve-done').find((event) => event.handle === handle)
  }

  /** Names of the steps of a resolve. */
  steps(handle: number): string[] {
    return this.eventsOf('resolve-step')
      .filter((event) => event.handle === handle)
      .map((event) => event.step.step)
  }

  isOwn(to: Endpoint): boolean {
    return this.own.some((own) => sameEndpoint(own, to))
  }

  /** Polls until all queues are empty. */
  pump(): void {
    for (;;) {
      const transmit = this.machine.pollTransmit()
      if (transmit !== undefined) {
        this.#transmitted(transmit)
        continue
      }
      const effect = this.machine.pollEffect()
      if (effect !== undefined) {
        this.#effect(effect)
        continue
      }
      const event = this.machine.pollEvent()
      if (event === undefined) return
      this.events.push(event)
    }
  }

  #transmitted(transmit: CloudTransmit): void {
    const decoded = decodeMessage(transmit.data.slice())
    if (!decoded.ok) throw new Error(`the machine sent something malformed: ${decoded.code}`)
    const { to, reason } = transmit
    this.sent.push({ to, message: decoded.message, at: this.now, reason })
    this.onTransmit?.(transmit)
  }

  #effect(effect: CloudEffect): void {
    if (effect.type !== 'crypto') this.effects.push(effect)
    else if (this.holdCrypto) this.heldCrypto.push(effect.job)
    else this.#finishCrypto(effect.job)
  }

  #finishCrypto(job: CryptoJob): void {
    const result = runFakeCrypto(job, this.chainRefusal)
    this.machine.handleLocalEvent(this.now, { type: 'crypto', result })
    this.pump()
  }
}

interface InFlight {
  readonly at: Instant
  readonly order: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly data: Uint8Array
}

/** A network between harnesses: the same delay for all, and a filter that may lose datagrams. */
export class CloudNet {
  readonly nodes: CloudHarness[] = []
  readonly #byEndpoint = new Map<string, CloudHarness>()
  readonly #inFlight: InFlight[] = []
  #order = 0
  now: Instant = 0
  delayUs = 1000
  /** Return false to lose the datagram. */
  passes: (from: Endpoint, to: Endpoint, data: Uint8Array) => boolean = () => true

  add(options: HarnessOptions & { readonly own: readonly Endpoint[] }): CloudHarness {
    const node = new CloudHarness({ rngSeed: 100 + this.nodes.length, ...options, opened: false })
    node.now = this.now
    node.onTransmit = (transmit) => {
      this.#send(node, transmit)
    }
    this.nodes.push(node)
    for (const own of node.own) this.#byEndpoint.set(endpointKey(own), node)
    if (options.opened !== false) {
      const { seeds = [], lastUsed = [] } = options
      node.command({ type: 'open', seeds, lastUsed })
    }
    return node
  }

  /** The node vanishes without a word. */
  kill(node: CloudHarness): void {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    for (const own of node.own) this.#byEndpoint.delete(endpointKey(own))
  }

  run(us: number): void {
    const until = this.now + us
    for (;;) {
      const next = Math.min(this.#nextArrival(), this.#nextTimer())
      if (next > until) break
      this.#moveTo(Math.max(this.now, next))
      this.#deliverDue()
      for (const node of this.nodes) if (node.machine.pollTimeout() <= this.now) node.advance(0)
    }
    this.#moveTo(until)
  }

  #moveTo(now: Instant): void {
    this.now = now
    for (const node of this.nodes) node.now = now
  }

  #nextArrival(): Instant {
    return this.#inFlight[0]?.at ?? Number.POSITIVE_INFINITY
  }

  #nextTimer(): Instant {
    return Math.min(...this.nodes.map((node) => node.machine.pollTimeout()))
  }

  #send(node: CloudHarness, { to, data }: CloudTransmit): void {
    const from = node.own[0] as Endpoint
    if (!this.passes(from, to, data)) return
    const order = this.#order++
    this.#inFlight.push({ at: this.now + this.delayUs, order, from, to, data: data.slice() })
    this.#inFlight.sort((a, b) => a.at - b.at || a.order - b.order)
  }

  #deliverDue(): void {
    while (this.#nextArrival() <= this.now) {
      const { from, to, data } = this.#inFlight.shift() as InFlight
      this.#byEndpoint.get(endpointKey(to))?.deliverBytes(from, data)
    }
  }
}
