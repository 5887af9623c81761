import { bytesKey } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import { below, unit, type Rng } from '../core/rng.js'
import {
  ask,
  allQuestions,
  deadEntries,
  idlePackets,
  leafSets,
  sampledQuestions,
  shuffled,
  type Answers,
  type LeafSetReport,
} from './checkers.js'
import { DEFAULT_LINK } from './link-options.js'
import type { SimCryptoKind } from './sim-identity.js'
import type { SimNode } from './sim-node.js'
import type { SimRegistration, SimResolution } from './sim-results.js'
import { Simulation } from './simulation.js'
import { swarmOptions, type SwarmOptions } from './swarm-options.js'

/** How a swarm run went. `violations` is empty when all is well. */
export interface SwarmReport {
  readonly options: SwarmOptions
  readonly violations: readonly string[]
  /** What happened while faults were on. */
  readonly events: Readonly<Record<string, number>>
  /** Resolves while faults were on, of names whose publishers lived until the answer. */
  readonly askedDuringFaults: number
  readonly foundDuringFaults: number
  /** After how many virtual minutes of peace everything was found; undefined: never. */
  readonly convergedAfterMinutes: number | undefined
  readonly asked: number
  readonly leafSets: LeafSetReport
  /** Packets a second and node while nobody asks. */
  readonly idle: number
  readonly packets: number
  readonly hash: string
}

export interface SwarmRunOptions {
  /** Default 'keyed-hash'. */
  readonly crypto?: SimCryptoKind
  /** Changes to the options drawn from the seed, to minimise a failure. */
  readonly changes?: Partial<SwarmOptions>
  /** Virtual minutes of peace in which everything has to be found. Default 10. */
  readonly peaceMinutes?: number
  /** Pairs asked a check; all of them when there are no more. Default 2000. */
  readonly questions?: number
}

const SEEDS = 2
const STEP_MS = 1000
/** Caches may know a dead entry for so long: far entries of a big cloud, a tick, four packets. */
const DEAD_FOR_MS = (LIMITS.livenessBigFarWithinUs + LIMITS.livenessBigTickUs) / 1000 + 4000
/** Idle traffic above this would be a storm. */
const IDLE_MAX = 15

/**
 * One swarm run in two phases, as TigerBeetle's simulator does it. Safety: nodes come, go, die,
 * move and are cut off, packets are lost and late, and whatever happens no table may outgrow its
 * bound and no answer may be wrong. Liveness: the faults end, and within a bounded time every live
 * name has to be found from everywhere, caches have to be free of the dead, and the cloud has to
 * come to rest.
 */
export function runSwarm(seed: number, options: SwarmRunOptions = {}): SwarmReport {
  return new Swarm({ ...swarmOptions(seed), ...options.changes }, options).run()
}

interface Published {
  readonly publisher: SimNode
  readonly registration: SimRegistration
}

interface Asked {
  readonly resolution: SimResolution
  readonly published: Published | undefined
  /** Was the name published until the answer came? */
  lived: boolean
  settled?: boolean
}

class Swarm {
  readonly #options: SwarmOptions
  readonly #run: SwarmRunOptions
  readonly #sim: Simulation
  readonly #rng: Rng
  readonly #violations: string[] = []
  readonly #events: Record<string, number> = {}
  /** Every PNRP ID that a name ever had. */
  readonly #idsOfName = new Map<string, Set<string>>()
  readonly #publishedBy = new Map<string, Published>()
  readonly #asked: Asked[] = []
  #names = 0
  #cutUntilMs = 0

  constructor(options: SwarmOptions, run: SwarmRunOptions) {
    this.#options = options
    this.#run = run
    const { crypto = 'keyed-hash' } = run
    this.#sim = new Simulation({ seed: options.seed, crypto, network: options.network, keys: 4 })
    this.#rng = this.#sim.rng('swarm')
    this.#sim.notice = (_node, event) => {
      if (event.type !== 'registration') return
      this.#idsOfName.get(this.#nameOf(_node, event.handle))?.add(bytesKey(event.pnrpId))
    }
  }

  run(): SwarmReport {
    this.#join()
    this.#safety()
    const { minutes, answers } = this.#liveness()
    const leaves = leafSets(this.#sim)
    this.#require(leaves.nearestMissing === 0, `${leaves.nearestMissing} neighbours are missing`)
    const dead = deadEntries(this.#sim, DEAD_FOR_MS)
    this.#require(dead.length === 0, `${dead.length} dead cache entries`)
    const idle = idlePackets(this.#sim, 60_000)
    this.#require(idle <= IDLE_MAX, `${idle.toFixed(1)} idle packets a second and node`)
    this.#checkTables()
    return {
      options: this.#options,
      violations: this.#violations,
      events: this.#events,
      askedDuringFaults: this.#asked.filter(({ lived }) => lived).length,
      foundDuringFaults: this.#asked.filter((asked) => asked.lived && asked.resolution.found)
        .length,
      convergedAfterMinutes: minutes,
      asked: answers?.asked ?? 0,
      leafSets: leaves,
      idle,
      packets: this.#sim.stats.packets.sent,
      hash: this.#sim.hash,
    }
  }

  #require(condition: boolean, violation: string): void {
    if (!condition) this.#violations.push(violation)
  }

  #join(): void {
    const { nodes, joinMs } = this.#options
    for (let i = 0; i < SEEDS; i++) this.#addNode()
    for (let i = SEEDS; i < nodes; i++) {
      this.#addNode()
      if (joinMs > 0) this.#sim.runFor(joinMs / nodes)
    }
  }

  #addNode(): void {
    const { clockOffsetMs, clockDriftPpm, firewallShare } = this.#options
    const rng = this.#rng
    const sign = below(rng, 2) === 0 ? -1 : 1
    const node = this.#sim.addNode({
      seeds: this.#sim.nodes.slice(0, SEEDS),
      clockOffsetMs: sign * clockOffsetMs * unit(rng),
      clockDriftPpm: sign * clockDriftPpm * unit(rng),
    })
    if (node.index >= SEEDS && unit(rng) < firewallShare) {
      this.#sim.network.firewalls.add(node.index, 30_000)
    }
    // Most nodes have one name, some several, some none.
    const names = node.index < SEEDS ? 1 : [1, 1, 1, 2, 5, 0][below(rng, 6)]
    for (let i = 0; i < (names ?? 1); i++) this.#publish(node)
  }

  #publish(node: SimNode): void {
    const classifier = `name-${this.#names++}`
    const secure = below(this.#rng, 2) === 0
    const name = secure ? this.#sim.identity(node.index).peerName(classifier) : `0.${classifier}`
    this.#idsOfName.set(name, new Set())
    this.#publishedBy.set(name, { publisher: node, registration: node.register(name) })
  }

  #nameOf(node: SimNode, handle: number): string {
    return node.registrations.find((registration) => registration.handle === handle)?.name ?? ''
  }

  #safety(): void {
    const { faultsMs } = this.#options
    const end = this.#sim.nowMs + faultsMs
    while (this.#sim.nowMs < end) {
      this.#misfortune()
      this.#sim.runFor(STEP_MS)
      this.#settleAsked()
      if (this.#sim.nowMs % 10_000 < STEP_MS) this.#checkTables()
    }
    for (let i = 0; i < 31; i++) {
      this.#sim.runFor(STEP_MS)
      this.#settleAsked()
    }
    for (const { resolution } of this.#asked) this.#checkAnswer(resolution)
  }

  /** What goes wrong, or simply happens, in one second. */
  #misfortune(): void {
    const options = this.#options
    const sim = this.#sim
    const live = sim.liveNodes.filter(({ index }) => index >= SEEDS)
    this.#happen('kill', live, options.killRate, (node) => node.kill())
    this.#happen('leave', live, options.leaveRate, (node) => node.alive && node.leave())
    this.#happen('move', live, options.moveRate, (node) => node.alive && node.changeAddresses())
    this.#happen('republish', live, options.republishRate, (node) => {
      const [registration] = node.registrations
      if (!node.alive || registration === undefined) return
      node.unregister(registration)
      this.#publish(node)
    })
    this.#happen('join', live, options.joinRate, () => this.#addNode())
    this.#happen('resolve', live, options.resolveRate, (node) => this.#resolve(node))
    if (this.#cutUntilMs !== 0 && sim.nowMs >= this.#cutUntilMs) {
      sim.heal()
      this.#cutUntilMs = 0
    }
    if (this.#cutUntilMs === 0 && unit(this.#rng) < (options.cutRate * STEP_MS) / 60_000)
      this.#cut()
  }

  /** `rate` is a minute and node. */
  #happen(
    what: string,
    nodes: readonly SimNode[],
    rate: number,
    act: (node: SimNode) => unknown,
  ): void {
    const expected = (rate * nodes.length * STEP_MS) / 60_000
    let times = Math.floor(expected) + (unit(this.#rng) < expected % 1 ? 1 : 0)
    for (; times > 0 && nodes.length > 0; times--) {
      this.#events[what] = (this.#events[what] ?? 0) + 1
      act(nodes[below(this.#rng, nodes.length)] as SimNode)
    }
  }

  #cut(): void {
    const nodes = shuffled(this.#sim.liveNodes, this.#rng)
    const part = 1 + below(this.#rng, Math.max(1, nodes.length - 1))
    const direction = (['both', 'both', 'a-to-b', 'b-to-a'] as const)[below(this.#rng, 4)] ?? 'both'
    this.#sim.partition(nodes.slice(0, part), nodes.slice(part), direction)
    this.#cutUntilMs = this.#sim.nowMs + this.#options.cutMs * unit(this.#rng)
    this.#events['cut'] = (this.#events['cut'] ?? 0) + 1
  }

  #resolve(node: SimNode): void {
    const names = [...this.#publishedBy.keys()]
    const name = names[below(this.#rng, names.length)]
    if (!node.alive || name === undefined) return
    const published = this.#publishedBy.get(name)
    if (published?.publisher === node) return
    const lived = published?.registration.live === true
    this.#asked.push({ resolution: node.resolve(name), published, lived })
  }

  /** Names that ended before they were found were rightly not found. */
  #settleAsked(): void {
    for (const asked of this.#asked) {
      if (asked.settled === true) continue
      asked.lived &&= asked.published?.registration.live === true
      asked.settled = asked.resolution.done
    }
  }

  /** Whatever was found has to be a PNRP ID that was once published under that very name. */
  #checkAnswer(resolution: SimResolution): void {
    const { name, outcome, peer } = resolution
    this.#require(outcome !== undefined, `a resolve of ${name} never ended`)
    if (peer === undefined) return
    const known = this.#idsOfName.get(name)?.has(bytesKey(peer.pnrpId)) === true
    this.#require(known, `${name}: a PNRP ID was found that was never published`)
    const proof = name.startsWith('0.') ? 'none' : 'authority'
    this.#require(peer.verified === proof, `${name}: verified is ${peer.verified}`)
  }

  #checkTables(): void {
    for (const node of this.#sim.liveNodes) {
      const stats = node.machine.statistics()
      const bounds = [
        [stats.pendingRequests, LIMITS.pendingExchanges, 'pending requests'],
        [stats.pendingAdmissions, LIMITS.pendingAdmissions, 'pending admissions'],
        [stats.conversations, LIMITS.conversationsJoining, 'conversations'],
        [stats.resolvesActive, LIMITS.outstandingResolves, 'resolves'],
        [stats.cacheEntries, LIMITS.routeCacheEntries, 'cache entries'],
      ] as const
      for (const [size, bound, what] of bounds) {
        this.#require(size <= bound, `node ${node.index}: ${size} ${what}`)
      }
    }
  }

  /** The faults end; asks all round once a minute until everything is found. */
  #liveness(): { minutes: number | undefined; answers: Answers | undefined } {
    const sim = this.#sim
    const { delayMinMs, delayMeanMs } = sim.network.defaults
    sim.heal()
    sim.setNetwork({ ...DEFAULT_LINK, delayMinMs, delayMeanMs })
    for (const { index } of sim.nodes) sim.network.firewalls.remove(index)
    const limit = this.#run.peaceMinutes ?? 10
    let answers: Answers | undefined
    for (let minutes = 1; minutes <= limit; minutes++) {
      sim.runFor(60_000)
      answers = this.#askAround()
      if (answers.failures.length === 0 && answers.asked > 0) return { minutes, answers }
    }
    for (const { question, resolution } of answers?.failures.slice(0, 5) ?? []) {
      const { asker, name } = question
      const end = resolution.outcome ?? 'no end'
      this.#violations.push(
        `${asker.index} asks for ${name.name} of ${name.publisher.index}: ${end}`,
      )
    }
    return { minutes: undefined, answers }
  }

  #askAround(): Answers {
    const sim = this.#sim
    const most = this.#run.questions ?? 2000
    const all = allQuestions(sim)
    if (all.length <= most) return ask(sim, all)
    const rounds = Math.max(1, Math.round(most / Math.max(1, sim.liveNodes.length)))
    return ask(sim, sampledQuestions(sim, rounds, sim.rng(`round ${sim.nowMs}`)).slice(0, most))
  }
}
