import { checkArgument } from '../core/errors.js'
import type { CloudScope } from '../pnrp/interface.js'

export interface OpenCloudOptions {
  /** Default: 'global' when this host has a global address, else 'link-local'. */
  readonly scope?: CloudScope
  /** Network interface of a link-local or site-local cloud, e.g. 'eth0'. Default: the only one. */
  readonly interface?: string
  /** Listen on these IPv6 addresses (1..4) instead of choosing; loopback is allowed here (N-67). */
  readonly addresses?: readonly string[]
  /** UDP port, 1025..65535, or 0 for any free one. Default 3540. */
  readonly port?: number
  /**
   * Nodes to ask first: `[address]:port`, `[address]`, `name` or `name:port`; port 3540 if absent.
   */
  readonly seeds?: readonly string[]
  /** Search and announce by SSDP multicast. Default true, except on loopback. */
  readonly ssdp?: boolean
  /** Keeps last-used nodes here between runs; false: nowhere. Default: the XDG state directory. */
  readonly stateDirectory?: string | false
  /** Never publishes; resolves only. */
  readonly resolveOnly?: boolean
  /** Default 'native'. 'portable' is the addon without Linux' batching, 'dgram' is node:dgram. */
  readonly transport?: 'native' | 'portable' | 'dgram'
  /** Aborting while opening gives up and frees everything. */
  readonly signal?: AbortSignal
}

export const SCOPES: readonly string[] = ['global', 'site-local', 'link-local', 'loopback']
export const TRANSPORTS: readonly string[] = ['native', 'portable', 'dgram']

/** What the types say, for callers without types. Throws ERR_PEERNET_INVALID_ARG. */
export function checkOpenCloudOptions(options: OpenCloudOptions): void {
  const given: unknown = options
  checkArgument(typeof given === 'object' && given !== null, 'the options are an object')
  const { scope, transport, interface: zone, addresses, seeds, stateDirectory } = options
  checkArgument(
    scope === undefined || SCOPES.includes(scope),
    `scope is one of ${SCOPES.join(', ')}`,
  )
  checkArgument(
    transport === undefined || TRANSPORTS.includes(transport),
    `transport is one of ${TRANSPORTS.join(', ')}`,
  )
  checkArgument(zone === undefined || typeof zone === 'string', 'interface is a string')
  checkArgument(isStrings(addresses), 'addresses is a list of strings')
  checkArgument(isStrings(seeds), 'seeds is a list of strings')
  checkArgument(
    stateDirectory === undefined || stateDirectory === false || typeof stateDirectory === 'string',
    'stateDirectory is a path, or false',
  )
}

function isStrings(list: unknown): boolean {
  if (list === undefined) return true
  return Array.isArray(list) && list.every((item) => typeof item === 'string')
}
