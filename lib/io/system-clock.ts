import type { Clock } from '../core/clock.js'
import type { Instant } from '../core/instant.js'

const NS_PER_US = 1000n

/**
 * Where performance.now() began on the clock of process.hrtime(), in microseconds. Both run on the
 * host's one monotonic clock, so the difference is constant. What passes between the two reads
 * makes it look smaller: the largest is the truest.
 */
function performanceOrigin(): number {
  let origin = 0
  for (let i = 0; i < 5; i++) {
    const before = Number(process.hrtime.bigint() / NS_PER_US)
    const after = performance.now() * 1000
    origin = Math.max(origin, before - after)
  }
  return Math.round(origin)
}

/**
 * The host's clocks. Instants count on the clock of process.hrtime(), which is also that of the
 * receive times of the native transports.
 */
export class SystemClock implements Clock {
  readonly #origin = performanceOrigin()

  now(): Instant {
    return this.#origin + Math.floor(performance.now() * 1000)
  }

  wallMs(): number {
    return Date.now()
  }
}
