// MS-PPGRH 3.1.5.2.1 to .4, 3.1.7.25: CONNECT, WELCOME, REFUSE, DISCONNECT, referrals, peer time.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame } from '#lib/wire/graph/frames.js'
import type { GraphMessage, RefuseMessage, WelcomeMessage } from '#lib/wire/graph/messages.js'
import { patched } from '../../helpers/hex.js'
import { test } from '../../harness.js'
import {
  authInfo,
  connectOf,
  hostAt,
  LinkHarness,
  PEER_TIME_0,
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

// CONNECT

test('G-094 a CONNECT is welcomed: node ID, peer time, referrals because N is set', () => {
  const node = new LinkHarness()
  withNeighbors(node, 2)
  const connection = node.incoming(5n, { addresses: [hostAt(5)] })
  const [message] = node.sent(connection)
  assert.equal(message, {
    type: 'WELCOME',
    nodeId: node.context.nodeId,
    // One second of the machine's clock after its instant 0.
    peerTime: PEER_TIME_0 + 10_000_000n,
    // GA-32: least recently added first, one of each before seconds.
    addresses: [hostAt(200), hostAt(201), hostAt(300), hostAt(301)],
    peerId: 'alice',
  })
  const link = node.link(connection)
  assert.is(link?.nodeId, 5n)
  assert.is(link?.peerId, 'bob')
  assert.ok(sameAddresses(link?.addresses ?? [], [hostAt(5)]))
  assert.is(node.called('sync.linkConnected').at(-1)?.link, link)
  assert.is(node.called('maintenance.linkConnected').at(-1)?.link, link)
  // Only the initiator starts to synchronise.
  assert.is(node.called('sync.start').length, 0)
})

test('G-094 without N a WELCOME has no referrals', () => {
  const node = new LinkHarness()
  withNeighbors(node, 2)
  const connection = node.incoming(5n, { neighborList: false })
  assert.equal((node.sent(connection)[0] as WelcomeMessage).addresses, [])
})

test('GA-17 the responder is CONNECTED as soon as it sent WELCOME', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  node.from(connection, authInfo(), connectOf(5n), { type: 'SYNC_END', final: true })
  assert.is(node.called('sync.handleMessage').length, 1)
})

test('G-095 G-098 deferred expiration begins when there is somebody', () => {
  const deferring = { properties: { deferExpiration: true } }
  for (const [options, scans] of [
    [deferring, 1],
    [{}, 0],
  ] as const) {
    const accepting = new LinkHarness(options)
    accepting.incoming(5n)
    assert.is(accepting.called('records.scanNow').length, scans)
    const welcomed = new LinkHarness(options)
    welcomed.outgoing(5n, hostAt(9))
    assert.is(welcomed.called('records.scanNow').length, scans)
  }
})

test('G-087 an update on a CONNECTED link replaces the addresses and is not answered', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n, { addresses: [hostAt(5), hostAt(6)] })
  node.sent(connection)
  node.from(connection, update(5n, 77))
  assert.equal(node.sent(connection), [])
  assert.ok(sameAddresses(node.link(connection)?.addresses ?? [], [hostAt(77)]))
  const outgoing = node.outgoing(6n, hostAt(9))
  node.sent(outgoing)
  node.from(outgoing, update(6n, 78))
  assert.equal(node.sent(outgoing), [])
  assert.ok(sameAddresses(node.link(outgoing)?.addresses ?? [], [hostAt(78)]))
})

test('G-088 U in the first CONNECT is as if it were clear', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  node.from(connection, authInfo(), update(5n, 77))
  assert.equal(node.sentTypes(connection), ['WELCOME'])
  assert.ok(node.link(connection) !== undefined)
})

test('G-089 G-045 G-021 a direct CONNECT is refused unless the application allows it', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n, { direct: true })
  assert.equal(node.sent(connection), [
    { type: 'REFUSE', code: 'direct-disallowed', addresses: [] },
  ])
  assert.ok(node.finished(connection))
  node.command({ type: 'allow-direct', allow: true })
  const allowed = node.incoming(5n, { direct: true })
  assert.equal(node.sentTypes(allowed), ['WELCOME'])
  node.command({ type: 'allow-direct', allow: false })
  assert.equal(node.sentTypes(node.incoming(6n, { direct: true })), ['REFUSE'])
})

test('G-090 G-022 a direct WELCOME has no referrals; BUSY is for neighbours only', () => {
  const node = new LinkHarness()
  withNeighbors(node, 7)
  node.command({ type: 'allow-direct', allow: true })
  const connection = node.incoming(5n, { direct: true })
  const [message] = node.sent(connection) as [WelcomeMessage]
  assert.is(message.type, 'WELCOME')
  assert.is(message.nodeId, node.context.nodeId)
  assert.equal(message.addresses, [])
  // GA-39: not in the Neighbour List, not in maintenance.
  assert.is(node.links.neighbors.length, 7)
  assert.is(node.called('maintenance.linkConnected').length, 7)
  assert.is(node.called('sync.linkConnected').length, 7)
})

test('GA-39 a direct link carries data, and anything of a neighbour ends it', () => {
  const wrong: GraphMessage[] = [
    { type: 'SYNC_END', final: true },
    { type: 'SOLICIT_NEW', inclusions: [], exclusions: [] },
    { type: 'ACK', acks: [{ id: 'record-000000001' as never, useful: true }] },
    update(5n, 77),
  ]
  for (const message of wrong) {
    const node = new LinkHarness()
    node.command({ type: 'allow-direct', allow: true })
    const connection = node.incoming(5n, { direct: true })
    node.from(connection, message)
    assert.ok(node.destroyed(connection), message.type)
  }
})

test('G-091 the node ID of another neighbour is refused as duplicate; so is our own', () => {
  const node = new LinkHarness()
  const first = node.incoming(5n)
  for (const nodeId of [5n, node.context.nodeId]) {
    const second = node.incoming(nodeId)
    assert.equal(node.sent(second), [{ type: 'REFUSE', code: 'duplicate', addresses: [] }])
    assert.ok(node.finished(second))
  }
  assert.ok(node.link(first) !== undefined)
})

test('G-092 at the maximum a CONNECT is refused as busy, with ten referrals', () => {
  const node = new LinkHarness()
  withNeighbors(node, 7)
  const connection = node.incoming(5n)
  const [message] = node.sent(connection) as [RefuseMessage]
  assert.is(message.code, 'busy')
  assert.is(message.addresses.length, 10)
  assert.ok(
    sameAddresses(message.addresses.slice(0, 8), [
      ...[200, 201, 202, 203, 204, 205, 206].map((n) => hostAt(n)),
      hostAt(300),
    ]),
  )
  assert.ok(node.finished(connection))
  assert.is(node.links.neighbors.length, 7)
})

test('G-093 GA-16 a second CONNECT without U is refused as already connected', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  node.from(connection, connectOf(5n))
  assert.equal(node.sent(connection), [
    { type: 'REFUSE', code: 'already-connected', addresses: [] },
  ])
  assert.ok(node.finished(connection))
  assert.is(node.links.neighbors.length, 0)
  assert.is(node.called('maintenance.linkClosed').length, 1)
})

/** CONNECT of node 5 with one address, 44 bytes: 24 fixed, array at 24. */
const connectBytes = (): Uint8Array => encodeGraphMessage(connectOf(5n, { addresses: [hostAt(5)] }))
const brokenConnects: [string, Uint8Array][] = [
  ['size below 24', patched(connectBytes().slice(0, 23), 0, 0, 0, 0, 23)],
  ['an array beyond the message', patched(connectBytes(), 9, 2)],
  ['a name inside the array', patched(connectBytes(), 12, 0, 43)],
  ['a name beyond the message', patched(connectBytes(), 12, 0, 45)],
]
for (const [what, bytes] of brokenConnects) {
  test(`G-086 G-085 CONNECT with ${what} ends the connection`, () => {
    const node = new LinkHarness()
    const connection = node.accept()
    node.from(connection, authInfo())
    node.bytes(connection, frame(bytes))
    assert.ok(node.destroyed(connection))
    assert.equal(node.sent(connection), [])
  })
}

const brokenHeaders: [string, Uint8Array][] = [
  ['an unknown type', patched(connectBytes(), 5, 15)],
  ['type 0 (GA-34)', patched(connectBytes(), 5, 0)],
  ['a size below 8', patched(connectBytes(), 0, 0, 0, 0, 7)],
  ['another version', patched(connectBytes(), 4, 0x11)],
]
for (const [what, bytes] of brokenHeaders) {
  test(`G-085 a message with ${what} ends even a CONNECTED link`, () => {
    const node = new LinkHarness()
    const connection = node.incoming(5n)
    node.bytes(connection, frame(bytes))
    assert.ok(node.destroyed(connection))
    assert.is(node.endOf(connection), 'protocol')
    assert.is(node.links.neighbors.length, 0)
  })
}

// WELCOME

test('G-097 G-098 G-102 a WELCOME: neighbour, CONNECTED, maintenance, ping, synchronisation', () => {
  const node = new LinkHarness()
  const first = node.outgoing(5n, hostAt(9))
  const link = node.link(first)
  assert.is(link?.nodeId, 5n)
  assert.is(link?.state, 'connected')
  assert.equal(
    node.called('maintenance.linkConnected').map((call) => call.first),
    [true],
  )
  assert.equal(
    node.called('sync.start').map((call) => [call.link, call.first]),
    [[link, true]],
  )
  node.outgoing(6n, hostAt(10))
  assert.equal(
    node.called('maintenance.linkConnected').map((call) => call.first),
    [true, false],
  )
  assert.equal(
    node.called('sync.start').map((call) => call.first),
    [true, false],
  )
})

test('G-099 G-041 a WELCOME makes us ping every CONNECTED connection', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  const all = [node.incoming(5n), node.outgoing(6n, hostAt(9)), node.incoming(7n, { direct: true })]
  const pending = node.accept()
  for (const connection of all) node.sent(connection)
  all.push(node.outgoing(8n, hostAt(10)))
  for (const connection of all) {
    const ping = node.sent(connection).at(-1)
    assert.is(
      ping?.type === 'PT2PT' && Buffer.from(ping.dataType, 'latin1').toString('hex'),
      '0ccbb0d2be414bd6914b058ec5dcce64',
    )
    assert.is(ping?.type === 'PT2PT' && ping.data.length, 0)
  }
  assert.equal(node.sent(pending), [])
})

/** WELCOME of node 5 with one address: 32 fixed, array 32..52, "bob\0" 52..56. */
const welcomeBytes = (): Uint8Array => encodeGraphMessage(welcomeOf(5n, { addresses: [hostAt(5)] }))
const brokenWelcomes: [string, Uint8Array][] = [
  ['size below 32', patched(welcomeBytes().slice(0, 31), 0, 0, 0, 0, 31)],
  ['an array that reaches the end', patched(welcomeBytes(), 24, 2)],
  ['a peer ID inside the array', patched(welcomeBytes(), 28, 0, 51)],
  ['a name not after the peer ID', patched(welcomeBytes(), 30, 0, 52)],
  ['a name beyond the message', patched(welcomeBytes(), 30, 0, 57)],
]
for (const [what, bytes] of brokenWelcomes) {
  test(`G-096 WELCOME with ${what} ends the connection`, () => {
    const node = new LinkHarness()
    const connection = node.attempt(hostAt(9))
    node.bytes(connection, frame(bytes))
    assert.ok(node.destroyed(connection))
    assert.is(node.links.neighbors.length, 0)
    assert.equal(node.links.referrals, [])
  })
}

test('G-096 WELCOME outside CONNECT_WAIT ends the connection', () => {
  const node = new LinkHarness()
  const incoming = node.incoming(5n)
  node.from(incoming, welcomeOf(5n))
  assert.ok(node.destroyed(incoming))
  const twice = node.outgoing(6n, hostAt(9))
  node.from(twice, welcomeOf(6n))
  assert.ok(node.destroyed(twice))
})

test('a WELCOME from ourselves ends the connection', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9))
  node.from(connection, welcomeOf(node.context.nodeId))
  assert.ok(node.destroyed(connection))
})

test('GA-31 of two connections between the same nodes the lower node ID keeps its own', () => {
  for (const lower of [true, false]) {
    const node = new LinkHarness()
    const own = node.context.nodeId
    const other = lower ? own + 1n : own - 1n
    const outgoing = node.attempt(hostAt(9))
    const incoming = node.incoming(other)
    assert.equal(node.sentTypes(incoming), ['WELCOME'])
    node.sent(outgoing)
    node.from(outgoing, welcomeOf(other))
    const [stays, goes] = lower ? [outgoing, incoming] : [incoming, outgoing]
    assert.equal(
      node.links.neighbors.map((link) => link.connection),
      [stays],
    )
    const last = node.sent(goes).at(-1)
    assert.equal(last, { type: 'DISCONNECT', reason: 'least-useful', addresses: [] })
    assert.ok(node.finished(goes))
    assert.not(node.finished(stays))
  }
})

// Peer time

test('G-101 the vectors of the digest: the first neighbour is copied, later ones pull', () => {
  // C.2: WELCOME says T + 10 s after a round trip of 4 s: T + 12 s, where UTC is T and PTD 0.
  const ptdAfter = (others: number): bigint => {
    const node = new LinkHarness()
    withNeighbors(node, others)
    const connection = node.attempt(hostAt(9))
    node.pass(seconds(4))
    const utc = PEER_TIME_0 + BigInt(node.now * 10)
    node.from(connection, welcomeOf(5n, { peerTime: utc + 100_000_000n }))
    assert.is(node.called('records.clockChanged').length, 1)
    return node.context.peerTimeDelta
  }
  assert.is(ptdAfter(0), -120_000_000n)
  assert.is(ptdAfter(1), -24_000_000n)
})

test('G-101 attack, clock liar: 20 minutes off is not adopted, and told', () => {
  const minutes20 = 12_000_000_000n
  for (const [off, adopted] of [
    [minutes20, true],
    [minutes20 + 1n, false],
    [-minutes20, true],
    [-minutes20 - 1n, false],
    [1n << 62n, false],
  ] as const) {
    const node = new LinkHarness()
    const connection = node.attempt(hostAt(9))
    node.takeEvents()
    node.from(connection, welcomeOf(5n, { peerTime: node.context.peerTime + off }))
    assert.is(node.context.peerTimeDelta, adopted ? -off : 0n)
    assert.ok(node.link(connection) !== undefined, 'it is a neighbour all the same')
    const told = node.takeEvents().find((event) => event.type === 'clock-rejected')
    const expected = { type: 'clock-rejected', connection, offsetMs: Number(off / 10_000n) }
    assert.equal(told, adopted ? undefined : expected)
  }
})

test('attack, the first neighbour again and again: the clock stays within 20 minutes of UTC', () => {
  const minutes20 = 12_000_000_000n
  for (const sign of [1n, -1n]) {
    const node = new LinkHarness()
    const meet = (n: number, peerTime: (now: bigint) => bigint): void => {
      const connection = node.attempt(hostAt(n))
      const utc = PEER_TIME_0 + BigInt(node.now * 10)
      node.from(connection, welcomeOf(BigInt(n), { peerTime: peerTime(utc) }))
      node.local({ type: 'closed', connection, why: '' })
      node.pass(seconds(1))
    }
    for (let n = 1; n <= 20; n++) meet(n, () => node.context.peerTime + (sign * minutes20) / 2n)
    assert.is(node.context.peerTimeDelta, -sign * minutes20)
    const told = node.takeEvents().filter((event) => event.type === 'clock-rejected')
    assert.is(told.length, 18)
    // From one end to the other: no, that is 40 minutes off.
    meet(21, (utc) => utc - sign * minutes20)
    assert.is(node.context.peerTimeDelta, -sign * minutes20)
    // An honest node, whose clock is a second on the other side of ours, is believed again.
    meet(22, (utc) => utc - sign * 10_000_000n)
    assert.is(node.context.peerTimeDelta, sign * 10_000_000n)
  }
})

test('attack, more neighbours that pull: the clock stays within 20 minutes of UTC', () => {
  const node = new LinkHarness()
  withNeighbors(node, 1)
  for (let n = 1; n <= 100; n++) {
    const connection = node.attempt(hostAt(n))
    const peerTime = node.context.peerTime + 12_000_000_000n
    node.from(connection, welcomeOf(BigInt(n + 100), { peerTime }))
    node.local({ type: 'closed', connection, why: '' })
  }
  assert.ok(node.context.peerTimeDelta >= -12_000_000_000n)
})

test('GA-14 a graph may let its new nodes take over any time', () => {
  const dialect = {
    stringOrder: 'big-endian',
    signatureBackoffBits: 8,
    acceptFirstPeerTime: true,
    openFinalRange: true,
  } as const
  const node = new LinkHarness({ dialect, creates: false })
  const day = 864_000_000_000n
  const connection = node.attempt(hostAt(9))
  node.from(connection, welcomeOf(5n, { peerTime: node.context.peerTime + day }))
  assert.is(node.context.peerTimeDelta, -day)
  // The second liar has no such power.
  const second = node.attempt(hostAt(10))
  node.from(second, welcomeOf(6n, { peerTime: node.context.peerTime + day }))
  assert.is(node.context.peerTimeDelta, -day)
  // Nor can others lead it more than 20 minutes away once it is in the graph.
  node.context.neverConnected = false
  for (const one of [connection, second]) node.local({ type: 'closed', connection: one, why: '' })
  for (let n = 0; n < 3; n++) {
    const peerTime = node.context.peerTime + 12_000_000_000n
    const again = node.attempt(hostAt(11))
    node.from(again, welcomeOf(7n, { peerTime }))
    node.local({ type: 'closed', connection: again, why: '' })
  }
  assert.is(node.context.peerTimeDelta, -day - 12_000_000_000n)
})

test('the responder of a connection never changes its time', () => {
  const node = new LinkHarness()
  node.incoming(5n)
  assert.is(node.context.peerTimeDelta, 0n)
  assert.is(node.called('records.clockChanged').length, 0)
})

test.run()
