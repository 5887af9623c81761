import type { Endpoint } from '../core/endpoint.js'
import { UdpHub, hasFastUdp, udpErrorName, type UdpSocketStats } from '../native/udp.js'
import {
  checkBoundPort,
  checkDatagram,
  checkGroup,
  checkMulticastOptions,
  checkPortOptions,
  type DatagramBatch,
  type DatagramPort,
  type DatagramPortOptions,
  type DatagramReceiver,
  type DatagramTransport,
  type MulticastOptions,
} from './datagram-port.js'
import { bindError, closedError, multicastError } from './socket-errors.js'

const INDEX_MASK = 0xffff

/** Rows `start` to `start + count` of the hub's batch: those of one port. */
class NativeBatch implements DatagramBatch {
  readonly #hub: UdpHub
  start = 0
  count = 0

  constructor(hub: UdpHub) {
    this.#hub = hub
  }

  payload(i: number): Uint8Array {
    const at = this.#hub.offsetOf(this.start + i)
    return this.#hub.block.subarray(at, at + this.#hub.lengthOf(this.start + i))
  }

  copy(i: number): Uint8Array {
    const at = this.#hub.offsetOf(this.start + i)
    return this.#hub.block.slice(at, at + this.#hub.lengthOf(this.start + i))
  }

  from(i: number): Endpoint {
    const row = this.start + i
    return { address: this.#hub.sourceOf(row), port: this.#hub.portOf(row) }
  }

  sourcePort(i: number): number {
    return this.#hub.portOf(this.start + i)
  }

  scopeId(i: number): number {
    return this.#hub.scopeOf(this.start + i)
  }

  localAddress(i: number): Uint8Array {
    return this.#hub.localOf(this.start + i)
  }

  interfaceIndex(i: number): number {
    return this.#hub.interfaceOf(this.start + i)
  }

  receivedAt(i: number): number {
    return this.#hub.receivedAtOf(this.start + i)
  }
}

class NativePort implements DatagramPort {
  readonly #transport: NativeTransport
  readonly #hub: UdpHub
  readonly handle: number
  readonly receive: DatagramReceiver
  readonly address: Uint8Array
  readonly port: number
  readonly scopeId: number
  #lastStats: UdpSocketStats | undefined

  constructor(
    transport: NativeTransport,
    hub: UdpHub,
    handle: number,
    options: DatagramPortOptions,
    receive: DatagramReceiver,
  ) {
    this.#transport = transport
    this.#hub = hub
    this.handle = handle
    this.receive = receive
    this.address = options.address.slice()
    this.port = hub.port(handle)
    this.scopeId = options.scopeId ?? 0
  }

  get closed(): boolean {
    return this.#lastStats !== undefined
  }

  send(to: Endpoint, bytes: Uint8Array, scopeId = 0): void {
    if (this.#lastStats !== undefined) throw closedError()
    checkDatagram(to, bytes)
    // There is always room: a flush leaves half of the ring free.
    this.#hub.stage(this.handle, to.address, to.port, scopeId, bytes)
    this.#transport.staged()
  }

  joinGroup(group: Uint8Array, interfaceIndex: number): void {
    this.#checkOpen()
    checkGroup(group, interfaceIndex)
    this.#checkMulticast(this.#hub.join(this.handle, group, interfaceIndex), 'join the group')
  }

  leaveGroup(group: Uint8Array, interfaceIndex: number): void {
    this.#checkOpen()
    checkGroup(group, interfaceIndex)
    this.#checkMulticast(this.#hub.leave(this.handle, group, interfaceIndex), 'leave the group')
  }

  setMulticast(options: MulticastOptions): void {
    this.#checkOpen()
    checkMulticastOptions(options)
    const { hops, loop, interfaceIndex = 0 } = options
    this.#hub.flush() // what is queued leaves as it was meant
    this.#checkMulticast(
      this.#hub.multicast(this.handle, hops, loop, interfaceIndex),
      'set the multicast options',
    )
  }

  ref(): void {
    this.#hub.setRef(this.handle, true)
  }

  unref(): void {
    this.#hub.setRef(this.handle, false)
  }

  stats(): UdpSocketStats {
    return this.#lastStats ?? (this.#hub.stats(this.handle) as UdpSocketStats)
  }

  close(): void {
    if (this.#lastStats !== undefined) return
    // What was queued in this turn leaves before the socket does.
    this.#hub.flush()
    this.#lastStats = { ...(this.#hub.stats(this.handle) as UdpSocketStats), waiting: 0 }
    this.#hub.close(this.handle)
    this.#transport.forget(this)
  }

  #checkOpen(): void {
    if (this.#lastStats !== undefined) throw closedError()
  }

  #checkMulticast(status: number, what: string): void {
    if (status < 0) throw multicastError(udpErrorName(status), `cannot ${what}`)
  }
}

/**
 * Ports over the native addon. One object, and so one pair of rings, serves all nodes of a process:
 * take it from `nativeTransport`.
 */
export class NativeTransport implements DatagramTransport {
  readonly kind: 'native' | 'portable'
  readonly #hub: UdpHub
  readonly #batch: NativeBatch
  /** By the index part of the socket's handle. */
  readonly #ports: (NativePort | undefined)[] = []
  #flushPlanned = false

  constructor(kind: 'native' | 'portable') {
    this.kind = kind
    const fast = kind === 'native' && hasFastUdp
    this.#hub = new UdpHub(fast ? 'fast' : 'portable', (count) => {
      this.#onBatch(count)
    })
    this.#batch = new NativeBatch(this.#hub)
  }

  // The native open is synchronous; async turns what it throws into a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async open(options: DatagramPortOptions, receive: DatagramReceiver): Promise<DatagramPort> {
    checkPortOptions(options)
    const handle = this.#hub.open({
      address: options.address,
      port: options.port,
      scopeId: options.scopeId ?? 0,
      reuseAddress: options.reuseAddress ?? false,
      receiveBufferBytes: options.receiveBufferBytes ?? 0,
      sendBufferBytes: options.sendBufferBytes ?? 0,
    })
    if (handle < 0) throw bindError(udpErrorName(handle), options.address, options.port)
    const port = new NativePort(this, this.#hub, handle, options, receive)
    try {
      checkBoundPort(port.port)
    } catch (error) {
      this.#hub.close(handle)
      throw error
    }
    this.#ports[handle & INDEX_MASK] = port
    return port
  }

  flush(): void {
    this.#hub.flush()
  }

  /** A port has queued a datagram: see to it that it leaves with this turn. */
  staged(): void {
    if (this.#hub.delivering || this.#flushPlanned) return
    this.#flushPlanned = true
    queueMicrotask(() => {
      this.#flushPlanned = false
      this.#hub.flush()
    })
  }

  forget(port: NativePort): void {
    this.#ports[port.handle & INDEX_MASK] = undefined
  }

  #onBatch(count: number): void {
    const hub = this.#hub
    let start = 0
    while (start < count) {
      const handle = hub.socketOf(start)
      let end = start + 1
      while (end < count && hub.socketOf(end) === handle) end++
      this.#deliver(handle, start, end - start)
      start = end
    }
  }

  #deliver(handle: number, start: number, count: number): void {
    const port = this.#ports[handle & INDEX_MASK]
    // Closed earlier in this batch, and perhaps its index taken by another.
    if (port?.handle !== handle) return
    this.#batch.start = start
    this.#batch.count = count
    try {
      port.receive(this.#batch)
    } catch (error) {
      // The other ports' datagrams must not be lost with it.
      process.nextTick(() => {
        throw error
      })
    }
  }
}

const transports = new Map<string, NativeTransport>()

/** The process's (worker's) own transport of that kind. */
export function nativeTransport(kind: 'native' | 'portable' = 'native'): NativeTransport {
  let transport = transports.get(kind)
  if (transport === undefined) {
    transport = new NativeTransport(kind)
    transports.set(kind, transport)
  }
  return transport
}
