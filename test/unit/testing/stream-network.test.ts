// The simulated TCP: order, back-pressure, death in all its kinds, and the same luck every time.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { NEVER, type Instant } from '#lib/core/instant.js'
import { SeededRng } from '#lib/core/rng.js'
import { endpointOfHost } from '#lib/testing/host-addresses.js'
import { SimKernel } from '#lib/testing/kernel.js'
import type { LinkOptions } from '#lib/testing/link-options.js'
import type { SimStream } from '#lib/testing/sim-stream.js'
import { StreamNetwork } from '#lib/testing/stream-network.js'
import type { StreamOptions } from '#lib/testing/stream-options.js'
import { test } from '../../harness.js'

const PORT = 4000
const idle = { handleTimeout: () => {}, pollTimeout: (): Instant => NEVER }

class End {
  readonly received: number[] = []
  chunks = 0
  written = 0
  connectedAt: Instant | undefined
  endedAt: Instant | undefined
  failure: { readonly at: Instant; readonly why: string } | undefined
  stream!: SimStream

  connected(now: Instant): void {
    this.connectedAt = now
  }

  data(_now: Instant, chunk: Uint8Array): void {
    this.chunks++
    this.received.push(...chunk)
  }

  hears(bytes: number): void {
    this.written += bytes
  }

  ended(now: Instant): void {
    this.endedAt = now
  }

  failed(at: Instant, why: string): void {
    this.failure = { at, why }
  }
}

class Scene {
  readonly kernel: SimKernel
  readonly net: StreamNetwork
  readonly accepted: End[] = []
  readonly address: Endpoint[] = []

  constructor(
    seed = 1,
    link: Partial<LinkOptions> = { delayMinMs: 10, delayMeanMs: 10, jitterMs: 0 },
    streams: Partial<StreamOptions> = {},
  ) {
    this.kernel = new SimKernel(seed, link)
    this.net = new StreamNetwork(this.kernel, streams)
    for (let i = 0; i < 3; i++) this.addHost()
  }

  addHost(address = endpointOfHost(this.kernel.hostCount, 'global').address): number {
    const index = this.kernel.addHost(idle)
    this.net.addHost(index, [address])
    this.address.push({ address, port: PORT })
    this.net.listen(index, PORT, (_now, stream) => {
      const end = new End()
      end.stream = stream
      this.accepted.push(end)
      return this.#handlers(end)
    })
    return index
  }

  connect(from: number, to: Endpoint): End {
    const end = new End()
    end.stream = this.net.connect(from, to, this.#handlers(end))
    return end
  }

  /** A connection from host 0 to host 1, both ends. */
  pair(): [End, End] {
    const client = this.connect(0, this.address[1] as Endpoint)
    this.run(1000)
    return [client, this.accepted.at(-1) as End]
  }

  run(ms: number): void {
    this.kernel.runUntil(this.kernel.now + ms * 1000)
  }

  #handlers(end: End) {
    return {
      connected: (now: Instant) => {
        end.connected(now)
      },
      data: (now: Instant, chunk: Uint8Array) => {
        end.data(now, chunk)
      },
      written: (_now: Instant, bytes: number) => {
        end.hears(bytes)
      },
      ended: (now: Instant) => {
        end.ended(now)
      },
      failed: (now: Instant, why: string) => {
        end.failed(now, why)
      },
    }
  }
}

const numbers = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i)

test('a connection is up after a round trip, and bytes arrive in order in both directions', () => {
  const scene = new Scene()
  const client = scene.connect(0, scene.address[1] as Endpoint)
  scene.run(1000)
  const [server] = scene.accepted
  assert.is(client.connectedAt, 20_000)
  client.stream.send(numbers(100), numbers(50))
  server?.stream.send(numbers(7))
  scene.run(10)
  assert.equal(server?.received, [...numbers(100), ...numbers(50)])
  assert.equal(client.received, [...numbers(7)])
  assert.is(server?.stream.remote.port, client.stream.local.port)
})

test('many small writes of one turn arrive as one piece, long ones in pieces', () => {
  const scene = new Scene(1, { delayMeanMs: 1 }, { fragmentation: 0, chunkBytes: 1000 })
  const [client, server] = scene.pair()
  for (let i = 0; i < 10; i++) client.stream.write(numbers(10))
  client.stream.flush()
  scene.run(100)
  assert.is(server.chunks, 1)
  client.stream.send(numbers(2500))
  scene.run(100)
  assert.is(server.chunks, 4)
})

test('fragmentation cuts anywhere and loses nothing', () => {
  const scene = new Scene(5, { loss: 0.2, jitterMs: 50 }, { fragmentation: 1 })
  const [client, server] = scene.pair()
  const rng = new SeededRng(3)
  const sent: number[] = []
  for (let i = 0; i < 50; i++) {
    const bytes = rng.bytes(1 + (rng.uint32() % 300))
    sent.push(...bytes)
    client.stream.send(bytes)
    scene.run(5)
  }
  scene.run(10_000)
  assert.equal(server.received, sent)
  assert.ok(server.chunks > 100, `${server.chunks} pieces`)
})

test('a writer is told what has left its process, and no more is taken than the buffers hold', () => {
  const scene = new Scene(1, { delayMeanMs: 1 }, { bufferBytes: 1000 })
  const [client, server] = scene.pair()
  scene.net.stall(1, 5000)
  assert.is(client.stream.send(numbers(2500)), 1000)
  scene.run(4000)
  assert.is(client.written, 0)
  assert.is(server.received.length, 0)
  scene.run(3000)
  assert.is(client.written, 1500)
  assert.is(server.received.length, 2500)
})

test('capacity spreads bytes over time and is shared by the connections of a host', () => {
  const scene = new Scene(1, { delayMinMs: 0, delayMeanMs: 0, jitterMs: 0, bytesPerSecond: 10_000 })
  const [first, firstServer] = scene.pair()
  const [second, secondServer] = scene.pair()
  first.stream.send(numbers(10_000))
  second.stream.send(numbers(10_000))
  scene.run(1500)
  assert.is(firstServer.received.length, 10_000)
  assert.is(secondServer.received.length, 0)
  scene.run(1000)
  assert.is(secondServer.received.length, 10_000)
})

test('a finished stream ends after its last byte; a destroyed one answers with a reset', () => {
  const scene = new Scene()
  const [client, server] = scene.pair()
  client.stream.send(numbers(10))
  client.stream.finish()
  scene.run(100)
  assert.is(server.received.length, 10)
  assert.ok(server.endedAt)
  server.stream.send(numbers(20))
  scene.run(100)
  assert.is(client.received.length, 20, 'the other direction still works')
  server.stream.destroy()
  scene.run(100)
  assert.ok(client.endedAt)
  const [other, otherServer] = scene.pair()
  otherServer.stream.destroy()
  other.stream.send(numbers(5))
  scene.run(100)
  assert.is(other.failure?.why, 'reset')
})

test('nobody listening refuses, nobody there times out', () => {
  const scene = new Scene(1, { delayMinMs: 10, delayMeanMs: 10, jitterMs: 0 })
  const target = scene.address[1] as Endpoint
  const refused = scene.connect(0, { ...target, port: 9 })
  const absent = scene.connect(0, endpointOfHost(99, 'global'))
  scene.run(30_000)
  assert.equal(refused.failure, { at: 20_000, why: 'refused' })
  assert.equal(absent.failure, { at: 20_000_000, why: 'timed-out' })
})

test('a crash with resets is told to the peers at once', () => {
  const scene = new Scene()
  const [client] = scene.pair()
  scene.kernel.removeHost(1)
  scene.net.crash(1, 'reset')
  scene.run(11)
  assert.is(client.failure?.why, 'reset')
  const again = scene.connect(0, scene.address[1] as Endpoint)
  scene.run(100)
  assert.is(again.failure?.why, 'refused')
})

test('a silent death is noticed by those who write only, and late', () => {
  const scene = new Scene(1, undefined, { dataTimeoutMs: 30_000 })
  const [idleClient] = scene.pair()
  const [client] = scene.pair()
  scene.kernel.removeHost(1)
  scene.net.crash(1, 'silent')
  client.stream.send(numbers(10))
  scene.run(29_000)
  assert.is(client.failure, undefined)
  scene.run(60_000)
  assert.is(client.failure?.why, 'timed-out')
  assert.is(idleClient.failure, undefined, 'half open')
})

test('a host that comes back at the same address knows nothing of old connections', () => {
  const scene = new Scene()
  const [client] = scene.pair()
  scene.kernel.removeHost(1)
  scene.net.crash(1, 'silent')
  client.stream.send(numbers(10))
  scene.run(1000)
  assert.is(client.failure, undefined)
  scene.addHost((scene.address[1] as Endpoint).address)
  scene.run(5000)
  assert.is(client.failure?.why, 'reset')
  const again = scene.connect(0, scene.address[1] as Endpoint)
  scene.run(100)
  assert.ok(again.connectedAt)
})

test('a short partition delays, nothing is lost; a connection made meanwhile waits, too', () => {
  const scene = new Scene()
  const [client, server] = scene.pair()
  scene.kernel.network.cut([0], [1, 2], 'both')
  client.stream.send(numbers(10))
  server.stream.send(numbers(20))
  const late = scene.connect(0, scene.address[2] as Endpoint)
  scene.run(10_000)
  assert.is(server.received.length + client.received.length, 0)
  scene.kernel.network.cuts.clear()
  scene.run(20_000)
  assert.is(server.received.length, 10)
  assert.is(client.received.length, 20)
  assert.ok(late.connectedAt)
})

test('a long partition kills the connections of those who write', () => {
  const scene = new Scene()
  const [client, server] = scene.pair()
  scene.kernel.network.cut([0], [1], 'both')
  client.stream.send(numbers(10))
  scene.run(200_000)
  assert.is(client.failure?.why, 'timed-out')
  assert.is(server.failure, undefined)
  scene.kernel.network.cuts.clear()
  server.stream.send(numbers(1))
  scene.run(1000)
  assert.is(server.failure?.why, 'reset')
})

test('a middlebox resets a pair of hosts, no others', () => {
  const scene = new Scene()
  const [client, server] = scene.pair()
  const other = scene.connect(0, scene.address[2] as Endpoint)
  scene.run(100)
  scene.net.reset(0, 1)
  scene.run(100)
  assert.is(client.failure?.why, 'reset')
  assert.is(server.failure?.why, 'reset')
  assert.is(other.failure, undefined)
})

test('the same seed gives the same log, another one another', () => {
  const hash = (seed: number): string => {
    const scene = new Scene(seed, { loss: 0.1, jitterMs: 20 }, { fragmentation: 0.5 })
    const [client, server] = scene.pair()
    for (let i = 0; i < 20; i++) {
      client.stream.send(numbers(200))
      server.stream.send(numbers(300))
      scene.run(20)
    }
    scene.net.crash(1, 'reset')
    scene.run(10_000)
    return scene.kernel.log.hash
  }
  assert.is(hash(1), hash(1))
  assert.is.not(hash(1), hash(2))
})

test.run()
