// A pump over virtual time, virtual turns and ports that are fed by hand.
import type { Clock } from '#lib/core/clock.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { PeernetError } from '#lib/core/errors.js'
import { NEVER, type Instant } from '#lib/core/instant.js'
import type {
  DatagramBatch,
  DatagramPort,
  DatagramPortOptions,
  DatagramReceiver,
  DatagramStats,
  DatagramTransport,
} from '#lib/io/datagram-port.js'
import type { CryptoJob, CryptoPort, CryptoResult } from '#lib/pnrp/crypto-port.js'
import type {
  CloudCommand,
  CloudEffect,
  CloudEvent,
  CloudLocalEvent,
  CloudTransmit,
} from '#lib/pnrp/interface.js'
import { Pump } from '#lib/runtime/pump.js'
import type { CloudMachine, PumpedNode, PumpedNodeOptions } from '#lib/runtime/pumped-node.js'
import type { Scheduler } from '#lib/runtime/scheduler.js'
import { encodeMessage } from '#lib/wire/codec.js'
import type { PnrpMessage } from '#lib/wire/messages.js'

export class FakeClock implements Clock {
  at: Instant = 1_000_000
  wall = 1_700_000_000_000
  reads = 0

  now(): Instant {
    this.reads++
    return this.at
  }

  wallMs(): number {
    return this.wall
  }

  /** Both clocks run. */
  advance(microseconds: number): void {
    this.at += microseconds
    this.wall += microseconds / 1000
  }
}

interface FakeTimer {
  readonly at: Instant
  readonly run: () => void
}

export class FakeScheduler implements Scheduler {
  readonly timers = new Set<FakeTimer>()
  readonly turns: (() => void)[] = []
  readonly raised: unknown[] = []
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  timer(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#clock.at + milliseconds * 1000, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  soon(run: () => void): void {
    this.turns.push(run)
  }

  raise(error: unknown): void {
    this.raised.push(error)
  }

  /** One turn of what `soon` was asked for. */
  turn(): boolean {
    const run = this.turns.shift()
    run?.()
    return run !== undefined
  }

  /** Lets time pass: timers fire when due, turns run at once. */
  runUntil(at: Instant): void {
    for (;;) {
      while (this.turn());
      const next = [...this.timers].sort((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > at) break
      this.timers.delete(next)
      this.#clock.advance(Math.max(0, next.at - this.#clock.at))
      next.run()
    }
    this.#clock.advance(at - this.#clock.at)
  }
}

/** A machine that records what it is given and hands out what the test has put in. */
export class ScriptedMachine implements CloudMachine {
  readonly log: string[] = []
  readonly messages: { now: Instant; from: Endpoint; message: PnrpMessage }[] = []
  readonly localEvents: CloudLocalEvent[] = []
  readonly commands: CloudCommand[] = []
  readonly timeouts: Instant[] = []
  transmits: CloudTransmit[] = []
  effects: CloudEffect[] = []
  events: CloudEvent[] = []
  deadline: Instant = NEVER
  onMessage: ((now: Instant, from: Endpoint, message: PnrpMessage) => void) | undefined
  onTimeout: ((now: Instant) => void) | undefined
  onLocalEvent: ((event: CloudLocalEvent) => void) | undefined

  handleCommand(_now: Instant, command: CloudCommand): void {
    this.commands.push(command)
    this.log.push(`command ${command.type}`)
  }

  handleMessage(now: Instant, from: Endpoint, message: PnrpMessage): void {
    this.messages.push({ now, from, message })
    this.onMessage?.(now, from, message)
  }

  handleTimeout(now: Instant): void {
    this.timeouts.push(now)
    this.deadline = NEVER
    this.onTimeout?.(now)
  }

  handleLocalEvent(_now: Instant, event: CloudLocalEvent): void {
    this.localEvents.push(event)
    this.onLocalEvent?.(event)
  }

  pollTransmit(): CloudTransmit | undefined {
    return this.transmits.shift()
  }

  pollEffect(): CloudEffect | undefined {
    return this.effects.shift()
  }

  pollEvent(): CloudEvent | undefined {
    return this.events.shift()
  }

  pollTimeout(): Instant {
    return this.deadline
  }
}

/** Runs jobs at once while `idle`, else when the test says so. */
export class FakeCrypto implements CryptoPort {
  idle = true
  backlog = 0
  readonly counts = { signed: 0, verified: 0 }
  readonly #waiting: (() => void)[] = []

  tryNow(job: CryptoJob): CryptoResult | undefined {
    return this.idle ? resultOf(job) : undefined
  }

  enqueue(job: CryptoJob, done: (result: CryptoResult) => void): void {
    this.backlog++
    this.#waiting.push(() => {
      this.backlog--
      done(resultOf(job))
    })
  }

  finishOne(): boolean {
    const finish = this.#waiting.shift()
    finish?.()
    return finish !== undefined
  }
}

const resultOf = (job: CryptoJob): CryptoResult => ({
  id: job.id,
  kind: 'verified',
  byteOrder: 'spec',
})

export interface Incoming {
  readonly from: Endpoint
  readonly data: Uint8Array
}

/** The buffer of a batch is wiped after it, as the ring is used again. */
export class FakePort implements DatagramPort {
  readonly address: Uint8Array
  readonly port: number
  readonly scopeId = 0
  closed = false
  readonly sent: { to: Endpoint; data: Uint8Array }[] = []
  readonly #receive: DatagramReceiver

  constructor(options: DatagramPortOptions, receive: DatagramReceiver) {
    this.address = options.address
    this.port = options.port
    this.#receive = receive
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    if (bytes.length > 2048) throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'too long')
    this.sent.push({ to, data: bytes })
  }

  /** Delivers one batch. */
  receive(...incoming: Incoming[]): void {
    const buffers = incoming.map(({ data }) => data.slice())
    const batch: DatagramBatch = {
      count: incoming.length,
      payload: (i) => buffers[i] as Uint8Array,
      copy: (i) => (buffers[i] as Uint8Array).slice(),
      from: (i) => (incoming[i] as Incoming).from,
      sourcePort: (i) => (incoming[i] as Incoming).from.port,
      scopeId: () => 0,
      localAddress: () => this.address.slice(),
      interfaceIndex: () => 0,
      receivedAt: () => 0,
    }
    this.#receive(batch)
    for (const buffer of buffers) buffer.fill(0xee)
  }

  joinGroup(): void {
    // no groups here
  }
  leaveGroup(): void {
    // no groups here
  }
  setMulticast(): void {
    // no groups here
  }
  ref(): void {
    // nothing to keep alive
  }
  unref(): void {
    // nothing to keep alive
  }

  stats(): DatagramStats {
    const zero = { received: 0, truncated: 0, receiveErrors: 0, sendErrors: 0, sendDropped: 0 }
    return { ...zero, sent: this.sent.length, waiting: 0, lastError: '' }
  }

  close(): void {
    this.closed = true
  }
}

export class FakeTransport implements DatagramTransport {
  readonly kind = 'native'

  open(options: DatagramPortOptions, receive: DatagramReceiver): Promise<FakePort> {
    return Promise.resolve(new FakePort(options, receive))
  }

  flush(): void {
    // sends are recorded at once
  }
}

export interface TestNode {
  readonly node: PumpedNode
  readonly machine: ScriptedMachine
  readonly effects: CloudEffect[]
  readonly events: CloudEvent[]
}

export class PumpHarness {
  readonly clock = new FakeClock()
  readonly scheduler = new FakeScheduler(this.clock)
  readonly pump = new Pump({ clock: this.clock, scheduler: this.scheduler })
  readonly transport = new FakeTransport()
  readonly crypto = new FakeCrypto()

  add(options: Partial<PumpedNodeOptions> = {}): TestNode {
    const machine = new ScriptedMachine()
    const effects: CloudEffect[] = []
    const events: CloudEvent[] = []
    const node = this.pump.add({
      machine,
      crypto: this.crypto,
      onEffect: (effect) => effects.push(effect),
      onEvent: (event) => events.push(event),
      ...options,
    })
    return { node, machine, effects, events }
  }

  /** A port on `address`, which defaults to ::1. */
  async listen(node: PumpedNode, address: Uint8Array, port = 3540): Promise<FakePort> {
    return (await node.listen(this.transport, { address, port })) as FakePort
  }
}

/** A datagram that decodes: MS-PNRP 2.2.2.7. */
export function ack(messageId: number): Uint8Array {
  return encodeMessage({ type: 'ACK', messageId, ackedMessageId: 7, notFound: false })
}
