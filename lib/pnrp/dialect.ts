import { LIMITS } from '../core/limits.js'
import type { SignatureByteOrder } from './crypto-port.js'
import { CLASSIFIER_ENCODINGS, type ClassifierEncoding } from './pnrp-id.js'

/** Order of a byte array inside the CPA: as the specification's text has it reversed, or not. */
export type CpaByteOrder = 'reversed' | 'natural'

/**
 * The points of the wire format that the specification leaves open and only the other side can
 * settle (N-02, N-29, N-42, N-43).
 */
export interface DialectTraits {
  /** Bytes under ClassifierHash (N-02). */
  readonly classifierEncoding: ClassifierEncoding
  /** Of the 128 signature bytes (N-43). */
  readonly signatureByteOrder: SignatureByteOrder
  /** Of Service Location, BinaryAuthority and ClassifierHash in a CPA (N-42). */
  readonly serviceLocationOrder: CpaByteOrder
  readonly authorityOrder: CpaByteOrder
  readonly classifierHashOrder: CpaByteOrder
  /** Is the (zero) nonce of a revoke CPA on the wire (N-29)? */
  readonly revokeNonce: 'present' | 'absent'
}

export type DialectTrait = keyof DialectTraits

/** What the text says, or the best guess where it is silent. */
const SPECIFIED: DialectTraits = {
  classifierEncoding: 'utf-16le',
  signatureByteOrder: 'spec',
  serviceLocationOrder: 'reversed',
  authorityOrder: 'reversed',
  classifierHashOrder: 'natural',
  revokeNonce: 'present',
}

const TRAITS = Object.keys(SPECIFIED) as DialectTrait[]

interface Evidence {
  value: string
  /** Observations of something else since the value was last seen. */
  against: number
}

/**
 * How the other nodes of one cloud speak. Reading is always tolerant; what is learned here decides
 * how this node writes. The first valid observation settles a trait, so until others are heard the
 * first node decides it; what is settled changes only by `LIMITS.dialectEvidence` observations in a
 * row, so that an odd (or hostile) node among others cannot bend a cloud's dialect.
 */
export class Dialect {
  readonly #fixed: Partial<DialectTraits>
  #learned: Map<DialectTrait, Evidence> | undefined
  /** Bit i: CLASSIFIER_ENCODINGS[i] was observed. */
  #encodingsSeen = 0

  /** `fixed` traits are never learned: the switch for those who know the other side. */
  constructor(fixed: Partial<DialectTraits> = {}) {
    this.#fixed = fixed
  }

  get<T extends DialectTrait>(trait: T): DialectTraits[T] {
    const fixed = this.#fixed[trait]
    if (fixed !== undefined) return fixed
    const learned = this.#learned?.get(trait)
    return learned === undefined ? SPECIFIED[trait] : (learned.value as DialectTraits[T])
  }

  get classifierEncoding(): ClassifierEncoding {
    return this.get('classifierEncoding')
  }

  get signatureByteOrder(): SignatureByteOrder {
    return this.get('signatureByteOrder')
  }

  get revokeNonce(): 'present' | 'absent' {
    return this.get('revokeNonce')
  }

  /** The encodings worth trying for a name: the settled one, then others that were observed. */
  classifierEncodings(): ClassifierEncoding[] {
    const settled = this.classifierEncoding
    const own = 1 << CLASSIFIER_ENCODINGS.indexOf(settled)
    if ((this.#encodingsSeen & ~own) === 0) return [settled]
    const others =
      this.#fixed.classifierEncoding === undefined
        ? CLASSIFIER_ENCODINGS.filter((e, i) => e !== settled && (this.#encodingsSeen >> i) & 1)
        : []
    return [settled, ...others]
  }

  /** Takes in an observation from a valid message. True when the dialect changed. */
  learn<T extends DialectTrait>(trait: T, value: DialectTraits[T]): boolean {
    if (this.#fixed[trait] !== undefined) return false
    if (trait === 'classifierEncoding') {
      this.#encodingsSeen |= 1 << CLASSIFIER_ENCODINGS.indexOf(value as ClassifierEncoding)
    }
    this.#learned ??= new Map()
    const evidence = this.#learned.get(trait)
    if (evidence === undefined) {
      this.#learned.set(trait, { value, against: 0 })
      return value !== SPECIFIED[trait]
    }
    if (evidence.value === value) {
      evidence.against = 0
      return false
    }
    evidence.against++
    if (evidence.against < LIMITS.dialectEvidence) return false
    evidence.value = value
    evidence.against = 0
    return true
  }

  /** Each trait as `value (how known)`, for diagnostics. */
  snapshot(): Record<string, string> {
    return Object.fromEntries(TRAITS.map((trait) => [trait, this.#describe(trait)]))
  }

  #describe(trait: DialectTrait): string {
    if (this.#fixed[trait] !== undefined) return `${this.get(trait)} (configured)`
    return `${this.get(trait)} (${this.#learned?.has(trait) === true ? 'observed' : 'assumed'})`
  }
}
