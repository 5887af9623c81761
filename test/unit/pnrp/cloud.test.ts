// The cloud machine as a whole: open and close, addresses, timers, states. MS-PNRP 3.1.4.1,
// 3.1.4.5, 3.1.6.1, 3.1.7.1, N-40.
import * as assert from 'uvu/assert'
import { NEVER } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import type { RegistrationSpec } from '#lib/pnrp/interface.js'
import { ResolveReason } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness, CloudNet } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { address, endpoint, entry, id } from '../../support/route-entries.js'

const SECOND = 1_000_000
const MINUTE = 60 * SECOND

function spec(classifier: string): RegistrationSpec {
  return {
    classifier,
    keyId: classifier,
    publicKey: fakePublicKey(classifier),
    appEndpoints: [{ address: address(1), port: 4000, protocol: 6 }],
  }
}

const states = (h: CloudHarness): string[] => h.eventsOf('state').map(({ state }) => state)

test('PNRP-3.1.4-1 PNRP-3.1.4.1-10 open, resolve, close; opening starts maintenance', () => {
  const h = new CloudHarness({ opened: false })
  assert.is(h.machine.state, 'virtual')
  assert.is(h.machine.pollTimeout(), NEVER)
  h.command({ type: 'open', seeds: [], lastUsed: [] })
  assert.is(h.machine.statistics().openCount, 1)
  assert.ok(h.machine.pollTimeout() <= LIMITS.maintenanceIntervalUs)
  h.resolve(1, {})
  assert.is(h.outcome(1), undefined)
  h.command({ type: 'close', now: true })
  assert.is(h.outcome(1)?.outcome, 'cancelled')
  assert.is(h.machine.state, 'closed')
  assert.is(h.eventsOf('closed').length, 1)
})

test('PNRP-3.1.4.1-1 opening again only counts', () => {
  const h = new CloudHarness({ lastUsed: [endpoint(9)] })
  assert.is(h.take('SOLICIT').length, 1)
  h.command({ type: 'open', seeds: [], lastUsed: [endpoint(9)] })
  assert.is(h.machine.statistics().openCount, 2)
  assert.is(h.take('SOLICIT').length, 0)
})

test('PNRP-3.1.4.1-2 PNRP-3.1.4.1-7 opening without a usable address fails', () => {
  const h = new CloudHarness({ own: [] })
  const [failed] = h.eventsOf('command-failed')
  assert.is(failed?.command, 'open')
  assert.is(failed?.failure.code, 'ERR_PEERNET_NO_ADDRESS')
  assert.is(h.machine.state, 'virtual')
})

test('PNRP-3.1.4.1-3 PNRP-3.1.4.1-4 PNRP-3.1.4.1-5 four addresses, of one scope, with one port', () => {
  const linkLocal = new Uint8Array(16)
  linkLocal.set([0xfe, 0x80])
  const own = [
    { address: linkLocal, port: 3540 },
    endpoint(1),
    endpoint(1),
    endpoint(2, 3541),
    ...[3, 4, 5, 6].map((n) => endpoint(n)),
  ]
  const h = new CloudHarness({ own })
  assert.equal(
    h.machine.localEndpoints,
    [1, 3, 4, 5].map((n) => endpoint(n)),
  )
})

test('PNRP-3.1.4.5-1 closing a cloud that is not open fails', () => {
  const unopened = new CloudHarness({ opened: false })
  unopened.command({ type: 'close' })
  assert.is(unopened.eventsOf('command-failed')[0]?.failure.code, 'ERR_PEERNET_CLOUD_NOT_OPEN')
  const h = new CloudHarness()
  h.command({ type: 'close' })
  assert.is(h.eventsOf('command-failed').length, 0)
  h.command({ type: 'close' })
  assert.is(h.eventsOf('command-failed')[0]?.failure.code, 'ERR_PEERNET_CLOUD_NOT_OPEN')
})

test('PNRP-3.1.4.5-2 PNRP-3.1.4.5-3 PNRP-3.1.2-1 PNRP-3.1.6.1-1 the last close deletes the cloud 15 minutes later', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11)] })
  h.command({ type: 'open', seeds: [], lastUsed: [] })
  h.command({ type: 'close' })
  assert.is(h.machine.statistics().openCount, 1)
  h.advance(20 * MINUTE)
  assert.is(h.machine.state === 'closed', false)
  h.cache.insert(entry(id(0x20), 11), h.now)
  h.command({ type: 'close' })
  assert.is(h.machine.statistics().openCount, 0)
  h.advance(15 * MINUTE - 1)
  assert.is(h.machine.state === 'closed', false)
  h.advance(1)
  assert.is(h.machine.state, 'closed')
  assert.is(h.cache.size, 0)
  assert.is(h.machine.statistics().pendingRequests, 0)
  assert.is(h.machine.pollTimeout(), NEVER)
})

test('N-40 opening again stops the cleanup', () => {
  const h = new CloudHarness()
  h.command({ type: 'close' })
  h.advance(10 * MINUTE)
  h.command({ type: 'open', seeds: [], lastUsed: [] })
  h.advance(30 * MINUTE)
  assert.is(h.machine.state === 'closed', false)
  assert.is(h.machine.statistics().openCount, 1)
})

test('N-40 on cleanup everything is unregistered first', () => {
  const net = new CloudNet()
  const first = net.add({ own: [endpoint(1)] })
  first.command({ type: 'register', handle: 1, spec: spec('first') })
  const second = net.add({ own: [endpoint(2)], seeds: [endpoint(1)] })
  second.command({ type: 'register', handle: 1, spec: spec('second') })
  net.run(10 * SECOND)
  assert.is(first.cache.size, 1)
  second.command({ type: 'close' })
  net.run(15 * MINUTE + SECOND)
  assert.is(second.machine.state, 'closed')
  assert.is(second.eventsOf('unregistered').length, 1)
  assert.is(first.cache.size, 0)
})

test('a closed cloud can be opened again, and remembers nothing that it waited for', () => {
  const h = new CloudHarness()
  const hear = (): void => {
    h.deliver(endpoint(8), {
      type: 'FLOOD',
      messageId: 1,
      doNotAck: true,
      validatePnrpId: id(0),
      routeEntry: entry(id(0x20), 8),
      floodedList: [],
    })
  }
  hear()
  assert.is(h.take('INQUIRE').length, 1)
  h.command({ type: 'close', now: true })
  h.command({ type: 'open', seeds: [], lastUsed: [endpoint(9)] })
  assert.is(h.machine.statistics().openCount, 1)
  assert.is(h.take('SOLICIT').length, 1)
  hear()
  assert.is(h.take('INQUIRE').length, 1, 'asked about again')
})

test('PNRP-3.2.4.1-8 commands to a closed cloud are answered, and datagrams are not', () => {
  const h = new CloudHarness()
  h.command({ type: 'close', now: true })
  h.events.length = 0
  h.command({ type: 'register', handle: 2, spec: spec('late') })
  h.command({ type: 'unregister', handle: 3 })
  h.command({ type: 'ping', handle: 4, to: endpoint(9) })
  h.resolve(5, {})
  assert.equal(
    h.events.map((event) => event.type),
    ['registration-failed', 'unregistered', 'pong', 'resolve-done'],
  )
  h.deliver(endpoint(9), { type: 'ACK', messageId: 1, ackedMessageId: 2, notFound: false })
  assert.is(h.counter('drop.not-open'), 1)
  assert.is(h.sent.length, 0)
})

test('PNRP-3.1.2-2 PNRP-6-1 maintenance comes every 15 s, every 10 s in a nearly empty cloud', () => {
  const ticks = (cached: number): number => {
    const h = new CloudHarness({
      cached: Array.from({ length: cached }, (_, i) => entry(id(i * 20), 50 + i)),
    })
    let persisted = 0
    for (let second = 1; second <= 40 && persisted === 0; second++) {
      h.advance(SECOND)
      persisted = h.effects.some(({ type }) => type === 'persist-last-used') ? second : 0
    }
    return persisted
  }
  assert.is(ticks(2), 10)
  assert.is(ticks(3), 15)
})

test('PNRP-3.1.6.2-2 PNRP-3.1.6.2-3 maintenance fills the cache by resolves of reason 2', () => {
  const h = new CloudHarness({ cached: [1, 2, 3].map((n) => entry(id(0x10 * n), 50 + n)) })
  h.advance(16 * SECOND)
  const reasons = h.take('LOOKUP').map(({ message }) => message.resolveReasonCode)
  assert.ok(reasons.length > 0)
  assert.ok(reasons.every((reason) => reason === ResolveReason.CACHE_MAINTENANCE))
})

test('PNRP-3.1.7.1-1 PNRP-3.1.7.1-2 PNRP-3.2.7.2-1 a new list of addresses replaces the old one', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11)] })
  h.command({ type: 'register', handle: 1, spec: spec('own') })
  h.advance(SECOND)
  h.sent.length = 0
  h.local({ type: 'addresses', endpoints: [endpoint(1)] })
  assert.is(h.take('LOOKUP').length, 0)
  h.local({ type: 'addresses', endpoints: [endpoint(2)] })
  assert.equal(h.machine.localEndpoints, [endpoint(2)])
})

test('PNRP-3.1.7.1-3 an empty list is told to the higher layer, and so is the way back', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11)] })
  h.local({ type: 'addresses', endpoints: [] })
  h.local({ type: 'addresses', endpoints: [endpoint(1)] })
  assert.equal(states(h), ['active', 'no-net', 'active'])
  assert.match(h.eventsOf('state')[1]?.reason as string, /no global IPv6 address/)
})

test('without addresses nothing is sent, resolves fail, and nobody is blamed for silence', () => {
  const h = new CloudHarness({ cached: [1, 2, 3].map((n) => entry(id(0x10 * n), 50 + n)) })
  h.command({ type: 'register', handle: 1, spec: spec('own') })
  h.resolve(1, {})
  h.local({ type: 'addresses', endpoints: [] })
  assert.is(h.outcome(1)?.failure?.code, 'ERR_PEERNET_NO_ADDRESS')
  h.advance(3 * SECOND)
  h.sent.length = 0
  h.command({ type: 'update', handle: 1, spec: spec('own') })
  h.command({ type: 'repair' })
  h.deliver(endpoint(51), {
    type: 'INQUIRE',
    messageId: 1,
    wantCpa: true,
    wantExtendedPayload: false,
    wantCertificateChain: false,
    validatePnrpId: h.eventsOf('registration')[0]?.pnrpId as Uint8Array,
  })
  h.advance(MINUTE)
  assert.equal(h.sent, [])
  assert.is(h.cache.size, 3)
  assert.is(h.counter('drop.offline'), 1)
  assert.is(h.eventsOf('registration-failed').length, 0)
  h.local({ type: 'addresses', endpoints: [endpoint(2)] })
  assert.ok(h.take('LOOKUP').some(({ message }) => message.resolveReasonCode === 1))
})

test('a cloud says where it stands, and why', () => {
  const h = new CloudHarness({ seeds: [endpoint(9)] })
  assert.equal(states(h), ['synchronizing'])
  h.local({ type: 'ssdp-unavailable', reason: 'no right to multicast' })
  h.advance(30 * SECOND)
  assert.equal(states(h).slice(0, 2), ['synchronizing', 'alone'])
  assert.match(h.eventsOf('state')[1]?.reason as string, /seed/)
  h.advance(60 * SECOND)
  assert.ok(
    states(h)
      .slice(1)
      .every((state) => state === 'alone'),
  )
  h.command({ type: 'close', now: true })
  assert.equal(states(h).at(-1), 'closed')
})

test('a resolve while nobody is known yet ends by joining, alone, time, cancel or loss of address', () => {
  const h = new CloudHarness({ seeds: [endpoint(9)] })
  assert.equal(states(h), ['synchronizing'])
  h.resolve(1, {})
  h.resolve(2, { deadlineUs: 2 * SECOND })
  h.resolve(3, {})
  h.command({ type: 'cancel-resolve', handle: 3 })
  assert.is(h.outcome(3)?.outcome, 'cancelled')
  h.advance(2 * SECOND - 1)
  assert.is(h.outcome(2), undefined)
  h.advance(1)
  assert.is(h.outcome(2)?.outcome, 'deadline')
  assert.is(h.outcome(1), undefined)
  h.local({ type: 'ssdp-unavailable', reason: 'no right to multicast' })
  h.advance(30 * SECOND - 2 * SECOND - 1)
  assert.ok(states(h).includes('alone'))
  assert.is(h.outcome(1)?.outcome, 'not-found')
  assert.is(h.machine.statistics().resolvesActive, 0)
  const lost = new CloudHarness({ seeds: [endpoint(9)] })
  lost.resolve(1, {})
  lost.local({ type: 'addresses', endpoints: [] })
  assert.is(lost.outcome(1)?.failure?.code, 'ERR_PEERNET_NO_ADDRESS')
})

test('early resolves count as resolves under way', () => {
  const h = new CloudHarness({ seeds: [endpoint(9)] })
  for (let i = 1; i <= LIMITS.outstandingResolves + 1; i++) h.resolve(i, {})
  assert.is(h.outcome(LIMITS.outstandingResolves), undefined)
  assert.is(h.outcome(LIMITS.outstandingResolves + 1)?.failure?.code, 'ERR_PEERNET_LIMIT')
})

test('closing now tells the neighbours, is "closing" meanwhile, and takes under two seconds', () => {
  const net = new CloudNet()
  const first = net.add({ own: [endpoint(1)] })
  first.command({ type: 'register', handle: 1, spec: spec('first') })
  const second = net.add({ own: [endpoint(2)], seeds: [endpoint(1)] })
  second.command({ type: 'register', handle: 1, spec: spec('second') })
  net.run(10 * SECOND)
  net.kill(first)
  second.command({ type: 'close', now: true })
  assert.is(second.machine.state, 'closing')
  net.run(2 * SECOND)
  assert.is(second.machine.state, 'closed')
})

test('PNRP-6-2 the last-used nodes are handed out when the cloud is left', () => {
  const h = new CloudHarness()
  for (let i = 0; i < 15; i++) h.cache.insert(entry(id(i), 50 + i), i * SECOND)
  h.cache.insert(entry(id(0xf0), 64), 20 * SECOND)
  h.command({ type: 'close', now: true })
  const [effect] = h.effects.filter(({ type }) => type === 'persist-last-used')
  const expected = [64, 63, 62, 61, 60, 59, 58, 57, 56, 55].map((n) => endpoint(n))
  assert.equal(effect, { type: 'persist-last-used', endpoints: expected })
})

test('a ping by INQUIRE or SOLICIT tells the round trip, or that there was none', () => {
  const h = new CloudHarness()
  h.command({ type: 'ping', handle: 1, to: endpoint(9), pnrpId: id(0x20) })
  const inquire = h.takeOne('INQUIRE')
  h.advance(5000)
  h.answer(inquire, { notFound: true })
  assert.equal(h.eventsOf('pong'), [{ type: 'pong', handle: 1, rttUs: 5000, pnrpId: id(0x20) }])
  h.command({ type: 'ping', handle: 2, to: endpoint(9) })
  const { messageId, hashedNonce } = h.takeOne('SOLICIT').message
  h.deliver(endpoint(9), {
    type: 'ADVERTISE',
    messageId: 1,
    ackedMessageId: messageId,
    pnrpIds: [id(0x30)],
    hashedNonce,
  })
  assert.equal(h.eventsOf('pong')[1], { type: 'pong', handle: 2, rttUs: 0 })
  assert.is(h.take('REQUEST').length, 0)
  h.command({ type: 'ping', handle: 3, to: endpoint(9) })
  h.advance(2 * SECOND)
  assert.equal(h.eventsOf('pong')[2], { type: 'pong', handle: 3 })
})

test('PNRP-3.1.5.4-1 PNRP-3.1.5.4-2 PNRP-3.1.5.4-3 an ACK ends its FLOOD; with N the entry goes', () => {
  const net = new CloudNet()
  const first = net.add({ own: [endpoint(1)] })
  first.command({ type: 'register', handle: 1, spec: spec('first') })
  const second = net.add({ own: [endpoint(2)], seeds: [endpoint(1)] })
  second.command({ type: 'register', handle: 1, spec: spec('second') })
  net.run(10 * SECOND)
  const lonely = second
  const known = lonely.cache.entries()[0] as never as { pnrpId: Uint8Array }
  net.passes = () => false
  lonely.sent.length = 0
  lonely.command({ type: 'close', now: true })
  const [flood] = lonely.take('FLOOD')
  assert.equal(flood?.message.validatePnrpId, known.pnrpId)
  const ackedMessageId = flood?.message.messageId as number
  const ack = (to: number, from = endpoint(1)): void => {
    lonely.deliver(from, { type: 'ACK', messageId: 1, ackedMessageId: to, notFound: true })
  }
  ack(ackedMessageId ^ 1)
  ack(ackedMessageId, endpoint(66))
  assert.is(lonely.counter('drop.ack-unmatched'), 2)
  assert.ok(lonely.cache.has(known.pnrpId))
  ack(ackedMessageId)
  assert.not(lonely.cache.has(known.pnrpId))
  assert.is(lonely.machine.state, 'closed')
})

test('PNRP-2.2.1-7 N-35 ten thousand Message IDs in a row are all different', () => {
  const h = new CloudHarness()
  const seen = new Set<number>()
  for (let i = 0; i < 10_000; i++) {
    h.now += 1000
    h.deliver(endpoint(9), {
      type: 'INQUIRE',
      messageId: i,
      wantCpa: false,
      wantExtendedPayload: false,
      wantCertificateChain: false,
      validatePnrpId: id(0x20),
    })
    for (const { message } of h.take('AUTHORITY')) seen.add(message.messageId)
  }
  assert.ok(seen.size > 9000)
  assert.is(seen.size, h.counter('received.INQUIRE') - h.counter('drop.inquire-budget'))
})

test.run()
