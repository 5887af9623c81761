// MS-PNRP 3.2.5.3 and 3.2.5.4 with N-24, N-25, N-26.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { sha1 } from '#lib/native/digest.js'
import type { PnrpId, RequestMessage, SolicitMessage } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  entry,
  globalAt,
  offset,
  PublisherHarness,
  toId,
  ZERO_ID,
} from '../../support/publisher-harness.js'

const JOINER = at(5000)
const nonceOf = (n: number): Uint8Array => new Uint8Array(16).fill(n)

function solicit(n: number, change: Partial<SolicitMessage> = {}): SolicitMessage {
  return { type: 'SOLICIT', messageId: 70 + n, hashedNonce: sha1(nonceOf(n)), ...change }
}

function request(n: number, pnrpIds: readonly PnrpId[]): RequestMessage {
  return { type: 'REQUEST', messageId: 90 + n, nonce: nonceOf(n), pnrpIds }
}

/** A node with one ID that knows `entries` others, evenly spread, on ports 4001 … */
function cloudOf(entries: number): { harness: PublisherHarness; own: PnrpId } {
  const harness = new PublisherHarness()
  const own = harness.register()
  for (let i = 1; i <= entries; i++) {
    harness.cache(offset(own, (BigInt(i) << 256n) / BigInt(entries + 1)), at(4000 + i))
  }
  harness.sent()
  return { harness, own }
}

const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex')

test('PNRP-3.2.5.3-8 PNRP-2.2.2.2-9 the ADVERTISE goes to the source and repeats the hashed nonce', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { to, message } = harness.sole('ADVERTISE')
  assert.equal(to, JOINER)
  assert.is(message.ackedMessageId, 71)
  assert.equal(message.hashedNonce, sha1(nonceOf(1)))
})

test('PNRP-3.2.5.3-5 five cached IDs, spread over the ring', () => {
  const { harness, own } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  assert.is(new Set(pnrpIds.map(hex)).size, 5)
  assert.not.ok(pnrpIds.some((id) => hex(id) === hex(own)))
  // 20 entries at 21sts of the ring: of five evenly spread ones no two are neighbours.
  const steps = pnrpIds
    .map((id) => Number((BigInt(`0x${hex(id)}`) * 42n) >> 256n))
    .sort((a, b) => a - b)
  steps.forEach((step, i) => {
    const next = i === 4 ? (steps[0] as number) + 42 : (steps[i + 1] as number)
    assert.ok(next - step >= 4, `${steps.join(' ')}`)
  })
})

test('PNRP-3.2.5.3-6 another conversation may get other IDs', () => {
  const { harness } = cloudOf(40)
  const seen = new Set<string>()
  for (let n = 1; n <= 8; n++) {
    harness.synchronization.handleSolicit(at(5000 + n), solicit(n))
    for (const id of harness.sole('ADVERTISE').message.pnrpIds) seen.add(hex(id))
  }
  assert.ok(seen.size > 5, `${seen.size} different IDs`)
})

test('PNRP-3.2.5.3-7 with fewer than five cached entries our own IDs are included', () => {
  const { harness, own } = cloudOf(3)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  assert.is(pnrpIds.length, 4)
  assert.ok(pnrpIds.some((id) => hex(id) === hex(own)))
})

test('N-24 for SolicitType LOCAL own IDs only, never more than five', () => {
  const { harness, own } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1, { solicitType: 1 }))
  assert.equal(harness.sole('ADVERTISE').message.pnrpIds, [own])
  for (let i = 0; i < 20; i++) harness.register({ classifier: `more ${i}` })
  harness.sent()
  harness.synchronization.handleSolicit(JOINER, solicit(2, { solicitType: 1 }))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  assert.is(new Set(pnrpIds.map(hex)).size, 5)
  for (const id of pnrpIds) assert.ok(harness.registrations.find(id))
})

test('PNRP-3.2.5.3-9 the route entry of a SOLICIT is put through validation', () => {
  const { harness } = cloudOf(20)
  const routeEntry = entry(toId(5n), JOINER)
  harness.synchronization.handleSolicit(JOINER, solicit(1, { routeEntry }))
  assert.equal(harness.submitted, [{ entry: routeEntry, origin: { via: 'SOLICIT', from: JOINER } }])
})

test('PNRP-3.2.5.4-4 PNRP-3.2.5.4-5 N-26 a REQUEST is acknowledged, and each ID flooded with D set', () => {
  const { harness } = cloudOf(20)
  const joinerId = toId(5n)
  harness.synchronization.handleSolicit(JOINER, solicit(1, { routeEntry: entry(joinerId, JOINER) }))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  const sent = harness.sent()
  for (const { to } of sent) assert.equal(to, JOINER)
  const [ack, ...floods] = sent.map(({ message }) => message)
  assert.ok(ack?.type === 'ACK' && ack.ackedMessageId === 91 && !ack.notFound)
  assert.is(floods.length, 5)
  const flooded = floods.map((message) => {
    assert.ok(message.type === 'FLOOD')
    assert.is(message.doNotAck, true)
    assert.equal(message.validatePnrpId, joinerId)
    assert.equal(
      message.routeEntry,
      harness.context.cache.get(message.routeEntry?.pnrpId as PnrpId) && message.routeEntry,
    )
    return hex(message.routeEntry?.pnrpId as PnrpId)
  })
  assert.equal(flooded.sort(), pnrpIds.map(hex).sort())
  assert.is(harness.context.exchanges.size, 0, 'nothing waits for an ACK')
})

test('what was advertised and not requested is not flooded', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const asked = harness.sole('ADVERTISE').message.pnrpIds.slice(1, 3)
  harness.synchronization.handleRequest(JOINER, request(1, asked))
  const flooded = harness.sentOf('FLOOD').map(({ message }) => message.routeEntry?.pnrpId)
  assert.equal(flooded.map((id) => hex(id as PnrpId)).sort(), asked.map(hex).sort())
})

test('PNRP-2.2.2.4-6 N-26 without a route entry in the SOLICIT the Validate ID is zero', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  for (const { message } of harness.sentOf('FLOOD')) assert.equal(message.validatePnrpId, ZERO_ID)
})

test('our own entry is flooded as well when it was advertised', () => {
  const { harness, own } = cloudOf(0)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  harness.sent()
  harness.synchronization.handleRequest(JOINER, request(1, [own]))
  const [flood] = harness.sentOf('FLOOD')
  assert.equal(flood?.message.routeEntry, entry(own, at(3540)))
})

test('PNRP-3.2.5.4-2 a REQUEST without conversation is ignored', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.synchronization.handleRequest(at(5001), request(1, pnrpIds))
  assert.equal(harness.sent(), [])
  assert.is(harness.counter('drop.request-without-conversation'), 1)
})

test('PNRP-3.2.5.4-3 the nonce must hash to what the SOLICIT said', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.synchronization.handleRequest(JOINER, request(2, pnrpIds))
  assert.equal(harness.sent(), [])
})

test('N-25 of several conversations of an endpoint the one with the nonce is meant', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  harness.synchronization.handleSolicit(JOINER, solicit(2))
  const [first, second] = harness.sentOf('ADVERTISE').map(({ message }) => message.pnrpIds)
  harness.synchronization.handleRequest(JOINER, request(1, first as PnrpId[]))
  assert.is(harness.sent().length, 6)
  harness.synchronization.handleRequest(JOINER, request(2, second as PnrpId[]))
  assert.is(harness.sent().length, 6)
})

test('PNRP-3.2.5.4-6 N-25 an answered conversation only acknowledges again', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  harness.sent()
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  harness.sole('ACK')
  harness.pass(seconds(16))
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  assert.equal(harness.sent(), [])
})

test('N-24 only advertised IDs are flooded, each once, however long the list', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const [first] = harness.sole('ADVERTISE').message.pnrpIds
  assert.ok(first)
  const others = harness.context.cache.entries().map((cached) => cached.pnrpId)
  const asked = [first, first, first, ...others].slice(0, 37)
  harness.synchronization.handleRequest(JOINER, request(1, asked))
  const flooded = harness
    .sentOf('FLOOD')
    .map(({ message }) => hex(message.routeEntry?.pnrpId as PnrpId))
  assert.ok(flooded.length <= 5)
  assert.is(new Set(flooded).size, flooded.length)
})

test('PNRP-3.2.2-1 PNRP-3.2.5.3-3 PNRP-3.2.6.1-1 a conversation lasts 15 seconds', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  const { pnrpIds } = harness.sole('ADVERTISE').message
  harness.pass(seconds(15) - 1)
  assert.is(harness.synchronization.conversations, 1)
  harness.pass(1)
  assert.is(harness.synchronization.conversations, 0)
  harness.synchronization.handleRequest(JOINER, request(1, pnrpIds))
  assert.equal(harness.sent(), [])
})

test('PNRP-3.2.5.3-2 a repeated SOLICIT restarts the timer', () => {
  const { harness } = cloudOf(20)
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  harness.pass(seconds(10))
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  assert.is(harness.synchronization.conversations, 1)
  harness.pass(seconds(10))
  assert.is(harness.synchronization.conversations, 1)
  harness.pass(seconds(5))
  assert.is(harness.synchronization.conversations, 0)
})

test('PNRP-3.2.5.3-4 without room the ADVERTISE is empty, for one source and in all', () => {
  const { harness } = cloudOf(20)
  for (let n = 1; n <= LIMITS.conversationsPerSource; n++) {
    harness.synchronization.handleSolicit(JOINER, solicit(n))
    assert.is(harness.sole('ADVERTISE').message.pnrpIds.length, 5)
  }
  harness.synchronization.handleSolicit(JOINER, solicit(100))
  assert.equal(harness.sole('ADVERTISE').message.pnrpIds, [])
  const submitted = harness.submitted.length
  harness.synchronization.handleSolicit(
    JOINER,
    solicit(101, { routeEntry: entry(toId(5n), JOINER) }),
  )
  assert.is(harness.submitted.length, submitted, 'and nothing else is done for it')
  harness.sent()

  for (let i = 0; i < LIMITS.conversations - LIMITS.conversationsPerSource; i++) {
    harness.synchronization.handleSolicit(at(10_000 + i), solicit(1))
  }
  assert.is(harness.synchronization.conversations, LIMITS.conversations)
  assert.ok(harness.sentOf('ADVERTISE').every(({ message }) => message.pnrpIds.length === 5))
  harness.synchronization.handleSolicit(at(60_000), solicit(1))
  assert.equal(harness.sole('ADVERTISE').message.pnrpIds, [])
})

test('a source whose conversations have ended may begin as many again', () => {
  const { harness } = cloudOf(20)
  const begin = (): number[] => {
    for (let n = 1; n <= LIMITS.conversationsPerSource + 1; n++) {
      harness.synchronization.handleSolicit(JOINER, solicit(n))
    }
    return harness.sentOf('ADVERTISE').map(({ message }) => message.pnrpIds.length)
  }
  assert.equal(begin(), [5, 5, 5, 5, 0])
  for (let round = 0; round < 3; round++) {
    harness.pass(seconds(15))
    assert.is(harness.synchronization.conversations, 0)
    harness.sent()
    assert.equal(begin(), [5, 5, 5, 5, 0])
  }
})

test('a full table makes room by letting go of who had time enough', () => {
  const { harness } = cloudOf(20)
  for (let i = 0; i < LIMITS.conversations; i++) {
    harness.synchronization.handleSolicit(at(10_000 + i), solicit(1))
  }
  harness.pass(seconds(4))
  harness.sent()
  harness.synchronization.handleSolicit(at(60_000), solicit(1))
  assert.is(harness.sole('ADVERTISE').message.pnrpIds.length, 5)
  assert.is(harness.synchronization.conversations, LIMITS.conversations)
})

test('a source is an address, off loopback', () => {
  const harness = new PublisherHarness({ scope: 'global', endpoints: [globalAt(1)] })
  harness.register()
  for (let port = 2001; port <= 2005; port++) {
    harness.synchronization.handleSolicit(globalAt(9, 1, port), solicit(1))
  }
  const sizes = harness.sentOf('ADVERTISE').map(({ message }) => message.pnrpIds.length)
  assert.equal(sizes, [1, 1, 1, 1, 0])
})

test('SOLICITs over the budget are dropped without an answer', () => {
  const rate = { perSecond: 1, burst: 3 }
  const budget = { total: rate }
  const harness = new PublisherHarness({
    budgets: { inquire: budget, lookup: budget, solicit: budget },
  })
  for (let i = 0; i < 10; i++) harness.synchronization.handleSolicit(at(5000 + i), solicit(1))
  assert.is(harness.sentOf('ADVERTISE').length, 3)
  assert.is(harness.counter('drop.solicit-budget'), 7)
  harness.pass(seconds(2))
  harness.synchronization.handleSolicit(at(6000), solicit(1))
  harness.sole('ADVERTISE')
})

test('N-62 a resolve-only node advertises what it knows', () => {
  const harness = new PublisherHarness({ resolveOnly: true })
  harness.synchronization.handleSolicit(JOINER, solicit(1))
  assert.equal(harness.sole('ADVERTISE').message.pnrpIds, [])
  harness.cache(toId(7n), at(4001))
  harness.synchronization.handleSolicit(JOINER, solicit(2))
  assert.equal(harness.sole('ADVERTISE').message.pnrpIds, [toId(7n)])
})

test.run()
