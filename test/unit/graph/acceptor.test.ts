// The shared listener: connections that have not said which graph they want (MS-PPGRH 3.1.5.1.1).
import * as assert from 'uvu/assert'
import { NEVER, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { GraphAcceptor, type AcceptorVerdict } from '#lib/graph/acceptor.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame } from '#lib/wire/graph/frames.js'
import { test } from '../../harness.js'
import {
  authInfo,
  connectOf,
  framed,
  hostAt,
  networkAt,
  recordOf,
} from '../../support/link-harness.js'

const remote = hostAt(9, 40_000)

function graphOf(verdict: AcceptorVerdict | undefined): string | undefined {
  return verdict?.type === 'graph' ? verdict.graphId : undefined
}

test('G-075 an AUTH_INFO says which graph, and all bytes so far are handed on', () => {
  const acceptor = new GraphAcceptor()
  assert.ok(acceptor.accept(0, -1, remote))
  const bytes = framed(authInfo(), connectOf(7n))
  assert.equal(acceptor.handleBytes(0, -1, bytes), { type: 'graph', graphId: 'g1', bytes })
  assert.is(acceptor.size, 0)
  assert.is(acceptor.pollTimeout(), NEVER)
})

test('an AUTH_INFO in any pieces gives the same, and chunks may be overwritten meanwhile', () => {
  const whole = framed(authInfo(), connectOf(7n))
  const end = framed(authInfo()).length
  for (let size = 1; size < end; size++) {
    const acceptor = new GraphAcceptor()
    acceptor.accept(0, -1, remote)
    let verdict: AcceptorVerdict | undefined
    let at = 0
    while (verdict === undefined && at < whole.length) {
      const chunk = whole.slice(at, at + size)
      at += chunk.length
      verdict = acceptor.handleBytes(0, -1, chunk)
      if (verdict === undefined) chunk.fill(0xdd)
    }
    assert.is(graphOf(verdict), 'g1')
    const bytes = verdict?.type === 'graph' ? verdict.bytes : undefined
    assert.equal(bytes, whole.slice(0, at))
  }
})

test('an AUTH_INFO in frames of one byte each is understood', () => {
  const acceptor = new GraphAcceptor()
  acceptor.accept(0, -1, remote)
  const message = encodeGraphMessage(authInfo())
  let verdict: AcceptorVerdict | undefined
  for (const byte of message) verdict = acceptor.handleBytes(0, -1, frame(new Uint8Array([byte])))
  assert.is(graphOf(verdict), 'g1')
})

test('the longest AUTH_INFO fits', () => {
  const acceptor = new GraphAcceptor()
  acceptor.accept(0, -1, remote)
  // 255 characters of three UTF-8 bytes each.
  const long = '\u20ac'.repeat(255)
  const bytes = framed(authInfo({ graphId: long, sourcePeerId: long, destinationPeerId: long }))
  assert.is(graphOf(acceptor.handleBytes(0, -1, bytes)), long)
})

const hostile: [string, Uint8Array][] = [
  ['another message first', framed(connectOf(7n))],
  ['a FLOOD first', framed({ type: 'FLOOD', record: recordOf(1) })],
  ['a frame of no bytes', new Uint8Array([0, 0, 1, 2])],
  ['a frame longer than any AUTH_INFO', new Uint8Array([0x3f, 0xfb])],
  ['a message that claims 4 GB', frame(new Uint8Array([255, 255, 255, 255, 16, 1, 0, 0]))],
  ['text of another protocol', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
]
for (const [what, bytes] of hostile) {
  test(`attack, lying sizes and wrong order: ${what} is rejected`, () => {
    const acceptor = new GraphAcceptor()
    acceptor.accept(0, -1, remote)
    assert.is(acceptor.handleBytes(0, -1, bytes)?.type, 'reject')
    assert.is(acceptor.size, 0)
    assert.is(acceptor.handleBytes(0, -1, bytes), undefined)
  })
}

test('attack, message flood before AUTH: bytes that never become an AUTH_INFO are bounded', () => {
  const acceptor = new GraphAcceptor()
  acceptor.accept(0, -1, remote)
  // A message of 4,096 bytes in frames of one: never complete before the bound.
  const head = new Uint8Array([0, 0, 0x10, 0, 0x10, 1, 0, 0])
  let verdict: AcceptorVerdict | undefined
  let bytes = 0
  for (let at = 0; verdict === undefined && at < 10_000; at++) {
    const chunk = frame(new Uint8Array([head[at] ?? 0]))
    bytes += chunk.length
    verdict = acceptor.handleBytes(0, -1, chunk)
  }
  assert.equal(verdict, { type: 'reject', why: 'too-long' })
  assert.ok(bytes <= LIMITS.graphStrangerBytes + 3)
})

test('attack, slow handshake: one byte a second does not keep a connection', () => {
  const acceptor = new GraphAcceptor()
  acceptor.accept(0, -1, remote)
  const bytes = framed(authInfo({ sourcePeerId: 'x'.repeat(255), graphId: 'y'.repeat(255) }))
  let late: number[] = []
  let at = 0
  while (late.length === 0 && at < bytes.length) {
    const now = seconds(at)
    assert.is(acceptor.handleBytes(now, -1, bytes.slice(at, at + 1)), undefined)
    at++
    late = acceptor.handleTimeout(now)
  }
  // GA-06: 300 s with no connection before it.
  assert.equal(late, [-1])
  assert.is(at, 301)
  assert.is(acceptor.size, 0)
})

test('attack, 1,000 connections from one address: no more than a named number stay', () => {
  const acceptor = new GraphAcceptor()
  let accepted = 0
  for (let n = 1; n <= 1000; n++) if (acceptor.accept(0, -n, remote)) accepted++
  assert.is(accepted, LIMITS.graphUnidentifiedPerAddress)
  assert.ok(acceptor.accept(0, -2000, networkAt(1)), 'others still get in')
  acceptor.closed(-1)
  assert.ok(acceptor.accept(0, -2001, remote), 'room is given back')
  // The more there are, the shorter they stay: 20 + 280 * e^(-6.4) s and less for the last.
  assert.is(acceptor.handleTimeout(seconds(300)).length, accepted + 1)
  assert.is(acceptor.size, 0)
})

test('attack, a /64 of addresses: they count as one, those of a link do not', () => {
  const acceptor = new GraphAcceptor()
  let accepted = 0
  for (let n = 1; n <= 1000; n++) if (acceptor.accept(0, -n, networkAt(7, n))) accepted++
  assert.is(accepted, LIMITS.graphUnidentifiedPerAddress)
  acceptor.closed(-1)
  assert.ok(acceptor.accept(0, -1001, networkAt(7, 1001)), 'room is given back')
  const linkLocal = new GraphAcceptor()
  const { graphUnidentified } = LIMITS
  for (let n = 1; n <= graphUnidentified; n++) {
    const { address, port } = hostAt(n)
    address.set([0xfe, 0x80, 0, 0])
    assert.ok(linkLocal.accept(0, -n, { address, port }))
  }
})

test('attack, connections from everywhere: the total is bounded', () => {
  const acceptor = new GraphAcceptor()
  let accepted = 0
  for (let n = 1; n <= 1000; n++) if (acceptor.accept(0, -n, networkAt(n))) accepted++
  assert.is(accepted, LIMITS.graphUnidentified)
  for (let n = 1; n <= 1000; n++) acceptor.closed(-n)
  assert.is(acceptor.size, 0)
  assert.ok(acceptor.accept(0, -1001, remote))
})

test.run()
