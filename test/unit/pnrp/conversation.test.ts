// The joining side of a synchronization conversation, MS-PNRP 3.1.4.3 and 3.1.5.3.
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { address, endpoint, id } from '../../support/route-entries.js'

const SECOND = 1_000_000
const PEER = endpoint(9)

function joining(h = new CloudHarness()): CloudHarness {
  h.command({ type: 'synchronize', to: PEER })
  return h
}

function advertise(
  h: CloudHarness,
  ackedMessageId: number,
  hashedNonce: Uint8Array,
  pnrpIds: readonly Uint8Array[] = [id(0x10), id(0x20)],
): void {
  h.deliver(PEER, { type: 'ADVERTISE', messageId: 5, ackedMessageId, pnrpIds, hashedNonce })
}

test('PNRP-3.1.4.3-1 PNRP-3.1.4.3-2 PNRP-3.1.4.3-3 PNRP-3.1.5.3-1 PNRP-3.1.5.3-4 PNRP-3.1.5.3-5 SOLICIT, ADVERTISE, REQUEST, ACK', () => {
  const h = joining()
  const solicit = h.takeOne('SOLICIT')
  assert.equal(solicit.to, PEER)
  const { messageId, hashedNonce } = solicit.message
  advertise(h, messageId, hashedNonce)
  const request = h.takeOne('REQUEST')
  assert.equal(request.to, PEER)
  assert.equal(request.message.pnrpIds, [id(0x10), id(0x20)])
  // The nonce in the REQUEST is what was hashed for the SOLICIT.
  const hash = createHash('sha1').update(request.message.nonce).digest()
  assert.equal(hashedNonce, new Uint8Array(hash))
  const ackedMessageId = request.message.messageId
  h.deliver(PEER, { type: 'ACK', messageId: 6, ackedMessageId, notFound: false })
  assert.is(h.machine.statistics().pendingRequests, 0)
  assert.is(h.machine.statistics().conversations, 0)
})

test('PNRP-3.1.4.3-1 each conversation has a nonce of its own', () => {
  const h = joining()
  h.command({ type: 'synchronize', to: endpoint(10) })
  const [first, second] = h.take('SOLICIT')
  assert.not.equal(first?.message.hashedNonce, second?.message.hashedNonce)
})

test('PNRP-3.1.4.3-4 PNRP-3.2.6.3-3 the SOLICIT is sent twice, then the conversation is released', () => {
  const h = joining()
  h.advance(2 * SECOND - 1)
  assert.equal(
    h.take('SOLICIT').map(({ at }) => at),
    [0, SECOND],
  )
  assert.is(h.machine.statistics().conversations, 1)
  h.advance(1)
  assert.is(h.machine.statistics().conversations, 0)
})

test('PNRP-3.1.5.3-5 the REQUEST is sent twice, then given up', () => {
  const h = joining()
  const { messageId, hashedNonce } = h.takeOne('SOLICIT').message
  advertise(h, messageId, hashedNonce)
  h.advance(2 * SECOND)
  assert.equal(
    h.take('REQUEST').map(({ at }) => at),
    [0, SECOND],
  )
  assert.is(h.machine.statistics().conversations, 0)
})

test('PNRP-3.1.5.3-1 PNRP-3.1.5.3-2 hostile: an ADVERTISE that was not asked for, or of the wrong nonce', () => {
  const h = joining()
  const { messageId, hashedNonce } = h.takeOne('SOLICIT').message
  advertise(h, messageId ^ 1, hashedNonce)
  h.deliver(endpoint(66), {
    type: 'ADVERTISE',
    messageId: 5,
    ackedMessageId: messageId,
    pnrpIds: [id(0x10)],
    hashedNonce,
  })
  assert.is(h.counter('drop.advertise-unmatched'), 2)
  advertise(h, messageId, new Uint8Array(20))
  assert.is(h.counter('drop.advertise-nonce'), 1)
  assert.is(h.take('REQUEST').length, 0)
  // The SOLICIT was answered, if badly: it has left the Pending List.
  advertise(h, messageId, hashedNonce)
  assert.is(h.counter('drop.advertise-unmatched'), 3)
})

test('PNRP-3.1.5.3-3 an empty ADVERTISE ends the conversation silently', () => {
  const h = joining()
  const { messageId, hashedNonce } = h.takeOne('SOLICIT').message
  advertise(h, messageId, hashedNonce, [])
  assert.is(h.take('REQUEST').length, 0)
  assert.is(h.machine.statistics().conversations, 0)
})

test('PNRP-2.2.2.1-7 PNRP-2.2.2.1-9 the SOLICIT carries a route entry exactly when an ID is registered', () => {
  assert.is(joining().takeOne('SOLICIT').message.routeEntry, undefined)
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
  const { routeEntry } = joining(h).takeOne('SOLICIT').message
  assert.equal(routeEntry?.addresses, [address(1)])
  assert.equal(routeEntry?.pnrpId, h.eventsOf('registration')[0]?.pnrpId)
})

test('one conversation with a node at a time, and not too many in all', () => {
  const h = joining(joining())
  assert.is(h.take('SOLICIT').length, 1)
  for (let i = 0; i < 200; i++) h.command({ type: 'synchronize', to: endpoint(100 + i) })
  assert.is(h.machine.statistics().conversations, LIMITS.conversationsJoining)
  assert.ok(h.counter('refused.conversations-full') > 0)
})

test('hostile: no more IDs are requested than fit a REQUEST', () => {
  const h = joining()
  const { messageId, hashedNonce } = h.takeOne('SOLICIT').message
  const many = Array.from({ length: 2000 }, (_, i) => id(1, i >> 8, i & 0xff))
  advertise(h, messageId, hashedNonce, many)
  assert.is(h.takeOne('REQUEST').message.pnrpIds.length, LIMITS.requestedIds)
})

test.run()
