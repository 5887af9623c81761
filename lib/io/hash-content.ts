import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { checkScheme, sha2Of, type HashScheme } from '../content/algorithms.js'
import { fixedLength, type SegmentCutting } from '../content/content-hasher.js'
import { emptyContent, HashedContent } from '../content/hashed-content.js'
import { PeernetError } from '../core/errors.js'
import { cancelHashing, HashOutcome, hashProgress, startHashing } from '../native/content-hash.js'

export interface HashOptions extends HashScheme, SegmentCutting {
  /** Called about ten times a second with the bytes hashed so far. */
  readonly onProgress?: (bytes: number, total: number) => void
  readonly signal?: AbortSignal
}

const PROGRESS_MS = 100
/** Threads of libuv's pool: 4 unless UV_THREADPOOL_SIZE says otherwise. */
const POOL = Math.max(1, Number(process.env['UV_THREADPOOL_SIZE']) || 4)

/** One thread for each core, and one left over for others. */
const workers = (): number => Math.max(1, Math.min(availableParallelism(), POOL - 1, 16))

interface Source {
  readonly source: number | Uint8Array
  readonly size: number
}

function hash({ source, size }: Source, options: HashOptions): Promise<HashedContent> {
  const { version, algorithm, onProgress, signal } = options
  checkScheme(options)
  if (size === 0) return Promise.reject(emptyContent())
  if (signal?.aborted === true) return Promise.reject(aborted(signal))
  const fixed = fixedLength(options)
  const native = { source, position: 0, size, version, algorithm: sha2Of(algorithm), fixed }
  return new Promise((resolve, reject) => {
    const job = startHashing({ ...native, workers: workers() }, (outcome, lengths, hashes) => {
      clearInterval(timer)
      signal?.removeEventListener('abort', cancel)
      if (outcome !== HashOutcome.DONE || hashes === undefined) reject(failure(outcome, signal))
      else if (lengths === undefined) resolve(HashedContent.ofBlocks(options, size, hashes))
      else resolve(HashedContent.ofSegments(options, size, { lengths, hashes }))
    })
    const cancel = (): void => {
      cancelHashing(job)
    }
    const timer =
      onProgress &&
      setInterval(() => {
        onProgress(hashProgress(job), size)
      }, PROGRESS_MS)
    signal?.addEventListener('abort', cancel, { once: true })
  })
}

function aborted(signal: AbortSignal): PeernetError {
  return new PeernetError('ERR_PEERNET_ABORTED', 'hashing was aborted', { cause: signal.reason })
}

function failure(outcome: number, signal: AbortSignal | undefined): PeernetError {
  if (outcome === HashOutcome.CANCELLED && signal !== undefined) return aborted(signal)
  if (outcome === HashOutcome.CHANGED) return changed()
  return new PeernetError('ERR_PEERNET_SYSTEM', `reading the content failed (${outcome})`)
}

function changed(): PeernetError {
  return new PeernetError('ERR_PEERNET_CONTENT_CHANGED', 'the file changed while it was read')
}

/** What of a FileHandle is used. */
export interface OpenFile {
  readonly fd: number
  stat(options: { bigint: true }): Promise<{ readonly size: bigint; readonly mtimeNs: bigint }>
}

/**
 * Hashes an open file on the thread pool, one thread a core; nothing passes through JavaScript.
 * Throws ERR_PEERNET_CONTENT_EMPTY, ERR_PEERNET_CONTENT_CHANGED when size or times of the file
 * moved meanwhile, ERR_PEERNET_ABORTED, ERR_PEERNET_SYSTEM.
 */
export async function hashOpenFile(file: OpenFile, options: HashOptions): Promise<HashedContent> {
  const before = await file.stat({ bigint: true })
  const hashed = await hash({ source: file.fd, size: Number(before.size) }, options)
  const after = await file.stat({ bigint: true })
  if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed()
  return hashed
}

/** The same for the file of that name. */
export async function hashFile(path: string, options: HashOptions): Promise<HashedContent> {
  const file = await open(path, 'r')
  try {
    return await hashOpenFile(file, options)
  } finally {
    await file.close()
  }
}

/** The same for bytes, which nobody may change or transfer until the end. */
export function hashBytes(bytes: Uint8Array, options: HashOptions): Promise<HashedContent> {
  return hash({ source: bytes, size: bytes.length }, options)
}
