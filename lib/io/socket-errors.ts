import { getSystemErrorMap } from 'node:util'
import { formatAddress } from '../core/address-text.js'
import type { ErrorCode } from '../core/errors.js'
import { PeernetError } from '../core/errors.js'
import { addressKind } from '../core/ipv6.js'

const descriptions = new Map([...getSystemErrorMap().values()])

interface Diagnosis {
  readonly code: ErrorCode
  /** What to do about it. */
  readonly remedy: string
}

const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  EADDRINUSE: {
    code: 'ERR_PEERNET_PORT_IN_USE',
    remedy: 'choose another port (0: any free one) or stop the program that uses it',
  },
  EACCES: { code: 'ERR_PEERNET_PERMISSION', remedy: 'this user may not bind that port' },
  EPERM: { code: 'ERR_PEERNET_PERMISSION', remedy: 'a security policy of this host forbids it' },
  EADDRNOTAVAIL: {
    code: 'ERR_PEERNET_NO_ADDRESS',
    remedy: 'it is no address of this host (any more), or not yet confirmed as unique',
  },
  EINVAL: {
    code: 'ERR_PEERNET_NO_ADDRESS',
    remedy: 'a link-local address needs the scope id (interface index) of its link',
  },
  ENODEV: { code: 'ERR_PEERNET_NO_ADDRESS', remedy: 'there is no such interface' },
  EAFNOSUPPORT: { code: 'ERR_PEERNET_NO_IPV6', remedy: 'enable IPv6 on this host' },
  EPROTONOSUPPORT: { code: 'ERR_PEERNET_NO_IPV6', remedy: 'enable IPv6 on this host' },
  EMFILE: { code: 'ERR_PEERNET_LIMIT', remedy: 'raise the limit of open files (ulimit -n)' },
  ENFILE: { code: 'ERR_PEERNET_LIMIT', remedy: "raise the host's limit of open files" },
  ENOBUFS: { code: 'ERR_PEERNET_LIMIT', remedy: 'the host is out of network memory' },
  ENOMEM: { code: 'ERR_PEERNET_LIMIT', remedy: 'the host is out of memory' },
}

/** The error for a socket that could not be opened; `name` is the system's, e.g. 'EADDRINUSE'. */
export function bindError(
  name: string,
  address: Uint8Array,
  port: number,
  protocol: 'UDP' | 'TCP' = 'UDP',
): PeernetError {
  let diagnosis = DIAGNOSES[name] ?? { code: 'ERR_PEERNET_SYSTEM' as const, remedy: '' }
  if (name === 'EADDRNOTAVAIL' && addressKind(address) === 'loopback') {
    // ::1 is missing only where IPv6 is switched off.
    diagnosis = { code: 'ERR_PEERNET_NO_IPV6', remedy: 'enable IPv6 on this host' }
  }
  const what = `cannot open ${protocol} port ${port} on ${formatAddress(address)}`
  return systemError(diagnosis, what, name)
}

/** The error for a multicast option or membership that the system refused. */
export function multicastError(name: string, what: string): PeernetError {
  const remedy =
    name === 'ENODEV' || name === 'EADDRNOTAVAIL'
      ? 'the interface does not exist, is down or has no multicast'
      : ''
  return systemError({ code: 'ERR_PEERNET_MULTICAST', remedy }, what, name)
}

function systemError(diagnosis: Diagnosis, what: string, name: string): PeernetError {
  const description = descriptions.get(name)
  const reason = description === undefined ? name : `${description} (${name})`
  const remedy = diagnosis.remedy === '' ? '' : `: ${diagnosis.remedy}`
  return new PeernetError(diagnosis.code, `${what}: ${reason}${remedy}`, {
    cause: Object.assign(new Error(reason), { code: name }),
  })
}

export function closedError(): PeernetError {
  return new PeernetError('ERR_PEERNET_CLOSED', 'the port is closed')
}
