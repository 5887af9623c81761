/** Small byte helpers shared by all rooms. */

// Called on the bytes as they are: a Buffer around them would cost more than the text.
const { hexSlice, latin1Slice } = Buffer.prototype as unknown as Record<
  'hexSlice' | 'latin1Slice',
  (this: Uint8Array) => string
>

/** The bytes as a string usable as a Map key (one char a byte; not for display). */
export function bytesKey(bytes: Uint8Array): string {
  return latin1Slice.call(bytes)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Do these bytes stand at that offset? */
export function bytesAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  if (bytes.length - at < part.length) return false
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

/** Are the first `bits` bits the same? Not if there are fewer; both have the same length. */
export function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (bits > 8 * a.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const shift = 8 - (bits & 7)
  return shift === 8 || ((a[whole] as number) ^ (b[whole] as number)) >> shift === 0
}

/** Lexicographic, which for equal lengths is also numeric big-endian order: <0, 0, >0. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number)
    if (d !== 0) return d
  }
  return a.length - b.length
}

export function isAllZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function reversedBytes(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer shares its memory.
  return new Uint8Array(bytes).reverse()
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return hexSlice.call(bytes)
}

/** Of a hex digit in either case. */
function digit(code: number): number {
  return (code & 0x0f) + (code > 0x39 ? 9 : 0)
}

/** Bytes of an even-length hex string, or undefined when it is not one. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digit(hex.charCodeAt(2 * i)) << 4) | digit(hex.charCodeAt(2 * i + 1))
  }
  return bytes
}

/**
 * Memory whose content is whatever was there before: every byte has to be written before it is
 * read.
 */
export function uninitializedBytes(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}
