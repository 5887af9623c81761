// What a flood, or a reader who does not read, may cost the driver of a graph.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { NEVER } from '#lib/core/instant.js'
import { Queue } from '#lib/core/queue.js'
import type { GraphEffect, GraphEvent, GraphLocalEvent, GraphWrite } from '#lib/graph/interface.js'
import type { DrivenGraph } from '#lib/graph/machine.js'
import type { TcpStream } from '#lib/io/tcp.js'
import { DirectConnections } from '#lib/runtime/direct-connections.js'
import { EventStream } from '#lib/runtime/event-stream.js'
import { GraphNode } from '#lib/runtime/graph-node.js'
import { GraphWatchers } from '#lib/runtime/graph-watchers.js'
import { Turns } from '#lib/runtime/turns.js'
import type { RecordStore } from '#lib/storage/record-store.js'
import { test } from '../../harness.js'

const dataOf = (bytes: number): GraphEvent => ({
  type: 'data',
  connection: 1,
  dataType: 'some-type-of-ours' as never,
  data: new Uint8Array(bytes),
})

test('attack, floods faster than turns come round: events do not pile up', () => {
  const events = new Queue<GraphEvent>()
  const nothing = (): undefined => undefined
  // 64 KiB hold 2,184 messages of 30 bytes: more than a turn tells.
  const perChunk = [600, 2184, 20_000]
  const machine = {
    context: { events },
    handleLocalEvent: nothing,
    handleMessage: (_now: number, _connection: number, chunk: Uint8Array) => {
      for (let n = 0; n < (perChunk[chunk[0] as number] as number); n++) events.push(dataOf(0))
    },
    pollTransmit: nothing,
    pollEffect: nothing,
    pollEvent: () => events.shift(),
    pollTimeout: () => NEVER,
  } as unknown as DrivenGraph
  let told = 0
  const node = new GraphNode({
    // No turn ever comes.
    turns: new Turns({ scheduler: { timer: () => () => {}, soon: () => {}, raise: () => {} } }),
    machine,
    graphId: 'g1',
    store: {} as RecordStore,
    listening: { start: nothing, stop: nothing },
    scopeId: 0,
    onEvent: () => told++,
  })
  for (let chunk = 0; chunk < 100; chunk++) {
    node.streamData({ tag: 1 } as TcpStream, Uint8Array.of(Math.floor(chunk / 34)))
    assert.ok(events.length < 2 * LIMITS.outputsPerTurn)
  }
  assert.is(told + events.length, 34 * (600 + 2184) + 32 * 20_000)
  node.close()
})

test('attack, floods for a slow disk: what waits for the same promise waits once', async () => {
  const told: GraphLocalEvent[] = []
  const effects = new Queue<GraphEffect>()
  const nothing = (): undefined => undefined
  const machine = {
    context: { events: [] },
    handleLocalEvent: (_now: number, event: GraphLocalEvent) => told.push(event),
    pollTransmit: nothing,
    pollEffect: () => effects.shift(),
    pollEvent: nothing,
    pollTimeout: () => NEVER,
  } as unknown as DrivenGraph
  const node = new GraphNode({
    turns: new Turns({ scheduler: { timer: () => () => {}, soon: () => {}, raise: () => {} } }),
    machine,
    graphId: 'g1',
    // Every third call waits for something new.
    store: {
      write: ([write]: readonly GraphWrite[]) => promises[Math.floor(Number(write?.type) / 3)],
    } as unknown as RecordStore,
    listening: { start: nothing, stop: nothing },
    scopeId: 0,
    onEvent: nothing,
  })
  const settled: (() => void)[] = []
  const promises = Array.from(
    { length: 3 },
    (_, n) =>
      new Promise<void>((resolve, reject) => {
        settled.push(() => (n === 1 ? reject(new Error('full')) : resolve()))
      }),
  )
  for (let n = 0; n < 9; n++) {
    const writes = [{ type: String(n) }] as unknown as GraphWrite[]
    effects.push({ type: 'persist', sequence: n + 1, writes })
  }
  node.pump()
  for (const settle of settled) settle()
  await new Promise(setImmediate)
  const persisted = told.filter(({ type }) => type.startsWith('persist'))
  assert.equal(persisted, [
    { type: 'persisted', sequence: 3 },
    { type: 'persist-failed', sequence: 6, message: 'full' },
    { type: 'persisted', sequence: 9 },
  ])
  node.close()
})

test('an event stream loses the oldest by their number and by their weight', async () => {
  const lost: number[] = []
  const options = { mostWeight: 10, onLost: (n: number) => lost.push(n) }
  const stream = new EventStream<number>(3, undefined, options)
  for (const [n, weight] of [1, 1, 1, 1, 8, 2, 99].entries()) stream.push(n, weight)
  // 0 is one too many; 1 and 2 weigh too much with 4, 3 with 5; nothing stays beside 6.
  assert.equal(lost, [0, 1, 2, 3, 4, 5].slice(0, lost.length))
  assert.is(lost.length, 6)
  assert.is(stream.lost, 6)
  // The last one is given out whatever it weighs.
  assert.equal(await stream.next(), { value: 6, done: false })
  stream.push(7, 5)
  await stream.return()
  assert.is(lost.at(-1), 7)
})

test('attack, data for a reader who does not read: what waits is bounded in bytes', async () => {
  const watchers = new GraphWatchers()
  const stream = watchers.watch({ events: ['data'] })
  const size = LIMITS.graphEventBytes / 8
  for (let n = 0; n < 20; n++) watchers.tell(dataOf(size), { peerTimeDelta: 0n })
  assert.is(stream.lost, 12)
  let bytes = 0
  for (let n = 0; n < 8; n++) {
    const { value } = (await stream.next()) as { value: { data: Uint8Array } }
    bytes += value.data.length
  }
  assert.is(bytes, LIMITS.graphEventBytes)
  await stream.return()
})

test('attack, direct connections that nobody takes: they end', async () => {
  const ended: number[] = []
  const host = {
    send: () => Promise.resolve(),
    disconnect: (connection: number) => void ended.push(connection),
    pause: () => {},
  }
  const direct = new DirectConnections(host, () => {})
  const stream = direct.listen()
  for (let connection = 1; connection <= LIMITS.graphDirectWaiting + 10; connection++) {
    const remote = { address: new Uint8Array(16), port: connection }
    const known = { direct: true, incoming: true, remote } as const
    direct.changed({ type: 'connection', change: 'connected', connection, ...known })
  }
  assert.equal(
    ended,
    Array.from({ length: 10 }, (_, n) => n + 1),
  )
  await stream.return()
  assert.is(ended.length, LIMITS.graphDirectWaiting + 10)
})

test.run()
