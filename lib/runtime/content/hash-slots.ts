import { LIMITS } from '../../core/limits.js'

/** Content that is hashed while it is sent to somebody. */
export interface SentContent {
  /** Bytes that have passed. */
  readonly sent: number
  /** Its place is taken: it is hashed no more. */
  abandon(): void
}

interface Slot {
  readonly content: SentContent
  readonly sinceMs: number
}

/**
 * Contents that are hashed while they are sent: so many at a time, and each once. One whose client
 * hardly reads gives way, or a few such clients would keep all hashes from being made.
 */
export class HashSlots {
  readonly #slots = new Map<string, Slot>()

  /** False: it is being hashed already, or there is no place. */
  take(key: string, content: SentContent, nowMs: number): boolean {
    const hinders = this.#slots.get(key) ?? this.#hindrance(nowMs)
    if (hinders !== undefined && !isSlow(hinders, nowMs)) return false
    for (const [other, slot] of this.#slots) {
      if (slot !== hinders) continue
      this.#slots.delete(other)
      slot.content.abandon()
    }
    this.#slots.set(key, { content, sinceMs: nowMs })
    return true
  }

  release(key: string, content: SentContent): void {
    if (this.#slots.get(key)?.content === content) this.#slots.delete(key)
  }

  /** When all places are taken: the slow one, if any, that could give way. */
  #hindrance(nowMs: number): Slot | undefined {
    if (this.#slots.size < LIMITS.peerdistHashings) return undefined
    const all = [...this.#slots.values()]
    return all.find((slot) => isSlow(slot, nowMs)) ?? all[0]
  }
}

function isSlow({ content, sinceMs }: Slot, nowMs: number): boolean {
  const ms = nowMs - sinceMs
  return ms >= LIMITS.peerdistSlowMs && content.sent < (ms / 1000) * LIMITS.peerdistSlowBytesPerS
}
