import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import { runOnPool } from '../../io/block-runner.js'
import { HostedCache } from '../../runtime/content/hosted-cache.js'
import type { HostedCacheAddress, HostedOffers } from '../../runtime/content/hosted-offers.js'
import { BlockStore } from '../../storage/block-store.js'
import { statePaths } from '../../storage/paths.js'
import { ReplayStore } from '../../storage/replay-store.js'
import type { Output } from '../output.js'
import { runAction } from '../session.js'
import { invalid, portOf } from './content-flags.js'

/** Of a command that is a hosted cache. */
export interface HostedServeFlags {
  readonly hostedPort: string
  readonly tlsPort?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** Of a command that uses one. */
export interface HostedFetchFlags {
  readonly hostedCache?: string
  readonly hostedVersion: string
  readonly hostedOffers?: string
  readonly hostedCa?: string
}

interface HostedCacheFlags extends HostedServeFlags {
  readonly host: string
  readonly directory?: string
  readonly maxSize: string
  readonly maxAge: string
}

export function withHostedServeFlags(command: Command): Command {
  return command
    .option('--hosted-port <number>', 'TCP port of the hosted cache; 0 takes any free one', '8090')
    .option('--tls-port <number>', 'take offers of version 1 as well, over HTTPS at this port')
    .option('--tls-cert <file>', 'its certificate, PEM')
    .option('--tls-key <file>', 'the key of the certificate, PEM')
}

export function withHostedFetchFlags(command: Command): Command {
  return command
    .option('--hosted-cache <host:port>', 'a hosted cache to ask first, and to offer content to')
    .option('--hosted-version <1|2>', '1 offers over HTTPS, with keys; 2 over HTTP, without', '2')
    .option('--hosted-offers <host:port>', 'where version 1 makes its offers; default: port 443')
    .option('--hosted-ca <file>', 'certificates to trust for that, PEM')
}

/** `peernet content hosted-cache` */
export function addHostedCache(content: Command): void {
  const command = content
    .command('hosted-cache')
    .option('--host <address>', 'listen on this address', '::')
    .option('--directory <path>', "where to keep blocks; default: beside this user's cache")
    .option('--max-size <MiB>', 'size of each of the two stores (verified; as they came)', '1024')
    .option('--max-age <days>', 'when content goes that nobody wants', '28')
    .description('be a hosted cache: take what clients offer, keep it, and give it to others')
  withHostedServeFlags(command)
  command.action((flags: HostedCacheFlags) =>
    runAction(command, async (output, signal) => {
      const directory = flags.directory ?? join(statePaths().cache, 'hosted')
      const limits = {
        maxBytes: numberOf(flags.maxSize, '--max-size') * 1_048_576,
        maxAgeMs: numberOf(flags.maxAge, '--max-age') * 86_400_000,
      }
      const blocks = join(directory, 'blocks')
      const cache = new BlockStore({ directory: blocks, run: runOnPool, ...limits })
      let hosted: StartedHosted | undefined
      try {
        hosted = await startHosted(cache, join(directory, 'replay'), flags, limits)
        output.value(hosted.ports)
        sayHosted(output, hosted)
        output.line('Ctrl-C ends it')
        await ended(signal)
      } finally {
        await hosted?.close()
        await cache.close()
      }
    }),
  )
}

export interface StartedHosted {
  readonly ports: { readonly hostedPort: number; readonly tlsPort: number | null }
  close(): Promise<void>
}

/** A hosted cache over a store that exists already; `directory` is for blocks as they came. */
export async function startHosted(
  cache: BlockStore,
  directory: string,
  flags: HostedServeFlags & { readonly host: string },
  limits: { readonly maxBytes?: number; readonly maxAgeMs?: number } = {},
): Promise<StartedHosted> {
  const port = portOf(flags.hostedPort)
  const tls = await tlsOf(flags)
  const replay = await ReplayStore.open({ directory, ...limits })
  const hosted = new HostedCache({ cache, replay })
  const close = async (): Promise<void> => {
    await hosted.close()
    replay.close()
  }
  try {
    const at = await hosted.listen(port, flags.host)
    const secure = tls && (await hosted.listenTls(tls, tls.port, flags.host))
    return { ports: { hostedPort: at.port, tlsPort: secure?.port ?? null }, close }
  } catch (error) {
    await close()
    throw error
  }
}

export function sayHosted(output: Output, { ports }: StartedHosted): void {
  output.line(`Hosted cache: blocks and offers of version 2 at port ${ports.hostedPort}`)
  if (ports.tlsPort !== null)
    output.line(`Offers of version 1 at port ${ports.tlsPort}, over HTTPS`)
}

/** What a fetch says about a hosted cache, or undefined. */
export async function hostedOf(flags: HostedFetchFlags): Promise<HostedCacheAddress | undefined> {
  const { hostedCa, hostedCache, hostedOffers, hostedVersion } = flags
  if (hostedCache === undefined) return undefined
  if (hostedVersion !== '1' && hostedVersion !== '2') {
    throw invalid(`no version of hosted caches: ${hostedVersion}`)
  }
  return {
    at: hostedCache,
    version: hostedVersion === '1' ? 1 : 2,
    ...(hostedOffers === undefined ? {} : { offersAt: hostedOffers }),
    ...(hostedCa === undefined ? {} : { ca: await fileOf(hostedCa) }),
  }
}

/** Waits until the hosted cache has taken what it wants, and says so. */
export async function settleOffers(
  offers: HostedOffers,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  await offers.settled(signal)
  const { counters } = offers
  const failed = (counters['drop.hosted-failure'] ?? 0) + (counters['drop.hosted-expired'] ?? 0)
  const offered = counters['received.hosted-ok'] ?? 0
  if (failed > 0) output.problem(`${offers.address.at}: ${failed} offers were not answered`)
  else if (offered > 0) output.line(`Offered to the hosted cache at ${offers.address.at}`)
}

async function tlsOf(
  flags: HostedServeFlags,
): Promise<{ readonly port: number; readonly cert: Buffer; readonly key: Buffer } | undefined> {
  const { tlsCert, tlsKey, tlsPort } = flags
  if (tlsPort === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw invalid('--tls-port wants --tls-cert and --tls-key')
  }
  return { port: portOf(tlsPort), cert: await fileOf(tlsCert), key: await fileOf(tlsKey) }
}

async function fileOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${path}`, { cause })
  }
}

function numberOf(flag: string, name: string): number {
  if (!/^\d{1,7}$/.test(flag) || Number(flag) === 0) throw invalid(`${name} wants a number above 0`)
  return Number(flag)
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
}
