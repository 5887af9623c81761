import type { CryptoJob, CryptoPort, CryptoResult } from '../pnrp/crypto-port.js'
import type { Instant } from '../core/instant.js'

/** What signatures cost in virtual time, and how much of it a host lets queue up. */
export interface CryptoTimes {
  /** One RSA-1024 signature, microseconds. Default 185 (measured). */
  readonly signUs: number
  /** One verification, microseconds. Default 23 (measured). */
  readonly verifyUs: number
  /** A host whose queue is this long reports itself out of signing capacity. Default 250,000. */
  readonly capacityUs: number
}

export const DEFAULT_CRYPTO_TIMES: CryptoTimes = { signUs: 185, verifyUs: 23, capacityUs: 250_000 }

/** The signing load is told to the machine in steps of a quarter, not after every job. */
const LOAD_STEPS = 4

/**
 * The processor of one host, as far as signatures keep it busy: jobs run one after the other, each
 * for its virtual time. Their results are computed at once by the port.
 */
export class CryptoProcessor {
  #freeAt: Instant = 0
  #load = 0

  /** Runs a job; returns its result and when the host has it. */
  run(
    now: Instant,
    job: CryptoJob,
    port: CryptoPort,
    times: CryptoTimes,
  ): { result: CryptoResult; at: Instant } {
    const result = port.tryNow(job)
    if (result === undefined) throw new Error('a simulation needs a port that answers tryNow')
    const work =
      job.kind === 'sign'
        ? job.parts.length * times.signUs
        : (job.items.length + (job.chainCheck === undefined ? 0 : 3)) * times.verifyUs
    this.#freeAt = Math.max(now, this.#freeAt) + work
    return { result, at: this.#freeAt }
  }

  /** The load of the queue, 0..1, when it has changed enough to be told; else undefined. */
  changedLoad(now: Instant, times: CryptoTimes): number | undefined {
    const full = Math.max(0, this.#freeAt - now) / times.capacityUs
    const load = Math.min(1, Math.floor(full * LOAD_STEPS) / LOAD_STEPS)
    if (load === this.#load) return undefined
    this.#load = load
    return load
  }
}
