// What the scenarios share: a web server that counts what it sends, and processes full of peers.
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fileTag, peerdist, type Shares } from 'peernet'

interface Put {
  readonly path: string
  readonly bytes: Uint8Array
  readonly etag: string
}

/** A web server behind the middleware; every byte that leaves its sockets counts. */
export class Origin {
  readonly #dist = peerdist({ secret: randomBytes(32), minimumBytes: 1024 })
  readonly #files = new Map<string, Put>()
  readonly #pages = new Map<string, () => string>()
  readonly #sockets = new Set<Socket>()
  readonly #home: string
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy())
  })
  #closed = 0

  constructor(home: string) {
    this.#home = home
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#closed += socket.bytesWritten
      })
    })
  }

  /** Bytes so far: headers, hashes, playlists and content. */
  get sent(): number {
    return [...this.#sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, this.#closed)
  }

  async start(): Promise<string> {
    this.#server.listen(0, '::1')
    await once(this.#server, 'listening')
    return `http://[::1]:${(this.#server.address() as AddressInfo).port}/`
  }

  /** A file to be distributed. */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#home, name)
    await writeFile(path, bytes)
    this.#files.set(name, { path, bytes, etag: fileTag(await stat(path, { bigint: true })) })
  }

  /** A page that changes. */
  page(name: string, text: () => string): void {
    this.#pages.set(name, text)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = (request.url ?? '/').slice(1)
    const page = this.#pages.get(name)
    const file = this.#files.get(name)
    if (page !== undefined) {
      response.setHeader('Cache-Control', 'no-store')
      response.end(page())
    } else if (file === undefined) response.writeHead(404).end()
    else {
      const { bytes, etag, path } = file
      const offered = { path, size: bytes.length, etag, patienceMs: 30_000 }
      // Hashes for those who asked for them; what nobody gave them they ask for by ranges.
      if (await this.#dist.answerFile(request, response, offered)) return
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
      const from = Number(range?.[1] ?? 0)
      const to = Math.min(bytes.length, Number(range?.[2] ?? Infinity) + 1)
      response.setHeader('ETag', etag)
      if (range !== null) {
        response.setHeader('Content-Range', `bytes ${from}-${to - 1}/${bytes.length}`)
      }
      response.writeHead(range === null ? 200 : 206, { 'Content-Length': to - from })
      response.end(bytes.subarray(from, to))
    }
  }
}

/** What a peer is told to do. */
export type Order =
  | { readonly do: 'open'; readonly directory: string }
  | { readonly do: 'fetch'; readonly url: string }
  | { readonly do: 'play'; readonly url: string }

export interface Fetched {
  readonly sha256: string
  readonly milliseconds: number
  readonly shares: Shares
}

export interface Played {
  /** SHA-256 of each piece by its name in the playlist. */
  readonly pieces: Readonly<Record<string, string>>
  readonly stalls: number
  readonly stalledMs: number
  /** From the moment a piece begins to be filmed until it is shown, each. */
  readonly delaysMs: readonly number[]
  readonly shares: Shares
}

/** Where a peer is, as its answer to a probe tells. */
export interface Place {
  readonly at: string
  readonly service: string
}

export interface Answers {
  readonly open: Place
  readonly fetch: Fetched
  readonly play: Played
}

/** A peer that has something of what was sought. */
export interface Found extends Place {
  readonly segments: readonly { readonly id: string; readonly blocks: number }[]
}

/** From a process of peers. `number` names the question that is answered. */
export type FromPeers =
  | { readonly kind: 'done'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly number: number; readonly error: string }
  | {
      readonly kind: 'holds'
      readonly peer: number
      readonly id: string
      readonly blocks: number
    }
  | {
      readonly kind: 'seek'
      readonly number: number
      readonly peer: number
      readonly ids: readonly string[]
    }

export type ToPeers =
  | {
      readonly kind: 'order'
      readonly number: number
      readonly peer: number
      readonly order: Order
    }
  | { readonly kind: 'found'; readonly number: number; readonly found: readonly Found[] }

interface Waiting {
  readonly child: ChildProcess
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * Peers in processes of their own. Content goes over sockets alone. Who has what the peers learn
 * from here, by the questions and answers that multicast carries on a network (MS-PCCRD): one host
 * cannot be counted on to have a network.
 */
export class Crew {
  readonly #children: ChildProcess[]
  readonly #perProcess: number
  readonly #waiting = new Map<number, Waiting>()
  readonly #places = new Map<number, Place>()
  /** Blocks by segment and peer. */
  readonly #holdings = new Map<string, Map<number, number>>()
  #next = 0
  #isOver = false

  constructor(peers: number, perProcess = 1) {
    this.#perProcess = perProcess
    const script = fileURLToPath(new URL('peer.js', import.meta.url))
    this.#children = Array.from({ length: Math.ceil(peers / perProcess) }, () => fork(script))
    for (const child of this.#children) {
      child.on('message', (message: FromPeers) => {
        this.#hear(child, message)
      })
      child.once('exit', () => {
        this.#lose(child)
      })
    }
  }

  /** Opens peer after peer, each with an empty cache below `home`. */
  async open(peers: number, home: string): Promise<void> {
    const opening = Array.from({ length: peers }, async (_, peer) => {
      const directory = join(home, `peer-${peer}`)
      this.#places.set(peer, await this.order(peer, { do: 'open', directory }))
    })
    await Promise.all(opening)
  }

  order<D extends Order['do']>(
    peer: number,
    order: Order & { readonly do: D },
  ): Promise<Answers[D]> {
    const child = this.#children[Math.floor(peer / this.#perProcess)] as ChildProcess
    const number = this.#next++
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { child, resolve, reject })
      if (child.exitCode !== null || child.signalCode !== null) this.#lose(child)
    })
    this.#tell(child, { kind: 'order', number, peer, order })
    return answer as Promise<Answers[D]>
  }

  async close(): Promise<void> {
    this.#isOver = true
    const open = this.#children.filter((one) => one.exitCode === null && one.signalCode === null)
    await Promise.all(
      open.map((child) => {
        const exited = once(child, 'exit')
        child.kill()
        return exited
      }),
    )
  }

  #tell(child: ChildProcess, message: ToPeers): void {
    // Of a process that is gone, 'exit' tells.
    if (!this.#isOver && child.connected) child.send(message, () => undefined)
  }

  #lose(child: ChildProcess): void {
    for (const [number, waiting] of this.#waiting) {
      if (waiting.child !== child) continue
      this.#waiting.delete(number)
      waiting.reject(new Error('a process of peers ended by itself'))
    }
  }

  #hear(child: ChildProcess, message: FromPeers): void {
    if (message.kind === 'holds') {
      const holders = this.#holdings.get(message.id) ?? new Map<number, number>()
      this.#holdings.set(message.id, holders.set(message.peer, message.blocks))
    } else if (message.kind === 'seek') {
      const { ids, number, peer } = message
      this.#tell(child, { kind: 'found', number, found: this.#find(peer, ids) })
    } else {
      const waiting = this.#waiting.get(message.number)
      this.#waiting.delete(message.number)
      if (message.kind === 'done') waiting?.resolve(message.value)
      else waiting?.reject(new Error(message.error))
    }
  }

  /** Others that have some of these segments. */
  #find(seeker: number, ids: readonly string[]): Found[] {
    const found = new Map<number, { id: string; blocks: number }[]>()
    for (const id of ids) {
      for (const [peer, blocks] of this.#holdings.get(id) ?? []) {
        if (peer === seeker || blocks === 0) continue
        const segments = found.get(peer) ?? []
        segments.push({ id, blocks })
        found.set(peer, segments)
      }
    }
    return [...found].flatMap(([peer, segments]) => {
      const place = this.#places.get(peer)
      return place === undefined ? [] : [{ ...place, segments }]
    })
  }
}

/** Numbers and switches of the command line. */
export function optionsOf<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  switches: readonly string[] = [],
): Readonly<Record<Name, number>> & { readonly on: ReadonlySet<string> } {
  const names = Object.keys(defaults) as Name[]
  const options = Object.fromEntries<{ type: 'string' | 'boolean' }>([
    ...names.map((name) => [name, { type: 'string' }] as const),
    ...switches.map((name) => [name, { type: 'boolean' }] as const),
  ])
  const { values } = parseArgs({ options })
  const numbers: Record<Name, number> = { ...defaults }
  for (const name of names) {
    if (values[name] !== undefined) numbers[name] = Number(values[name])
    if (!(numbers[name] >= 0)) throw new Error(`--${name} takes a number`)
  }
  return { ...numbers, on: new Set(switches.filter((name) => values[name] === true)) }
}

/** Lines of a table; the first is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const lines = rows.map((row) => row.map((text, i) => text.padStart(widths[i] ?? 0)).join('  '))
  return lines.join('\n')
}

export const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
