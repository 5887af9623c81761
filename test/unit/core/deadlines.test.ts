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

/** What the timer of a key does when its time has come. */
interface Action {
  readonly op: 'set' | 'cancel'
  readonly key: number
  /** Of the deadline, from now on; may be past. */
  readonly after: number
}

const action: fc.Arbitrary<Action> = fc.record({
  op: fc.constantFrom('set' as const, 'cancel' as const),
  key: fc.nat(7),
  after: fc.integer({ min: -5, max: 30 }),
})
const turn = fc.record({
  pass: fc.nat(12),
  before: fc.array(action, { maxLength: 6 }),
  // One list for each timer that goes off in this turn; those after them do nothing.
  inside: fc.array(fc.array(action, { maxLength: 4 }), { maxLength: 10 }),
})

// A machine serves all that is due in a loop, and its timers set and cancel others and themselves,
// some for a time that has passed already.
test('timers that set and cancel timers: each goes off once, in order, none is lost', () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 30 }), (turns) => {
      const keys = Array.from({ length: 8 }, (_, name) => ({ name }))
      const table = new Deadlines<{ name: number }>()
      const model = new Map<number, number>()
      let now = 0
      const act = ({ op, key, after }: Action): void => {
        const object = keys[key] as { name: number }
        if (op === 'set') {
          table.set(object, now + after)
          model.set(key, now + after)
        } else {
          assert.is(table.cancel(object), model.delete(key))
        }
      }
      for (const { pass, before, inside } of turns) {
        before.forEach(act)
        now += pass
        for (let served = 0; ; served++) {
          const due = table.takeDue(now)
          const earliest = Math.min(NEVER, ...model.values())
          if (due === undefined) {
            assert.ok(earliest > now, `a timer of ${earliest} is left over at ${now}`)
            break
          }
          assert.is(model.get(due.name), earliest)
          assert.ok(earliest <= now)
          model.delete(due.name)
          assert.is(table.get(due), undefined)
          inside[served]?.forEach(act)
        }
        assert.is(table.size, model.size)
        assert.is(table.next(), Math.min(NEVER, ...model.values()))
        for (const one of keys) assert.is(table.get(one), model.get(one.name))
      }
    }),
    { numRuns: 500 },
  )
})

/** The deadline that is taken at `now`, if any. */
function asDue(earliest: number, now: number): number | undefined {
  return earliest <= now ? earliest : undefined
}

test.run()
