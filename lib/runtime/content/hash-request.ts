import { randomBytes } from 'node:crypto'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContentVersion } from '../../content/algorithms.js'
import type { ContentInfo } from '../../content/content-info.js'
import { offerHeaders, readCoded } from '../../content/http-coding.js'
import { parseContentInfo } from '../../content/read-info.js'
import { LIMITS } from '../../core/limits.js'
import type { BlockStore } from '../../storage/block-store.js'
import { readBody } from './http-body.js'
import { get } from './origin.js'
import { store } from './publish.js'

export interface HashRequestOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly version: ContentVersion
  readonly cache: BlockStore
  readonly signal: AbortSignal
  /** What is in the cache now. */
  readonly onStored?: (info: ContentInfo) => void
}

/**
 * Content that a server sent as it is while it makes the hashes (T 3.1.5.1): it is put aside as it
 * comes; afterwards the client asks for the hashes and fills its cache, so that others get the
 * content from here. Failures concern nobody: the reader has the bytes.
 */
export class HashRequest {
  readonly #options: HashRequestOptions
  #path: string
  #file: FileHandle | undefined
  #bytes = 0

  private constructor(options: HashRequestOptions, path: string, file: FileHandle) {
    this.#options = options
    this.#path = path
    this.#file = file
  }

  /** Undefined when there is no place to put the content. */
  static async begin(options: HashRequestOptions): Promise<HashRequest | undefined> {
    // Where the cache clears up after processes that died.
    const name = `${randomBytes(8).toString('hex')}.tmp`
    const path = join(options.cache.directory, '00', name)
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      return new HashRequest(options, path, await open(path, 'wx+', 0o600))
    } catch {
      return undefined
    }
  }

  async push(part: Uint8Array): Promise<void> {
    if (this.#file === undefined) return
    this.#bytes += part.length
    try {
      if (this.#bytes > LIMITS.fetchAsideBytes) await this.close()
      else await this.#file.writeFile(part)
    } catch {
      await this.close()
    }
  }

  /** After the last byte: whether the cache has the content now. */
  async finish(): Promise<boolean> {
    try {
      const file = this.#file
      const info = file === undefined ? undefined : await this.#askForHashes()
      if (file === undefined || info === undefined) return false
      await store(file, info, this.#options.cache, this.#options.signal)
      this.#options.onStored?.(info)
      return true
    } catch {
      return false
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    await file.close().catch(() => undefined)
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  /** Again after a while when they are still being made. */
  async #askForHashes(): Promise<ContentInfo | undefined> {
    const { headers, signal, url, version } = this.#options
    const wish = { ...headers, ...offerHeaders(version, true) }
    for (let attempt = 0; attempt < LIMITS.fetchHashRequests; attempt++) {
      if (attempt > 0) {
        await delay(LIMITS.fetchHashRequestMs * 2 ** (attempt - 1), undefined, { signal })
      }
      const { response } = await get(url, wish, signal)
      const coded = readCoded(response.headers)
      if (coded.isCoded && response.statusCode === 200) {
        const body = await readBody(response, LIMITS.contentInfoBytes)
        const parsed = body === undefined ? undefined : parseContentInfo(body)
        const info = parsed?.ok === true ? parsed.info : undefined
        const isAll = info?.range.start === 0 && info.range.length === this.#bytes
        return isAll ? info : undefined
      }
      response.destroy()
      if (!coded.wantsHashRequest) return undefined
    }
    return undefined
  }
}
