import { checking } from '../../content/blocks.js'
import type { ContentInfo } from '../../content/content-info.js'
import type { IndexRange } from '../../content/retrieval.js'
import { concatBytes, toHex } from '../../core/bytes.js'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import type { BlockStore } from '../../storage/block-store.js'
import { BlockPlan, type Attempt, type WantedBlock } from './block-plan.js'
import { DownloadPeers, type FindPeers, type Peer, type WantedSegment } from './download-peers.js'
import { getRange, unavailable } from './origin.js'
import type { PeerFailure, RetrievalClient } from './retrieval-client.js'

/** Where a block came from, and who failed before. */
export interface BlockTrace {
  readonly segment: number
  readonly block: number
  /** In the content. */
  readonly offset: number
  readonly length: number
  readonly from: 'cache' | 'peer' | 'origin'
  /** `host:port`. */
  readonly peer: string | undefined
  readonly failed: readonly Attempt[]
}

export interface DownloadOptions {
  readonly info: ContentInfo
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Length of the whole content, where known. */
  readonly total: number | undefined
  readonly client: RetrievalClient
  readonly cache: BlockStore | undefined
  readonly peers: readonly string[]
  /** More peers as they are found; the end of its first round lets the origin be asked. */
  readonly findPeers: FindPeers | undefined
  readonly signal: AbortSignal
  readonly onBlock: (trace: BlockTrace) => void
}

const includes = (ranges: readonly IndexRange[], block: number): boolean =>
  ranges.some(({ index, count }) => block >= index && block < index + count)

/**
 * Gets the blocks of content information from the cache, from several peers at once and, range by
 * range, from the origin; hands them out in order, each verified.
 */
export class Download {
  readonly #options: DownloadOptions
  readonly #plan: BlockPlan
  readonly #peers = new DownloadPeers()
  readonly #abort = new AbortController()
  /** The first round of a search is not over. */
  #isSearching = false
  /** Others may still be found. */
  #isLooking = false
  #originRequests = 0
  #isOriginDown = false
  #isOriginChanged = false
  #lastGain = Date.now()
  #error: PeernetError | undefined
  #wake: () => void = () => undefined
  #again: NodeJS.Timeout | undefined

  constructor(options: DownloadOptions) {
    this.#options = options
    this.#plan = new BlockPlan(options.info)
    for (const name of options.peers) this.#peers.add(name)
  }

  /** The bytes of the range in order. Rejects with ERR_PEERNET_CONTENT_CHANGED, …_UNAVAILABLE. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const { signal } = this.#options
    const stop = (): void => {
      this.#fail(aborted(signal))
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const { findPeers } = this.#options
    if (findPeers !== undefined) void this.#search(findPeers)
    try {
      for (const one of this.#plan.blocks) {
        this.#pump()
        while (one.state !== 'done' && this.#error === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
        if (this.#error !== undefined) throw this.#error
        const bytes = (one.bytes as Uint8Array).subarray(one.from, one.to)
        one.bytes = undefined
        this.#plan.head += 1
        yield bytes
        // A slow reader is no stalled download.
        this.#lastGain = Date.now()
      }
    } finally {
      signal.removeEventListener('abort', stop)
      clearTimeout(this.#again)
      this.#abort.abort()
    }
  }

  async #search(findPeers: FindPeers): Promise<void> {
    const { info } = this.#options
    this.#isSearching = this.#isLooking = true
    const timer = setTimeout(() => {
      this.#searched()
    }, LIMITS.fetchDiscoveryMs)
    const search = {
      version: info.version,
      signal: this.#abort.signal,
      wanted: () => this.#wanted(),
      roundOver: (asked: readonly Uint8Array[]) => {
        this.#peers.roundOver(asked.map(toHex))
        this.#searched()
      },
    }
    try {
      const ids = info.segments.map(({ id }) => id)
      for await (const offer of findPeers(ids, search)) {
        if (this.#abort.signal.aborted) break
        const found = this.#peers.add(offer)
        if (found !== undefined) this.#heard(found.peer, found.news)
        this.#pump()
      }
    } catch {
      // Without discovery there is still the origin.
    } finally {
      clearTimeout(timer)
      this.#isLooking = false
      this.#searched()
    }
  }

  #searched(): void {
    this.#isSearching = false
    this.#pump()
  }

  /** What a peer lacked before, it may have now. */
  #heard(peer: Peer, news: readonly string[]): void {
    if (news.length === 0) return
    const keys = new Set(news)
    for (const one of this.#plan.window()) {
      if (keys.has(toHex(one.segment.id))) one.failedPeers.delete(peer.name)
    }
  }

  #wanted(): WantedSegment[] {
    return this.#plan.wantedSegments(LIMITS.fetchSearchSegments).map(({ id, blockCount }) => ({
      ...{ id, blocks: blockCount, peers: this.#peers.claiming(toHex(id)) },
    }))
  }

  #fail(error: PeernetError): void {
    this.#error ??= error
    this.#abort.abort()
    this.#wake()
  }

  /** Gives everybody something to do. */
  #pump(): void {
    if (this.#abort.signal.aborted) return
    const forOrigin: WantedBlock[] = []
    for (const one of this.#plan.window()) {
      if (one.state !== 'waiting') continue
      if (!one.isLookedUp && this.#options.cache !== undefined) void this.#lookUp(one)
      else if (!this.#askPeer(one)) forOrigin.push(one)
    }
    if (forOrigin.length > 0) this.#askOrigin(forOrigin)
  }

  async #lookUp(one: WantedBlock): Promise<void> {
    one.isLookedUp = true
    one.state = 'busy'
    const hash = one.segment.blockHash(one.block)
    const found = await this.#options.cache
      ?.read(one.segment.id, one.block, hash)
      .catch(() => undefined)
    if (found !== undefined && hash !== undefined) {
      this.#gained(one, found.bytes, 'cache')
      return
    }
    one.state = 'waiting'
    this.#pump()
  }

  /** False when no peer will have the block, as far as is known. */
  #askPeer(one: WantedBlock): boolean {
    if (one.segment.blockHash(one.block) === undefined) return false
    let isHoped = this.#isSearching
    let best: Peer | undefined
    for (const peer of this.#peers) {
      if (one.failedPeers.has(peer.name)) continue
      const known = this.#known(peer, one)
      if (known === false) continue
      isHoped = true
      if (known === undefined || peer.inFlight >= LIMITS.retrievalPerPeer) continue
      if (best === undefined || peer.inFlight < best.inFlight) best = peer
    }
    if (best !== undefined) void this.#fetch(best, one)
    return isHoped
  }

  /** Whether the peer has the block; undefined while it is being asked. */
  #known(peer: Peer, one: WantedBlock): boolean | undefined {
    const key = toHex(one.segment.id)
    if (peer.claims.get(key) === 0) return false
    if (!this.#plan.wantsList(one)) return true
    const list = peer.lists.get(key)
    if (list === 'asking') return undefined
    if (list !== undefined) return includes(list, one.block)
    peer.lists.set(key, 'asking')
    void this.#askList(peer, one, key)
    return undefined
  }

  async #askList(peer: Peer, one: WantedBlock, key: string): Promise<void> {
    const { client } = this.#options
    const range = this.#plan.rangeAround(one) as IndexRange
    peer.inFlight += 1
    const answer = await client.blockList(peer.name, one.segment, [range], this.#abort.signal)
    peer.inFlight -= 1
    peer.lists.set(key, answer.ok ? answer.value : [])
    if (!answer.ok) this.#blame(peer, answer.failure)
    this.#pump()
  }

  async #fetch(peer: Peer, one: WantedBlock): Promise<void> {
    one.state = 'busy'
    peer.inFlight += 1
    const { client } = this.#options
    const answer = await client.block(peer.name, one.segment, one.block, this.#abort.signal)
    peer.inFlight -= 1
    if (answer.ok) {
      peer.failures = 0
      await this.#store(one, answer.value)
      this.#gained(one, answer.value, 'peer', peer.name)
      return
    }
    one.state = 'waiting'
    one.failedPeers.add(peer.name)
    note(one, { from: peer.name, failure: answer.failure })
    this.#blame(peer, answer.failure)
    this.#pump()
  }

  /** A peer that lies is asked no more; others may fail a few times. */
  #blame(peer: Peer, failure: PeerFailure): void {
    if (failure === 'aborted' || failure === 'absent') return
    peer.failures += 1
    const isLie = failure === 'wrong-hash' || failure === 'version' || failure === 'unsolicited'
    if (isLie || peer.failures >= LIMITS.fetchPeerFailures) this.#peers.drop(peer)
  }

  #askOrigin(blocks: readonly WantedBlock[]): void {
    if (this.#isOriginDown || this.#isOriginChanged) {
      this.#tryAgain()
      return
    }
    const [...left] = blocks
    while (this.#originRequests < LIMITS.fetchOriginRequests) {
      const run: WantedBlock[] = []
      let bytes = 0
      for (;;) {
        const [next] = left
        const last = run.at(-1)
        const follows = last === undefined || next?.offset === last.offset + last.length
        if (next === undefined || !follows || bytes >= LIMITS.fetchOriginBytes) break
        bytes += next.length
        run.push(next)
        left.shift()
      }
      if (run.length === 0) return
      void this.#fetchRange(run)
    }
  }

  async #fetchRange(run: readonly WantedBlock[]): Promise<void> {
    for (const one of run) one.state = 'busy'
    this.#originRequests += 1
    const { url, headers, total } = this.#options
    const [first, last] = [run[0] as WantedBlock, run.at(-1) as WantedBlock]
    // Blocks without a listed hash cannot be verified: they are never taken.
    const range = { start: first.offset, end: last.offset + last.length, total }
    const answer = await getRange(url, range, { headers, signal: this.#abort.signal })
    if (answer.kind === 'changed') this.#isOriginChanged = true
    if (answer.kind === 'gone') this.#isOriginDown = true
    if (answer.kind === 'bytes') await this.#takeRange(run, answer.bytes)
    this.#originRequests -= 1
    for (const one of run) {
      if (one.state !== 'busy') continue
      one.state = 'waiting'
      note(one, { from: 'origin', failure: this.#isOriginChanged ? 'changed' : 'unreachable' })
    }
    this.#pump()
  }

  async #takeRange(run: readonly WantedBlock[], bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let parts: Uint8Array[] = []
    let kept = 0
    let at = 0
    try {
      for await (let part of bytes) {
        while (part.length > 0) {
          const one = run[at] as WantedBlock
          const taken = part.subarray(0, one.length - kept)
          parts.push(taken)
          kept += taken.length
          part = part.subarray(taken.length)
          if (kept < one.length) continue
          if (!(await this.#verify(one, concatBytes(...parts)))) {
            this.#isOriginChanged = true
            return
          }
          parts = []
          kept = 0
          at += 1
        }
      }
    } catch {
      // The rest is asked for again.
    }
    if (at === 0) this.#isOriginDown = true
  }

  async #verify(one: WantedBlock, bytes: Uint8Array): Promise<boolean> {
    const hash = one.segment.blockHash(one.block)
    if (hash === undefined) return false
    const { block, work } = checking(one.segment.scheme, bytes, hash)
    if (!(await runOnPool(work))) return false
    await this.#store(one, block)
    this.#gained(one, block, 'origin')
    return true
  }

  async #store({ segment, block }: WantedBlock, bytes: Uint8Array): Promise<void> {
    await this.#options.cache?.put(segment, block, bytes).catch(() => false)
  }

  #gained(one: WantedBlock, bytes: Uint8Array, from: BlockTrace['from'], peer?: string): void {
    one.bytes = bytes
    one.state = 'done'
    this.#lastGain = Date.now()
    const { segment, block, offset, length, attempts } = one
    const place = { segment: segment.index, block, offset, length }
    this.#options.onBlock({ ...place, from, peer, failed: attempts })
    this.#wake()
    this.#pump()
  }

  /** Nobody has what is wanted now: later, peers may have more and the origin may be back. */
  #tryAgain(): void {
    const isOver = Date.now() - this.#lastGain > LIMITS.fetchStallMs
    if ((this.#peers.size === 0 && !this.#isLooking) || isOver) {
      if (this.#isAnythingUnderWay() && !isOver) return
      this.#fail(this.#isOriginChanged ? changed(this.#options.url) : lost(this.#options.url))
      return
    }
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      this.#isOriginDown = false
      for (const { claims, lists } of this.#peers) {
        claims.clear()
        lists.clear()
      }
      for (const one of this.#plan.window()) one.failedPeers.clear()
      this.#pump()
    }, LIMITS.fetchAskAgainMs)
  }

  #isAnythingUnderWay(): boolean {
    return [...this.#plan.window()].some(({ state }) => state === 'busy')
  }
}

/** Of a block that everybody refuses for long only the last failures are kept. */
function note(one: WantedBlock, attempt: Attempt): void {
  one.attempts.push(attempt)
  if (one.attempts.length > LIMITS.fetchPeers) one.attempts.shift()
}

function aborted(signal: AbortSignal): PeernetError {
  const options = { cause: signal.reason as unknown }
  return new PeernetError('ERR_PEERNET_ABORTED', 'the download was aborted', options)
}

function changed(url: URL): PeernetError {
  const what = `${url.href} is not what its content information says: it changed meanwhile`
  return new PeernetError('ERR_PEERNET_CONTENT_CHANGED', what)
}

function lost(url: URL): PeernetError {
  return unavailable(`neither peers nor ${url.host} give the rest of ${url.href}`)
}
