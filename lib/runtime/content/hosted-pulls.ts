import type { ContentSegment } from '../../content/content-info.js'
import type { PullEffect } from '../../content/hosted-server.js'
import type { OfferedSegment } from '../../content/offers.js'
import type { BlockMessage, IndexRange } from '../../content/retrieval.js'
import type { PeerFailure } from '../../content/swarm-peer.js'
import { bytesKey } from '../../core/bytes.js'
import type { Counters } from '../../core/counters.js'
import { LIMITS } from '../../core/limits.js'
import type { BlockStore } from '../../storage/block-store.js'
import { blocksOf, type ReplayStore } from '../../storage/replay-store.js'
import { peerText } from './peer-address.js'
import { RetrievalClient } from './retrieval-client.js'

/** Why a pull ended before its end. */
type PullFailure = PeerFailure | 'disk' | 'plaintext' | 'length' | 'unknown' | 'slow'

interface PullOptions {
  readonly cache: BlockStore
  readonly replay: ReplayStore | undefined
  readonly counters: Counters
  readonly requestMs?: number
}

/** One block of a pull; undefined: all is well. */
type GetBlock = (block: number, signal: AbortSignal) => Promise<PullFailure | undefined>

/**
 * Fetches segments from the clients that offered them (MS-PCHC 3.1.5.1 to 3.1.5.3). Where hashes
 * and secret are known each block is verified before it is kept; where they are not, it is kept as
 * it came (DA-27). A client that lies is left at once, one that fails or is slow after a while.
 */
export class HostedPulls {
  readonly #options: PullOptions
  readonly #client: RetrievalClient
  readonly #abort = new AbortController()
  /** Hashes of segments of which no block has come yet: they are kept with the first one. */
  readonly #learned = new Map<string, ContentSegment>()

  constructor(options: PullOptions) {
    this.#options = options
    const { requestMs } = options
    this.#client = new RetrievalClient(requestMs === undefined ? {} : { requestMs })
  }

  /** Whoever makes segments up does not fill the disk with their hashes. */
  learn(segment: ContentSegment): void {
    if (segment.listedBlocks !== segment.blockCount) return
    const key = bytesKey(segment.id)
    this.#learned.delete(key)
    this.#learned.set(key, segment)
    const [oldest] = this.#learned.keys()
    if (this.#learned.size > LIMITS.hostedLearned && oldest !== undefined) {
      this.#learned.delete(oldest)
    }
  }

  /** A segment with the hashes of all its blocks, if known. */
  async segment(id: Uint8Array): Promise<ContentSegment | undefined> {
    return this.#learned.get(bytesKey(id)) ?? (await this.#options.cache.segment(id))
  }

  /** Never rejects. */
  async pull(effect: PullEffect): Promise<void> {
    const { counters } = this.#options
    try {
      const segment = await this.segment(effect.segmentId)
      const failure =
        segment === undefined
          ? await this.#pullSealed(effect)
          : await this.#pullVerified(effect, segment)
      counters.add(failure === undefined ? 'hosted.pulled' : `drop.hosted-pull.${failure}`)
    } catch {
      counters.add('drop.hosted-pull.closed')
    }
  }

  close(): void {
    this.#abort.abort()
    this.#client.close()
  }

  async #pullVerified(
    effect: PullEffect,
    segment: ContentSegment,
  ): Promise<PullFailure | undefined> {
    const { cache, counters } = this.#options
    const held = (await cache.held(segment.id))?.blocks ?? []
    const missing = without(segment.blockCount, held)
    const key = bytesKey(segment.id)
    return this.#pullBlocks(effect, missing, segment.length, async (block, signal) => {
      const answer = await this.#client.block(peerOf(effect), segment, block, signal)
      if (!answer.ok) return answer.failure
      if (!(await cache.put(segment, block, answer.value))) return 'disk'
      counters.add('hosted.block-verified')
      if (this.#learned.has(key) && (await cache.learn(segment))) this.#learned.delete(key)
      return undefined
    })
  }

  async #pullSealed(effect: PullEffect): Promise<PullFailure | undefined> {
    const { counters, replay } = this.#options
    const { host, offered, segmentId } = effect
    if (offered === undefined || replay === undefined) return 'unknown'
    const held = replay.held(segmentId)
    // It is offered again though all of it is there: somebody could not use what is there.
    const missing = without(
      blocksOf(offered),
      held?.isComplete === true ? [] : (held?.blocks ?? []),
    )
    return this.#pullBlocks(effect, missing, offered.segmentBytes, async (block, signal) => {
      const answer = await this.#client.sealedBlock(peerOf(effect), segmentId, block, signal)
      if (!answer.ok) return answer.failure
      const failure = judgeSealed(answer.value, offered, block)
      if (failure !== undefined) return failure
      if (!(await replay.put(offered, block, answer.value, host))) return 'disk'
      counters.add('hosted.block-sealed')
      return undefined
    })
  }

  async #pullBlocks(
    effect: PullEffect,
    missing: readonly number[],
    bytes: number,
    get: GetBlock,
  ): Promise<PullFailure | undefined> {
    if (missing.length === 0) return undefined
    const most = LIMITS.hostedPullMs + (bytes / LIMITS.hostedPullBytesPerS) * 1000
    const slow = AbortSignal.timeout(Math.ceil(most))
    const signal = AbortSignal.any([slow, this.#abort.signal])
    const wanted = await this.#offeredOf(effect, missing, signal)
    if (typeof wanted === 'string') return slow.aborted ? 'slow' : wanted
    let failures = 0
    let failure: PullFailure | undefined
    const left = [...wanted].reverse()
    const worker = async (most: number): Promise<void> => {
      for (let done = 0; done < most; done++) {
        const block = left.pop()
        if (block === undefined) return
        const outcome = await get(block, signal)
        if (outcome === undefined) {
          failures = 0
          continue
        }
        failures += 1
        failure = slow.aborted ? 'slow' : outcome
        const isOver = outcome !== 'absent' && outcome !== 'timeout' && outcome !== 'unreachable'
        if (isOver || failures >= LIMITS.hostedPullFailures) left.length = 0
      }
    }
    // The first one alone: hashes are kept with it, and liars are not asked for more.
    await worker(1)
    const workers = Math.min(left.length, LIMITS.hostedPullBlocks)
    await Promise.all(Array.from({ length: workers }, () => worker(Infinity)))
    return failure
  }

  /** R 3.1.4.3: of many blocks the client is asked first which it has. */
  async #offeredOf(
    effect: PullEffect,
    missing: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly number[] | PullFailure> {
    const [first = 0] = missing
    const last = missing.at(-1) ?? 0
    if (missing.length < LIMITS.retrievalListedBlocks) return missing
    const range = { index: first, count: last - first + 1 }
    const segment = { id: effect.segmentId }
    const answer = await this.#client.blockList(peerOf(effect), segment, [range], signal)
    if (!answer.ok) return answer.failure
    return missing.filter((block) =>
      answer.value.some(({ index, count }) => block >= index && block < index + count),
    )
  }
}

/** What can be told of a block without its key: its length, and that it is encrypted. */
function judgeSealed(
  { block, cipher, iv }: BlockMessage,
  { segmentBytes, version }: OfferedSegment,
  index: number,
): PullFailure | undefined {
  // In plain it would be given to whoever asks.
  if (cipher === 0) return 'plaintext'
  const length = version === 1 ? Math.min(65_536, segmentBytes - index * 65_536) : segmentBytes
  const isLength = block.length >= length && block.length <= length + 16
  return isLength && block.length % 16 === 0 && iv.length === 16 ? undefined : 'length'
}

/** The blocks from 0 on that are in none of the ranges. */
function without(blockCount: number, ranges: readonly IndexRange[]): number[] {
  const isIn = (block: number): boolean =>
    ranges.some(({ index, count }) => block >= index && block < index + count)
  return Array.from({ length: blockCount }, (_, block) => block).filter((block) => !isIn(block))
}

/** Where the offer came from (3.1.5.1): its host is never one that the offer names. */
const peerOf = ({ host, port }: PullEffect): string => peerText(host, port)
