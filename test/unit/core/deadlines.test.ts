// The timer table beside a plain list of [key, deadline].
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { Deadlines } from '#lib/core/deadlines.js'
import { NEVER } from '#lib/core/instant.js'
import { test } from '../../harness.js'

const operation = fc.oneof(
  fc.record({ op: fc.constant('set' as const), key: fc.nat(9), at: fc.nat(20) }),
  fc.record({ op: fc.constant('cancel' as const), key: fc.nat(9), at: fc.constant(0) }),
  fc.record({ op: fc.constant('take' as const), key: fc.constant(0), at: fc.nat(20) }),
  fc.record({ op: fc.constant('clear' as const), key: fc.constant(0), at: fc.constant(0) }),
)

test('the earliest deadline comes first, whatever is set, moved and cancelled', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const keys = Array.from({ length: 10 }, (_, name) => ({ name }))
      const table = new Deadlines<{ name: number }>()
      const model = new Map<number, number>()
      for (const { op, key, at } of operations) {
        const object = keys[key] as { name: number }
        if (op === 'set') {
          table.set(object, at)
          model.set(key, at)
        } else if (op === 'cancel') {
          assert.is(table.cancel(object), model.delete(key))
        } else if (op === 'clear') {
          table.clear()
          model.clear()
        } else {
          const due = table.takeDue(at)
          const earliest = Math.min(NEVER, ...model.values())
          assert.is(due === undefined ? undefined : model.get(due.name), asDue(earliest, at))
          if (due !== undefined) model.delete(due.name)
        }
        assert.is(table.size, model.size)
        assert.is(table.next(), Math.min(NEVER, ...model.values()))
        for (const one of keys) assert.is(table.get(one), model.get(one.name))
      }
    }),
  )
})

/** The deadline that is taken at `now`, if any. */
function asDue(earliest: number, now: number): number | undefined {
  return earliest <= now ? earliest : undefined
}

test.run()
