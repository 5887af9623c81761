// Publishes, updates and deletes at a steady rate on random nodes, and knows what the graph has to
// hold by what was acknowledged.
import { below, unit, type Rng } from '#lib/core/rng.js'
import type { Held } from './messages.js'
import type { SoakNode, Swarm } from './swarm.js'

interface Expected {
  version: number
  deleted: boolean
  readonly expires: number
  /** When it was last touched, and where. */
  touched: number
  place: number
  /** Two nodes may have given it the same version: nobody knows which one stays. */
  unsure: boolean
}

export interface WriterCounts {
  readonly published: number
  readonly updated: number
  readonly deleted: number
  /** Refused because the node was not up to date, or gone. */
  readonly failed: number
}

/** Records that are touched again at the earliest after this: all nodes have them by then. */
const REST_MS = 3_000
/** At most so many operations wait for their acknowledgement. */
const UNDER_WAY = 64
/** Shares of what is done. */
const PUBLISH = 0.45
const UPDATE = 0.45
/** Every so many records is large: it takes several frames and its own way through a link. */
const LARGE_EVERY = 50
const LARGE_BYTES = 60_000
const SMALL_BYTES = 512

export class Writer {
  readonly #swarm: Swarm
  readonly #rng: Rng
  readonly #lifetimeMs: readonly [number, number]
  readonly #expected = new Map<string, Expected>()
  readonly #counts = { published: 0, updated: 0, deleted: 0, failed: 0 }
  #underWay = 0
  #timer: NodeJS.Timeout | undefined

  /** @param lifetimeMs of records, from and to */
  constructor(swarm: Swarm, rng: Rng, lifetimeMs: readonly [number, number]) {
    this.#swarm = swarm
    this.#rng = rng
    this.#lifetimeMs = lifetimeMs
  }

  get counts(): WriterCounts {
    return { ...this.#counts }
  }

  run(perSecond: number): void {
    this.#timer = setInterval(() => void this.#one(), 1000 / perSecond)
  }

  /** Ends when all that was begun is acknowledged. */
  async pause(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    while (this.#underWay > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** The process of these nodes is about to die: what it did last may not have reached others. */
  killed(place: number): void {
    const recently = Date.now() - REST_MS
    for (const one of this.#expected.values()) {
      if (one.place === place && one.touched > recently) one.unsure = true
    }
  }

  /** What is missing, old or back from the dead in a database; empty: all is well. */
  missing(held: readonly Held[], expiresAfter: number): string[] {
    const there = new Map(held.map((one) => [one.id, one]))
    const wrong: string[] = []
    for (const [id, { version, deleted, expires, unsure }] of this.#expected) {
      if (expires <= Date.now()) this.#expected.delete(id)
      if (expires <= expiresAfter) continue
      const found = there.get(id)
      if (found === undefined) wrong.push(`${id} is missing`)
      else if (found.version < version) wrong.push(`${id} has version ${found.version}`)
      else if (deleted && !found.deleted && !unsure) wrong.push(`${id} has come back`)
    }
    return wrong
  }

  async #one(): Promise<void> {
    const { up } = this.#swarm
    const node = up[below(this.#rng, Math.max(1, up.length))]
    if (node === undefined || this.#underWay >= UNDER_WAY) return
    this.#underWay++
    try {
      await this.#operate(node)
    } catch {
      this.#counts.failed++
    } finally {
      this.#underWay--
    }
  }

  async #operate(node: SoakNode): Promise<void> {
    const choice = unit(this.#rng)
    const record = choice < PUBLISH ? undefined : this.#anyRecord()
    if (record === undefined) {
      await this.#publish(node)
      return
    }
    const [id, expected] = record
    expected.touched = Date.now()
    expected.place = node.place
    const host = this.#swarm.hostOf(node)
    const { index } = node
    try {
      if (choice < PUBLISH + UPDATE) {
        const { version } = await host.ask({ do: 'update', node: index, id, bytes: SMALL_BYTES })
        this.#counts.updated++
        settle(expected, version, false)
      } else {
        const { version } = await host.ask({ do: 'delete', node: index, id })
        this.#counts.deleted++
        settle(expected, version, true)
      }
    } catch (error) {
      // It may have happened or not.
      expected.unsure = true
      throw error
    }
  }

  async #publish(node: SoakNode): Promise<void> {
    const [least, most] = this.#lifetimeMs
    const large = this.#counts.published % LARGE_EVERY === 0
    const { id, version, expires } = await this.#swarm.hostOf(node).ask({
      do: 'publish',
      node: node.index,
      bytes: large ? LARGE_BYTES : below(this.#rng, SMALL_BYTES),
      lifetimeMs: least + below(this.#rng, most - least),
    })
    this.#counts.published++
    const { place } = node
    const touched = Date.now()
    this.#expected.set(id, { version, deleted: false, expires, touched, place, unsure: false })
  }

  /** One that has had time to reach everybody. */
  #anyRecord(): [string, Expected] | undefined {
    const now = Date.now()
    const ids = [...this.#expected.keys()]
    for (let tries = 0; tries < 8 && ids.length > 0; tries++) {
      const id = ids[below(this.#rng, ids.length)] as string
      const expected = this.#expected.get(id) as Expected
      const { touched, deleted, unsure, expires } = expected
      if (deleted || unsure || touched > now - REST_MS || expires < now + REST_MS) continue
      return [id, expected]
    }
    return undefined
  }
}

/** A node that was behind gives a version that others have passed: theirs stays. */
function settle(expected: Expected, version: number, deleted: boolean): void {
  if (version === expected.version) expected.unsure = true
  if (version <= expected.version) return
  expected.version = version
  expected.deleted = deleted
}
