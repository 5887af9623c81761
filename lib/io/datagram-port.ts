import type { Endpoint } from '../core/endpoint.js'
import { PeernetError, checkArgument } from '../core/errors.js'
import type { Instant } from '../core/instant.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'

/**
 * UDP over IPv6 as the runtime sees it. There are three implementations behind these interfaces,
 * which pass one compliance suite: the addon's fast path ('native'), the addon over libuv
 * ('portable') and node:dgram ('dgram').
 */

/**
 * Datagrams of one port, in the order of arrival. The object and its payload views are only valid
 * until the receiver returns; `copy`, `from` and `localAddress` give arrays that the caller owns.
 */
export interface DatagramBatch {
  readonly count: number
  /** A view of the payload. */
  payload(i: number): Uint8Array
  /** A copy of the payload. */
  copy(i: number): Uint8Array
  from(i: number): Endpoint
  sourcePort(i: number): number
  /** Zone of the source address; 0 if it needs none. */
  scopeId(i: number): number
  /** Where it was sent to. On a port bound to `::` all zero where the system does not tell. */
  localAddress(i: number): Uint8Array
  /** Index of the interface it came in by; 0 if unknown. */
  interfaceIndex(i: number): number
  /** When it was read, on the clock of SystemClock. */
  receivedAt(i: number): Instant
}

export type DatagramReceiver = (batch: DatagramBatch) => void

export interface DatagramPortOptions {
  /**
   * 16 bytes: an address of this host (N-69: one port object for each local address, so that a
   * datagram's cloud is known by the port it came in at), or a multicast group.
   */
  readonly address: Uint8Array
  /** 1025..65535 (MS-PNRP 2.1, N-05), or 0 for any free one. */
  readonly port: number
  /** Zone (interface index) of a link-local address. */
  readonly scopeId?: number
  /** Allows `address` to be `::`. Never for a cloud: only for multicast discovery. */
  readonly anyAddress?: boolean
  /** Several sockets of this host share the port (multicast discovery). */
  readonly reuseAddress?: boolean
  /** Kernel buffers in bytes; the system's default if absent. */
  readonly receiveBufferBytes?: number
  readonly sendBufferBytes?: number
}

export interface DatagramStats {
  readonly received: number
  /** Dropped: longer than `LIMITS.datagramBytes`. */
  readonly truncated: number
  /** Errors that the system reported instead of a datagram. */
  readonly receiveErrors: number
  readonly sent: number
  /** Dropped: the system refused (no route, address gone, firewall). */
  readonly sendErrors: number
  /** Dropped: too many were waiting for the busy socket. */
  readonly sendDropped: number
  /** Waiting for the busy socket now. */
  readonly waiting: number
  /** Name of the latest error, e.g. 'ENETUNREACH'; '' if there was none. */
  readonly lastError: string
}

/** One bound socket. */
export interface DatagramPort {
  readonly address: Uint8Array
  /** The bound port. */
  readonly port: number
  readonly scopeId: number
  readonly closed: boolean
  /**
   * Queues a datagram, at most `LIMITS.datagramBytes`; `bytes` may be changed afterwards. It leaves
   * at the end of the turn or with `DatagramTransport.flush()`. What the system refuses is counted,
   * not thrown. `scopeId` is the zone of the destination; default: that of this port.
   *
   * Throws ERR_PEERNET_CLOSED, ERR_PEERNET_INVALID_ARG.
   */
  send(to: Endpoint, bytes: Uint8Array, scopeId?: number): void
  /** Membership of a group on an interface (0: the system's). Throws ERR_PEERNET_MULTICAST. */
  joinGroup(group: Uint8Array, interfaceIndex: number): void
  leaveGroup(group: Uint8Array, interfaceIndex: number): void
  /** How datagrams to groups leave. Throws ERR_PEERNET_MULTICAST. */
  setMulticast(options: MulticastOptions): void
  /** Whether this port keeps the process alive; it does at first. */
  ref(): void
  unref(): void
  /** Of a closed port: what they were at last. */
  stats(): DatagramStats
  /** Frees the port number at once. Nothing is received any more. Idempotent. */
  close(): void
}

export interface MulticastOptions {
  /** 0..255. */
  readonly hops: number
  /** Whether this host's own members hear it. */
  readonly loop: boolean
  /** Default 0: the system's choice, or the zone of the destination. */
  readonly interfaceIndex?: number
}

export type TransportKind = 'native' | 'portable' | 'dgram'

/** A way to open ports. All ports of a transport share its buffers. */
export interface DatagramTransport {
  readonly kind: TransportKind
  /**
   * Rejects with ERR_PEERNET_INVALID_ARG, _PORT_IN_USE, _PERMISSION, _NO_ADDRESS (the address is
   * none of this host's), _NO_IPV6, _LIMIT (out of file descriptors) or _SYSTEM. `receive` is not
   * called before the promise is settled.
   */
  open(options: DatagramPortOptions, receive: DatagramReceiver): Promise<DatagramPort>
  /** Sends now what the ports have queued in this turn. */
  flush(): void
}

const ADDRESS_BYTES = 16
const UINT32_MAX = 0xffff_ffff

/** The rules of MS-PNRP 2.1 for ports, and N-69. Throws ERR_PEERNET_INVALID_ARG. */
export function checkPortOptions(options: DatagramPortOptions): void {
  const { address, port, scopeId = 0 } = options
  checkArgument(
    address instanceof Uint8Array && address.length === ADDRESS_BYTES,
    'address must be 16 bytes',
  )
  const kind = addressKind(address)
  checkArgument(kind !== 'embedded-ipv4', 'PNRP runs on IPv6 only, not on IPv4 in IPv6')
  checkArgument(
    kind !== 'unspecified' || options.anyAddress === true,
    'bind to an address of this host, not to ::',
  )
  checkArgument(
    Number.isInteger(port) && (port === 0 || (port >= LIMITS.lowestPort && port <= 65_535)),
    `port must be ${LIMITS.lowestPort}..65535, or 0 for any free one`,
  )
  checkArgument(
    Number.isInteger(scopeId) && scopeId >= 0 && scopeId <= UINT32_MAX,
    'scopeId must be an interface index',
  )
  for (const bytes of [options.receiveBufferBytes ?? 0, options.sendBufferBytes ?? 0]) {
    checkArgument(Number.isInteger(bytes) && bytes >= 0 && bytes <= 1 << 28, 'unlikely buffer size')
  }
}

/** MS-PNRP 2.1, N-05: throws ERR_PEERNET_SYSTEM when the system has chosen a port below 1025. */
export function checkBoundPort(port: number): void {
  if (port >= LIMITS.lowestPort) return
  throw new PeernetError(
    'ERR_PEERNET_SYSTEM',
    `the system chose port ${port}, but PNRP needs ${LIMITS.lowestPort} or higher: name a port`,
  )
}

const TOO_LONG = `a datagram has at most ${LIMITS.datagramBytes} bytes`

/** Throws ERR_PEERNET_INVALID_ARG. */
export function checkDatagram(to: Endpoint, bytes: Uint8Array): void {
  checkArgument(to.address.length === ADDRESS_BYTES, 'a destination address has 16 bytes')
  checkArgument(
    Number.isInteger(to.port) && to.port > 0 && to.port <= 65_535,
    'a destination port is 1..65535',
  )
  checkArgument(bytes instanceof Uint8Array && bytes.length <= LIMITS.datagramBytes, TOO_LONG)
}

export function checkGroup(group: Uint8Array, interfaceIndex: number): void {
  checkArgument(
    group instanceof Uint8Array && group.length === ADDRESS_BYTES && group[0] === 0xff,
    'a multicast group is 16 bytes, the first 0xff',
  )
  checkArgument(
    Number.isInteger(interfaceIndex) && interfaceIndex >= 0 && interfaceIndex <= UINT32_MAX,
    'interfaceIndex must be an interface index',
  )
}

export function checkMulticastOptions(options: MulticastOptions): void {
  const { hops, loop, interfaceIndex = 0 } = options
  checkArgument(Number.isInteger(hops) && hops >= 0 && hops <= 255, 'hops must be 0..255')
  checkArgument(typeof loop === 'boolean', 'loop must be true or false')
  checkArgument(
    Number.isInteger(interfaceIndex) && interfaceIndex >= 0 && interfaceIndex <= UINT32_MAX,
    'interfaceIndex must be an interface index',
  )
}
