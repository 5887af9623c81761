import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where peernet keeps things, by the XDG base directory rules. */
export interface StatePaths {
  /** Last-used nodes and other state that may be deleted. */
  readonly state: string
  /** Identities. */
  readonly data: string
  /** Content that can be fetched again. */
  readonly cache: string
  /** The daemon's control socket. */
  readonly controlSocket: string
}

type Environment = Readonly<Record<string, string | undefined>>

function directory(env: Environment, name: string, fallback: string): string {
  const value = env[name]
  // The XDG rules: relative paths are invalid and ignored.
  return join(value?.startsWith('/') === true ? value : join(homedir(), fallback), 'peernet')
}

/** PEERNET_HOME, when set, holds everything (tests, several users of one account). */
export function statePaths(env: Environment = process.env): StatePaths {
  const home = env['PEERNET_HOME']
  if (home !== undefined && home !== '') {
    return {
      state: join(home, 'state'),
      data: join(home, 'data'),
      cache: join(home, 'cache'),
      controlSocket: join(home, 'control.sock'),
    }
  }
  const state = directory(env, 'XDG_STATE_HOME', '.local/state')
  const runtime = env['XDG_RUNTIME_DIR']
  return {
    state,
    data: directory(env, 'XDG_DATA_HOME', '.local/share'),
    cache: directory(env, 'XDG_CACHE_HOME', '.cache'),
    controlSocket: join(
      runtime?.startsWith('/') === true ? join(runtime, 'peernet') : state,
      'control.sock',
    ),
  }
}
