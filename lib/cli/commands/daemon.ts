import type { Command } from 'commander'
import type { Controller } from '../../daemon/controller.js'
import { localService } from '../../daemon/local-service.js'
import { Params } from '../../daemon/params.js'
import { ControlServer } from '../../daemon/server.js'
import { statePaths } from '../../storage/paths.js'
import type { Output } from '../output.js'
import {
  cloudParams,
  runAction,
  untilAborted,
  withCloudFlags,
  type CloudFlags,
} from '../session.js'

/** `peernet daemon`: a node in the foreground that other commands use. */
export function addDaemonCommand(program: Command): void {
  const daemon = withCloudFlags(
    program
      .command('daemon')
      .description('run a node in the foreground; other commands use it while it runs')
      .option('--socket <path>', 'control socket (default by the XDG rules)'),
  )
  daemon.action((flags: CloudFlags & { socket?: string }) =>
    runAction(daemon, async (output, signal) => {
      const path = flags.socket ?? statePaths().controlSocket
      const service = localService({
        defaults: new Params(cloudParams(flags)).cloudOptions(),
        log: (event) => {
          output.value(event)
        },
      })
      const server = await ControlServer.listen(service, path)
      try {
        output.value({ ready: true, socket: path })
        output.line(`Serving ${path}`)
        await join(service, output, signal)
        output.line('Ctrl-C leaves.')
        await untilAborted(signal)
        output.line('Leaving…')
      } finally {
        await server.close()
        await service.close()
      }
    }),
  )
}

async function join(controller: Controller, output: Output, signal: AbortSignal): Promise<void> {
  try {
    const cloud = (await controller.call('cloud.join', {}, { signal })) as {
      reason: string
      state: string
    }
    output.line(`Cloud ${cloud.state}: ${cloud.reason}`)
  } catch (error) {
    // Told to go while it was still looking for others.
    if (!signal.aborted) throw error
  }
}
