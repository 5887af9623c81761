// Origins and peers on real sockets, and those who ask them.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { ContentInfo } from '#lib/content/content-info.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import { runOnPool } from '#lib/io/block-runner.js'
import type { BlockTrace } from '#lib/runtime/content/download.js'
import { fetchContent, type FetchContentOptions } from '#lib/runtime/content/fetch-content.js'
import { peerdist, type PeerDistOptions } from '#lib/runtime/content/peerdist.js'
import { RetrievalServer } from '#lib/runtime/content/retrieval-server.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { sampleContent } from './content-checker.js'

export const SECRET = new Uint8Array(32).fill(5)
export const content = sampleContent(1_500_001)
const made: (() => unknown)[] = []

/** To be closed or removed by `clearScene`. */
export function undoing(undo: () => unknown): void {
  made.push(undo)
}

/** Closes and removes all that was made here. */
export async function clearScene(): Promise<void> {
  for (const undo of made.reverse()) await undo()
}

export const directory = (): string => {
  const name = mkdtempSync(path.join(tmpdir(), 'peernet-dist-'))
  made.push(() => rmSync(name, { recursive: true, force: true }))
  return name
}

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface Listening {
  readonly at: string
  kill(): Promise<void>
}

export async function listen(handler: RequestListener): Promise<Listening> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  let isOver = false
  const kill = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  made.push(kill)
  return { at: `[::1]:${(server.address() as AddressInfo).port}`, kill }
}

export interface Origin extends Listening {
  readonly url: string
  /** Bytes of bodies sent, content and content information. */
  sent(): number
  content: Uint8Array
  extra: OutgoingHttpHeaders
  /** Takes a request before the origin does. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  readonly seen: IncomingHttpHeaders[]
}

/** A handler as any application has it, behind the middleware. */
export async function startOrigin(options: Partial<PeerDistOptions> = {}): Promise<Origin> {
  const dist = peerdist({ secret: SECRET, ...options })
  let sent = 0
  const origin: Origin = {
    ...{ at: '', url: '', kill: () => Promise.resolve(), sent: () => sent },
    ...{ content, extra: { ETag: '"1"' }, intercept: undefined, seen: [] },
  }
  const listening = await listen((incoming, response) => {
    origin.seen.push(incoming.headers)
    response.once('close', () => {
      sent += Number(response.getHeader('content-length') ?? 0)
    })
    if (origin.intercept?.(incoming, response) === true) return
    dist(incoming, response, () => {
      answer(origin, incoming, response)
    })
  })
  return Object.assign(origin, listening, { url: `http://${listening.at}/file` })
}

export function answer(origin: Origin, incoming: IncomingMessage, response: ServerResponse): void {
  const bytes = origin.content
  const range = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '')
  const [from, to] = range === null ? [0, bytes.length] : [Number(range[1]), Number(range[2]) + 1]
  const about = range === null ? {} : { 'Content-Range': `bytes ${from}-${to - 1}/${bytes.length}` }
  response.writeHead(range === null ? 200 : 206, {
    ...origin.extra,
    ...about,
    'Content-Length': to - from,
  })
  // In pieces, as from a file.
  for (let at = from; at < to; at += 100_000)
    response.write(bytes.subarray(at, Math.min(at + 100_000, to)))
  response.end()
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export function ask(
  url: string,
  headers: OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const { statusCode: status = 0, headers: got } = response
        resolve({ status, headers: got, body: Buffer.concat(parts) })
      })
    })
      .on('error', reject)
      .end()
  })
}

export const OFFER = {
  'Accept-Encoding': 'gzip, PeerDist',
  'X-P2P-PeerDist': 'Version=1.1',
  'X-P2P-PeerDistEx': 'MinContentInformation=1.0, MaxContentInformation=1.0',
}

/** Asks until the hashes are there. */
export async function warm(origin: Origin, headers: OutgoingHttpHeaders = OFFER): Promise<Reply> {
  await ask(origin.url, headers)
  return ask(origin.url, headers)
}

export function cacheIn(name = directory()): BlockStore {
  const store = new BlockStore({ directory: name, run: runOnPool })
  made.push(() => store.close())
  return store
}

export interface Peer {
  readonly at: string
  readonly server: RetrievalServer
  readonly cache: BlockStore
}

/** A peer that has fetched the content from the origin. */
export async function startPeer(origin: Origin, blocks = Infinity): Promise<Peer> {
  const cache = cacheIn()
  if (blocks > 0) {
    const bytes = await fetchContent(origin.url, { cache })
    let count = 0
    for await (const part of bytes) if (part.length === 0 || ++count >= blocks) break
  }
  const server = new RetrievalServer({ cache })
  const { port } = await server.listen(0, '::1')
  made.push(() => server.close())
  return { at: `[::1]:${port}`, server, cache }
}

export interface Got {
  readonly bytes: Uint8Array
  readonly shares: { cache: number; peers: number; origin: number }
  readonly trace: readonly BlockTrace[]
  readonly isDistributed: boolean
}

export async function fetched(origin: Origin, options: FetchContentOptions = {}): Promise<Got> {
  const got = await fetchContent(origin.url, options)
  const bytes = await got.bytes()
  const { shares, trace, isDistributed } = got
  return { bytes, shares: { ...shares }, trace, isDistributed }
}

export const isRight = (bytes: Uint8Array): boolean => sha(bytes) === sha(content)

export function infoOf(body: Uint8Array): ContentInfo {
  const parsed = parseContentInfo(body)
  assert.ok(parsed.ok)
  return parsed.info
}
