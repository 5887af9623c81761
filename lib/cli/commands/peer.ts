import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import type { Json, JsonObject } from '../../daemon/controller.js'
import { PeerName } from '../../index.js'
import { userKeyStore } from '../../daemon/local-service.js'
import { addHostname } from './hostname.js'
import { passwordFor } from '../password.js'
import { EXIT, formatMs, safeText, shortId, type Output } from '../output.js'
import {
  cloudParams,
  runSession,
  untilAborted,
  withCloudFlags,
  type CloudFlags,
} from '../session.js'

interface RegistrationRow {
  readonly registration: string
  readonly peerName: string
  readonly pnrpId: string | null
  readonly status: string
  readonly cloud: string
}

interface RecordRow {
  readonly peerName: string
  readonly pnrpId: string
  readonly endpoints: readonly { address: string; port: number; protocol: string | number }[]
  readonly nodes: readonly string[]
  readonly comment?: string
  readonly payload?: string | { readonly base64: string }
  readonly verified: 'authority' | 'chain' | 'none'
  readonly notAfter: string
}

interface ResolveResult {
  readonly records: readonly RecordRow[]
  readonly summary: {
    readonly status: string
    readonly refusals: readonly string[]
    readonly lookups: number
    readonly milliseconds: number
  }
}

interface ResolveFlags extends CloudFlags {
  readonly criteria?: string
  readonly max?: string
  readonly timeout?: string
}

const VERIFIED: Record<RecordRow['verified'], string> = {
  authority: 'signed by the key the name is made of',
  chain: 'signed by a delegate; every certificate up to the name’s key verified',
  none: 'unsecured name: anybody can publish it',
}

/** `peernet peer …` */
export function addPeerCommands(program: Command): void {
  const peer = program.command('peer').description('publish and find names')
  addRegister(peer)
  addResolve(peer)
  addTrace(peer)
  addPing(peer)
  addHostname(peer)
}

interface RegisterFlags extends CloudFlags {
  readonly identity?: string
  readonly endpoint?: string[]
  readonly listen?: string
  readonly comment?: string
  readonly payload?: string
  readonly passwordFile?: string
}

function addRegister(peer: Command): void {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  const register = withCloudFlags(
    peer
      .command('register')
      .argument('<name>', '0.classifier, or with --identity just the classifier')
      .description('publish a name until Ctrl-C (or in the daemon, until unregistered)')
      .option('--identity <name>', 'sign with this identity: a secure name')
      .option('--password-file <path>', 'opens an encrypted identity; - reads standard input')
      .option('--endpoint <endpoint>', '[address]:port[/udp] of the application', collect)
      .option('--listen <port>', 'the application listens on this TCP port of all my addresses')
      .option('--comment <text>', 'up to 39 characters shown to whoever resolves')
      .option('--payload <text>', 'up to 4 KB of text delivered with the name'),
  )
  register.action((name: string, flags: RegisterFlags) =>
    runSession(register, async ({ output, controller, signal }) => {
      const params = cloudParams(flags)
      await controller.call('cloud.join', params, { signal })
      const registration = {
        ...params,
        name: await fullName(name, flags.identity),
        ...(await signerParams(flags)),
        endpoints: endpointsOf(flags),
        ...(flags.comment === undefined ? {} : { comment: flags.comment }),
        ...(flags.payload === undefined ? {} : { payload: flags.payload }),
      }
      const row = (await controller.call('peer.register', registration, {
        signal,
      })) as unknown as RegistrationRow
      output.value({ ...row })
      output.line(`Registered ${output.paint('bold', safeText(row.peerName))}`)
      output.line(`PNRP ID    ${row.pnrpId ?? ''}`)
      output.line(`Status     ${describeStatus(row.status)}`)
      if (controller.remote) {
        output.line('The daemon keeps it. `peernet peer unregister NAME` ends it.')
        return
      }
      output.line('Ctrl-C unregisters.')
      await untilAborted(signal)
      await controller.call('peer.unregister', { registration: row.registration })
      output.line('Unregistered.')
    }),
  )

  const unregister = peer
    .command('unregister')
    .argument('<name>', 'a name or registration number of the daemon')
    .description('end a registration of the daemon')
  unregister.action((registration: string) =>
    runSession(unregister, async ({ output, controller }) => {
      const result = await controller.call('peer.unregister', { registration })
      output.value(result)
      output.line('Unregistered.')
    }),
  )

  const list = peer.command('list').description('registrations of the daemon')
  list.action(() =>
    runSession(list, async ({ output, controller }) => {
      const rows = (await controller.call('peer.registrations', {})) as unknown as RegistrationRow[]
      output.value(rows.map((row) => ({ ...row })))
      output.table(
        ['NO', 'NAME', 'STATUS', 'CLOUD'],
        rows.map((row) => [row.registration, safeText(row.peerName), row.status, row.cloud]),
      )
    }),
  )
}

function describeStatus(status: string): string {
  return status === 'lonely' ? 'published, but this cloud has no other node yet' : status
}

/** With an identity a bare classifier becomes `authority.classifier`. */
async function fullName(name: string, identity: string | undefined): Promise<string> {
  if (identity === undefined || /^(0|[0-9a-f]{40})\./.test(name)) return name
  const { authority } = await userKeyStore().find(identity)
  return PeerName.of(authority, name).toString()
}

/** The identity and, when it is kept encrypted, the password that opens it. */
async function signerParams(flags: RegisterFlags): Promise<JsonObject> {
  const { identity } = flags
  if (identity === undefined) return {}
  const { encrypted } = await userKeyStore().find(identity)
  return encrypted ? { identity, password: await passwordFor(identity, flags) } : { identity }
}

function endpointsOf(flags: RegisterFlags): { address: string; port: number; protocol: string }[] {
  const endpoints = (flags.endpoint ?? []).map((text) => {
    const match = /^\[([^\]]+)\]:(\d{1,5})(?:\/(tcp|udp))?$/.exec(text)
    if (match === null) {
      throw new PeernetError('ERR_PEERNET_INVALID_ARG', `not an [address]:port[/udp]: ${text}`)
    }
    return { address: String(match[1]), port: Number(match[2]), protocol: match[3] ?? 'tcp' }
  })
  if (flags.listen !== undefined) {
    endpoints.push({ address: 'auto', port: Number(flags.listen), protocol: 'tcp' })
  }
  return endpoints
}

function withResolveFlags(command: Command): Command {
  return withCloudFlags(
    command
      .argument('<name>', 'the peer name to find')
      .option('--criteria <kind>', 'any-peer-name, nearest-peer-name, nearest64-peer-name, exact')
      .option('--max <count>', 'how many registrations to look for')
      .option('--timeout <seconds>', 'give up after this long (default 30)'),
  )
}

function resolveParams(name: string, flags: ResolveFlags): JsonObject {
  return {
    ...cloudParams(flags),
    name,
    ...(flags.criteria === undefined ? {} : { criteria: flags.criteria }),
    ...(flags.max === undefined ? {} : { max: Number(flags.max) }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: Number(flags.timeout) * 1000 }),
  }
}

function addResolve(peer: Command): void {
  const resolve = withResolveFlags(peer.command('resolve').description('find who published a name'))
  resolve.action((name: string, flags: ResolveFlags) =>
    runSession(resolve, async ({ output, controller, signal }) => {
      await controller.call('cloud.join', cloudParams(flags), { signal })
      const result = (await controller.call('peer.resolve', resolveParams(name, flags), {
        signal,
      })) as unknown as ResolveResult
      output.value(result as unknown as Json)
      printResult(output, name, result)
    }),
  )
}

function addTrace(peer: Command): void {
  const trace = withResolveFlags(
    peer.command('trace').description('find a name and show every step on the way'),
  )
  trace.action((name: string, flags: ResolveFlags) =>
    runSession(trace, async ({ output, controller, signal }) => {
      await controller.call('cloud.join', cloudParams(flags), { signal })
      const steps: StepRow[] = []
      const result = (await controller.call('peer.resolve', resolveParams(name, flags), {
        signal,
        onEvent: (event) => {
          output.value(event)
          steps.push(event as unknown as StepRow)
        },
      })) as unknown as ResolveResult
      output.value(result as unknown as Json)
      printSteps(output, steps)
      output.line()
      printResult(output, name, result)
    }),
  )
}

interface StepRow {
  readonly type: string
  readonly node?: string
  readonly pnrpId?: string
  readonly detail?: string
  readonly attempt?: number
  readonly rttMs?: number
  readonly atMs: number
}

function printSteps(output: Output, steps: readonly StepRow[]): void {
  output.table(
    ['AT', 'STEP', 'NODE', 'ITS PNRP ID', 'TRY', 'TIME', 'RESULT'],
    steps
      .filter((step) => step.node !== undefined)
      .map((step) => [
        formatMs(step.atMs),
        step.type,
        step.node ?? '',
        shortId(step.pnrpId ?? ''),
        step.attempt === undefined ? '' : String(step.attempt),
        step.rttMs === undefined ? '' : formatMs(step.rttMs),
        step.detail ?? '',
      ]),
  )
}

/** Prints records and the verdict; nothing found is exit status 1. */
function printResult(output: Output, name: string, result: ResolveResult): void {
  const { status, refusals, lookups, milliseconds } = result.summary
  if (result.records.length === 0) {
    process.exitCode = EXIT.failed
    const why: Record<string, string> = {
      'not-found': 'nobody in this cloud publishes it',
      unreachable: 'it is published, but its publisher does not answer',
      refused: `every answer was refused: ${refusals.join(', ')}`,
      timeout: 'no answer in time',
      aborted: 'stopped',
    }
    output.line(
      `${output.paint('red', 'Not found')}: ${safeText(name)}: ${why[status] ?? status} ` +
        `(${lookups} lookups, ${formatMs(milliseconds)})`,
    )
    return
  }
  for (const record of result.records) printRecord(output, record)
  output.line(`${lookups} lookups, ${formatMs(milliseconds)}`)
}

function printRecord(output: Output, record: RecordRow): void {
  output.line(`${output.paint('green', 'Found')}     ${safeText(record.peerName)}`)
  for (const { address, port, protocol } of record.endpoints) {
    output.line(`Endpoint  [${address}]:${port} ${protocol}`)
  }
  if (record.comment !== undefined) output.line(`Comment   ${safeText(record.comment)}`)
  if (typeof record.payload === 'string') output.line(`Payload   ${safeText(record.payload)}`)
  else if (record.payload !== undefined) {
    output.line(`Payload   ${Buffer.from(record.payload.base64, 'base64').toString('hex')}`)
  }
  output.line(`Publisher ${record.nodes.join(' ')}`)
  output.line(`Proof     ${VERIFIED[record.verified]}`)
  output.line(`PNRP ID   ${record.pnrpId}`)
}

function addPing(peer: Command): void {
  const ping = withCloudFlags(
    peer
      .command('ping')
      .argument('<node>', '[address]:port')
      .description('does a node answer, and how fast'),
  )
  ping.action((node: string, flags: CloudFlags) =>
    runSession(ping, async ({ output, controller, signal }) => {
      const params = { ...cloudParams(flags), node }
      const result = (await controller.call('peer.ping', params, { signal })) as {
        milliseconds: number | null
      }
      output.value(result)
      if (result.milliseconds === null) {
        process.exitCode = EXIT.failed
        output.line(`${node} does not answer`)
      } else output.line(`${node} answered in ${formatMs(result.milliseconds)}`)
    }),
  )
}
