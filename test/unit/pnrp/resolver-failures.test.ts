// Resolves that meet silence, lies and time limits: MS-PNRP 3.1.6.3, 3.1.5.6.1.1, N-12, N-56, and
// the lessons on timeouts (soft and full), worked out by hand.
import * as assert from 'uvu/assert'
import { endpointKey } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { ResolveCriteria, ResolveReason } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { FakePublisher } from '../../support/fake-publisher.js'
import { answerAll, location, seek, walker } from '../../support/resolve-scene.js'
import { endpoint, entry, id } from '../../support/route-entries.js'

const SECOND = 1_000_000

test('PNRP-3.1.4.4.2-10 PNRP-3.1.6.3-1 PNRP-3.1.6.3-2 PNRP-3.1.6.3-4 PNRP-3.1.2-3 a LOOKUP is sent at 0 s and 1 s and given up at 2 s', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11)] })
  seek(h)
  h.advance(1.999999 * SECOND)
  const sent = h.take('LOOKUP')
  assert.equal(
    sent.map(({ at }) => at),
    [0, SECOND],
  )
  assert.equal(sent[0]?.message, sent[1]?.message)
  assert.ok(h.cache.has(id(0x20)))
  h.advance(1)
  // N-12: the hop is dead.
  assert.not(h.cache.has(id(0x20)))
  h.answer(sent[0] as never, {})
  assert.is(h.counter('drop.authority-unmatched'), 1)
  h.advance(5 * SECOND)
  assert.is(h.take('LOOKUP').length, 0)
})

test('PNRP-3.1.6.3-3 PNRP-3.1.4.4.2-11 an INQUIRE without answer is given up, and the walk goes on', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = walker([entry(id(0x4c), 11)])
  h.resolve(1, {})
  h.cache.insert(publisher.entry, 0)
  h.answer(h.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  const from = h.now
  h.advance(3 * SECOND)
  const sent = h.take('INQUIRE').filter(({ reason }) => reason === ResolveReason.APP_REQUEST)
  // Two exchanges, each sent twice: the second began at the soft timeout of the first, which is
  // three times the shortest for a LOOKUP here.
  const soft = 3 * LIMITS.softTimeoutMinUs
  assert.equal(
    sent.map(({ at }) => at - from),
    [0, soft, SECOND, SECOND + soft],
  )
  assert.equal(sent[0]?.message, sent[2]?.message)
  assert.equal(sent[1]?.message, sent[3]?.message)
  // Step 7 again, as soon as the first was silent: the node before was asked once more.
  const [next] = h.take('LOOKUP')
  assert.equal(next?.to, endpoint(11))
  assert.is((next?.at ?? 0) - from, soft)
  assert.is(h.outcome(1)?.outcome, 'unreachable')
  assert.not(h.cache.has(publisher.pnrpId))
})

test('the answer to a repeated INQUIRE counts although the walk has gone on', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = walker([entry(id(0x4c), 11)])
  h.resolve(1, {})
  h.answer(h.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  h.advance(3 * LIMITS.softTimeoutMinUs)
  assert.is(h.take('LOOKUP').length, 1)
  const [, second] = h.take('INQUIRE')
  h.answer(second as never, publisher.answer(second as never))
  assert.is(h.outcome(1)?.outcome, 'found')
  assert.equal(h.outcome(1)?.peer?.pnrpId, publisher.pnrpId)
})

test('found but not reachable is told from not found, within three seconds', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const named = walker([entry(id(0x4c), 11)])
  named.resolve(1, {})
  named.answer(named.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  // Before any round trip was measured.
  const cached = walker([publisher.entry])
  cached.resolve(1, {})
  for (const h of [named, cached]) {
    for (let i = 0; i < 3000 && h.outcome(1) === undefined; i++) {
      for (const asked of h.take('LOOKUP')) h.answer(asked, {})
      h.advance(1000)
    }
    assert.is(h.outcome(1)?.outcome, 'unreachable')
    assert.ok(h.now < 3 * SECOND)
  }
})

test('a slow hop is not waited for once a match has turned out to be dead', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = new CloudHarness({ cached: [entry(id(0x4c), 11)] })
  h.resolve(1, {})
  h.answer(h.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  h.advance(1.1 * SECOND)
  // Only now it names another node, which would be known as silent at 2.12 s.
  h.answer(h.take('LOOKUP')[0] as never, { routeEntry: entry(id(0x4c, 1), 12) })
  assert.equal(h.takeOne('LOOKUP').to, endpoint(12))
  h.advance(0.9 * SECOND - 1)
  assert.is(h.outcome(1), undefined)
  // The first INQUIRE is given up.
  h.advance(1)
  assert.is(h.outcome(1)?.outcome, 'unreachable')
})

test('a silent hop is left behind at the soft timeout, flagged, and evicted at the full one only', () => {
  const h = walker([entry(id(0x20), 11), entry(id(0x2c), 12)])
  seek(h)
  assert.equal(h.takeOne('LOOKUP').to, endpoint(12))
  h.advance(LIMITS.softTimeoutMaxUs)
  const next = h.takeOne('LOOKUP')
  assert.equal(next.to, endpoint(11))
  assert.equal(next.message.flaggedPath, [endpoint(1), endpoint(12)])
  assert.ok(h.cache.has(id(0x2c)))
  assert.equal(h.steps(1), ['lookup', 'soft-timeout', 'lookup'])
  answerAll(h, [next])
  h.advance(2 * SECOND)
  assert.not(h.cache.has(id(0x2c)))
})

test('when no node answers at all, that is no answer: not that nobody has the name', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const silent = new CloudHarness({ cached: [entry(id(0x4c), 11), entry(id(0x4b), 12)] })
  silent.resolve(1, {})
  silent.advance(5 * SECOND)
  assert.is(silent.outcome(1)?.outcome, 'deadline')
  // A host that stood still for 1.9 s answers before the full timeout.
  const slow = walker([entry(id(0x4c), 11)])
  slow.resolve(1, {})
  slow.advance(1.9 * SECOND)
  assert.is(slow.outcome(1), undefined)
  slow.answer(slow.take('LOOKUP')[0] as never, { routeEntry: publisher.entry })
  const inquire = slow.takeOne('INQUIRE')
  slow.answer(inquire, publisher.answer(inquire))
  assert.is(slow.outcome(1)?.outcome, 'found')
})

test('a late answer counts as any other', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = walker([entry(id(0x4c), 11), entry(id(0x4b), 12)])
  h.resolve(1, {})
  const slow = h.takeOne('LOOKUP')
  h.advance(LIMITS.softTimeoutMaxUs)
  const second = h.takeOne('LOOKUP')
  h.answer(slow, { routeEntry: publisher.entry })
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.to, endpoint(20))
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.outcome(1)?.outcome, 'found')
  h.answer(second, {})
  assert.is(h.counter('drop.authority-unmatched'), 0)
})

test('the soft timeout follows the round trips, between 20 and 350 ms', () => {
  const h = walker([entry(id(0x20), 11), entry(id(0x2c), 12)])
  for (let handle = 0; handle < 30; handle++) {
    seek(h, handle)
    for (;;) {
      const asked = h.take('LOOKUP')[0]
      if (asked === undefined) break
      h.advance(1000)
      h.answer(asked, { busy: true })
    }
  }
  assert.is(Math.round((h.machine.statistics().smoothedRttUs as number) / 1000), 1)
  seek(h, 99)
  h.take('LOOKUP')
  h.advance(LIMITS.softTimeoutMinUs - 1)
  assert.is(h.take('LOOKUP').length, 0)
  h.advance(1)
  assert.is(h.take('LOOKUP').length, 1)
})

test('N-56 a resolve ends at its deadline', () => {
  const h = walker([entry(id(0x20), 11)])
  h.resolve(1, { targetPnrpId: id(0x30), criteria: ResolveCriteria.NONE, deadlineUs: 10_000 })
  h.advance(9_999)
  assert.is(h.outcome(1), undefined)
  h.advance(1)
  assert.is(h.outcome(1)?.outcome, 'deadline')
  assert.is(h.machine.statistics().resolvesActive, 0)
})

test('a resolve can be cancelled', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  h.command({ type: 'cancel-resolve', handle: 1 })
  assert.is(h.outcome(1)?.outcome, 'cancelled')
})

test('PNRP-3.1.5.6.1.1-3 PNRP-3.1.5.6.1.1-4 after a refused match the walk finds the honest publisher', () => {
  const liar = new FakePublisher({ endpoint: endpoint(66), serviceLocation: location(0x80) })
  const honest = new FakePublisher({ endpoint: endpoint(20), serviceLocation: location(0x90) })
  const h = walker([entry(id(0x4c), 11), liar.entry])
  h.resolve(1, {})
  const forged = h.takeOne('INQUIRE')
  const good = liar.answer(forged)
  const cpa = good.cpa as Uint8Array
  cpa[cpa.length - 1] = (cpa[cpa.length - 1] as number) ^ 1
  h.answer(forged, good)
  assert.not(h.cache.has(liar.pnrpId))
  // The refused node is neither asked again nor named again.
  const next = h.takeOne('LOOKUP')
  assert.equal(next.to, endpoint(11))
  assert.ok(next.message.flaggedPath.some((e) => endpointKey(e) === endpointKey(endpoint(66))))
  h.answer(next, { routeEntry: honest.entry })
  const inquire = h.take('INQUIRE').find((sent) => sent.message.wantCpa)
  h.answer(inquire as never, honest.answer(inquire as never))
  assert.equal(h.outcome(1)?.peer?.pnrpId, honest.pnrpId)
  assert.equal(h.outcome(1)?.refusals, ['signature'])
})

test('PNRP-3.1.5.6.1.1-5 with nothing but refused matches the resolve fails', () => {
  const liar = new FakePublisher({ endpoint: endpoint(66) })
  const h = new CloudHarness({ cached: [liar.entry] })
  h.resolve(1, {})
  const inquire = h.takeOne('INQUIRE')
  h.answer(inquire, { ...liar.answer(inquire, { nonce: new Uint8Array(16) }) })
  assert.is(h.outcome(1)?.outcome, 'refused')
  assert.equal(h.outcome(1)?.refusals, ['cpa-nonce'])
  assert.equal(h.steps(1), ['inquire', 'refused'])
})

test('a publisher that has just withdrawn the name leaves "not found"', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = new CloudHarness({ cached: [publisher.entry] })
  h.resolve(1, {})
  h.answer(h.takeOne('INQUIRE'), { notFound: true })
  assert.is(h.outcome(1)?.outcome, 'not-found')
  assert.not(h.cache.has(publisher.pnrpId))
})

test('further registrations of a name are found past those already known', () => {
  const first = new FakePublisher({ endpoint: endpoint(20), serviceLocation: location(0x80) })
  const second = new FakePublisher({ endpoint: endpoint(21), serviceLocation: location(0x90) })
  const h = walker([first.entry])
  h.resolve(1, { excludeIds: [first.pnrpId] })
  const lookup = h.takeOne('LOOKUP')
  assert.equal(lookup.to, endpoint(20))
  assert.ok(lookup.message.acceptNotCloser)
  assert.equal(lookup.message.flaggedPath, [endpoint(1), endpoint(20)])
  h.answer(lookup, { routeEntry: second.entry })
  const inquire = h.take('INQUIRE').find((sent) => sent.message.wantCpa)
  h.answer(inquire as never, second.answer(inquire as never))
  assert.equal(h.outcome(1)?.peer?.pnrpId, second.pnrpId)
})

test('hostile: an ID just outside the name, nearer to the target, does not hide a publisher', () => {
  // Prefix 1: farther from the target than the last ID of the preceding P2P ID, which is the
  // liar's.
  const serviceLocation = Uint8Array.of(1, ...new Uint8Array(15))
  const honest = new FakePublisher({ endpoint: endpoint(20), serviceLocation })
  const below = honest.pnrpId.slice().fill(0xff, 16)
  below[15] = (below[15] as number) - 1
  const liar = entry(below, 66)
  const h = walker([entry(id(0x4c), 11)])
  h.resolve(1, {})
  h.answer(h.takeOne('LOOKUP'), { routeEntry: liar })
  const second = h.takeOne('LOOKUP')
  assert.equal(second.to, endpoint(66))
  h.answer(second, {})
  h.answer(h.takeOne('LOOKUP'), { routeEntry: honest.entry })
  const inquire = h.take('INQUIRE').find(({ reason }) => reason === ResolveReason.APP_REQUEST)
  assert.equal(inquire?.to, endpoint(20))
  h.answer(inquire as never, honest.answer(inquire as never))
  assert.equal(h.outcome(1)?.peer?.pnrpId, honest.pnrpId)
})

test('hostile: a node that names matches at foreign addresses costs each four INQUIREs at most', () => {
  const fakes = [1, 2, 3].map(
    (n) => new FakePublisher({ endpoint: endpoint(80 + n), serviceLocation: location(0x80, n) }),
  )
  for (const [reply, each] of [
    [{ notFound: true }, 1],
    [undefined, 4],
  ] as const) {
    const h = new CloudHarness({ cached: [entry(id(0x4c), 11)] })
    h.resolve(1, {})
    const received = new Map<string, number>()
    let named = 0
    for (let ms = 0; ms < 5000; ms++) {
      for (const lookup of h.take('LOOKUP')) {
        assert.equal(lookup.to, endpoint(11))
        h.answer(lookup, { routeEntry: (fakes[named++] as FakePublisher).entry })
      }
      for (const inquire of h.take('INQUIRE')) {
        const to = endpointKey(inquire.to)
        received.set(to, (received.get(to) ?? 0) + 1)
        if (reply !== undefined) h.answer(inquire, reply)
      }
      h.advance(1000)
    }
    assert.is(named, 3)
    assert.equal(
      [...received],
      fakes.map((fake) => [endpointKey(fake.endpoint), each]),
    )
    assert.is(h.outcome(1)?.outcome, reply === undefined ? 'unreachable' : 'not-found')
  }
})

test('a referral to an address outside the cloud is neither asked nor cached (N-67)', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  const loopback = new Uint8Array(16)
  loopback[15] = 1
  h.answer(h.takeOne('LOOKUP'), {
    routeEntry: { pnrpId: id(0x2f), port: 3540, addresses: [loopback] },
  })
  assert.ok(h.sent.every(({ to }) => to.address[0] === 0x20))
  const [step] = h.eventsOf('resolve-step').filter(({ step: s }) => s.step === 'answer')
  assert.is(step?.step.step === 'answer' ? step.step.outcome : '', 'refused-referral')
})

test.run()
