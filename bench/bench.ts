import { fileURLToPath } from 'node:url'

/**
 * What a file under bench/cases exports as its default. Every trial runs in a process of its own,
 * so that no system is measured with another's heap and compiled code.
 */
export interface BenchSuite {
  /** The name on the command line. */
  readonly name: string
  readonly cases: readonly BenchCase[]
}

export interface BenchCase {
  /** What is measured, e.g. 'receive 200 B'. */
  readonly case: string
  /** Size of the problem, e.g. nodes of a cloud, or operations of one trial. */
  readonly n: number
  readonly systems: readonly string[]
  /** The system that the others are compared to. */
  readonly reference: string
  /** Those of `systems` that need the packages of bench/peers. */
  readonly peers?: readonly string[]
  /** Names of the values that a trial gives, with their units. */
  readonly metrics: Readonly<Record<string, string>>
  /** Trials run in a network namespace of their own, with nothing but a loopback device. */
  readonly isolated?: boolean
  /** Longest time of a trial; default 60. */
  readonly limitSeconds?: number
  /** Runs one system once and returns a value for each metric. */
  trial(system: string, options: TrialOptions): Promise<Readonly<Record<string, number>>>
}

export interface TrialOptions {
  /** Inputs so small that the figures mean nothing: does it still run? */
  readonly quick: boolean
}

/** One line of `--json`. */
export interface BenchLine {
  readonly name: string
  readonly case: string
  readonly system: string
  readonly n: number
  readonly value: number
  readonly unit: string
  readonly ratioTo: string | null
  readonly ratio: number | null
}

/** The repository; compiled, this file is build/js/bench/bench.js in it. */
export const projectRoot = fileURLToPath(new URL('../../..', import.meta.url))

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** CPU seconds that this process has used, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
