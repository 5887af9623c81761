import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileTag, type PeerDist } from './peerdist.js'
import { reply } from './retrieval-server.js'

/** First and last byte; undefined: all; 'none': not satisfiable. One range only (RFC 9110 14.2). */
export function byteRange(
  header: string | undefined,
  size: number,
): readonly [number, number] | 'none' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const tail = Number(match[2])
    return tail === 0 || size === 0 ? 'none' : [Math.max(0, size - tail), size - 1]
  }
  const first = Number(match[1])
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (match[2] !== '' && Number(match[2]) < first) return undefined
  return first >= size ? 'none' : [first, last]
}

/** How long a client waits for the hashes of a file rather than being sent the file. */
const PATIENCE_MS = 2000

/** The files below a directory, with ranges and validators, and as hashes where wanted. */
export class StaticFiles {
  readonly #root: string
  readonly #dist: PeerDist

  private constructor(root: string, dist: PeerDist) {
    this.#root = root
    this.#dist = dist
  }

  /** Rejects when there is no such directory. */
  static async of(directory: string, dist: PeerDist): Promise<StaticFiles> {
    return new StaticFiles(await realpath(directory), dist)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      reply(response, 405)
      return
    }
    const path = await this.#pathOf(request.url ?? '/')
    if (path === undefined) reply(response, 404)
    else await this.#send(path, request, response)
  }

  /** Undefined for what is not below the root, links followed. */
  async #pathOf(url: string): Promise<string | undefined> {
    try {
      const name = decodeURIComponent(new URL(url, 'http://localhost').pathname)
      const path = await realpath(join(this.#root, name))
      return path.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)
        ? path
        : undefined
    } catch {
      return undefined
    }
  }

  async #send(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A pipe would hold a thread until somebody writes to it.
    const how = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)
    const file = await open(path, how).catch(() => undefined)
    const facts = await file?.stat({ bigint: true })
    if (file === undefined || facts?.isFile() !== true) {
      await file?.close()
      reply(response, 404)
      return
    }
    try {
      const size = Number(facts.size)
      const etag = fileTag(facts)
      const modified = new Date(Number(facts.mtimeMs)).toUTCString()
      const headers = { 'Last-Modified': modified, 'Accept-Ranges': 'bytes' }
      if (request.headers['if-none-match'] === etag) {
        response.setHeader('ETag', etag)
        response.writeHead(304).end()
        return
      }
      const offered = { path, size, etag, headers, patienceMs: PATIENCE_MS }
      if (await this.#dist.answerFile(request, response, offered)) return
      const wanted = request.headers['if-range']
      const isSame = wanted === undefined || wanted === etag
      const range = isSame ? byteRange(request.headers.range, size) : undefined
      response.setHeader('ETag', etag)
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      if (range === 'none') {
        response.setHeader('Content-Range', `bytes */${size}`)
        reply(response, 416)
        return
      }
      const [start, end] = range ?? [0, size - 1]
      if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
      response.writeHead(range === undefined ? 200 : 206, { 'Content-Length': end - start + 1 })
      if (request.method === 'HEAD' || size === 0) response.end()
      else {
        const options = { start, end, autoClose: false, highWaterMark: 262_144 }
        const source = file.createReadStream(options)
        await pipeline(source, response, { end: false })
        // A file that became shorter: what follows on the connection must not stand for the rest.
        if (source.bytesRead < end - start + 1) response.destroy()
        else response.end()
      }
    } finally {
      await file.close()
    }
  }
}
