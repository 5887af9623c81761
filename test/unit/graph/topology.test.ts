import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { decodeNeighbors, encodeNeighbors } from '#lib/graph/topology.js'
import { suite } from '../../harness.js'

const test = suite('graph topology')

test('an answer is node IDs of 8 bytes, big-endian', () => {
  const bytes = encodeNeighbors([1n, 0xfedc_ba98_7654_3210n])
  assert.is(Buffer.from(bytes).toString('hex'), '0000000000000001fedcba9876543210')
  assert.equal(decodeNeighbors(bytes), [1n, 0xfedc_ba98_7654_3210n])
  assert.equal(decodeNeighbors(new Uint8Array(0)), [])
})

test('what is no answer is told from one with no neighbours', () => {
  assert.is(decodeNeighbors(new Uint8Array(7)), undefined)
  assert.is(decodeNeighbors(new Uint8Array(9)), undefined)
  assert.is(decodeNeighbors(new Uint8Array(8 * (LIMITS.graphTopologyNeighbors + 1))), undefined)
})

test('an answer is bounded', () => {
  const many = Array.from({ length: 1000 }, (_, i) => BigInt(i))
  const list = decodeNeighbors(encodeNeighbors(many))
  assert.equal(list, many.slice(0, LIMITS.graphTopologyNeighbors))
})

test.run()
