import type { Instant } from '../core/instant.js'

/** What the log of a simulation tells apart. */
export const LOG_KINDS = [
  'send',
  'deliver',
  'drop',
  'timer',
  'local',
  'crypto',
  'add',
  'remove',
  'network',
  'stream',
] as const

export type LogKind = (typeof LOG_KINDS)[number]

/** One line of the log. What `subject` and `detail` mean depends on the kind. */
export interface LogEntry {
  readonly at: Instant
  readonly kind: LogKind
  /** The node that acts or is acted on. */
  readonly node: number
  /** Packet number, for packets; else 0. */
  readonly packet: number
  /** Kind-dependent: the other node, the drop reason's number, the size of a group. */
  readonly detail: number
}

const KIND_NUMBER = Object.fromEntries(LOG_KINDS.map((kind, n) => [kind, n])) as Record<
  LogKind,
  number
>

/**
 * Everything that happens in a simulation goes through here and into one running hash: two runs
 * with the same hash did the same things at the same times with the same bytes. On request the last
 * entries are kept too. Not a cryptographic hash.
 */
export class EventLog {
  #low = 0x811c9dc5
  #high = 0x9e3779b9
  #count = 0
  readonly #kept: LogEntry[] = []
  readonly #keep: number

  /** @param keep how many of the latest entries are kept for `tail` */
  constructor(keep = 0) {
    this.#keep = keep
  }

  /** Events so far. */
  get count(): number {
    return this.#count
  }

  /** 16 hex digits over everything recorded so far. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }

  record(at: Instant, kind: LogKind, node: number, packet = 0, detail = 0): void {
    this.#count++
    this.#word((at % 0x1_0000_0000) >>> 0)
    this.#word(Math.floor(at / 0x1_0000_0000))
    this.#word(Math.imul(KIND_NUMBER[kind] + 1, 0x01000193) ^ node)
    this.#word(packet >>> 0)
    this.#word(detail)
    if (this.#keep > 0) {
      if (this.#kept.length >= this.#keep * 2) this.#kept.splice(0, this.#keep)
      this.#kept.push({ at, kind, node, packet, detail })
    }
  }

  /** Takes the bytes of a datagram into the hash. */
  recordBytes(bytes: Uint8Array): void {
    const whole = bytes.length & ~3
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < whole; i += 4) {
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24)
      low = Math.imul(low ^ word, 0x01000193)
      high = Math.imul((high << 13) | (high >>> 19), 5) + (low ^ (low >>> 15))
    }
    this.#low = low
    this.#high = high | 0
    let rest = bytes.length << 24
    for (let i = whole; i < bytes.length; i++) rest ^= (bytes[i] as number) << ((i - whole) * 8)
    this.#word(rest)
  }

  /** The latest entries, oldest first: at most as many as the log was told to keep. */
  tail(count = this.#keep): readonly LogEntry[] {
    return this.#kept.slice(-Math.min(count, this.#keep) || this.#kept.length)
  }

  #word(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193)
    this.#high =
      (Math.imul((this.#high << 13) | (this.#high >>> 19), 5) + (this.#low ^ (this.#low >>> 15))) |
      0
  }
}
