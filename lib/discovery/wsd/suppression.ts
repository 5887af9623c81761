import { bytesKey } from '../../core/bytes.js'
import { LIMITS } from '../../core/limits.js'
import { unit, type Rng } from '../../core/rng.js'

/**
 * D 3.2.4 <8>, optional: where many peers have a segment, most of them keep silent. What counts is
 * how many answered when this peer itself looked for the segment.
 */
export class Suppression {
  readonly #rng: Rng
  /** Answers heard, and those that had the whole segment; the latest noted come last. */
  readonly #heard = new Map<string, { answers: number; complete: number }>()

  constructor(rng: Rng) {
    this.#rng = rng
  }

  /** A peer answered that it has this segment, or all of it. */
  note(segmentId: Uint8Array, isComplete: boolean): void {
    const key = bytesKey(segmentId)
    const counts = this.#heard.get(key) ?? { answers: 0, complete: 0 }
    counts.answers++
    if (isComplete) counts.complete++
    this.#heard.delete(key)
    this.#heard.set(key, counts)
    if (this.#heard.size <= LIMITS.wsdSuppressionSegments) return
    const [oldest] = this.#heard.keys()
    if (oldest !== undefined) this.#heard.delete(oldest)
  }

  /** Is this peer's answer for the segment to be left to others? */
  silences(segmentId: Uint8Array): boolean {
    const counts = this.#heard.get(bytesKey(segmentId))
    if (counts === undefined || counts.answers < LIMITS.wsdSuppressionCount) return false
    if (counts.complete >= LIMITS.wsdSuppressionCount) return true
    return unit(this.#rng) >= LIMITS.wsdSuppressionChance
  }
}
