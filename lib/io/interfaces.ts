import { networkInterfaces } from 'node:os'
import { formatAddress, parseAddress } from '../core/address-text.js'
import { bytesKey } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import { addressKind, type AddressKind } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import type { CloudScope } from '../pnrp/interface.js'

/** An IPv6 address of this host, with its interface. */
export interface LocalAddress {
  readonly address: Uint8Array
  readonly interface: string
  /** Interface index; 0 for addresses that need no zone. */
  readonly scopeId: number
  readonly kind: AddressKind
}

/** What `os.networkInterfaces()` gives; tests hand in their own. */
export type InterfaceSource = typeof networkInterfaces

export function localAddresses(source: InterfaceSource = networkInterfaces): LocalAddress[] {
  return Object.entries(source()).flatMap(([name, list]) =>
    (list ?? []).flatMap((entry) => {
      if (entry.family !== 'IPv6') return []
      const address = parseAddress(entry.address)?.address
      if (address === undefined) return []
      return [{ address, interface: name, scopeId: entry.scopeid, kind: addressKind(address) }]
    }),
  )
}

/** Which addresses a cloud is to have. */
export interface AddressWish {
  readonly scope: CloudScope
  /** Interface of a link-local or site-local cloud; default: the only one that has addresses. */
  readonly interface?: string
}

/**
 * The addresses of a cloud, MS-PNRP 3.1.4.1: at most four, one scope and, below global, one zone.
 * In an order that stays the same while the addresses do. Throws ERR_PEERNET_NO_IPV6,
 * ERR_PEERNET_NO_ADDRESS, and ERR_PEERNET_INVALID_ARG when several zones fit.
 */
export function chooseCloudAddresses(
  wish: AddressWish,
  source: InterfaceSource = networkInterfaces,
): LocalAddress[] {
  const all = localAddresses(source)
  if (all.length === 0) {
    throw new PeernetError(
      'ERR_PEERNET_NO_IPV6',
      'no interface of this host has an IPv6 address; PNRP runs on IPv6 only',
    )
  }
  const fitting = all.filter(
    ({ kind, interface: name }) =>
      kind === wish.scope && (wish.interface === undefined || wish.interface === name),
  )
  if (fitting.length === 0) {
    const where = wish.interface === undefined ? 'this host' : `interface ${wish.interface}`
    throw new PeernetError(
      'ERR_PEERNET_NO_ADDRESS',
      `${where} has no ${wish.scope} IPv6 address (\`peernet doctor\` lists what there is)`,
    )
  }
  const zones = new Set(fitting.map((one) => one.interface))
  if (zones.size > 1 && (wish.scope === 'link-local' || wish.scope === 'site-local')) {
    throw new PeernetError(
      'ERR_PEERNET_INVALID_ARG',
      `several interfaces have ${wish.scope} addresses, name one of them: ${[...zones].join(', ')}`,
    )
  }
  return fitting
    .sort((a, b) => (bytesKey(a.address) < bytesKey(b.address) ? -1 : 1))
    .slice(0, LIMITS.localEndpoints)
}

/** The default scope: global where this host has such an address, else link-local. */
export function defaultScope(source: InterfaceSource = networkInterfaces): CloudScope {
  return localAddresses(source).some(({ kind }) => kind === 'global') ? 'global' : 'link-local'
}

/**
 * An address of this host given by the user; its zone is looked up. Throws ERR_PEERNET_NO_ADDRESS.
 */
export function findLocalAddress(
  address: Uint8Array,
  zone: string | undefined,
  source: InterfaceSource = networkInterfaces,
): LocalAddress {
  const key = bytesKey(address)
  const found = localAddresses(source).find(
    (one) => bytesKey(one.address) === key && (zone === undefined || one.interface === zone),
  )
  if (found !== undefined) return found
  throw new PeernetError(
    'ERR_PEERNET_NO_ADDRESS',
    `${formatAddress(address)} is not an address of this host`,
  )
}

/** Calls back when the addresses of a cloud have changed. Polls: no system tells all of them. */
export class AddressWatch {
  readonly #timer: NodeJS.Timeout

  constructor(
    wish: AddressWish,
    onChange: (addresses: LocalAddress[]) => void,
    source: InterfaceSource = networkInterfaces,
  ) {
    const read = (): LocalAddress[] => {
      try {
        return chooseCloudAddresses(wish, source)
      } catch {
        return []
      }
    }
    let last = keyOf(read())
    this.#timer = setInterval(() => {
      const now = read()
      const key = keyOf(now)
      if (key === last) return
      last = key
      onChange(now)
    }, LIMITS.addressPollMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

function keyOf(addresses: readonly LocalAddress[]): string {
  return addresses.map(({ address, scopeId }) => `${bytesKey(address)}%${scopeId}`).join()
}
