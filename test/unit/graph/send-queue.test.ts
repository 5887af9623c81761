// The send queue of a link by itself: order, contiguity, bounds.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Guid } from '#lib/core/guid.js'
import { LIMITS } from '#lib/core/limits.js'
import { joinSmall } from '#lib/graph/join.js'
import { ClearOutlet, SealedOutlet } from '#lib/graph/outlet.js'
import { SendQueue } from '#lib/graph/send-queue.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { GraphStreamReader } from '#lib/wire/graph/stream-reader.js'
import { test } from '../../harness.js'
import { GRAPH_ID, guidOf, recordOf } from '../../support/link-harness.js'

const syncEnd: GraphMessage = { type: 'SYNC_END', final: true }
const advertise: GraphMessage = { type: 'ADVERTISE', boundaries: [], abstracts: [] }

/** A queue with a database behind it and a reader before it. */
class Scene {
  readonly records = new Map<Guid, GraphRecord>()
  readonly host = {
    aheadBytes: 0,
    currentRecord: (id: Guid): GraphRecord | undefined => this.records.get(id),
  }
  readonly done: number[] = []
  readonly flooded: Guid[] = []
  readonly queue = new SendQueue(
    this.host,
    {
      floodSent: (record) => this.flooded.push(record.id),
      dataSent: (handle) => this.done.push(handle),
    },
    new ClearOutlet(LIMITS.graphFrameBytes),
  )
  readonly #reader = new GraphStreamReader({
    maxFrame: LIMITS.graphFrameBytes,
    maxMessage: 64 * 1024 * 1024,
    stringOrder: 'big-endian',
    graphId: GRAPH_ID,
  })
  /** What came out: `3.1` is version 1 of record 3. */
  readonly out: string[] = []
  bytes = 0

  store(n: number, payload: number, version = 1): GraphRecord {
    const record = recordOf(n, payload, { version })
    this.records.set(record.id, record)
    return record
  }

  flood(n: number, payload: number, version = 1): void {
    this.queue.pushRecord(this.store(n, payload, version))
  }

  /** One turn of the driver; the bytes of it. */
  take(): number {
    let bytes = 0
    for (const piece of this.queue.take() ?? []) {
      bytes += piece.length
      this.#reader.push(piece)
      for (;;) {
        const item = this.#reader.next()
        if (item === undefined) break
        assert.is(item.kind, 'message')
        if (item.kind === 'message') this.out.push(nameOf(item.message))
      }
    }
    this.bytes += bytes
    return bytes
  }

  /** Everything, confirmed at once. */
  drain(): string[] {
    for (;;) {
      this.take()
      this.queue.confirm(this.queue.ahead)
      if (!this.queue.sendable) return this.out.splice(0)
    }
  }

  /** Fills the window, so that what comes must wait. */
  block(): void {
    this.flood(9999, LIMITS.graphWriteAheadBytes + 100_000)
    this.take()
  }
}

function nameOf(message: GraphMessage): string {
  if (message.type !== 'FLOOD') return message.type
  const { id, version } = message.record
  return `${Number(id.slice(7))}.${version}`
}

test('what can go at once goes in order, joined to one piece', () => {
  const scene = new Scene()
  scene.queue.pushMessage(encodeGraphMessage(advertise))
  scene.flood(1, 16)
  scene.flood(2, 16)
  scene.queue.pushBarrier(encodeGraphMessage(syncEnd))
  const pieces = scene.queue.take()
  assert.is(pieces?.length, 1)
  const again = new Scene()
  again.queue.pushMessage(encodeGraphMessage(advertise))
  again.flood(1, 16)
  again.flood(2, 16)
  again.queue.pushBarrier(encodeGraphMessage(syncEnd))
  assert.equal(again.drain(), ['ADVERTISE', '1.1', '2.1', 'SYNC_END'])
  assert.ok(again.queue.empty)
})

test('no more than the window is handed out before it is confirmed', () => {
  const scene = new Scene()
  scene.flood(1, 3_000_000)
  assert.ok(scene.take() <= LIMITS.graphWriteAheadBytes + LIMITS.graphFrameBytes + 2)
  assert.is(scene.take(), 0)
  assert.is(scene.queue.sendable, false)
  scene.queue.confirm(100_000)
  assert.ok(scene.queue.sendable)
  assert.ok(scene.take() > 100_000 - LIMITS.graphFrameBytes)
  assert.ok(scene.queue.ahead <= LIMITS.graphWriteAheadBytes + LIMITS.graphFrameBytes + 2)
})

test('the pieces of a large record are views of its bytes', () => {
  const scene = new Scene()
  const record = scene.store(1, 200_000)
  scene.queue.pushRecord(record)
  const { buffer } = record.bytes
  const views = (scene.queue.take() ?? []).filter((piece) => piece.buffer === buffer)
  const viewed = views.reduce((sum, piece) => sum + piece.length, 0)
  // All but the last piece, which is small enough to be joined with its frame's size.
  assert.ok(viewed > 190_000)
})

test('all links share the frame of a small record', () => {
  const record = recordOf(1, 5000)
  const pieces = [new Scene(), new Scene()].map((scene) => {
    scene.queue.pushRecord(record)
    return (scene.queue.take() ?? [])[0]
  })
  assert.is(pieces[0], pieces[1])
})

test('a newer version takes the place of one that waits', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 16)
  scene.flood(2, 16)
  scene.flood(1, 16, 2)
  assert.is(scene.queue.waiting, 2)
  assert.equal(scene.drain(), ['9999.1', '1.2', '2.1'])
})

test('a record that is gone when its turn comes is not sent', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 16)
  scene.flood(2, 40_000)
  scene.flood(3, 16)
  scene.records.delete(guidOf(1))
  scene.records.delete(guidOf(2))
  assert.equal(scene.drain(), ['9999.1', '3.1'])
})

test('what the peer shows to hold is dropped, in either lane, unless ours is newer', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 16)
  scene.flood(2, 40_000)
  scene.flood(3, 16, 5)
  scene.flood(4, 40_000, 5)
  for (const n of [1, 2, 3, 4, 7]) scene.queue.peerHolds(guidOf(n), 4)
  assert.equal(scene.drain(), ['9999.1', '3.5', '4.5'])
})

test('small records overtake large ones that have not begun, and no further', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 40_000)
  scene.flood(2, 16)
  scene.queue.pushMessage(encodeGraphMessage(advertise))
  assert.equal(scene.drain(), ['9999.1', 'ADVERTISE', '2.1', '1.1'])
})

test('a large record is not overtaken for ever', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 40_000)
  const size = 16_000
  const count = Math.ceil(LIMITS.graphOvertakingBytes / size) + 50
  for (let n = 0; n < count; n++) scene.flood(10 + n, size)
  const at = scene.drain().indexOf('1.1')
  assert.ok(at * size > LIMITS.graphOvertakingBytes - size && at < count - 10, `${at}`)
})

test('SYNC_END follows the records before it, and later ones may pass it', () => {
  const scene = new Scene()
  scene.block()
  scene.flood(1, 40_000)
  scene.flood(2, 16)
  scene.queue.pushBarrier(encodeGraphMessage(syncEnd))
  scene.flood(3, 16)
  scene.flood(4, 40_000)
  assert.equal(scene.drain(), ['9999.1', '2.1', '3.1', '1.1', 'SYNC_END', '4.1'])
})

test('a source is asked only as there is room, and its last message comes after it', () => {
  const scene = new Scene()
  let asked = 0
  const source = {
    next: () => (asked < 1000 ? recordOf(++asked, 10_000) : undefined),
  }
  scene.queue.pushSource(source, encodeGraphMessage(syncEnd))
  scene.take()
  assert.ok(asked * 10_000 <= LIMITS.graphWriteAheadBytes + 10_000)
  assert.is(scene.queue.waiting, 0)
  // What happens meanwhile goes first; a barrier waits for the sources before it.
  scene.flood(5000, 16)
  scene.queue.pushBarrier(encodeGraphMessage(advertise))
  const out = scene.drain()
  assert.is(asked, 1000)
  assert.ok(out.indexOf('5000.1') < 40)
  assert.equal(out.slice(-3), ['1000.1', 'SYNC_END', 'ADVERTISE'])
})

test('attack, a neighbour that does not drain: entries are bounded, then it is given up', () => {
  const scene = new Scene()
  scene.block()
  const record = recordOf(1, 16)
  for (let n = 0; n < LIMITS.graphQueuedRecords; n++) {
    scene.queue.pushRecord({ ...record, id: guidOf(n), bytes: record.bytes, retain: () => record })
  }
  assert.is(scene.queue.waiting, LIMITS.graphQueuedRecords)
  assert.is(scene.queue.overflowed, false)
  scene.queue.pushRecord({ ...record, id: guidOf(1e6), bytes: record.bytes, retain: () => record })
  assert.is(scene.queue.waiting, LIMITS.graphQueuedRecords)
  assert.is(scene.queue.overflowed, true)
})

test('attack, a neighbour that asks and does not read: answers that wait are bounded', () => {
  const scene = new Scene()
  scene.block()
  const answer = new Uint8Array(100_000)
  let pushed = 0
  while (!scene.queue.overflowed) {
    scene.queue.pushMessage(answer)
    pushed++
  }
  assert.ok(pushed * answer.length <= LIMITS.graphQueuedControlBytes + 2 * answer.length)
  const barriers = new Scene()
  barriers.block()
  barriers.flood(1, 40_000)
  while (!barriers.queue.overflowed) barriers.queue.pushBarrier(encodeGraphMessage(syncEnd))
  assert.ok(LIMITS.graphQueuedControlBytes > 0)
})

test('a node that has handed out too much goes on piece by piece', () => {
  const scene = new Scene()
  scene.host.aheadBytes = LIMITS.graphWriteAheadTotalBytes
  scene.flood(1, 100_000)
  const first = scene.take()
  assert.ok(first > 0 && first <= LIMITS.graphFrameBytes + 16, `${first}`)
  assert.is(scene.take(), 0)
  scene.queue.confirm(first)
  assert.ok(scene.take() > 0)
})

test('what was handed out is given back when the connection ends', () => {
  const scene = new Scene()
  scene.flood(1, 100_000)
  scene.take()
  assert.ok(scene.host.aheadBytes > 0)
  scene.queue.clear()
  assert.is(scene.host.aheadBytes, 0)
  assert.is(scene.take(), 0)
})

test('joining keeps the bytes, and large pieces as they are', () => {
  const piece = fc.uint8Array({ minLength: 0, maxLength: 12 }).map((one) => new Uint8Array(one))
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const list: readonly Uint8Array[] = pieces
      const joined = joinSmall(list, 8)
      assert.equal(Buffer.concat(joined), Buffer.concat(pieces))
      for (const large of pieces.filter((one) => one.length >= 8))
        assert.ok((joined as Uint8Array[]).includes(large))
      for (let i = 1; i < joined.length; i++) {
        const [a, b] = [joined[i - 1] as Uint8Array, joined[i] as Uint8Array]
        assert.ok(list.includes(a) || list.includes(b), 'two runs side by side')
      }
    }),
  )
})

// Property: whatever is queued in whatever order, with a network that takes what it likes.

type Step =
  | { readonly do: 'flood'; readonly n: number; readonly large: boolean }
  | { readonly do: 'control' | 'barrier' | 'take' | 'holds' }
  | { readonly do: 'confirm'; readonly share: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('flood' as const), n: fc.nat(12), large: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('control' as const, 'barrier' as const) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('confirm' as const), share: fc.nat(100) }) },
)

test('property: all records arrive in their last version, barriers in order, window kept', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const scene = new Scene()
      const versions = new Map<number, number>()
      /** Records and barriers as queued; a barrier knows what must have come before it. */
      const barriers: Map<number, number>[] = []
      let controls = 0
      for (const one of steps) {
        if (one.do === 'flood') {
          const version = (versions.get(one.n) ?? 0) + 1
          versions.set(one.n, version)
          scene.flood(one.n, one.large ? 60_000 + one.n : 500, version)
        } else if (one.do === 'control') {
          controls++
          scene.queue.pushMessage(encodeGraphMessage(advertise))
        } else if (one.do === 'barrier') {
          barriers.push(new Map(versions))
          scene.queue.pushBarrier(encodeGraphMessage(syncEnd))
        } else if (one.do === 'take') {
          scene.take()
        } else if (one.do === 'confirm') {
          scene.queue.confirm(Math.floor((scene.queue.ahead * one.share) / 100))
        }
        const slack = LIMITS.graphFrameBytes + 16
        assert.ok(scene.queue.ahead <= LIMITS.graphWriteAheadBytes + slack)
      }
      scene.queue.confirm(scene.queue.ahead)
      const out = [...scene.out.splice(0), ...scene.drain()]
      check(out, versions, barriers, controls)
      assert.is(scene.host.aheadBytes, 0)
      assert.ok(scene.queue.empty)
    }),
    { numRuns: 200 },
  )
})

/** The reader has proven already that frames of a message are contiguous. */
function check(
  out: readonly string[],
  versions: ReadonlyMap<number, number>,
  barriers: readonly ReadonlyMap<number, number>[],
  controls: number,
): void {
  const newest = new Map<number, number>()
  let passed = 0
  for (const name of out) {
    if (name === 'SYNC_END') {
      for (const [n, version] of barriers[passed] ?? []) {
        // A record that got a newer version later may have moved behind the barrier with it,
        // when it changed between small and large.
        const moved = versions.get(n) !== version
        assert.ok(moved || newest.get(n) === version, `${n} before barrier ${passed}`)
      }
      passed++
    } else if (name !== 'ADVERTISE') {
      const [n, version] = name.split('.').map(Number) as [number, number]
      assert.ok(version > (newest.get(n) ?? 0), 'versions never go back, and none comes twice')
      newest.set(n, version)
    }
  }
  assert.equal([...newest].sort(), [...versions].sort())
  assert.is(passed, barriers.length)
  assert.is(out.filter((name) => name === 'ADVERTISE').length, controls)
}

// Through a security session

test('sealed: a chunk at a time, and no more than the window before frames come back', () => {
  const given: Uint8Array[] = []
  const outlet = new SealedOutlet((plain) => given.push(plain))
  const record = recordOf(1, 1_000_000)
  const host = { aheadBytes: 0, currentRecord: () => record }
  const watcher = { floodSent: () => undefined, dataSent: () => undefined }
  const queue = new SendQueue(host, watcher, outlet)
  queue.pushRecord(record)
  queue.take()
  const bytes = (): number => given.reduce((sum, piece) => sum + piece.length, 0)
  const slack = LIMITS.graphProtectChunkBytes
  assert.ok(bytes() <= LIMITS.graphWriteAheadBytes + slack)
  for (const piece of given) assert.ok(piece.length <= LIMITS.graphProtectChunkBytes)
  queue.take()
  assert.ok(bytes() <= LIMITS.graphWriteAheadBytes + slack)
  for (let at = 0; !queue.empty; at++) {
    const piece = given[at] as Uint8Array
    queue.append(piece)
    outlet.frameMade(piece.length)
    queue.confirm((queue.take() ?? []).reduce((sum, one) => sum + one.length, 0))
  }
  const message = encodeGraphMessage({ type: 'FLOOD', record })
  assert.equal(Buffer.concat(given), Buffer.from(message))
})

test.run()
