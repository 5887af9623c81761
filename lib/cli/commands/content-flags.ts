import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import type { CloudScope } from '../../pnrp/interface.js'
import type { Cloud } from '../../runtime/cloud.js'
import { createContentPeer, type ContentPeer } from '../../runtime/content/content-peer.js'
import { openCloud } from '../../runtime/open-cloud.js'
import type { BlockStore } from '../../storage/block-store.js'

/** How other peers are found and find this one. */
export interface PeerFlags {
  readonly discovery: string
  readonly peerPort: string
  readonly cloud?: string
  readonly seed?: string[]
}

export function withPeerFlags(command: Command): Command {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  return command
    .option('--discovery <on|off>', 'find peers on the link, and be found', 'off')
    .option('--peer-port <number>', 'TCP port for peers; 0 takes any free one', '0')
    .option(
      '--cloud <scope>',
      'also by names in a cloud, an extension: global, link-local, site-local or loopback',
    )
    .option('--seed <node>', '[address]:port of a node of that cloud (repeatable)', collect)
}

export function invalid(message: string): PeernetError {
  return new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

export function portOf(flag: string): number {
  if (!/^\d{1,5}$/.test(flag) || Number(flag) > 65_535) throw invalid(`not a port number: ${flag}`)
  return Number(flag)
}

export function isOn(flag: string): boolean {
  if (flag !== 'on' && flag !== 'off') throw invalid('--discovery wants on or off')
  return flag === 'on'
}

/** A peer, and the cloud that it is in. */
export interface PeerSession {
  readonly peer: ContentPeer
  readonly cloud: Cloud | undefined
  close(): Promise<void>
}

export async function startPeer(
  flags: PeerFlags,
  options: { readonly cache: BlockStore; readonly host?: string; readonly signal: AbortSignal },
): Promise<PeerSession> {
  const [discovery, port] = [isOn(flags.discovery), portOf(flags.peerPort)]
  const { signal, ...rest } = options
  const cloud = await cloudOf(flags, signal)
  try {
    const inCloud = cloud === undefined ? {} : { cloud }
    const peer = await createContentPeer({ ...rest, ...inCloud, discovery, port })
    const close = async (): Promise<void> => {
      await peer.close()
      await cloud?.close()
    }
    return { peer, cloud, close }
  } catch (error) {
    await cloud?.close()
    throw error
  }
}

async function cloudOf(flags: PeerFlags, signal: AbortSignal): Promise<Cloud | undefined> {
  const { cloud: scope, seed } = flags
  if (scope === undefined) {
    if (seed !== undefined) throw invalid('--seed belongs to --cloud')
    return undefined
  }
  const addresses = scope === 'loopback' ? { addresses: ['::1'] } : {}
  const seeds = seed === undefined ? {} : { seeds: seed }
  return await openCloud({ scope: scope as CloudScope, port: 0, signal, ...addresses, ...seeds })
}
