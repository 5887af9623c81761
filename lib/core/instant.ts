/**
 * Monotonic time as protocol machines see it: whole microseconds since an origin that the driver
 * chooses. It is always an argument, never read from a clock.
 */
export type Instant = number

/** "No deadline". */
export const NEVER: Instant = Number.POSITIVE_INFINITY

export const milliseconds = (n: number): number => Math.round(n * 1_000)
export const seconds = (n: number): number => Math.round(n * 1_000_000)
export const minutes = (n: number): number => seconds(n * 60)
export const hours = (n: number): number => seconds(n * 3600)

/** Earlier of two deadlines. */
export const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b)
