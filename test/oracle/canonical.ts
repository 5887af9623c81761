// The lenient readings, as a function: a well-formed datagram with everything that a receiver has
// to ignore set as a sender sets it. It walks elements by their Lengths, and knows nothing of the
// codec under test. spec/deviations.md has the same list in words.
import { AUTHORITY_BUFFER, MESSAGES } from './tables.js'
import type { ElementRow, MessageRow } from './tables.js'

/** Bytes of an element's content that are reserved: offset and length. */
const RESERVED: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  0x0043: [[2, 1]],
  0x0044: [[0, 1]],
  0x0045: [[6, 2]],
  0x009a: [[36, 1]],
}

class Rewriter {
  readonly #out: Uint8Array
  readonly #view: DataView

  constructor(out: Uint8Array) {
    this.#out = out
    this.#view = new DataView(out.buffer, out.byteOffset, out.length)
  }

  /** Rewrites the elements from `at` on in place; where the last one, with its padding, ends. */
  elements(rows: readonly ElementRow[], known: number, at: number): number {
    let end = at
    let padded = false
    for (const row of rows) {
      if (end + 4 > this.#out.length || this.#view.getUint16(end) !== row.field) continue
      const length = this.#view.getUint16(end + 2)
      this.#content(row, known, end + 4)
      const next = end + length + (-length & 3)
      // padding: zero, and there (the caller has left room) exactly where the layout has it
      this.#out.fill(0, end + length, next)
      padded = row.padded === true || row !== rows.at(-1)
      end = padded ? next : end + length
    }
    return end
  }

  #content(row: ElementRow, known: number, at: number): void {
    for (const [offset, length] of RESERVED[row.field] ?? []) {
      this.#out.fill(0, at + offset, at + offset + length)
    }
    if (row.fields?.some(([name]) => name === 'flags') === true) {
      this.#view.setUint16(at, this.#view.getUint16(at) & known)
    }
    if (row.name === 'cpa' || row.name === 'revokeCpa') cleanCpa(this.#out.subarray(at))
    if (row.name === 'extendedPayload') this.#out.fill(0, at + 4, at + 6)
  }
}

/** What encoding a decoded CPA again has to give. */
export function canonicalCpa(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  cleanCpa(copy)
  return copy
}

function cleanCpa(cpa: Uint8Array): void {
  const length = (cpa[0] as number) | ((cpa[1] as number) << 8)
  const key = length - 136 - 169
  cpa[6] = (cpa[6] as number) & 0x3f
  cpa[7] = 0
  for (const at of [key + 4, key + 5, key + 8]) cpa[at] = 0
}

const knownBits = (row: MessageRow): number =>
  Object.values(row.bits ?? {}).reduce((mask, bit) => mask | bit, 0)

/** What `reencoded` has to be for a datagram that `decode` accepts. */
export function canonical(bytes: Uint8Array): Uint8Array {
  // room for padding that was left out
  const out = new Uint8Array(bytes.length + 3)
  out.set(bytes)
  const rewriter = new Rewriter(out)
  const row = MESSAGES.get(bytes[7] as number) as MessageRow
  if (row.type === 'AUTHORITY') return authority(out, bytes.length, rewriter, row)
  let end = rewriter.elements(row.elements, knownBits(row), 12)
  // an ACK's flags are there only to say N
  if (row.type === 'ACK' && end === 26 && out[25] === 0) end = 20
  return out.slice(0, end)
}

function authority(out: Uint8Array, length: number, rewriter: Rewriter, row: MessageRow) {
  const view = new DataView(out.buffer)
  const slice = length - 28
  rewriter.elements(row.elements, 0, 12)
  if (view.getUint16(24) !== slice) return out.slice(0, length)
  const end = rewriter.elements(AUTHORITY_BUFFER.elements, knownBits(AUTHORITY_BUFFER), 28)
  view.setUint16(24, end - 28)
  return out.slice(0, end)
}
