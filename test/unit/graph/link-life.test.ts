// Links that are CONNECTED: ping and silence (GA-56), application data, listening, closing, limits.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { PING_TYPE } from '#lib/graph/constants.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame, frameMessage } from '#lib/wire/graph/frames.js'
import type { ConnectMessage, GraphMessage } from '#lib/wire/graph/messages.js'
import { patched } from '../../helpers/hex.js'
import { test } from '../../harness.js'
import { guidOf, hostAt, LinkHarness, recordOf, sameAddresses } from '../../support/link-harness.js'

const ping: GraphMessage = { type: 'PT2PT', dataType: PING_TYPE, data: new Uint8Array(0) }
const appType = guidOf(9999)
const data = (...bytes: number[]): GraphMessage => ({
  type: 'PT2PT',
  dataType: appType,
  data: new Uint8Array(bytes),
})

// Dead peers

test('GA-56 after 30 s without a message of ours a ping goes out, again and again', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  for (let round = 0; round < 4; round++) {
    node.sent(connection)
    node.pass(seconds(29.9))
    assert.equal(node.sent(connection), [])
    node.from(connection, ping)
    node.pass(seconds(0.1))
    assert.equal(node.sent(connection), [ping])
  }
})

test('GA-56 attack, silent peer: a link without a sign for 60 s is dropped', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.pass(seconds(59.9))
  assert.not(node.destroyed(connection))
  node.pass(seconds(0.2))
  assert.ok(node.destroyed(connection))
  assert.is(node.endOf(connection), 'silent')
  assert.is(node.called('maintenance.linkClosed').length, 1)
})

test('GA-56 a direct link is pinged and dropped as well', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  const connection = node.incoming(5n, { direct: true })
  node.sent(connection)
  node.pass(seconds(30))
  assert.equal(node.sent(connection), [ping])
  node.pass(seconds(30.1))
  assert.is(node.endOf(connection), 'silent')
})

/** The peer stays alive and does nothing else. */
function chatter(node: LinkHarness, connection: number, s: number): void {
  for (let at = 0; at < s; at += 10) {
    node.pass(seconds(10))
    node.from(connection, ping)
  }
}

test('GA-56 a FLOOD that is not acknowledged for 60 s drops the link', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.flood(recordOf(1))
  chatter(node, connection, 50)
  assert.not(node.destroyed(connection))
  chatter(node, connection, 20)
  assert.is(node.endOf(connection), 'silent')
})

test('GA-56 GA-37 who acknowledges others is not dropped for one record left unanswered', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  for (let n = 0; n < 30; n++) {
    const record = recordOf(n)
    node.flood(record)
    chatter(node, connection, 10)
    // The first and every fifth after it: never a word.
    if (n % 5 !== 0) node.from(connection, { type: 'ACK', acks: [{ id: record.id, useful: true }] })
  }
  assert.not(node.destroyed(connection))
})

test('GA-56 a FLOOD that has not left the process does not age', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.stalled.add(connection)
  node.flood(recordOf(1, 1000))
  // A slow link: some bytes leave every 10 s.
  for (let at = 0; at < 12; at++) {
    chatter(node, connection, 10)
    node.drain(connection, 90)
  }
  assert.not(node.destroyed(connection))
  node.stalled.delete(connection)
  node.drain(connection)
  chatter(node, connection, 70)
  assert.is(node.endOf(connection), 'silent')
})

test('GA-58 a record that the peer may hold for expired is not waited for', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  const soon = node.context.peerTime + 10_000_000n * 60n
  node.flood(recordOf(1, 16, { expirationTime: soon }))
  chatter(node, connection, 100)
  assert.not(node.destroyed(connection))
})

test('attack, a message that never ends: it keeps a link alive only at a minimum of speed', () => {
  for (const [bytesEach10s, survives] of [
    [9_000, false],
    [12_000, true],
  ] as const) {
    const node = new LinkHarness()
    const connection = node.incoming(5n)
    const message = frameMessage(
      encodeGraphMessage({ type: 'FLOOD', record: recordOf(1, 2e6) }),
      16_379,
    )
    const stream = Buffer.concat(message)
    for (let at = 0; at < 120_000; at += bytesEach10s) {
      node.bytes(connection, new Uint8Array(stream.subarray(at, at + bytesEach10s)))
      node.pass(seconds(10))
    }
    assert.is(node.destroyed(connection), !survives, `${bytesEach10s}`)
  }
})

// PT2PT

test('G-127 data reaches the application, pings do not', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  for (const connection of [node.incoming(5n), node.incoming(6n, { direct: true })]) {
    node.takeEvents()
    node.from(connection, ping, data(1, 2, 3), data())
    assert.equal(node.takeEvents(), [
      { type: 'data', connection, dataType: appType, data: new Uint8Array([1, 2, 3]) },
      { type: 'data', connection, dataType: appType, data: new Uint8Array(0) },
    ])
  }
})

test('G-127 PT2PT that is too short, or whose data begins beyond it, ends the connection', () => {
  // 28 fixed bytes: the offset is at 8.
  const bytes = encodeGraphMessage(data(1, 2, 3))
  for (const wrong of [patched(bytes.slice(0, 27), 0, 0, 0, 0, 27), patched(bytes, 8, 0, 32)]) {
    const node = new LinkHarness()
    const connection = node.incoming(5n)
    node.bytes(connection, frame(wrong))
    assert.is(node.endOf(connection), 'protocol')
  }
})

test('G-030 applications cannot send the type of Ping, nor on links that are not CONNECTED', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  const pending = node.accept()
  node.sent(connection)
  node.takeEvents()
  const send = (to: number, dataType: string): string | undefined => {
    node.command({ type: 'send', connection: to, dataType, data: new Uint8Array(1) })
    const [event] = node.takeEvents()
    return event?.type === 'failed' ? event.code : event?.type
  }
  assert.is(send(connection, PING_TYPE), 'ERR_PEERNET_INVALID_ARG')
  assert.is(send(pending, appType), 'ERR_PEERNET_CLOSED')
  assert.is(send(4711, appType), 'ERR_PEERNET_CLOSED')
  assert.is(send(connection, appType), 'done')
  assert.equal(node.sentTypes(connection), ['PT2PT'])
})

test('data is done when it is handed on, drained when it has left, refused when too much waits', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.stalled.add(connection)
  node.takeEvents()
  const mebibyte = new Uint8Array(1024 * 1024)
  const handles: number[] = []
  for (let n = 0; n < 12; n++) {
    handles.push(node.command({ type: 'send', connection, dataType: appType, data: mebibyte }))
  }
  // The first is on its way; 7 wait (8 with their headers are more than 8 MiB); 4 were refused.
  const events = node.takeEvents()
  const refused = events.flatMap((event) => (event.type === 'failed' ? [event.handle] : []))
  assert.equal(refused, handles.slice(8))
  assert.equal(
    events.filter((event) => event.type === 'done'),
    [],
  )
  assert.ok(node.unconfirmed(connection) <= LIMITS.graphWriteAheadBytes + 20_000)
  node.stalled.delete(connection)
  node.drain(connection)
  const after = node.takeEvents()
  assert.equal(
    after.flatMap((event) => (event.type === 'done' ? [event.handle] : [])),
    handles.slice(0, 8),
  )
  assert.equal(after.at(-1), { type: 'drained', connection })
  assert.is(after.filter((event) => event.type === 'drained').length, 1)
  assert.is(node.sentTypes(connection).filter((type) => type === 'PT2PT').length, 8)
})

test('data that was not sent when the connection ends has failed', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.stalled.add(connection)
  const big = new Uint8Array(1024 * 1024)
  const handles = [0, 1].map(() =>
    node.command({ type: 'send', connection, dataType: appType, data: big }),
  )
  node.takeEvents()
  node.local({ type: 'closed', connection, why: 'reset' })
  const failed = node.takeEvents().flatMap((e) => (e.type === 'failed' ? [e.handle] : []))
  assert.equal(failed, handles)
})

// Listening

test('G-068 listening: the effect, then done, then maintenance hears of the addresses', () => {
  const node = new LinkHarness()
  const handle = node.command({ type: 'listen', port: 3587 })
  assert.equal(node.takeEffects(), [{ type: 'listen', port: 3587 }])
  assert.is(node.called('maintenance.listeningChanged').length, 0)
  node.local({ type: 'listening', addresses: [hostAt(1), hostAt(2)] })
  assert.ok(sameAddresses(node.context.listening, [hostAt(1), hostAt(2)]))
  assert.is(node.called('maintenance.listeningChanged').length, 1)
  const events = node.takeEvents()
  assert.equal(events[0], { type: 'done', handle })
  assert.equal(events.at(-1), {
    type: 'status',
    listening: true,
    connected: false,
    synchronized: true,
  })
})

test('G-069 G-167 neighbours get a CONNECT with U when listening begins or changes', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  const neighbors = [node.incoming(5n), node.outgoing(6n, hostAt(9))]
  const others = [node.incoming(7n, { direct: true }), node.accept()]
  for (const connection of [...neighbors, ...others]) node.sent(connection)
  for (const addresses of [[hostAt(1), hostAt(2)], [hostAt(3)]]) {
    node.local({ type: 'listening', addresses })
    for (const connection of neighbors) {
      const [message, more] = node.sent(connection) as ConnectMessage[]
      assert.equal(message, {
        type: 'CONNECT',
        update: true,
        direct: false,
        neighborList: false,
        nodeId: node.context.nodeId,
        addresses,
      })
      assert.is(more, undefined)
    }
    for (const connection of others) assert.equal(node.sent(connection), [])
  }
  // The same again, and none at all, are no news to neighbours.
  node.local({ type: 'listening', addresses: [hostAt(3)] })
  node.local({ type: 'listening', addresses: [] })
  assert.equal(node.sent(neighbors[0] as number), [])
  assert.is(node.called('maintenance.listeningChanged').length, 3)
})

test('listening twice, and listening that fails, are told', () => {
  const node = new LinkHarness()
  node.command({ type: 'listen', port: 1 })
  node.command({ type: 'listen', port: 2 })
  node.local({ type: 'listen-failed', code: 'ERR_PEERNET_PORT_IN_USE', message: 'taken' })
  const codes = node.takeEvents().flatMap((event) => (event.type === 'failed' ? [event.code] : []))
  assert.equal(codes, ['ERR_PEERNET_INVALID_ARG', 'ERR_PEERNET_PORT_IN_USE'])
})

// Connecting

test('G-070 G-071 connecting to ourselves, or as neighbour with neighbours, is an error', () => {
  const node = new LinkHarness()
  node.local({ type: 'listening', addresses: [hostAt(1)] })
  const connect = (n: number, direct: boolean): string | undefined => {
    node.takeEvents()
    node.takeEffects()
    node.command({ type: 'connect', to: hostAt(n), direct })
    const [event] = node.takeEvents()
    return event?.type === 'failed' ? event.code : node.takeEffects()[0]?.type
  }
  assert.is(connect(1, false), 'ERR_PEERNET_INVALID_ARG')
  assert.is(connect(1, true), 'ERR_PEERNET_INVALID_ARG')
  assert.is(connect(9, false), 'connect')
  node.incoming(5n)
  assert.is(connect(10, false), 'ERR_PEERNET_ALREADY_CONNECTED')
  assert.is(connect(10, true), 'connect')
})

test('attempts under way are bounded', () => {
  const node = new LinkHarness()
  for (let n = 0; n < LIMITS.graphAttempts; n++) node.attempt(hostAt(10 + n), { up: false })
  const more = node.links.connect(hostAt(99), { direct: false })
  assert.is(typeof more === 'number' ? '' : more.code, 'ERR_PEERNET_LIMIT')
  node.local({ type: 'closed', connection: 1, why: 'refused' })
  assert.is(typeof node.links.connect(hostAt(99), { direct: false }), 'number')
})

test('a failed attempt is told to the application and to maintenance', () => {
  const node = new LinkHarness()
  const handle = node.command({ type: 'connect', to: hostAt(9), direct: false })
  node.local({ type: 'closed', connection: 1, why: 'ECONNREFUSED' })
  const [connection, failed] = node.takeEvents()
  assert.is(connection?.type === 'connection' && connection.end, 'failed')
  assert.is(failed?.type === 'failed' && failed.handle, handle)
  assert.is(node.called('maintenance.attemptFailed').length, 1)
  assert.is(node.links.pendingCount, 0)
})

test('isConnected knows neighbours and attempts by node ID and by address', () => {
  const node = new LinkHarness()
  node.incoming(5n, { addresses: [hostAt(50)] })
  node.attempt(hostAt(60), { up: false })
  node.attempt(hostAt(70), { direct: true, up: false })
  assert.ok(node.links.isConnected({ nodeId: 5n, addresses: [] }))
  assert.ok(node.links.isConnected({ nodeId: 99n, addresses: [hostAt(1), hostAt(50)] }))
  assert.ok(node.links.isConnected({ addresses: [hostAt(60)] }))
  assert.not(node.links.isConnected({ nodeId: 6n, addresses: [hostAt(70), hostAt(50, 1)] }))
})

// Closing

test('G-074 closing: own records withdrawn, DISCONNECT to all CONNECTED, closed at the end', () => {
  const node = new LinkHarness()
  node.command({ type: 'allow-direct', allow: true })
  node.local({ type: 'listening', addresses: [hostAt(1)] })
  const connected = [
    node.incoming(5n, { addresses: [hostAt(50)] }),
    node.outgoing(6n, hostAt(9)),
    node.incoming(7n, { direct: true }),
  ]
  const stranger = node.accept()
  for (const connection of connected) node.sent(connection)
  node.takeEvents()
  node.takeEffects()
  node.context.write({ type: 'remove', id: guidOf(1) })
  const handle = node.command({ type: 'close' })
  const names = node.calls.map((call) => call.name)
  assert.ok(names.indexOf('maintenance.withdraw') < names.indexOf('sync.closing'))
  assert.ok(names.indexOf('sync.closing') < names.indexOf('maintenance.linkClosed'))
  for (const connection of connected) {
    const last = node.sent(connection).at(-1)
    assert.is(last?.type === 'DISCONNECT' && last.reason, 'leaving')
    assert.ok(node.finished(connection))
  }
  assert.ok(node.destroyed(stranger))
  assert.ok(node.effects.some((effect) => effect.type === 'stop-listening'))
  // Neither new connections nor commands.
  const late = node.accept()
  assert.ok(node.destroyed(late))
  node.command({ type: 'listen', port: 1 })
  assert.is(node.takeEvents().filter((event) => event.type === 'failed').length, 1)
  // All connections end; the write is not on disk yet.
  for (const connection of connected) node.local({ type: 'closed', connection, why: '' })
  assert.not(node.takeEvents().some((event) => event.type === 'closed'))
  node.local({ type: 'persisted', sequence: 1 })
  assert.equal(node.takeEvents(), [{ type: 'done', handle }, { type: 'closed' }])
  assert.is(node.machine.pollTimeout(), Number.POSITIVE_INFINITY)
  node.local({ type: 'listening', addresses: [hostAt(1)] })
  node.command({ type: 'close' })
  const [event] = node.takeEvents()
  assert.is(event?.type === 'failed' && event.code, 'ERR_PEERNET_CLOSED')
})

test('G-074 closing waits no longer than 30 s for those who take nothing', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.stalled.add(connection)
  node.flood(recordOf(1, 300_000))
  node.command({ type: 'close' })
  for (let s = 0; s < 29; s++) {
    node.pass(seconds(1))
    node.drain(connection, 10)
  }
  assert.not(node.takeEvents().some((event) => event.type === 'closed'))
  node.pass(seconds(1.1))
  assert.ok(node.takeEvents().some((event) => event.type === 'closed'))
})

test('a graph without connections and writes is closed at once', () => {
  const node = new LinkHarness()
  node.takeEvents()
  const handle = node.command({ type: 'close' })
  assert.equal(node.takeEvents(), [{ type: 'done', handle }, { type: 'closed' }])
})

test('the status is told when it changes', () => {
  const node = new LinkHarness({ creates: false })
  const statuses = (): unknown[] => node.takeEvents().filter((event) => event.type === 'status')
  const status = (listening: boolean, connected: boolean): object => ({
    type: 'status',
    listening,
    connected,
    synchronized: false,
  })
  const connection = node.outgoing(5n, hostAt(9))
  assert.equal(statuses(), [status(false, true)])
  node.local({ type: 'listening', addresses: [hostAt(1)] })
  assert.equal(statuses(), [status(true, true)])
  node.outgoing(6n, hostAt(10))
  assert.equal(statuses(), [])
  node.local({ type: 'closed', connection, why: '' })
  assert.equal(statuses(), [])
})

test.run()
