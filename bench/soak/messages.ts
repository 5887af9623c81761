// What the soak's driver and its processes tell each other over Node's IPC channel.

/** The record type that the soak writes. */
export const SOAK_TYPE = '7b1f6a52-3c0e-4d7b-9a61-0d5c2f9e4b18'

export const GRAPH_ID = 'soak'

export type SoakCommand =
  /** Opens or creates a node, connects it to the first of these addresses that answers, listens. */
  | {
      readonly do: 'start'
      readonly node: number
      readonly directory: string
      readonly seeds: readonly string[]
    }
  | { readonly do: 'close'; readonly node: number }
  /** Resets so many TCP connections of the process, whosever they are. */
  | { readonly do: 'reset'; readonly count: number }
  | {
      readonly do: 'publish'
      readonly node: number
      readonly bytes: number
      readonly lifetimeMs: number
    }
  | {
      readonly do: 'update'
      readonly node: number
      readonly id: string
      readonly bytes: number
    }
  | { readonly do: 'delete'; readonly node: number; readonly id: string }
  /** A hash over what each node holds that expires after this moment, and what the first holds. */
  | { readonly do: 'databases'; readonly expiresAfter: number; readonly internal: boolean }
  | { readonly do: 'measure' }

export interface Held {
  readonly id: string
  readonly version: number
  readonly deleted: boolean
}

export interface Databases {
  /** By node. */
  readonly digests: readonly string[]
  /** Records of the application at the first node, deleted ones included. */
  readonly first: readonly Held[]
}

export interface Measures {
  readonly rss: number
  /** Without pages of files: LevelDB maps its tables, and the system drops those pages at will. */
  readonly anonymous: number
  readonly heapUsed: number
  /** What V8 has reserved for its heap: part of `anonymous`, up to 32 MB beyond what it uses. */
  readonly heapTotal: number
  readonly external: number
  readonly fds: number
  /** What keeps the process alive, by kind. */
  readonly handles: Readonly<Record<string, number>>
  readonly cpuSeconds: number
  readonly neighbors: number
  /** Failures inside protocol machines: bugs. */
  readonly failures: readonly string[]
}

/** What the commands give. */
export interface SoakAnswers {
  readonly start: { readonly addresses: readonly string[] }
  readonly close: null
  readonly reset: number
  readonly publish: { readonly id: string; readonly version: number; readonly expires: number }
  readonly update: { readonly version: number }
  readonly delete: { readonly version: number }
  readonly databases: Databases
  readonly measure: Measures
}

export interface SoakRequest {
  readonly at: number
  readonly command: SoakCommand
}

/** The first message of a process, when it is ready, has no number. */
export interface SoakReply {
  readonly at: number | undefined
  readonly value?: unknown
  /** Code of an error. */
  readonly error?: string
}
