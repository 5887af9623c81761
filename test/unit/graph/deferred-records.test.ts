import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { DeferredRecords } from '#lib/graph/deferred-records.js'
import { encodeRecord } from '#lib/wire/graph/codec.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { TestNode, type TestLink } from '../../support/graph-node.js'
import { fields, record, version } from '../../support/graph-records.js'
import { test } from '../../harness.js'

function links(count: number): TestLink[] {
  const node = new TestNode()
  return Array.from({ length: count }, () => new TestNode().connect(node, { start: false }).other)
}

test('attack: deferred records of one link are bounded in number', () => {
  const deferred = new DeferredRecords()
  const [link] = links(1) as [TestLink]
  for (let n = 0; n < LIMITS.graphDeferredPerLink; n++) assert.ok(deferred.add(link, record()))
  assert.not(deferred.add(link, record()))
  assert.is(deferred.count, LIMITS.graphDeferredPerLink)
  assert.is(deferred.takeAll().length, LIMITS.graphDeferredPerLink)
  assert.is(deferred.count, 0)
  assert.is(deferred.bytes, 0)
})

test('attack: deferred records of one link are bounded in bytes, and so are those of all', () => {
  const deferred = new DeferredRecords()
  const payload = new Uint8Array(30 * 1024 * 1024)
  const large = () => encodeRecord(fields({ payload }), DEFAULT_GRAPH_DIALECT)
  const [a, b, c] = links(3) as [TestLink, TestLink, TestLink]
  assert.equal(
    [a, a, a].map((link) => deferred.add(link, large())),
    [true, true, false],
  )
  assert.ok(deferred.add(b, large()))
  assert.ok(deferred.add(b, large()))
  assert.ok(deferred.bytes <= LIMITS.graphDeferredBytes)
  // There is room for another link's by dropping what the first one's brought most of.
  assert.ok(deferred.add(c, large()))
  assert.is(deferred.count, 4)
  assert.ok(deferred.bytes <= LIMITS.graphDeferredBytes)
})

test('attack: a flooding link makes room for one that brings little', () => {
  const deferred = new DeferredRecords()
  const floods = links(5)
  const honest = floods.pop() as TestLink
  for (const link of floods) {
    for (let n = 0; n < LIMITS.graphDeferredPerLink; n++) deferred.add(link, record())
  }
  assert.is(deferred.count, LIMITS.graphDeferred)
  const mine = record()
  assert.ok(deferred.add(honest, mine))
  assert.is(deferred.count, LIMITS.graphDeferred)
  assert.not(deferred.add(floods[0] as TestLink, record()))
  assert.ok(deferred.takeAll().some((each) => each.record === mine && each.link === honest))
})

test('the newest record of an ID from a link takes the place of the one before', () => {
  const deferred = new DeferredRecords()
  const [link] = links(1) as [TestLink]
  const first = record()
  const second = version(first, 2, { payload: new Uint8Array(100) })
  deferred.add(link, first)
  deferred.add(link, second)
  assert.is(deferred.count, 1)
  assert.is(deferred.bytes, second.bytes.length)
  assert.is(deferred.takeAll()[0]?.record, second)
})

test.run()
