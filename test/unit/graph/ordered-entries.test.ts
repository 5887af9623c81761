import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { comparePositions, Entry, FIRST_POSITION } from '#lib/graph/entry.js'
import { OrderedEntries } from '#lib/graph/ordered-entries.js'
import { test } from '../../harness.js'
import { numberedId, record } from '../../support/graph-records.js'

// The model is an array that is sorted anew each time, by `comparePositions`.

const NOW = 132_000_000_000_000_000n

function entryOf(n: number, time: number): Entry {
  const modificationTime = NOW + BigInt(time)
  const times = { creationTime: NOW - 10_000n, modificationTime, expirationTime: NOW * 2n }
  return new Entry(record({ id: numberedId(n), ...times }), false)
}

const inOrder = (entries: Iterable<Entry>): Entry[] => [...entries].sort(comparePositions)

function check(order: OrderedEntries, model: ReadonlySet<Entry>, from: Entry | undefined): void {
  const wanted = inOrder(model)
  assert.is(order.size, wanted.length)
  assert.ok([...order].every((entry, i) => entry === wanted[i]))
  const position = from === undefined ? FIRST_POSITION : { time: from.time, id: from.id }
  const behind = wanted.filter((entry) => comparePositions(entry, position) > 0).slice(0, 300)
  const found = order.after(position, 300)
  assert.is(found.length, behind.length)
  assert.ok(found.every((entry, i) => entry === behind[i]))
}

test('ordered entries do what a sorted array does, whatever comes and goes in whatever runs', () => {
  // Runs of neighbours in time, of one time (the ID decides), and scattered ones.
  const run = fc.record({
    start: fc.nat(5000),
    count: fc.integer({ min: 1, max: 700 }),
    gap: fc.constantFrom(0, 1, 7, -3),
    removed: fc.nat(400),
  })
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), (runs) => {
      const order = new OrderedEntries()
      const model = new Set<Entry>()
      let next = 0
      for (const { start, count, gap, removed } of runs) {
        for (let i = 0; i < count; i++) {
          const entry = entryOf(next++, start + gap * i)
          order.insert(entry)
          model.add(entry)
        }
        const all = inOrder(model)
        check(order, model, all[all.length >> 1])
        for (let i = 0; i < removed && i * 2 < all.length; i++) {
          const gone = all[i * 2] as Entry
          order.remove(gone)
          model.delete(gone)
        }
        check(order, model, undefined)
      }
    }),
    { numRuns: 25 },
  )
})

test('a thousand older ones come before the few that were there, all at once', () => {
  const order = new OrderedEntries()
  const first = Array.from({ length: 10 }, (_, n) => entryOf(n, 1_000_000 + n))
  const older = Array.from({ length: 3000 }, (_, n) => entryOf(100 + n, n))
  for (const entry of [...first, ...older]) order.insert(entry)
  check(order, new Set([...first, ...older]), older[1500])
})

test.run()
