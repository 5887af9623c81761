import type { Command } from 'commander'
import { addFiles } from './files.js'
import { addMesh } from './mesh.js'
import { addRecords } from './records.js'
import { addServe } from './serve.js'

/** `peernet graph …` */
export function addGraphCommands(program: Command): void {
  const graph = program
    .command('graph')
    .description('meshes of nodes that all hold the same records')
  addServe(graph)
  addRecords(graph)
  addMesh(graph)
  addFiles(graph)
}
