import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { isRetrievalPath } from '../../content/retrieval-service.js'
import { LIMITS } from '../../core/limits.js'

/** Whoever waits for an answer of the retrieval server. */
export interface Asker {
  readonly isGone: boolean
  /** Calls back once: the answer has left, or the connection is gone before. */
  onEnd(listener: (hasLeft: boolean) => void): void
  /** `memory`: where the message lies, behind HEAD_ROOM bytes for something else. */
  send(message: Uint8Array, memory?: Uint8Array): void
  refuse(): void
  drop(): void
}

export interface PlainRequestsOptions {
  /** Time for one exchange. */
  readonly exchangeMs: number
  readonly serve: (asker: Asker, body: Uint8Array) => void
  readonly onTimeout: () => void
}

/** Before a message that is to be sent without being copied. */
export const HEAD_ROOM = 192

/** Heads of requests longer than that are somebody else's. */
const HEAD_BYTES = 2048

interface ConnectionEvents {
  readonly serve: (connection: PlainConnection, body: Uint8Array) => void
  readonly closed: (connection: PlainConnection) => void
  /** Whatever else HTTP allows. */
  readonly handOver: (connection: PlainConnection, socket: Socket) => void
}

/** A connection with requests of the retrieval protocol only. */
class PlainConnection implements Asker {
  /** When its last request began, or its last answer had left, in milliseconds. */
  since = performance.now()
  readonly #socket: Socket
  readonly #on: ConnectionEvents
  /** What has arrived of requests that are not served yet. */
  #kept: Buffer | undefined
  #isServing = false
  #hasEnded = false
  #listener: ((hasLeft: boolean) => void) | undefined
  /** Peers send the same head again and again. */
  #head = ''
  #bodyBytes = -1

  constructor(socket: Socket, on: ConnectionEvents) {
    this.#socket = socket
    this.#on = on
    socket.on('data', this.#take)
    socket.on('end', this.#end)
    socket.on('error', this.#close)
    socket.on('close', this.#close)
  }

  get isGone(): boolean {
    return this.#socket.destroyed
  }

  /** It has a request under way. */
  get isBusy(): boolean {
    return this.#isServing || this.#kept !== undefined
  }

  onEnd(listener: (hasLeft: boolean) => void): void {
    this.#listener = listener
  }

  send(message: Uint8Array, memory?: Uint8Array): void {
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n' +
      `Date: ${httpDate()}\r\nContent-Length: ${message.length}\r\n\r\n`
    this.#write(memory === undefined ? joined(head, message) : prefixed(head, message))
  }

  refuse(): void {
    const head = `HTTP/1.1 400 Bad Request\r\nDate: ${httpDate()}\r\nContent-Length: 0\r\n\r\n`
    this.#write(Buffer.from(head, 'latin1'))
  }

  drop(): void {
    this.#socket.destroy()
  }

  #write(bytes: Buffer): void {
    if (this.isGone) this.#ended(false)
    else this.#socket.write(bytes, this.#left)
  }

  readonly #left = (error?: Error | null): void => {
    const hasLeft = error === undefined || error === null
    this.#ended(hasLeft)
    if (!hasLeft || this.isGone) return
    this.#isServing = false
    this.since = performance.now()
    if (this.#kept !== undefined) {
      this.#next(this.#kept)
      this.#socket.resume()
    }
    if (this.#hasEnded && !this.#isServing) this.#socket.end()
  }

  #ended(hasLeft: boolean): void {
    const listener = this.#listener
    this.#listener = undefined
    listener?.(hasLeft)
  }

  readonly #take = (bytes: Buffer): void => {
    if (!this.isBusy) this.since = performance.now()
    const kept = this.#kept === undefined ? bytes : Buffer.concat([this.#kept, bytes])
    this.#kept = kept
    if (!this.#isServing) this.#next(kept)
    else if (kept.length > HEAD_BYTES) this.#socket.pause()
  }

  readonly #end = (): void => {
    this.#hasEnded = true
    if (!this.#isServing) this.#socket.end()
  }

  readonly #close = (): void => {
    this.#socket.destroy()
    this.#ended(false)
    this.#on.closed(this)
  }

  #next(kept: Buffer): void {
    const end = kept.indexOf('\r\n\r\n')
    if (end < 0 && kept.length < HEAD_BYTES) return
    const head = end < 0 ? '' : kept.toString('latin1', 0, end)
    if (head !== this.#head) {
      this.#head = head
      this.#bodyBytes = bodyBytesOf(head)
    }
    if (this.#bodyBytes < 0) {
      this.#handOver(kept)
      return
    }
    const whole = end + 4 + this.#bodyBytes
    if (kept.length < whole) return
    this.#kept = kept.length === whole ? undefined : kept.subarray(whole)
    this.#isServing = true
    this.#on.serve(this, kept.subarray(end + 4, whole))
  }

  #handOver(kept: Buffer): void {
    const socket = this.#socket
    if (this.#hasEnded) {
      // node:http serves nobody who has closed its side.
      socket.destroy()
      return
    }
    socket.off('data', this.#take)
    socket.off('end', this.#end)
    socket.off('error', this.#close)
    socket.off('close', this.#close)
    socket.pause()
    socket.unshift(kept)
    this.#on.handOver(this, socket)
    socket.resume()
  }
}

/**
 * Serves the requests of the retrieval protocol on a server of node:http, which costs a third of
 * what that takes for them. Only requests as peers send them are read here; a connection on which
 * anything else comes is that server's from then on.
 */
export class PlainRequests {
  readonly #options: PlainRequestsOptions
  readonly #connections = new Set<PlainConnection>()
  readonly #idleMs: number
  readonly #timer: NodeJS.Timeout

  constructor(server: Server, options: PlainRequestsOptions) {
    this.#options = options
    this.#idleMs = server.keepAliveTimeout
    const others = server.listeners('connection') as ((socket: Socket) => void)[]
    const on: ConnectionEvents = {
      serve: (connection, body) => {
        options.serve(connection, body)
      },
      closed: (connection) => {
        this.#connections.delete(connection)
      },
      handOver: (connection, socket) => {
        this.#connections.delete(connection)
        for (const listener of others) listener.call(server, socket)
      },
    }
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      this.#connections.add(new PlainConnection(socket, on))
    })
    const often = Math.min(1000, options.exchangeMs / 8)
    this.#timer = setInterval(() => {
      this.#sweep()
    }, often).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const connection of this.#connections) connection.drop()
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      const { isBusy, since } = connection
      if (now - since < (isBusy ? this.#options.exchangeMs : this.#idleMs)) continue
      if (isBusy) this.#options.onTimeout()
      connection.drop()
    }
  }
}

/** RFC 9112: the length of the body, if the request is a plain one of ours; otherwise -1. */
function bodyBytesOf(head: string): number {
  const [first = '', ...lines] = head.split('\r\n')
  const path = /^POST (\S+) HTTP\/1\.1$/.exec(first)?.[1]
  if (path === undefined || !isRetrievalPath(path)) return -1
  let length = -1
  let hosts = 0
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+):[ \t]*([\x20-\x7e]*)$/.exec(line) ?? []
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length >= 0 || !/^\d{1,6} *$/.test(value)) return -1
        length = Number(value)
        break
      case 'host':
        hosts += 1
        break
      case 'connection':
        if (!/^keep-alive *$/i.test(value)) return -1
        break
      case '':
      case 'expect':
      case 'transfer-encoding':
      case 'upgrade':
        return -1
    }
  }
  return hosts === 1 && length <= LIMITS.retrievalRequestBytes ? length : -1
}

let dateAt = 0
let date = ''

function httpDate(): string {
  const now = Date.now()
  if (Math.abs(now - dateAt) >= 1000) {
    dateAt = now - (now % 1000)
    date = new Date(now).toUTCString()
  }
  return date
}

function joined(head: string, message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head, 'latin1'), message])
}

/** Head and message in one piece, the head written over what stands before the message. */
function prefixed(head: string, { buffer, byteOffset, length }: Uint8Array): Buffer {
  const bytes = Buffer.from(buffer, byteOffset - head.length, head.length + length)
  bytes.write(head, 'latin1')
  return bytes
}
