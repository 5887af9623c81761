import { connect, createServer, Socket, type OnReadOpts, type Server } from 'node:net'
import { parseAddress, formatAddress } from '../core/address-text.js'
import type { Endpoint } from '../core/endpoint.js'
import { systemCode } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { tcpCanSend, tcpSend } from '../native/tcp.js'
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

/** One read buffer for all connections: it is filled and looked at before anybody else reads. */
let readBuffer: Buffer | undefined

/** What Node has behind a socket; not part of its interface, so it may be missing. */
interface Handle {
  readonly fd?: number
}
interface Handled {
  _handle?: Handle | null
  _server?: unknown
}

const NO_PIECES: readonly Uint8Array[] = []

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
  #pieces: readonly Uint8Array[] = NO_PIECES
  /** Bytes given to the socket, and of those: reported by `takeWritten`. */
  #given = 0
  #reported = 0
  #connected: boolean
  /** Read since others had their turn. */
  #inTurn = 0
  /** Written since others had their turn; the owner hears of it when they have had it. */
  #outTurn = 0
  #yields = false
  /** Not read, because of the owner. */
  #paused: boolean
  #closed: boolean

  private constructor(socket: Socket, owner: StreamOwner, connected: boolean) {
    this.#socket = socket
    this.owner = owner
    this.#connected = connected
    // Here, not where they are declared: see Shapes in spec/architecture.md.
    this.#paused = false
    this.#closed = false
  }

  /**
   * Starts a connection. `scopeId`: the interface index for link-local addresses, else 0. The owner
   * hears of it later, never during the call.
   */
  static connect(to: Endpoint, scopeId: number, owner: StreamOwner): TcpStream {
    const late: { stream?: TcpStream } = {}
    const socket = connect({
      host: textOf(to.address, scopeId),
      port: to.port,
      family: 6,
      noDelay: true,
      onread: reading(late),
    })
    const stream = new TcpStream(socket, owner, false)
    late.stream = stream
    socket.once('connect', () => {
      stream.#connected = true
      if (!stream.#closed) stream.owner.streamConnected(stream)
    })
    stream.#watch()
    return stream
  }

  /** A connection that a listener accepted; its bytes come in from the next tick on. */
  static accepted(socket: Socket, owner: StreamOwner): TcpStream {
    const late: { stream?: TcpStream } = {}
    const taken = takeOver(socket, late)
    const stream = new TcpStream(taken ?? socket, owner, true)
    late.stream = stream
    if (taken === undefined) {
      socket.on('data', (chunk: Buffer) => {
        stream.receive(chunk)
      })
      socket.resume()
    }
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

  /** Something waits for `flush`. */
  get gathers(): boolean {
    return this.#pieces.length > 0
  }

  /** Gathers pieces; they must not change any more. */
  write(pieces: readonly Uint8Array[]): void {
    if (this.#closed) return
    // As a rule it is the only call of a turn, with one piece.
    this.#pieces = this.#pieces.length === 0 ? pieces : [...this.#pieces, ...pieces]
  }

  /** Gives what was gathered to the system, in one call. */
  flush(): void {
    const pieces = this.#pieces
    if (pieces.length === 0 || this.#closed) return
    this.#pieces = NO_PIECES
    const socket = this.#socket
    if (pieces.length === 1) {
      this.#give(pieces[0] as Uint8Array)
      return
    }
    socket.cork()
    for (const piece of pieces) this.#write(piece)
    socket.uncork()
  }

  /**
   * How many bytes have left the process since the last call. A system that takes all at once would
   * have the owner write on for as long as the peer keeps up: so after many bytes the owner hears
   * of them when others have had their turn.
   */
  takeWritten(): number {
    const written = this.#given - this.#socket.writableLength
    const fresh = written - this.#reported
    if (fresh === 0 || this.#yields) return 0
    if (this.#outTurn >= LIMITS.streamTurnBytes) {
      this.#yields = true
      setImmediate(this.#writeOn)
      return 0
    }
    this.#reported = written
    return fresh
  }

  /** Lets the peer wait: reads nothing until told otherwise. */
  pause(paused: boolean): void {
    if (this.#closed) return
    this.#paused = paused
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
    this.#pieces = NO_PIECES
    this.#socket.destroy()
  }

  /**
   * Feeds bytes; called by the socket. libuv would read on for 2 MB while timers and all other
   * connections wait.
   */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return
    this.owner.streamData(this, chunk)
    this.#inTurn += chunk.length
    if (this.#inTurn < LIMITS.streamTurnBytes) return
    this.#inTurn = 0
    this.#socket.pause()
    setImmediate(this.#readOn)
  }

  readonly #readOn = (): void => {
    if (!this.#closed && !this.#paused) this.#socket.resume()
  }

  readonly #onWritten = (): void => {
    if (!this.#closed && this.#given > this.#reported) this.owner.streamWritten(this)
  }

  readonly #writeOn = (): void => {
    this.#yields = false
    this.#outTurn = 0
    this.#onWritten()
  }

  #give(piece: Uint8Array): void {
    const sent = this.#send(piece)
    this.#given += sent
    this.#outTurn += sent
    if (sent < piece.length) this.#write(sent === 0 ? piece : piece.subarray(sent))
  }

  #write(piece: Uint8Array): void {
    this.#given += piece.length
    this.#outTurn += piece.length
    this.#socket.write(piece, this.#onWritten)
  }

  /**
   * Straight to the system, when nothing is before it: Node's streams need several objects for each
   * write. Returns how many bytes have left; what becomes of the others, and errors, is Node's.
   */
  #send(piece: Uint8Array): number {
    const socket = this.#socket
    if (!tcpCanSend || !this.#connected || socket.writableLength > 0) return 0
    const fd = (socket as Handled)._handle?.fd
    return fd === undefined || fd < 0 ? 0 : tcpSend(fd, piece)
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
    this.#pieces = NO_PIECES
    this.#socket.destroy()
    this.owner.streamClosed(this, why)
  }
}

function reading(late: { readonly stream?: TcpStream }): OnReadOpts {
  readBuffer ??= Buffer.allocUnsafeSlow(LIMITS.streamReadBytes)
  return {
    buffer: readBuffer,
    callback: (length, buffer) => {
      late.stream?.receive(new Uint8Array(buffer.buffer, buffer.byteOffset, length))
      return true
    },
  }
}

/**
 * The connection of an accepted socket in one that reads as outgoing ones do, which Node has no
 * option for: without it every read takes memory of 64 KB first. Undefined: this Node keeps it
 * elsewhere.
 */
function takeOver(socket: Socket, late: { readonly stream?: TcpStream }): Socket | undefined {
  const accepted = socket as Handled
  const { _handle: handle, _server: server } = accepted
  if (typeof handle?.fd !== 'number') return undefined
  accepted._handle = null
  accepted._server = null
  const taken = new Socket({
    ...{ handle, readable: true, writable: true, allowHalfOpen: true },
    onread: reading(late),
  } as object)
  // It counts its connections.
  ;(taken as Handled)._server = server
  return taken
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
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true })
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
