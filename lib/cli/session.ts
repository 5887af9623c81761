import type { Command } from 'commander'
import { PeernetError, type ErrorCode } from '../core/errors.js'
import { ControlClient } from '../daemon/client.js'
import type { Controller, JsonObject } from '../daemon/controller.js'
import { localService } from '../daemon/local-service.js'
import { statePaths } from '../storage/paths.js'
import { EXIT, Output } from './output.js'

/** Options that every command understands. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly color?: boolean
  /** false by `--no-daemon`: run a node in this process even if a daemon runs. */
  readonly daemon?: boolean
}

/** Options that choose a cloud. */
export interface CloudFlags {
  readonly cloud?: string
  readonly address?: string[]
  readonly port?: string
  readonly seed?: string[]
  readonly ssdp?: boolean
  readonly transport?: string
}

/** Adds the options that choose a cloud. */
export function withCloudFlags(command: Command): Command {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  return command
    .option(
      '--cloud <scope>',
      'global, link-local, site-local or loopback; link-local%eth0 names an interface',
    )
    .option('--address <address>', 'listen on this address (repeatable)', collect)
    .option('--port <number>', 'UDP port; 0 takes any free one (default 3540)')
    .option('--seed <node>', '[address]:port or name:port to ask first (repeatable)', collect)
    .option('--no-ssdp', 'do not search or announce by multicast')
    .option('--transport <kind>', 'native, portable or dgram (default native)')
}

/** The flags as parameters of a service call. */
export function cloudParams(flags: CloudFlags): JsonObject {
  const [scope, zone] = flags.cloud?.split('%') ?? []
  if (flags.port !== undefined && !/^\d{1,5}$/.test(flags.port)) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', `not a port number: ${flags.port}`)
  }
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(zone === undefined ? {} : { interface: zone }),
    ...(flags.address === undefined ? {} : { addresses: flags.address }),
    ...(flags.port === undefined ? {} : { port: Number(flags.port) }),
    ...(flags.seed === undefined ? {} : { seeds: flags.seed }),
    ...(flags.ssdp === false ? { ssdp: false } : {}),
    ...(flags.transport === undefined ? {} : { transport: flags.transport }),
  }
}

/** What a command's action gets. */
export interface Session {
  readonly output: Output
  readonly controller: Controller
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

export function outputOf(command: Command): Output {
  const options = command.optsWithGlobals<GlobalOptions>()
  return new Output(
    { out: process.stdout, err: process.stderr },
    {
      json: options.json === true,
      noColour: options.color === false || process.env['NO_COLOR'] !== undefined,
    },
  )
}

/** Runs an action with a controller; prints errors and sets the exit status. */
export async function runSession(
  command: Command,
  action: (session: Session) => Promise<void>,
): Promise<void> {
  await runAction(command, async (output, signal) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const daemon =
      options.daemon === false ? undefined : await ControlClient.connect(statePaths().controlSocket)
    const controller = daemon ?? localService()
    try {
      await action({ output, controller, signal })
    } finally {
      await controller.close()
    }
  })
}

/** Runs an action that needs no node. */
export async function runAction(
  command: Command,
  action: (output: Output, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const output = outputOf(command)
  const abort = new AbortController()
  const stop = (): void => {
    abort.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    await action(output, abort.signal)
  } catch (error) {
    report(output, error)
  } finally {
    process.removeListener('SIGINT', stop)
    process.removeListener('SIGTERM', stop)
  }
}

/** What was typed is wrong. */
const USAGE: readonly ErrorCode[] = [
  'ERR_PEERNET_INVALID_ARG',
  'ERR_PEERNET_INVALID_PEER_NAME',
  'ERR_PEERNET_INVALID_HOST_NAME',
]

function report(output: Output, error: unknown): void {
  const code = error instanceof PeernetError ? error.code : 'ERR_PEERNET_SYSTEM'
  const message = error instanceof Error ? error.message : String(error)
  output.value({ error: { code, message } })
  output.problem(`peernet: ${message} (${code})`)
  process.exitCode = USAGE.includes(code) ? EXIT.usage : EXIT.failed
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
  })
}
