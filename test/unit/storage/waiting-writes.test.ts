// What a slow or failing disk may cost: writes that wait for it.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import type { GraphWrite } from '#lib/graph/interface.js'
import { WaitingWrites, type WrittenTogether } from '#lib/storage/waiting-writes.js'
import { test } from '../../harness.js'
import { idOf, makeRecord } from '../../support/stored-records.js'

const put = (n: number, version = 1, bytes = 1): GraphWrite => {
  const record = makeRecord(n, { version, payload: new Uint8Array(bytes) })
  return { type: 'put', record, autorefresh: false }
}
const remove = (n: number): GraphWrite => ({ type: 'remove', id: idOf(n) })
const clock = (leftAt: bigint): GraphWrite => ({ type: 'clock', peerTimeDelta: 0n, leftAt })

/** What a disk is given: the versions of records in their order, 0 for none, and the clock. */
function given(together: WrittenTogether | undefined): (number | bigint)[] {
  const versions = [...(together?.records.values() ?? [])].map((write) =>
    write.type === 'put' ? write.record.version : 0,
  )
  return together?.clock === undefined ? versions : [...versions, together.clock.leftAt]
}

function bytesOf(together: WrittenTogether | undefined): number {
  let bytes = 0
  for (const write of together?.records.values() ?? []) {
    if (write.type === 'put') bytes += write.record.bytes.length
  }
  return bytes
}

/** Writes of which the disk holds what is given. */
class Harness {
  readonly writes = new WaitingWrites()
  readonly told: string[] = []
  readonly promises = new Set<Promise<void>>()
  readonly stored: Set<number>

  constructor(...stored: number[]) {
    this.stored = new Set(stored)
  }

  add(name: string, ...writes: GraphWrite[]): void {
    const ids = new Set([...this.stored].map(idOf))
    const written = this.writes.add(writes, (id) => ids.has(id))
    written.then(
      () => this.told.push(name),
      (error: unknown) => this.told.push(`${name}: ${(error as Error).message}`),
    )
    this.promises.add(written)
  }

  async written(): Promise<string[]> {
    this.writes.written()
    await new Promise(setImmediate)
    return this.told.splice(0)
  }

  async failed(): Promise<string[]> {
    this.writes.failed(new Error('full'))
    await new Promise(setImmediate)
    return this.told.splice(0)
  }
}

test('attack, versions for a slow disk: of each record only the newest waits', async () => {
  const harness = new Harness()
  const size = 1024 * 1024
  harness.add('first', put(1, 1, size))
  assert.equal(given(harness.writes.take()), [1])
  // It takes its time: 10 GB come.
  const same = new Uint8Array(size)
  for (let version = 2; version <= 10_000; version++) {
    const record = makeRecord(version % 3, { version, payload: same.subarray(0, size - 1) })
    harness.add('later', { type: 'put', record, autorefresh: false })
  }
  assert.is(harness.promises.size, 2)
  assert.equal(await harness.written(), ['first'])
  assert.equal(given(harness.writes.take()), [9998, 9999, 10_000])
  assert.is((await harness.written()).length, 9999)
  assert.is(harness.writes.take(), undefined)
})

test('attack, records that grow while they wait: no more is written at a time than else', async () => {
  const harness = new Harness()
  for (let n = 0; n < 100; n++) harness.add('', put(n))
  const size = 1024 * 1024
  for (let n = 0; n < 100; n++) harness.add('', put(n, 2, size))
  const seen: number[] = []
  for (let together = harness.writes.take(); together; together = harness.writes.take()) {
    assert.ok(bytesOf(together) <= LIMITS.graphStoreBatchBytes)
    seen.push(...(given(together) as number[]))
    await harness.written()
  }
  assert.equal(seen, new Array<number>(100).fill(2))
})

test('attack, records that come and go: the disk does not hear of them, and nothing waits', async () => {
  const harness = new Harness(7)
  harness.add('put', put(1), put(2))
  harness.add('gone', remove(1), remove(7), remove(8))
  // 2 came, and there is a version of 7 to remove.
  const first = harness.writes.take()
  assert.equal(given(first), [1, 0])
  // What is being written at the moment has to be removed.
  harness.add('removed', remove(2))
  assert.equal(await harness.written(), ['put', 'gone'])
  harness.stored.add(2)
  assert.equal(given(harness.writes.take()), [0])
  assert.equal(await harness.written(), ['removed'])
})

test('a record that is changed again and again is written all the same, and in its turn', async () => {
  const harness = new Harness()
  const large = LIMITS.graphStoreBatchBytes - 1000
  harness.add('one', put(1, 1, large))
  harness.add('two', put(2, 1, large))
  harness.add('three', put(3, 1, large))
  harness.add('again', put(1, 2, large), clock(5n))
  assert.equal(given(harness.writes.take()), [2])
  harness.add('and again', put(1, 3, large), put(2, 2, large))
  assert.equal(await harness.written(), ['one'])
  assert.equal(given(harness.writes.take()), [2])
  assert.equal(await harness.written(), ['two'])
  assert.equal(given(harness.writes.take()), [1])
  assert.equal(await harness.written(), ['three'])
  // The clock is not there before what was there before it.
  assert.equal(given(harness.writes.take()), [3, 5n])
  assert.equal(await harness.written(), ['again', 'and again'])
})

test('what came together is written together, however large', async () => {
  const harness = new Harness()
  const large = LIMITS.graphStoreBatchBytes / 2
  harness.add('together', ...[1, 2, 3, 4].map((n) => put(n, 1, large)), clock(1n))
  assert.equal(given(harness.writes.take()), [1, 1, 1, 1, 1n])
  assert.equal(await harness.written(), ['together'])
})

test('who waits for what could not be written hears of it, and nobody else', async () => {
  const harness = new Harness()
  const large = LIMITS.graphStoreBatchBytes - 1000
  harness.add('one', put(1, 1, large))
  harness.add('two', put(2, 1, large))
  // Its version of 1 takes the place of the first one.
  harness.add('both', put(1, 2, large), put(3, 1, large), clock(1n))
  assert.equal(given(harness.writes.take()), [2])
  assert.equal(await harness.failed(), ['one: full'])
  assert.equal(given(harness.writes.take()), [1])
  assert.equal(await harness.written(), ['two'])
  // A clock would say that nothing is missing.
  assert.equal(given(harness.writes.take()), [1])
  assert.equal(await harness.written(), ['both: full'])
  harness.add('after', put(1, 3))
  assert.equal(given(harness.writes.take()), [3])
  assert.equal(await harness.written(), ['after'])
})

test.run()
