import * as assert from 'uvu/assert'
import { endpointKey, type Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { below, SeededRng } from '#lib/core/rng.js'
import { RecentAskers } from '#lib/pnrp/recent-askers.js'
import { test } from '../../harness.js'

function endpoint(n: number): Endpoint {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8])
  address[15] = n & 0x0f
  return { address, port: 2000 + (n >> 4) * 300 }
}

const keys = (endpoints: readonly Endpoint[]): string[] => endpoints.map(endpointKey)

test('askers are listed least recent first, each once, until they are forgotten', () => {
  const askers = new RecentAskers()
  assert.equal(askers.list(0), [])
  for (const [at, n] of [1, 2, 3, 1].entries()) askers.note(at, endpoint(n))
  assert.equal(askers.list(10), [endpoint(2), endpoint(3), endpoint(1)])
  assert.equal(askers.list(2 + LIMITS.recentAskerUs), [endpoint(1)])
  assert.equal(askers.list(3 + LIMITS.recentAskerUs), [])
})

test('it behaves like a list that forgets its least recent beyond the limit', () => {
  const rng = new SeededRng(1)
  const askers = new RecentAskers()
  const model = new Map<string, Endpoint>()
  for (let now = 0; now < 3000; now++) {
    const asker = endpoint(below(rng, 64))
    askers.note(now, asker)
    model.delete(endpointKey(asker))
    model.set(endpointKey(asker), asker)
    const [oldest] = model.keys()
    if (model.size > LIMITS.recentAskers && oldest !== undefined) model.delete(oldest)
    if (now % 100 === 0) assert.equal(keys(askers.list(now)), [...model.keys()])
  }
})

test.run()
