// MS-PNRP 3.2.4.2 with N-31.
import * as assert from 'uvu/assert'
import { minutes, seconds } from '#lib/core/instant.js'
import { decodeCpa } from '#lib/wire/codec.js'
import type { PnrpId } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  checkedCpa,
  offset,
  publicKey,
  PublisherHarness,
  type SentOf,
} from '../../support/publisher-harness.js'

/** A node with five neighbours on each side: ports 4001.. greater, 4101.. smaller. */
function neighbourhood(side = 5): { harness: PublisherHarness; id: PnrpId } {
  const harness = new PublisherHarness()
  const id = harness.register()
  for (let i = 1; i <= side; i++) {
    harness.cache(offset(id, BigInt(i)), at(4000 + i))
    harness.cache(offset(id, -BigInt(i)), at(4100 + i))
  }
  // Far ones, so that the sides of the leaf set do not meet behind the ring.
  for (let i = 1; i <= 5; i++) {
    harness.cache(offset(id, (1n << 255n) + BigInt(i)), at(4200 + i))
  }
  return { harness, id }
}

function floods(harness: PublisherHarness): Map<number, SentOf<'FLOOD'>[]> {
  const byPort = new Map<number, SentOf<'FLOOD'>[]>()
  for (const flood of harness.sentOf('FLOOD')) {
    byPort.set(flood.to.port, [...(byPort.get(flood.to.port) ?? []), flood])
  }
  return byPort
}

test('PNRP-3.2.4.2-1 PNRP-3.2.4.2-2 PNRP-2.2.3.1-21 a revoke CPA goes to the nearest on each side', () => {
  const { harness, id } = neighbourhood()
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = floods(harness)
  for (const [port, neighbour] of [
    [4001, offset(id, 1n)],
    [4101, offset(id, -1n)],
  ] as const) {
    const [flood] = sent.get(port) ?? []
    assert.ok(flood, `to ${port}`)
    assert.is(flood.message.doNotAck, false)
    assert.equal(flood.message.validatePnrpId, neighbour)
    const cpa = checkedCpa(flood.message.revokeCpa)
    assert.is(cpa.revoke, true)
    assert.equal(cpa.nonce, new Uint8Array(16))
    assert.equal(cpa.serviceLocation, id.subarray(16))
    assert.equal(cpa.publicKey, publicKey(1))
    assert.is(cpa.appEndpoints, undefined)
    assert.is(cpa.hasExtendedPayload, false)
  }
})

test('PNRP-3.2.4.2-3 PNRP-3.2.4.2-4 N-31 the far ends learn of the nearest of the other side', () => {
  const { harness, id } = neighbourhood()
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = floods(harness)
  const toS5 = sent.get(4105)?.[0]?.message
  const toG5 = sent.get(4005)?.[0]?.message
  assert.equal(toS5?.routeEntry, { pnrpId: offset(id, 1n), port: 4001, addresses: [at(1).address] })
  assert.equal(toS5?.validatePnrpId, offset(id, -5n))
  assert.equal(toG5?.routeEntry?.pnrpId, offset(id, -1n))
  assert.is(toS5?.doNotAck, false)
  assert.is(toG5?.doNotAck, false)
  assert.is(sent.size, 4)
})

test('with fewer than five on a side the farthest known takes the place of the fifth', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  for (const i of [1n, 2n]) {
    harness.cache(offset(id, i), at(4000 + Number(i)))
    harness.cache(offset(id, -i), at(4100 + Number(i)))
  }
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = floods(harness)
  // Four other nodes: around the ring g1 g2 s2 s1, so the farthest greater is s1 itself.
  assert.ok(sent.get(4001)?.[0]?.message.revokeCpa)
  assert.ok(sent.get(4101)?.[0]?.message.revokeCpa)
  for (const flood of [...sent.values()].flat()) {
    const { routeEntry, validatePnrpId } = flood.message
    if (routeEntry !== undefined) assert.not.equal(routeEntry.pnrpId, validatePnrpId)
  }
})

test('the only other node hears of it once', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.cache(offset(id, 1n), at(4001))
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = harness.sentOf('FLOOD')
  assert.is(sent.length, 1)
  assert.ok(sent[0]?.message.revokeCpa)
})

test('a revoke and a route entry never share a FLOOD', () => {
  const { harness } = neighbourhood(1)
  harness.registrations.unregister(1)
  harness.crypto()
  for (const { message, data } of harness.sentOf('FLOOD')) {
    assert.ok((message.revokeCpa === undefined) !== (message.routeEntry === undefined))
    assert.ok(data.length <= 1232, 'fits the smallest MTU of IPv6')
  }
})

test('whoever resolved the name lately is told as well, once and without ACK', () => {
  const { harness, id } = neighbourhood()
  const nonce = new Uint8Array(16)
  const ask = (port: number): void => {
    harness.responder.handleInquire(at(port), {
      type: 'INQUIRE',
      messageId: port,
      wantCpa: true,
      wantExtendedPayload: false,
      wantCertificateChain: false,
      validatePnrpId: id,
      nonce,
    })
    harness.crypto()
  }
  ask(9000)
  harness.pass(minutes(11))
  for (const port of [9001, 4001]) ask(port)
  harness.sent()
  // Neighbours of old are gone by now; these are told anyway.
  harness.cache(offset(id, 1n), at(4001))
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = floods(harness)
  const [told] = sent.get(9001) ?? []
  assert.ok(told?.message.revokeCpa)
  assert.is(told?.message.doNotAck, true)
  assert.is(sent.get(4001)?.length, 1, 'the neighbour hears of it as a neighbour')
  assert.is(sent.get(9000), undefined, 'too long ago')
})

test('they are told even by a node without neighbours', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.responder.handleInquire(at(9001), {
    type: 'INQUIRE',
    messageId: 1,
    wantCpa: true,
    wantExtendedPayload: false,
    wantCertificateChain: false,
    validatePnrpId: id,
  })
  harness.crypto()
  harness.sent()
  harness.registrations.unregister(1)
  harness.crypto()
  assert.ok(floods(harness).get(9001)?.[0]?.message.revokeCpa)
  assert.is(harness.eventsOf('unregistered').length, 1)
})

test('the nodes told so are few', () => {
  const { harness, id } = neighbourhood()
  for (let port = 9000; port < 9100; port++) {
    harness.responder.handleInquire(at(port), {
      type: 'INQUIRE',
      messageId: port,
      wantCpa: true,
      wantExtendedPayload: false,
      wantCertificateChain: false,
      validatePnrpId: id,
    })
  }
  harness.crypto()
  harness.sent()
  harness.registrations.unregister(1)
  harness.crypto()
  const told = [...floods(harness).keys()].filter((port) => port >= 9000)
  assert.is(told.length, 32)
})

test('PNRP-3.2.4.2-5 with the last ID gone the SSDP publication stops', () => {
  const address = Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5)
  const harness = new PublisherHarness({ scope: 'global', endpoints: [{ address, port: 3540 }] })
  harness.register({ classifier: 'a' })
  harness.register({ classifier: 'b' })
  harness.effects()
  harness.registrations.unregister(1)
  assert.equal(harness.effects(), [])
  harness.registrations.unregister(2)
  assert.equal(
    harness.effects().map((effect) => effect.type),
    ['ssdp-withdraw'],
  )
})

test('an ID that left is not local any more from the moment it leaves', () => {
  const { harness, id } = neighbourhood()
  harness.registrations.unregister(1)
  assert.is(harness.registrations.find(id), undefined)
  assert.equal(harness.eventsOf('unregistered'), [])
})

test('PNRP-3.2.4.2-6 leaving ends when all FLOODs are acknowledged', () => {
  const { harness } = neighbourhood()
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = harness.sentOf('FLOOD')
  for (const flood of sent) {
    assert.equal(harness.eventsOf('unregistered'), [])
    assert.ok(harness.registrations.leaving)
    harness.acknowledge(flood)
  }
  assert.equal(harness.eventsOf('unregistered'), [{ type: 'unregistered', handle: 1 }])
  assert.is(harness.registrations.leaving, false)
})

test('leaving ends within two seconds when nobody answers, with one retransmission', () => {
  const { harness } = neighbourhood()
  harness.registrations.unregisterAll()
  harness.crypto()
  harness.pass(seconds(1.5))
  assert.ok(harness.registrations.leaving, 'a second chance for everybody')
  harness.pass(seconds(0.4))
  assert.is(harness.sentOf('FLOOD').length, 8)
  assert.is(harness.registrations.leaving, false)
  assert.is(harness.eventsOf('unregistered').length, 1)
})

test('an ACK after the end of leaving changes nothing', () => {
  const { harness } = neighbourhood()
  harness.registrations.unregister(1)
  harness.crypto()
  const sent = harness.sentOf('FLOOD')
  harness.pass(seconds(1.9))
  for (const flood of sent) harness.acknowledge(flood)
  assert.is(harness.eventsOf('unregistered').length, 1)
})

test('leaving ends at once when no FLOOD can be sent', () => {
  const { harness, id } = neighbourhood()
  const { context } = harness
  for (let messageId = 1; !context.exchanges.full; messageId++) {
    const request = { messageId, to: at(7000), data: new Uint8Array(20), owner: {} }
    context.exchanges.start({ ...request, kind: 'INQUIRE', reason: 'ping', validatePnrpId: id })
  }
  harness.registrations.unregister(1)
  harness.crypto()
  assert.is(harness.eventsOf('unregistered').length, 1)
})

test('leaving ends when signing fails or never ends', () => {
  const failing = neighbourhood().harness
  failing.registrations.unregister(1)
  const [job] = failing.jobs()
  assert.ok(job)
  failing.context.cryptoDone({ id: job.id, kind: 'failed', message: 'no such key' })
  // The gap can be closed all the same.
  for (const flood of failing.sentOf('FLOOD')) {
    assert.ok(flood.message.routeEntry)
    failing.acknowledge(flood)
  }
  assert.is(failing.registrations.leaving, false)

  const stuck = neighbourhood().harness
  stuck.registrations.unregisterAll()
  stuck.pass(seconds(2))
  assert.is(stuck.registrations.leaving, false)
  assert.is(stuck.eventsOf('unregistered').length, 1)
})

test('a node with many names leaves with a few at a time, and still in time', () => {
  const harness = new PublisherHarness()
  const id = harness.register({ classifier: 'name 0' })
  for (let i = 1; i < 200; i++) harness.register({ classifier: `name ${i}` })
  harness.cache(offset(id, 1n), at(4001))
  harness.registrations.unregisterAll()
  assert.ok(harness.jobs().length <= 64)
  harness.pass(seconds(2))
  assert.is(harness.eventsOf('unregistered').length, 200)
})

test('N-29 N-42 N-43 a revoke is written in the dialect of the cloud', () => {
  const harness = new PublisherHarness({
    dialect: {
      revokeNonce: 'absent',
      serviceLocationOrder: 'natural',
      signatureByteOrder: 'capi',
    },
  })
  const id = harness.register()
  harness.cache(offset(id, 1n), at(4001))
  harness.registrations.unregister(1)
  harness.crypto()
  const [flood] = harness.sentOf('FLOOD')
  const decoded = decodeCpa(flood?.message.revokeCpa as Uint8Array, { revokeNonce: 'absent' })
  assert.ok(decoded.ok)
  // The decoder turns what is in the order of the text; this is not.
  assert.equal(decoded.cpa.serviceLocation, id.slice(16).reverse())
})

test.run()
