import { connect, createServer, type Server, type Socket } from 'node:net'
import { parseAddress, formatAddress } from '../core/address-text.js'
import type { Endpoint } from '../core/endpoint.js'
import { systemCode } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { bindError } from './socket-errors.js'
import { zoneText } from './zones.js'

/** What a stream tells its owner; nothing after `streamClosed`. */
export interface StreamOwner {
  /** An outgoing connection is up. */
  streamConnected(stream: TcpStream): void
  /** Bytes came in. Their memory is valid during the call only. */
  streamData(stream: TcpStream, chunk: Uint8Array): void
  /** More bytes have left the process: see `TcpStream.takeWritten`. */
  streamWritten(stream: TcpStream): void
  /** The connection is gone, or the peer sends no more; `why` is for people and counters. */
  streamClosed(stream: TcpStream, why: string): void
}

/**
 * One read buffer for all outgoing connections: it is filled and looked at before anybody else
 * reads.
 */
let readBuffer: Buffer | undefined

const NOTHING: Endpoint = { address: new Uint8Array(16), port: 0 }

/**
 * One TCP connection over IPv6. Writes of a turn are gathered and go to the system in one call, by
 * `flush`. When the peer closes its direction, the stream is over.
 */
export class TcpStream {
  /** For the owner to keep a number of its own in. */
  tag = 0
  /** Whoever hears of it; a listener hands its streams on. */
  owner: StreamOwner
  readonly #socket: Socket
  #pieces: Uint8Array[] = []
  /** Bytes given to the socket, and of those: reported by `takeWritten`. */
  #given = 0
  #reported = 0
  #closed = false

  private constructor(socket: Socket, owner: StreamOwner) {
    this.#socket = socket
    this.owner = owner
  }

  /**
   * Starts a connection. `scopeId`: the interface index for link-local addresses, else 0. The owner
   * hears of it later, never during the call.
   */
  static connect(to: Endpoint, scopeId: number, owner: StreamOwner): TcpStream {
    readBuffer ??= Buffer.allocUnsafeSlow(LIMITS.streamReadBytes)
    const late: { stream?: TcpStream } = {}
    const socket = connect({
      host: textOf(to.address, scopeId),
      port: to.port,
      family: 6,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, buffer) => {
          late.stream?.receive(buffer.subarray(0, length))
          return true
        },
      },
    })
    const stream = new TcpStream(socket, owner)
    late.stream = stream
    socket.once('connect', () => {
      if (!stream.#closed) stream.owner.streamConnected(stream)
    })
    stream.#watch()
    return stream
  }

  /** A connection that a listener accepted; its bytes come in from the next tick on. */
  static accepted(socket: Socket, owner: StreamOwner): TcpStream {
    const stream = new TcpStream(socket, owner)
    socket.on('data', (chunk: Buffer) => {
      stream.receive(chunk)
    })
    stream.#watch()
    return stream
  }

  get closed(): boolean {
    return this.#closed
  }

  get local(): Endpoint {
    return endpointOf(this.#socket.localAddress, this.#socket.localPort)
  }

  get remote(): Endpoint {
    return endpointOf(this.#socket.remoteAddress, this.#socket.remotePort)
  }

  /** Bytes that have been given to `write` and have not left the process. */
  get waiting(): number {
    return this.#given - this.#reported
  }

  /** Gathers pieces; they must not change any more. */
  write(pieces: readonly Uint8Array[]): void {
    if (this.#closed) return
    for (const piece of pieces) this.#pieces.push(piece)
  }

  /** Gives what was gathered to the system, in one call. */
  flush(): void {
    const pieces = this.#pieces
    if (pieces.length === 0 || this.#closed) return
    this.#pieces = []
    const socket = this.#socket
    if (pieces.length === 1) {
      this.#give(pieces[0] as Uint8Array)
      return
    }
    socket.cork()
    for (const piece of pieces) this.#give(piece)
    socket.uncork()
  }

  /** How many bytes have left the process since the last call. */
  takeWritten(): number {
    const written = this.#given - this.#socket.writableLength
    const fresh = written - this.#reported
    this.#reported = written
    return fresh
  }

  /** Lets the peer wait: reads nothing until told otherwise. */
  pause(paused: boolean): void {
    if (this.#closed) return
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** No more bytes after those written: half-closes. */
  finish(): void {
    if (this.#closed) return
    this.flush()
    this.#socket.end()
  }

  /** Ends it at once. The owner hears nothing more. */
  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#pieces = []
    this.#socket.destroy()
  }

  /** Feeds bytes; called by the socket. */
  receive(chunk: Uint8Array): void {
    if (!this.#closed) this.owner.streamData(this, chunk)
  }

  readonly #onWritten = (): void => {
    if (!this.#closed && this.#given > this.#reported) this.owner.streamWritten(this)
  }

  #give(piece: Uint8Array): void {
    this.#given += piece.length
    this.#socket.write(piece, this.#onWritten)
  }

  #watch(): void {
    const socket = this.#socket
    // What stands behind it comes with 'close'.
    let failure: string | undefined
    socket.on('error', (error) => {
      failure = systemCode(error) ?? error.message
    })
    socket.on('end', () => {
      this.#end('the peer has closed the connection')
    })
    socket.on('close', () => {
      this.#end(failure ?? 'closed')
    })
  }

  #end(why: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#pieces = []
    this.#socket.destroy()
    this.owner.streamClosed(this, why)
  }
}

/** One listening socket, on one address. */
export class TcpListener {
  readonly local: Endpoint
  readonly scopeId: number
  readonly #server: Server

  private constructor(server: Server, local: Endpoint, scopeId: number) {
    this.#server = server
    this.local = local
    this.scopeId = scopeId
  }

  /**
   * Rejects with ERR_PEERNET_PORT_IN_USE, _PERMISSION, _NO_ADDRESS, _NO_IPV6, _LIMIT or _SYSTEM.
   * The callback makes a stream of each socket at once, or destroys it.
   */
  static open(
    on: { readonly address: Uint8Array; readonly scopeId: number; readonly port: number },
    accept: (socket: Socket) => void,
  ): Promise<TcpListener> {
    const { address, scopeId, port } = on
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(bindError(systemCode(error) ?? 'UNKNOWN', address, port, 'TCP'))
      })
      const host = textOf(address, scopeId)
      server.listen({ host, port, ipv6Only: true, backlog: LIMITS.listenBacklog }, () => {
        const bound = server.address() as { port: number }
        server.removeAllListeners('error')
        // Out of descriptors, say: the connection is lost, the listener goes on.
        server.on('error', () => {})
        server.on('connection', accept)
        resolve(new TcpListener(server, { address, port: bound.port }, scopeId))
      })
    })
  }

  /** Accepts no more, and frees the port; connections go on. */
  close(): void {
    this.#server.close()
  }
}

/** Text of an address for the system, with the zone that link-local ones need. */
function textOf(address: Uint8Array, scopeId: number): string {
  const text = formatAddress(address)
  if (addressKind(address) !== 'link-local' || scopeId === 0) return text
  return `${text}%${zoneText(scopeId) ?? scopeId}`
}

function endpointOf(text: string | undefined, port: number | undefined): Endpoint {
  const address = text === undefined ? undefined : parseAddress(text)?.address
  return address === undefined ? NOTHING : { address, port: port ?? 0 }
}
