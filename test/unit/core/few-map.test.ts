// The map beside a Map.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { FewMap } from '#lib/core/few-map.js'
import { test } from '../../harness.js'

const key = fc.nat(30)
const step = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constant('set' as const), key) },
  { weight: 10, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), key) },
)

test('it holds what a Map would hold, in the same order, few or many', () => {
  let most = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const map = new FewMap<number, string>()
      const model = new Map<number, string>()
      steps.forEach(([op, k], i) => {
        if (op === 'set') {
          map.set(k, `${i}`)
          model.set(k, `${i}`)
        } else if (op === 'delete') {
          assert.is(map.delete(k), model.delete(k))
        } else {
          map.clear()
          model.clear()
        }
        most = Math.max(most, model.size)
        assert.is(map.size, model.size)
        assert.is(map.get(k), model.get(k))
        assert.is(map.has(k), model.has(k))
        assert.equal(map.values(), [...model.values()])
      })
    }),
  )
  assert.ok(most > 10, 'also with many entries')
})

test.run()
