import { chmod, mkdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { PeernetError } from '../core/errors.js'
import { systemCode } from '../storage/atomic-file.js'
import {
  CONTROL_LIMITS,
  type Controller,
  type ControlReply,
  type Json,
  type JsonObject,
} from './controller.js'
import { readJsonLines, writeJsonLine } from './json-lines.js'

/** Serves a controller on a Unix socket that only its owner can open (mode 0600). */
export class ControlServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #path: string

  private constructor(server: Server, path: string) {
    this.#server = server
    this.#path = path
  }

  /**
   * Listens. Throws ERR_PEERNET_DAEMON_RUNNING when another daemon answers there; a socket that a
   * dead daemon left behind is replaced.
   */
  static async listen(controller: Controller, path: string): Promise<ControlServer> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    if (await answers(path)) {
      throw new PeernetError('ERR_PEERNET_DAEMON_RUNNING', `a daemon already serves ${path}`)
    }
    await rm(path, { force: true })
    const server = createServer()
    const instance = new ControlServer(server, path)
    server.on('connection', (socket) => {
      instance.#accept(controller, socket)
    })
    const mask = process.umask(0o177)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, resolve)
      })
    } catch (error) {
      throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot listen on ${path}`, { cause: error })
    } finally {
      process.umask(mask)
    }
    await chmod(path, 0o600)
    return instance
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    await rm(this.#path, { force: true })
  }

  #accept(controller: Controller, socket: Socket): void {
    if (this.#sockets.size >= CONTROL_LIMITS.clients) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    const calls = new Map<number, AbortController>()
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      for (const call of calls.values()) call.abort()
    })
    readJsonLines(socket, CONTROL_LIMITS.lineBytes, (value) => {
      if (!serve(controller, socket, calls, value)) socket.destroy()
    })
  }
}

/** Starts or cancels a call; false when the line is not a request. */
function serve(
  controller: Controller,
  socket: Socket,
  calls: Map<number, AbortController>,
  value: unknown,
): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id, method, params, cancel } = value as Record<string, unknown>
  if (typeof id !== 'number') return false
  if (cancel === true) {
    calls.get(id)?.abort()
    return true
  }
  if (typeof method !== 'string' || typeof params !== 'object' || params === null) return false
  if (calls.has(id) || calls.size >= CONTROL_LIMITS.callsPerClient) return false
  const abort = new AbortController()
  calls.set(id, abort)
  const reply = (message: ControlReply): void => {
    writeJsonLine(socket, message)
  }
  controller
    .call(method, params as JsonObject, {
      signal: abort.signal,
      onEvent: (event: Json) => {
        reply({ id, event })
      },
    })
    .then(
      (result) => {
        reply({ id, result })
      },
      (error: unknown) => {
        const code = error instanceof PeernetError ? error.code : 'ERR_PEERNET_SYSTEM'
        reply({
          id,
          error: { code, message: error instanceof Error ? error.message : String(error) },
        })
      },
    )
    .finally(() => calls.delete(id))
  return true
}

/** Does somebody accept connections on this socket? */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(false)
      else reject(error)
    })
  })
}
