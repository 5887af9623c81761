import { checkArgument } from '../core/errors.js'

/**
 * How a link treats packets. Every link has its own constant latency, drawn once between
 * `delayMinMs` and several times `delayMeanMs` (exponential beyond the minimum, so that most links
 * are short and some long), plus up to `jitterMs` for each packet.
 */
export interface LinkOptions {
  /** Shortest latency of any link. Default 1. */
  readonly delayMinMs: number
  /** Mean latency over all links. Default 20. */
  readonly delayMeanMs: number
  /** Each packet is late by a uniform 0..jitterMs more. Default 5. */
  readonly jitterMs: number
  /** Share of packets that vanish, 0..1. Default 0. */
  readonly loss: number
  /** Share of packets that arrive twice, 0..1. Default 0. */
  readonly duplication: number
  /** Share of packets that later ones overtake, 0..1. Default 0. */
  readonly reordering: number
  /** How much longer an overtaken packet takes, at most. Default 100. */
  readonly reorderingDelayMs: number
  /** Bytes a second (IPv6 and UDP headers counted). Default Infinity. */
  readonly bytesPerSecond: number
  /** Bytes that wait for their turn at most; what comes then is dropped. Default 65536. */
  readonly queueBytes: number
}

export const DEFAULT_LINK: LinkOptions = {
  delayMinMs: 1,
  delayMeanMs: 20,
  jitterMs: 5,
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderingDelayMs: 100,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  queueBytes: 65_536,
}

/** A link without any fault or latency to speak of, for tests that are about something else. */
export const PERFECT_LINK: LinkOptions = { ...DEFAULT_LINK, delayMeanMs: 1, jitterMs: 0 }

/** `base` with the given changes; throws ERR_PEERNET_INVALID_ARG when a value is out of range. */
export function linkOptions(base: LinkOptions, changes: Partial<LinkOptions>): LinkOptions {
  const options = { ...base, ...changes }
  for (const name of ['loss', 'duplication', 'reordering'] as const) {
    const share = options[name]
    checkArgument(share >= 0 && share <= 1, `${name} must lie between 0 and 1, not ${share}`)
  }
  for (const name of ['delayMinMs', 'delayMeanMs', 'jitterMs', 'reorderingDelayMs'] as const) {
    const delay = options[name]
    checkArgument(delay >= 0 && Number.isFinite(delay), `${name} must not be ${delay}`)
  }
  checkArgument(options.delayMeanMs >= options.delayMinMs, 'delayMeanMs is less than delayMinMs')
  checkArgument(options.bytesPerSecond > 0, 'bytesPerSecond must be greater than 0')
  checkArgument(options.queueBytes >= 0, 'queueBytes must not be negative')
  return options
}
