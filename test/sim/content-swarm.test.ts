// Swarms with the real planner in virtual time. `npm run sim:content` has more seeds and sizes.
// test-limit: 180s
import * as assert from 'uvu/assert'
import { milliseconds, seconds } from '#lib/core/instant.js'
import { test } from '../harness.js'
import { allAtOnce, amongLiars, lone, oneAfterAnother } from './content-scenarios.js'
import { ContentWorld } from './content-world.js'

const bytes = 24 * 1024 * 1024

test('50 peers, one after another over the time of ten downloads: at most 1.3 contents', () => {
  for (const seed of [1, 2]) assert.equal(oneAfterAnother(seed, { bytes }).failures, [])
})

test('50 peers that begin in one instant: at most 3 contents', () => {
  assert.equal(allAtOnce(1, { bytes: bytes / 2 }).failures, [])
})

test('30 % of the peers lie or stall: all others finish, and the origin is spared', () => {
  for (const seed of [1, 2]) assert.equal(amongLiars(seed, { bytes }).failures, [])
})

test('who is alone has it in the time of the uplink and a tenth', () => {
  const { origin, seconds: took } = lone(1, { bytes })
  assert.is(origin, 1)
  assert.ok(took < (bytes / 10_000_000) * 1.1 + 0.2, `${took} s`)
})

test('the origin leaves midway: what one peer of a swarm has, all get', () => {
  const starts = [0, seconds(3), seconds(3)]
  // The first is done by then, the others are not.
  const world = new ContentWorld({ seed: 1, bytes, starts, originLeavesAt: milliseconds(3010) })
  world.run(seconds(60))
  assert.ok(world.isOver)
})

test.run()
