// Hosted caches on real sockets, and those who offer to them.
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { request as httpsRequest } from 'node:https'
import path from 'node:path'
import { HostedCache, type HostedCacheOptions } from '#lib/runtime/content/hosted-cache.js'
import { HostedOffers, type HostedCacheAddress } from '#lib/runtime/content/hosted-offers.js'
import { ReplayStore } from '#lib/storage/replay-store.js'
import type { BlockStore } from '#lib/storage/block-store.js'
import { cacheIn, directory, undoing } from './distribution-scene.js'
import { tlsCertificate, type TlsPair } from './tls-certificate.js'

let own: TlsPair | undefined

/** One certificate for all tests of a file: making it takes time. */
export function testCertificate(): TlsPair {
  own ??= tlsCertificate()
  return own
}

export interface Hosted {
  readonly hosted: HostedCache
  readonly cache: BlockStore
  readonly replay: ReplayStore
  /** `host:port` of HTTP, and of HTTPS. */
  readonly at: string
  readonly tls: string
  close(): Promise<void>
}

export async function startHosted(
  options: Partial<HostedCacheOptions> = {},
  name = directory(),
  now: () => number = Date.now,
): Promise<Hosted> {
  const cache = cacheIn(path.join(name, 'blocks'))
  const replay = await ReplayStore.open({ directory: path.join(name, 'replay'), now })
  const hosted = new HostedCache({ cache, replay, ...options })
  const { port } = await hosted.listen(0, '::1')
  const secure = await hosted.listenTls({ ...testCertificate() }, 0, '::1')
  const close = async (): Promise<void> => {
    await hosted.close()
    replay.close()
  }
  undoing(close)
  return { hosted, cache, replay, at: `[::1]:${port}`, tls: `[::1]:${secure.port}`, close }
}

/** Someone who offers what is in `cache`. */
export async function offering(
  { at, tls }: Pick<Hosted, 'at' | 'tls'>,
  cache: BlockStore,
  more: Partial<HostedCacheAddress> = {},
): Promise<HostedOffers> {
  const address = { at, offersAt: tls, ca: testCertificate().cert, ...more }
  const offers = await HostedOffers.open(address, cache)
  undoing(() => offers.close())
  return offers
}

/** Waits for what is sure to come; the runner's limit ends it otherwise. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** All that is offered has been offered, and the cache has what it wants of that. */
export async function settled(offers: HostedOffers, { hosted }: Hosted): Promise<void> {
  await offers.settled()
  await until(() => hosted.statistics().pulling === 0)
}

export interface Answered {
  /** 0: the connection was closed without an answer. */
  readonly status: number
  readonly body: Buffer
  readonly headers: IncomingMessage['headers']
}

/** A POST as anybody might send it. */
export function post(
  url: string,
  body: Uint8Array,
  options: { method?: string; path?: string; authorization?: string; agent?: false } = {},
): Promise<Answered> {
  const { authorization, method = 'POST', path: raw } = options
  const secure = url.startsWith('https:')
  const { hostname, pathname, port } = new URL(url)
  return new Promise((resolve) => {
    const sent = (secure ? httpsRequest : request)(
      {
        ...{ method, host: hostname.replace(/^\[|\]$/g, ''), port, path: raw ?? pathname },
        ...(secure ? { ca: testCertificate().cert } : {}),
        headers: {
          'Content-Length': body.length,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const { headers, statusCode: status = 0 } = response
          resolve({ status, headers, body: Buffer.concat(parts) })
        })
      },
    )
    sent.on('error', () => {
      resolve({ status: 0, headers: {}, body: Buffer.alloc(0) })
    })
    sent.end(body)
  })
}
