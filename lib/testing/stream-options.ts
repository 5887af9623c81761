import { checkArgument } from '../core/errors.js'

/**
 * How the simulated TCP behaves. Latency, jitter and capacity are those of the packet network's
 * links (`LinkOptions`); a lost packet delays what is behind it.
 */
export interface StreamOptions {
  /**
   * Bytes of one direction that the network takes from a writer before the reader's side has
   * acknowledged them (send and receive buffer together). Default 262,144.
   */
  readonly bufferBytes: number
  /** Longest piece that arrives at once. Default 65,536. */
  readonly chunkBytes: number
  /** Share of pieces that are cut once more, at a random place. Default 0.1; 1 hurts most. */
  readonly fragmentation: number
  /** A connection attempt that nobody answers fails after this. Default 20,000. */
  readonly connectTimeoutMs: number
  /**
   * A writer whose bytes nobody acknowledges learns that the connection is dead after this; one
   * that writes nothing never learns it. Default 120,000.
   */
  readonly dataTimeoutMs: number
  /** Delay that one lost packet causes. Default 200. */
  readonly lossDelayMs: number
}

export const DEFAULT_STREAMS: StreamOptions = {
  bufferBytes: 262_144,
  chunkBytes: 65_536,
  fragmentation: 0.1,
  connectTimeoutMs: 20_000,
  dataTimeoutMs: 120_000,
  lossDelayMs: 200,
}

/** The defaults with the given changes; throws ERR_PEERNET_INVALID_ARG. */
export function streamOptions(changes: Partial<StreamOptions>): StreamOptions {
  const options = { ...DEFAULT_STREAMS, ...changes }
  const { bufferBytes, chunkBytes, fragmentation, ...times } = options
  checkArgument(bufferBytes >= 1 && chunkBytes >= 1, 'bufferBytes and chunkBytes are at least 1')
  checkArgument(fragmentation >= 0 && fragmentation <= 1, 'fragmentation lies between 0 and 1')
  for (const [name, ms] of Object.entries(times)) checkArgument(ms > 0, `${name} is above 0`)
  return options
}
