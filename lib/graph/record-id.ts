import { bytesKey } from '../core/bytes.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { Rng } from '../core/rng.js'
import { md5 } from '../native/digest.js'

/** High and low 64 bits XORed, as 8 Latin-1 characters. */
function folded(bytes: Uint8Array): string {
  const out = new Uint8Array(8)
  for (let i = 0; i < 8; i++) out[i] = (bytes[i] as number) ^ (bytes[i + 8] as number)
  return bytesKey(out)
}

/** The eight bytes as a little-endian GUID shows them on the wire. */
function turned(high: string): string {
  return [3, 2, 1, 0, 5, 4, 7, 6].map((i) => high.charAt(i)).join('')
}

function utf16(text: string, bigEndian: boolean): Uint8Array {
  const bytes = Buffer.from(text, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

/** What this node writes: UTF-16LE without NUL (GA-09). */
function writtenHigh(creatorId: string): string {
  return folded(md5(utf16(creatorId, false)))
}

/** MS-PPGRH 3.1.7.2: the high half tells the creator, the low half is random. */
export class RecordIds {
  readonly #high: string
  readonly #rng: Rng

  constructor(creatorId: string, rng: Rng) {
    this.#high = writtenHigh(creatorId)
    this.#rng = rng
  }

  create(): Guid {
    return (this.#high + folded(this.#rng.bytes(16))) as Guid
  }
}

/** Forms of a creator's hash that are accepted, the one that this node writes first. */
function acceptedHighs(creatorId: string): readonly string[] {
  const plain = [
    writtenHigh(creatorId),
    folded(md5(utf16(creatorId, true))),
    folded(md5(utf16(`${creatorId}\0`, false))),
    folded(md5(utf16(`${creatorId}\0`, true))),
  ]
  return [...plain, ...plain.map(turned)]
}

/** Checks that Record IDs belong to their creators (3.1.7.27); remembers the hashes of some. */
export class RecordIdCheck {
  /** Creator → forms known so far: the first one, or all eight (GA-09). The latest used is last. */
  readonly #known = new Map<string, readonly string[]>()
  #lastCreator = ''
  #lastHighs: readonly string[] = []

  /** Creators that are remembered. */
  get size(): number {
    return this.#known.size
  }

  belongs(id: Guid, creatorId: string): boolean {
    let highs = creatorId === this.#lastCreator ? this.#lastHighs : this.#highsOf(creatorId)
    if (matches(id, highs)) return true
    if (highs.length > 1) return false
    highs = this.#remember(creatorId, acceptedHighs(creatorId))
    return matches(id, highs)
  }

  #highsOf(creatorId: string): readonly string[] {
    const known = this.#known.get(creatorId)
    return this.#remember(creatorId, known ?? [writtenHigh(creatorId)])
  }

  #remember(creatorId: string, highs: readonly string[]): readonly string[] {
    this.#known.delete(creatorId)
    this.#known.set(creatorId, highs)
    if (this.#known.size > LIMITS.graphKnownCreators) {
      const [oldest] = this.#known.keys()
      this.#known.delete(oldest as string)
    }
    this.#lastCreator = creatorId
    this.#lastHighs = highs
    return highs
  }
}

function matches(id: Guid, highs: readonly string[]): boolean {
  for (const high of highs) if (id.startsWith(high)) return true
  return false
}
