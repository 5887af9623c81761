// The acceptance scenarios of the simulator, run with a few seeds by the tests beside this file
// and with twenty by bench/sim/long.ts. Every number comes out of a run; nothing is assumed.
import {
  allQuestions,
  ask,
  deadEntries,
  leafSets,
  sampledQuestions,
  shuffled,
  Simulation,
  type Answers,
  type LeafSetReport,
  type SimCryptoKind,
  type SimNode,
} from '#lib/testing/index.js'

export interface Outcome {
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  readonly crypto: SimCryptoKind
  readonly asked: number
  readonly found: number
  /** Of the first failures: who asked for what, and how it ended. */
  readonly failures: readonly string[]
  readonly lookupsMean: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly leafSets: LeafSetReport
  readonly packets: number
  readonly bytes: number
  readonly signed: number
  readonly verified: number
  readonly virtualMinutes: number
  readonly hash: string
}

export interface ScenarioOptions {
  readonly nodes: number
  readonly crypto?: SimCryptoKind
  readonly loss?: number
  /** The nodes come within this time. */
  readonly joinMs?: number
  /** Rounds of `sampledQuestions`; 'all': every node asks for every name of the others. */
  readonly rounds: number | 'all'
}

function percentile(ascending: readonly number[], share: number): number {
  return (
    ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
  )
}

export function describeFailures(answers: Answers): string[] {
  return answers.failures.slice(0, 10).map(({ question, resolution }) => {
    const { asker, name } = question
    const refusals = resolution.refusals.join(' ')
    return `node ${asker.index} asked for ${name.name} of node ${name.publisher.index}: ${
      resolution.outcome ?? 'no end'
    } after ${resolution.lookups} LOOKUPs ${refusals}`
  })
}

function report(
  scenario: string,
  sim: Simulation,
  options: ScenarioOptions,
  answers: Answers,
  before: LeafSetReport,
): Outcome {
  const { packets, bytes, signed, verified } = sim.stats
  return {
    scenario,
    seed: sim.kernel.seed,
    nodes: options.nodes,
    crypto: options.crypto ?? 'rsa',
    asked: answers.asked,
    found: answers.found,
    failures: describeFailures(answers),
    lookupsMean: answers.lookups / answers.asked,
    medianMs: percentile(answers.elapsedMs, 0.5),
    p99Ms: percentile(answers.elapsedMs, 0.99),
    leafSets: before,
    packets: packets.sent,
    bytes,
    signed,
    verified,
    virtualMinutes: sim.nowMs / 60_000,
    hash: sim.hash,
  }
}

function questions(sim: Simulation, rounds: number | 'all'): ReturnType<typeof allQuestions> {
  return rounds === 'all' ? allQuestions(sim) : sampledQuestions(sim, rounds, sim.rng('questions'))
}

/** A cloud in which node i publishes `0.name-i`; all but the first know the first as their seed. */
export function growCloud(
  seed: number,
  { nodes, crypto = 'rsa', loss = 0, joinMs = 1000 }: ScenarioOptions,
): Simulation {
  const sim = new Simulation({ seed, crypto, network: { loss } })
  const first = sim.addNode()
  first.register('0.name-0')
  for (let i = 1; i < nodes; i++) {
    sim.at((joinMs * i) / nodes, () => {
      sim.addNode({ seeds: [first] }).register(`0.name-${i}`)
    })
  }
  return sim
}

/**
 * Issue 2, Done 8: many nodes join within a second (by default) over a lossy network. One virtual
 * minute later they ask each other, while the losses go on.
 */
export function joinFast(seed: number, options: ScenarioOptions): Outcome {
  const sim = growCloud(seed, { loss: 0.05, ...options })
  sim.runFor(60_000)
  const before = leafSets(sim)
  return report('join fast', sim, options, ask(sim, questions(sim, options.rounds)), before)
}

/**
 * Issue 2, Done 8: a cloud is cut into two random halves for ten minutes; both halves know one seed
 * (which is in one of them). Ten virtual minutes after the cut has ended they ask each other.
 */
export function splitAndHeal(
  seed: number,
  options: ScenarioOptions & { readonly cutMinutes?: number },
): Outcome {
  const sim = growCloud(seed, { joinMs: 5000, ...options })
  sim.runFor(60_000)
  const [a, b] = halves(sim)
  sim.partition(a, b)
  sim.runFor((options.cutMinutes ?? 10) * 60_000)
  sim.heal()
  sim.runFor(10 * 60_000)
  const before = leafSets(sim)
  return report('split and heal', sim, options, ask(sim, questions(sim, options.rounds)), before)
}

/**
 * Two clouds that have never met: the halves are cut apart before the first packet, each with a
 * seed of its own, and both know a common seed that is cut off from the second. After the cut has
 * ended nothing but the split test can bring them together.
 */
export function strangersMeet(seed: number, options: ScenarioOptions): Outcome {
  const { nodes, crypto = 'rsa', loss = 0, joinMs = 5000 } = options
  const sim = new Simulation({ seed, crypto, network: { loss } })
  // Hosts are counted in the order in which they come: the even ones are cut from the odd ones.
  const indexes = Array.from({ length: nodes }, (_, i) => i)
  const isOdd = (i: number): boolean => i % 2 === 1
  sim.network.cuts.add(
    indexes.filter((i) => !isOdd(i)),
    indexes.filter(isOdd),
    'both',
    nodes,
  )
  const common = sim.addNode()
  common.register('0.name-0')
  const other = sim.addNode({ seeds: [common] })
  other.register('0.name-1')
  for (let i = 2; i < nodes; i++) {
    sim.at((joinMs * i) / nodes, () => {
      sim.addNode({ seeds: isOdd(i) ? [common, other] : [common] }).register(`0.name-${i}`)
    })
  }
  sim.runFor(10 * 60_000)
  sim.heal()
  sim.runFor(10 * 60_000)
  const before = leafSets(sim)
  return report('strangers meet', sim, options, ask(sim, questions(sim, options.rounds)), before)
}

export function halves(sim: Simulation): [SimNode[], SimNode[]] {
  const order = shuffled(sim.liveNodes, sim.rng('halves'))
  const middle = order.length >> 1
  return [order.slice(0, middle), order.slice(middle)]
}

export interface DeathOutcome {
  readonly seed: number
  readonly asked: number
  /** Resolves that said anything but "nobody has it" or "its publisher does not answer". */
  readonly wrong: readonly string[]
  readonly slowestMs: number
  /** Cache entries of dead names thirty seconds after the deaths. */
  readonly leftOver: number
}

/**
 * Issue 2, Done 6 in the simulator: a tenth of the publishers dies without a word. Others ask for
 * their names at once, from all over the cloud; half a minute later no cache may know them.
 */
export function publishersDie(seed: number, options: ScenarioOptions): DeathOutcome {
  const sim = growCloud(seed, { ...options, joinMs: 5000 })
  sim.runFor(60_000)
  const victims = shuffled(sim.liveNodes.slice(1), sim.rng('victims')).slice(
    0,
    Math.ceil(options.nodes / 10),
  )
  const names = victims.flatMap((victim) => victim.registrations.map(({ name }) => name))
  for (const victim of victims) victim.kill()
  const askers = sim.liveNodes
  const rng = sim.rng('askers')
  const asked = names.flatMap((name) =>
    shuffled(askers, rng)
      .slice(0, 10)
      .map((asker) => asker.resolve(name)),
  )
  sim.runFor(30_000)
  const wrong = asked.filter(({ outcome }) => outcome !== 'not-found' && outcome !== 'unreachable')
  return {
    seed,
    asked: asked.length,
    wrong: wrong.map(({ name, outcome }) => `${name}: ${outcome ?? 'no end'}`),
    slowestMs: Math.max(...asked.map(({ elapsedMs }) => elapsedMs ?? Number.POSITIVE_INFINITY)),
    leftOver: deadEntries(sim).length,
  }
}
