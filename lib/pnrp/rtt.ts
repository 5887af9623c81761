import { LIMITS } from '../core/limits.js'

/**
 * Smoothed round trip over all LOOKUPs of a cloud, as in RFC 6298 section 2. It only drives the
 * soft timeouts, after which a walk moves on while late answers still count; the retransmission
 * timer of MS-PNRP 3.1.2 is left alone.
 */
export class RttEstimator {
  #smoothed = 0
  #variation = 0

  /** Microseconds, or undefined before the first sample. */
  get smoothedUs(): number | undefined {
    return this.#smoothed === 0 ? undefined : this.#smoothed
  }

  /** Only of requests that were transmitted once (Karn). */
  sample(rttUs: number): void {
    const rtt = Math.max(1, rttUs)
    if (this.#smoothed === 0) {
      this.#smoothed = rtt
      this.#variation = rtt / 2
      return
    }
    this.#variation += (Math.abs(rtt - this.#smoothed) - this.#variation) / 4
    this.#smoothed += (rtt - this.#smoothed) / 8
  }

  /** How long a LOOKUP may take before the walk moves on. */
  get lookupTimeoutUs(): number {
    if (this.#smoothed === 0) return LIMITS.softTimeoutMaxUs
    const timeout = this.#smoothed + LIMITS.softTimeoutRttFactor * this.#variation
    return Math.round(Math.min(LIMITS.softTimeoutMaxUs, Math.max(LIMITS.softTimeoutMinUs, timeout)))
  }

  /** The same for an INQUIRE, whose answer has to be signed first. */
  get inquireTimeoutUs(): number {
    const timeout = this.lookupTimeoutUs * LIMITS.softTimeoutInquireFactor
    return Math.min(LIMITS.softTimeoutMaxUs, timeout)
  }
}
