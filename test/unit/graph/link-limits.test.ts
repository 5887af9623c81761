// What strangers and neighbours may cost: attacks on links by name.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { PING_TYPE } from '#lib/graph/constants.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { test } from '../../harness.js'
import {
  authInfo,
  connectOf,
  hostAt,
  LinkHarness,
  networkAt,
  recordOf,
} from '../../support/link-harness.js'

const ping: GraphMessage = { type: 'PT2PT', dataType: PING_TYPE, data: new Uint8Array(0) }

test('attack, 1,000 connections from one address: a named number stay, neighbours live', () => {
  const node = new LinkHarness()
  const neighbor = node.incoming(5n)
  let stayed = 0
  const attacker = networkAt(66)
  for (let port = 1; port <= 1000; port++) {
    if (!node.destroyed(node.accept({ ...attacker, port }))) stayed++
  }
  assert.is(stayed, LIMITS.graphConnectionsPerAddress)
  assert.not(node.destroyed(node.accept(networkAt(67))))
  assert.is(node.link(neighbor)?.state, 'connected')
  // GA-06: so many make it short. 20 + 280 * e^(-12.8) s.
  node.from(neighbor, ping)
  node.pass(seconds(21))
  node.from(neighbor, ping)
  node.pass(seconds(280))
  assert.ok(node.links.connectionCount <= 1)
})

test('attack, a /64 of addresses: its connections are those of one address', () => {
  const node = new LinkHarness()
  const stayed = Array.from({ length: 1000 }, (_, n) => node.accept(networkAt(7, n))).filter(
    (connection) => !node.destroyed(connection),
  )
  assert.is(stayed.length, LIMITS.graphConnectionsPerAddress)
  assert.not(node.destroyed(node.accept(networkAt(8))))
  for (const connection of stayed) node.local({ type: 'closed', connection, why: '' })
  assert.not(node.destroyed(node.accept(networkAt(7, 2000))))
})

test('attack, connections from everywhere: the node has a maximum', () => {
  const node = new LinkHarness()
  for (let n = 0; n < 1000; n++) node.accept(networkAt(n))
  assert.is(node.links.connectionCount, LIMITS.graphConnections)
  // They cannot keep it from connecting itself.
  const own = node.outgoing(5n, hostAt(9))
  assert.is(node.link(own)?.state, 'connected')
})

test('attack, lying sizes: a message of 60 MB that never comes costs what has come', () => {
  const node = new LinkHarness()
  const stream = Buffer.concat(
    frameMessage(encodeGraphMessage({ type: 'FLOOD', record: recordOf(1, 40_000_000) }), 16_379),
  )
  const { inbox } = node.links as unknown as { readonly inbox: { partialBytes: number } }
  const neighbors = Array.from({ length: 7 }, (_, i) => node.incoming(BigInt(i + 5)))
  // 7 x 39 MB: more than graphPartialBytes together.
  const part = stream.subarray(0, 39_000_000)
  for (let at = 0; at < part.length; at += 1_000_000) {
    for (const connection of neighbors) {
      node.bytes(connection, new Uint8Array(part.subarray(at, at + 1_000_000)))
      assert.ok(inbox.partialBytes <= LIMITS.graphPartialBytes)
    }
  }
  const ended = neighbors.filter((connection) => node.destroyed(connection))
  assert.is(ended.length, 1)
  for (const connection of neighbors) node.local({ type: 'closed', connection, why: '' })
  assert.is(inbox.partialBytes, 0)
})

test('attack, a long message before CONNECTED is not kept', () => {
  for (const what of ['stranger', 'welcoming'] as const) {
    const node = new LinkHarness()
    const connection = what === 'stranger' ? node.accept() : node.attempt(hostAt(9))
    if (what === 'stranger') node.from(connection, authInfo())
    const stream = Buffer.concat(
      frameMessage(encodeGraphMessage({ type: 'FLOOD', record: recordOf(1, 100_000) }), 16_379),
    )
    for (let at = 0; at < 50_000 && !node.destroyed(connection); at += 1000) {
      node.bytes(connection, new Uint8Array(stream.subarray(at, at + 1000)))
      assert.ok(at <= LIMITS.graphHandshakeBytes)
    }
    assert.ok(node.destroyed(connection))
  }
})

test('G-006 a frame above Max Frame Size ends the connection', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  // 16,380 = 0x3ffc
  node.bytes(connection, new Uint8Array([0x3f, 0xfc, 0, 0]))
  assert.is(node.endOf(connection), 'protocol')
  const right = node.incoming(6n)
  node.bytes(right, new Uint8Array([0x3f, 0xfb, 0, 0]))
  assert.not(node.destroyed(right))
})

test('attack, 2,000 pipelined handshakes on one connection: the first is the only one', () => {
  const node = new LinkHarness()
  const connection = node.accept()
  const flood = Array.from({ length: 2000 }, () => [authInfo(), connectOf(5n)]).flat()
  node.from(connection, ...flood)
  assert.ok(node.destroyed(connection))
  assert.is(node.sent(connection).length, 0)
  assert.is(node.links.connectionCount, 0)
})

test('what is said about unknown connections is ignored', () => {
  const node = new LinkHarness()
  node.from(4711, ping)
  node.local({ type: 'written', connection: 4711, bytes: 5 })
  node.local({ type: 'closed', connection: 4711, why: '' })
  node.local({ type: 'session', connection: 4711 })
  node.up(4711, hostAt(9))
  assert.equal(node.takeEffects(), [])
  // A driver that confirms more than there was does not confuse the window.
  const connection = node.incoming(5n)
  node.local({ type: 'written', connection, bytes: 1e9 })
  node.flood(recordOf(1))
  assert.is(node.sentTypes(connection).at(-1), 'FLOOD')
})

test.run()
