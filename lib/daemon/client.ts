import { connect, type Socket } from 'node:net'
import { ERROR_CODES, PeernetError, type ErrorCode } from '../core/errors.js'
import { systemCode } from '../storage/atomic-file.js'
import {
  SOCKET_PATH_BYTES,
  type CallOptions,
  type Controller,
  type ControlReply,
  type Json,
  type JsonObject,
} from './controller.js'
import { readJsonLines, writeJsonLine } from './json-lines.js'

interface Waiting {
  readonly options: CallOptions
  readonly resolve: (value: Json) => void
  readonly reject: (error: Error) => void
}

/** A reply may carry a whole cache listing. */
const REPLY_BYTES = 16 * 1024 * 1024

/** Calls the daemon over its control socket. */
export class ControlClient implements Controller {
  readonly remote = true
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  private constructor(socket: Socket) {
    this.#socket = socket
    readJsonLines(socket, REPLY_BYTES, (value) => {
      this.#handle(value as ControlReply)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const error = new PeernetError('ERR_PEERNET_DAEMON_UNREACHABLE', 'the daemon went away')
      for (const waiting of this.#waiting.values()) waiting.reject(error)
      this.#waiting.clear()
    })
  }

  /** Undefined when no daemon runs there. */
  static connect(path: string): Promise<ControlClient | undefined> {
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('connect', () => {
        socket.removeAllListeners('error')
        resolve(new ControlClient(socket))
      })
      socket.once('error', (error) => {
        const code = systemCode(error)
        if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(undefined)
        else {
          reject(
            new PeernetError(
              'ERR_PEERNET_DAEMON_UNREACHABLE',
              `cannot reach the daemon at ${path}`,
              {
                cause: error,
              },
            ),
          )
        }
      })
    })
  }

  call(method: string, params: JsonObject, options: CallOptions = {}): Promise<Json> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new PeernetError('ERR_PEERNET_DAEMON_UNREACHABLE', 'the daemon went away'))
        return
      }
      this.#waiting.set(id, { options, resolve, reject })
      writeJsonLine(this.#socket, { id, method, params })
      const cancel = (): void => {
        writeJsonLine(this.#socket, { id, cancel: true })
      }
      if (options.signal?.aborted === true) cancel()
      else options.signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  close(): Promise<void> {
    this.#socket.end()
    this.#socket.destroy()
    return Promise.resolve()
  }

  #handle(reply: ControlReply): void {
    const waiting = this.#waiting.get(reply.id)
    if (waiting === undefined) return
    if ('event' in reply) {
      waiting.options.onEvent?.(reply.event)
      return
    }
    this.#waiting.delete(reply.id)
    if ('result' in reply) waiting.resolve(reply.result)
    else waiting.reject(new PeernetError(codeOf(reply.error.code), reply.error.message))
  }
}

function codeOf(text: string): ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(text)
    ? (text as ErrorCode)
    : 'ERR_PEERNET_SYSTEM'
}
