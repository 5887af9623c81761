import { randomFillSync } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BlockMemory } from '../../content/block-memory.js'
import { ANSWER_BYTES, LONG_ANSWER_BYTES, sealing, type PoolWork } from '../../content/blocks.js'
import { blockAt, encodeRetrieval } from '../../content/encode-retrieval.js'
import { normalizedRanges, type Cipher, type IndexRange } from '../../content/retrieval.js'
import {
  blockListAnswer,
  emptyAnswer,
  firstBlock,
  isRetrievalPath,
  judgeRequest,
  nextBlock,
  segmentListAnswer,
  type BlockListRequest,
  type BlockRequest,
  type SegmentListRequest,
  type Verdict,
} from '../../content/retrieval-service.js'
import { checkArgument, PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import type { BlockStore } from '../../storage/block-store.js'
import type { FoundBlock, TakenBlock } from '../../storage/stored-blocks.js'
import type { ReplayStore } from '../../storage/replay-store.js'
import { isOver, readBody, whenOver } from './http-body.js'
import { HEAD_ROOM, PlainRequests, type Asker } from './plain-requests.js'

export interface RetrievalServerOptions {
  readonly cache: BlockStore
  /** Blocks that are given away as they came: of a hosted cache (DA-27). */
  readonly replay?: ReplayStore
  /** 3.2.1: clients served at a time, 1 to 16384; more get empty answers. Default 64. */
  readonly maxClients?: number
  /** 3.2.2: time for one exchange, 100 ms to 1 h. Default 15 s. */
  readonly uploadMs?: number
  /** What blocks are encrypted with (DA-19): 1, 2, 3 are AES-128, 192, 256. Default 1. */
  readonly cipher?: 1 | 2 | 3
  /** DA-22: what is malformed gets status 400 instead of a closed connection. */
  readonly replyToMalformed?: boolean
}

/** Counts since the start; `bytes` are those of answers. */
export interface RetrievalServerStatistics {
  readonly activeClients: number
  readonly requests: number
  readonly blocks: number
  readonly bytes: number
  readonly busy: number
  readonly malformed: number
  readonly timeouts: number
}

/**
 * The server of the retrieval protocol (MS-PCCRR 3.2) over a cache of blocks. `handle` can be
 * mounted on any server of node:http; `listen` opens one of its own.
 */
export class RetrievalServer {
  readonly #cache: BlockStore
  readonly #replay: ReplayStore | undefined
  readonly #maxClients: number
  readonly #uploadMs: number
  readonly #cipher: Cipher
  readonly #replies: boolean
  readonly #counts = { requests: 0, blocks: 0, bytes: 0, busy: 0, malformed: 0, timeouts: 0 }
  readonly #memory = new BlockMemory()
  #active = 0
  readonly #listeners = new Set<(segmentId: Uint8Array) => void>()
  #server: Server | undefined
  #plain: PlainRequests | undefined

  constructor(options: RetrievalServerOptions) {
    this.#cache = options.cache
    this.#replay = options.replay
    this.#maxClients = options.maxClients ?? LIMITS.retrievalClients
    this.#uploadMs = options.uploadMs ?? LIMITS.retrievalUploadMs
    this.#cipher = options.cipher ?? 1
    this.#replies = options.replyToMalformed ?? false
    const isCount =
      Number.isInteger(this.#maxClients) && this.#maxClients >= 1 && this.#maxClients <= 16_384
    checkArgument(isCount, 'maxClients is 1 to 16384')
    const isTime = this.#uploadMs >= 100 && this.#uploadMs <= 3_600_000
    checkArgument(isTime, 'uploadMs is 100 to 3600000')
    checkArgument([1, 2, 3].includes(this.#cipher), 'cipher is 1, 2 or 3')
  }

  statistics(): RetrievalServerStatistics {
    return { activeClients: this.#active, ...this.#counts }
  }

  /** Throws ERR_PEERNET_PORT_IN_USE, ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM. */
  async listen(port = 0, host = '::'): Promise<AddressInfo> {
    const options = { connectionsCheckingInterval: checkingMs(this.#uploadMs) }
    const server = createServer(options, (request, response) => {
      if (!this.handle(request, response)) reply(response, 404)
    })
    server.maxConnections = LIMITS.retrievalConnections
    server.requestTimeout = this.#uploadMs
    server.headersTimeout = this.#uploadMs
    await listening(server, port, host)
    this.#server = server
    this.#plain = new PlainRequests(server, {
      exchangeMs: this.#uploadMs,
      serve: (asker, body) => {
        this.#counts.requests += 1
        this.#exchange(asker, body).catch(() => {
          asker.drop()
        })
      },
      onTimeout: () => {
        this.#counts.timeouts += 1
      },
    })
    return server.address() as AddressInfo
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    this.#plain?.close()
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }

  /** Calls back with the segment of each request for blocks; returns what ends that. */
  watch(listener: (segmentId: Uint8Array) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Takes the request if it is for the path of the protocol; false: it is somebody else's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    if (!isRetrievalPath(request.url ?? '')) return false
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST')
      reply(response, 405)
      return true
    }
    this.#counts.requests += 1
    this.#take(request, response).catch(() => {
      response.destroy()
    })
    return true
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const timer = setTimeout(() => {
      this.#counts.timeouts += 1
      response.destroy()
    }, this.#uploadMs)
    const asker = new HttpAsker(request, response, () => {
      clearTimeout(timer)
    })
    await this.#exchange(asker, await readBody(request, LIMITS.retrievalRequestBytes))
  }

  async #exchange(asker: Asker, body: Uint8Array | undefined): Promise<void> {
    const isBusy = this.#active >= this.#maxClients
    const verdict: Verdict = body === undefined ? { kind: 'drop' } : judgeRequest(body, isBusy)
    if (verdict.kind === 'drop') {
      this.#counts.malformed += 1
      if (this.#replies) asker.refuse()
      else asker.drop()
      return
    }
    if (verdict.kind === 'answer') {
      if (isBusy) this.#counts.busy += 1
      this.#send(asker, verdict.bytes)
      return
    }
    if (asker.isGone) return
    // The client counts until its answer has left or its connection is gone, and no work for it is
    // left: who asks and goes away again and again gets no more of us than others.
    this.#active += 1
    let left = 2
    const end = (): void => {
      left -= 1
      if (left === 0) this.#active -= 1
    }
    asker.onEnd(end)
    try {
      await this.#serve(verdict.request, asker, end)
    } finally {
      end()
    }
  }

  /** `end`: to be called when the answer has left or never will. */
  async #serve(
    request: (Verdict & { kind: 'serve' })['request'],
    asker: Asker,
    end: () => void,
  ): Promise<void> {
    if (request.type !== 'getseglist') {
      for (const listener of this.#listeners) listener(request.segmentId)
    }
    if (request.type === 'getblks') await this.#sendBlock(request, asker, end)
    else this.#send(asker, await this.#list(request, asker))
  }

  async #list(request: BlockListRequest | SegmentListRequest, asker: Asker): Promise<Uint8Array> {
    switch (request.type) {
      case 'getblklist':
        return blockListAnswer(request, await this.#held(request.segmentId))
      case 'getseglist': {
        const isHeld: boolean[] = []
        for (const id of request.segmentIds) {
          if (asker.isGone) break
          isHeld.push((await this.#held(id)).length > 0)
        }
        return segmentListAnswer(request, isHeld)
      }
    }
  }

  async #held(segmentId: Uint8Array): Promise<readonly IndexRange[]> {
    const verified = (await this.#cache.held(segmentId))?.blocks ?? []
    const replayed = this.#replay?.held(segmentId)?.blocks
    return replayed === undefined ? verified : normalizedRanges([...verified, ...replayed])
  }

  async #replayed(segmentId: Uint8Array, blockIndex: number): Promise<Uint8Array | undefined> {
    const sealed = await this.#replay?.read(segmentId, blockIndex)
    if (sealed === undefined) return undefined
    const next = nextBlock(await this.#held(segmentId), blockIndex)
    return encodeRetrieval({ type: 'blk', segmentId, blockIndex, nextBlock: next, ...sealed })
  }

  /** The block goes from its file to the socket through memory that is used again and again. */
  async #sendBlock(request: BlockRequest, asker: Asker, end: () => void): Promise<void> {
    const blockIndex = firstBlock(request.ranges)
    // A first block may be a whole segment of version 2.
    const most = blockIndex === 0 ? LONG_ANSWER_BYTES : ANSWER_BYTES
    const memory = this.#memory.take(HEAD_ROOM + most)
    const sent = await this.#answer(request.segmentId, blockIndex, memory.subarray(HEAD_ROOM))
    if (sent !== undefined) this.#counts.blocks += 1
    asker.onEnd((hasLeft) => {
      end()
      if (hasLeft) this.#memory.giveBack(memory)
    })
    const isThere = sent?.buffer === memory.buffer
    this.#send(asker, sent ?? emptyAnswer(request), isThere ? memory : undefined)
  }

  async #answer(
    segmentId: Uint8Array,
    blockIndex: number,
    memory: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const seal = (
      found: FoundBlock | TakenBlock,
    ): { readonly work: PoolWork; readonly value: Uint8Array } => {
      const { hash, length, nextBlock: next, place, scheme, secret } = found
      const iv = freshVector()
      const fields = { segmentId, blockIndex, nextBlock: next, cipher: this.#cipher, iv }
      const options = { check: { scheme, hash }, memory }
      const { bytes, work } = sealing({ type: 'blk', ...fields }, secret, place, length, options)
      return { work, value: bytes }
    }
    const room = memory.subarray(blockAt(segmentId))
    const whole = blockIndex === 0 ? await this.#cache.take(segmentId, room) : undefined
    if (whole !== undefined) {
      const { work, value } = seal(whole)
      if (await runOnPool(work)) return value
    }
    const answer = await this.#cache.use(segmentId, blockIndex, seal)
    return answer ?? (await this.#replayed(segmentId, blockIndex))
  }

  #send(asker: Asker, bytes: Uint8Array, memory?: Uint8Array): void {
    if (asker.isGone) return
    this.#counts.bytes += bytes.length
    asker.send(bytes, memory)
  }
}

/** A request that came through a server of node:http. */
class HttpAsker implements Asker {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #listener: ((hasLeft: boolean) => void) | undefined

  constructor(request: IncomingMessage, response: ServerResponse, onOver: () => void) {
    this.#request = request
    this.#response = response
    void whenOver(request, response).then(() => {
      onOver()
      this.#listener?.(response.writableFinished)
    })
  }

  get isGone(): boolean {
    return isOver(this.#request, this.#response)
  }

  onEnd(listener: (hasLeft: boolean) => void): void {
    this.#listener = listener
  }

  send(message: Uint8Array): void {
    this.#response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': message.length,
    })
    this.#response.end(message)
  }

  refuse(): void {
    reply(this.#response, 400)
  }

  drop(): void {
    this.#response.destroy()
  }
}

/** An answer without body. */
export function reply(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 })
  response.end()
}

/** How often connections are looked at that may be too slow: by default only every 30 s. */
export const checkingMs = (most: number): number => Math.min(5000, Math.ceil(most / 4))

/** Resolves when the server listens; its failures as errors of ours. */
export function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error & { code?: string }): void => {
      const where = `TCP port ${port} of ${host}`
      if (cause.code === 'EADDRINUSE') {
        reject(new PeernetError('ERR_PEERNET_PORT_IN_USE', `${where} is taken`, { cause }))
      } else if (cause.code === 'EACCES') {
        reject(new PeernetError('ERR_PEERNET_PERMISSION', `${where} is refused`, { cause }))
      } else {
        reject(new PeernetError('ERR_PEERNET_SYSTEM', `cannot listen on ${where}`, { cause }))
      }
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.removeListener('error', fail)
      resolve()
    })
  })
}

/** 5.1: unpredictable, each used once; drawn many at a time, which costs a fifth. */
const vectors = new Uint8Array(16 * 256)
let usedVectors = vectors.length

function freshVector(): Uint8Array {
  if (usedVectors === vectors.length) {
    randomFillSync(vectors)
    usedVectors = 0
  }
  usedVectors += 16
  return vectors.slice(usedVectors - 16, usedVectors)
}
