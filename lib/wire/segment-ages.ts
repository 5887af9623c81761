/**
 * The extensible blob, version 1: how long ago segments were first cached (MS-PCCRR 2.2.6, also in
 * MS-PCCRD 2.2.3.9).
 */
export interface SegmentAge {
  /** Which segment: of the request's IDs, counted from the carrier's first range (DA-40). */
  readonly index: number
  readonly ageMs: number
}

/** SegmentAgeUnits: milliseconds in each. */
const UNIT_MS = [undefined, 1000, 100, 10, 1] as const
/** 2.2.6.1: what senders should use, hundredths of a second. */
const SENT_UNIT = 3
const LONGEST_AGE = 0xffffff
const MOST = 255

/** At most 255 ages; those too great for 24 bits become the greatest (DA-36). */
export function encodeSegmentAges(ages: readonly SegmentAge[]): Uint8Array {
  const sent = ages.filter(({ index }) => index >= 0 && index <= 255).slice(0, MOST)
  const out = new Uint8Array(4 + 4 * sent.length)
  out.set([0, 1, SENT_UNIT, sent.length])
  sent.forEach(({ index, ageMs }, i) => {
    const age = Math.min(Math.max(0, Math.floor(ageMs / 10)), LONGEST_AGE)
    out.set([index, age & 0xff, (age >> 8) & 0xff, age >> 16], 4 + 4 * i)
  })
  return out
}

/**
 * The ages in a blob; undefined when it is to be discarded, which leaves its carrier as it is. The
 * order of the checks is that of 2.2.6.1.1.
 */
export function decodeSegmentAges(blob: Uint8Array): SegmentAge[] | undefined {
  if (blob.length < 2 || blob[0] !== 0 || blob[1] !== 1) return undefined
  if (blob.length < 4) return undefined
  const unit = UNIT_MS[blob[2] as number]
  const count = blob[3] as number
  if (unit === undefined || blob.length < 4 * (count + 1)) return undefined
  const byte = (at: number): number => blob[at] as number
  return Array.from({ length: count }, (_, i) => {
    const at = 4 + 4 * i
    const age = byte(at + 1) + 256 * byte(at + 2) + 65_536 * byte(at + 3)
    return { index: byte(at), ageMs: age * unit }
  })
}
