// Reassembly of AUTHORITY_BUFFERs, MS-PNRP 3.1.5.6 and N-34.
import * as assert from 'uvu/assert'
import { Reassembler, splitAuthority } from '#lib/wire/codec.js'
import type { AuthorityMessage } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { same } from '../../helpers/readable.js'
import { decoded, throwsInvalid } from '../../helpers/wire.js'

const from = { address: new Uint8Array(16).fill(1), port: 4000 }
const elsewhere = { address: from.address, port: 4001 }
const bufferOf = (size: number, seed = 0) =>
  new Uint8Array(size).map((_, index) => seed + index * 7 + (index >> 8))

function slicesOf(size: number, messageId = 1, ackedMessageId = 2, seed = 0): AuthorityMessage[] {
  const datagrams = splitAuthority(messageId, ackedMessageId, bufferOf(size, seed))
  return datagrams.map((datagram) => decoded(datagram, 'AUTHORITY'))
}

const make = (options: object = {}) =>
  new Reassembler({ contextsPerNode: 8, bytesTotal: 64 * 1188, ...options })

const waiting = { complete: false }
const take = (array: AuthorityMessage[], index: number) => array[index] as AuthorityMessage

test('PNRP-3.1.5.6-3 a message is whole when Size says so', () => {
  const reassembler = make()
  for (const size of [6, 1188]) {
    const [whole] = slicesOf(size)
    const outcome = reassembler.accept(from, whole as AuthorityMessage)
    same(outcome, { complete: true, buffer: bufferOf(size) })
  }
  assert.equal(reassembler.accept(from, take(slicesOf(1189), 0)), waiting)
})

test('PNRP-3.1.5.6-7 fragments come in any order', () => {
  const reassembler = make()
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]
  for (const [messageId, order] of orders.entries()) {
    const slices = slicesOf(2500, messageId, messageId, messageId)
    const outcomes = order.map((index) => reassembler.accept(from, take(slices, index)))
    assert.equal(outcomes.slice(0, 2), [waiting, waiting])
    same(outcomes[2], { complete: true, buffer: bufferOf(2500, messageId) })
  }
})

test('the largest buffer, its 32 fragments backwards', () => {
  const reassembler = make({ bytesTotal: 32 * 1188 })
  const slices = slicesOf(37348).reverse()
  const last = slices.pop() as AuthorityMessage
  for (const slice of slices) assert.equal(reassembler.accept(from, slice), waiting)
  same(reassembler.accept(from, last), { complete: true, buffer: bufferOf(37348) })
})

test('PNRP-3.1.5.6-8 a completed buffer is given once', () => {
  const reassembler = make()
  const [first, second] = slicesOf(2000) as [AuthorityMessage, AuthorityMessage]
  assert.equal(reassembler.accept(from, first), waiting)
  assert.ok('buffer' in reassembler.accept(from, second))
  // a copy that comes late opens a new context and waits there
  assert.equal(reassembler.accept(from, second), waiting)
})

test('PNRP-3.1.5.6-4 contexts are kept apart by Message ID, address and port', () => {
  const reassembler = make()
  const senders = [from, elsewhere, { address: new Uint8Array(16).fill(2), port: 4000 }]
  const parts = senders.map((sender, index) => ({
    sender,
    slices: slicesOf(2000, 1, index, index),
  }))
  parts.push({ sender: from, slices: slicesOf(2000, 9, 9, 9) })
  for (const { sender, slices } of parts) {
    assert.equal(reassembler.accept(sender, take(slices, 1)), waiting)
  }
  for (const { sender, slices } of parts) {
    const outcome = reassembler.accept(sender, take(slices, 0))
    same(outcome, { complete: true, buffer: bufferOf(2000, slices[0]?.ackedMessageId) })
  }
})

test('PNRP-3.1.5.6-5 a slice beyond Size is dropped together with its context', () => {
  const reassembler = make()
  const [first, second] = slicesOf(2000) as [AuthorityMessage, AuthorityMessage]
  assert.equal(reassembler.accept(from, first), waiting)
  const overrun = { ...second, buffer: bufferOf(813) } // 1188 + 813 = 2001
  assert.equal(reassembler.accept(from, overrun), { dropped: 'overrun' })
  assert.equal(reassembler.accept(from, second), waiting, 'the first slice is gone')
})

test('PNRP-3.1.5.6-6 another Size is dropped together with the context', () => {
  const reassembler = make()
  const [first, second] = slicesOf(2000) as [AuthorityMessage, AuthorityMessage]
  assert.equal(reassembler.accept(from, first), waiting)
  const other = take(slicesOf(2001), 1)
  assert.equal(reassembler.accept(from, other), { dropped: 'size-changed' })
  assert.equal(reassembler.accept(from, second), waiting, 'the first slice is gone')
})

test('N-34 only full slices are taken, except the last', () => {
  const reassembler = make()
  const [first, second] = slicesOf(2000) as [AuthorityMessage, AuthorityMessage]
  const short = { ...first, buffer: first.buffer.slice(0, 1187) }
  assert.equal(reassembler.accept(from, short), { dropped: 'not-full' })
  const shortLast = { ...second, buffer: second.buffer.slice(1) }
  assert.equal(reassembler.accept(from, shortLast), { dropped: 'not-full' })
  const crooked = { ...second, offset: 1187, buffer: bufferOf(100) }
  assert.equal(reassembler.accept(from, crooked), { dropped: 'not-full' })
  const long = { ...first, buffer: bufferOf(1189) }
  assert.equal(reassembler.accept(from, long), { dropped: 'not-full' })
  assert.equal(reassembler.accept(from, first), waiting)
  assert.equal(reassembler.accept(from, first), { dropped: 'duplicate' })
  assert.ok('buffer' in reassembler.accept(from, second))
})

test('N-34 a new context ends an older one for the same request', () => {
  const reassembler = make()
  const old = slicesOf(2000, 1, 77)
  const retried = slicesOf(2000, 2, 77)
  assert.equal(reassembler.accept(from, take(old, 0)), waiting)
  assert.equal(reassembler.accept(from, take(retried, 0)), waiting)
  assert.ok('buffer' in reassembler.accept(from, take(retried, 1)))
  assert.equal(reassembler.accept(from, take(old, 1)), waiting, 'the old first slice is gone')
})

test('a request that ends takes its contexts along, and only those', () => {
  const reassembler = make()
  const [one, two] = [slicesOf(2000, 1, 11), slicesOf(2000, 2, 22)]
  reassembler.accept(from, take(one, 0))
  reassembler.accept(from, take(two, 0))
  reassembler.dropByAcked(11)
  assert.equal(reassembler.accept(from, take(one, 1)), waiting)
  assert.ok('buffer' in reassembler.accept(from, take(two, 1)))
  reassembler.clear()
  assert.equal(reassembler.accept(from, take(one, 0)), waiting)
})

test('contexts are bounded in total and for each source', () => {
  const reassembler = make({ contextsPerNode: 3, contextsPerSource: 2 })
  const first = (id: number) => take(slicesOf(2000, id, id), 0)
  assert.equal(reassembler.accept(from, first(1)), waiting)
  assert.equal(reassembler.accept(from, first(2)), waiting)
  assert.equal(reassembler.accept(from, first(3)), { dropped: 'source-full' })
  assert.equal(reassembler.accept(elsewhere, first(3)), waiting)
  assert.equal(reassembler.accept(elsewhere, first(4)), { dropped: 'full' })
  reassembler.dropByAcked(1)
  assert.equal(reassembler.accept(elsewhere, first(4)), waiting)
  reassembler.clear()
  assert.equal(reassembler.accept(from, first(5)), waiting)
})

test('bytes are bounded, and a context without room waits for it', () => {
  const reassembler = make({ bytesTotal: 3 * 1188 })
  const [a, b] = [slicesOf(3000, 1, 1), slicesOf(3000, 2, 2)]
  for (const index of [0, 1]) assert.equal(reassembler.accept(from, take(a, index)), waiting)
  assert.equal(reassembler.accept(from, take(b, 0)), waiting)
  assert.equal(reassembler.accept(from, take(b, 1)), { dropped: 'full' })
  assert.equal(reassembler.accept(elsewhere, take(slicesOf(3000, 3, 3), 1)), { dropped: 'full' })
  reassembler.dropByAcked(2)
  same(reassembler.accept(from, take(a, 2)), { complete: true, buffer: bufferOf(3000) })
})

test('one address cannot take the room of all, by however many ports and requests', () => {
  const reassembler = make({ bytesTotal: 16 * 1188, slotsPerAddress: 4 })
  const hold = (id: number, sender: typeof from) =>
    reassembler.accept(sender, take(slicesOf(3000, id, id), 0))
  for (const id of [1, 2, 3]) assert.equal(hold(id, from), waiting)
  assert.equal(hold(4, elsewhere), waiting)
  assert.equal(hold(5, elsewhere), { dropped: 'source-full' })
  assert.equal(reassembler.accept(from, take(slicesOf(3000, 1, 1), 1)), { dropped: 'source-full' })
  // Others are served; what this one has comes back once its requests end.
  const honest = { address: new Uint8Array(16).fill(2), port: 4000 }
  const slices = slicesOf(6 * 1188, 6, 6)
  const outcomes = slices.slice(0, 4).map((slice) => reassembler.accept(honest, slice))
  assert.equal(outcomes, [waiting, waiting, waiting, waiting])
  reassembler.dropByAcked(1)
  assert.equal(hold(7, elsewhere), waiting)
})

test('a flood of fragments leaves nothing behind once its requests end', () => {
  const reassembler = make({ contextsPerNode: 4, contextsPerSource: 4, bytesTotal: 8 * 1188 })
  for (let id = 0; id < 200; id++) {
    const slices = slicesOf(5000, id, id)
    for (const index of [id % 4, (id + 1) % 4]) reassembler.accept(from, take(slices, index))
    reassembler.dropByAcked(id)
  }
  const outcomes = slicesOf(8 * 1188, 1, 1).map((slice) => reassembler.accept(from, slice))
  same(outcomes.at(-1), { complete: true, buffer: bufferOf(8 * 1188) })
})

test('impossible sizes are refused', () => {
  for (const contextsPerNode of [0, 4097]) throwsInvalid(() => make({ contextsPerNode }))
  for (const bytesTotal of [0, 1187, 1025 * 1188]) throwsInvalid(() => make({ bytesTotal }))
})

test.run()
