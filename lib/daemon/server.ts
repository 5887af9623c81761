import { randomBytes } from 'node:crypto'
import { link, lstat, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { checkArgument, PeernetError } from '../core/errors.js'
import { makeDirectory, systemCode } from '../storage/atomic-file.js'
import {
  CONTROL_LIMITS,
  SOCKET_PATH_BYTES,
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
  /** Of our socket: what stands at the path later may be another daemon's. */
  #inode: number | undefined

  private constructor(server: Server, path: string) {
    this.#server = server
    this.#path = path
  }

  /**
   * Listens. Throws ERR_PEERNET_DAEMON_RUNNING when another daemon answers there, and
   * ERR_PEERNET_INVALID_ARG when no socket can have so long a path; a socket that a dead daemon
   * left behind is replaced.
   */
  static async listen(controller: Controller, path: string): Promise<ControlServer> {
    // It listens under a name of its own and gets the real one by link, which replaces nothing:
    // of two daemons that start together one wins. When it closes, node removes that own name.
    const own = join(dirname(path), `.${randomBytes(4).toString('hex')}`)
    checkSocketPath(path, own)
    await makeDirectory(dirname(path))
    const server = createServer()
    const instance = new ControlServer(server, path)
    server.on('connection', (socket) => {
      instance.#accept(controller, socket)
    })
    try {
      await listenPrivately(server, own)
      await takeName(own, path)
      instance.#inode = await inodeOf(own)
      await rm(own)
      return instance
    } catch (error) {
      await new Promise((resolve) => server.close(resolve))
      if (error instanceof PeernetError) throw error
      throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot listen on ${path}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    if ((await inodeOf(this.#path)) === this.#inode) await rm(this.#path, { force: true })
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

/** The system would cut the rest off, or refuse with a riddle. */
function checkSocketPath(path: string, own: string): void {
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(own))
  checkArgument(
    bytes <= SOCKET_PATH_BYTES,
    `the path of a socket has at most ${SOCKET_PATH_BYTES} bytes, ${path} needs ${bytes}: ` +
      'choose a shorter one (--socket, XDG_RUNTIME_DIR or PEERNET_HOME)',
  )
}

/** Nobody but its owner may connect, from the first moment on. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(mask)
  }
}

/** Gives our socket its name; one that nobody answers at makes room. */
async function takeName(own: string, path: string): Promise<void> {
  const running = new PeernetError('ERR_PEERNET_DAEMON_RUNNING', `a daemon already serves ${path}`)
  const take = async (): Promise<boolean> => {
    try {
      await link(own, path)
      return true
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false
      throw error
    }
  }
  if (await take()) return
  const stale = await inodeOf(path)
  if (await answers(path)) throw running
  const aside = `${own}o`
  await rename(path, aside).catch(() => {})
  if ((await inodeOf(aside)) !== stale) {
    // Somebody else was faster, and what we moved is a living socket.
    await link(aside, path).catch(() => {})
    await rm(aside, { force: true })
    throw running
  }
  await rm(aside, { force: true })
  if (!(await take())) throw running
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ino
  } catch {
    return undefined
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
