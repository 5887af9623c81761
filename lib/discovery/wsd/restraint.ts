import { bytesKey } from '../../core/bytes.js'
import type { Endpoint } from '../../core/endpoint.js'
import { seconds, type Instant } from '../../core/instant.js'
import { LIMITS } from '../../core/limits.js'
import { perSecond, TokenBucket } from '../../core/token-bucket.js'

/** Message IDs that came lately: SOAP-over-UDP repeats itself. When full, the oldest go. */
export class SeenMessages {
  readonly #until = new Map<string, Instant>()

  has(now: Instant, messageId: string): boolean {
    const until = this.#until.get(messageId)
    return until !== undefined && now < until
  }

  add(now: Instant, messageId: string): void {
    this.#until.delete(messageId)
    this.#until.set(messageId, now + LIMITS.wsdDuplicateUs)
    if (this.#until.size <= LIMITS.wsdMessagesSeen) return
    const [oldest] = this.#until.keys()
    if (oldest !== undefined) this.#until.delete(oldest)
  }
}

/**
 * How many answers a source may draw, and all together: sources are easily forged, so nobody can
 * aim more than that at a neighbour.
 */
export class AnswerBudget {
  readonly #total = new TokenBucket(perSecond(LIMITS.wsdAnswersPerSecond))
  /** In the order of their last use. */
  readonly #sources = new Map<string, { readonly bucket: TokenBucket; usedAt: Instant }>()

  /** Takes one for an answer to this source; by its address, whatever the port. */
  take(now: Instant, { address }: Endpoint): boolean {
    const key = bytesKey(address)
    const source = this.#sources.get(key) ?? this.#enter(now)
    if (source === undefined || !source.bucket.take(now) || !this.#total.take(now)) return false
    source.usedAt = now
    this.#sources.delete(key)
    this.#sources.set(key, source)
    return true
  }

  /** Nobody new when there are too many whose buckets are not full again. */
  #enter(now: Instant): { readonly bucket: TokenBucket; usedAt: Instant } | undefined {
    for (const [key, { usedAt }] of this.#sources) {
      if (this.#sources.size < LIMITS.wsdSources || usedAt + seconds(1) > now) break
      this.#sources.delete(key)
    }
    if (this.#sources.size >= LIMITS.wsdSources) return undefined
    const rate = LIMITS.wsdAnswersPerSourceSecond
    return { bucket: new TokenBucket(perSecond(rate)), usedAt: now }
  }
}
