// One soak: starts the nodes, lets rounds of work, churn and comparison follow each other, and ends
// with a verdict. See bench/graph-soak.ts.
import { below, type Rng } from '#lib/core/rng.js'
import { sleep } from '../readings.js'
import type { Databases, Measures } from './messages.js'
import { Swarm, type SoakNode } from './swarm.js'
import { growthOf, LEAST_MINUTES, leftOver, tooFast, type Growth, type Reading } from './verdict.js'
import { Writer } from './writer.js'

export interface SoakOptions {
  /** Directory for the stores. */
  readonly home: string
  readonly nodes: number
  /** Operations a second, over all nodes. */
  readonly rate: number
  readonly rounds: number
  readonly roundMs: number
  readonly lifetimeMs: readonly [number, number]
  readonly rng: Rng
  readonly say: (line: object) => void
}

export interface SoakVerdict {
  readonly ok: boolean
  readonly failures: readonly string[]
  /** Of each process that lived all the time. */
  readonly growth: readonly Growth[]
}

const PROCESSES = 4
/** Parts of a round: churn happens in the first half, writing ends after three quarters. */
const CHURN = [0.05, 0.3]
const WRITING = 0.75
/** A node that closed or died is away for up to this part of a round. */
const AWAY = 0.15
const KILL_EVERY = 3
const RESETS = 4
const CONVERGENCE_MS = 60_000
/**
 * Rounds in a row without agreement. Under such churn a mesh of 32 comes apart now and then; it has
 * to find back within the time of the Graph Maintenance Timer, five minutes.
 */
const MOST_APART = 5
/** Records about to expire are left out of comparisons: they vanish here a moment before there. */
const MARGIN_MS = 20_000

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10

interface Comparison {
  /** Until all databases were equal; undefined: they were not within a minute. */
  readonly ms: number | undefined
  readonly different: number
  readonly records: number
  readonly wrong: readonly string[]
}

export class Soak {
  readonly #options: SoakOptions
  readonly #swarm: Swarm
  readonly #writer: Writer
  readonly #failures: string[] = []
  readonly #readings: Reading[][]
  /** Rounds without agreement: in a row, and in all. */
  #apart = { now: 0, all: 0 }
  #churned = { closed: 0, killed: 0, reset: 0 }
  #cpu: number[] = []

  constructor(options: SoakOptions) {
    this.#options = options
    const { home, nodes, rng, lifetimeMs } = options
    this.#swarm = new Swarm(home, nodes, PROCESSES, (count) => below(rng, count))
    this.#writer = new Writer(this.#swarm, rng, lifetimeMs)
    this.#readings = this.#swarm.steady.map(() => [])
  }

  async run(): Promise<SoakVerdict> {
    const { rounds, say } = this.#options
    const before = await this.#warmUp()
    for (const node of this.#swarm.nodes) await this.#swarm.start(node)
    this.#cpu = (await this.#measure()).map(({ cpuSeconds }) => cpuSeconds)
    for (let round = 1; round <= rounds; round++) say(await this.#round(round))
    const last = await this.#compare(true)
    say({ atRest: last, internalRecords: 'included' })
    if (last.ms === undefined) this.#differs('at the end', last)
    for (const node of this.#swarm.up) await this.#swarm.close(node)
    const after = await this.#measure()
    say({ handlesBefore: before.map(handlesOf), handlesAfter: after.map(handlesOf) })
    say({ before: memoryOf(before), after: memoryOf(after) })
    return this.#verdict(before, after)
  }

  async end(): Promise<void> {
    await this.#swarm.end()
  }

  /** A node opened and closed in each process: what stays open for good is open now. */
  async #warmUp(): Promise<Measures[]> {
    const { steady, nodes } = this.#swarm
    for (const [place, host] of steady.entries()) {
      const node = nodes.find((one) => one.place === place)
      if (node === undefined) continue
      const directory = `${node.directory}-before`
      await host.ask({ do: 'start', node: node.index, directory, seeds: [] })
      await host.ask({ do: 'close', node: node.index })
    }
    return this.#measure()
  }

  async #round(round: number): Promise<object> {
    const { roundMs, rate } = this.#options
    const start = performance.now()
    const until = (part: number): Promise<void> =>
      sleep(Math.max(0, start + part * roundMs - performance.now()))
    this.#writer.run(rate)
    const churn = (async () => {
      for (const [i, at] of CHURN.entries()) {
        await until(at)
        await this.#churn(round, i)
      }
    })()
    await until(WRITING)
    await Promise.all([this.#writer.pause(), churn])
    const compared = await this.#compare(false)
    this.#judge(round, compared)
    const line = await this.#line(round, compared)
    await until(1)
    return line
  }

  async #churn(round: number, step: number): Promise<void> {
    const { rng } = this.#options
    const { steady } = this.#swarm
    if (step === 0 && round % KILL_EVERY === 0) await this.#killProcess()
    else if (step === 0) await this.#closeOne()
    else {
      const host = steady[below(rng, steady.length)]
      this.#churned.reset += (await host?.ask({ do: 'reset', count: RESETS })) ?? 0
    }
  }

  async #closeOne(): Promise<void> {
    const { up } = this.#swarm
    const node = up[below(this.#options.rng, up.length)] as SoakNode
    this.#churned.closed++
    await this.#swarm.close(node)
    await this.#away()
    await this.#swarm.start(node)
  }

  async #killProcess(): Promise<void> {
    const { mortal } = this.#swarm
    this.#writer.killed(mortal[0]?.place ?? -1)
    this.#churned.killed += mortal.length
    await this.#swarm.kill()
    await this.#away()
    for (const node of mortal) await this.#swarm.start(node)
  }

  #away(): Promise<void> {
    const { rng, roundMs } = this.#options
    return sleep(below(rng, Math.ceil(AWAY * roundMs)))
  }

  /** Waits until all nodes hold the same records, and those that were acknowledged. */
  async #compare(internal: boolean): Promise<Comparison> {
    const start = performance.now()
    for (;;) {
      const expiresAfter = Date.now() + Math.min(MARGIN_MS, this.#options.roundMs)
      const all = await this.#askAll((host) =>
        host.ask({ do: 'databases', expiresAfter, internal }),
      )
      const digests = all.flatMap((one: Databases) => one.digests)
      const different = new Set(digests).size
      const first = all.find((one) => one.digests.length > 0)?.first ?? []
      const wrong = this.#writer.missing(first, expiresAfter)
      const ms = Math.round(performance.now() - start)
      const equal = different === 1 && digests.length === this.#swarm.nodes.length
      const records = first.length
      if (equal && wrong.length === 0) return { ms, different, records, wrong }
      if (ms > CONVERGENCE_MS) return { ms: undefined, different, records, wrong }
      await sleep(250)
    }
  }

  #judge(round: number, compared: Comparison): void {
    if (compared.ms !== undefined) {
      this.#apart.now = 0
      return
    }
    this.#apart.now++
    this.#apart.all++
    // What all have lost will not come back.
    const lost = compared.different === 1
    if (lost || this.#apart.now > MOST_APART) this.#differs(`in round ${round}`, compared)
  }

  #differs(when: string, { different, wrong }: Comparison): void {
    this.#failures.push(`${different} different databases ${when}`)
    if (wrong.length > 0) this.#failures.push(`${when}: ${wrong.slice(0, 5).join(', ')}`)
  }

  async #line(round: number, compared: Comparison): Promise<object> {
    const { roundMs } = this.#options
    const measures = await this.#measure()
    for (const [i, one] of measures.entries()) {
      const { heapUsed, heapTotal, external, anonymous, failures } = one
      this.#readings[i]?.push({
        ...{ minute: (round * roundMs) / 60_000, heapBytes: heapUsed, externalBytes: external },
        anonymousBytes: anonymous - (heapTotal - heapUsed),
      })
      if (failures.length > 0) this.#failures.push(...failures.slice(0, 1))
    }
    const cpu = measures.map(({ cpuSeconds }) => cpuSeconds)
    const used = cpu.reduce((sum, seconds, i) => sum + seconds - (this.#cpu[i] ?? 0), 0)
    this.#cpu = cpu
    return {
      round,
      nodes: this.#swarm.up.length,
      records: compared.records,
      equalAfterMs: compared.ms ?? null,
      ...(compared.ms === undefined ? { databases: compared.different } : {}),
      ...(compared.wrong.length === 0 ? {} : { wrong: compared.wrong.slice(0, 5) }),
      links: measures.reduce((sum, { neighbors }) => sum + neighbors, 0),
      ...memoryOf(measures),
      fds: measures.map(({ fds }) => fds),
      handles: measures.map(({ handles }) => handles),
      // Of one core, in the processes that live all the time.
      cpuPercent: Math.round((used / (roundMs / 1000)) * 100),
      ...this.#writer.counts,
      ...this.#churned,
    }
  }

  #measure(): Promise<Measures[]> {
    return Promise.all(this.#swarm.steady.map((host) => host.ask({ do: 'measure' })))
  }

  #askAll<T>(ask: (host: Swarm['hosts'][number]) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#swarm.hosts.map(ask))
  }

  #verdict(before: readonly Measures[], after: readonly Measures[]): SoakVerdict {
    const { rounds, roundMs, say } = this.#options
    const judged = (rounds * roundMs) / 60_000 >= LEAST_MINUTES
    const growth = this.#readings.map(growthOf)
    const failures = [...this.#failures]
    for (const host of this.#swarm.hosts) if (host.crash !== undefined) failures.push(host.crash)
    for (const [i, one] of growth.entries()) {
      if (judged) failures.push(...tooFast(one).map((text) => `process ${i}: ${text}`))
    }
    for (const [i, first] of before.entries()) {
      const left = leftOver(first, after[i] ?? first)
      failures.push(...left.map((text) => `process ${i}: ${text}`))
    }
    const verdict = { ok: failures.length === 0, failures, growth }
    const memory = judged ? 'judged' : `not judged: shorter than ${LEAST_MINUTES} minutes`
    const roundsApart = this.#apart.all
    const result = verdict.ok ? 'passed' : 'failed'
    say({ verdict: result, failures, roundsApart, growthPerHour: growth, memory })
    return verdict
  }
}

function memoryOf(measures: readonly Measures[]): object {
  return {
    rssMB: measures.map(({ rss }) => megabytes(rss)),
    anonymousMB: measures.map(({ anonymous }) => megabytes(anonymous)),
    heapMB: measures.map(({ heapUsed }) => megabytes(heapUsed)),
    heapTotalMB: measures.map(({ heapTotal }) => megabytes(heapTotal)),
    externalMB: measures.map(({ external }) => megabytes(external)),
  }
}

function handlesOf({ fds, handles }: Measures): object {
  return { fds, ...handles }
}
