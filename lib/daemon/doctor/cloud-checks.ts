import { lookup } from 'node:dns/promises'
import { PeernetError } from '../../core/errors.js'
import type { Cloud } from '../../runtime/cloud.js'
import type { OpenCloudOptions } from '../../runtime/open-options.js'
import { systemCode } from '../../storage/atomic-file.js'
import { note, ok, problem, type Finding } from './check.js'

const PNRP_PORT = 3540
const JOIN_WAIT_MS = 10_000

/** Does each seed's name resolve, and does the node answer? */
export async function checkSeed(cloud: Cloud | undefined, seed: string): Promise<Finding> {
  const check = `seed ${seed}`
  const literal = /^\[([^\]]+)\](?::(\d+))?$/.exec(seed)
  let address = literal?.[1]
  let port = Number(literal?.[2] ?? PNRP_PORT)
  if (literal === null) {
    const [name = '', portText] = seed.split(':')
    port = Number(portText ?? PNRP_PORT)
    try {
      address = (await lookup(name, { family: 6 })).address
    } catch (error) {
      return problem(
        check,
        `the name has no IPv6 address (${systemCode(error) ?? String(error)})`,
        'correct the name, or give an [address]:port',
      )
    }
  }
  if (cloud === undefined)
    return note(check, `${address ?? ''}, not asked: no cloud could be opened`)
  const node = `[${address ?? ''}]:${port}`
  const ms = await cloud.ping(node)
  return ms === undefined
    ? problem(
        check,
        `${node} does not answer`,
        'is a node running there, and does its firewall let UDP in?',
      )
    : ok(check, `${node} answered in ${ms.toFixed(1)} ms`)
}

/** Opens the cloud and says where it stands after joining. */
export async function openForCheck(
  openCloud: (options: OpenCloudOptions) => Promise<Cloud>,
  options: OpenCloudOptions,
): Promise<{ cloud: Cloud | undefined; finding: Finding }> {
  const check = 'open the cloud'
  try {
    const cloud = await openCloud(options)
    return { cloud, finding: ok(check, `listening on ${cloud.endpoints.join(', ')}`) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof PeernetError ? error.code : 'unknown'
    return {
      cloud: undefined,
      finding: problem(check, `${message} (${code})`, remedyOf(code)),
    }
  }
}

function remedyOf(code: string): string {
  const remedies: Record<string, string> = {
    ERR_PEERNET_PORT_IN_USE: 'stop the other program or give another --port',
    ERR_PEERNET_NO_ADDRESS: 'choose another --cloud, or name an --address',
    ERR_PEERNET_NO_IPV6: 'enable IPv6 on this host',
    ERR_PEERNET_PERMISSION: 'choose a port above 1024, or run with the right to use it',
    ERR_PEERNET_STATE_CORRUPT: 'move the named file away and try again',
  }
  return remedies[code] ?? 'see the message'
}

export async function checkJoined(cloud: Cloud, hasSeeds: boolean): Promise<Finding> {
  const check = 'other nodes'
  try {
    await cloud.whenJoined({ timeoutMs: JOIN_WAIT_MS, orAlone: true })
  } catch {
    return problem(check, cloud.state.reason, 'try again, or name a node with --seed')
  }
  const { state, reason } = cloud.state
  if (state === 'active') {
    return ok(check, `${cloud.cache().length} known: ${reason}`)
  }
  return note(
    check,
    `${state}: ${reason}`,
    hasSeeds
      ? 'see the findings on the seeds above'
      : 'start a node on another host of this network, or name one with --seed',
  )
}
