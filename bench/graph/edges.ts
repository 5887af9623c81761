// The edges of the graph that peernet formed, for the raw flood to use the same in the same round:
// the trials are processes of one run.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export type Edge = readonly [number, number]

const fileOf = (nodes: number): string =>
  path.join(os.tmpdir(), `peernet-bench-${process.ppid}-edges-${nodes}.json`)

export function writeEdges(nodes: number, edges: readonly Edge[]): void {
  writeFileSync(fileOf(nodes), JSON.stringify(edges))
}

export function readEdges(nodes: number): readonly Edge[] {
  return JSON.parse(readFileSync(fileOf(nodes), 'utf8')) as readonly Edge[]
}
