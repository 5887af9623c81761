// What a reader tells apart without making messages: records that are known, and ACKs.
import * as assert from 'uvu/assert'
import { AckList, isAckOf, isUseful } from '#lib/wire/graph/ack-list.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { KnownRecords } from '#lib/wire/graph/known-records.js'
import { GraphMessageReader, type GraphStreamItem } from '#lib/wire/graph/stream-reader.js'
import { test } from '../../../harness.js'
import { record, tombstone, version } from '../../../support/graph-records.js'

const first = record({ payload: new Uint8Array(100).fill(1) })
const other = record({ payload: new Uint8Array(100).fill(2) })

function readerOf(known: KnownRecords): GraphMessageReader {
  return new GraphMessageReader({
    maxMessage: 100_000,
    stringOrder: 'big-endian',
    graphId: 'g1',
    known,
  })
}

const floods = (...records: (typeof first)[]): Uint8Array =>
  Buffer.concat(records.map((each) => encodeGraphMessage({ type: 'FLOOD', record: each })))

/** The kinds of all items; `learns` those whose message was a record that is held from then on. */
function kinds(reader: GraphMessageReader, bytes: Uint8Array, learns = true): string[] {
  reader.push(bytes)
  const seen: string[] = []
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    seen.push(item.kind)
    if (learns && item.kind === 'message') reader.learn()
  }
  return seen
}

test('a record that was learned is known, on every link, and others are not', () => {
  const known = new KnownRecords()
  const [one, two] = [readerOf(known), readerOf(known)]
  assert.equal(kinds(one, floods(first)), ['message'])
  assert.equal(kinds(two, floods(first, other, first)), ['known', 'message', 'known'])
  assert.equal(kinds(one, floods(other)), ['known'])
  const changed = version(first, 2)
  assert.equal(kinds(one, floods(changed, tombstone(first, 3))), ['message', 'message'])
})

test('a known item says where its record stands', () => {
  const known = new KnownRecords()
  const reader = readerOf(known)
  kinds(reader, floods(first))
  const bytes = floods(other, first)
  reader.push(bytes)
  reader.next()
  const item = reader.next()
  if (item?.kind !== 'known') throw new Error(`not known: ${item?.kind ?? 'nothing'}`)
  const found = item.bytes.subarray(item.at, item.at + first.size)
  assert.equal(Buffer.from(found), Buffer.from(first.bytes))
  const message = reader.reconsider()
  if (message.type !== 'FLOOD') throw new Error('not a FLOOD')
  assert.equal(message.record.bytes, first.bytes)
})

test('a record that is forgotten in the middle of a chunk is a message again', () => {
  const known = new KnownRecords()
  const reader = readerOf(known)
  kinds(reader, floods(first, other))
  reader.push(floods(other, first, first))
  assert.is(reader.next()?.kind, 'known')
  known.forget(first)
  assert.is(reader.next()?.kind, 'message')
  reader.learn()
  // Its chunk was looked at before; the next one finds it.
  assert.is(reader.next()?.kind, 'message')
  assert.equal(kinds(reader, floods(first)), ['known'])
})

test('what is cut into pieces, or long, is never known', () => {
  const known = new KnownRecords()
  const reader = readerOf(known)
  const long = record({ payload: new Uint8Array(5000) })
  kinds(reader, floods(first, long))
  const bytes = floods(first)
  assert.equal(kinds(reader, bytes.subarray(0, 50)), [])
  assert.equal(kinds(reader, bytes.subarray(50)), ['message'])
  assert.equal(kinds(reader, floods(long, first)), ['message', 'known'])
})

test('without known records all are messages', () => {
  const reader = new GraphMessageReader({
    maxMessage: 100_000,
    stringOrder: 'big-endian',
    graphId: 'g1',
  })
  const ack = encodeGraphMessage({ type: 'ACK', acks: [] })
  const all = Buffer.concat([floods(first, first), ack])
  assert.equal(kinds(reader, all), ['message', 'message', 'message'])
})

test('acknowledgements are gathered in the form of the message, however many, and read from it', () => {
  const list = new AckList()
  const records = Array.from({ length: 40 }, () => record())
  for (const count of [1, 40]) {
    const acks = records.slice(0, count).map(({ id }, i) => ({ id, useful: i % 3 === 0 }))
    acks.forEach(({ useful }, i) => {
      const each = records[i] as typeof first
      if (useful) list.add(each, true)
      else list.addAt(each.bytes, 16, false)
    })
    assert.is(list.count, count)
    const message = list.take()
    assert.is(list.count, 0)
    assert.equal(Buffer.from(message), Buffer.from(encodeGraphMessage({ type: 'ACK', acks })))
    const reader = readerOf(new KnownRecords())
    reader.push(message)
    const item = reader.next() as GraphStreamItem
    if (item.kind !== 'acks') throw new Error(`not acks: ${item.kind}`)
    assert.is(item.count, count)
    acks.forEach(({ id, useful }, i) => {
      assert.is(isUseful(item, i), useful)
      assert.ok(isAckOf(item, i, id))
      assert.not.ok(isAckOf(item, i, first.id))
    })
  }
})

test.run()
