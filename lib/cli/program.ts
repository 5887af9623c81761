import { Command } from 'commander'
import { addCloudCommands } from './commands/cloud.js'
import { addContentCommands } from './commands/content.js'
import { addDaemonCommand } from './commands/daemon.js'
import { addDemoCommand } from './commands/demo.js'
import { addDoctorCommand } from './commands/doctor.js'
import { addGraphDecodeCommand } from './commands/graph-decode.js'
import { addGraphCommands } from './commands/graph/graph.js'
import { addIdentityCommands } from './commands/identity.js'
import { addPeerCommands } from './commands/peer.js'
import { addPnrpCommands } from './commands/pnrp.js'
import { EXIT } from './output.js'

/** The whole command; `version` is the package's. */
export function createProgram(version: string): Command {
  const program = new Command('peernet')
    .description('Peer-to-peer without servers on IPv6: names (PNRP v4) and graphs (MS-PPGRH)')
    .version(version, '-V, --version')
    .option('--json', 'one JSON value a line instead of text')
    .option('--no-color', 'no colour')
    .option('--no-daemon', 'run a node in this process even when a daemon runs')
    .showHelpAfterError('(`--help` lists the options)')
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage)
    })
  addDemoCommand(program)
  addDaemonCommand(program)
  addDoctorCommand(program)
  addIdentityCommands(program)
  addCloudCommands(program)
  addPeerCommands(program)
  addPnrpCommands(program)
  addGraphCommands(program)
  // After the command that it belongs to.
  addGraphDecodeCommand(program)
  addContentCommands(program)
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version}\n`)
    })
  return program
}
