import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { HashScheme } from '../../content/algorithms.js'
import { checking } from '../../content/blocks.js'
import type { ContentInfo, ContentSegment } from '../../content/content-info.js'
import { parseContentInfo } from '../../content/read-info.js'
import { writeContentInfo } from '../../content/write-info.js'
import { PeernetError } from '../../core/errors.js'
import { runOnPool } from '../../io/block-runner.js'
import { hashOpenFile } from '../../io/hash-content.js'
import type { BlockStore } from '../../storage/block-store.js'

export interface PublishContentOptions extends Partial<HashScheme> {
  /** The server secret: that of the server which hands out the content information. */
  readonly secret: Uint8Array
  readonly cache: BlockStore
  readonly signal?: AbortSignal
}

/** What was put into the cache. */
export interface PublishedContent {
  /** As it goes over the wire. Whoever has it can read the content. */
  readonly contentInformation: Uint8Array
  readonly info: ContentInfo
  readonly blocks: number
}

/** Blocks read and stored at a time. */
const AT_ONCE = 16

/**
 * Puts a file into the cache as if it had been fetched, so that peers get it from here. Default:
 * version 1, SHA-256. Rejects with ERR_PEERNET_CONTENT_EMPTY, ERR_PEERNET_CONTENT_CHANGED when the
 * file changes meanwhile, ERR_PEERNET_ABORTED, and ERR_PEERNET_SYSTEM when it cannot be read or
 * the cache takes nothing.
 */
export async function publishContent(
  path: string,
  options: PublishContentOptions,
): Promise<PublishedContent> {
  const { cache, secret, signal, version = 1 } = options
  const algorithm = options.algorithm ?? (version === 1 ? 'sha256' : 'sha512')
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${path}`, { cause })
  }
  try {
    const about = { version, algorithm, ...(signal === undefined ? {} : { signal }) }
    const contentInformation = writeContentInfo(await hashOpenFile(file, about), secret)
    const { info } = parseContentInfo(contentInformation) as { info: ContentInfo }
    const blocks = await store(file, info, cache, signal)
    return { contentInformation, info, blocks }
  } finally {
    await file.close()
  }
}

/** Copies what content information tells of from an open file into the cache. */
export async function store(
  file: FileHandle,
  info: ContentInfo,
  cache: BlockStore,
  signal?: AbortSignal,
): Promise<number> {
  const all = info.segments.flatMap((segment) =>
    Array.from({ length: segment.listedBlocks }, (_, block) => ({ segment, block })),
  )
  for (let at = 0; at < all.length; at += AT_ONCE) {
    if (signal?.aborted === true) {
      throw new PeernetError('ERR_PEERNET_ABORTED', 'publishing was aborted', {
        cause: signal.reason,
      })
    }
    const some = all.slice(at, at + AT_ONCE)
    await Promise.all(some.map(({ segment, block }) => storeBlock(file, segment, block, cache)))
  }
  return all.length
}

async function storeBlock(
  file: FileHandle,
  segment: ContentSegment,
  block: number,
  cache: BlockStore,
): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(segment.blockLength(block))
  const place = segment.offset + block * segment.blockBytes
  const { bytesRead } = await file.read(bytes, 0, bytes.length, place)
  const hash = segment.blockHash(block) as Uint8Array
  const { work } = checking(segment.scheme, bytes, hash)
  if (bytesRead < bytes.length || !(await runOnPool(work))) {
    throw new PeernetError('ERR_PEERNET_CONTENT_CHANGED', 'the file changed while it was read')
  }
  if (await cache.put(segment, block, bytes)) return
  throw new PeernetError('ERR_PEERNET_SYSTEM', 'the cache takes no blocks: is the disk full?')
}
