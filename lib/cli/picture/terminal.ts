import { layout, type Mesh, type Point } from './layout.js'

/** A character of the braille block holds 2 x 4 dots. */
const DOTS_X = 2
const DOTS_Y = 4
const BRAILLE = 0x2800
const BITS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

export interface TerminalPicture {
  readonly columns: number
  readonly rows: number
}

/** Most nodes that get their names; beyond, the names would hide the mesh. */
const NAMED = 40

/**
 * Draws a mesh with text: edges as braille lines, nodes as ● (this one as ◉) with their names
 * beside them where there is room. One string a line, without trailing blanks.
 */
export function drawTerminal(mesh: Mesh, { columns, rows }: TerminalPicture): string[] {
  const canvas = new Canvas(columns, rows)
  const widest = Math.max(0, ...mesh.nodes.map(({ label }) => label.length))
  const named = mesh.nodes.length <= NAMED
  // Names stand to the right of their nodes.
  const right = named ? Math.min(Math.floor(columns / 3), widest + 1) : 0
  const places = layout(mesh).map((point) => ({
    x: Math.round(point.x * (columns - 1 - right)),
    y: Math.round(point.y * (rows - 1)),
  }))
  for (const [a, b] of mesh.edges) {
    canvas.line(places[a] as Point, places[b] as Point)
  }
  for (const [i, { self }] of mesh.nodes.entries()) {
    canvas.put(places[i] as Point, self === true ? '◉' : '●')
  }
  if (named) {
    for (const [i, { label }] of mesh.nodes.entries()) canvas.label(places[i] as Point, label)
  }
  return canvas.lines()
}

class Canvas {
  readonly #columns: number
  readonly #rows: number
  readonly #dots: Uint8Array
  readonly #text = new Map<number, string>()

  constructor(columns: number, rows: number) {
    this.#columns = columns
    this.#rows = rows
    this.#dots = new Uint8Array(columns * rows)
  }

  /** From the middle of one character to that of another. */
  line(from: Point, to: Point): void {
    const x0 = from.x * DOTS_X
    const y0 = from.y * DOTS_Y + 1
    const x1 = to.x * DOTS_X
    const y1 = to.y * DOTS_Y + 1
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
    for (let i = 0; i <= steps; i++) {
      const x = Math.round(x0 + ((x1 - x0) * i) / steps)
      const y = Math.round(y0 + ((y1 - y0) * i) / steps)
      const cell = (y >> 2) * this.#columns + (x >> 1)
      const bit = BITS[(x & 1) as 0 | 1][(y & 3) as 0 | 1 | 2 | 3]
      this.#dots[cell] = (this.#dots[cell] as number) | bit
    }
  }

  put({ x, y }: Point, character: string): void {
    this.#text.set(y * this.#columns + x, character)
  }

  /** To the right of a node, as far as no other text is there. */
  label({ x, y }: Point, label: string): void {
    const text = ` ${label} `
    const start = y * this.#columns + x + 1
    const room = this.#columns - x - 1
    for (let i = 0; i < Math.min(text.length, room); i++) {
      if (this.#text.has(start + i)) return
      this.#text.set(start + i, text[i] as string)
    }
  }

  lines(): string[] {
    return Array.from({ length: this.#rows }, (_, row) => {
      let line = ''
      for (let column = 0; column < this.#columns; column++) {
        const cell = row * this.#columns + column
        const dots = this.#dots[cell] as number
        line += this.#text.get(cell) ?? (dots === 0 ? ' ' : String.fromCharCode(BRAILLE + dots))
      }
      return line.trimEnd()
    })
  }
}
