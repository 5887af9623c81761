import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { fromHex } from '../../core/bytes.js'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import { fetchContent, type FetchedContent } from '../../runtime/content/fetch-content.js'
import { HostedOffers } from '../../runtime/content/hosted-offers.js'
import { peerdist, type PeerDistOptions } from '../../runtime/content/peerdist.js'
import { listening } from '../../runtime/content/retrieval-server.js'
import { StaticFiles } from '../../runtime/content/static-files.js'
import { BlockStore } from '../../storage/block-store.js'
import { statePaths } from '../../storage/paths.js'
import type { ServerSecretFile } from '../../storage/server-secret.js'
import type { Output } from '../output.js'
import { runAction } from '../session.js'
import {
  invalid,
  isOn,
  portOf,
  startPeer,
  withPeerFlags,
  type PeerFlags,
  type PeerSession,
} from './content-flags.js'
import {
  addHostedCache,
  hostedOf,
  sayHosted,
  settleOffers,
  startHosted,
  withHostedFetchFlags,
  withHostedServeFlags,
  type HostedFetchFlags,
  type HostedServeFlags,
  type StartedHosted,
} from './content-hosted.js'

interface ServeFlags extends PeerFlags, HostedServeFlags {
  readonly hostedCache?: boolean
  readonly port: string
  readonly host: string
  readonly v: string
  readonly hash: string
  readonly serverSecret?: string
}

interface FetchFlags extends PeerFlags, HostedFetchFlags {
  readonly peer?: string[]
  readonly output?: string
  readonly cache: boolean
}

/** `peernet content serve | fetch | cache` */
export function addPeerContentCommands(content: Command, ownSecret: () => ServerSecretFile): void {
  addServe(content, ownSecret)
  addFetch(content)
  addHostedCache(content)
  addCache(content)
}

export function userCache(): BlockStore {
  return new BlockStore({ directory: join(statePaths().cache, 'content'), run: runOnPool })
}

const replayOf = (): string => join(statePaths().cache, 'content', 'replay')

function hashesOf({ v, hash }: ServeFlags): Pick<PeerDistOptions, 'version' | 'algorithm'> {
  if (v !== '1' && v !== '2') throw invalid(`no version of content information: ${v}`)
  if (hash !== 'sha256' && hash !== 'sha384' && hash !== 'sha512') {
    throw invalid('--hash wants sha256, sha384 or sha512')
  }
  return { version: v === '1' ? 1 : 2, algorithm: hash }
}

function addServe(content: Command, ownSecret: () => ServerSecretFile): void {
  const serve = content
    .command('serve')
    .argument('<directory>', 'what to serve')
    .option('--port <number>', 'TCP port of the web server; 0 takes any free one', '8080')
    .option('--host <address>', 'listen on this address', '::')
    .option('--v <version>', 'version of content information for those who take both', '1')
    .option('--hash <algorithm>', 'for version 1: sha256, sha384 or sha512', 'sha256')
    .option('--server-secret <hex>', "the server's secret; default: this user's own")
    .option('--hosted-cache', 'be a hosted cache as well')
    .description('serve files over HTTP, as hashes to those who understand them; be a peer as well')
  withHostedServeFlags(withPeerFlags(serve))
  serve.action((directory: string, flags: ServeFlags) =>
    runAction(serve, async (output, signal) => {
      const [discovery, hashes] = [isOn(flags.discovery), hashesOf(flags)]
      const port = portOf(flags.port)
      const given = flags.serverSecret === undefined ? undefined : fromHex(flags.serverSecret)
      if (flags.serverSecret !== undefined && (given?.length ?? 0) === 0) {
        throw invalid('--server-secret wants hex digits, two a byte')
      }
      const secret = given ?? (await ownSecret().load())
      const files = await filesOf(directory, { secret, ...hashes })
      const cache = userCache()
      const web = createServer((request, response) => {
        files.handle(request, response).catch(() => response.destroy())
      })
      // Who takes nothing for so long holds a file open.
      web.setTimeout(LIMITS.serveIdleMs)
      let session: PeerSession | undefined
      let hosted: StartedHosted | undefined
      try {
        await listening(web, port, flags.host)
        const at = web.address() as AddressInfo
        session = await startPeer(flags, { cache, host: flags.host, signal })
        const { cloud, peer } = session
        const nodes = cloud === undefined ? {} : { cloud: cloud.endpoints }
        if (flags.hostedCache === true) hosted = await startHosted(cache, replayOf(), flags)
        output.value({
          ...{ url: urlOf(at), peerPort: peer.port, discovery },
          ...{ ...nodes, ...hosted?.ports },
        })
        output.line(`Serving ${directory} at ${urlOf(at)}`)
        if (hosted !== undefined) sayHosted(output, hosted)
        const found = discovery ? ' and find it by discovery' : ''
        if (cloud !== undefined) output.line(`Seed of the cloud: ${cloud.endpoints.join(', ')}`)
        output.line(`Peers reach this cache at port ${peer.port}${found}; Ctrl-C ends it`)
        await aborted(signal)
      } finally {
        await closed(web)
        await hosted?.close()
        await session?.close()
        await cache.close()
      }
    }),
  )
}

async function filesOf(directory: string, options: PeerDistOptions): Promise<StaticFiles> {
  try {
    return await StaticFiles.of(directory, peerdist(options))
  } catch (cause) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot serve ${directory}`, { cause })
  }
}

function urlOf({ address, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : address
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
}

function addFetch(content: Command): void {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  const fetch = content
    .command('fetch')
    .argument('<url>', 'what to fetch')
    .option('--peer <host:port>', 'a peer to ask (repeatable)', collect)
    .option('--output <file>', 'write to this file; default: standard output')
    .option('--no-cache', "leave this user's cache alone")
    .description('fetch a URL, in verified blocks from cache, peers and origin')
  withHostedFetchFlags(withPeerFlags(fetch))
  fetch.action((url: string, flags: FetchFlags) =>
    runAction(fetch, async (output, signal) => {
      const isPeer = isOn(flags.discovery) || (flags.cloud ?? flags.seed) !== undefined
      if (isPeer && !flags.cache) throw invalid('a peer needs its cache: no --no-cache here')
      const address = await hostedOf(flags)
      const cache = flags.cache ? userCache() : undefined
      // Without a cache there is nothing that could be offered.
      const offers = address && cache && (await HostedOffers.open(address, cache))
      const hostedCache = offers ?? address
      let session: PeerSession | undefined
      try {
        const from = hostedCache === undefined ? {} : { hostedCache }
        const options = { peers: flags.peer ?? [], signal, ...from }
        if (isPeer && cache !== undefined) {
          session = await startPeer(flags, { cache, signal })
          await fetchTo(url, flags, output, await session.peer.fetch(url, options))
        } else {
          const kept = cache === undefined ? {} : { cache }
          await fetchTo(url, flags, output, await fetchContent(url, { ...options, ...kept }))
        }
        if (offers !== undefined) await settleOffers(offers, output, signal)
      } finally {
        await offers?.close()
        await session?.close()
        await cache?.close()
      }
    }),
  )
}

async function fetchTo(
  url: string,
  flags: FetchFlags,
  output: Output,
  got: FetchedContent,
): Promise<void> {
  const start = performance.now()
  if (got.status !== 200) {
    got.readable().destroy()
    const what = `${url} answers with status ${got.status}`
    throw new PeernetError('ERR_PEERNET_CONTENT_UNAVAILABLE', what)
  }
  const bytes = await save(got, flags.output)
  const seconds = (performance.now() - start) / 1000
  await got.kept
  const { shares, isDistributed } = got
  if (flags.output === undefined) return
  output.value({ url, bytes, seconds, verified: isDistributed, shares: { ...shares } })
  output.line(`${mebibytes(bytes)} in ${seconds.toFixed(2)} s, ${mebibytes(bytes / seconds)}/s`)
  const part = (of: number): string => share(of, bytes)
  const { peers, cache, origin } = shares
  output.line(`peers ${part(peers)}, cache ${part(cache)}, origin ${part(origin)}`)
  if (flags.hostedCache !== undefined && peers > 0) {
    const hosted = got.trace.filter(({ peer }) => peer === flags.hostedCache)
    const of = hosted.reduce((sum, one) => sum + one.length, 0)
    output.line(`of which the hosted cache ${part(of)}`)
  }
  if (!isDistributed) output.line('not verified: the server gave no content information')
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`
const share = (part: number, all: number): string =>
  `${all === 0 ? 0 : Math.round((part / all) * 100)} %`

async function save(got: FetchedContent, file: string | undefined): Promise<number> {
  const end = showProgress(got)
  try {
    if (file !== undefined) return await got.saveTo(file)
    let bytes = 0
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const part of got) {
        bytes += part.length
        yield part
      }
    }
    const source = Readable.from(counted(), { objectMode: false })
    await pipeline(source, process.stdout, { end: false })
    return bytes
  } finally {
    end()
  }
}

/** A line about the progress on a terminal, four times a second, until it is ended. */
function showProgress({ length, shares }: FetchedContent): () => void {
  const { stderr } = process
  if (!stderr.isTTY) return () => undefined
  const all = length === undefined ? '' : ` of ${mebibytes(length)}`
  const timer = setInterval(() => {
    const bytes = shares.cache + shares.peers + shares.origin
    stderr.write(`\r${mebibytes(bytes)}${all}, ${share(shares.peers, bytes)} from peers `)
  }, 250)
  return () => {
    clearInterval(timer)
    stderr.write('\r\u001b[K')
  }
}

function addCache(content: Command): void {
  const cache = content
    .command('cache')
    .option('--flush', 'remove everything')
    .description("what this user's cache of blocks holds")
  cache.action((flags: { flush?: boolean }) =>
    runAction(cache, async (output) => {
      const store = userCache()
      try {
        if (flags.flush === true) {
          const removed = await store.flush()
          output.value({ removed })
          output.line(`${removed} segments removed`)
          return
        }
        const { segments, bytes, maxBytes } = await store.statistics()
        output.value({ directory: store.directory, segments, bytes, maxBytes })
        output.line(`Directory  ${store.directory}`)
        output.line(`Segments   ${segments}`)
        output.line(`Size       ${mebibytes(bytes)} of at most ${mebibytes(maxBytes)}`)
      } finally {
        await store.close()
      }
    }),
  )
}
