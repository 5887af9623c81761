import { getSystemErrorName } from 'node:util'
import { markAsUntransferable } from 'node:worker_threads'
import { addressAt } from '../core/met-bytes.js'
import { addon } from './addon.js'

const layout = addon.udpLayout

/** Longest payload handed over or taken; longer datagrams are dropped and counted. */
export const UDP_PAYLOAD_MAX: number = layout.payloadMax

/** Most datagrams in one batch. */
export const UDP_BATCH_MAX: number = layout.rxRows

/** Whether this platform has the fast path (batched system calls). */
export const hasFastUdp: boolean = addon.udpHasFast

export interface UdpOpenOptions {
  /** 16 bytes. */
  readonly address: Uint8Array
  /** 0: any free one. */
  readonly port: number
  /** Zone of a link-local address, else 0. */
  readonly scopeId: number
  readonly reuseAddress: boolean
  /** Bytes of kernel buffer, 0: the system's default. */
  readonly receiveBufferBytes: number
  readonly sendBufferBytes: number
}

export interface UdpSocketStats {
  readonly received: number
  readonly truncated: number
  readonly receiveErrors: number
  readonly sent: number
  readonly sendErrors: number
  readonly sendDropped: number
  /** Name such as 'ENETUNREACH' of the latest error, '' if there was none. */
  readonly lastError: string
  readonly waiting: number
}

// Rows of the shared block in units of their types; see native/udp/udp.h.
const RX = layout.rxTable / 4
const RX_INTS = 16
const TX = layout.txTable / 4
const TX_INTS = 12
const TX_AREA = layout.txArea
const TX_BYTES = layout.bytes - layout.txArea

/** Name of an error number, e.g. 'EADDRINUSE'. */
export function udpErrorName(error: number): string {
  return error < 0 ? getSystemErrorName(error) : ''
}

/**
 * The native UDP hub: sockets are integers, batches are rows of a block of memory shared with C
 * (native/udp/udp.h). Open sockets keep it alive. Rows may be read until `onBatch` returns.
 */
export class UdpHub {
  readonly #hub: object
  readonly #ints: Int32Array
  readonly #doubles: Float64Array
  /** The whole shared block. */
  readonly block: Uint8Array
  readonly #stats = new Float64Array(8)

  constructor(kind: 'fast' | 'portable', onBatch: (count: number) => void) {
    const { hub, block } = addon.udpCreate(kind === 'fast' ? 0 : 1, onBatch)
    // C holds its address for as long as the hub lives.
    markAsUntransferable(block)
    this.#hub = hub
    this.block = new Uint8Array(block)
    this.#ints = new Int32Array(block)
    this.#doubles = new Float64Array(block)
  }

  /** Closes all sockets; nothing can be opened any more. Idempotent. */
  destroy(): void {
    addon.udpDestroy(this.#hub)
  }

  /** The socket's handle, or a negative error number. */
  open(options: UdpOpenOptions): number {
    return addon.udpOpen(
      this.#hub,
      options.address,
      options.port,
      options.scopeId,
      options.reuseAddress,
      options.receiveBufferBytes,
      options.sendBufferBytes,
    )
  }

  /** False if it was closed before. */
  close(socket: number): boolean {
    return addon.udpClose(this.#hub, socket) === 0
  }

  port(socket: number): number {
    return addon.udpPort(this.#hub, socket)
  }

  setRef(socket: number, ref: boolean): void {
    addon.udpSetRef(this.#hub, socket, ref)
  }

  /** Undefined for a socket that is not open. */
  stats(socket: number): UdpSocketStats | undefined {
    const values = this.#stats
    if (addon.udpStats(this.#hub, socket, values) !== 0) return undefined
    return {
      received: values[0] as number,
      truncated: values[1] as number,
      receiveErrors: values[2] as number,
      sent: values[3] as number,
      sendErrors: values[4] as number,
      sendDropped: values[5] as number,
      lastError: udpErrorName(values[6] as number),
      waiting: values[7] as number,
    }
  }

  /** 0 or a negative error number. */
  join(socket: number, group: Uint8Array, interfaceIndex: number): number {
    return addon.udpMembership(this.#hub, socket, true, group, interfaceIndex)
  }

  leave(socket: number, group: Uint8Array, interfaceIndex: number): number {
    return addon.udpMembership(this.#hub, socket, false, group, interfaceIndex)
  }

  multicast(socket: number, hops: number, loop: boolean, interfaceIndex: number): number {
    return addon.udpMulticast(this.#hub, socket, hops, loop, interfaceIndex)
  }

  /** Handle of the socket that received datagram `i` of the batch. */
  socketOf(i: number): number {
    return this.#ints[RX + i * RX_INTS] as number
  }

  /** Place of the payload in `block`, a multiple of 4. */
  offsetOf(i: number): number {
    return this.#ints[RX + i * RX_INTS + 1] as number
  }

  lengthOf(i: number): number {
    return this.#ints[RX + i * RX_INTS + 2] as number
  }

  /** Source port. */
  portOf(i: number): number {
    return this.#ints[RX + i * RX_INTS + 3] as number
  }

  /** Place of the source address in `block`. */
  sourceOffsetOf(i: number): number {
    return (RX + i * RX_INTS + 4) * 4
  }

  /** The source address, a copy. */
  sourceOf(i: number): Uint8Array {
    return addressAt(this.block, this.sourceOffsetOf(i))
  }

  scopeOf(i: number): number {
    return (this.#ints[RX + i * RX_INTS + 8] as number) >>> 0
  }

  /** A copy of the address it was sent to; all zero if the system does not tell. */
  localOf(i: number): Uint8Array {
    const at = (RX + i * RX_INTS + 9) * 4
    return this.block.slice(at, at + 16)
  }

  interfaceOf(i: number): number {
    return (this.#ints[RX + i * RX_INTS + 13] as number) >>> 0
  }

  /** Monotonic microseconds, the clock of process.hrtime(). */
  receivedAtOf(i: number): number {
    return this.#doubles[(RX + i * RX_INTS + 14) / 2] as number
  }

  /**
   * Copies a datagram into the send ring, which is flushed first if it is full. At most
   * UDP_PAYLOAD_MAX bytes. False if there is no room even then.
   */
  stage(
    socket: number,
    address: Uint8Array,
    port: number,
    scopeId: number,
    bytes: Uint8Array,
  ): boolean {
    const ints = this.#ints
    const length = bytes.length
    if (!this.#hasRoom(length)) {
      this.flush()
      if (!this.#hasRoom(length)) return false
    }
    const rows = ints[0] as number
    const used = ints[1] as number
    const row = TX + rows * TX_INTS
    this.block.set(bytes, TX_AREA + used)
    ints[row] = socket
    ints[row + 1] = TX_AREA + used
    ints[row + 2] = length
    ints[row + 3] = port
    this.block.set(address, (row + 4) * 4)
    ints[row + 8] = scopeId
    ints[0] = rows + 1
    ints[1] = used + ((length + 3) & ~3)
    return true
  }

  /** Sends what is staged; what must wait for a busy socket stays and goes out by itself. */
  flush(): void {
    if (this.#ints[0] !== 0) addon.udpFlush(this.#hub)
  }

  /**
   * Is a batch under way? That includes the microtasks it leads to, and ends with a flush of its
   * own.
   */
  get delivering(): boolean {
    return this.#ints[2] !== 0
  }

  #hasRoom(length: number): boolean {
    const rows = this.#ints[0] as number
    const used = this.#ints[1] as number
    return rows < layout.txRows && used + length <= TX_BYTES
  }
}
