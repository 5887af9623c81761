import { Duplex } from 'node:stream'
import { PeernetError } from '../core/errors.js'
import { guid, guidText, type Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { ConnectionEnd } from '../graph/interface.js'
import type { ConnectionInfo } from './graph-events.js'
import { guidArgument } from './graph-records.js'

/** PT2PT data type under which a stream's bytes travel. Ours: other programs choose their own. */
export const STREAM_DATA_TYPE: Guid = guid('70656572-6e65-7400-7374-7265616d0001')

/** Bytes of one PT2PT message. */
const MESSAGE_BYTES = 65_536

/** Data of a type of its own that came by `send`. */
export interface DirectMessage {
  /** GUID. */
  readonly dataType: string
  readonly data: Uint8Array
}

/** What a direct connection needs of its graph. */
export interface DirectHost {
  send(connection: number, dataType: Guid, data: Uint8Array): Promise<void>
  disconnect(connection: number): void
  /** Read no more from it until told otherwise. */
  pause(connection: number, paused: boolean): void
}

/**
 * A connection to one node of the graph, beside the mesh (MS-PPGRH 1.3.3): a stream of bytes in
 * both directions, and typed messages, which arrive as events 'message'.
 *
 * The protocol has no half-close: when one side ends, the other's stream is over. A write is done
 * when its bytes were handed to the network; there is no acknowledgement. Who does not read for a
 * minute loses the connection.
 */
export class DirectConnection extends Duplex {
  readonly connection: number
  /** `[address]:port` of the other side. */
  readonly remote: string
  readonly incoming: boolean
  /** Of the other node: 16 hex digits. */
  readonly nodeId: string | undefined
  readonly peerId: string | undefined
  /** Why it ended. */
  endReason: ConnectionEnd | undefined
  readonly #host: DirectHost
  #over = false
  #paused = false

  constructor(host: DirectHost, info: ConnectionInfo) {
    super({ allowHalfOpen: false, highWaterMark: MESSAGE_BYTES })
    this.#host = host
    this.connection = info.connection
    this.remote = info.remote
    this.incoming = info.incoming
    this.nodeId = info.nodeId
    this.peerId = info.peerId
  }

  /**
   * Sends data of a type (GUID) of your own. Resolves when it was handed to the network; rejects
   * with ERR_PEERNET_INVALID_ARG, ERR_PEERNET_LIMIT, ERR_PEERNET_CLOSED.
   */
  async send(dataType: string, data: Uint8Array): Promise<void> {
    const type = guidArgument(dataType, 'dataType')
    await this.#host.send(this.connection, type, new Uint8Array(data))
  }

  /** Data came in; called by the graph. */
  receive(dataType: Guid, data: Uint8Array): void {
    if (this.destroyed) return
    if (dataType !== STREAM_DATA_TYPE) {
      const message: DirectMessage = { dataType: guidText(dataType), data }
      this.emit('message', message)
      return
    }
    const wanted = this.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    // Whoever got it may have ended the stream by now.
    if (wanted || this.#paused || this.#over) return
    this.#paused = true
    this.#host.pause(this.connection, true)
  }

  /** The connection is gone; called by the graph. */
  over(end: ConnectionEnd | undefined): void {
    if (this.#over) return
    this.#over = true
    this.endReason = end
    const orderly = end === undefined || end === 'closed' || end === 'leaving'
    if (orderly || end === 'application') {
      this.push(null)
      this.#finishWriting()
      return
    }
    const message = `the direct connection to ${this.remote} is lost: ${end}`
    this.destroy(new PeernetError('ERR_PEERNET_CONNECT_FAILED', message))
  }

  /** Nothing more can be written; whatever was read before can still be read. */
  #finishWriting(): void {
    if (!this.writableEnded) this.end()
  }

  override _read(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#host.pause(this.connection, false)
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#writeAll(chunk).then(
      () => {
        callback()
      },
      (error: unknown) => {
        callback(error as Error)
      },
    )
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#over) {
      this.#over = true
      this.#host.disconnect(this.connection)
      this.push(null)
    }
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#over) {
      this.#over = true
      this.#host.disconnect(this.connection)
    }
    callback(error)
  }

  /** The buffer may be used again by its owner when the write is done, and not before. */
  async #writeAll(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += MESSAGE_BYTES) {
      const part = chunk.subarray(at, at + Math.min(MESSAGE_BYTES, LIMITS.graphQueuedDataBytes))
      await this.#host.send(this.connection, STREAM_DATA_TYPE, part)
    }
  }
}
