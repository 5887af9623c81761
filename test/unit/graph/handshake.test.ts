// MS-PPGRH 3.1.5.1, 3.1.7.24, 3.1.7.26: from TCP to AUTHENTICATED, without a security provider.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { authenticationTimeout } from '#lib/graph/authentication-timer.js'
import type { GraphLink } from '#lib/graph/link.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame } from '#lib/wire/graph/frames.js'
import type { ConnectMessage } from '#lib/wire/graph/messages.js'
import { patched } from '../../helpers/hex.js'
import { test } from '../../harness.js'
import {
  authInfo,
  connectOf,
  hostAt,
  LinkHarness,
  recordOf,
  welcomeOf,
} from '../../support/link-harness.js'

test('G-046 the Authentication Timer follows the vectors of the digest', () => {
  // C.2, GA-06: seconds by open connections.
  const expected = [
    [0, 300],
    [1, 273.354],
    [3, 227.429],
    [7, 159.044],
    [10, 123.006],
    [30, 33.94],
  ] as const
  for (const [connections, s] of expected) {
    assert.ok(Math.abs(authenticationTimeout(connections) - seconds(s)) < 1000, `${connections}`)
  }
  for (let n = 0; n < 1000; n++) {
    assert.ok(authenticationTimeout(n) >= seconds(20) && authenticationTimeout(n) <= seconds(300))
  }
})

test('G-168 an outgoing connection: timer before TCP, AUTH_INFO first, no utility', () => {
  const node = new LinkHarness()
  const to = hostAt(9)
  const connection = node.attempt(to, { up: false })
  assert.equal(node.takeEffects(), [{ type: 'connect', connection, to }])
  // The timer runs already.
  assert.ok(node.machine.pollTimeout() <= node.now + seconds(300))
  assert.equal(node.sent(connection), [])
  node.up(connection, to)
  const [first, second] = node.sent(connection)
  assert.equal(first, {
    type: 'AUTH_INFO',
    connectionType: 'neighbor',
    graphId: 'g1',
    sourcePeerId: 'alice',
  })
  assert.is(second?.type, 'CONNECT')
  node.from(connection, welcomeOf(7n))
  assert.is(node.link(connection)?.utility, 0)
})

test('G-168 AUTH_INFO names the peer that the application wants, and the connection type', () => {
  const node = new LinkHarness()
  node.command({ type: 'connect', to: hostAt(9), peerId: 'carol', direct: true })
  const [effect] = node.takeEffects()
  assert.is(effect?.type, 'connect')
  node.up(1, hostAt(9))
  assert.equal(node.sent(1)[0], {
    type: 'AUTH_INFO',
    connectionType: 'direct',
    graphId: 'g1',
    sourcePeerId: 'alice',
    destinationPeerId: 'carol',
  })
})

test('G-170 an accepted connection has the Authentication Timer, and no utility', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  assert.is(node.machine.pollTimeout(), node.now + seconds(300))
  node.from(connection, authInfo(), connectOf(7n))
  assert.is(node.link(connection)?.utility, 0)
})

test('G-077 without a provider AUTH_INFO authenticates at once and ends its timer', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  node.from(connection, authInfo())
  // GA-35: the next thing that can end it is the 60 s for CONNECT.
  assert.is(node.machine.pollTimeout(), node.now + seconds(60))
  node.from(connection, connectOf(7n))
  assert.equal(node.sentTypes(connection), ['WELCOME'])
})

test('G-075 a first message other than AUTH_INFO ends the connection', () => {
  for (const message of [connectOf(7n), welcomeOf(7n)]) {
    const node = new LinkHarness()
    const connection = node.accept()
    node.from(connection, message)
    assert.ok(node.destroyed(connection))
    assert.equal(node.sent(connection), [])
  }
})

test('G-075 AUTH_INFO twice, or from the responder, ends the connection', () => {
  const node = new LinkHarness()
  const twice = node.accept()
  node.from(twice, authInfo(), authInfo())
  assert.ok(node.destroyed(twice))
  const outgoing = node.attempt(hostAt(9))
  node.from(outgoing, authInfo())
  assert.ok(node.destroyed(outgoing))
  const neighbor = node.incoming(5n)
  node.from(neighbor, authInfo())
  assert.ok(node.destroyed(neighbor))
})

// Offsets in AUTH_INFO g1/bob/-: 16 fixed, graph ID 16..19, source 19..23; with destination 23..29.
const auth = (): Uint8Array => encodeGraphMessage(authInfo())
const authTo = (): Uint8Array => encodeGraphMessage(authInfo({ destinationPeerId: 'alice' }))
const broken: [string, () => Uint8Array][] = [
  ['size below 16', () => patched(auth().slice(0, 15), 3, 15)],
  ['connection type 0', () => patched(auth(), 8, 0)],
  ['connection type 3', () => patched(auth(), 8, 3)],
  ['graph ID offset not below the source offset', () => patched(auth(), 10, 0, 19)],
  ['source offset not below the destination offset', () => patched(auth(), 12, 0, 23)],
  ['destination offset beyond the message', () => patched(auth(), 14, 0, 24)],
  ['empty graph ID', () => patched(auth(), 16, 0)],
  ['empty source', () => patched(auth(), 19, 0)],
  ['empty destination', () => patched(authTo(), 23, 0)],
]
for (const [what, bytes] of broken) {
  test(`G-076 AUTH_INFO with ${what} ends the connection`, () => {
    const node = new LinkHarness()
    const connection = node.accept()
    node.bytes(connection, frame(bytes()))
    assert.ok(node.destroyed(connection))
    assert.is(node.links.connectionCount, 0)
  })
}

test('G-076 another graph, and a destination that we are not, end the connection', () => {
  const node = new LinkHarness()
  for (const more of [{ graphId: 'g2' }, { destinationPeerId: 'mallory' }]) {
    const connection = node.accept()
    node.from(connection, authInfo(more))
    assert.ok(node.destroyed(connection))
    assert.equal(node.sent(connection), [])
  }
  const right = node.accept()
  node.from(right, authInfo({ destinationPeerId: 'alice' }), connectOf(7n))
  assert.equal(node.sentTypes(right), ['WELCOME'])
})

test('G-080 after an error nothing of the connection is processed, not even the same chunk', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  node.from(connection, authInfo({ graphId: 'g2' }), authInfo(), connectOf(7n))
  assert.equal(node.sent(connection), [])
  node.from(connection, authInfo(), connectOf(7n))
  assert.equal(node.sent(connection), [])
  assert.is(node.links.neighbors.length, 0)
  assert.is(node.count('drop.after-end'), 1)
})

test('G-081 G-082 CONNECT: own node ID, U clear, N set, D and addresses as they are', () => {
  const node = new LinkHarness()
  const connectMessage = (direct: boolean): ConnectMessage => {
    const connection = node.attempt(hostAt(9), { direct })
    const message = node.sent(connection).find((one) => one.type === 'CONNECT')
    node.local({ type: 'closed', connection, why: 'test' })
    return message as ConnectMessage
  }
  const { nodeId } = node.context
  const expected = { type: 'CONNECT', update: false, neighborList: true, nodeId }
  // GA-15: N in both.
  assert.equal(connectMessage(false), { ...expected, direct: false, addresses: [] })
  assert.equal(connectMessage(true), { ...expected, direct: true, addresses: [] })
  node.local({ type: 'listening', addresses: [hostAt(1), hostAt(2)] })
  const addresses = [hostAt(1), hostAt(2)]
  assert.equal(connectMessage(false), { ...expected, direct: false, addresses })
})

test('G-083 G-047 G-128 no answer to CONNECT for 60 s ends the connection', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9))
  node.pass(seconds(59.9))
  assert.not(node.destroyed(connection))
  node.pass(seconds(0.2))
  assert.ok(node.destroyed(connection))
  assert.is(node.endOf(connection), 'timed-out')
})

test('G-046 G-128 a silent stranger is gone when the Authentication Timer fires', () => {
  const node = new LinkHarness()
  const first = node.accept()
  const second = node.accept(hostAt(101, 40_000))
  // 273.354 s with one connection before it.
  node.pass(seconds(273.3))
  assert.not(node.destroyed(second))
  node.pass(seconds(0.1))
  assert.ok(node.destroyed(second))
  assert.not(node.destroyed(first))
  node.pass(seconds(26.7))
  assert.ok(node.destroyed(first))
})

test('G-128 a TCP connection that does not come about is given up', () => {
  const node = new LinkHarness()
  const handle = node.command({ type: 'connect', to: hostAt(9), direct: false })
  node.pass(seconds(22))
  assert.ok(node.destroyed(1))
  const failed = node.events.find((event) => event.type === 'failed')
  assert.is(failed?.type === 'failed' && failed.handle, handle)
  assert.is(failed?.type === 'failed' && failed.code, 'ERR_PEERNET_TIMEOUT')
  // 'connected' that comes too late changes nothing.
  node.up(1, hostAt(9))
  assert.equal(node.sent(1), [])
})

test('bytes of a connection that is not up yet are not looked at', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9), { up: false })
  node.bytes(connection, new Uint8Array([0, 9, 1]))
  node.up(connection, hostAt(9))
  node.from(connection, welcomeOf(7n))
  assert.is(node.link(connection)?.state, 'connected')
})

test('GA-35 an authenticated responder waits for CONNECT for 60 s only', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  node.from(connection, authInfo())
  node.pass(seconds(60))
  assert.ok(node.destroyed(connection))
})

test('G-042 connection and link are in one of the listed states, in the right order', () => {
  const node = new LinkHarness()
  const seen = new Set<string>()
  const look = (connection: number): string => {
    const link = (node.links as unknown as { get(id: number): GraphLink | undefined }).get(
      connection,
    )
    const states = link === undefined ? 'gone' : `${link.connectionState} ${link.state}`
    seen.add(states)
    return states
  }
  const outgoing = node.attempt(hostAt(9), { up: false })
  assert.is(look(outgoing), 'out-socket start')
  node.up(outgoing, hostAt(9))
  assert.is(look(outgoing), 'out-authenticated connect-wait')
  node.from(outgoing, welcomeOf(7n))
  assert.is(look(outgoing), 'out-authenticated connected')
  node.command({ type: 'disconnect', connection: outgoing })
  assert.is(look(outgoing), 'out-authenticated disconnecting')
  node.local({ type: 'closed', connection: outgoing, why: '' })
  assert.is(look(outgoing), 'gone')
  const incoming = node.accept()
  assert.is(look(incoming), 'in-accepted start')
  node.from(incoming, authInfo())
  assert.is(look(incoming), 'in-authenticated authenticated')
  node.from(incoming, connectOf(8n))
  assert.is(look(incoming), 'in-authenticated connected')
})

test('G-115 G-126 G-127 G-107 attack, wrong order of messages: nothing but CONNECT after AUTH_INFO', () => {
  const wrong = [
    { type: 'FLOOD' as const, record: recordOf(1) },
    { type: 'ACK' as const, acks: [{ id: recordOf(1).id, useful: true }] },
    { type: 'SOLICIT_NEW' as const, inclusions: [], exclusions: [] },
    { type: 'PT2PT' as const, dataType: recordOf(1).type, data: new Uint8Array(3) },
    welcomeOf(7n),
    { type: 'REFUSE' as const, code: 'busy' as const, addresses: [] },
  ]
  for (const message of wrong) {
    const node = new LinkHarness()
    const connection = node.accept()
    node.from(connection, authInfo(), message)
    assert.ok(node.destroyed(connection), message.type)
    assert.is(node.called('records.handleFlood').length, 0)
  }
})

test.run()
