import type { FileHandle } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { ContentVersion } from '../../content/algorithms.js'
import type { ContentInfo } from '../../content/content-info.js'
import { offerHeaders, readCoded } from '../../content/http-coding.js'
import { parseContentInfo } from '../../content/read-info.js'
import { checkArgument, PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import type { BlockStore } from '../../storage/block-store.js'
import { Download, type BlockTrace } from './download.js'
import type { FindPeers, OwnServer } from './download-peers.js'
import { HashRequest } from './hash-request.js'
import { segmentsInHostedCache } from './hosted-finder.js'
import { checkHostedCache, HostedOffers, type HostedCacheAddress } from './hosted-offers.js'
import { readBody } from './http-body.js'
import { get, headersAt, unavailable } from './origin.js'
import { allFinders } from './peer-finder.js'
import { RetrievalClient } from './retrieval-client.js'
import { saveFile, writeBytes } from './save-bytes.js'

export interface FetchContentOptions {
  /** Peers to ask, `host:port`. */
  readonly peers?: readonly string[]
  /** Finds further peers by segment IDs, e.g. `peersOnLink(discovery)`. */
  readonly findPeers?: FindPeers
  /** Serves the cache to others while it is filled: those share the work. */
  readonly server?: OwnServer
  /**
   * A hosted cache, asked before other peers. Given as HostedOffers it is also offered what `cache`
   * got from elsewhere.
   */
  readonly hostedCache?: HostedCacheAddress | HostedOffers
  /** Asked first; filled with what is fetched. */
  readonly cache?: BlockStore
  readonly signal?: AbortSignal
  /** Further headers for the origin, such as Authorization. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * The greatest version of content information to ask for. Default 2; 1 with a hosted cache of
   * version 1, which takes nothing else.
   */
  readonly version?: ContentVersion
  /** Time for one exchange with a peer, in milliseconds. Default 2 s. */
  readonly peerRequestMs?: number
  /** Called for each block, in the order of arrival. */
  readonly onBlock?: (trace: BlockTrace) => void
}

/** Bytes by where they came from. */
export interface Shares {
  cache: number
  peers: number
  origin: number
}

/** A response; its bytes can be read once, in one of the ways. */
export class FetchedContent implements AsyncIterable<Uint8Array> {
  readonly status: number
  /** Of the origin's response. */
  readonly headers: IncomingHttpHeaders
  /** Undefined when the origin does not tell. */
  readonly length: number | undefined
  /** Whether it comes in verified blocks; otherwise as the origin sends it. */
  readonly isDistributed: boolean
  readonly shares: Readonly<Shares>
  /** The first 65,536 blocks that arrived. */
  readonly trace: readonly BlockTrace[]
  /**
   * Settles after the bytes: true when content that came as it is was put into the cache once the
   * origin had made its hashes (T 3.1.5.1).
   */
  readonly kept: Promise<boolean>
  readonly #bytes: AsyncGenerator<Uint8Array>
  readonly #into: ((file: FileHandle) => Promise<number>) | undefined

  constructor(
    facts: Pick<FetchedContent, 'status' | 'headers' | 'length' | 'isDistributed'>,
    progress: Pick<FetchedContent, 'shares' | 'trace' | 'kept'>,
    bytes: AsyncGenerator<Uint8Array>,
    into?: (file: FileHandle) => Promise<number>,
  ) {
    this.status = facts.status
    this.headers = facts.headers
    this.length = facts.length
    this.isDistributed = facts.isDistributed
    this.shares = progress.shares
    this.trace = progress.trace
    this.kept = progress.kept
    this.#bytes = bytes
    this.#into = into
  }

  /** Verified bytes in order, while later blocks are still coming. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    return this.#bytes
  }

  /** As a stream of node. */
  readable(): Readable {
    return Readable.from(this.#bytes, { objectMode: false })
  }

  /** As a Web stream. */
  stream(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.readable()) as ReadableStream<Uint8Array>
  }

  /**
   * Writes it to a file, which has its name only when it is whole; returns its length. The fastest
   * way: blocks are written as they arrive, each at its place. Content that changes meanwhile is
   * fetched anew, as the origin has it.
   */
  saveTo(file: string): Promise<number> {
    return saveFile(file, this.#bytes, this.#into)
  }

  /** All of it at once. */
  async bytes(): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const part of this.#bytes) parts.push(part)
    return Buffer.concat(parts)
  }
}

interface Context {
  readonly options: FetchContentOptions
  readonly shares: Shares
  readonly trace: BlockTrace[]
  readonly signal: AbortSignal
  readonly kept: Promise<boolean>
  readonly keep: (isKept: boolean | Promise<boolean>) => void
}

/**
 * Fetches a URL as MS-PCCRTP says: asks for content information, gets the blocks from cache, peers
 * and origin, and yields nothing that was not verified. An origin that knows nothing of this is
 * simply read. Rejects with ERR_PEERNET_INVALID_ARG, ERR_PEERNET_ABORTED,
 * ERR_PEERNET_CONTENT_UNAVAILABLE; the bytes also with ERR_PEERNET_CONTENT_CHANGED.
 */
export async function fetchContent(
  url: string | URL,
  options: FetchContentOptions = {},
): Promise<FetchedContent> {
  const target = URL.canParse(String(url)) ? new URL(url) : undefined
  const isHttp = target?.protocol === 'http:' || target?.protocol === 'https:'
  checkArgument(target !== undefined && isHttp, `no URL of HTTP: ${String(url)}`)
  const signal = options.signal ?? new AbortController().signal
  let keep: Context['keep'] = () => undefined
  const kept = new Promise<boolean>((resolve) => {
    keep = resolve
  })
  const hosted = hostedAddress(options)
  if (hosted !== undefined) checkHostedCache(hosted)
  const offer = offerHeaders(versionOf(options))
  const answer = await get(target, { ...options.headers, ...offer }, signal)
  const { response } = answer
  // Further requests go to where the first one was sent to in the end.
  const headers = headersAt(answer.url, target, options.headers ?? {})
  const context: Context = {
    ...{ options: { ...options, headers }, signal, kept, keep },
    ...{ shares: { cache: 0, peers: 0, origin: 0 }, trace: [] },
  }
  const coded = readCoded(response.headers)
  if (!coded.isCoded) {
    const isComing = coded.wantsHashRequest && response.statusCode === 200
    return plain(response, context, isComing ? answer.url : undefined)
  }
  const body = await readBody(response, LIMITS.contentInfoBytes)
  if (signal.aborted) throw aborted(signal)
  const parsed = body === undefined ? undefined : parseContentInfo(body)
  const info = parsed?.ok === true ? parsed.info : undefined
  // The range asked for was all of it: content information of less is of no use.
  const isWhole = info?.range.start === 0 && info.range.length === coded.contentLength
  if (info === undefined || !isWhole || response.statusCode !== 200) {
    return identity(answer.url, context)
  }
  return distributed(answer.url, response, info, context)
}

function hostedAddress({ hostedCache }: FetchContentOptions): HostedCacheAddress | undefined {
  return hostedCache instanceof HostedOffers ? hostedCache.address : hostedCache
}

function offersOf({ hostedCache }: FetchContentOptions): HostedOffers | undefined {
  return hostedCache instanceof HostedOffers ? hostedCache : undefined
}

function findersOf(options: FetchContentOptions): FindPeers | undefined {
  const { findPeers, peerRequestMs } = options
  const hosted = hostedAddress(options)?.at
  if (hosted === undefined) return findPeers
  const finder = segmentsInHostedCache(hosted, peerRequestMs)
  return findPeers === undefined ? finder : allFinders([finder, findPeers])
}

function versionOf(options: FetchContentOptions): ContentVersion {
  return options.version ?? hostedAddress(options)?.version ?? 2
}

function aborted(signal: AbortSignal): PeernetError {
  const options = { cause: signal.reason as unknown }
  return new PeernetError('ERR_PEERNET_ABORTED', 'the download was aborted', options)
}

async function identity(url: URL, context: Context): Promise<FetchedContent> {
  const { options, signal } = context
  const headers = { ...options.headers, 'Accept-Encoding': 'identity' }
  return plain((await get(url, headers, signal)).response, context)
}

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const

/** `hashesAt`: where hashes of it can be had afterwards (T 3.1.5.1). */
function plain(response: IncomingMessage, context: Context, hashesAt?: URL): FetchedContent {
  const { headers, statusCode: status = 0 } = response
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const decoder = DECODERS[coding as keyof typeof DECODERS] as (typeof DECODERS)['gzip'] | undefined
  if (coding !== 'identity' && decoder === undefined) {
    response.destroy()
    throw unavailable(`the content comes in a coding that was not asked for: ${coding}`)
  }
  const length = decoder === undefined ? headers['content-length'] : undefined
  const facts = {
    ...{ status, headers, isDistributed: false },
    length: length === undefined ? undefined : Number(length),
  }
  return new FetchedContent(facts, context, plainBytes(response, decoder?.(), context, hashesAt))
}

async function* plainBytes(
  response: IncomingMessage,
  decoder: NodeJS.ReadWriteStream | undefined,
  { options, shares, signal, keep }: Context,
  hashesAt: URL | undefined,
): AsyncGenerator<Uint8Array> {
  const { cache, headers = {} } = options
  const version = versionOf(options)
  const onStored = ({ segments }: ContentInfo): void => {
    const offers = offersOf(options)
    for (const segment of segments) offers?.add(segment, segment.listedBlocks)
    offers?.flush()
  }
  const aside =
    hashesAt === undefined || cache === undefined
      ? undefined
      : await HashRequest.begin({ url: hashesAt, headers, version, cache, signal, onStored })
  let isWhole = false
  response.on('error', (error) => decoder?.emit('error', error))
  const bytes = decoder === undefined ? response : response.pipe(decoder)
  try {
    for await (const part of bytes as AsyncIterable<Uint8Array>) {
      shares.origin += part.length
      await aside?.push(part)
      yield part
    }
    isWhole = true
  } catch (error) {
    throw signal.aborted ? aborted(signal) : unavailable('the origin broke off', error)
  } finally {
    response.destroy()
    if (isWhole) keep(aside?.finish() ?? false)
    else {
      await aside?.close()
      keep(false)
    }
  }
}

function distributed(
  url: URL,
  response: IncomingMessage,
  info: ContentInfo,
  context: Context,
): FetchedContent {
  const { length } = info.range
  const facts = { status: 200, headers: response.headers, length, isDistributed: true }
  const begin = () => beginDownload(url, info, context)
  const bytes = distributedBytes(url, begin, context)
  return new FetchedContent(facts, context, bytes, (file) =>
    distributedInto(file, url, begin, context),
  )
}

interface Begun {
  readonly download: Download
  readonly end: () => void
}

function beginDownload(url: URL, info: ContentInfo, context: Context): Begun {
  const { options, shares, trace, signal } = context
  const time = options.peerRequestMs
  const client = new RetrievalClient(time === undefined ? {} : { requestMs: time })
  const [hosted, offers] = [hostedAddress(options)?.at, offersOf(options)]
  const first = hosted === undefined ? [] : [{ at: hosted, relays: true }]
  const peers = [...first, ...(options.peers ?? [])]
  const download = new Download({
    ...{ info, url, client, signal, cache: options.cache, findPeers: findersOf(options) },
    ...{ headers: options.headers ?? {}, total: info.range.length, peers },
    server: options.server,
    onBlock: (one) => {
      shares[one.from === 'peer' ? 'peers' : one.from] += one.length
      if (trace.length < LIMITS.fetchTrace) trace.push(one)
      options.onBlock?.(one)
    },
    onStored: (segment, from) => {
      if (from !== hosted) offers?.add(segment, 1)
    },
  })
  const end = (): void => {
    context.keep(false)
    client.close()
    offers?.flush()
  }
  return { download, end }
}

const isChange = (error: unknown): boolean =>
  error instanceof PeernetError && error.code === 'ERR_PEERNET_CONTENT_CHANGED'

async function* distributedBytes(
  url: URL,
  begin: () => Begun,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const { download, end } = begin()
  let isBegun = false
  try {
    for await (const bytes of download.bytes()) {
      isBegun = true
      yield bytes
    }
    return
  } catch (error) {
    // Nothing was handed out yet: what the origin has now is as good as what it had before.
    if (!isChange(error) || isBegun) throw error
  } finally {
    end()
  }
  yield* await anew(url, context)
}

/** What is there now in place of content that changed; nothing but content will do. */
async function anew(url: URL, context: Context): Promise<FetchedContent> {
  const got = await identity(url, context)
  if (got.status === 200) return got
  got.readable().destroy()
  throw unavailable(`${url.href} changed meanwhile, and answers with status ${got.status} now`)
}

async function distributedInto(
  file: FileHandle,
  url: URL,
  begin: () => Begun,
  context: Context,
): Promise<number> {
  const { download, end } = begin()
  try {
    return await download.into(file)
  } catch (error) {
    if (!isChange(error)) throw error
  } finally {
    end()
  }
  await file.truncate(0)
  return writeBytes(file, await anew(url, context))
}
