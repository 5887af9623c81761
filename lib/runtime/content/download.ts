import type { FileHandle } from 'node:fs/promises'
import { checking, type BlockTarget } from '../../content/blocks.js'
import type { ContentInfo, ContentSegment } from '../../content/content-info.js'
import { PeernetError } from '../../core/errors.js'
import { uninitializedBytes } from '../../core/bytes.js'
import { NEVER } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import { SystemRng } from '../../io/system-rng.js'
import type { BlockStore } from '../../storage/block-store.js'
import { BlockPlan, type Attempt, type Outlook, type Step, type WantedBlock } from './block-plan.js'
import type { FindPeers, OwnServer, PeerOffer } from './download-peers.js'
import { getRange, unavailable } from './origin.js'
import type { RetrievalClient } from './retrieval-client.js'
import { writeAt } from './save-bytes.js'

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
  readonly peers: readonly (string | PeerOffer)[]
  /** More peers as they are found; the end of its first round lets the origin be asked. */
  readonly findPeers: FindPeers | undefined
  readonly server: OwnServer | undefined
  readonly signal: AbortSignal
  readonly onBlock: (trace: BlockTrace) => void
  /** A block is in the cache now; `from`: `host:port`, or 'origin'. */
  readonly onStored?: (segment: ContentSegment, from: string) => void
}

/**
 * Gets the blocks of content information from the cache, from several peers at once and, range by
 * range, from the origin; hands them out in order, each verified. Whom it asks for what the plan
 * decides (block-plan.ts).
 */
export class Download {
  readonly #options: DownloadOptions
  readonly #plan: BlockPlan
  /** Verified blocks that wait for the reader. */
  readonly #ready = new Map<WantedBlock, Uint8Array>()
  readonly #abort = new AbortController()
  /** Work that has to end before the download does. */
  readonly #busy = new Set<Promise<unknown>>()
  /** Where the blocks go, instead of waiting for the reader. */
  #file: FileHandle | undefined
  #storingBytes = 0
  #error: Error | undefined
  /** What the reader waits for. */
  #wanted: WantedBlock | undefined
  #wake: () => void = () => undefined
  #again: NodeJS.Timeout | undefined
  #wakeAt = NEVER
  #isPumping = false
  /** Searches that wait for their next round. */
  readonly #searches = new Set<() => void>()

  constructor(options: DownloadOptions) {
    this.#options = options
    const hasCache = options.cache !== undefined
    const canSearch = options.findPeers !== undefined
    // Without discovery nobody knows this peer by a name: then it draws its share by lot.
    const self = options.server?.service || undefined
    const own = { self, rng: new SystemRng() }
    this.#plan = new BlockPlan(this.#now(), options.info, { hasCache, canSearch, ...own })
    for (const name of options.peers) this.#plan.addPeer(this.#now(), name)
  }

  /**
   * The bytes of the range in order; do not change them. At the end the cache has all of it.
   * Rejects with ERR_PEERNET_CONTENT_CHANGED, …_UNAVAILABLE.
   */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const end = this.#begin()
    try {
      for (const one of this.#plan.blocks) {
        await this.#obtained(one)
        const bytes = this.#ready.get(one) as Uint8Array
        this.#ready.delete(one)
        yield one.to - one.from === bytes.length ? bytes : bytes.subarray(one.from, one.to)
        this.#plan.taken(this.#now())
      }
    } finally {
      await end()
    }
  }

  /**
   * Writes the range to a file, each block as soon as it is verified, and returns its length.
   * Rejects as `bytes` does, and with the system's error when the file takes no more.
   */
  async into(file: FileHandle): Promise<number> {
    this.#file = file
    const end = this.#begin()
    try {
      for (const one of this.#plan.blocks) {
        if (!one.isDone || this.#error !== undefined) await this.#obtained(one)
        this.#plan.taken(this.#now())
        this.#pump()
      }
      return this.#options.info.range.length
    } finally {
      await end()
    }
  }

  #begin(): () => Promise<void> {
    const { signal } = this.#options
    const stop = (): void => {
      this.#fail(aborted(signal))
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const { findPeers, server } = this.#options
    const unwatch = server?.watch((segmentId) => {
      this.#plan.noticed(this.#now(), segmentId)
      this.#pump()
    })
    if (findPeers !== undefined) void this.#search(findPeers)
    return async () => {
      unwatch?.()
      signal.removeEventListener('abort', stop)
      clearTimeout(this.#again)
      this.#abort.abort()
      while (this.#busy.size > 0) await Promise.allSettled(this.#busy)
    }
  }

  async #obtained(one: WantedBlock): Promise<void> {
    this.#pump()
    while (!one.isDone && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wanted = one
        this.#wake = resolve
      })
    }
    if (this.#error !== undefined) throw this.#error
  }

  async #search(findPeers: FindPeers): Promise<void> {
    const { info } = this.#options
    this.#plan.isLooking = true
    const search = {
      version: info.version,
      signal: this.#abort.signal,
      wanted: () => this.#plan.wanted(LIMITS.fetchSearchSegments),
      again: () => this.#nextSearch(),
      roundOver: (asked: readonly Uint8Array[]) => {
        this.#plan.roundOver(this.#now(), asked)
        this.#pump()
      },
    }
    try {
      const ids = info.segments.map(({ id }) => id)
      for await (const offer of findPeers(ids, search)) {
        if (this.#abort.signal.aborted) break
        this.#plan.addPeer(this.#now(), offer)
        this.#pump()
      }
    } catch {
      // Without discovery there is still the origin.
    } finally {
      this.#plan.isLooking = false
      this.#plan.roundOver(this.#now(), [])
      this.#pump()
    }
  }

  /** Resolves when the plan wants another round; rejects at the end of the download. */
  #nextSearch(): Promise<void> {
    const { signal } = this.#abort
    return new Promise((resolve, reject) => {
      const end = (): void => {
        reject(signal.reason as Error)
      }
      if (signal.aborted) end()
      signal.addEventListener('abort', end, { once: true })
      this.#searches.add(() => {
        signal.removeEventListener('abort', end)
        resolve()
      })
    })
  }

  /** Monotonic, in microseconds. */
  #now(): number {
    return Math.round(performance.now() * 1000)
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#abort.abort()
    this.#wake()
  }

  /** Lets the plan decide, once for all that is reported in this turn. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    queueMicrotask(() => {
      this.#isPumping = false
      // A slow disk slows down the network: what waits for it takes memory.
      const isClogged = this.#storingBytes > LIMITS.fetchStoreBytes
      if (this.#abort.signal.aborted || isClogged) return
      const { steps, then, wakeAt } = this.#plan.next(this.#now())
      for (const step of steps) this.#track(this.#carryOut(step))
      this.#prepare(then, wakeAt)
    })
  }

  #prepare(outlook: Outlook, wakeAt: number): void {
    const { url } = this.#options
    if (outlook === 'changed') this.#fail(changed(url))
    else if (outlook === 'lost') this.#fail(lost(url))
    else if (wakeAt < this.#wakeAt && wakeAt !== NEVER) {
      clearTimeout(this.#again)
      this.#wakeAt = wakeAt
      const ms = Math.max(1, Math.ceil((wakeAt - this.#now()) / 1000))
      this.#again = setTimeout(() => {
        this.#wakeAt = NEVER
        this.#pump()
      }, ms)
    }
  }

  async #carryOut(step: Step): Promise<void> {
    switch (step.kind) {
      case 'look-up':
        await this.#lookUp(step.segment)
        break
      case 'read':
        await this.#read(step.block)
        break
      case 'list': {
        const { peer, segment, range } = step
        const { client } = this.#options
        const answer = await client.blockList(peer, segment, [range], this.#abort.signal)
        const list = answer.ok ? answer.value : answer.failure
        this.#plan.listed(this.#now(), peer, segment, list)
        break
      }
      case 'search': {
        const waiting = [...this.#searches]
        this.#searches.clear()
        for (const start of waiting) start()
        break
      }
      case 'block':
        await this.#fetch(step.peer, step.block)
        break
      case 'range':
        await this.#fetchRange(step.blocks)
    }
    this.#pump()
  }

  async #lookUp(segment: ContentSegment): Promise<void> {
    const held = await this.#options.cache?.held(segment.id).catch(() => undefined)
    this.#plan.cached(segment, held?.blocks ?? [])
  }

  async #read(one: WantedBlock): Promise<void> {
    const { segment, block } = one
    const hash = segment.blockHash(block)
    const found = await this.#options.cache?.read(segment.id, block, hash).catch(() => undefined)
    if (found !== undefined && hash !== undefined) await this.#arrived(one, found.bytes, 'cache')
    else this.#plan.missed(one)
  }

  async #fetch(peer: string, one: WantedBlock): Promise<void> {
    const { client } = this.#options
    // While this block is decrypted the next one may come.
    const onAnswer = (): void => {
      this.#plan.answered(peer, one)
      this.#pump()
    }
    const { signal } = this.#abort
    const target = this.#targetOf(one)
    if (target === undefined) {
      const answer = await client.block(peer, one.segment, one.block, signal, onAnswer)
      if (answer.ok) {
        void this.#store(one, answer.value, peer)
        await this.#arrived(one, answer.value, 'peer', peer)
      } else this.#plan.refused(this.#now(), peer, one, answer.failure)
      return
    }
    const answer = await client.blockInto(target, peer, one.segment, one.block, signal, onAnswer)
    if (!answer.ok) {
      this.#plan.refused(this.#now(), peer, one, answer.failure)
      return
    }
    const { bytes, isWritten } = answer.value
    const stored = this.#store(one, bytes, peer)
    if (isWritten) this.#gained(one, 'peer', peer)
    else await this.#arrived(one, bytes, 'peer', peer)
    if (stored !== undefined) await stored
    client.giveBack(bytes)
  }

  /** Where a block that is wanted as a whole is written to. */
  #targetOf({ from, length, offset, to }: WantedBlock): BlockTarget | undefined {
    if (this.#file === undefined || to - from !== length) return undefined
    return { fd: this.#file.fd, position: offset - this.#options.info.range.start }
  }

  async #fetchRange(run: readonly WantedBlock[]): Promise<void> {
    const { url, headers, total } = this.#options
    const [first, last] = [run[0] as WantedBlock, run.at(-1) as WantedBlock]
    const range = { start: first.offset, end: last.offset + last.length, total }
    const answer = await getRange(url, range, { headers, signal: this.#abort.signal })
    const outcome = answer.kind === 'bytes' ? await this.#takeRange(run, answer.bytes) : answer.kind
    this.#plan.ranged(this.#now(), run, outcome)
  }

  async #takeRange(
    run: readonly WantedBlock[],
    parts: AsyncIterable<Uint8Array>,
  ): Promise<'served' | 'gone' | 'changed'> {
    let at = 0
    let one = run[0] as WantedBlock
    let block = uninitializedBytes(one.length)
    let kept = 0
    try {
      for await (const part of parts) {
        for (let from = 0; from < part.length;) {
          const taken = part.subarray(from, from + one.length - kept)
          block.set(taken, kept)
          from += taken.length
          kept += taken.length
          if (kept < one.length) continue
          // Blocks without a listed hash cannot be verified: they are never taken.
          if (!(await this.#verify(one, block))) return 'changed'
          at += 1
          if (at === run.length) return 'served'
          one = run[at] as WantedBlock
          block = uninitializedBytes(one.length)
          kept = 0
        }
      }
    } catch {
      // The rest is asked for again.
    }
    return at === 0 ? 'gone' : 'served'
  }

  async #verify(one: WantedBlock, bytes: Uint8Array): Promise<boolean> {
    const hash = one.segment.blockHash(one.block)
    if (hash === undefined) return false
    if (!(await runOnPool(checking(one.segment.scheme, bytes, hash).work))) return false
    void this.#store(one, bytes, 'origin')
    await this.#arrived(one, bytes, 'origin')
    return true
  }

  /** Puts a block in the cache while the reader has it already. */
  #store(
    { segment, block }: WantedBlock,
    bytes: Uint8Array,
    from: string,
  ): Promise<void> | undefined {
    const { cache, onStored } = this.#options
    if (cache === undefined) return undefined
    this.#storingBytes += bytes.length
    const work = cache
      .put(segment, block, bytes)
      .catch(() => false)
      .then((isStored) => {
        if (isStored) onStored?.(segment, from)
        this.#storingBytes -= bytes.length
        this.#pump()
      })
    this.#track(work)
    return work
  }

  #track(work: Promise<unknown>): void {
    this.#busy.add(work)
    const end = (): void => {
      this.#busy.delete(work)
    }
    work.then(end, end)
  }

  /** A verified block that is not written yet. */
  async #arrived(
    one: WantedBlock,
    bytes: Uint8Array,
    from: BlockTrace['from'],
    peer?: string,
  ): Promise<void> {
    const file = this.#file
    if (file === undefined) {
      if (!one.isDone) this.#ready.set(one, bytes)
    } else {
      const place = one.offset + one.from - this.#options.info.range.start
      try {
        await writeAt(file, bytes.subarray(one.from, one.to), place)
      } catch (error) {
        this.#fail(error as Error)
        return
      }
    }
    this.#gained(one, from, peer)
  }

  #gained(one: WantedBlock, from: BlockTrace['from'], peer?: string): void {
    // Two may have been asked for it.
    if (!this.#plan.obtained(this.#now(), one, from, peer)) return
    const { segment, block, offset, length, attempts } = one
    const place = { segment: segment.index, block, offset, length }
    try {
      this.#options.onBlock({ ...place, from, peer, failed: attempts })
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    if (one === this.#wanted) this.#wake()
    this.#pump()
  }
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
