// MS-PNRP 3.2.5.2.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { ResolveCriteria, type LookupMessage, type PnrpId } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  entry,
  offset,
  PublisherHarness,
  toId,
  ZERO_ID,
} from '../../support/publisher-harness.js'

const ASKER = at(5000)

function lookup(
  target: PnrpId,
  validate: PnrpId,
  change: Partial<LookupMessage> = {},
): LookupMessage {
  return {
    type: 'LOOKUP',
    messageId: 77,
    acceptNotCloser: false,
    precision: 0,
    resolveCriteria: ResolveCriteria.NONE,
    resolveReasonCode: 0,
    targetPnrpId: target,
    validatePnrpId: validate,
    flaggedPath: [ASKER],
    ...change,
  }
}

function answerTo(
  harness: PublisherHarness,
  message: LookupMessage,
): ReturnType<PublisherHarness['answer']> {
  harness.responder.handleLookup(ASKER, message)
  return harness.answer()
}

/**
 * A node with one ID and entries at 1/8 .. 7/8 of the ring clockwise of it, on ports 4001 .. 4007.
 */
function spreadCloud(): { harness: PublisherHarness; id: PnrpId; eighth: (n: number) => PnrpId } {
  const harness = new PublisherHarness()
  const id = harness.register()
  const eighth = (n: number): PnrpId => offset(id, BigInt(n) << 253n)
  for (let n = 1; n <= 7; n++) harness.cache(eighth(n), at(4000 + n))
  return { harness, id, eighth }
}

test('PNRP-3.2.5.2-20 the answer goes back to the sender, under the LOOKUP’s Message ID', () => {
  const { harness, id, eighth } = spreadCloud()
  harness.responder.handleLookup(ASKER, lookup(eighth(3), id))
  const [sent] = harness.sentOf('AUTHORITY')
  assert.equal(sent?.to, ASKER)
  assert.is(sent?.message.ackedMessageId, 77)
})

test('PNRP-3.2.5.2-11 PNRP-3.2.5.2-17 PNRP-2.2.2.6.1-23 the cached entry nearest the target', () => {
  const { harness, id, eighth } = spreadCloud()
  const answer = answerTo(harness, lookup(eighth(3), id))
  assert.equal(answer.routeEntry, entry(eighth(3), at(4003)))
  assert.is(answer.notFound, false)
  assert.is(answer.leafSet, false)
  assert.is(answer.busy, false)
  assert.is(answer.cpa, undefined)
})

test('PNRP-3.2.5.2-5 the entry in a LOOKUP is submitted to the cache', () => {
  const { harness, id, eighth } = spreadCloud()
  const best = entry(eighth(1), at(6000))
  answerTo(harness, lookup(eighth(3), id, { routeEntry: best }))
  assert.equal(harness.submitted, [{ entry: best, origin: { via: 'LOOKUP', from: ASKER } }])
})

test('PNRP-3.2.5.2-6 PNRP-3.2.5.2-7 PNRP-3.2.5.2-18 N when the Validate ID is not local', () => {
  const { harness, id, eighth } = spreadCloud()
  assert.is(answerTo(harness, lookup(eighth(3), id)).notFound, false)
  // N-59: an ID in the cache is not one of ours.
  assert.is(answerTo(harness, lookup(eighth(3), eighth(4))).notFound, true)
  assert.is(answerTo(harness, lookup(eighth(3), toId(12345n))).notFound, true)
  assert.is(answerTo(harness, lookup(eighth(3), ZERO_ID)).notFound, false)
})

test('PNRP-3.2.5.2-8 PNRP-3.2.5.2-9 the nearest local ID, unless we are in the Flagged Path', () => {
  const harness = new PublisherHarness()
  const ids = ['a', 'b', 'c'].map((classifier) => harness.register({ classifier }))
  for (const id of ids) {
    // Validate is an ID that we do not have: then any local ID will do (step 4).
    const elsewhere = offset(id, 1n << 254n)
    assert.equal(answerTo(harness, lookup(offset(id, 9n), elsewhere)).routeEntry?.pnrpId, id)
    const visited = lookup(offset(id, 9n), elsewhere, { flaggedPath: [ASKER, at(3540)] })
    assert.is(answerTo(harness, visited).routeEntry, undefined)
    // N-65: another port of the same address is another node.
    const other = lookup(offset(id, 9n), elsewhere, { flaggedPath: [ASKER, at(3541)] })
    assert.equal(answerTo(harness, other).routeEntry?.pnrpId, id)
  }
})

test('PNRP-3.2.5.2-10 a local ID must be closer than a Validate ID that is ours', () => {
  const harness = new PublisherHarness()
  const ids = ['a', 'b'].map((classifier) => harness.register({ classifier }))
  const [first, second] = ids as [PnrpId, PnrpId]
  const nearFirst = offset(first, 9n)
  assert.equal(answerTo(harness, lookup(nearFirst, second)).routeEntry?.pnrpId, first)
  assert.is(answerTo(harness, lookup(nearFirst, first)).routeEntry, undefined)
})

test('PNRP-3.2.5.2-12 no node of the Flagged Path is named', () => {
  const { harness, id, eighth } = spreadCloud()
  const flaggedPath: Endpoint[] = [ASKER]
  const named: number[] = []
  for (;;) {
    const { routeEntry } = answerTo(
      harness,
      lookup(eighth(3), id, { flaggedPath, acceptNotCloser: true }),
    )
    // At the end our own ID is the nearest that is left: not closer than itself.
    if (routeEntry === undefined) break
    assert.ok(!flaggedPath.some(({ port }) => port === routeEntry.port))
    named.push(routeEntry.port)
    flaggedPath.push(at(routeEntry.port))
  }
  assert.equal(named.sort(), [4001, 4002, 4003, 4004, 4005, 4006, 4007])
})

test('PNRP-3.2.5.2-13 with A clear a remote match is closer than the Validate ID', () => {
  const { harness, eighth } = spreadCloud()
  for (let i = 0; i < 50; i++) {
    const { routeEntry } = answerTo(harness, lookup(offset(eighth(3), 5n), eighth(4)))
    assert.equal(routeEntry?.pnrpId, eighth(3))
  }
  // Ours is out of the question too: a Validate ID that is not ours would admit it.
  const flaggedPath = [ASKER, at(4003), at(3540)]
  assert.is(
    answerTo(harness, lookup(offset(eighth(3), 5n), eighth(4), { flaggedPath })).routeEntry,
    undefined,
  )
  const accepting = { flaggedPath, acceptNotCloser: true }
  assert.ok(answerTo(harness, lookup(offset(eighth(3), 5n), eighth(4), accepting)).routeEntry)
})

test('PNRP-3.2.5.2-14 N-21 among the three nearest one is drawn, 4 : 2 : 1', () => {
  const { harness, id, eighth } = spreadCloud()
  const drawn = new Map<number, number>()
  const draws = 7_000
  // Nearest to 3/8 + a bit: 3/8, then 4/8, then 2/8.
  for (let i = 0; i < draws; i++) {
    const target = offset(eighth(3), 1n << 200n)
    const { routeEntry } = answerTo(harness, lookup(target, id, { acceptNotCloser: true }))
    const port = routeEntry?.port ?? 0
    drawn.set(port, (drawn.get(port) ?? 0) + 1)
  }
  assert.equal([...drawn.keys()].sort(), [4002, 4003, 4004])
  for (const [port, weight] of [
    [4003, 4],
    [4004, 2],
    [4002, 1],
  ] as const) {
    const share = (drawn.get(port) ?? 0) / draws
    // The generator is seeded: this never flakes; 5 standard deviations are 0.03.
    assert.ok(Math.abs(share - weight / 7) < 0.03, `${port}: ${share}`)
  }
})

test('N-20 what ends the search beats the draw', () => {
  const { harness, id, eighth } = spreadCloud()
  const sameName = offset(eighth(3), 1n << 100n) // the first 128 bits are those of eighth(3)
  harness.cache(sameName, at(4333))
  const expected: [LookupMessage['resolveCriteria'], number, PnrpId, number][] = [
    [ResolveCriteria.NONE, 0, eighth(3), 4003],
    [ResolveCriteria.ANY_PEER_NAME, 0, offset(eighth(3), 5n), 4003],
    [ResolveCriteria.NEAREST_PEER_NAME, 0, offset(sameName, 5n), 4333],
    [ResolveCriteria.NEAREST64_PEER_NAME, 0, offset(sameName, 5n), 4333],
    [ResolveCriteria.UPPER_BITS, 8, offset(eighth(3), 1n << 200n), 4333],
  ]
  for (const [resolveCriteria, precision, target, port] of expected) {
    for (let i = 0; i < 30; i++) {
      const message = lookup(target, id, { resolveCriteria, precision, acceptNotCloser: true })
      assert.is(answerTo(harness, message).routeEntry?.port, port)
    }
  }
})

test('PNRP-2.2.2.8-6 Precision counts for UPPER_BITS only', () => {
  const { harness, id, eighth } = spreadCloud()
  const target = offset(eighth(3), 1n << 200n)
  const ports = new Set<number | undefined>()
  for (let i = 0; i < 60; i++) {
    // Under NONE a precision of 0 bits must not make the nearest an exact match.
    const message = lookup(target, id, { precision: 0, acceptNotCloser: true })
    ports.add(answerTo(harness, message).routeEntry?.port)
  }
  assert.is(ports.size, 3)
})

test('PNRP-2.2.2.8-9 PNRP-3.2.5.2-4 the reason is ignored', () => {
  const { harness, id, eighth } = spreadCloud()
  for (const resolveReasonCode of [0, 1, 2, 3, 200]) {
    const answer = answerTo(harness, lookup(eighth(3), id, { resolveReasonCode }))
    assert.equal(answer.routeEntry, entry(eighth(3), at(4003)))
  }
})

test('PNRP-3.2.5.2-16 of a local and a remote match the closer one is named', () => {
  const { harness, id, eighth } = spreadCloud()
  const elsewhere = toId(1n)
  const nearUs = lookup(offset(id, 5n), elsewhere, { acceptNotCloser: true })
  assert.equal(answerTo(harness, nearUs).routeEntry, entry(id, at(3540)))
  const nearThem = lookup(eighth(3), elsewhere, { acceptNotCloser: true })
  assert.equal(answerTo(harness, nearThem).routeEntry?.pnrpId, eighth(3))
})

test('PNRP-3.2.5.2-15 PNRP-3.2.5.2-19 L when nothing is known where the target should be known', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  for (let i = 1; i <= 6; i++) {
    harness.cache(offset(id, BigInt(i) << 100n), at(4000 + i))
    harness.cache(offset(id, -(BigInt(i) << 100n)), at(4100 + i))
  }
  // Between us and our nearest neighbour, and nobody is closer than we are.
  const inside = answerTo(harness, lookup(offset(id, 3n), id))
  assert.is(inside.routeEntry, undefined)
  assert.is(inside.leafSet, true)
  // Somebody closer is known: not suspicious.
  assert.is(answerTo(harness, lookup(offset(id, 3n << 100n), id)).leafSet, false)
  // Nothing closer, but outside the range of the leaf set.
  const outside = lookup(offset(id, 1n << 255n), offset(id, (1n << 255n) + 1n))
  assert.is(answerTo(harness, outside).leafSet, false)
})

test('N-20 an answer goes out even if there is nothing to say', () => {
  const harness = new PublisherHarness()
  const answer = answerTo(harness, lookup(toId(5n), toId(9n)))
  assert.is(answer.routeEntry, undefined)
  assert.is(answer.notFound, true)
})

test('N-62 a resolve-only node answers like a publisher without registrations', () => {
  const harness = new PublisherHarness({ resolveOnly: true })
  harness.cache(toId(7n), at(4001))
  const answer = answerTo(harness, lookup(toId(8n), toId(1n << 255n)))
  assert.is(answer.notFound, true)
  assert.equal(answer.routeEntry, entry(toId(7n), at(4001)))
})

test('N-50 an answer names four addresses at most, and never outgrows a LOOKUP', () => {
  const harness = new PublisherHarness()
  const addresses = Array.from({ length: 20 }, (_, i) =>
    Uint8Array.of(...at(1).address.slice(0, 15), i),
  )
  harness.context.cache.insert({ pnrpId: toId(7n), port: 4001, addresses }, harness.context.now)
  const answer = answerTo(harness, lookup(toId(7n), toId(1n << 255n)))
  assert.is(answer.routeEntry?.addresses.length, 4)
  // The smallest LOOKUP has 96 + 12 + 18 bytes (2.2.2.8); 28 + 8 + 42 + 64 + 2 come back.
  assert.ok(answer.bytes <= 1.15 * 126, `${answer.bytes} bytes`)
})

test('N-19 over the budget the answer is B alone, and past that there is none', () => {
  const rate = { perSecond: 1, burst: 3 }
  const budget = { total: rate }
  const harness = new PublisherHarness({
    budgets: { inquire: budget, lookup: budget, solicit: budget },
  })
  harness.cache(toId(7n), at(4001))
  const message = lookup(toId(8n), toId(1n << 255n), { routeEntry: entry(toId(9n), at(5000)) })
  for (let i = 0; i < 3; i++) assert.is(answerTo(harness, message).busy, false)
  for (let i = 0; i < 3; i++) {
    const answer = answerTo(harness, message)
    assert.is(answer.busy, true)
    assert.is(answer.notFound, false)
    assert.is(answer.routeEntry, undefined)
  }
  harness.responder.handleLookup(ASKER, message)
  assert.equal(harness.sent(), [])
  assert.is(harness.counter('drop.lookup-budget'), 1)
  assert.is(harness.submitted.length, 3, 'nothing is validated for those who ask too much')
})

test.run()
