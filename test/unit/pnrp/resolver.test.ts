// One machine, its questions answered by script. Expected values follow MS-PNRP 3.1.4.4, 3.1.5.6.1
// and the decisions N-nn, worked out by hand.
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { authorityBytes } from '#lib/pnrp/peer-name.js'
import { ResolveCriteria, ResolveReason, type RouteEntry } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { FakePublisher } from '../../support/fake-publisher.js'
import {
  answerAll,
  FAR,
  location,
  registration,
  seek,
  walker,
} from '../../support/resolve-scene.js'
import { address, endpoint, entry, id } from '../../support/route-entries.js'

const SECOND = 1_000_000

test('PNRP-3.1.4.4-1 a resolve in a cloud that is not open fails', () => {
  const h = new CloudHarness({ opened: false })
  h.resolve(1, {})
  assert.is(h.outcome(1)?.outcome, 'failed')
  assert.is(h.outcome(1)?.failure?.code, 'ERR_PEERNET_CLOUD_NOT_OPEN')
})

test('PNRP-3.1.4.4-2 a resolve of what is no peer name fails', () => {
  const h = new CloudHarness()
  h.resolve(1, { classifier: 'a\0b' })
  h.resolve(2, { classifier: 'x'.repeat(150) })
  h.resolve(3, { authority: new Uint8Array(19) })
  for (const handle of [1, 2, 3]) {
    assert.is(h.outcome(handle)?.failure?.code, 'ERR_PEERNET_INVALID_PEER_NAME')
  }
})

test('PNRP-3.1.4.4-3 PNRP-3.1.4.4.2-2 a resolve without local addresses fails', () => {
  const h = walker([])
  h.local({ type: 'addresses', endpoints: [] })
  seek(h)
  assert.is(h.outcome(1)?.failure?.code, 'ERR_PEERNET_NO_ADDRESS')
})

test('PNRP-3.1.4.4.2-2 a resolve beyond the table fails', () => {
  const h = walker([])
  for (let i = 0; i < LIMITS.outstandingResolves; i++) seek(h, i)
  assert.is(h.machine.statistics().resolvesActive, LIMITS.outstandingResolves)
  seek(h, 5000)
  assert.is(h.outcome(5000)?.failure?.code, 'ERR_PEERNET_LIMIT')
})

test('PNRP-3.1.4.4-4 PNRP-3.1.4.4-5 PNRP-3.1.4.4.2-1 PNRP-3.1.4.4.1-2 PNRP-3.1.4.4.1-3 PNRP-3.1.4.4.1-4 the LOOKUP of an application resolve', () => {
  const h = walker([])
  const locationPrefix = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  h.resolve(1, { classifier: 'test', locationPrefix })
  const { message } = h.takeOne('LOOKUP')
  // P2P ID of 0.test as in the field notes, section 3 (UTF-16LE), then prefix and 8000…
  const expected = '4cf68ef1a30357cf94e6f513002195200102030405060708' + '8000000000000000'
  assert.is(Buffer.from(message.targetPnrpId).toString('hex'), expected)
  assert.is(message.resolveReasonCode, ResolveReason.APP_REQUEST)
  assert.is(message.resolveCriteria, ResolveCriteria.ANY_PEER_NAME)
  assert.is(message.routeEntry, undefined)
})

test('PNRP-3.1.4.4.1-1 PNRP-3.1.4.4.1-3 the target of a secure name comes from the digits of its authority', () => {
  const h = walker([])
  const authority = authorityBytes('38827fecd1245882413e9a42c23d81f1aae08c4d') as Uint8Array
  h.resolve(1, { authority, classifier: 'RAContact' })
  const { targetPnrpId } = h.takeOne('LOOKUP').message
  // The field notes, section 3 (UTF-16LE).
  const p2pId = 'c35569a16a1aa0c6b617f9dedf277f56'
  assert.is(Buffer.from(targetPnrpId.subarray(0, 16)).toString('hex'), p2pId)
})

/** A cloud that knows that nobody else is there. */
function alone(): CloudHarness {
  const h = new CloudHarness()
  h.local({ type: 'ssdp-unavailable', reason: 'not here' })
  h.advance(30_000_000)
  assert.is(h.machine.state, 'alone')
  return h
}

test('PNRP-3.1.4.4.2-5 PNRP-3.1.4.4.2-15 PNRP-3.1.4.4.2-12 PNRP-2.2.2.8-13 the first hop is the nearest cached entry', () => {
  const h = walker([entry(id(0x20), 11), entry(id(0x2c), 12)])
  seek(h)
  const { to, message } = h.takeOne('LOOKUP')
  assert.equal(to, endpoint(12))
  assert.equal(message.validatePnrpId, id(0x2c))
  assert.equal(message.flaggedPath, [endpoint(1)])
})

test('PNRP-3.1.4.4.2-13 an empty cache leads nowhere', () => {
  const h = alone()
  seek(h)
  assert.is(h.outcome(1)?.outcome, 'not-found')
  assert.is(h.take('LOOKUP').length, 0)
})

test('PNRP-3.1.4.4.2-16 A is set while the cache holds fewer than 8 entries', () => {
  for (const [entries, flag] of [
    [7, true],
    [8, false],
  ] as const) {
    const h = new CloudHarness({ cached: FAR.slice(0, entries) })
    seek(h)
    assert.is(h.takeOne('LOOKUP').message.acceptNotCloser, flag, `${entries} entries`)
  }
})

test('PNRP-3.1.5.6.1-4 PNRP-3.1.5.6.1-9 PNRP-3.1.5.6.1-13 PNRP-3.1.5.6.1-16 PNRP-2.2.2.8-15 PNRP-2.2.2.8-22 a referral is asked next', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  h.answer(h.takeOne('LOOKUP'), { routeEntry: entry(id(0x28), 12) })
  const second = h.takeOne('LOOKUP')
  assert.equal(second.to, endpoint(12))
  assert.equal(second.message.validatePnrpId, id(0x28))
  assert.equal(second.message.flaggedPath, [endpoint(1), endpoint(11)])
  assert.equal(second.message.routeEntry, entry(id(0x20), 11))
  assert.equal(h.steps(1), ['lookup', 'answer', 'lookup'])
})

test('PNRP-3.1.4.4.2-9 of several addresses the one of the longest common prefix is used', () => {
  const many = entry(id(0x20), 0x8000_0000, 2, 0x4000_0000)
  const h = walker([many])
  seek(h)
  assert.equal(h.takeOne('LOOKUP').to, endpoint(2))
})

test('PNRP-3.1.4.4.2-17 PNRP-3.1.5.6.1-10 PNRP-3.1.5.6.1-11 a node that always names others is asked three times', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11)] })
  seek(h)
  const lookups = (): number[] => {
    const asked: number[] = []
    for (let next = 0x21; h.outcome(1) === undefined; next++) {
      const lookup = h.takeOne('LOOKUP')
      const node = lookup.to.address[15] as number
      asked.push(node)
      // Node 11 names a new node each time; those are too busy to be asked again (N-19).
      h.answer(lookup, node === 11 ? { routeEntry: entry(id(next), next) } : { busy: true })
    }
    return asked
  }
  assert.equal(lookups(), [11, 0x21, 11, 0x23, 11, 0x25])
  const attempts = h
    .eventsOf('resolve-step')
    .flatMap(({ step }) => (step.step === 'lookup' ? [step.attempt] : []))
  assert.equal(attempts, [1, 1, 2, 1, 3, 1])
})

test('PNRP-3.1.4.4.2-7 PNRP-3.1.4.4.2-8 PNRP-3.1.5.6.1.1-1 PNRP-3.1.5.6.1.1-2 PNRP-3.1.5.6.1.1-6 the match is INQUIREd and its endpoints handed over', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
  const h = walker([entry(id(0xc0), 11)])
  const authority = publisher.authority as Uint8Array
  h.resolve(1, { authority })
  h.answer(h.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.to, endpoint(20))
  assert.equal(inquire.message.validatePnrpId, publisher.pnrpId)
  assert.ok(inquire.message.wantCpa)
  assert.ok(inquire.message.wantCertificateChain)
  assert.ok(inquire.message.wantExtendedPayload)
  assert.is(inquire.message.nonce?.length, 16)
  const appEndpoints = [{ address: address(20), port: 4000, protocol: 6 }]
  h.answer(inquire, publisher.answer(inquire, { appEndpoints }))
  const done = h.outcome(1)
  assert.is(done?.outcome, 'found')
  assert.equal(done?.peer?.appEndpoints, appEndpoints)
  assert.is(done?.peer?.verified, 'authority')
  assert.is(done?.lookups, 1)
  assert.equal(h.steps(1), ['lookup', 'answer', 'inquire', 'found'])
})

// MS-PNRP 4.1.3: node 3 is INQUIREd as soon as node 2a has named it.
test('a match that was named or cached is INQUIREd without a LOOKUP to it', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const named = walker([entry(id(0x4c), 11)])
  named.resolve(1, {})
  named.answer(named.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  const cached = walker([publisher.entry])
  cached.resolve(1, {})
  for (const h of [named, cached]) {
    assert.is(h.take('LOOKUP').length, 0)
    const inquire = h.takeOne('INQUIRE')
    assert.equal(inquire.to, endpoint(20))
    h.answer(inquire, publisher.answer(inquire))
    assert.is(h.outcome(1)?.outcome, 'found')
  }
  assert.is(cached.outcome(1)?.lookups, 0)
})

test('a match that the own cache has left when a hop is lost is INQUIREd without a LOOKUP', () => {
  // Nearest the target is the last ID before the name's; the publisher is next.
  const serviceLocation = Uint8Array.of(1, ...new Uint8Array(15))
  const publisher = new FakePublisher({ endpoint: endpoint(20), serviceLocation })
  const below = publisher.pnrpId.slice().fill(0xff, 16)
  below[15] = (below[15] as number) - 1
  const h = walker([publisher.entry, entry(below, 11)])
  h.resolve(1, {})
  h.answer(h.takeOne('LOOKUP'), { busy: true })
  assert.is(h.take('LOOKUP').length, 0)
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.to, endpoint(20))
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.outcome(1)?.outcome, 'found')
})

test('N-58 PNRP-3.1.5.6.1-7 the node asked is validated, unless it was within the last 60 s', () => {
  const h = walker([entry(id(0x20), 11)])
  h.now = 60 * SECOND - 1
  seek(h, 1)
  h.answer(h.takeOne('LOOKUP'), {})
  assert.is(h.take('INQUIRE').length, 0)
  h.take('LOOKUP')
  h.now = 60 * SECOND
  seek(h, 2)
  h.answer(h.takeOne('LOOKUP'), {})
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.message.validatePnrpId, id(0x20))
  assert.is(inquire.reason, 'admission')
  h.answer(inquire, {})
  assert.is(h.cache.get(id(0x20))?.validatedAt, 60 * SECOND)
})

test('PNRP-3.1.5.6.1-7 a node met for the first time is validated and cached', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  h.answer(h.takeOne('LOOKUP'), { routeEntry: entry(id(0x28), 12) })
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.to, endpoint(12))
  assert.not(h.cache.has(id(0x28)))
  h.answer(inquire, {})
  assert.ok(h.cache.has(id(0x28)))
})

test('a match that is about to be INQUIREd gets no second INQUIRE for the cache', () => {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = walker([entry(id(0x4c), 11)])
  h.resolve(1, {})
  h.answer(h.takeOne('LOOKUP'), { routeEntry: publisher.entry })
  const inquire = h.takeOne('INQUIRE')
  assert.is(inquire.reason, ResolveReason.APP_REQUEST)
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.outcome(1)?.outcome, 'found')
  const cached = h.cache.get(publisher.pnrpId)
  assert.equal(cached?.addresses, [address(20)])
  assert.equal(
    cached?.keyHash,
    new Uint8Array(createHash('sha1').update(publisher.publicKey).digest()),
  )
})

test('PNRP-3.1.5.6.1-8 N removes the entry from the cache', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  h.answer(h.takeOne('LOOKUP'), { notFound: true })
  assert.not(h.cache.has(id(0x20)))
})

test('N does not remove an entry that is cached for other addresses', () => {
  const h = walker([entry(id(0x20), 11), entry(id(0x21), 12)])
  h.cache.insert(entry(id(0x2f), 15), 0)
  h.cache.remove(id(0x2f))
  seek(h)
  // A liar refers to the ID of 11 at its own address 66, and answers N there.
  h.answer(h.takeOne('LOOKUP'), { routeEntry: entry(id(0x2f), 66) })
  h.cache.insert(entry(id(0x2f), 15), 0)
  h.answer(h.takeOne('LOOKUP'), { notFound: true })
  assert.ok(h.cache.has(id(0x2f)))
})

test('PNRP-3.1.5.6.1-6 PNRP-3.1.4.4.2-13 PNRP-3.1.4.4.2-14 seven suspicious answers end the search', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  let answered = 0
  for (; h.outcome(1) === undefined && answered < 50; answered++) {
    const next = answered + 1
    h.answer(h.takeOne('LOOKUP'), {
      leafSet: true,
      routeEntry: entry(id(0x20, next), 20 + next),
    })
  }
  assert.is(answered, 7)
  assert.is(h.outcome(1)?.outcome, 'not-found')
  assert.is(h.outcome(1)?.usefulHops, 7)
})

test('PNRP-3.1.5.6.1-5 PNRP-3.1.4.4.2-13 hostile: endless referrals end after 23 useful hops', () => {
  const h = walker([entry(id(0x20), 11)])
  seek(h)
  let answered = 0
  for (; h.outcome(1) === undefined && answered < 100; answered++) {
    const next = answered + 1
    h.answer(h.takeOne('LOOKUP'), { routeEntry: entry(id(0x20, next), 20 + next) })
  }
  assert.is(answered, 23)
  assert.is(h.outcome(1)?.usefulHops, 23)
})

test('hostile: two nodes that name each other do not keep the walk', () => {
  const a = entry(id(0x20), 11)
  const b = entry(id(0x28), 12)
  const h = new CloudHarness({ cached: [...FAR, a] })
  seek(h)
  let answered = 0
  for (; h.outcome(1) === undefined && answered < 100; answered++) {
    const asked = h.take('LOOKUP').at(-1)
    if (asked === undefined) break
    const named = asked.to.address[15] === 11 ? b : a
    h.answer(asked, { routeEntry: named })
  }
  assert.is(h.outcome(1)?.outcome, 'not-found')
  assert.ok(answered <= 23, `${answered} answers`)
})

test('PNRP-3.1.4.4.2-14 PNRP-3.1.5.6.1.1-4 NEAREST: in the end the nearest of the name is INQUIREd', () => {
  const near = new FakePublisher({ endpoint: endpoint(20), serviceLocation: location(0x80, 1) })
  const far = new FakePublisher({ endpoint: endpoint(21), serviceLocation: location(0x90) })
  const h = walker([far.entry])
  h.resolve(1, { criteria: ResolveCriteria.NEAREST_PEER_NAME })
  h.answer(h.takeOne('LOOKUP'), { routeEntry: near.entry })
  answerAll(h)
  const inquire = h.take('INQUIRE').filter((sent) => sent.message.wantExtendedPayload)
  assert.is(inquire.length, 1)
  assert.equal(inquire[0]?.message.validatePnrpId, near.pnrpId)
  h.answer(inquire[0] as never, near.answer(inquire[0] as never))
  assert.equal(h.outcome(1)?.peer?.pnrpId, near.pnrpId)
})

test('N-55 PNRP-3.2.7.1-1 an own registration is the answer when the caller allows it', () => {
  const h = alone()
  h.command({ type: 'register', handle: 5, spec: registration('test') })
  h.resolve(1, { includeLocal: true })
  assert.is(h.outcome(1)?.outcome, 'found')
  assert.equal(h.outcome(1)?.peer?.serviceAddresses, [endpoint(1)])
  h.resolve(2, { includeLocal: false })
  assert.is(h.outcome(2)?.outcome, 'not-found')
})

test('PNRP-3.2.7.1-1 PNRP-3.2.7.1-2 the own entry nearest the target is the first best match', () => {
  const h = walker([entry(id(0x20), 11)])
  h.command({ type: 'register', handle: 5, spec: registration('other') })
  h.sent.length = 0
  h.resolve(1, { includeLocal: true })
  const lookup = h.take('LOOKUP').at(-1)
  assert.equal(lookup?.message.routeEntry?.addresses, [address(1)])
  assert.equal(lookup?.message.flaggedPath[0], endpoint(1))
})

test('PNRP-3.1.4.4.2-6 N-15 a registration walk carries its own entry in every LOOKUP', () => {
  const h = walker([])
  h.command({ type: 'register', handle: 5, spec: registration('chat') })
  const first = h.takeOne('LOOKUP')
  const own = first.message.routeEntry as RouteEntry
  assert.equal(own.addresses, [address(1)])
  assert.is(first.message.resolveReasonCode, ResolveReason.REGISTRATION)
  h.answer(first, {
    routeEntry: entry(
      own.pnrpId.map((b, i) => (i === 4 ? b ^ 1 : b)),
      30,
    ),
  })
  assert.equal(h.takeOne('LOOKUP').message.routeEntry, own)
})

test.run()
