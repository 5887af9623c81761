import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import { runAction } from '../session.js'

const NODES = 64
const MIN_NODES = 8
const MAX_NODES = 512
const TRANSPORTS = ['native', 'portable', 'dgram'] as const

/** `peernet demo`: what `npm start` runs. */
export function addDemoCommand(program: Command): void {
  const demo = program
    .command('demo')
    .description('a guided tour: a cloud and a graph of real nodes on ::1')
    .option('--nodes <count>', `how many nodes, ${MIN_NODES} to ${MAX_NODES}`, String(NODES))
    .option('--transport <kind>', TRANSPORTS.join(', '), 'native')
  demo.action((flags: { nodes: string; transport: string }) =>
    runAction(demo, async (output) => {
      const nodes = Number(flags.nodes)
      const transport = TRANSPORTS.find((kind) => kind === flags.transport)
      if (!Number.isInteger(nodes) || nodes < MIN_NODES || nodes > MAX_NODES) {
        throw new PeernetError('ERR_PEERNET_INVALID_ARG', `--nodes is ${MIN_NODES} to ${MAX_NODES}`)
      }
      if (transport === undefined) {
        throw new PeernetError('ERR_PEERNET_INVALID_ARG', `no such transport: ${flags.transport}`)
      }
      // Only here: it brings the simulator with it.
      const { runDemo } = await import('../demo/demo.js')
      await runDemo(output, { nodes, transport })
    }),
  )
}
