import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import { BlockStore } from '../../storage/block-store.js'
import { PeerDiscovery, type PeerDiscoveryOptions } from '../peer-discovery.js'
import type { Cloud } from '../cloud.js'
import { CloudPeers } from './cloud-peers.js'
import type { FindPeers } from './download-peers.js'
import { fetchContent, type FetchContentOptions, type FetchedContent } from './fetch-content.js'
import { checkHostedCache, HostedOffers, type HostedCacheAddress } from './hosted-offers.js'
import { allFinders, peersOnLink } from './peer-finder.js'
import { publishContent, type PublishContentOptions, type PublishedContent } from './publish.js'
import { RetrievalServer, type RetrievalServerOptions } from './retrieval-server.js'
import { SegmentIndex } from './segment-index.js'

export interface ContentPeerOptions {
  /** The cache to fill and to serve, or a directory for one. A cache given is not closed. */
  readonly cache: BlockStore | string
  /** Find peers on the link and be found by them (MS-PCCRD). Default false. */
  readonly discovery?: boolean | PeerDiscoveryOptions
  /**
   * Also find peers, and be found, by names in this cloud: an extension of ours, not BranchCache.
   * The cloud stays open when the peer is closed.
   */
  readonly cloud?: Cloud
  /** A hosted cache to ask first, and to offer to what comes from elsewhere (MS-PCHC). */
  readonly hostedCache?: HostedCacheAddress
  /** Where other peers reach this one. Default: any free port, on all addresses. */
  readonly port?: number
  readonly host?: string
  /** Of the server for other peers. */
  readonly server?: Omit<RetrievalServerOptions, 'cache'>
}

/** Of all that ContentPeer.fetch does itself the rest. */
export type PeerFetchOptions = Omit<FetchContentOptions, 'cache' | 'findPeers' | 'server'>

/**
 * One peer of content distribution: fetches, and serves from then on what it has fetched. Make one
 * with `createContentPeer`.
 */
export class ContentPeer {
  readonly cache: BlockStore
  /** The server for other peers, e.g. for its statistics. */
  readonly server: RetrievalServer
  /** Undefined without discovery. */
  readonly discovery: PeerDiscovery | undefined
  readonly port: number
  /** Undefined without a cloud. */
  readonly cloudPeers: CloudPeers | undefined
  /** Undefined without a hosted cache. */
  readonly offers: HostedOffers | undefined
  readonly #index: SegmentIndex | undefined
  readonly #finders: readonly FindPeers[]
  readonly #ownsCache: boolean
  readonly #abort = new AbortController()

  /** @internal */
  constructor(parts: {
    readonly cache: BlockStore
    readonly server: RetrievalServer
    readonly port: number
    readonly discovery: PeerDiscovery | undefined
    readonly index: SegmentIndex | undefined
    readonly cloudPeers: CloudPeers | undefined
    readonly offers: HostedOffers | undefined
    readonly ownsCache: boolean
  }) {
    this.cache = parts.cache
    this.server = parts.server
    this.port = parts.port
    this.discovery = parts.discovery
    this.#index = parts.index
    this.cloudPeers = parts.cloudPeers
    this.offers = parts.offers
    this.#ownsCache = parts.ownsCache
    const { cloudPeers, discovery } = parts
    this.#finders = [
      ...(discovery === undefined ? [] : [peersOnLink(discovery)]),
      ...(cloudPeers === undefined ? [] : [cloudPeers.find]),
    ]
  }

  /** As fetchContent, with this peer's cache and whom discovery finds. */
  fetch(url: string | URL, options: PeerFetchOptions = {}): Promise<FetchedContent> {
    const { cache } = this
    const closing = this.#abort.signal
    const { signal } = options
    return fetchContent(url, {
      ...(this.offers === undefined ? {} : { hostedCache: this.offers }),
      ...options,
      cache,
      server: {
        service: this.discovery?.service ?? '',
        watch: (listener) => this.server.watch(listener),
      },
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
      ...(this.#finders.length === 0 ? {} : { findPeers: allFinders(this.#finders) }),
    })
  }

  /** Serves a file of this host as if it had been fetched; see publishContent. */
  async publish(
    path: string,
    options: Omit<PublishContentOptions, 'cache'>,
  ): Promise<PublishedContent> {
    const published = await publishContent(path, { ...options, cache: this.cache })
    await this.cloudPeers?.publish(published.info.segments.map(({ id }) => id))
    return published
  }

  /** Ends downloads, serving and discovery. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.offers?.close()
    await this.discovery?.close()
    await this.cloudPeers?.close()
    this.#index?.close()
    await this.server.close()
    if (this.#ownsCache) await this.cache.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Starts a peer that serves its cache and, with `discovery`, is found by others on the link.
 * Rejects with ERR_PEERNET_PORT_IN_USE, ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM.
 */
export async function createContentPeer(options: ContentPeerOptions): Promise<ContentPeer> {
  const ownsCache = typeof options.cache === 'string'
  const cache =
    typeof options.cache === 'string'
      ? new BlockStore({ directory: options.cache, run: runOnPool })
      : options.cache
  const server = new RetrievalServer({ ...options.server, cache })
  let discovery: PeerDiscovery | undefined
  let index: SegmentIndex | undefined
  let cloudPeers: CloudPeers | undefined
  const { cloud, hostedCache } = options
  if (hostedCache !== undefined) checkHostedCache(hostedCache)
  try {
    const { port } = await server.listen(options.port ?? 0, options.host)
    if (options.discovery !== undefined && options.discovery !== false) {
      const given = options.discovery === true ? {} : options.discovery
      const instanceFile = join(cache.directory, 'instance')
      discovery = new PeerDiscovery({ instanceFile, ...given })
      index = new SegmentIndex(cache)
      await Promise.race([index.loaded, delay(LIMITS.cacheIndexStartMs, undefined, { ref: false })])
      await discovery.announce({ segments: index, port })
    }
    if (cloud !== undefined) cloudPeers = await CloudPeers.of({ cloud, cache, port })
    const offers = hostedCache && new HostedOffers(hostedCache, port)
    return new ContentPeer({ cache, server, port, discovery, index, cloudPeers, offers, ownsCache })
  } catch (error) {
    await discovery?.close()
    await cloudPeers?.close()
    index?.close()
    await server.close()
    if (ownsCache) await cache.close()
    throw error
  }
}
