import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { Pipe, type PipeNetwork } from './stream-pipe.js'

/** Why a connection is gone. */
export type StreamFailure = 'refused' | 'reset' | 'timed-out'

/** What a host hears of one of its connections. */
export interface StreamHandlers {
  /** An outgoing connection is up. */
  connected?(now: Instant): void
  /** Bytes have come in; they are overwritten after the call. */
  data(now: Instant, chunk: Uint8Array): void
  /** So many more of the bytes written have left the process. */
  written?(now: Instant, bytes: number): void
  /** The peer sends no more. */
  ended(now: Instant): void
  /** The connection is gone; the last call. */
  failed(now: Instant, why: StreamFailure): void
}

/** Chunks are views of this: as with real sockets, what is not copied is soon overwritten. */
let receiveBuffer = new Uint8Array(65_536)
const OVERWRITTEN = 0xee

/** One end of a simulated TCP connection. Made by `StreamNetwork`. */
export class SimStream {
  readonly number: number
  readonly host: number
  readonly local: Endpoint
  readonly remote: Endpoint
  /** 'closed': destroyed, or failed, or its process is dead. */
  state: 'connecting' | 'open' | 'closed' = 'connecting'
  readonly out: Pipe
  /** The other end, once it exists. */
  peer: SimStream | undefined
  handlers: StreamHandlers | undefined
  readonly #closed: (stream: SimStream) => void

  constructor(
    network: PipeNetwork,
    where: { number: number; host: number; local: Endpoint; remote: Endpoint },
    closed: (stream: SimStream) => void,
  ) {
    this.number = where.number
    this.host = where.host
    this.local = where.local
    this.remote = where.remote
    this.out = new Pipe(network, where.number, this)
    this.#closed = closed
  }

  /** Takes bytes in; returns how many left the process at once, the rest is told by `written`. */
  write(...pieces: readonly Uint8Array[]): number {
    if (this.state !== 'open') return 0
    return this.out.write(pieces)
  }

  /** Puts on the way what was written since the last flush. */
  flush(): void {
    if (this.state === 'open') this.out.flush()
  }

  /** `write` and `flush`. */
  send(...pieces: readonly Uint8Array[]): number {
    const taken = this.write(...pieces)
    this.flush()
    return taken
  }

  /** Half-closes: the peer is told after everything that was written. */
  finish(): void {
    if (this.state === 'open') this.out.finish()
  }

  /** Ends it at once. What has left the process arrives, and then the peer is told. */
  destroy(): void {
    if (this.state === 'closed') return
    const wasOpen = this.state === 'open'
    this.#close()
    this.out.abandon()
    if (wasOpen) this.out.finish()
  }

  /** The process is dead; nobody is told. */
  die(): void {
    this.#close()
    this.out.abandon()
  }

  // --- called by the pipe and the network

  hearAccepted(now: Instant): void {
    if (this.state !== 'connecting') return
    this.state = 'open'
    this.handlers?.connected?.(now)
  }

  /** False: there is nobody here any more. */
  hearData(now: Instant, pieces: readonly Uint8Array[], bytes: number): boolean {
    if (this.state !== 'open') return false
    if (receiveBuffer.length < bytes) receiveBuffer = new Uint8Array(bytes)
    const buffer = receiveBuffer
    let at = 0
    for (const piece of pieces) {
      buffer.set(piece, at)
      at += piece.length
    }
    const chunk = buffer.subarray(0, bytes)
    this.handlers?.data(now, chunk)
    chunk.fill(OVERWRITTEN)
    return true
  }

  hearWritten(now: Instant, bytes: number): void {
    if (this.state === 'open') this.handlers?.written?.(now, bytes)
  }

  hearEnd(now: Instant): void {
    if (this.state === 'open') this.handlers?.ended(now)
  }

  hearFailure(now: Instant, why: StreamFailure): void {
    if (this.state === 'closed') return
    const { handlers } = this
    this.#close()
    this.out.break()
    handlers?.failed(now, why)
  }

  #close(): void {
    this.state = 'closed'
    this.handlers = undefined
    this.#closed(this)
  }
}
