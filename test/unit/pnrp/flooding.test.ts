// MS-PNRP 3.1.5.5, 3.2.5.5 and 3.2.5.11 with N-32, N-33.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { seconds } from '#lib/core/instant.js'
import type { PnrpId, RouteEntry } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  entry,
  flood,
  offset,
  PublisherHarness,
  toId,
  ZERO_ID,
  type SentOf,
} from '../../support/publisher-harness.js'

const SENDER = at(5000)

/** One ID with neighbours every 2^100 on both sides: greater ports 4001 …, smaller 4101 … */
function row(side: number): {
  harness: PublisherHarness
  id: PnrpId
  place: (n: number) => PnrpId
} {
  const harness = new PublisherHarness()
  const id = harness.register()
  const place = (n: number): PnrpId => offset(id, BigInt(Math.round(n * 10)) * (1n << 100n))
  for (let i = 1; i <= side; i++) {
    harness.cache(place(i), at(4000 + i))
    harness.cache(place(-i), at(4100 + i))
  }
  return { harness, id, place }
}

function toPort(floods: readonly SentOf<'FLOOD'>[], port: number): SentOf<'FLOOD'>[] {
  return floods.filter((sent) => sent.to.port === port)
}

const ports = (list: readonly Endpoint[]): number[] =>
  list.map((endpoint) => endpoint.port).sort((a, b) => a - b)

test('PNRP-3.1.5.5-2 FLOOD with D clear is acknowledged to its sender, with D set it is not', () => {
  const { harness, id } = row(5)
  harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: id }))
  const { to, message } = harness.sole('ACK')
  assert.equal(to, SENDER)
  assert.is(message.ackedMessageId, 77)
  harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: id, doNotAck: true }))
  assert.equal(harness.sent(), [])
})

test('PNRP-3.2.5.5-1 PNRP-3.2.5.5-2 PNRP-2.2.2.7-5 the ACK has N when the Validate ID is not ours', () => {
  const { harness, id, place } = row(5)
  const cases: [PnrpId, boolean][] = [
    [id, false],
    [place(1), true],
    [toId(9n), true],
    [ZERO_ID, false],
  ]
  const routeEntry = entry(toId(77n), at(6000))
  for (const [validatePnrpId, notFound] of cases) {
    harness.flooding.handleFlood(SENDER, flood({ validatePnrpId, routeEntry }))
    assert.is(harness.sole('ACK').message.notFound, notFound)
  }
})

test('N-36 a node without registrations acknowledges every Validate ID with N', () => {
  const harness = new PublisherHarness({ resolveOnly: true })
  const routeEntry = entry(toId(77n), at(6000))
  harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: toId(1n), routeEntry }))
  assert.is(harness.sole('ACK').message.notFound, true)
})

test('PNRP-2.2.2.4-7 the Validate ID of a FLOOD that carries nothing is ignored', () => {
  const { harness } = row(5)
  harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: toId(9n) }))
  assert.is(harness.sole('ACK').message.notFound, false)
})

test('PNRP-3.1.5.5-3 PNRP-3.2.5.1-1 a route entry in a FLOOD is put through validation', () => {
  const { harness, id, place } = row(5)
  const routeEntry = entry(place(2.5), at(6000))
  const floodedList = [at(6001), at(6002)]
  harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: id, routeEntry, floodedList }))
  assert.equal(harness.submitted, [
    { entry: routeEntry, origin: { via: 'FLOOD', from: SENDER, floodedList, floodValidate: id } },
  ])
})

test('PNRP-3.2.5.11-2 PNRP-3.2.5.11-4 PNRP-3.2.5.11-7 PNRP-2.2.2.4-12 a new leaf set member is flooded to the nearest above and below it', () => {
  const { harness, place } = row(5)
  const added = harness.admit(place(2.5), at(6000))
  const floods = harness.sentOf('FLOOD').filter((sent) => sent.to.port !== 6000)
  assert.equal(ports(floods.map((sent) => sent.to)), [4002, 4003])
  for (const { message } of floods) {
    assert.is(message.doNotAck, false)
    assert.equal(message.routeEntry, added)
  }
})

test('PNRP-2.2.2.4-6 the Validate ID of each FLOOD is the destination’s', () => {
  const { harness, place } = row(5)
  harness.admit(place(2.5), at(6000))
  const floods = harness.sentOf('FLOOD')
  assert.equal(toPort(floods, 4002)[0]?.message.validatePnrpId, place(2))
  assert.equal(toPort(floods, 4003)[0]?.message.validatePnrpId, place(3))
  assert.equal(toPort(floods, 6000)[0]?.message.validatePnrpId, place(2.5))
})

test('PNRP-3.2.5.11-1 PNRP-3.2.1.1-2 the member belongs to the leaf set and the farthest does not', () => {
  const { harness, id, place } = row(6)
  harness.admit(place(2.5), at(6000))
  const { greater } = harness.context.cache.leafSet(id)
  assert.equal(
    greater.map((member) => member.port),
    [4001, 4002, 6000, 4003, 4004],
  )
  for (const member of greater) assert.ok(harness.context.cache.has(member.pnrpId))
})

test('an entry outside every leaf set is not flooded', () => {
  const { harness, place } = row(6)
  harness.admit(place(20), at(6000))
  assert.equal(harness.sent(), [])
})

test('PNRP-3.2.5.11-3 nodes of the Already Flooded List are not chosen', () => {
  const { harness, place } = row(6)
  harness.admit(place(2.5), at(6000), {
    via: 'FLOOD',
    from: SENDER,
    floodedList: [at(4003), at(4002), at(4001)],
  })
  const chosen = harness.sentOf('FLOOD').filter((sent) => sent.message.routeEntry?.port === 6000)
  assert.equal(ports(chosen.map((sent) => sent.to)), [4004, 4101])
})

test('nor is the sender of the FLOOD, even if it is not on its own list', () => {
  const { harness, place } = row(6)
  harness.admit(place(2.5), at(6000), { via: 'FLOOD', from: at(4003), floodedList: [] })
  const chosen = harness.sentOf('FLOOD').filter((sent) => sent.message.routeEntry?.port === 6000)
  assert.equal(ports(chosen.map((sent) => sent.to)), [4002, 4004])
})

test('PNRP-3.2.5.11-5 PNRP-3.2.5.11-6 N-32 the list grows by both chosen nodes and ourselves', () => {
  const { harness, place } = row(6)
  harness.admit(place(2.5), at(6000), {
    via: 'FLOOD',
    from: SENDER,
    floodedList: [at(4003), at(7777)],
  })
  const [sent] = harness.sentOf('FLOOD').filter(({ message }) => message.routeEntry?.port === 6000)
  assert.ok(sent)
  assert.equal(ports(sent.message.floodedList), [3540, 4002, 4003, 4004, 7777])
})

test('N-32 a full list is not sent on, and no list ever has more than 22', () => {
  const { harness, place } = row(6)
  const floodedList = Array.from({ length: 20 }, (_, i) => at(7000 + i))
  harness.admit(place(2.5), at(6000), { via: 'FLOOD', from: at(7000), floodedList })
  const onward = harness.sentOf('FLOOD').filter(({ message }) => message.routeEntry?.port === 6000)
  assert.equal(onward, [])
  assert.is(harness.counter('flood.list-full'), 1)
  const shorter = floodedList.slice(1)
  harness.admit(place(3.5), at(6001), { via: 'FLOOD', from: at(7001), floodedList: shorter })
  const sent = harness.sentOf('FLOOD').filter(({ message }) => message.routeEntry?.port === 6001)
  assert.is(sent.length, 2)
  for (const { message } of sent) assert.is(message.floodedList.length, 22)
})

test('PNRP-3.2.5.11-8 N-33 the node of the entry and the sender of the FLOOD learn of our ID', () => {
  const { harness, id, place } = row(5)
  harness.cache(place(-4.5), SENDER)
  harness.admit(place(2.5), at(6000), { via: 'FLOOD', from: SENDER, floodedList: [SENDER] })
  const floods = harness.sentOf('FLOOD')
  for (const [port, validate] of [
    [6000, place(2.5)],
    [5000, place(-4.5)],
  ] as const) {
    const [reply] = toPort(floods, port)
    assert.equal(reply?.message.routeEntry, entry(id, at(3540)), `to ${port}`)
    assert.equal(reply?.message.validatePnrpId, validate)
    assert.is(reply?.message.doNotAck, false)
  }
})

test('a sender whose ID is not known gets its reply under the Validate ID zero', () => {
  const { harness, place } = row(5)
  harness.admit(place(2.5), at(6000), { via: 'FLOOD', from: SENDER, floodedList: [] })
  const [reply] = toPort(harness.sentOf('FLOOD'), 5000)
  assert.equal(reply?.message.validatePnrpId, ZERO_ID)
})

test('N-33 no reply to a sender whose Validate ID shows that it knows us', () => {
  const { harness, id, place } = row(5)
  const origin = { via: 'FLOOD', from: SENDER, floodedList: [], floodValidate: id } as const
  harness.admit(place(2.5), at(6000), origin)
  assert.equal(toPort(harness.sentOf('FLOOD'), 5000), [])
})

test('no reply to the node of the entry when it knows the ID that it asked or flooded', () => {
  const { harness, id, place } = row(5)
  harness.admit(place(2.5), at(6000), { via: 'LOOKUP' })
  assert.equal(toPort(harness.sentOf('FLOOD'), 6000), [])
  harness.admit(place(3.5), at(6001), { via: 'FLOOD', floodedList: [], floodValidate: id })
  assert.equal(toPort(harness.sentOf('FLOOD'), 6001), [])
})

test('the only other node is not told of itself', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.admit(offset(id, 5n), at(6000), { via: 'AUTHORITY' })
  const sent = harness.sentOf('FLOOD')
  assert.is(sent.length, 1)
  assert.equal(sent[0]?.message.routeEntry?.pnrpId, id)
})

test('a node with both nearest IDs is told once', () => {
  const { harness, id } = row(0)
  harness.cache(offset(id, 100n), at(4001))
  harness.cache(offset(id, 300n), at(4001))
  harness.admit(offset(id, 200n), at(6000))
  assert.is(toPort(harness.sentOf('FLOOD'), 4001).length, 1)
})

test('PNRP-3.2.5.11-9 PNRP-3.2.6.3-4 a FLOOD is sent twice, then its destination leaves the cache', () => {
  const { harness, place } = row(5)
  harness.admit(place(2.5), at(6000))
  const first = harness.sentOf('FLOOD')
  for (const sent of first) if (sent.to.port !== 4003) harness.acknowledge(sent)
  harness.pass(seconds(1))
  const again = harness.sentOf('FLOOD')
  assert.equal(ports(again.map((sent) => sent.to)), [4003])
  assert.equal(again[0]?.data, toPort(first, 4003)[0]?.data)
  assert.ok(harness.context.cache.has(place(3)))
  harness.pass(seconds(1))
  assert.not.ok(harness.context.cache.has(place(3)))
  // It is asked once more: two lost packets are no proof.
  assert.equal(harness.submitted.at(-1)?.entry.pnrpId, place(3))
})

test('an ACK without N proves the destination, one with N removes it', () => {
  const { harness, place } = row(5)
  harness.pass(seconds(5))
  harness.admit(place(2.5), at(6000))
  for (const sent of harness.sentOf('FLOOD')) harness.acknowledge(sent, sent.to.port === 4003)
  assert.not.ok(harness.context.cache.has(place(3)))
  assert.is(harness.context.cache.get(place(2))?.validatedAt, harness.context.now)
})

test('others cannot make us a source of storms', () => {
  const { harness, id } = row(5)
  let sent = 0
  // Each is nearer than the one before, and so a new leaf set member.
  for (let i = 0; i < 400; i++) {
    harness.admit(offset(id, BigInt(1_000_000 - i)), at(10_000 + i), { via: 'AUTHORITY' })
    const floods = harness.sentOf('FLOOD')
    sent += floods.length
    for (const one of floods) harness.acknowledge(one)
  }
  assert.ok(sent >= 200 && sent <= 210, `${sent} floods at one moment`)
  assert.ok(harness.counter('flood.withheld') > 500)
  harness.pass(seconds(1))
  harness.sent()
  for (let i = 0; i < 100; i++) harness.admit(offset(id, BigInt(1000 - i)), at(20_000 + i))
  const later = harness.sentOf('FLOOD').length
  assert.ok(later >= 40 && later <= 60, `${later} a second later`)
})

test('FLOODs over the budget are neither answered nor looked at', () => {
  const rate = { perSecond: 1, burst: 3 }
  const budget = { total: rate }
  const budgets = { inquire: budget, lookup: budget, solicit: budget }
  const harness = new PublisherHarness({ budgets })
  const routeEntry = entry(toId(77n), at(6000))
  for (let i = 0; i < 10; i++) {
    harness.flooding.handleFlood(SENDER, flood({ validatePnrpId: ZERO_ID, routeEntry }))
  }
  assert.is(harness.sentOf('ACK').length, 3)
  assert.is(harness.submitted.length, 3)
  assert.is(harness.counter('drop.flood-budget'), 7)
})

test('a node with many IDs introduces those nearest the new entry only', () => {
  const harness = new PublisherHarness()
  for (let i = 0; i < 40; i++) harness.register({ classifier: `name ${i}` })
  const added: RouteEntry = harness.admit(toId(5n), at(6000))
  const introduced = toPort(harness.sentOf('FLOOD'), 6000)
  assert.is(introduced.length, 10)
  for (const { message } of introduced) assert.equal(message.validatePnrpId, added.pnrpId)
})

test.run()
