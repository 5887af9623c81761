import type { Instant } from './instant.js'

/** Time as drivers read it and hand it to machines. */
export interface Clock {
  /** Monotonic, whole microseconds. */
  now(): Instant
  /** Milliseconds since 1970 UTC; may be set back and forth by the host. */
  wallMs(): number
}
