import { concatBytes } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'

/**
 * The little of ASN.1 DER (X.690) that PNRP certificates need, written by hand because every octet
 * of them counts. Reading is strict: definite, shortest lengths, one-byte tags, nothing left over,
 * and a depth that input cannot exceed.
 */

/** Thrown by the reader on anything but strict DER; callers in this room turn it into a refusal. */
export class MalformedDer extends Error {}

export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** Context-specific tag: constructed (explicit, or an implicit SEQUENCE) unless `primitive`. */
export function contextTag(n: number, primitive = false): number {
  return (primitive ? 0x80 : 0xa0) | n
}

/** Reads the elements of one constructed value, or of a whole input, in order. */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #depth: number
  #at = 0

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > LIMITS.derDepth) throw new MalformedDer('nested too deeply')
    this.#bytes = bytes
    this.#depth = depth
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** Content of the next element, which has to have this tag. */
  content(tag: number): Uint8Array {
    return this.#element(tag).content
  }

  /** The next element with its tag and length, and a reader of its content. */
  whole(tag: number): { readonly bytes: Uint8Array; readonly inside: DerReader } {
    const { bytes, content } = this.#element(tag)
    return { bytes, inside: new DerReader(content, this.#depth + 1) }
  }

  /** Reader of the next element's content. */
  inside(tag: number): DerReader {
    return this.whole(tag).inside
  }

  /** Reader of the next element's content if it has this tag. */
  optional(tag: number): DerReader | undefined {
    return this.nextTag === tag ? this.inside(tag) : undefined
  }

  /** Steps over the next element, whatever it is. */
  skip(): void {
    const tag = this.nextTag
    if (tag === undefined) throw new MalformedDer('an element is missing')
    this.#element(tag)
  }

  /** Everything has to be read. */
  end(): void {
    if (!this.atEnd) throw new MalformedDer('trailing bytes')
  }

  objectIdentifier(): string {
    return readObjectIdentifier(this.content(Tag.OBJECT_IDENTIFIER))
  }

  /** DER knows TRUE as FF only. */
  boolean(): boolean {
    const content = this.content(Tag.BOOLEAN)
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw new MalformedDer('not a BOOLEAN')
    }
    return content[0] === 0xff
  }

  /** Octets of a BIT STRING without unused bits. */
  bitString(): Uint8Array {
    const content = this.content(Tag.BIT_STRING)
    if (content[0] !== 0) throw new MalformedDer('unused bits')
    return content.subarray(1)
  }

  #element(tag: number): { bytes: Uint8Array; content: Uint8Array } {
    const start = this.#at
    if (this.nextTag !== tag) throw new MalformedDer(`expected tag ${tag}`)
    if ((tag & 0x1f) === 0x1f) throw new MalformedDer('a tag of several bytes')
    const length = this.#length(start + 1)
    const contentAt = this.#at
    const end = contentAt + length
    if (end > this.#bytes.length) throw new MalformedDer('truncated')
    this.#at = end
    return {
      bytes: this.#bytes.subarray(start, end),
      content: this.#bytes.subarray(contentAt, end),
    }
  }

  /** Reads a length at `at` and leaves the position behind it. */
  #length(at: number): number {
    const first = this.#bytes[at]
    if (first === undefined) throw new MalformedDer('truncated')
    if (first < 0x80) {
      this.#at = at + 1
      return first
    }
    const count = first & 0x7f
    // 0x80 alone is the indefinite form of BER; three octets exceed every limit here.
    if (count === 0 || count > 2) throw new MalformedDer('length')
    let length = 0
    for (let i = 1; i <= count; i++) {
      const octet = this.#bytes[at + i]
      if (octet === undefined) throw new MalformedDer('truncated')
      length = (length << 8) | octet
    }
    if (length < (count === 1 ? 0x80 : 0x100)) throw new MalformedDer('length is not the shortest')
    this.#at = at + 1 + count
    return length
  }
}

function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  let fresh = true
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new MalformedDer('arc is not the shortest')
    arc = arc * 128 + (octet & 0x7f)
    if (arc > 0xffff_ffff) throw new MalformedDer('arc too large')
    fresh = (octet & 0x80) === 0
    if (!fresh) continue
    arcs.push(arc)
    arc = 0
  }
  const [joint] = arcs
  if (!fresh || joint === undefined) throw new MalformedDer('not an OBJECT IDENTIFIER')
  const first = Math.min(2, Math.floor(joint / 40))
  return [first, joint - first * 40, ...arcs.slice(1)].join('.')
}

/** One element: tag, shortest length, and the parts one after another. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  const n = content.length
  const header = n < 0x80 ? [tag, n] : n < 0x100 ? [tag, 0x81, n] : [tag, 0x82, n >> 8, n & 0xff]
  if (n > 0xffff) throw new RangeError('longer than any element here may be')
  return concatBytes(Uint8Array.from(header), content)
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(Tag.SEQUENCE, ...parts)
}

export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left & 0x7f) | 0x80)
    }
    octets.push(...groups)
  }
  return der(Tag.OBJECT_IDENTIFIER, Uint8Array.from(octets))
}

export const derNull = (): Uint8Array => der(Tag.NULL)
export const derTrue = (): Uint8Array => der(Tag.BOOLEAN, Uint8Array.of(0xff))

export function octetString(...parts: readonly Uint8Array[]): Uint8Array {
  return der(Tag.OCTET_STRING, ...parts)
}

export function bitString(octets: Uint8Array): Uint8Array {
  return der(Tag.BIT_STRING, Uint8Array.of(0), octets)
}
