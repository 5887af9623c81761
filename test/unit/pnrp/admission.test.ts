// Pending Route Entry Add List, MS-PNRP 3.1.5.11, 3.1.5.6.1.2, 3.2.5.1. Entries are handed in by
// FLOODs with D set, as a synchronization brings them.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { RouteCache } from '#lib/native/route-cache.js'
import { encodeMessage } from '#lib/wire/codec.js'
import type { FloodMessage, RouteEntry } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { FakePublisher } from '../../support/fake-publisher.js'
import { address, endpoint, entry, id } from '../../support/route-entries.js'

const SECOND = 1_000_000
let messageId = 1

function floodOf(routeEntry: RouteEntry): FloodMessage {
  return {
    type: 'FLOOD',
    messageId: messageId++,
    doNotAck: true,
    validatePnrpId: new Uint8Array(32),
    routeEntry,
    floodedList: [],
  }
}

function flood(h: CloudHarness, routeEntry: RouteEntry, from: Endpoint = endpoint(50)): void {
  h.deliver(from, floodOf(routeEntry))
}

/** A node with one registered ID, whose leaf set therefore takes anybody. */
function publisherNode(): CloudHarness {
  const h = new CloudHarness()
  h.command({
    type: 'register',
    handle: 1,
    spec: {
      classifier: 'own',
      keyId: 'own',
      publicKey: fakePublicKey('own'),
      appEndpoints: [{ address: address(1), port: 4000, protocol: 6 }],
    },
  })
  return h
}

test('PNRP-3.1.5.11-2 PNRP-3.1.5.11-4 PNRP-3.1.5.11-5 PNRP-3.1.5.11-6 PNRP-3.1.5.6.1.2-3 PNRP-3.1.5.5-3 an entry is cached when its node answered an INQUIRE', () => {
  const h = new CloudHarness()
  flood(h, { pnrpId: id(0x20), port: 4242, addresses: [address(0x8000_0000), address(11)] })
  const inquire = h.takeOne('INQUIRE')
  // Of the two addresses the second shares the longer prefix with ours (RFC 3484 rule 9).
  assert.equal(inquire.to, endpoint(11, 4242))
  assert.equal(inquire.message.validatePnrpId, id(0x20))
  assert.not(inquire.message.wantCpa)
  assert.is(inquire.message.nonce, undefined)
  assert.is(h.cache.size, 0)
  h.answer(inquire, {})
  assert.is(h.cache.get(id(0x20))?.port, 4242)
  assert.is(h.machine.state, 'active')
})

test('PNRP-3.1.5.11-7 PNRP-3.1.5.6.1.2-1 only the answer to its own INQUIRE admits an entry', () => {
  const h = new CloudHarness()
  flood(h, entry(id(0x20), 11))
  flood(h, entry(id(0x21), 12))
  const [first, second] = h.take('INQUIRE')
  h.answer(second as never, {})
  assert.not(h.cache.has(id(0x20)))
  assert.ok(h.cache.has(id(0x21)))
  h.answer(second as never, {})
  assert.is(h.counter('drop.authority-unmatched'), 1)
  h.answer(first as never, {})
  assert.ok(h.cache.has(id(0x20)))
})

test('PNRP-3.1.5.6.1.2-2 N drops the pending entry', () => {
  const h = new CloudHarness()
  flood(h, entry(id(0x20), 11))
  h.answer(h.takeOne('INQUIRE'), { notFound: true })
  assert.is(h.cache.size, 0)
  assert.is(h.machine.statistics().pendingAdmissions, 0)
})

test('PNRP-3.2.6.3-2 PNRP-3.2.6.3-1 an entry whose node does not answer is dropped after two INQUIREs', () => {
  const h = new CloudHarness()
  flood(h, entry(id(0x20), 11))
  h.advance(2 * SECOND)
  const sent = h.take('INQUIRE')
  assert.equal(
    sent.map(({ at }) => at),
    [0, SECOND],
  )
  assert.is(h.machine.statistics().pendingAdmissions, 0)
  h.answer(sent[0] as never, {})
  assert.is(h.cache.size, 0)
})

test('PNRP-3.1.5.11-1 N-05 N-67 entries that cannot be used are ignored', () => {
  const loopback = new Uint8Array(16)
  loopback[15] = 1
  const linkLocal = new Uint8Array(16)
  linkLocal.set([0xfe, 0x80])
  const usable = entry(id(0x20), 11)
  const h = new CloudHarness()
  flood(h, { ...usable, addresses: [loopback] })
  flood(h, { ...usable, addresses: [linkLocal] })
  flood(h, { ...usable, addresses: [address(1)] })
  flood(h, entry(id(), 11))
  for (const port of [0, 1023, 1024]) {
    const datagram = encodeMessage(floodOf(usable))
    // Port Number of the ROUTE_ENTRY that begins at byte 60; the encoder would not write this one.
    new DataView(datagram.buffer, datagram.byteOffset).setUint16(60 + 34, port)
    h.deliverBytes(endpoint(50), datagram)
  }
  assert.is(h.take('INQUIRE').length, 0)
  assert.is(h.counter('refused.entry.unusable'), 7)
})

test('an entry that is pending or cached with the same addresses is ignored', () => {
  const h = new CloudHarness()
  flood(h, entry(id(0x20), 11))
  flood(h, entry(id(0x20), 11))
  h.answer(h.takeOne('INQUIRE'), {})
  flood(h, entry(id(0x20), 11))
  assert.is(h.take('INQUIRE').length, 0)
})

test('an entry that the cache would not keep is not asked', () => {
  const cache = new RouteCache({ capacity: 20, maxAddresses: 4 })
  const cached = Array.from({ length: 64 }, (_, i) => entry(id(i * 4), 100 + i))
  const h = new CloudHarness({ cache, cached })
  const { keep } = cache.wouldKeep(id(0x01))
  flood(h, entry(id(0x01), 11))
  assert.is(h.take('INQUIRE').length, keep ? 1 : 0)
  assert.not(keep)
  assert.is(h.counter('refused.entry.not-kept'), 1)
})

test('PNRP-3.2.5.1-1 PNRP-3.2.5.1-2 PNRP-3.2.5.1-3 N-10 a candidate for a leaf set has to show its CPA', () => {
  const h = publisherNode()
  const remote = new FakePublisher({ endpoint: endpoint(20) })
  flood(h, remote.entry)
  const inquire = h.takeOne('INQUIRE')
  assert.ok(inquire.message.wantCpa)
  assert.ok(inquire.message.wantCertificateChain)
  assert.not(inquire.message.wantExtendedPayload)
  assert.is(inquire.message.nonce?.length, 16)
  h.answer(inquire, remote.answer(inquire))
  assert.ok(h.cache.has(remote.pnrpId))
  assert.is(h.cache.get(remote.pnrpId)?.keyHash?.length, 20)
})

test('PNRP-3.1.5.6.1.2-4 PNRP-3.1.5.6.1.2-5 PNRP-3.1.5.6.1.2-6 PNRP-3.1.5.6.1.2-7 PNRP-3.1.5.6.1.2-8 PNRP-3.1.5.6.1.2-9 N-50 and is discarded unless all of it is right', () => {
  const remote = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
  const other = new FakePublisher({ endpoint: endpoint(20), classifier: 'other' })
  const ask = (routeEntry = remote.entry): { h: CloudHarness; inquire: never } => {
    const h = publisherNode()
    flood(h, routeEntry)
    return { h, inquire: h.takeOne('INQUIRE') as never }
  }
  const two = { ...remote.entry, addresses: [address(20), address(21)] }
  const cases: [string, RouteEntry, (i: never) => object, boolean][] = [
    ['no CPA', remote.entry, () => ({}), false],
    ['old nonce', remote.entry, (i) => remote.answer(i, { nonce: new Uint8Array(16) }), false],
    [
      'authority of another key, no chain',
      remote.entry,
      (i) => remote.answer(i, { publicKey: fakePublicKey('Eve') }),
      false,
    ],
    ['another name', remote.entry, (i) => other.answer(i), false],
    ['an address that the CPA lacks', two, (i) => remote.answer(i), false],
    ['all right', remote.entry, (i) => remote.answer(i), true],
    [
      'one of the CPA’s addresses',
      remote.entry,
      (i) => remote.answer(i, { serviceAddresses: [endpoint(20), endpoint(21)] }),
      true,
    ],
  ]
  for (const [what, routeEntry, answer, good] of cases) {
    const { h, inquire } = ask(routeEntry)
    h.answer(inquire, answer(inquire))
    assert.is(h.cache.has(remote.pnrpId), good, what)
    assert.is(h.machine.statistics().pendingAdmissions, 0, what)
  }
})

test('an entry with new addresses replaces the old one, once its node proved the right to', () => {
  const remote = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
  const moved = { ...remote.entry, addresses: [address(21)] }
  const h = new CloudHarness({ cached: [remote.entry] })
  flood(h, moved)
  const inquire = h.takeOne('INQUIRE')
  assert.ok(inquire.message.wantCpa)
  h.answer(inquire, remote.answer(inquire, { serviceAddresses: [endpoint(21)] }))
  assert.equal(h.cache.get(remote.pnrpId)?.addresses, [address(21)])
})

test('hostile: who only claims an ID at another address does not displace its node', () => {
  const remote = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
  const h = new CloudHarness({ cached: [remote.entry] })
  for (const answer of [{}, { notFound: true }]) {
    flood(h, { ...remote.entry, addresses: [address(66)] })
    h.answer(h.takeOne('INQUIRE'), answer)
    assert.equal(h.cache.get(remote.pnrpId)?.addresses, [address(20)])
  }
})

test('PNRP-3.1.5.11-3 hostile: entries from one source, and in total, are bounded and counted', () => {
  const h = new CloudHarness()
  for (let i = 0; i < 100; i++) flood(h, entry(id(1 + i), 1000 + i), endpoint(50))
  assert.is(h.take('INQUIRE').length, LIMITS.pendingAdmissionsPerSource)
  for (let i = 0; i < 1000; i++) flood(h, entry(id(2, i >> 8, i), 5000 + i), endpoint(5000 + i))
  // All of these sources share a /64.
  assert.is(h.machine.statistics().pendingAdmissions, LIMITS.pendingAdmissionsPerPrefix)
  const elsewhere = (n: number): Endpoint => {
    const from = endpoint(n)
    from.address[7] = n & 0xff
    from.address[6] = n >> 8
    return from
  }
  for (let i = 0; i < 1000; i++) flood(h, entry(id(3, i >> 8, i), 7000 + i), elsewhere(i + 1))
  assert.is(h.machine.statistics().pendingAdmissions, LIMITS.pendingAdmissions)
  assert.is(h.counter('refused.entry.list-full'), 2100 - LIMITS.pendingAdmissions)
  h.advance(2 * SECOND)
  assert.is(h.machine.statistics().pendingAdmissions, 0)
})

test('PNRP-3.2.5.1-1 entries come from SOLICIT, LOOKUP, FLOOD and AUTHORITY alike', () => {
  const h = new CloudHarness({ cached: [entry(id(0x90), 9)] })
  h.deliver(endpoint(50), {
    type: 'SOLICIT',
    messageId: 1,
    hashedNonce: new Uint8Array(20),
    routeEntry: entry(id(0x20), 50),
  })
  h.deliver(endpoint(51), {
    type: 'LOOKUP',
    messageId: 2,
    acceptNotCloser: false,
    precision: 0,
    resolveCriteria: 0,
    resolveReasonCode: 0,
    targetPnrpId: id(0x44),
    validatePnrpId: id(),
    routeEntry: entry(id(0x21), 51),
    flaggedPath: [endpoint(51)],
  })
  h.resolve(1, { targetPnrpId: id(0x22), criteria: 0 })
  h.answer(h.takeOne('LOOKUP'), { routeEntry: entry(id(0x23), 52) })
  const asked = h.take('INQUIRE').map(({ message }) => message.validatePnrpId[0])
  assert.equal(asked, [0x20, 0x21, 0x23])
})

test.run()
