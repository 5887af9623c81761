import * as assert from 'uvu/assert'
import { drawDot, drawSvg } from '#lib/cli/picture/files.js'
import { layout, type Mesh } from '#lib/cli/picture/layout.js'
import { drawTerminal } from '#lib/cli/picture/terminal.js'
import { test } from '../../harness.js'

const names = (...labels: string[]): Mesh['nodes'] => labels.map((label) => ({ label }))

/** Figure 1 of MS-PPGRH: 1-2, 2-3, 1-7, 7-8, 1-8, 2-6, 6-8, 6-9, 8-9, 3-4, 4-5, 3-5, 9-5. */
const figure1: Mesh = {
  nodes: names('1', '2', '3', '4', '5', '6', '7', '8', '9'),
  edges: [
    [0, 1],
    [1, 2],
    [0, 6],
    [6, 7],
    [0, 7],
    [1, 5],
    [5, 7],
    [5, 8],
    [7, 8],
    [2, 3],
    [3, 4],
    [2, 4],
    [8, 4],
  ],
}

test('places lie in the unit square, apart from each other, and never change', () => {
  const places = layout(figure1)
  assert.equal(places, layout(figure1))
  for (const { x, y } of places) assert.ok(x >= 0 && x <= 1 && y >= 0 && y <= 1)
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 0.05)
  }
})

test('neighbours stand nearer to each other than strangers do, on average', () => {
  const places = layout(figure1)
  const distance = (a: number, b: number): number =>
    Math.hypot(
      (places[a]?.x as number) - (places[b]?.x as number),
      (places[a]?.y as number) - (places[b]?.y as number),
    )
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const isEdge = (a: number, b: number): boolean =>
    figure1.edges.some(([c, d]) => (a === c && b === d) || (a === d && b === c))
  const strangers: number[] = []
  for (let a = 0; a < 9; a++) {
    for (let b = 0; b < a; b++) if (!isEdge(a, b)) strangers.push(distance(a, b))
  }
  assert.ok(mean(figure1.edges.map(([a, b]) => distance(a, b))) < 0.7 * mean(strangers))
})

test('the terminal shows every node and its name within its size', () => {
  const mesh = { ...figure1, nodes: figure1.nodes.map(({ label }) => ({ label: `n${label}` })) }
  const lines = drawTerminal(mesh, { columns: 60, rows: 20 })
  assert.is(lines.length, 20)
  for (const line of lines) assert.ok([...line].length <= 60)
  const text = lines.join('\n')
  assert.is(text.split('●').length - 1, 9)
  for (const { label } of mesh.nodes) assert.ok(text.includes(`● ${label}`), label)
  assert.match(text, /[\u2801-\u28ff]/)
})

test('a lone node, no node, and a mesh in pieces can be drawn', () => {
  assert.equal(drawTerminal({ nodes: [], edges: [] }, { columns: 4, rows: 1 }), [''])
  const alone = drawTerminal({ nodes: [{ label: 'me', self: true }], edges: [] }, size)
  assert.match(alone.join('\n'), /◉ me/)
  const pieces = layout({ nodes: names('a', 'b', 'c', 'd'), edges: [[0, 1]] })
  assert.ok(pieces.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
})

const size = { columns: 30, rows: 5 }

test('SVG and DOT carry all nodes and edges, and names cannot break out', () => {
  const evil = '"</text><script>\\'
  const mesh: Mesh = { nodes: names(evil, 'b'), edges: [[0, 1]] }
  const svg = drawSvg(mesh)
  assert.is(svg.split('<circle').length - 1, 2)
  assert.is(svg.split('<line').length - 1, 1)
  assert.not.match(svg, /<script/)
  assert.is(
    drawDot(mesh),
    'graph peernet {\n  n0 [label="\\"</text><script>\\\\"];\n  n1 [label="b"];\n  n0 -- n1;\n}\n',
  )
})

test.run()
