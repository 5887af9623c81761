import type { Json } from '../daemon/controller.js'

/** Exit statuses of the command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
const CODES: Record<Style, string> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  cyan: '36',
}

export interface OutputStreams {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly err: { write(text: string): unknown }
}

/** Prints for people, or one JSON value a line with `--json`; colour only on a terminal. */
export class Output {
  readonly json: boolean
  readonly colour: boolean
  readonly #streams: OutputStreams

  constructor(streams: OutputStreams, options: { json: boolean; noColour?: boolean }) {
    this.#streams = streams
    this.json = options.json
    this.colour = !options.json && streams.out.isTTY === true && options.noColour !== true
  }

  /** A line for people; nothing with `--json`. */
  line(text = ''): void {
    if (!this.json) this.#streams.out.write(`${text}\n`)
  }

  /** A value for programs; nothing without `--json`. */
  value(value: Json): void {
    if (this.json) this.#streams.out.write(`${JSON.stringify(value)}\n`)
  }

  /** Goes to standard error in both modes. */
  problem(text: string): void {
    this.#streams.err.write(`${text}\n`)
  }

  paint(style: Style, text: string): string {
    return this.colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }

  /** Aligned columns; the last one is not padded. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    if (this.json) return
    const widths = header.map((title, column) =>
      Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
    )
    const format = (row: readonly string[]): string =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd()
    this.line(this.paint('bold', format(header)))
    for (const row of rows) this.line(format(row))
  }
}

/** Text from the network made safe for a terminal: control characters become `\xNN`. */
export function safeText(text: string): string {
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) as number
    const control =
      code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029
    const bidi = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
    out += control || bidi ? `\\x${code.toString(16).padStart(2, '0')}` : char
  }
  return out
}

/** `1.2 ms`, `350 ms`, `2.5 s`. */
export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  return `${(ms / 1000).toFixed(1)} s`
}

/** A PNRP ID shortened for people: its ends identify it well enough. */
export function shortId(hex: string): string {
  return hex.length === 64 ? `${hex.slice(0, 8)}…${hex.slice(-8)}` : hex
}
