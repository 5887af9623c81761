import { checking, opening, type BlockTarget } from '../../content/blocks.js'
import type { ContentSegment } from '../../content/content-info.js'
import { decodeResponse } from '../../content/decode-retrieval.js'
import { encodeRetrieval } from '../../content/encode-retrieval.js'
import {
  commonMajor,
  type BlockMessage,
  type IndexRange,
  type RetrievalResponse,
} from '../../content/retrieval.js'
import { intersection, OUR_VERSIONS } from '../../content/retrieval-service.js'
import type { PeerFailure } from '../../content/swarm-peer.js'
import { equalBytes } from '../../core/bytes.js'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'
import { runOnPool } from '../../io/block-runner.js'
import { PeerConnections } from './peer-connections.js'

export type PeerAnswer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: PeerFailure }

export interface WrittenBlock {
  readonly bytes: Uint8Array
  readonly isWritten: boolean
}

export interface RetrievalClientOptions {
  /** 3.1.2: time for one exchange, 1 ms to 1 min. Default 2 s. */
  readonly requestMs?: number
}

const failed = (failure: PeerFailure) => ({ ok: false, failure }) as const

/** The client of the retrieval protocol (MS-PCCRR 3.1). Peers are written `host:port`. */
export class RetrievalClient {
  readonly #requestMs: number
  readonly #connections = new PeerConnections()

  constructor({ requestMs = LIMITS.retrievalRequestMs }: RetrievalClientOptions = {}) {
    checkArgument(requestMs >= 1 && requestMs <= 60_000, 'requestMs is 1 to 60000')
    this.#requestMs = requestMs
  }

  /**
   * A block, decrypted and compared with the hash that the segment lists (3.1.5.3). `onAnswer` is
   * called when the exchange is over and the rest is our own work.
   */
  async block(
    peer: string,
    segment: ContentSegment,
    block: number,
    signal?: AbortSignal,
    onAnswer?: () => void,
  ): Promise<PeerAnswer<Uint8Array>> {
    const answer = await this.sealedBlock(peer, segment.id, block, signal, onAnswer)
    if (!answer.ok) return answer
    const opened = opening(answer.value, segment)
    if (opened === undefined) return failed('malformed')
    return (await runOnPool(opened.work)) ? { ok: true, value: opened.block } : failed('wrong-hash')
  }

  /**
   * As `block`, but writes it to the target, while it is still in the processor's cache. The right
   * block is told as such even when the file refuses it.
   */
  async blockInto(
    target: BlockTarget,
    peer: string,
    segment: ContentSegment,
    block: number,
    signal?: AbortSignal,
    onAnswer?: () => void,
  ): Promise<PeerAnswer<WrittenBlock>> {
    const answer = await this.sealedBlock(peer, segment.id, block, signal, onAnswer)
    if (!answer.ok) return answer
    const opened = opening(answer.value, segment, target)
    if (opened === undefined) return failed('malformed')
    const { block: bytes, work } = opened
    if (await runOnPool(work)) return { ok: true, value: { bytes, isWritten: true } }
    const hash = segment.blockHash(block) as Uint8Array
    const isRight = await runOnPool(checking(segment.scheme, bytes, hash).work)
    return isRight ? { ok: true, value: { bytes, isWritten: false } } : failed('wrong-hash')
  }

  /** Bytes of a block that nobody looks at any more: the memory of the next one. */
  giveBack(bytes: Uint8Array): void {
    this.#connections.giveBack(bytes)
  }

  /** A block as it comes: for those who have no key (MS-PCHC 3.1.5.3, DA-27). */
  async sealedBlock(
    peer: string,
    segmentId: Uint8Array,
    block: number,
    signal?: AbortSignal,
    onAnswer?: () => void,
  ): Promise<PeerAnswer<BlockMessage>> {
    const ranges = [{ index: block, count: 1 }]
    const body = encodeRetrieval({ type: 'getblks', segmentId, ranges })
    const answer = await this.#exchange(peer, body, signal)
    onAnswer?.()
    if (!answer.ok) return answer
    const message = answer.value
    if (message.type !== 'blk' || message.blockIndex !== block) return unexpected(message)
    if (!equalBytes(message.segmentId, segmentId)) return failed('unsolicited')
    return message.block.length === 0 ? failed('absent') : { ok: true, value: message }
  }

  /** Which of the blocks asked for the peer has (3.1.5.2). */
  async blockList(
    peer: string,
    segment: Pick<ContentSegment, 'id'>,
    ranges: readonly IndexRange[],
    signal?: AbortSignal,
  ): Promise<PeerAnswer<readonly IndexRange[]>> {
    const body = encodeRetrieval({ type: 'getblklist', segmentId: segment.id, ranges })
    const answer = await this.#exchange(peer, body, signal)
    if (!answer.ok) return answer
    const message = answer.value
    if (message.type !== 'blklist') return unexpected(message)
    const isOurs = equalBytes(message.segmentId, segment.id)
    const common = intersection(ranges, message.ranges)
    if (!isOurs || (message.ranges.length > 0 && common.length === 0)) return failed('unsolicited')
    return { ok: true, value: common }
  }

  /** For each ID whether the hosted cache has a part of the segment (3.1.5.4). */
  async segmentList(
    cache: string,
    segmentIds: readonly Uint8Array[],
    requestId: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PeerAnswer<readonly boolean[]>> {
    const body = encodeRetrieval({ type: 'getseglist', requestId, segmentIds })
    const answer = await this.#exchange(cache, body, signal)
    if (!answer.ok) return answer
    const message = answer.value
    if (message.type !== 'seglist') return unexpected(message)
    const count = segmentIds.length
    const isOurs =
      equalBytes(message.requestId, requestId) &&
      message.ranges.every(({ index, count: some }) => index + some <= count)
    if (!isOurs) return failed('unsolicited')
    const isHeld = (i: number): boolean =>
      message.ranges.some(({ index, count: some }) => i >= index && i < index + some)
    return { ok: true, value: segmentIds.map((_, i) => isHeld(i)) }
  }

  close(): void {
    this.#connections.close()
  }

  /** One POST and its answer, within the time of the request timer (3.1.6.1). */
  async #exchange(
    peer: string,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<PeerAnswer<RetrievalResponse>> {
    const answer = await this.#connections.exchange(peer, body, this.#requestMs, signal)
    if (typeof answer === 'string') return failed(answer)
    const decoded = decodeResponse(answer)
    return decoded.ok ? { ok: true, value: decoded.message } : failed('malformed')
  }
}

/** 3.1.5.1, 3.1.5.5: an answer of another type than was asked for. */
function unexpected(message: RetrievalResponse): PeerAnswer<never> {
  if (message.type !== 'nego-resp') return failed('unsolicited')
  return failed(commonMajor(OUR_VERSIONS, message) === undefined ? 'version' : 'unsolicited')
}
