// The queue beside a plain array.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { Queue } from '#lib/core/queue.js'
import { test } from '../../harness.js'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('push' as const), n: fc.nat(2000) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('shift' as const), n: fc.nat(2000) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('shift' as const), n: fc.constant(1e6) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const), n: fc.constant(0) }) },
)

test('what comes first leaves first, however many there are', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new Queue<number>()
      let model: number[] = []
      let next = 0
      for (const { op, n } of steps) {
        if (op === 'push') {
          for (let i = 0; i < n; i++) {
            queue.push(next)
            model.push(next++)
          }
        } else if (op === 'shift') {
          const taken = model.splice(0, n)
          assert.equal(
            taken.map(() => queue.shift()),
            taken,
          )
        } else {
          queue.clear()
          model = []
        }
        assert.is(queue.length, model.length)
        if (model.length === 0) assert.is(queue.shift(), undefined)
      }
    }),
    { numRuns: 60 },
  )
})

test.run()
