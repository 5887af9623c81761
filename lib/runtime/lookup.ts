import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { parseAddress } from '../core/address-text.js'
import { PeernetError } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'
import { hostNameToPeerName, isPeerHostName } from '../security/host-name.js'
import type { Cloud } from './cloud.js'
import type { ResolvedRecord } from './resolution.js'

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void

/** What `net.connect`, `http.request` and undici's `connect` take as `lookup`. */
export type LookupFunction = (
  hostname: string,
  options: LookupOptions,
  callback: LookupCallback,
) => void

export interface CreateLookupOptions {
  /** Give up after this long; default 10,000. */
  readonly timeoutMs?: number
  /** Accept names that nobody signed for (`0.…`)? Default true, as in Windows. */
  readonly unsecured?: boolean
}

const DEFAULT_TIMEOUT_MS = 10_000

/**
 * A `lookup` that finds host names under `pnrp.net` through a cloud, and all others as usual, so
 * that
 * `http.get('http://NAME.pnrp.net:8080/', { lookup })` reaches whoever published the name. The port
 * is the URL's: host names carry none.
 *
 * Fails with ERR_PEERNET_INVALID_HOST_NAME and what `Resolution.first` rejects with.
 */
export function createLookup(cloud: Cloud, options: CreateLookupOptions = {}): LookupFunction {
  return (hostname, wanted, callback) => {
    if (!isPeerHostName(hostname)) {
      systemLookup(hostname, wanted, callback)
      return
    }
    find(cloud, hostname, options).then(
      (addresses) => {
        answer(hostname, addresses, wanted, callback)
      },
      (error: unknown) => {
        callback(error as NodeJS.ErrnoException, [])
      },
    )
  }
}

async function find(
  cloud: Cloud,
  hostname: string,
  options: CreateLookupOptions,
): Promise<readonly string[]> {
  const name = hostNameToPeerName(hostname)
  if (options.unsecured === false && !name.secured) {
    throw new PeernetError(
      'ERR_PEERNET_NOT_AUTHORIZED',
      `${hostname} is an unsecured name, which anybody can publish`,
    )
  }
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const record = await cloud.resolve(name, { timeoutMs, includeLocal: true }).first()
  return addressesOf(record).map((address) => withZone(address, cloud.zone))
}

/** The application's addresses; without any, those of the publisher's node. */
function addressesOf(record: ResolvedRecord): readonly string[] {
  const own = record.endpoints.map(({ address }) => address)
  const nodes = record.nodes.map((node) => node.slice(1, node.lastIndexOf(']')))
  return [...new Set(own.length > 0 ? own : nodes)]
}

/** A link-local address is meant in the zone of its cloud. */
function withZone(address: string, zone: string | undefined): string {
  const parsed = parseAddress(address)
  const needsZone = parsed !== undefined && addressKind(parsed.address) === 'link-local'
  return needsZone && zone !== undefined ? `${address}%${zone}` : address
}

function answer(
  hostname: string,
  addresses: readonly string[],
  wanted: LookupOptions,
  callback: LookupCallback,
): void {
  if (wanted.family === 4 || wanted.family === 'IPv4') {
    const message = `${hostname} has IPv6 addresses only`
    callback(new PeernetError('ERR_PEERNET_NO_ADDRESS', message), [])
    return
  }
  if (wanted.all === true) {
    callback(
      null,
      addresses.map((address) => ({ address, family: 6 })),
    )
    return
  }
  callback(null, addresses[0] as string, 6)
}
