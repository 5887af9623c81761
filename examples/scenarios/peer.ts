// A process of a scenario: some peers, each with a cache and a server of its own.
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BlockStore,
  fetchContent,
  RetrievalServer,
  runOnPool,
  type FetchedContent,
  type PeerOffer,
  type PeerSearch,
  type Shares,
} from 'peernet'
import type { Fetched, Found, FromPeers, Order, Place, Played, ToPeers } from './support.js'

/** The longest that an answer to a probe takes (MS-PCCRD 3.2.2), in milliseconds. */
const ANSWER_MS = 65
/** Pieces that a player has before it begins, as RFC 8216 6.3.3 recommends. */
const FIRST_PIECES = 3
/** Spectators come in over the first seconds of a stream, not in step. */
const COMING_MS = 3000

const tell = (message: FromPeers): void => {
  if (process.connected) process.send?.(message)
}

const seeking = new Map<number, (found: readonly Found[]) => void>()
let searches = 0

class Peer {
  readonly #number: number
  readonly #cache: BlockStore
  readonly #server: RetrievalServer
  readonly #service: string

  constructor(number: number, directory: string) {
    this.#number = number
    this.#service = `peer-${number}`
    this.#cache = new BlockStore({ directory, run: runOnPool })
    this.#cache.watch(({ blocks, id }) => {
      tell({ kind: 'holds', peer: number, id: Buffer.from(id).toString('hex'), blocks })
    })
    this.#server = new RetrievalServer({ cache: this.#cache })
  }

  async listen(): Promise<Place> {
    const { port } = await this.#server.listen(0, '::1')
    return { at: `[::1]:${port}`, service: this.#service }
  }

  async fetch(url: string): Promise<Fetched> {
    const start = performance.now()
    const got = await this.#get(url)
    const sha256 = await hashed(got)
    return { sha256, milliseconds: performance.now() - start, shares: { ...got.shares } }
  }

  /** Plays what a playlist names (RFC 8216) while it grows, until its end. */
  async play(url: string): Promise<Played> {
    await delay(Math.random() * COMING_MS)
    const screen = new Screen()
    const pieces: Record<string, string> = {}
    const shares = { cache: 0, peers: 0, origin: 0 }
    for (let next = 0; ;) {
      const askedAt = Date.now()
      const list = playlistIn(await (await fetch(url)).text())
      const isNew = list.pieces.length > next
      for (; next < list.pieces.length; next++) {
        const { filmedAt, name } = list.pieces[next] as Piece
        const got = await this.#get(new URL(name, url).href)
        pieces[name] = await hashed(got)
        add(shares, got.shares)
        screen.arrived(Date.now(), filmedAt, list.pieceMs)
      }
      if (list.isOver) break
      // RFC 8216 6.3.4
      const pause = isNew ? list.pieceMs : list.pieceMs / 2
      await delay(Math.max(1, askedAt + pause - Date.now()))
    }
    const { delaysMs, stalledMs, stalls } = screen
    return { pieces, shares, delaysMs, stalledMs, stalls }
  }

  #get(url: string): Promise<FetchedContent> {
    return fetchContent(url, {
      cache: this.#cache,
      findPeers: (_ids, search) => this.#find(search),
      server: {
        service: this.#service,
        watch: (listener) => this.#server.watch(listener),
      },
    })
  }

  async *#find(search: PeerSearch): AsyncGenerator<PeerOffer> {
    while (!search.signal.aborted) {
      const ids = search.wanted().map(({ id }) => id)
      if (ids.length > 0) yield* await this.#seek(ids)
      search.roundOver(ids)
      try {
        await search.again()
      } catch {
        return
      }
    }
  }

  async #seek(ids: readonly Uint8Array[]): Promise<PeerOffer[]> {
    await delay(Math.random() * ANSWER_MS)
    const number = searches++
    const answer = new Promise<readonly Found[]>((resolve) => {
      seeking.set(number, resolve)
    })
    const texts = ids.map((id) => Buffer.from(id).toString('hex'))
    tell({ kind: 'seek', number, peer: this.#number, ids: texts })
    return (await answer).map(({ at, segments, service }) => ({
      ...{ at, service },
      segments: segments.map(({ blocks, id }) => ({ id: Buffer.from(id, 'hex'), blocks })),
    }))
  }
}

async function hashed(content: FetchedContent): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of content) hash.update(bytes)
  return hash.digest('hex')
}

function add(sum: Shares, more: Readonly<Shares>): void {
  sum.cache += more.cache
  sum.peers += more.peers
  sum.origin += more.origin
}

/** What a player shows when: piece by piece without a pause, once it has begun. */
class Screen {
  stalls = 0
  stalledMs = 0
  readonly delaysMs: number[] = []
  readonly #filmed: number[] = []
  #startedAt = 0

  arrived(now: number, filmedAt: number, pieceMs: number): void {
    const index = this.#filmed.push(filmedAt) - 1
    if (index < FIRST_PIECES) {
      this.#startedAt = now
      if (index < FIRST_PIECES - 1) return
      for (const [i, at] of this.#filmed.entries()) this.delaysMs.push(now + i * pieceMs - at)
      return
    }
    const late = now - (this.#startedAt + index * pieceMs)
    if (late > 0) {
      this.stalls += 1
      this.stalledMs += late
      this.#startedAt += late
    }
    this.delaysMs.push(this.#startedAt + index * pieceMs - filmedAt)
  }
}

interface Piece {
  readonly name: string
  /** When its first byte was made, in milliseconds since 1970. */
  readonly filmedAt: number
}

function playlistIn(text: string): {
  readonly pieces: readonly Piece[]
  readonly pieceMs: number
  readonly isOver: boolean
} {
  const pieces: Piece[] = []
  let filmedAt = 0
  for (const line of text.split('\n')) {
    const date = /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/.exec(line)?.[1]
    if (date !== undefined) filmedAt = Date.parse(date)
    else if (line !== '' && !line.startsWith('#')) pieces.push({ name: line, filmedAt })
  }
  const seconds = Number(/^#EXT-X-TARGETDURATION:(\d+)$/m.exec(text)?.[1] ?? 1)
  return { pieces, pieceMs: seconds * 1000, isOver: text.includes('#EXT-X-ENDLIST') }
}

const peers = new Map<number, Peer>()

async function obey(number: number, order: Order): Promise<Place | Fetched | Played> {
  if (order.do === 'open') {
    const peer = new Peer(number, order.directory)
    peers.set(number, peer)
    return peer.listen()
  }
  const peer = peers.get(number)
  if (peer === undefined) throw new Error(`peer ${number} is not here`)
  return order.do === 'fetch' ? peer.fetch(order.url) : peer.play(order.url)
}

process.on('message', (message: ToPeers) => {
  const { number } = message
  if (message.kind === 'found') {
    seeking.get(number)?.(message.found)
    seeking.delete(number)
    return
  }
  obey(message.peer, message.order).then(
    (value) => {
      tell({ kind: 'done', number, value })
    },
    (error: unknown) => {
      tell({ kind: 'failed', number, error: String(error) })
    },
  )
})
process.once('disconnect', () => process.exit(0))
