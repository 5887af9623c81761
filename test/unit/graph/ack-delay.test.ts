// Acknowledgements wait a little for something to go along with (3.1.5.2.10, 2.2.2.14).
import * as assert from 'uvu/assert'
import { milliseconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { test } from '../../harness.js'
import { guidOf, LinkHarness, recordOf } from '../../support/link-harness.js'

const FRAME_HOLDS = Math.floor((LIMITS.graphFrameBytes - 12) / 20)

function acknowledge(node: LinkHarness, connection: number, from: number, to: number): void {
  const link = node.link(connection)
  assert.ok(link)
  for (let i = from; i < to; i++) node.links.acknowledge(link, recordOf(i), true)
  // The end of any handler.
  node.machine.handleTimeout(node.now)
  node.pump()
}

const ackOf = (from: number, to: number): GraphMessage => ({
  type: 'ACK',
  acks: Array.from({ length: to - from }, (_, i) => ({ id: guidOf(from + i), useful: true })),
})

test('G-119 acknowledgements leave together, at the latest after graphAckDelayUs', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  acknowledge(node, connection, 1, 3)
  assert.equal(node.sent(connection), [])
  acknowledge(node, connection, 3, 4)
  node.pass(LIMITS.graphAckDelayUs)
  assert.equal(node.sent(connection), [ackOf(1, 4)])
  node.pass(milliseconds(1000))
  assert.equal(node.sent(connection), [])
})

test('G-119 acknowledgements go along with what is sent, once', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  acknowledge(node, connection, 1, 3)
  node.flood(recordOf(9))
  const types = node.sent(connection).map(({ type }) => type)
  assert.equal(types.sort(), ['ACK', 'FLOOD'])
  node.pass(milliseconds(1000))
  assert.equal(node.sent(connection), [])
})

test('G-119 as many acknowledgements as a frame holds do not wait', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  acknowledge(node, connection, 0, FRAME_HOLDS + 2)
  assert.equal(node.sent(connection), [ackOf(0, FRAME_HOLDS), ackOf(FRAME_HOLDS, FRAME_HOLDS + 2)])
  acknowledge(node, connection, 1, 2)
  node.pass(LIMITS.graphAckDelayUs)
  assert.equal(node.sent(connection), [ackOf(1, 2)])
})

test('a node that leaves acknowledges before it says so', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  node.sent(connection)
  acknowledge(node, connection, 1, 2)
  node.command({ type: 'disconnect', connection })
  const [first, second] = node.sent(connection)
  assert.equal(first, ackOf(1, 2))
  assert.is(second?.type, 'DISCONNECT')
})

test.run()
