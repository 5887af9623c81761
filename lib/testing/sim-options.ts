import type { Endpoint } from '../core/endpoint.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import type { BudgetConfig } from '../pnrp/budgets.js'
import type { CloudScope, RegistrationSpec } from '../pnrp/interface.js'
import { parsePeerName, type PeerNameParts } from '../pnrp/peer-name.js'
import type { AppEndpoint, PnrpId, ResolveCriteria } from '../wire/messages.js'
import type { Packet } from './packet-network.js'
import type { SimIdentity } from './sim-identity.js'
import type { SimNode } from './sim-node.js'

/** IANA number of TCP, and the port that a simulated application listens on. */
const TCP = 6
const APPLICATION_PORT = 4000

/** How a simulated node is set up. */
export interface SimNodeOptions {
  /** Nodes to ask first: other simulated nodes, or endpoints. */
  readonly seeds?: readonly (SimNode | Endpoint)[]
  /** Nodes remembered from an earlier run, newest first. */
  readonly lastUsed?: readonly Endpoint[]
  /** Default 'global'. */
  readonly scope?: CloudScope
  /**
   * Number of the link that the host is on: multicast reaches hosts of the same link. Default 0.
   */
  readonly link?: number
  /** Does SSDP multicast work here? Default true when the scope is 'link-local', else false. */
  readonly multicast?: boolean
  readonly resolveOnly?: boolean
  /** Wall clock's distance from the true time at the start, milliseconds. Default 0. */
  readonly clockOffsetMs?: number
  /** How fast the wall clock runs away, parts per million. Default 0. */
  readonly clockDriftPpm?: number
  /** Entries in the route cache; default that of production. */
  readonly cacheEntries?: number
  /**
   * Sees each datagram before the machine does, and may send others by `node.send`. True: the
   * machine does not get it. For hostile, broken and watched nodes.
   */
  readonly intercept?: (node: SimNode, packet: Packet) => boolean
  /** What strangers may draw; default that of production for the scope. */
  readonly budgets?: BudgetConfig
  /** Default: an address of its own for each host. */
  readonly endpoints?: readonly Endpoint[]
  /** A port of its own instead of 3540; ignored with `endpoints`. */
  readonly port?: number
}

/** What is published under a name. */
export interface SimRegisterOptions {
  /** Signs; must belong to the name's authority. Default: the simulation's identity that does. */
  readonly identity?: SimIdentity
  /** Default: the node's own address, TCP port 4000. */
  readonly endpoints?: readonly AppEndpoint[]
  /** At most 39 UTF-16 units. */
  readonly comment?: string
  readonly payload?: string | Uint8Array
  /** 8 bytes: upper half of the service location. */
  readonly locationPrefix?: Uint8Array
  /** PKCS #7 chain that delegates the name to `identity`. */
  readonly certificateChain?: Uint8Array
}

export interface SimResolveOptions {
  /** Default ANY_PEER_NAME. */
  readonly criteria?: ResolveCriteria
  /** May the node's own registrations be the answer? Default false. */
  readonly includeLocal?: boolean
  /** Virtual milliseconds; default 30,000. */
  readonly timeoutMs?: number
  readonly excludeIds?: readonly PnrpId[]
  /** 8 bytes; for the NEAREST criteria. */
  readonly locationPrefix?: Uint8Array
  /** Keep every step in `SimResolution.steps`. */
  readonly trace?: boolean
}

/** The parts of a name; throws ERR_PEERNET_INVALID_PEER_NAME. */
export function requireName(name: string): PeerNameParts {
  const parts = parsePeerName(name)
  if (parts !== undefined) return parts
  throw new PeernetError('ERR_PEERNET_INVALID_PEER_NAME', `not a peer name: ${name}`)
}

/** The machine's form of a registration. `hosts` are the endpoints of the publishing host. */
export function registrationSpec(
  name: PeerNameParts,
  identity: SimIdentity,
  options: SimRegisterOptions,
  hosts: readonly Endpoint[],
): RegistrationSpec {
  const { payload, comment, locationPrefix, certificateChain } = options
  const appEndpoints = options.endpoints ?? ownApplication(hosts)
  return {
    ...name,
    keyId: identity.keyId,
    publicKey: identity.publicKey,
    appEndpoints,
    ...(comment === undefined
      ? {}
      : { friendlyName: { bytes: Buffer.from(comment, 'utf16le'), utf8: false } }),
    ...(payload === undefined ? {} : { extendedPayload: payloadOf(payload) }),
    ...(locationPrefix === undefined ? {} : { locationPrefix }),
    ...(certificateChain === undefined ? {} : { certificateChain }),
  }
}

function ownApplication(hosts: readonly Endpoint[]): AppEndpoint[] {
  const [own] = hosts
  checkArgument(own !== undefined, 'the host has no address to publish')
  return [{ address: own.address, port: APPLICATION_PORT, protocol: TCP }]
}

function payloadOf(payload: string | Uint8Array): NonNullable<RegistrationSpec['extendedPayload']> {
  return typeof payload === 'string'
    ? { kind: 'text', encoding: 'utf-8', text: payload }
    : { kind: 'binary', data: payload }
}
