/**
 * What commands talk to: a node in their own process or the daemon's control socket, with the same
 * methods, parameters and results. All values are JSON.
 */
export interface Controller {
  call(method: string, params: JsonObject, options?: CallOptions): Promise<Json>
  close(): Promise<void>
  /** True when a daemon answers: registrations outlive the command. */
  readonly remote: boolean
}

export interface CallOptions {
  /** Progress of a long call. */
  readonly onEvent?: (event: Json) => void
  readonly signal?: AbortSignal
}

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** One line of the control socket, client to daemon. */
export type ControlRequest =
  | { readonly id: number; readonly method: string; readonly params: JsonObject }
  | { readonly id: number; readonly cancel: true }

/** One line of the control socket, daemon to client. */
export type ControlReply =
  | { readonly id: number; readonly event: Json }
  | { readonly id: number; readonly result: Json }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } }

export const CONTROL_LIMITS = {
  /** Bytes of one line. */
  lineBytes: 64 * 1024,
  clients: 64,
  callsPerClient: 64,
} as const

/** Longest path of a Unix socket: `sun_path` less its NUL. */
export const SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103
