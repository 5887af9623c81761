import type { HashedContent } from '../../content/hashed-content.js'
import { writeContentInfo } from '../../content/write-info.js'

export interface ReadyInfo {
  readonly info: Uint8Array
  /** Of the content. */
  readonly length: number
}

/** Content information of this server in memory, by URL, validator and version. */
export class InfoCache {
  readonly #secret: Uint8Array
  readonly #limit: number
  readonly #ready = new Map<string, ReadyInfo>()
  #bytes = 0

  constructor(secret: Uint8Array, limit: number) {
    this.#secret = secret
    this.#limit = limit
  }

  get(key: string): ReadyInfo | undefined {
    const found = this.#ready.get(key)
    if (found !== undefined) {
      this.#ready.delete(key)
      this.#ready.set(key, found)
    }
    return found
  }

  put(key: string, hashed: HashedContent): ReadyInfo {
    const ready = { info: writeContentInfo(hashed, this.#secret), length: hashed.length }
    const replaced = this.#ready.get(key)
    this.#bytes += sizeOf(key, ready) - (replaced === undefined ? 0 : sizeOf(key, replaced))
    this.#ready.delete(key)
    this.#ready.set(key, ready)
    for (const [oldest, one] of this.#ready) {
      if (this.#bytes <= this.#limit) break
      this.#ready.delete(oldest)
      this.#bytes -= sizeOf(oldest, one)
    }
    return ready
  }
}

/** Keys hold URLs, which strangers make as long as they like. */
const sizeOf = (key: string, { info }: ReadyInfo): number => info.length + 2 * key.length + 128
