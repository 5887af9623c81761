// Runs in a host of the hub: an origin, or a peer that fetches and serves, as told on its input.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BlockStore,
  createContentPeer,
  HostedCache,
  peerdist,
  ReplayStore,
  runOnPool,
  type ContentPeer,
  type FetchedContent,
  type HostedCacheAddress,
} from '#lib/index.js'
import { StaticFiles } from '#lib/runtime/content/static-files.js'
import { sampleContent } from '../helpers/content-checker.js'

export interface ContentCommand {
  readonly do: 'origin' | 'sent' | 'peer' | 'publish' | 'begin' | 'finish' | 'hosted' | 'settle'
  readonly tag?: string
  /** Of the origin's content. */
  readonly bytes?: number
  /** The origin gives hashes, and bytes to nobody. */
  readonly hashesOnly?: boolean
  readonly version?: 1 | 2
  readonly algorithm?: 'sha256' | 'sha384' | 'sha512'
  readonly cipher?: 1 | 2 | 3
  readonly url?: string
  /** Of a peer, instead of discovery. */
  readonly hostedCache?: HostedCacheAddress
  /** Of a hosted cache: PEM. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface ContentReport {
  readonly tag?: string
  readonly port?: number
  readonly tlsPort?: number
  readonly sent?: number
  readonly sha256?: string
  readonly shares?: { readonly cache: number; readonly peers: number; readonly origin: number }
  /** Whom blocks came from. */
  readonly from?: readonly string[]
}

const say = (line: ContentReport): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const home = mkdtempSync(path.join(tmpdir(), 'peernet-host-'))
process.once('exit', () => {
  rmSync(home, { recursive: true, force: true })
})

let made = 0
let sent = (): number => 0
let peer: ContentPeer | undefined
let hosted: HostedCache | undefined
let got: FetchedContent | undefined
let reader: AsyncIterator<Uint8Array> | undefined
let hash = createHash('sha256')

async function startOrigin(command: ContentCommand): Promise<ContentReport> {
  const { algorithm = 'sha256', bytes = 0, hashesOnly = false, version = 1 } = command
  const root = path.join(home, `root-${++made}`)
  mkdirSync(root)
  writeFileSync(path.join(root, 'file'), sampleContent(bytes))
  const secret = new Uint8Array(32).fill(bytes % 251)
  const files = await StaticFiles.of(root, peerdist({ secret, version, algorithm }))
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    if (hashesOnly && request.headers.range !== undefined) {
      response.writeHead(503).end()
      return
    }
    files.handle(request, response).catch(() => response.destroy())
  })
  server.on('connection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '::', resolve))
  sent = () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
  return { port: (server.address() as AddressInfo).port }
}

/** A peer with an empty cache, in place of the one before. */
async function startPeer(command: ContentCommand): Promise<ContentReport> {
  const { cipher = 1, hostedCache } = command
  await peer?.close()
  const cache = path.join(home, `cache-${++made}`)
  const found = hostedCache === undefined ? { discovery: { requestMs: 500 } } : { hostedCache }
  peer = await createContentPeer({ cache, ...found, server: { cipher } })
  return { port: peer.port }
}

/** The peer serves what the origin has, without having asked for it. */
async function publish({ bytes = 0 }: ContentCommand): Promise<ContentReport> {
  const file = path.join(home, `file-${++made}`)
  writeFileSync(file, sampleContent(bytes))
  await peer?.publish(file, { secret: new Uint8Array(32).fill(bytes % 251) })
  return {}
}

async function startHosted({ tls }: ContentCommand): Promise<ContentReport> {
  await hosted?.close()
  const place = path.join(home, `hosted-${++made}`)
  const cache = new BlockStore({ directory: path.join(place, 'blocks'), run: runOnPool })
  const replay = await ReplayStore.open({ directory: path.join(place, 'replay') })
  hosted = new HostedCache({ cache, replay })
  const { port } = await hosted.listen()
  const secure = tls && (await hosted.listenTls(tls))
  return { port, ...(secure === undefined ? {} : { tlsPort: secure.port }) }
}

/** Of a peer: all offers are answered. Of a hosted cache: it has all that was offered. */
async function settle(): Promise<ContentReport> {
  await peer?.offers?.settled()
  while ((hosted?.statistics().pulling ?? 0) > 0) await delay(10)
  return {}
}

/** Fetches up to the first bytes. */
async function begin({ url = '', version = 2 }: ContentCommand): Promise<ContentReport> {
  if (peer === undefined) throw new Error('there is no peer')
  hash = createHash('sha256')
  got = await peer.fetch(url, { version })
  reader = got[Symbol.asyncIterator]()
  const first = await reader.next()
  if (first.done !== true) hash.update(first.value)
  return {}
}

async function finish(): Promise<ContentReport> {
  for (let next = await reader?.next(); next?.done === false; next = await reader?.next()) {
    hash.update(next.value)
  }
  const from = new Set(got?.trace.map((one) => one.peer ?? one.from))
  const shares = got?.shares ?? { cache: 0, peers: 0, origin: 0 }
  return { sha256: hash.digest('hex'), shares: { ...shares }, from: [...from].sort() }
}

function obey(command: ContentCommand): Promise<ContentReport> {
  switch (command.do) {
    case 'origin':
      return startOrigin(command)
    case 'peer':
      return startPeer(command)
    case 'publish':
      return publish(command)
    case 'begin':
      return begin(command)
    case 'finish':
      return finish()
    case 'hosted':
      return startHosted(command)
    case 'settle':
      return settle()
    case 'sent':
      return Promise.resolve({ sent: sent() })
  }
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    const command = JSON.parse(text) as ContentCommand
    const tag = command.tag === undefined ? {} : { tag: command.tag }
    void obey(command).then((report) => {
      say({ ...report, ...tag })
    })
  })
  .on('close', () => {
    process.exit(0)
  })
