// Whatever peers and drivers do, in whatever order: a graph machine does not throw, and what
// strangers can fill stays within its bounds.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import type { GraphMachine } from '#lib/graph/graph.js'
import type { ConnectionId, GraphCommand } from '#lib/graph/interface.js'
import { makeGraph } from '#lib/graph/make-graph.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { test } from '../harness.js'
import {
  authInfo,
  connectOf,
  framed,
  guidOf,
  hostAt,
  PROPERTIES,
  recordOf,
  WALL_MS,
  welcomeOf,
} from '../support/link-harness.js'
import { XorProvider } from '../support/xor-provider.js'

const small = fc.nat(9)
const hosts = fc.array(fc.nat(40), { maxLength: 12 }).map((list) => list.map((n) => hostAt(n)))
const guids = fc.array(small, { maxLength: 3 }).map((list) => list.map(guidOf))
const types = fc.oneof(
  guids.map((exclusions) => ({ inclusions: [], exclusions })),
  small.map((n) => ({ inclusions: [guidOf(n)], exclusions: [] })),
)
const abstracts = fc.array(fc.record({ id: small.map(guidOf), version: fc.nat(5) }), {
  maxLength: 4,
})

const message: fc.Arbitrary<GraphMessage> = fc.oneof(
  fc.record({ connectionType: fc.constantFrom('neighbor', 'direct') }).map(authInfo),
  fc
    .tuple(fc.bigInt(1n, 9n), fc.boolean(), fc.boolean(), hosts)
    .map(([nodeId, update, direct, addresses]) =>
      connectOf(nodeId, { update: update && addresses.length > 0, direct, addresses }),
    ),
  fc.tuple(fc.bigInt(1n, 9n), hosts).map(([nodeId, addresses]) => welcomeOf(nodeId, { addresses })),
  fc
    .tuple(
      fc.constantFrom('busy' as const, 'already-connected' as const, 'duplicate' as const),
      hosts,
    )
    .map(([code, addresses]) => ({ type: 'REFUSE' as const, code, addresses })),
  hosts.map((addresses) => ({
    type: 'DISCONNECT' as const,
    reason: 'leaving' as const,
    addresses,
  })),
  fc.tuple(small, fc.integer({ min: 1, max: 4 })).map(([n, version]) => ({
    type: 'FLOOD' as const,
    record: recordOf(n, n * 3000, { version }),
  })),
  fc.boolean().map((final) => ({ type: 'SYNC_END' as const, final })),
  types.map((some) => ({ type: 'SOLICIT_NEW' as const, ...some })),
  types.map((some) => ({ type: 'SOLICIT_TIME' as const, modificationTime: 0n, ...some })),
  types.map((some) => ({
    type: 'SOLICIT_HASH' as const,
    ranges: [{ hash: new Uint8Array(16), modificationTime: 1n << 60n, recordId: guidOf(1) }],
    ...some,
  })),
  abstracts.map((list) => ({ type: 'ADVERTISE' as const, boundaries: [], abstracts: list })),
  abstracts.map((list) => ({ type: 'REQUEST' as const, abstracts: list })),
  small.map((n) => ({ type: 'ACK' as const, acks: [{ id: guidOf(n), useful: true }] })),
  fc.uint8Array({ maxLength: 20 }).map((data) => ({
    type: 'PT2PT' as const,
    dataType: guidOf(1),
    data: new Uint8Array(data),
  })),
)

/** Which connection: one of the latest. */
const which = fc.nat(5)
type Step = (world: World) => void

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(50).map((n) => (world: World) => world.accept(hostAt(n))) },
  {
    weight: 8,
    arbitrary: fc.tuple(which, fc.array(message, { minLength: 1, maxLength: 4 })).map(
      ([at, list]) =>
        (world: World) =>
          world.say(at, framed(...list)),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(50), fc.bigInt(1n, 30n), hosts).map(([n, id, addresses]) => {
      return (world: World) => {
        world.accept(hostAt(n))
        world.say(0, framed(authInfo(), connectOf(id, { addresses })))
      }
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(50), hosts).map(([n, addresses]) => (world: World) => {
      world.connect(hostAt(n))
      world.welcome(0, addresses)
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(which, fc.uint8Array({ minLength: 1, maxLength: 60 })).map(
      ([at, bytes]) =>
        (world: World) =>
          world.say(at, new Uint8Array(bytes)),
    ),
  },
  { weight: 2, arbitrary: fc.nat(50).map((n) => (world: World) => world.connect(hostAt(n))) },
  { weight: 3, arbitrary: which.map((at) => (world: World) => world.welcome(at)) },
  { weight: 2, arbitrary: which.map((at) => (world: World) => world.close(at)) },
  { weight: 2, arbitrary: fc.nat(400).map((s) => (world: World) => world.pass(seconds(s))) },
  {
    weight: 2,
    arbitrary: fc.nat(5).map((n) => (world: World) => world.publish(n * 20_000)),
  },
  { weight: 1, arbitrary: fc.boolean().map((on) => (world: World) => world.listen(on)) },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((allow) => (world: World) => world.command({ type: 'allow-direct', allow })),
  },
)

type Body = GraphCommand extends infer C
  ? C extends GraphCommand
    ? Omit<C, 'handle'>
    : never
  : never

class World {
  readonly machine: GraphMachine
  now = 1_000_000
  readonly #connections: ConnectionId[] = []
  readonly #unwritten = new Map<ConnectionId, number>()
  #accepted = -1
  #handle = 1
  #persisted = 0

  constructor(secured: boolean) {
    this.machine = makeGraph({
      rng: new SeededRng(1),
      peerId: 'alice',
      properties: PROPERTIES,
      creates: true,
      dialect: DEFAULT_GRAPH_DIALECT,
      prioritizedTypes: [guidOf(3)],
      ...(secured ? { security: new XorProvider() } : {}),
    })
    this.machine.handleLocalEvent(this.now, { type: 'wall-clock', offsetMs: WALL_MS })
    this.pump()
  }

  #at(which: number): ConnectionId {
    return this.#connections[this.#connections.length - 1 - which] ?? 0
  }

  accept(remote: Endpoint): void {
    const connection = this.#accepted--
    this.#connections.push(connection)
    this.machine.handleLocalEvent(this.now, {
      type: 'accepted',
      connection,
      local: hostAt(1),
      remote,
    })
    this.pump()
  }

  /** As maintenance does: neighbours are no obstacle. */
  connect(to: Endpoint): void {
    this.machine.context.now = this.now
    this.machine.context.parts.links.connect(to, { direct: false })
    this.pump()
  }

  /** If it is one of ours that is not up: TCP is, and then the other side has its say. */
  welcome(at: number, addresses: readonly Endpoint[] = []): void {
    const connection = this.#at(at)
    const remote = hostAt(9)
    this.machine.handleLocalEvent(this.now, {
      type: 'connected',
      connection,
      local: remote,
      remote,
    })
    this.pump()
    this.say(at, framed(welcomeOf(BigInt(100 + connection), { addresses })))
  }

  say(at: number, bytes: Uint8Array): void {
    this.machine.handleMessage(this.now, this.#at(at), bytes)
    bytes.fill(0xdd)
    this.pump()
  }

  close(at: number): void {
    const connection = this.#at(at)
    this.machine.handleLocalEvent(this.now, { type: 'closed', connection, why: 'test' })
    this.pump()
  }

  pass(us: number): void {
    const until = this.now + us
    for (let fired = 0; this.machine.pollTimeout() <= until; fired++) {
      assert.ok(fired < 10_000, 'timers come to rest')
      this.now = Math.max(this.now, this.machine.pollTimeout())
      this.machine.handleTimeout(this.now)
      this.pump()
    }
    this.now = until
    for (const [connection, bytes] of this.#unwritten) {
      this.machine.handleLocalEvent(this.now, { type: 'written', connection, bytes })
    }
    this.#unwritten.clear()
    this.pump()
  }

  publish(size: number): void {
    const { peerTime } = this.machine.context
    const record = { type: guidOf(1), expirationTime: peerTime + 36_000_000_000n }
    this.command({ type: 'publish', record: { ...record, payload: new Uint8Array(size) } })
  }

  listen(on: boolean): void {
    const addresses = on ? [hostAt(1)] : []
    this.machine.handleLocalEvent(this.now, { type: 'listening', addresses })
    this.pump()
  }

  command(body: Body): void {
    this.machine.handleCommand(this.now, { ...body, handle: this.#handle++ })
    this.pump()
  }

  pump(): void {
    for (let busy = true; busy;) {
      busy = false
      for (let t = this.machine.pollTransmit(); t; t = this.machine.pollTransmit()) {
        const bytes = t.data.reduce((sum, piece) => sum + piece.length, 0)
        assert.ok(bytes > 0)
        const all = (this.#unwritten.get(t.connection) ?? 0) + bytes
        assert.ok(all <= LIMITS.graphWriteAheadBytes + LIMITS.graphProtectedFrameBytes, 'window')
        this.#unwritten.set(t.connection, all)
      }
      for (let e = this.machine.pollEffect(); e; e = this.machine.pollEffect()) {
        if (e.type === 'connect') this.#connections.push(e.connection)
        if (e.type === 'destroy') this.#unwritten.delete(e.connection)
        if (e.type !== 'persist') continue
        assert.is(e.sequence, ++this.#persisted)
        this.machine.handleLocalEvent(this.now, { type: 'persisted', sequence: e.sequence })
        busy = true
      }
      while (this.machine.pollEvent() !== undefined);
    }
    this.check()
  }

  check(): void {
    const { links } = this.machine.context.parts
    assert.ok(links.neighbors.length <= LIMITS.graphNeighborsMax)
    assert.ok(links.referrals.length <= LIMITS.graphReferrals)
    const ids = links.neighbors.map((link) => link.nodeId)
    assert.is(new Set(ids).size, ids.length, 'a neighbour once')
    for (const link of links.neighbors) assert.is(link.state, 'connected')
    assert.ok(links.pendingCount <= LIMITS.graphAttempts)
  }
}

for (const secured of [false, true]) {
  test(`property: G-042 G-043 any order of inputs keeps the bounds${secured ? ', secured' : ''}`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const world = new World(secured)
        for (const one of steps) one(world)
        world.command({ type: 'close' })
        world.pass(seconds(60))
        assert.is(world.machine.context.parts.links.connectionCount, 0)
        assert.is(world.machine.pollTimeout(), Number.POSITIVE_INFINITY)
      }),
      { numRuns: secured ? 40 : 150 },
    )
  })
}

test.run()
