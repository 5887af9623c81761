import { addon } from './addon.js'
import type { Sha2 } from './content-crypto.js'

/** Content hashed on the thread pool (native/binding/content_hash.cc). */

declare const brand: unique symbol
export interface HashJob {
  readonly [brand]: true
}

/** How a job ended; numbers below 0 are libuv's error numbers. */
export const HashOutcome = {
  DONE: 0,
  CANCELLED: 1,
  /** The file ended too early. */
  CHANGED: 2,
  NO_MEMORY: 3,
} as const

export interface HashRequest {
  /** An open file, or bytes that nobody changes until the end. */
  readonly source: number | Uint8Array
  readonly position: number
  /** From 1 up to 2^37 bytes. */
  readonly size: number
  readonly version: 1 | 2
  readonly algorithm: Sha2
  /** Length of all segments of version 2, or 0 to let the content decide. */
  readonly fixed: number
  /** Threads of the pool to keep busy, 1..16. */
  readonly workers: number
}

export function startHashing(
  request: HashRequest,
  done: (
    outcome: number,
    lengths: Uint32Array | undefined,
    hashes: Uint8Array | undefined,
  ) => void,
): HashJob {
  const { source, position, size, version, algorithm, fixed, workers } = request
  const job = addon.hashStart(source, position, size, version, algorithm, fixed, workers, done)
  return job as HashJob
}

/** Bytes hashed so far. */
export function hashProgress(job: HashJob): number {
  return addon.hashProgress(job)
}

/** Ends the job soon; `done` comes all the same. */
export function cancelHashing(job: HashJob): void {
  addon.hashCancel(job)
}
