import { open } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import {
  checkScheme,
  type ContentVersion,
  type HashAlgorithm,
  type HashScheme,
} from '../../content/algorithms.js'
import { ContentHasher } from '../../content/content-hasher.js'
import {
  codedHeaders,
  hashesComing,
  isOfferable,
  readOffer,
  validatorOf,
  VARY,
  varyingValues,
  type Headers,
  type Offer,
} from '../../content/http-coding.js'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { hashOpenFile } from '../../io/hash-content.js'
import { HashSlots, type SentContent } from './hash-slots.js'
import { isOver, whenOver } from './http-body.js'
import { InfoCache, type ReadyInfo } from './info-cache.js'

export interface PeerDistOptions {
  /** The server secret; the same on all servers of a farm (`ServerSecretFile.load()`). */
  readonly secret: Uint8Array
  /** The version given to clients that understand both. Default 1. */
  readonly version?: ContentVersion
  /** The hash of version 1. Default SHA-256, which every client knows. */
  readonly algorithm?: HashAlgorithm
  /** Shorter content is served as it is. Default 64 KiB. */
  readonly minimumBytes?: number
  /** Memory for content information. Default 64 MiB. */
  readonly memoryBytes?: number
}

/** A file that is about to be served. */
export interface OfferedFile {
  readonly path: string
  readonly size: number
  /** Made of size and time by `fileTag`. */
  readonly etag: string
  /** Other headers of the response, names in any case. */
  readonly headers?: OutgoingHttpHeaders
  /** How long the client may wait for the hashes, in milliseconds. Default 0. */
  readonly patienceMs?: number
}

/** Middleware; call it before the handler that answers. */
export interface PeerDist {
  (request: IncomingMessage, response: ServerResponse, next?: () => void): void
  /**
   * Answers with content information of a file, which is hashed on the thread pool. False when
   * the file itself has to be sent: then headers that belong to it are set.
   */
  answerFile(
    request: IncomingMessage,
    response: ServerResponse,
    file: OfferedFile,
  ): Promise<boolean>
}

/** A strong entity tag; `mtimeNs` moves with every change. */
export function fileTag({ size, mtimeNs }: { size: bigint; mtimeNs: bigint }): string {
  return `"${mtimeNs.toString(36)}-${size.toString(36)}"`
}

/**
 * Offers responses as hashes to clients that understand them (MS-PCCRTP 3.2). Content is hashed
 * while it is sent the first time and kept by URL and validator; from then on such clients get
 * content information in its place. Others get what they always got.
 */
export function peerdist(options: PeerDistOptions): PeerDist {
  checkArgument(options.secret.length > 0, 'a server secret has at least one byte')
  const service = new Service(options)
  const middleware = (
    request: IncomingMessage,
    response: ServerResponse,
    next?: () => void,
  ): void => {
    new Interception(service, request, response).begin()
    next?.()
  }
  return Object.assign(middleware, {
    answerFile: (request: IncomingMessage, response: ServerResponse, file: OfferedFile) =>
      service.answerFile(request, response, file),
  })
}

class Service {
  readonly infos: InfoCache
  readonly minimumBytes: number
  /** Bodies that are being hashed while they are sent. */
  readonly slots = new HashSlots()
  /** Keys of files that are being hashed. */
  readonly hashing = new Map<string, Promise<ReadyInfo | undefined>>()
  readonly #version: ContentVersion
  readonly #algorithm: HashAlgorithm

  constructor(options: PeerDistOptions) {
    this.infos = new InfoCache(options.secret, options.memoryBytes ?? LIMITS.peerdistHashBytes)
    this.minimumBytes = options.minimumBytes ?? LIMITS.peerdistMinimumBytes
    this.#version = options.version ?? 1
    this.#algorithm = options.algorithm ?? 'sha256'
    checkScheme(this.schemeOf(1))
  }

  schemeOf(version: ContentVersion): HashScheme {
    return { version, algorithm: version === 1 ? this.#algorithm : 'sha512' }
  }

  versionFor({ low, high }: Offer): ContentVersion {
    return Math.min(high, Math.max(low, this.#version)) as ContentVersion
  }

  async answerFile(
    request: IncomingMessage,
    response: ServerResponse,
    file: OfferedFile,
  ): Promise<boolean> {
    const headers = lowerCase({ ...file.headers, etag: file.etag })
    const { method } = request
    const facts = { method, status: 200, ageMs: ageOf(headers) }
    const entity = { ...facts, request: request.headers, response: headers }
    if (!isOfferable({ ...entity, length: file.size }, this.minimumBytes)) return false
    addVary(response)
    const offer = readOffer(request.headers)
    if (offer === undefined) return false
    const version = this.versionFor(offer)
    const key = JSON.stringify(['file', version, file.etag, file.path])
    const work = this.hashing.get(key) ?? this.#hashFile(key, file, version)
    const ready = this.infos.get(key) ?? (await within(work, file.patienceMs ?? 0))
    if (ready === undefined) {
      setAll(response, hashesComing(offer))
      return false
    }
    setAll(response, { ...file.headers, ETag: file.etag })
    response.writeHead(200, codedHeaders(offer, ready.length, ready.info.length))
    response.end(ready.info)
    return true
  }

  #hashFile(
    key: string,
    file: OfferedFile,
    version: ContentVersion,
  ): Promise<ReadyInfo | undefined> {
    if (this.infos.get(key) !== undefined || this.hashing.size >= LIMITS.peerdistHashings) {
      return Promise.resolve(undefined)
    }
    const work = this.#hash(key, file, version)
      .catch(() => undefined)
      .finally(() => this.hashing.delete(key))
    this.hashing.set(key, work)
    return work
  }

  async #hash(
    key: string,
    { path, etag }: OfferedFile,
    version: ContentVersion,
  ): Promise<ReadyInfo | undefined> {
    const opened = await open(path, 'r')
    try {
      if (fileTag(await opened.stat({ bigint: true })) !== etag) return undefined
      return this.infos.put(key, await hashOpenFile(opened, this.schemeOf(version)))
    } finally {
      await opened.close()
    }
  }
}

/** Undefined when it takes longer. */
async function within<Value>(
  work: Promise<Value>,
  milliseconds: number,
): Promise<Value | undefined> {
  if (milliseconds <= 0) return undefined
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function lowerCase(headers: OutgoingHttpHeaders): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}

function setAll(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value)
  }
}

function ageOf(headers: Headers): number | undefined {
  const age = Date.now() - Date.parse(String(headers['last-modified']))
  return Number.isNaN(age) ? undefined : age
}

/** DA-33 */
function addVary(response: ServerResponse): void {
  const value = response.getHeader('Vary')
  const before = Array.isArray(value) ? value.join(', ') : String(value ?? '')
  if (before.includes('X-P2P-PeerDist')) return
  response.setHeader('Vary', before === '' ? VARY : `${before}, ${VARY}`)
}

type Done = (error?: Error | null) => void

/** Stands between a handler and its response. */
class Interception implements SentContent {
  readonly #service: Service
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #writeHead: ServerResponse['writeHead']
  readonly #write: ServerResponse['write']
  readonly #end: ServerResponse['end']
  #state: 'undecided' | 'plain' | 'hashing' | 'coded' = 'undecided'
  #hasher: ContentHasher | undefined
  #key = ''
  #info: Uint8Array | undefined
  #sent = 0

  constructor(service: Service, request: IncomingMessage, response: ServerResponse) {
    this.#service = service
    this.#request = request
    this.#response = response
    this.#writeHead = response.writeHead.bind<ServerResponse['writeHead']>(response)
    this.#write = response.write.bind(response)
    this.#end = response.end.bind<ServerResponse['end']>(response)
  }

  get sent(): number {
    return this.#sent
  }

  abandon(): void {
    this.#hasher = undefined
  }

  begin(): void {
    if (this.#request.method !== 'GET') return
    const response = this.#response
    response.writeHead = (status: number, ...rest: unknown[]) => {
      const reason = typeof rest[0] === 'string' ? rest.shift() : undefined
      response.statusCode = status
      setAll(response, headersIn(rest[0]))
      this.#decide()
      return typeof reason === 'string' ? this.#writeHead(status, reason) : this.#writeHead(status)
    }
    response.write = ((chunk: unknown, ...rest: unknown[]) => {
      this.#decide()
      if (this.#state === 'plain')
        return (this.#write as (...all: unknown[]) => boolean)(chunk, ...rest)
      return this.#take(chunk, rest)
    }) as ServerResponse['write']
    response.end = ((...all: unknown[]) => {
      // Decided first: the length of a single piece is known only to node.
      if (this.#state === 'undecided' && !response.headersSent) this.#decide(all)
      if (this.#state === 'plain') return (this.#end as (...rest: unknown[]) => unknown)(...all)
      return this.#finish(all)
    }) as ServerResponse['end']
    void whenOver(this.#request, response).then(() => {
      this.#release()
    })
  }

  #decide(last?: unknown[]): void {
    if (this.#state !== 'undecided') return
    this.#state = 'plain'
    const response = this.#response
    const headers = response.getHeaders()
    const declared = headers['content-length'] ?? (last && bytesOf(last[0], last[1])?.length)
    const entity = {
      method: this.#request.method,
      status: response.statusCode,
      request: this.#request.headers,
      response: headers,
      length: declared === undefined ? undefined : Number(declared),
      ageMs: ageOf(headers),
    }
    if (response.headersSent || !isOfferable(entity, this.#service.minimumBytes)) return
    addVary(response)
    const offer = readOffer(this.#request.headers)
    if (offer === undefined) return
    const version = this.#service.versionFor(offer)
    const { host = '' } = this.#request.headers
    const validator = validatorOf(headers) ?? ''
    const { url = '' } = this.#request
    const varied = varyingValues(this.#request.headers, headers)
    const key = JSON.stringify(['body', version, validator, host, url, ...varied])
    const ready = this.#service.infos.get(key)
    const isSame = entity.length === undefined || ready?.length === entity.length
    if (ready !== undefined && isSame) this.#sendInfo(offer, ready)
    else this.#startHashing(offer, key, version)
  }

  #sendInfo(offer: Offer, { info, length }: ReadyInfo): void {
    this.#response.removeHeader('Transfer-Encoding')
    setAll(this.#response, codedHeaders(offer, length, info.length))
    this.#state = 'coded'
    // It leaves when the handler has ended.
    this.#info = info
  }

  #startHashing(offer: Offer, key: string, version: ContentVersion): void {
    setAll(this.#response, hashesComing(offer))
    if (!this.#service.slots.take(key, this, performance.now())) return
    this.#key = key
    this.#hasher = new ContentHasher(this.#service.schemeOf(version))
    this.#state = 'hashing'
  }

  #take(chunk: unknown, rest: unknown[]): boolean {
    if (this.#state === 'coded') {
      const done = rest.find((one) => typeof one === 'function') as Done | undefined
      if (done !== undefined) process.nextTick(done)
      return true
    }
    this.#hash(bytesOf(chunk, rest[0]))
    return (this.#write as (...all: unknown[]) => boolean)(chunk, ...rest)
  }

  #finish(all: unknown[]): unknown {
    const end = this.#end as (...rest: unknown[]) => unknown
    if (this.#state === 'coded') {
      const done = all.filter((one) => typeof one === 'function')
      // A second end is none, as without the middleware.
      const info = this.#info
      this.#info = undefined
      return info === undefined ? end(...done) : end(info, ...done)
    }
    if (typeof all[0] !== 'function') this.#hash(bytesOf(all[0], all[1]))
    const hasher = this.#hasher
    this.#hasher = undefined
    const declared = this.#response.getHeader('content-length')
    // Whose client has gone may end anywhere.
    const isGone = isOver(this.#request, this.#response)
    const isWhole = declared === undefined ? !isGone : Number(declared) === this.#sent
    if (hasher !== undefined && isWhole && this.#sent >= Math.max(1, this.#service.minimumBytes)) {
      this.#service.infos.put(this.#key, hasher.finish())
    }
    this.#release()
    return end(...all)
  }

  /** Others may hash that content now. */
  #release(): void {
    this.#service.slots.release(this.#key, this)
  }

  #hash(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return
    this.#sent += bytes.length
    this.#hasher?.push(bytes)
  }
}

function bytesOf(chunk: unknown, encoding: unknown): Uint8Array | undefined {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  }
  return chunk instanceof Uint8Array ? chunk : undefined
}

function headersIn(given: unknown): OutgoingHttpHeaders {
  if (!Array.isArray(given)) return (given ?? {}) as OutgoingHttpHeaders
  const flat = given.flat() as string[]
  const out: Record<string, string[]> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) {
    ;(out[flat[i] as string] ??= []).push(flat[i + 1] as string)
  }
  return out
}
