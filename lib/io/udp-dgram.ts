import dgram from 'node:dgram'
import { Buffer } from 'node:buffer'
import { formatAddress, parseAddress } from '../core/address-text.js'
import type { Clock } from '../core/clock.js'
import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
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
  type DatagramStats,
  type DatagramTransport,
  type MulticastOptions,
} from './datagram-port.js'
import { bindError, closedError, multicastError } from './socket-errors.js'
import { SystemClock } from './system-clock.js'
import { zoneIndex, zoneText } from './zones.js'

type SystemError = NodeJS.ErrnoException

/** Addresses are text here: no name is ever looked up. */
function noLookup(
  host: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, host, 6)
}

const nameOf = (error: unknown): string => (error as SystemError).code ?? 'UNKNOWN'

function needsZone(address: Uint8Array): boolean {
  const second = address[1] as number
  if (address[0] === 0xfe) return (second & 0xc0) === 0x80
  return address[0] === 0xff && ((second & 0x0f) === 1 || (second & 0x0f) === 2)
}

/** A batch of one: node:dgram has one event a datagram. */
class DgramBatch implements DatagramBatch {
  readonly count = 1
  readonly #port: DgramPort
  readonly #bytes: Uint8Array
  readonly #source: dgram.RemoteInfo
  readonly #receivedAt: number

  constructor(port: DgramPort, bytes: Uint8Array, source: dgram.RemoteInfo, receivedAt: number) {
    this.#port = port
    this.#bytes = bytes
    this.#source = source
    this.#receivedAt = receivedAt
  }

  payload(_i: number): Uint8Array {
    return this.#bytes
  }

  copy(_i: number): Uint8Array {
    return new Uint8Array(this.#bytes)
  }

  from(_i: number): Endpoint {
    const parsed = parseAddress(this.#source.address)
    return { address: parsed?.address ?? new Uint8Array(16), port: this.#source.port }
  }

  sourcePort(_i: number): number {
    return this.#source.port
  }

  scopeId(_i: number): number {
    const zone = parseAddress(this.#source.address)?.zone
    return zone === undefined ? 0 : zoneIndex(zone)
  }

  localAddress(_i: number): Uint8Array {
    return this.#port.address.slice()
  }

  interfaceIndex(_i: number): number {
    return this.#port.scopeId
  }

  receivedAt(_i: number): number {
    return this.#receivedAt
  }
}

class DgramPort implements DatagramPort {
  readonly #socket: dgram.Socket
  readonly #receive: DatagramReceiver
  readonly #clock: Clock
  readonly address: Uint8Array
  readonly port: number
  readonly scopeId: number
  readonly #counts = { received: 0, truncated: 0, receiveErrors: 0, sent: 0 }
  #sendErrors = 0
  #sendDropped = 0
  #lastError = ''
  #closed = false

  constructor(
    socket: dgram.Socket,
    options: DatagramPortOptions,
    receive: DatagramReceiver,
    clock: Clock,
  ) {
    this.#socket = socket
    this.#receive = receive
    this.#clock = clock
    this.address = options.address.slice()
    this.port = socket.address().port
    this.scopeId = options.scopeId ?? 0
    socket.on('message', (bytes, source) => {
      this.#onMessage(bytes, source)
    })
    socket.on('error', (error) => {
      this.#counts.receiveErrors++
      this.#lastError = nameOf(error)
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  send(to: Endpoint, bytes: Uint8Array, scopeId = 0): void {
    this.#checkOpen()
    checkDatagram(to, bytes)
    if (this.#socket.getSendQueueCount() >= LIMITS.datagramsWaiting) {
      this.#sendDropped++
      return
    }
    const zone = scopeId !== 0 ? scopeId : needsZone(to.address) ? this.scopeId : 0
    const host = hostText(to.address, zone)
    this.#socket.send(Buffer.from(bytes), to.port, host, (error) => {
      if (error === null) {
        this.#counts.sent++
      } else {
        this.#sendErrors++
        this.#lastError = nameOf(error)
      }
    })
  }

  joinGroup(group: Uint8Array, interfaceIndex: number): void {
    checkGroup(group, interfaceIndex)
    this.#multicast('join the group', () => {
      this.#socket.addMembership(formatAddress(group), interfaceText(interfaceIndex))
    })
  }

  leaveGroup(group: Uint8Array, interfaceIndex: number): void {
    checkGroup(group, interfaceIndex)
    this.#multicast('leave the group', () => {
      this.#socket.dropMembership(formatAddress(group), interfaceText(interfaceIndex))
    })
  }

  setMulticast(options: MulticastOptions): void {
    checkMulticastOptions(options)
    const { hops, loop, interfaceIndex = 0 } = options
    this.#multicast('set the multicast options', () => {
      this.#socket.setMulticastTTL(hops)
      this.#socket.setMulticastLoopback(loop)
      if (interfaceIndex !== 0) {
        this.#socket.setMulticastInterface(interfaceText(interfaceIndex) as string)
      }
    })
  }

  ref(): void {
    if (!this.#closed) this.#socket.ref()
  }

  unref(): void {
    if (!this.#closed) this.#socket.unref()
  }

  stats(): DatagramStats {
    return {
      ...this.#counts,
      sendErrors: this.#sendErrors,
      sendDropped: this.#sendDropped,
      waiting: this.#closed ? 0 : this.#socket.getSendQueueCount(),
      lastError: this.#lastError,
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #onMessage(bytes: Uint8Array, source: dgram.RemoteInfo): void {
    if (this.#closed) return
    if (bytes.length > LIMITS.datagramBytes) {
      this.#counts.truncated++
      return
    }
    this.#counts.received++
    this.#receive(new DgramBatch(this, bytes, source, this.#clock.now()))
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError()
  }

  #multicast(what: string, work: () => void): void {
    this.#checkOpen()
    try {
      work()
    } catch (error) {
      throw multicastError(nameOf(error), `cannot ${what}`)
    }
  }
}

/** `::%eth0`; undefined for the system's choice. Throws like the system for an unknown one. */
function interfaceText(index: number): string | undefined {
  if (index === 0) return undefined
  const zone = zoneText(index)
  if (zone === undefined) throw Object.assign(new Error('no such interface'), { code: 'ENODEV' })
  return `::%${zone}`
}

/** With its zone, as node:dgram wants it; an unknown zone is left to the system to refuse. */
function hostText(address: Uint8Array, scopeId: number): string {
  const text = formatAddress(address)
  return scopeId === 0 ? text : `${text}%${zoneText(scopeId) ?? scopeId}`
}

/**
 * Ports over node:dgram: the fallback where the addon's sockets do not work, and the other side of
 * differential tests. It is several times slower and gives every datagram a batch of its own.
 */
export class DgramTransport implements DatagramTransport {
  readonly kind = 'dgram'
  readonly #clock: Clock

  constructor(clock: Clock = new SystemClock()) {
    this.#clock = clock
  }

  // async: what the checks throw becomes a rejection.
  async open(options: DatagramPortOptions, receive: DatagramReceiver): Promise<DatagramPort> {
    checkPortOptions(options)
    const socket = createSocket(options)
    const { address, port, scopeId = 0 } = options
    const host = hostText(address, scopeId)
    await new Promise<void>((resolve, reject) => {
      const failed = (error: unknown): void => {
        closeQuietly(socket)
        reject(bindError(nameOf(error), address, port))
      }
      socket.once('error', failed)
      try {
        // exclusive: cluster workers each have a socket of their own, as with the addon.
        socket.bind({ address: host, port, exclusive: true }, () => {
          socket.removeListener('error', failed)
          resolve()
        })
      } catch (error) {
        failed(error)
      }
    })
    try {
      checkBoundPort(socket.address().port)
    } catch (error) {
      closeQuietly(socket)
      throw error
    }
    return new DgramPort(socket, options, receive, this.#clock)
  }

  /** node:dgram sends at once. */
  flush(): void {
    // nothing is held back
  }
}

function createSocket(options: DatagramPortOptions): dgram.Socket {
  try {
    return dgram.createSocket({
      type: 'udp6',
      ipv6Only: true,
      reuseAddr: options.reuseAddress ?? false,
      lookup: noLookup,
      ...(options.receiveBufferBytes ? { recvBufferSize: options.receiveBufferBytes } : {}),
      ...(options.sendBufferBytes ? { sendBufferSize: options.sendBufferBytes } : {}),
    })
  } catch (error) {
    throw bindError(nameOf(error), options.address, options.port)
  }
}

function closeQuietly(socket: dgram.Socket): void {
  try {
    socket.close()
  } catch {
    // never bound
  }
}
