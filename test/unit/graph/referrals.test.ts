// MS-PPGRH 3.1.5.2.3, 3.1.5.2.4, 3.1.7.25: referrals, REFUSE and DISCONNECT.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame } from '#lib/wire/graph/frames.js'
import type { GraphMessage, RefuseMessage } from '#lib/wire/graph/messages.js'
import { patched } from '../../helpers/hex.js'
import { test } from '../../harness.js'
import {
  connectOf,
  hostAt,
  LinkHarness,
  sameAddresses,
  welcomeOf,
} from '../../support/link-harness.js'

const update = (nodeId: bigint, n: number): GraphMessage =>
  connectOf(nodeId, { update: true, neighborList: false, addresses: [hostAt(n)] })

/** So many neighbours, node IDs from 1000 and listening at hosts from 200. */
function withNeighbors(node: LinkHarness, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    node.incoming(1000n + BigInt(i), { addresses: [hostAt(200 + i), hostAt(300 + i)] }),
  )
}

const refuse = (code: RefuseMessage['code'], ...hosts: number[]): GraphMessage => ({
  type: 'REFUSE',
  code,
  addresses: hosts.map((n) => hostAt(n)),
})

test('G-100 referrals are appended, once each, newest last', () => {
  const node = new LinkHarness()
  node.outgoing(5n, hostAt(9), { addresses: [hostAt(20), hostAt(21)] })
  assert.ok(sameAddresses(node.links.referrals, [hostAt(20), hostAt(21)]))
  node.outgoing(6n, hostAt(10), { addresses: [hostAt(22), hostAt(20)] })
  assert.ok(sameAddresses(node.links.referrals, [hostAt(21), hostAt(22), hostAt(20)]))
})

test('G-043 G-100 the Referral List never exceeds 100 entries, and the oldest go', () => {
  const node = new LinkHarness()
  for (let round = 0; round < 15; round++) {
    const connection = node.incoming(BigInt(round + 5))
    const addresses = Array.from({ length: 10 }, (_, i) => hostAt(1000 + round * 10 + i))
    node.from(connection, { type: 'DISCONNECT', reason: 'leaving', addresses })
    assert.ok(node.links.referrals.length <= 100)
  }
  const expected = Array.from({ length: 100 }, (_, i) => hostAt(1050 + i))
  assert.ok(sameAddresses(node.links.referrals, expected))
})

test('attack, referral stuffing: ten addresses of a message count, and none that cannot be', () => {
  const node = new LinkHarness()
  node.local({ type: 'listening', addresses: [hostAt(1)] })
  const linkLocal = { address: new Uint8Array(16).fill(0xfe, 0, 1).fill(0x80, 1, 2), port: 3587 }
  const multicast = { address: new Uint8Array(16).fill(0xff), port: 3587 }
  const unspecified = { address: new Uint8Array(16), port: 3587 }
  const addresses = [hostAt(1), linkLocal, multicast, unspecified, hostAt(50, 0), hostAt(51)]
  node.outgoing(5n, hostAt(9), { addresses })
  assert.ok(sameAddresses(node.links.referrals, [hostAt(51)]))
  const many = Array.from({ length: 255 }, (_, i) => hostAt(600 + i))
  node.outgoing(6n, hostAt(10), { addresses: many })
  assert.is(node.links.referrals.length, 11)
})

test('G-104 G-105 after REFUSE a referral not attempted yet is tried, and flagged', () => {
  const node = new LinkHarness()
  const handle = node.command({ type: 'connect', to: hostAt(9), direct: false })
  node.up(1, hostAt(9))
  const tried: number[] = []
  node.takeEffects()
  node.from(1, refuse('busy', 20, 21, 22))
  for (let connection = 2; ; connection++) {
    assert.ok(node.destroyed(connection - 1))
    const effect = node.takeEffects().find((one) => one.type === 'connect')
    if (effect?.type !== 'connect') break
    assert.is(effect.connection, connection)
    tried.push(effect.to.address[15] as number)
    node.up(connection, effect.to)
    const failed = node.takeEvents().filter((e) => e.type === 'connection')
    assert.is(failed[0]?.type === 'connection' && failed[0].next, connection)
    node.from(connection, refuse('busy', 20, 21, 22))
  }
  assert.equal(tried.sort(), [20, 21, 22])
  // Nobody is left: now the command has failed.
  const failed = node.takeEvents().filter((event) => event.type === 'failed')
  assert.equal(
    failed.map((event) => event.type === 'failed' && [event.handle, event.code]),
    [[handle, 'ERR_PEERNET_CONNECT_FAILED']],
  )
  // GA-32: graph maintenance clears the flags.
  node.links.clearAttempted()
  const again = node.attempt(hostAt(30))
  node.from(again, refuse('duplicate'))
  assert.ok(node.takeEffects().some((effect) => effect.type === 'connect'))
})

test('G-105 the command is done when a referral welcomes us', () => {
  const node = new LinkHarness()
  const handle = node.command({ type: 'connect', to: hostAt(9), direct: false })
  node.up(1, hostAt(9))
  node.from(1, refuse('busy', 20))
  node.up(2, hostAt(20))
  node.takeEvents()
  node.from(2, welcomeOf(5n))
  const events = node.takeEvents().map((event) => event.type)
  assert.equal(events, ['done', 'connection', 'status'])
  assert.is(handle, 1)
})

test('G-104 REFUSE 02 leaves the connection to the Connect Timer', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9))
  node.from(connection, refuse('already-connected'))
  assert.not(node.destroyed(connection))
  node.pass(LIMITS.graphConnectUs)
  assert.ok(node.destroyed(connection))
})

test('a direct connection that is refused follows no referral', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9), { direct: true })
  node.takeEffects()
  node.from(connection, refuse('direct-disallowed', 20))
  assert.equal(node.takeEffects(), [{ type: 'destroy', connection }])
})

/** REFUSE busy with one address: 12 fixed, array 12..32. */
const refuseBytes = (): Uint8Array => encodeGraphMessage(refuse('busy', 20))
const brokenRefuses: [string, Uint8Array][] = [
  ['size below 12', patched(refuseBytes().slice(0, 11), 0, 0, 0, 0, 11)],
  ['an array beyond the message', patched(refuseBytes(), 9, 2)],
  ['code 0', patched(refuseBytes(), 8, 0)],
  ['code 5', patched(refuseBytes(), 8, 5)],
]
for (const [what, bytes] of brokenRefuses) {
  test(`G-103 REFUSE with ${what} ends the connection and refers to nobody`, () => {
    const node = new LinkHarness()
    const connection = node.attempt(hostAt(9))
    node.bytes(connection, frame(bytes))
    assert.ok(node.destroyed(connection))
    assert.equal(node.links.referrals, [])
  })
}

test('G-103 REFUSE outside CONNECT_WAIT is ignored and ends the connection', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.from(connection, refuse('busy', 20))
  assert.ok(node.destroyed(connection))
  assert.equal(node.links.referrals, [])
})

// DISCONNECT

test('G-106 DISCONNECT: referrals stored, maintenance, the connection ends with its reason', () => {
  for (const reason of ['leaving', 'least-useful', 'application'] as const) {
    const node = new LinkHarness()
    const connection = node.incoming(5n)
    node.from(connection, { type: 'DISCONNECT', reason, addresses: [hostAt(20)] })
    assert.ok(node.destroyed(connection))
    assert.is(node.endOf(connection), reason)
    assert.ok(sameAddresses(node.links.referrals, [hostAt(20)]))
    assert.is(node.called('maintenance.linkClosed').length, 1)
    assert.is(node.called('sync.linkClosed').length, 1)
  }
})

test('G-106 after DISCONNECT of a direct link there is no maintenance', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  const connection = node.incoming(5n, { direct: true })
  node.from(connection, { type: 'DISCONNECT', reason: 'application', addresses: [] })
  assert.ok(node.destroyed(connection))
  assert.is(node.called('maintenance.linkClosed').length, 0)
})

/** DISCONNECT with one address: 12 fixed, array 12..32. */
const leaveBytes = (): Uint8Array =>
  encodeGraphMessage({ type: 'DISCONNECT', reason: 'leaving', addresses: [hostAt(20)] })
const brokenLeaves: [string, Uint8Array][] = [
  ['size below 12', patched(leaveBytes().slice(0, 11), 0, 0, 0, 0, 11)],
  ['an array beyond the message', patched(leaveBytes(), 9, 2)],
  ['reason 0', patched(leaveBytes(), 8, 0)],
  ['reason 4', patched(leaveBytes(), 8, 4)],
]
for (const [what, bytes] of brokenLeaves) {
  test(`G-106 DISCONNECT with ${what} is an error of the protocol`, () => {
    const node = new LinkHarness()
    const connection = node.incoming(5n)
    node.bytes(connection, frame(bytes))
    assert.is(node.endOf(connection), 'protocol')
    assert.equal(node.links.referrals, [])
  })
}

test('G-169 our DISCONNECT lists at most 10 addresses, those of the oldest neighbours first', () => {
  const node = new LinkHarness()
  const all = withNeighbors(node, 7)
  const last = all[6] as number
  node.sent(last)
  node.links.disconnect(node.link(last) as never, 'least-useful')
  node.pump()
  const [message] = node.sent(last)
  assert.is(message?.type, 'DISCONNECT')
  const addresses = message?.type === 'DISCONNECT' ? message.addresses : []
  const firsts = [200, 201, 202, 203, 204, 205].map((n) => hostAt(n))
  const seconds4 = [300, 301, 302, 303].map((n) => hostAt(n))
  assert.ok(sameAddresses(addresses, [...firsts, ...seconds4]))
  assert.is(node.links.neighbors.length, 6)
  assert.is(node.called('maintenance.linkClosed').length, 1)
  assert.ok(node.finished(last))
})

test('G-169 without other neighbours the list is empty and its offset 12', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  node.command({ type: 'disconnect', connection })
  const [message] = node.sent(connection)
  assert.equal(message, { type: 'DISCONNECT', reason: 'application', addresses: [] })
  // C.2: 0000000c 10 05 0000 01 00 000c, with reason 3 here.
  const bytes = Buffer.from(encodeGraphMessage(message as GraphMessage)).toString('hex')
  assert.is(bytes, '0000000c100500000300000c')
})

test('GA-35 a connection that was disconnected is half-closed, and destroyed after 5 s', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.command({ type: 'disconnect', connection })
  assert.ok(node.finished(connection))
  node.from(connection, update(5n, 77))
  assert.is(node.count('drop.after-end'), 1)
  node.pass(seconds(5.1))
  assert.ok(node.destroyed(connection))
  assert.is(node.links.connectionCount, 0)
})

test.run()
