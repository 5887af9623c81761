import type { Endpoint } from '../core/endpoint.js'
import { PeernetError } from '../core/errors.js'
import type { Instant } from '../core/instant.js'
import { LIMITS } from '../core/limits.js'
import type { Machine } from '../core/machine.js'
import type {
  DatagramBatch,
  DatagramPort,
  DatagramPortOptions,
  DatagramTransport,
} from '../io/datagram-port.js'
import type { CryptoJob, CryptoPort, CryptoResult } from '../pnrp/crypto-port.js'
import type {
  CloudCommand,
  CloudEffect,
  CloudEvent,
  CloudLocalEvent,
  CloudTransmit,
} from '../pnrp/interface.js'
import type { PnrpMessage } from '../wire/messages.js'
import { DrivenNode } from './driven-node.js'
import { NodePorts } from './node-ports.js'
import type { Turns } from './turns.js'

/** One node in one cloud (lib/pnrp/cloud.ts). */
export type CloudMachine = Machine<
  CloudCommand,
  PnrpMessage,
  Endpoint,
  CloudLocalEvent,
  CloudTransmit,
  CloudEffect,
  CloudEvent
>

/** Effects that the cloud runtime carries out; the crypto ones go to the CryptoPort. */
export type HostEffect = Exclude<CloudEffect, { type: 'crypto' }>

export type DecodeMessage = (
  bytes: Uint8Array,
) => { ok: true; message: PnrpMessage } | { ok: false; code: string }

export interface PumpedNodeOptions {
  readonly machine: CloudMachine
  readonly crypto: CryptoPort
  /** Carries out what needs the host. Called in the pump's turn: start the work and return. */
  readonly onEffect: (effect: HostEffect) => void
  readonly onEvent: (event: CloudEvent) => void
  /** Sees every datagram of this node: for captures and traces. `data` must not be changed. */
  readonly onDatagram?: (datagram: SeenDatagram) => void
}

export interface SeenDatagram {
  readonly direction: 'in' | 'out'
  readonly at: Instant
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly data: Uint8Array
  /** Why it is sent. */
  readonly reason?: CloudTransmit['reason']
}

/** What a node needs of the pump that drives it. */
export interface PumpServices {
  readonly turns: Turns
  readonly decode: DecodeMessage
  forget(node: PumpedNode): void
  /** The backlog of a crypto port may have changed. */
  cryptoChanged(port: CryptoPort): void
}

/**
 * A machine with its ports: feeds it what comes in and carries out what it asks for. `Pump.add`
 * makes it; the pump owns time and turns.
 */
export class PumpedNode extends DrivenNode {
  readonly #machine: CloudMachine
  readonly #options: PumpedNodeOptions
  readonly #services: PumpServices
  readonly #ports = new NodePorts()
  /** An inline crypto job took time: the batch's clock reading is old. */
  #timePassed = false

  constructor(options: PumpedNodeOptions, services: PumpServices) {
    super(services.turns, options.machine)
    this.#machine = options.machine
    this.#options = options
    this.#services = services
  }

  get crypto(): CryptoPort {
    return this.#options.crypto
  }

  get ports(): readonly DatagramPort[] {
    return this.#ports.all
  }

  /** Opens a port for this node. The machine hears of its endpoints by the event 'addresses'. */
  async listen(transport: DatagramTransport, options: DatagramPortOptions): Promise<DatagramPort> {
    const port: DatagramPort = await transport.open(options, (batch) => {
      this.#receive(port, batch)
    })
    if (this.closed) {
      port.close()
      throw new PeernetError('ERR_PEERNET_CLOSED', 'the node was closed meanwhile')
    }
    this.#ports.add(port)
    return port
  }

  /** Closes one of the ports: its address is gone. */
  unlisten(port: DatagramPort): void {
    this.#ports.remove(port)
  }

  /** Hands a command to the machine and carries out what follows from it. */
  command(command: CloudCommand): void {
    if (this.closed) throw new PeernetError('ERR_PEERNET_CLOSED', 'the node is closed')
    try {
      this.#machine.handleCommand(this.turns.clock.now(), command)
    } finally {
      this.pump()
    }
  }

  localEvent(event: CloudLocalEvent): void {
    if (this.closed) return
    this.run(() => {
      this.#machine.handleLocalEvent(this.turns.clock.now(), event)
    })
  }

  override wallClock(offsetMs: number): void {
    this.localEvent({ type: 'wall-clock', offsetMs })
  }

  /** Closes ports and timers; nothing reaches the machine any more. Idempotent. */
  close(): void {
    if (!this.end()) return
    this.#ports.close()
    this.#services.forget(this)
  }

  #receive(port: DatagramPort, batch: DatagramBatch): void {
    let now = this.turns.clock.now()
    for (let i = 0; i < batch.count && !this.closed; i++) {
      this.#timePassed = false
      this.#receiveOne(now, port, batch, i)
      if (this.#timePassed) now = this.turns.clock.now()
    }
  }

  #receiveOne(now: Instant, port: DatagramPort, batch: DatagramBatch, i: number): void {
    const from = batch.from(i)
    const data = batch.payload(i)
    const { onDatagram } = this.#options
    if (onDatagram !== undefined) {
      // The receive ring is used again; machines copy what they keep, others need not know.
      const copy = batch.copy(i)
      onDatagram({ direction: 'in', at: now, local: port, remote: from, data: copy })
    }
    // MS-PNRP 3.1.5.2
    if (from.port < LIMITS.lowestPort) {
      this.#malformed(now, 'source-port')
      return
    }
    const decoded = this.#services.decode(data)
    if (!decoded.ok) {
      this.#malformed(now, decoded.code)
      return
    }
    this.#ports.remember(from, port)
    this.run(() => {
      this.#machine.handleMessage(now, from, decoded.message)
    })
  }

  #malformed(now: Instant, reason: string): void {
    this.run(() => {
      this.#machine.handleLocalEvent(now, { type: 'malformed', reason })
    })
  }

  protected override step(): boolean {
    const transmit = this.#machine.pollTransmit()
    if (transmit !== undefined) {
      this.#send(transmit)
      return true
    }
    const effect = this.#machine.pollEffect()
    if (effect !== undefined) {
      if (effect.type === 'crypto') this.#runCrypto(effect.job)
      else this.tell(this.#options.onEffect, effect)
      return true
    }
    const event = this.#machine.pollEvent()
    if (event === undefined) return false
    this.tell(this.#options.onEvent, event)
    return true
  }

  #send(transmit: CloudTransmit): void {
    const { to, data, reason } = transmit
    const port = this.#ports.choose(to)
    if (port === undefined) {
      this.counters.add('send.no-port')
      return
    }
    try {
      port.send(to, data)
    } catch (error) {
      // An endpoint that nobody can send to; the port counts what the system refuses.
      if (!(error instanceof PeernetError)) throw error
      this.counters.add(`send.${error.code}`)
      return
    }
    const { onDatagram } = this.#options
    if (onDatagram === undefined) return
    const at = this.turns.clock.now()
    onDatagram({ direction: 'out', at, local: port, remote: to, data, reason })
  }

  #runCrypto(job: CryptoJob): void {
    const { crypto } = this.#options
    const result = crypto.tryNow(job)
    if (result !== undefined) {
      this.#timePassed = true
      this.localEvent({ type: 'crypto', result })
      return
    }
    crypto.enqueue(job, (late: CryptoResult) => {
      this.localEvent({ type: 'crypto', result: late })
      this.#services.cryptoChanged(crypto)
    })
    this.#services.cryptoChanged(crypto)
  }
}
