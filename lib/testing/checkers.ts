import { bytesKey, compareBytes } from '../core/bytes.js'
import { milliseconds } from '../core/instant.js'
import { below, type Rng } from '../core/rng.js'
import type { PnrpId } from '../wire/messages.js'
import type { SimNode } from './sim-node.js'
import type { SimResolution } from './sim-results.js'
import type { Simulation } from './simulation.js'

/** A name that a live node publishes. */
export interface LiveName {
  readonly name: string
  readonly publisher: SimNode
  readonly pnrpId: PnrpId
}

/** Every registration of every live node whose PNRP ID is known. */
export function liveNames(sim: Simulation): LiveName[] {
  return sim.liveNodes.flatMap((publisher) =>
    publisher.registrations.flatMap(({ name, pnrpId }) =>
      pnrpId === undefined ? [] : [{ name, publisher, pnrpId }],
    ),
  )
}

/** Who asks for which name. */
export interface Question {
  readonly asker: SimNode
  readonly name: LiveName
}

/** Every live node asks for every live name that is not its own. */
export function allQuestions(sim: Simulation, names = liveNames(sim)): Question[] {
  return sim.liveNodes.flatMap((asker) =>
    names.filter(({ publisher }) => publisher !== asker).map((name) => ({ asker, name })),
  )
}

/**
 * A sample in which every name and every live node occurs, each about equally often: `rounds` times
 * the names are dealt out to the nodes in a new random order.
 */
export function sampledQuestions(
  sim: Simulation,
  rounds: number,
  rng: Rng,
  names = liveNames(sim),
): Question[] {
  const askers = sim.liveNodes
  const questions: Question[] = []
  for (let round = 0; round < rounds; round++) {
    const order = shuffled(askers, rng)
    const count = Math.max(names.length, order.length)
    for (let i = 0; i < count; i++) {
      const name = names[i % names.length]
      let asker = order[i % order.length]
      if (asker === name?.publisher) asker = order[(i + 1) % order.length]
      if (name !== undefined && asker !== undefined) questions.push({ asker, name })
    }
  }
  return questions
}

export function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(rng, i + 1)
    ;[out[i], out[j]] = [out[j] as T, out[i] as T]
  }
  return out
}

export interface AskOptions {
  /** Virtual milliseconds between one question and the next. Default 2. */
  readonly gapMs?: number
  /** Deadline of each resolve; default 30,000. */
  readonly timeoutMs?: number
  readonly trace?: boolean
}

export interface Answers {
  readonly asked: number
  readonly found: number
  /**
   * Everything that was not found, or was found and is not what the name's publishers published.
   */
  readonly failures: readonly { readonly question: Question; readonly resolution: SimResolution }[]
  readonly lookups: number
  /** Virtual milliseconds of each answered resolve, ascending. */
  readonly elapsedMs: readonly number[]
}

/**
 * Asks all the questions, one after the other without waiting, and lets the simulation run until
 * all are answered. An answer counts only if a live publisher of that name has the PNRP ID found.
 */
export function ask(
  sim: Simulation,
  questions: readonly Question[],
  options: AskOptions = {},
): Answers {
  const { gapMs = 2, timeoutMs = 30_000, trace = false } = options
  const asked: { question: Question; resolution: SimResolution }[] = []
  for (const question of questions) {
    if (question.asker.alive) {
      const resolution = question.asker.resolve(question.name.name, { timeoutMs, trace })
      asked.push({ question, resolution })
    }
    if (gapMs > 0) sim.runFor(gapMs)
  }
  sim.runUntil(() => asked.every(({ resolution }) => resolution.done), timeoutMs + 1000, 50)
  const publishers = new Map<string, Set<string>>()
  for (const { name, pnrpId } of [...liveNames(sim), ...questions.map((q) => q.name)]) {
    const ids = publishers.get(name) ?? new Set<string>()
    ids.add(bytesKey(pnrpId))
    publishers.set(name, ids)
  }
  const failures = asked.filter(({ question, resolution }) => {
    const id = resolution.peer?.pnrpId
    const right = id !== undefined && publishers.get(question.name.name)?.has(bytesKey(id)) === true
    return !right
  })
  const elapsed = asked.flatMap(({ resolution }) => resolution.elapsedMs ?? [])
  return {
    asked: asked.length,
    found: asked.length - failures.length,
    failures,
    lookups: asked.reduce((sum, { resolution }) => sum + resolution.lookups, 0),
    elapsedMs: elapsed.sort((a, b) => a - b),
  }
}

/** A cache entry that leads nowhere. */
export interface DeadEntry {
  readonly holder: SimNode
  readonly pnrpId: PnrpId
  /** Virtual milliseconds since its registration ended; Infinity when it never existed. */
  readonly deadForMs: number
}

/** All cache entries of live nodes whose registration ended at least `forMs` ago. */
export function deadEntries(sim: Simulation, forMs = 0): DeadEntry[] {
  const alive = new Set(liveNames(sim).map(({ pnrpId }) => bytesKey(pnrpId)))
  const out: DeadEntry[] = []
  for (const holder of sim.liveNodes) {
    for (const { pnrpId } of holder.machine.cache()) {
      const key = bytesKey(pnrpId)
      if (alive.has(key)) continue
      const endedAt = sim.endedAt(pnrpId)
      const deadForMs =
        endedAt === undefined ? Number.POSITIVE_INFINITY : (sim.kernel.now - endedAt) / 1000
      if (deadForMs >= forMs) out.push({ holder, pnrpId, deadForMs })
    }
  }
  return out
}

export interface LeafSetReport {
  /** Neighbours that leaf sets should hold, over all live registrations. */
  readonly expected: number
  readonly present: number
  /** Registrations whose nearest neighbour on some side is missing from the leaf set. */
  readonly nearestMissing: number
  /** present / expected; 1 for an empty cloud. */
  readonly ratio: number
}

/** Compares every leaf set with the true neighbours on the ring, `side` on each side. */
export function leafSets(sim: Simulation, side = 5): LeafSetReport {
  const ring = liveNames(sim).sort((a, b) => compareBytes(a.pnrpId, b.pnrpId))
  let expected = 0
  let present = 0
  let nearestMissing = 0
  for (const [index, { publisher }] of ring.entries()) {
    // A cached entry that is a true neighbour is in the leaf set: the cache ranks by distance.
    const held = new Set(publisher.machine.cache().map((entry) => bytesKey(entry.pnrpId)))
    for (const step of [-1, 1]) {
      const neighbours = trueNeighbours(ring, index, step, side)
      expected += neighbours.length
      for (const [rank, id] of neighbours.entries()) {
        if (held.has(bytesKey(id))) present++
        else if (rank === 0) nearestMissing++
      }
    }
  }
  return { expected, present, nearestMissing, ratio: expected === 0 ? 1 : present / expected }
}

/** IDs of other nodes next to one on the ring, nearest first, each side at most half the ring. */
function trueNeighbours(
  ring: readonly LiveName[],
  index: number,
  step: number,
  side: number,
): PnrpId[] {
  const own = ring[index]?.publisher
  const out: PnrpId[] = []
  const others = ring.filter(({ publisher }) => publisher !== own).length
  const limit = Math.min(side, step < 0 ? Math.floor(others / 2) : Math.ceil(others / 2))
  for (let i = 1; i < ring.length && out.length < limit; i++) {
    const entry = ring[(index + step * i + ring.length * i) % ring.length]
    if (entry !== undefined && entry.publisher !== own) out.push(entry.pnrpId)
  }
  return out
}

/** Packets that the cloud sends a second and node while nobody asks for anything. */
export function idlePackets(sim: Simulation, overMs: number): number {
  const before = sim.stats.packets.sent
  const from = sim.kernel.now
  sim.runFor(overMs)
  const elapsedSeconds = (sim.kernel.now - from) / milliseconds(1000)
  return (sim.stats.packets.sent - before) / elapsedSeconds / Math.max(1, sim.liveNodes.length)
}
