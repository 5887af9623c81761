// A node of a line, as its process sees it: peernet, or a relay written by hand.

/** Tells that a record is here as a whole; `at` in ms. */
export type Arrived = (record: number) => void

export interface LineNode {
  /** Lets the next node in the line connect; gives the port on ::1. */
  listen(): Promise<number>
  /** Connects to the node before it in the line. */
  connect(port: number): Promise<void>
  /** Sends a record of so many bytes to all. */
  publish(record: number, bytes: number): void | Promise<void>
  /** Frees what a large record takes. */
  forget(record: number): void | Promise<void>
  close(): void | Promise<void>
}

export type LineSystem = 'peernet' | 'peernet, stored on disk' | 'raw TCP relay'

export type LineCommand =
  | { readonly do: 'listen' }
  | { readonly do: 'connect'; readonly port: number }
  | { readonly do: 'publish'; readonly record: number; readonly bytes: number }
  | { readonly do: 'forget'; readonly record: number }
  /** A small record every so many ms, numbered from `first` on, until `rest`. */
  | { readonly do: 'chatter'; readonly first: number; readonly everyMs: number }
  | { readonly do: 'rest' }
  /** When each record was here, since the last time that this was asked. */
  | { readonly do: 'arrivals' }
  /** Resident memory after collections; from now on the peak counts anew. */
  | { readonly do: 'memory' }
  | { readonly do: 'close' }

/** Moments are ms of the host's monotonic clock, the same in all processes. */
export interface LineAnswers {
  readonly listen: number
  readonly connect: null
  /** When it was published. */
  readonly publish: number
  readonly forget: null
  readonly chatter: null
  readonly rest: null
  readonly arrivals: readonly (readonly [record: number, at: number])[]
  readonly memory: { readonly now: number; readonly peak: number }
  readonly close: null
}

/** What hosts say by themselves. */
export interface LineNews {
  /** A large record has come. */
  readonly large: number
}

export const LARGE_FROM = 1_000_000_000
export const SMALL_BYTES = 256
/** Each node numbers its small records from its place times this. */
export const SMALL_RANGE = 10_000_000
