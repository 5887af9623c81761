import { bytesKey } from '../core/bytes.js'
import { guidWord, type Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { Rng } from '../core/rng.js'
import { md5 } from '../native/digest.js'
import type { GraphRecord } from '../wire/graph/record.js'

/** The half of an ID that tells the creator. */
interface High {
  readonly word0: number
  readonly word1: number
}

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
function acceptedHighs(creatorId: string): readonly High[] {
  const plain = [
    writtenHigh(creatorId),
    folded(md5(utf16(creatorId, true))),
    folded(md5(utf16(`${creatorId}\0`, false))),
    folded(md5(utf16(`${creatorId}\0`, true))),
  ]
  return [...plain, ...plain.map(turned)].map(highOf)
}

/** Checks that Record IDs belong to their creators (3.1.7.27); remembers the hashes of some. */
export class RecordIdCheck {
  /** Creator → forms known so far: the first one, or all eight (GA-09). The oldest goes first. */
  readonly #known = new Map<string, readonly High[]>()
  #lastCreator = ''
  #lastHighs: readonly High[] = []

  /** Creators that are remembered. */
  get size(): number {
    return this.#known.size
  }

  /** Of an ID, or of that of a record. */
  belongs(id: Guid | GraphRecord, creatorId: string): boolean {
    let highs = creatorId === this.#lastCreator ? this.#lastHighs : this.#highsOf(creatorId)
    if (matches(id, highs)) return true
    if (highs.length > 1) return false
    highs = this.#remember(creatorId, acceptedHighs(creatorId))
    return matches(id, highs)
  }

  #highsOf(creatorId: string): readonly High[] {
    const known = this.#known.get(creatorId)
    if (known === undefined) return this.#remember(creatorId, [highOf(writtenHigh(creatorId))])
    this.#lastCreator = creatorId
    this.#lastHighs = known
    return known
  }

  #remember(creatorId: string, highs: readonly High[]): readonly High[] {
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

function matches(id: Guid | GraphRecord, highs: readonly High[]): boolean {
  const isText = typeof id === 'string'
  const word0 = isText ? guidWord(id, 0) : id.idWord(0)
  const word1 = isText ? guidWord(id, 1) : id.idWord(1)
  for (const high of highs) if (high.word0 === word0 && high.word1 === word1) return true
  return false
}

function highOf(text: string): High {
  return { word0: guidWord(text as Guid, 0), word1: guidWord(text as Guid, 1) }
}
