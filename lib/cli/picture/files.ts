import { layout, type Mesh, type Point } from './layout.js'

const SIZE = 800
const MARGIN = 60
const RADIUS = 7

const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** A picture of its own for browsers and documents. */
export function drawSvg(mesh: Mesh): string {
  const scale = SIZE - 2 * MARGIN
  const places = layout(mesh).map(({ x, y }) => ({ x: MARGIN + x * scale, y: MARGIN + y * scale }))
  const place = (i: number): Point => places[i] as Point
  const at = (value: number): string => value.toFixed(1)
  const lines = mesh.edges.map(([a, b]) => {
    const [from, to] = [place(a), place(b)]
    return `    <line x1="${at(from.x)}" y1="${at(from.y)}" x2="${at(to.x)}" y2="${at(to.y)}"/>`
  })
  const nodes = mesh.nodes.map(({ label, self }, i) => {
    const { x, y } = place(i)
    const colour = self === true ? '#c2410c' : '#1d4ed8'
    return (
      `    <circle cx="${at(x)}" cy="${at(y)}" r="${RADIUS}" fill="${colour}"/>` +
      `<text x="${at(x + RADIUS + 4)}" y="${at(y + 4)}">${escapeXml(label)}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" width="${SIZE}">`,
    '  <rect width="100%" height="100%" fill="white"/>',
    '  <g stroke="#94a3b8" stroke-width="1.5">',
    ...lines,
    '  </g>',
    '  <g font-family="sans-serif" font-size="12" fill="#0f172a">',
    ...nodes,
    '  </g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Graphviz's language: `neato -Tpng topology.dot`. */
export function drawDot(mesh: Mesh): string {
  const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
  const nodes = mesh.nodes.map(
    ({ label, self }, i) =>
      `  n${i} [label=${quote(label)}${self === true ? ', style=filled' : ''}];`,
  )
  const edges = mesh.edges.map(([a, b]) => `  n${a} -- n${b};`)
  return ['graph peernet {', ...nodes, ...edges, '}', ''].join('\n')
}
