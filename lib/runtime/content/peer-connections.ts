import { connect, type Socket } from 'node:net'
import { AnswerReader } from '../../content/answer-reader.js'
import { BlockMemory } from '../../content/block-memory.js'
import { RETRIEVAL_PATH } from '../../content/retrieval.js'
import { LIMITS } from '../../core/limits.js'
import { peerPlace, type PeerPlace } from './peer-address.js'

type ExchangeFailure = 'unreachable' | 'timeout' | 'status' | 'malformed' | 'aborted'

/** What came of an exchange: the body of the answer, or why there is none. */
export type Exchanged = Uint8Array | ExchangeFailure

interface Exchange {
  readonly bytes: Uint8Array
  readonly settle: (result: Exchanged) => void
  connection: Connection | undefined
  /** A kept connection that ended just then is no fault of the peer's: once more on a new one. */
  isSecondTry: boolean
}

/** Where all sockets read into: what arrives is taken out before the next read. */
const arrivals = Buffer.allocUnsafeSlow(LIMITS.retrievalReadBytes)

interface ConnectionEvents {
  memory(this: void, length: number): Uint8Array
  /** The exchange is over; the connection is still open if another may follow. */
  done(connection: Connection, result: Exchanged): void
  /** The connection is over, and with it an exchange that got no answer. */
  ended(connection: Connection, exchange: Exchange | undefined): void
}

/** A connection to a peer, with one exchange at a time. */
class Connection {
  exchange: Exchange | undefined
  hasServed = false
  readonly #socket: Socket
  readonly #on: ConnectionEvents
  #reader: AnswerReader
  #hasAnswer = false

  constructor({ host, port }: PeerPlace, on: ConnectionEvents) {
    this.#on = on
    this.#reader = this.#newReader()
    const onread = {
      buffer: arrivals,
      callback: (length: number): boolean => {
        this.#read(arrivals.subarray(0, length))
        return true
      },
    }
    this.#socket = connect({ host, port, noDelay: true, onread })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#closed()
    })
  }

  send(exchange: Exchange): void {
    this.exchange = exchange
    exchange.connection = this
    this.#reader = this.#newReader()
    this.#hasAnswer = false
    this.#socket.ref()
    this.#socket.write(exchange.bytes)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #newReader(): AnswerReader {
    return new AnswerReader(LIMITS.retrievalResponseBytes, this.#on.memory)
  }

  #read(bytes: Buffer): void {
    const reader = this.#reader
    this.#hasAnswer = true
    if (this.exchange === undefined) {
      this.destroy()
      return
    }
    reader.push(bytes)
    if (reader.state === 'done') this.#finish()
    else if (reader.state === 'bad') this.#fail('malformed')
  }

  #finish(): void {
    const { status, body, isReusable } = this.#reader
    if (!isReusable) this.destroy()
    else this.#socket.unref()
    this.hasServed = true
    this.#on.done(this, status === 200 ? body : 'status')
  }

  #fail(failure: ExchangeFailure): void {
    this.destroy()
    this.#on.done(this, failure)
  }

  #closed(): void {
    if (this.exchange !== undefined && this.#hasAnswer) {
      this.#reader.end()
      if (this.#reader.state === 'done') this.#finish()
      else this.#fail('malformed')
    }
    this.#on.ended(this, this.exchange)
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }
}

interface Peer {
  readonly place: PeerPlace
  readonly connections: Set<Connection>
  readonly idle: Connection[]
  readonly waiting: Exchange[]
}

/**
 * Exchanges of the retrieval protocol over HTTP/1.1: a few connections to each peer, kept, each
 * with one exchange at a time. Written out because the client of node:http takes more time than all
 * the rest of a download (bench/README.md).
 */
export class PeerConnections {
  readonly #peers = new Map<string, Peer>()
  readonly #memory = new BlockMemory()
  readonly #bySignal = new WeakMap<AbortSignal, Set<Exchange>>()

  /** POSTs a message. Never rejects. */
  exchange(
    name: string,
    message: Uint8Array,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<Exchanged> {
    const peer = this.#peerOf(name)
    if (peer === undefined) return Promise.resolve('unreachable')
    if (signal?.aborted === true) return Promise.resolve('aborted')
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#giveUp(peer, exchange, 'timeout')
      }, ms)
      const ours = signal === undefined ? undefined : this.#with(signal)
      const exchange: Exchange = {
        bytes: requestOf(peer.place, message),
        settle: (result) => {
          clearTimeout(timer)
          ours?.delete(exchange)
          resolve(result)
        },
        connection: undefined,
        isSecondTry: false,
      }
      ours?.add(exchange)
      peer.waiting.push(exchange)
      this.#serve(name, peer)
    })
  }

  /** The body of an answer that nobody looks at any more. */
  giveBack(body: Uint8Array): void {
    this.#memory.giveBack(body)
  }

  /** Ends everything; what is under way counts as aborted. */
  close(): void {
    for (const { connections, waiting } of this.#peers.values()) {
      for (const exchange of waiting.splice(0)) exchange.settle('aborted')
      for (const connection of connections) {
        connection.exchange?.settle('aborted')
        connection.exchange = undefined
        connection.destroy()
      }
    }
    this.#peers.clear()
  }

  #peerOf(name: string): Peer | undefined {
    const known = this.#peers.get(name)
    if (known !== undefined) return known
    const place = peerPlace(name)
    if (place === undefined) return undefined
    const peer = { place, connections: new Set<Connection>(), idle: [], waiting: [] }
    this.#peers.set(name, peer)
    return peer
  }

  /** One listener for all exchanges of a signal. */
  #with(signal: AbortSignal): Set<Exchange> {
    const known = this.#bySignal.get(signal)
    if (known !== undefined) return known
    const exchanges = new Set<Exchange>()
    this.#bySignal.set(signal, exchanges)
    const abort = (): void => {
      for (const exchange of exchanges) this.#giveUp(undefined, exchange, 'aborted')
    }
    signal.addEventListener('abort', abort, { once: true })
    return exchanges
  }

  #giveUp(peer: Peer | undefined, exchange: Exchange, failure: ExchangeFailure): void {
    const { connection } = exchange
    for (const { waiting } of peer === undefined ? this.#peers.values() : [peer]) {
      const at = waiting.indexOf(exchange)
      if (at >= 0) waiting.splice(at, 1)
    }
    if (connection !== undefined) {
      connection.exchange = undefined
      connection.destroy()
    }
    exchange.settle(failure)
  }

  #serve(name: string, peer: Peer): void {
    while (peer.waiting.length > 0) {
      const connection = this.#connectionOf(name, peer)
      if (connection === undefined) return
      connection.send(peer.waiting.shift() as Exchange)
    }
  }

  #connectionOf(name: string, peer: Peer): Connection | undefined {
    for (;;) {
      const idle = peer.idle.pop()
      if (idle === undefined) break
      if (idle.isOpen) return idle
    }
    if (peer.connections.size >= LIMITS.retrievalPerPeer) return undefined
    const connection = new Connection(peer.place, {
      memory: (length) => this.#memory.take(length),
      done: (one, result) => {
        const { exchange } = one
        one.exchange = undefined
        if (one.isOpen) peer.idle.push(one)
        exchange?.settle(result)
        this.#serve(name, peer)
      },
      ended: (one, exchange) => {
        this.#ended(name, peer, one, exchange)
      },
    })
    peer.connections.add(connection)
    return connection
  }

  #ended(name: string, peer: Peer, ended: Connection, exchange: Exchange | undefined): void {
    peer.connections.delete(ended)
    const at = peer.idle.indexOf(ended)
    if (at >= 0) peer.idle.splice(at, 1)
    if (exchange !== undefined) {
      exchange.connection = undefined
      if (ended.hasServed && !exchange.isSecondTry) {
        exchange.isSecondTry = true
        peer.waiting.unshift(exchange)
      } else exchange.settle('unreachable')
    }
    this.#serve(name, peer)
    if (peer.connections.size === 0 && this.#peers.get(name) === peer) this.#peers.delete(name)
  }
}

/** Head and message, for one write. */
function requestOf({ authority }: PeerPlace, message: Uint8Array): Uint8Array {
  const head =
    `POST ${RETRIEVAL_PATH} HTTP/1.1\r\nHost: ${authority}\r\n` +
    `Content-Length: ${message.length}\r\n\r\n`
  const bytes = Buffer.allocUnsafe(head.length + message.length)
  bytes.write(head, 'latin1')
  bytes.set(message, head.length)
  return bytes
}
