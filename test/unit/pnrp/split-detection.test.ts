// MS-PNRP 3.2.6.2.1, 3.2.5.11.1 and 3.2.6.2.1.1 with N-14, N-51 to N-53, N-64.
import * as assert from 'uvu/assert'
import { estimateCloudSize, steadyCloudSize } from '#lib/pnrp/cloud-size.js'
import { judgeSplit } from '#lib/pnrp/split-detection.js'
import { ResolveCriteria, ResolveReason, type PnrpId } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  entry,
  offset,
  PublisherHarness,
  toId,
  ZERO_ID,
} from '../../support/publisher-harness.js'

const SEED = at(9000)

/** A node with `ids` names and neighbours around each; the cloud seems small, so it tests often. */
function member(ids = 1): { harness: PublisherHarness; own: PnrpId[] } {
  const harness = new PublisherHarness({ seeds: [SEED] })
  const own = Array.from({ length: ids }, (_, i) => harness.register({ classifier: `name ${i}` }))
  for (const id of own) {
    for (const i of [1n, 2n, 3n]) {
      harness.cache(offset(id, i << 250n), at(4000 + Number(i)))
      harness.cache(offset(id, -(i << 250n)), at(4100 + Number(i)))
    }
  }
  return { harness, own }
}

const splitTests = (harness: PublisherHarness): typeof harness.resolves =>
  harness.resolves.filter(({ reason }) => reason === ResolveReason.SPLIT_DETECTION)

const walks = (harness: PublisherHarness): typeof harness.resolves =>
  harness.resolves.filter(({ reason }) => reason === ResolveReason.REGISTRATION)

/** Runs one test that ends at this ID; returns its verdict. */
function testEndingAt(harness: PublisherHarness, bestMatch: PnrpId | undefined): string {
  harness.resolves.length = 0
  harness.events()
  harness.maintenance.repair()
  const [request] = splitTests(harness)
  assert.ok(request)
  harness.resolves.length = 0
  request.onDone({
    outcome: 'found',
    refusals: [],
    lookups: 3,
    usefulHops: 3,
    ...(bestMatch === undefined ? {} : { bestMatch: entry(bestMatch, at(8000)) }),
  })
  return harness.eventsOf('split-test')[0]?.verdict ?? ''
}

test('PNRP-3.2.6.2.1-3 PNRP-3.2.6.2.1-4 PNRP-3.2.6.2.1-5 what a test resolves, and from where', () => {
  const { harness, own } = member(4)
  const targets = new Set<string>()
  for (let i = 0; i < 60; i++) {
    harness.resolves.length = 0
    harness.maintenance.repair()
    const [request] = splitTests(harness)
    assert.ok(request)
    const tested = own.find((id) => Buffer.compare(offset(id, 1n), request.target) === 0)
    assert.ok(tested, 'a local ID + 1')
    targets.add(Buffer.from(request.target).toString('hex'))
    assert.is(request.criteria, ResolveCriteria.NONE)
    assert.is(request.pickBestMatchFromLocalIds, false)
    assert.is(request.initialBestMatch, undefined)
    assert.equal(request.initialNextHop, entry(ZERO_ID, SEED))
    request.onDone({ outcome: 'not-found', refusals: [], lookups: 0, usefulHops: 0 })
  }
  assert.is(targets.size, 4, 'chosen at random')
})

test('PNRP-3.2.5.11.1-1 the best match is our nearest: no evidence of a split', () => {
  const { harness, own } = member()
  const nearest = harness.context.cache.closest(offset(own[0] as PnrpId, 1n), 1)[0]
  assert.is(testEndingAt(harness, nearest?.pnrpId), 'none')
  assert.is(walks(harness).length, 0)
})

test('PNRP-3.2.5.11.1-1 nor is it one on the other side with nobody between', () => {
  const { harness, own } = member()
  const [id] = own as [PnrpId]
  assert.is(testEndingAt(harness, offset(id, -(1n << 250n))), 'none')
})

test('PNRP-3.2.5.11.1-2 the best match is known and others lie between: we are in the bigger part', () => {
  const { harness, own } = member()
  const [id] = own as [PnrpId]
  assert.is(testEndingAt(harness, offset(id, 3n << 250n)), 'bigger-part')
})

test('PNRP-3.2.5.11.1-3 N-52 an unknown best match: closer than all we know, or not', () => {
  const { harness, own } = member()
  const [id] = own as [PnrpId]
  assert.is(testEndingAt(harness, offset(id, 5n)), 'smaller-part')
  assert.is(testEndingAt(harness, offset(id, 2n << 252n)), 'bigger-part')
})

test('without an answer, or with our own, a test shows nothing', () => {
  const { harness, own } = member()
  assert.is(testEndingAt(harness, undefined), 'inconclusive')
  assert.is(testEndingAt(harness, own[0]), 'none')
  assert.is(walks(harness).length, 0)
})

test('the verdict is about what was known before the test', () => {
  const { harness, own } = member()
  const [id] = own as [PnrpId]
  const met = offset(id, 5n)
  harness.resolves.length = 0
  harness.maintenance.repair()
  const [request] = splitTests(harness)
  // The walk caches whom it meets (3.1.5.6.1).
  harness.cache(met, at(8000))
  const bestMatch = entry(met, at(8000))
  request?.onDone({ outcome: 'found', bestMatch, refusals: [], lookups: 3, usefulHops: 3 })
  assert.is(harness.eventsOf('split-test')[0]?.verdict, 'smaller-part')
})

test('N-64 on evidence every local ID is announced through the node that showed it', () => {
  const { harness, own } = member(3)
  harness.resolves.splice(0).forEach((walk) => {
    walk.onDone({ outcome: 'not-found', refusals: [], lookups: 1, usefulHops: 1 })
  })
  const met = offset(own[0] as PnrpId, 5n)
  const verdict = testEndingAt(harness, met)
  assert.ok(verdict !== 'none')
  assert.equal(
    walks(harness).map((walk) => walk.initialNextHop),
    Array(3).fill(entry(met, at(8000))),
  )
  assert.equal(harness.solicited, [SEED], 'and the seed is asked for more of that part')
})

test('PNRP-3.2.5.11.1-4 in the smaller part the test is repeated for every other local ID', () => {
  const { harness, own } = member(4)
  harness.resolves.length = 0
  harness.maintenance.repair()
  const [request] = splitTests(harness)
  assert.ok(request)
  const tested = own.findIndex((id) => Buffer.compare(offset(id, 1n), request.target) === 0)
  harness.resolves.length = 0
  const bestMatch = entry(offset(request.target, 3n), at(8000))
  request.onDone({ outcome: 'found', bestMatch, refusals: [], lookups: 3, usefulHops: 3 })
  const repeated = splitTests(harness).map(({ target }) => Buffer.from(target).toString('hex'))
  const others = own.filter((_, i) => i !== tested)
  assert.equal(
    repeated.sort(),
    others.map((id) => Buffer.from(offset(id, 1n)).toString('hex')).sort(),
  )
  // Those do not lead to more.
  for (const again of splitTests(harness)) {
    harness.resolves.length = 0
    const match = entry(offset(again.target, 3n), at(8000))
    again.onDone({ outcome: 'found', bestMatch: match, refusals: [], lookups: 3, usefulHops: 3 })
    assert.is(splitTests(harness).length, 0)
  }
})

test('N-64 without seeds the test starts at a node of old, and else somebody is searched for', () => {
  const { harness } = member()
  harness.seeds = []
  harness.resolves.length = 0
  harness.maintenance.repair()
  assert.is(splitTests(harness).length, 0)
  assert.is(harness.discoveryRounds, 2, 'the repair’s own round, and the search for want of a seed')
  harness.remembered = [at(7001)]
  harness.maintenance.repair()
  assert.equal(splitTests(harness)[0]?.initialNextHop, entry(ZERO_ID, at(7001)))
})

test('PNRP-3.2.6.2-1 PNRP-3.2.6.2.1-1 PNRP-3.2.6.2.1-2 N-53 the rate of tests is one over the number of nodes', () => {
  // Two neighbours at 1/64 of the ring each: 2 / (1/32) = 64 nodes.
  const { harness } = member()
  harness.everybodyLives = true
  const size = estimateCloudSize(harness.context)
  assert.is(size?.nodes, 64)
  const ticks = 6400
  let tests = 0
  for (let i = 0; i < ticks; i++) {
    harness.maintenance.tick()
    for (const request of splitTests(harness)) {
      tests++
      request.onDone({ outcome: 'not-found', refusals: [], lookups: 0, usefulHops: 0 })
    }
    harness.resolves.length = 0
    harness.pass(1)
  }
  // 100 expected, standard deviation 10; seeded, so that it never flakes.
  assert.ok(tests > 60 && tests < 140, `${tests} tests`)
})

test('PNRP-3.2.6.2.1.1-1 PNRP-3.2.6.2.1.1-3 PNRP-3.2.6.2.1.1-4 the estimate, its mean, and nodes', () => {
  const harness = new PublisherHarness()
  const [a, b] = ['a', 'b'].map((classifier) => harness.register({ classifier })) as [
    PnrpId,
    PnrpId,
  ]
  // Around a: 2^240 and 3 * 2^240; around b: 2^241 each.
  harness.cache(offset(a, -(1n << 240n)), at(4001))
  harness.cache(offset(a, 3n << 240n), at(4002))
  harness.cache(offset(b, -(1n << 241n)), at(4003))
  harness.cache(offset(b, 1n << 241n), at(4004))
  // 2 * 2^256 / 2^242 = 2^15 for both.
  assert.equal(estimateCloudSize(harness.context), { ids: 2 ** 15, nodes: 2 ** 14 })
  harness.cache(offset(b, 1n << 239n), at(4005))
  // b: 2 * 2^256 / (2^241 + 2^239) = 2^18 / 5
  const ids = (2 ** 15 + 2 ** 18 / 5) / 2
  assert.ok(Math.abs((estimateCloudSize(harness.context)?.ids ?? 0) - ids) < 1e-6)
})

test('PNRP-3.2.6.2.1.1-2 estimates of 2^32 and more are ignored', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  // 2 * 2^256 / 2^225 = 2^32
  harness.cache(offset(id, -(1n << 224n)), at(4001))
  harness.cache(offset(id, 1n << 224n), at(4002))
  assert.is(estimateCloudSize(harness.context), undefined)
})

test('N-51 one other ID makes a cloud of two, none makes no estimate', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  assert.is(estimateCloudSize(harness.context), undefined)
  harness.cache(offset(id, 5n), at(4001))
  assert.equal(estimateCloudSize(harness.context), { ids: 2, nodes: 2 })
})

test('the steadier estimate: whole leaf sets, the mean over a sample of local IDs', () => {
  const harness = new PublisherHarness()
  assert.is(steadyCloudSize(harness.context), undefined)
  const id = harness.register()
  assert.is(steadyCloudSize(harness.context), undefined)
  for (let i = 1n; i <= 5n; i++) {
    harness.cache(offset(id, i << 240n), at(4000 + Number(i)))
    harness.cache(offset(id, -(i << 241n)), at(4100 + Number(i)))
  }
  // Ten IDs on 15 * 2^240 of 2^256.
  assert.is(steadyCloudSize(harness.context), (10 * 2 ** 16) / 15)
  // Others with the same surroundings halve the share of each.
  const other = harness.register({ classifier: 'other' })
  for (let i = 1n; i <= 5n; i++) {
    harness.cache(offset(other, i << 240n), at(5000 + Number(i)))
    harness.cache(offset(other, -(i << 241n)), at(5100 + Number(i)))
  }
  assert.is(steadyCloudSize(harness.context), (10 * 2 ** 16) / 15 / 2)
})

test('in a cloud of a few nodes the steadier estimate is at most twice too high', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  for (let i = 1n; i <= 4n; i++) harness.cache(offset(id, i << 253n), at(4000 + Number(i)))
  // Each side of the leaf set is the whole ring, so all four are counted on both.
  assert.is(steadyCloudSize(harness.context), 8)
})

test('judging is about the shorter arc', () => {
  const target = toId(10n)
  const known = [toId(11n), offset(ZERO_ID, -5n)]
  assert.is(judgeSplit(target, offset(ZERO_ID, -5n), known), 'none')
  assert.is(judgeSplit(target, toId(11n), known), 'none')
  assert.is(judgeSplit(target, toId(11n), [...known, toId(10n)]), 'none')
  assert.is(judgeSplit(target, toId(13n), [...known, toId(13n)]), 'bigger-part')
  assert.is(judgeSplit(target, toId(5n), []), 'smaller-part')
})

test.run()
