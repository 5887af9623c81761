// AUTHORITY messages, MS-PNRP 3.1.5.6 with N-34 and N-35: what is matched, reassembled, dropped.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { encodeMessage } from '#lib/wire/codec.js'
import type { InquireMessage } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness, type Sent } from '../../support/cloud-harness.js'
import { FakePublisher } from '../../support/fake-publisher.js'
import { endpoint, entry, id } from '../../support/route-entries.js'

const SECOND = 1_000_000

interface Scene {
  readonly h: CloudHarness
  readonly publisher: FakePublisher
  readonly inquire: Sent<InquireMessage>
}

/** A resolve that waits for the answer to its INQUIRE. */
function scene(): Scene {
  const publisher = new FakePublisher({ endpoint: endpoint(20) })
  const h = new CloudHarness({ cached: [publisher.entry] })
  h.resolve(1, {})
  return { h, publisher, inquire: h.takeOne('INQUIRE') }
}

/** An answer of three fragments: a chain of 2,000 bytes pads it. */
function longAnswer({ h, publisher, inquire }: Scene, messageId = 0x77): Uint8Array[] {
  const certificateChain = new Uint8Array(2000).fill(7)
  return h.fragments(inquire, { ...publisher.answer(inquire), certificateChain }, messageId)
}

const copies = (fragments: readonly Uint8Array[]): Uint8Array[] => fragments.map((f) => f.slice())

test('PNRP-3.1.5.6-2 an answer to nothing that was asked is dropped and counted', () => {
  const { h, publisher, inquire } = scene()
  const stranger = { ...inquire, message: { ...inquire.message, messageId: 0x1234 } }
  h.answer(stranger, publisher.answer(inquire))
  assert.is(h.counter('drop.authority-unmatched'), 1)
  assert.is(h.outcome(1), undefined)
})

test('N-35 an answer from elsewhere is dropped, even with the right Message ID', () => {
  const { h, publisher, inquire } = scene()
  for (const from of [endpoint(21), endpoint(20, 3541)]) {
    h.answer(inquire, publisher.answer(inquire), from)
  }
  assert.is(h.counter('drop.authority-wrong-source'), 2)
  assert.is(h.outcome(1), undefined)
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.outcome(1)?.outcome, 'found')
})

test('N-35 any address of the same route entry may answer', () => {
  const h = new CloudHarness({ cached: [entry(id(0x20), 11, 12)] })
  h.resolve(1, { targetPnrpId: id(0x21), criteria: 0 })
  const lookup = h.takeOne('LOOKUP')
  h.answer(lookup, {}, endpoint(lookup.to.address[15] === 11 ? 12 : 11))
  assert.is(h.counter('drop.authority-wrong-source'), 0)
  assert.ok(h.steps(1).includes('answer'))
})

test('PNRP-3.1.5.6.1-3 PNRP-3.1.5.6.1-2 an AUTHORITY ends the request that it answers, and no other', () => {
  const { h, publisher, inquire } = scene()
  const before = h.machine.statistics().pendingRequests
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.machine.statistics().pendingRequests, before - 1)
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.counter('drop.authority-unmatched'), 1)
})

test('PNRP-3.1.5.6.1-1 a malformed AUTHORITY_BUFFER is ignored; the request stays pending', () => {
  const { h, publisher, inquire } = scene()
  const buffer = Uint8Array.of(0, 0x40, 0, 6, 0, 0, 0, 0, 0xff, 0xff, 0, 4)
  h.deliver(endpoint(20), {
    type: 'AUTHORITY',
    messageId: 9,
    ackedMessageId: inquire.message.messageId,
    size: buffer.length,
    offset: 0,
    buffer,
  })
  const drops = Object.keys(h.counters).filter((name) => name.startsWith('drop.authority-buffer.'))
  assert.is(drops.length, 1)
  h.answer(inquire, publisher.answer(inquire))
  assert.is(h.outcome(1)?.outcome, 'found')
})

test('PNRP-3.1.5.6-1 a malformed AUTHORITY is dropped', () => {
  const { h, publisher, inquire } = scene()
  const [datagram] = h.fragments(inquire, publisher.answer(inquire))
  h.deliverBytes(endpoint(20), (datagram as Uint8Array).slice(0, 27))
  assert.ok(Object.keys(h.counters).some((name) => name.startsWith('drop.malformed.')))
  assert.is(h.outcome(1), undefined)
})

test('PNRP-3.1.5.6-3 PNRP-3.1.5.6-4 PNRP-3.1.5.6-7 PNRP-3.1.5.6-8 fragments in any order make one answer', () => {
  const orders = [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]
  for (const order of orders) {
    const s = scene()
    const fragments = longAnswer(s)
    assert.is(fragments.length, 3)
    for (const [i, n] of order.entries()) {
      assert.is(s.h.steps(1).includes('found'), false, `before fragment ${i}`)
      s.h.deliverBytes(endpoint(20), fragments[n] as Uint8Array)
    }
    assert.is(s.h.outcome(1)?.outcome, 'found')
  }
})

test('PNRP-3.1.5.6-4 hostile: fragments of other senders or answers do not mix', () => {
  const s = scene()
  const fragments = longAnswer(s)
  const foreign = copies(longAnswer(s))
  s.h.deliverBytes(endpoint(20), fragments[0] as Uint8Array)
  s.h.deliverBytes(endpoint(66), foreign[1] as Uint8Array)
  s.h.deliverBytes(endpoint(20), fragments[2] as Uint8Array)
  assert.is(s.h.outcome(1), undefined)
  s.h.deliverBytes(endpoint(20), fragments[1] as Uint8Array)
  assert.is(s.h.outcome(1)?.outcome, 'found')
})

test('PNRP-3.1.5.6-5 PNRP-3.1.5.6-6 fragments that do not fit delete what was collected', () => {
  const spoilt: [string, (message: { size: number; offset: number }) => object][] = [
    ['beyond Size', ({ size }) => ({ offset: 1188 * Math.floor(size / 1188) })],
    ['another Size', ({ size }) => ({ size: size + 4 })],
  ]
  for (const [what, spoil] of spoilt) {
    const s = scene()
    const fragments = longAnswer(s)
    const second = fragments[1] as Uint8Array
    const size = new DataView(second.buffer, second.byteOffset).getUint16(24)
    const message = {
      type: 'AUTHORITY' as const,
      messageId: 0x77,
      ackedMessageId: s.inquire.message.messageId,
      size,
      offset: 1188,
      buffer: second.slice(28),
    }
    s.h.deliverBytes(endpoint(20), fragments[0] as Uint8Array)
    s.h.deliverBytes(endpoint(20), encodeLoose({ ...message, ...spoil(message) }))
    s.h.deliverBytes(endpoint(20), second)
    s.h.deliverBytes(endpoint(20), fragments[2] as Uint8Array)
    assert.is(s.h.outcome(1), undefined, what)
    assert.ok(
      Object.keys(s.h.counters).some((name) => name.startsWith('drop.')),
      what,
    )
  }
})

test('PNRP-3.1.6.3-5 N-34 what was collected goes when the request is given up', () => {
  const s = scene()
  const fragments = longAnswer(s)
  s.h.deliverBytes(endpoint(20), fragments[0] as Uint8Array)
  s.h.deliverBytes(endpoint(20), fragments[1] as Uint8Array)
  s.h.advance(3 * SECOND)
  assert.is(s.h.outcome(1)?.outcome, 'unreachable')
  s.h.deliverBytes(endpoint(20), fragments[2] as Uint8Array)
  assert.is(s.h.counter('drop.authority-unmatched'), 1)
})

test('hostile: endless first fragments of one answer hold one context', () => {
  const s = scene()
  for (let i = 0; i < 2000; i++) {
    const [first] = longAnswer(s, i)
    s.h.deliverBytes(endpoint(20), first as Uint8Array)
  }
  for (const fragment of longAnswer(s, 5000)) s.h.deliverBytes(endpoint(20), fragment)
  assert.is(s.h.outcome(1)?.outcome, 'found')
})

test('PNRP-3.1.5.2-2 hostile: a datagram from port 1024 or below is dropped', () => {
  for (const [port, dropped] of [
    [1, 1],
    [1024, 1],
    [1025, 0],
  ] as const) {
    const h = new CloudHarness()
    h.deliver(endpoint(9, port), { type: 'ACK', messageId: 1, ackedMessageId: 2, notFound: false })
    assert.is(h.counter('drop.source-port'), dropped, `port ${port}`)
  }
})

test('own datagrams, and those from another scope, are dropped', () => {
  const h = new CloudHarness()
  const loopback = new Uint8Array(16)
  loopback[15] = 1
  const send = (from: Endpoint): void => {
    h.deliver(from, { type: 'ACK', messageId: 1, ackedMessageId: 2, notFound: false })
  }
  send(endpoint(1))
  send({ address: loopback, port: 3540 })
  assert.is(h.counter('drop.own-datagram'), 1)
  assert.is(h.counter('drop.source-scope'), 1)
})

/** An AUTHORITY that the codec would refuse to write: patched after encoding. */
function encodeLoose(message: {
  type: 'AUTHORITY'
  messageId: number
  ackedMessageId: number
  size: number
  offset: number
  buffer: Uint8Array
}): Uint8Array {
  const bytes = encodeMessage({ ...message, size: message.buffer.length, offset: 0 })
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint16(24, message.size)
  view.setUint16(26, message.offset)
  return bytes
}

test.run()
