import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Guid } from '#lib/core/guid.js'
import { Entry } from '#lib/graph/entry.js'
import { IdIndex } from '#lib/graph/id-index.js'
import { test } from '../../harness.js'
import { numberedId, record } from '../../support/graph-records.js'

const ids = Array.from({ length: 400 }, (_, n) => numberedId(n))
const entries = ids.map((id) => new Entry(record({ id }), false))

test('an index of IDs does what a map does, whatever comes and goes', () => {
  const step = fc.record({ n: fc.nat(ids.length - 1), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 900 }), (steps) => {
      const index = new IdIndex()
      const model = new Map<Guid, Entry>()
      for (const { n, remove } of steps) {
        const [id, entry] = [ids[n] as Guid, entries[n] as Entry]
        if (remove) {
          index.remove(entry)
          model.delete(id)
        } else if (!model.has(id)) {
          index.add(entry)
          model.set(id, entry)
        }
      }
      assert.is(index.size, model.size)
      assert.equal([...index], [...model.values()])
      ids.forEach((id, n) => {
        assert.is(index.get(id), model.get(id))
        assert.is(index.getFor((entries[n] as Entry).record), model.get(id))
      })
    }),
    { numRuns: 30 },
  )
})

test('an iteration goes on where it was while entries leave and come', () => {
  const index = new IdIndex()
  const many = Array.from(
    { length: 5000 },
    (_, n) => new Entry(record({ id: numberedId(n) }), false),
  )
  for (const entry of many.slice(0, 4000)) index.add(entry)
  const met: Entry[] = []
  for (const entry of index) {
    met.push(entry)
    if (met.length !== 3000) continue
    // More holes than entries: the next to come moves the rest up.
    for (const gone of many.slice(0, 2900)) index.remove(gone)
    for (const late of many.slice(4000)) index.add(late)
  }
  assert.equal(met, many)
  assert.equal([...index], many.slice(2900))
})

test.run()
