/**
 * The stable error codes. Users match `error.code`, never the class or the message.
 * Each code's meaning and remedy stand in spec/errors.md.
 */
export const ERROR_CODES = [
  'ERR_PEERNET_INVALID_ARG',
  'ERR_PEERNET_CLOSED',
  'ERR_PEERNET_ABORTED',
  'ERR_PEERNET_TIMEOUT',
  'ERR_PEERNET_LIMIT',
  'ERR_PEERNET_INVALID_PEER_NAME',
  'ERR_PEERNET_INVALID_HOST_NAME',
  'ERR_PEERNET_IDENTITY_NOT_FOUND',
  'ERR_PEERNET_IDENTITY_EXISTS',
  'ERR_PEERNET_IDENTITY_CORRUPT',
  'ERR_PEERNET_WRONG_PASSWORD',
  'ERR_PEERNET_NOT_AUTHORIZED',
  'ERR_PEERNET_CERTIFICATE',
  'ERR_PEERNET_NO_IPV6',
  'ERR_PEERNET_NO_ADDRESS',
  'ERR_PEERNET_PORT_IN_USE',
  'ERR_PEERNET_PERMISSION',
  'ERR_PEERNET_MULTICAST',
  'ERR_PEERNET_CLOUD_NOT_OPEN',
  'ERR_PEERNET_NAME_NOT_FOUND',
  'ERR_PEERNET_NAME_UNREACHABLE',
  'ERR_PEERNET_STATE_CORRUPT',
  'ERR_PEERNET_STATE_LOCKED',
  'ERR_PEERNET_DAEMON_UNREACHABLE',
  'ERR_PEERNET_DAEMON_RUNNING',
  'ERR_PEERNET_CONNECT_FAILED',
  'ERR_PEERNET_ALREADY_CONNECTED',
  'ERR_PEERNET_GRAPH_EXISTS',
  'ERR_PEERNET_GRAPH_NOT_FOUND',
  'ERR_PEERNET_GRAPH_IN_USE',
  'ERR_PEERNET_INVALID_DATABASE',
  'ERR_PEERNET_NATIVE',
  'ERR_PEERNET_MALFORMED',
  'ERR_PEERNET_SYSTEM',
  'ERR_PEERNET_CONTENT_EMPTY',
  'ERR_PEERNET_CONTENT_CHANGED',
  'ERR_PEERNET_SECRET_CORRUPT',
  'ERR_PEERNET_RECORD_NOT_FOUND',
  'ERR_PEERNET_RECORD_EXPIRATION',
  'ERR_PEERNET_RECORD_SIZE',
  'ERR_PEERNET_INVALID_RECORD',
  'ERR_PEERNET_INVALID_ATTRIBUTES',
  'ERR_PEERNET_INVALID_SEARCH',
  'ERR_PEERNET_CONTENT_UNAVAILABLE',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** Extra facts of an error; `hresult` is the Windows PEER_E_* value where one exists. */
export interface PeernetErrorOptions {
  readonly hresult?: number
  readonly cause?: unknown
}

/** PEER_E_* values of the codes that have one each, whoever throws them. */
const HRESULTS: Partial<Record<ErrorCode, number>> = {
  ERR_PEERNET_NOT_AUTHORIZED: 0x80632020,
  ERR_PEERNET_CONNECT_FAILED: 0x80630109,
  ERR_PEERNET_GRAPH_EXISTS: 0x80630012,
  ERR_PEERNET_GRAPH_NOT_FOUND: 0x80630010,
  ERR_PEERNET_GRAPH_IN_USE: 0x80630015,
  ERR_PEERNET_INVALID_DATABASE: 0x80630016,
  ERR_PEERNET_RECORD_NOT_FOUND: 0x80630301,
  ERR_PEERNET_RECORD_EXPIRATION: 0x80632080,
  ERR_PEERNET_RECORD_SIZE: 0x80632083,
  ERR_PEERNET_INVALID_RECORD: 0x80632010,
  ERR_PEERNET_INVALID_ATTRIBUTES: 0x80630602,
  ERR_PEERNET_INVALID_SEARCH: 0x80630601,
}

/** Every error that peernet throws or rejects with. */
export class PeernetError extends Error {
  override readonly name = 'PeernetError'
  readonly code: ErrorCode
  readonly hresult: number | undefined

  constructor(code: ErrorCode, message: string, options: PeernetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hresult = options.hresult ?? HRESULTS[code]
  }
}

/** Throws ERR_PEERNET_INVALID_ARG unless the condition holds. */
export function checkArgument(condition: boolean, message: string): asserts condition {
  if (!condition) throw new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

/** The error code of a Node system error, e.g. 'ENOENT'. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
