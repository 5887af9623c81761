// Bytes written down by hand. In a template, `#` starts a comment that ends with the line, blanks
// are free, `aa*16` repeats a byte, and interpolated arrays stand for their bytes.

function pieceOf(token: string): number[] {
  const repeated = /^([0-9a-f]{2})\*(\d+)$/.exec(token)
  if (repeated !== null) {
    return new Array<number>(Number(repeated[2])).fill(parseInt(repeated[1] as string, 16))
  }
  if (!/^(?:[0-9a-f]{2})+$/.test(token)) throw new Error(`not hex: ${token}`)
  return [...Buffer.from(token, 'hex')]
}

export function hex(strings: TemplateStringsArray, ...values: Uint8Array[]): Uint8Array {
  const bytes: number[] = []
  for (const [index, text] of strings.entries()) {
    const tokens = text.replaceAll(/#[^\n]*/g, ' ').split(/\s+/)
    for (const token of tokens) if (token !== '') bytes.push(...pieceOf(token))
    bytes.push(...(values[index] ?? []))
  }
  return new Uint8Array(bytes)
}

/** `length` bytes counting up from `first`. */
export function counting(first: number, length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => first + index)
}

/** A copy with the bytes from `at` on replaced. */
export function patched(bytes: Uint8Array, at: number, ...replacement: number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(replacement, at)
  return copy
}

/** A copy with `count` bytes at `at` removed and `inserted` put there. */
export function spliced(
  bytes: Uint8Array,
  at: number,
  count: number,
  inserted: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return new Uint8Array([...bytes.slice(0, at), ...inserted, ...bytes.slice(at + count)])
}
