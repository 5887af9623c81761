/**
 * Punycode (RFC 3492) for classifiers. Host names know neither case nor most signs, so that only
 * a-z, 0-9 and '-' count as basic here. Other ASCII is moved behind the end of Unicode, so that a
 * classifier without any gets exactly the encoding of the RFC.
 */

const BASE = 36
const T_MIN = 1
const T_MAX = 26
const SKEW = 38
const DAMP = 700
const INITIAL_BIAS = 72
const INITIAL_N = 0x80

const HYPHEN = 0x2d
/** Where ASCII that is not basic goes: U+0041 'A' counts as 0x110041. */
const MOVED = 0x110000
/** Nothing that fits a host name reaches this; what does is refused. */
const OVERFLOW = 0x7fffffff

export interface PunycodeOptions {
  /** Encode '-' like the other signs, where no label could be cut otherwise. */
  readonly escapeHyphens?: boolean
}

const isBasic = (point: number): boolean =>
  (point >= 0x61 && point <= 0x7a) || (point >= 0x30 && point <= 0x39) || point === HYPHEN

/** RFC 3492 section 6.1. */
function adapt(delta: number, points: number, first: boolean): number {
  let left = first ? Math.floor(delta / DAMP) : delta >> 1
  left += Math.floor(left / points)
  let k = 0
  while (left > ((BASE - T_MIN) * T_MAX) >> 1) {
    left = Math.floor(left / (BASE - T_MIN))
    k += BASE
  }
  return k + Math.floor(((BASE - T_MIN + 1) * left) / (left + SKEW))
}

const threshold = (k: number, bias: number): number => Math.min(T_MAX, Math.max(T_MIN, k - bias))

/** a-z are 0..25, 0-9 are 26..35. */
const digitOf = (value: number): string => String.fromCharCode(value + (value < 26 ? 0x61 : 0x16))

function valueOf(digit: number): number {
  if (digit >= 0x61 && digit <= 0x7a) return digit - 0x61
  return digit >= 0x30 && digit <= 0x39 ? digit - 0x16 : BASE
}

/** RFC 3492 section 6.3. */
export function encodePunycode(
  text: string,
  { escapeHyphens = false }: PunycodeOptions = {},
): string {
  const points = Array.from(text, (character) => {
    const point = character.codePointAt(0) as number
    const stays = isBasic(point) ? !(escapeHyphens && point === HYPHEN) : point >= INITIAL_N
    return stays ? point : point + MOVED
  })
  let output = points
    .filter((point) => point < INITIAL_N)
    .map((point) => String.fromCharCode(point))
    .join('')
  const basic = output.length
  if (basic > 0) output += '-'
  let n = INITIAL_N
  let delta = 0
  let bias = INITIAL_BIAS
  for (let handled = basic; handled < points.length; n++, delta++) {
    const next = points.reduce(
      (least, point) => (point >= n && point < least ? point : least),
      OVERFLOW,
    )
    delta += (next - n) * (handled + 1)
    n = next
    for (const point of points) {
      if (point < n) delta++
      if (point !== n) continue
      output += variableLength(delta, bias)
      bias = adapt(delta, handled + 1, handled === basic)
      delta = 0
      handled++
    }
  }
  return output
}

function variableLength(value: number, bias: number): string {
  let digits = ''
  let left = value
  for (let k = BASE; ; k += BASE) {
    const t = threshold(k, bias)
    if (left < t) return digits + digitOf(left)
    digits += digitOf(t + ((left - t) % (BASE - t)))
    left = Math.floor((left - t) / (BASE - t))
  }
}

/**
 * RFC 3492 section 6.2. Undefined for what is no encoding; what is one, but not the one that
 * `encodePunycode` makes, is for the caller to find out. `limit` bounds the code points.
 */
export function decodePunycode(encoded: string, limit: number): string | undefined {
  const delimiter = encoded.lastIndexOf('-')
  const points = Array.from(encoded.slice(0, Math.max(0, delimiter)), (c) => c.charCodeAt(0))
  let n = INITIAL_N
  let i = 0
  let bias = INITIAL_BIAS
  for (let at = delimiter + 1; at < encoded.length;) {
    const start = i
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = at < encoded.length ? valueOf(encoded.charCodeAt(at++)) : BASE
      i += digit * weight
      if (digit >= BASE || i > OVERFLOW) return undefined
      const t = threshold(k, bias)
      if (digit < t) break
      weight *= BASE - t
    }
    const length = points.length + 1
    bias = adapt(i - start, length, start === 0)
    n += Math.floor(i / length)
    i %= length
    if (n >= MOVED + INITIAL_N || length > limit) return undefined
    points.splice(i++, 0, n)
  }
  return String.fromCodePoint(...points.map((point) => (point >= MOVED ? point - MOVED : point)))
}
