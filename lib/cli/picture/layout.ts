/** A mesh to draw: nodes by index, undirected edges between them. */
export interface Mesh {
  readonly nodes: readonly { readonly label: string; readonly self?: boolean }[]
  readonly edges: readonly (readonly [number, number])[]
}

export interface Point {
  readonly x: number
  readonly y: number
}

const ROUNDS = 300
/** Cost is rounds x nodes^2: from here on fewer rounds. */
const LARGE = 300
const ROUNDS_LARGE = 60

/**
 * Places of the nodes in the unit square: neighbours attract, all repel (Fruchterman and Reingold
 * 1991), cooling from a start on a circle. The same mesh always gives the same picture.
 */
export function layout({ nodes, edges }: Mesh): Point[] {
  const n = nodes.length
  const x = new Float64Array(n)
  const y = new Float64Array(n)
  // Nodes start in breadth-first order, so that neighbours do not begin on opposite sides.
  for (const [place, node] of breadthFirst(n, edges).entries()) {
    x[node] = 0.5 + 0.4 * Math.cos((2 * Math.PI * place) / n)
    y[node] = 0.5 + 0.4 * Math.sin((2 * Math.PI * place) / n)
  }
  const rounds = n > LARGE ? ROUNDS_LARGE : ROUNDS
  const ideal = Math.sqrt(1 / Math.max(1, n))
  for (let round = 0; round < rounds; round++) {
    relax(x, y, edges, ideal, 0.1 * (1 - round / rounds))
  }
  return fit(x, y)
}

function breadthFirst(n: number, edges: Mesh['edges']): number[] {
  const neighbors = Array.from({ length: n }, (): number[] => [])
  for (const [a, b] of edges) {
    neighbors[a]?.push(b)
    neighbors[b]?.push(a)
  }
  const order: number[] = []
  const met = new Uint8Array(n)
  for (let root = 0; root < n; root++) {
    if (met[root] === 1) continue
    met[root] = 1
    const queue = [root]
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      order.push(node)
      for (const next of neighbors[node] ?? []) {
        if (met[next] === 1) continue
        met[next] = 1
        queue.push(next)
      }
    }
  }
  return order
}

/** One round; no node moves farther than `reach`. */
function relax(
  x: Float64Array,
  y: Float64Array,
  edges: Mesh['edges'],
  ideal: number,
  reach: number,
): void {
  const n = x.length
  const dx = new Float64Array(n)
  const dy = new Float64Array(n)
  const push = (a: number, b: number, strength: (distance: number) => number): void => {
    const ex = (x[a] as number) - (x[b] as number)
    const ey = (y[a] as number) - (y[b] as number)
    const distance = Math.max(1e-6, Math.hypot(ex, ey))
    const force = strength(distance) / distance
    dx[a] = (dx[a] as number) + ex * force
    dy[a] = (dy[a] as number) + ey * force
    dx[b] = (dx[b] as number) - ex * force
    dy[b] = (dy[b] as number) - ey * force
  }
  const repulsion = (distance: number): number => (ideal * ideal) / distance
  const attraction = (distance: number): number => -(distance * distance) / ideal
  for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) push(a, b, repulsion)
  for (const [a, b] of edges) push(a, b, attraction)
  for (let i = 0; i < n; i++) {
    const length = Math.max(1e-9, Math.hypot(dx[i] as number, dy[i] as number))
    const step = Math.min(reach, length) / length
    x[i] = (x[i] as number) + (dx[i] as number) * step
    y[i] = (y[i] as number) + (dy[i] as number) * step
  }
}

/** Stretches the picture over the whole square. */
function fit(x: Float64Array, y: Float64Array): Point[] {
  const scale = (values: Float64Array): ((value: number) => number) => {
    const least = Math.min(...values)
    const span = Math.max(...values) - least
    return (value) => (span < 1e-9 ? 0.5 : (value - least) / span)
  }
  const toX = scale(x)
  const toY = scale(y)
  return Array.from(x, (value, i) => ({ x: toX(value), y: toY(y[i] as number) }))
}
