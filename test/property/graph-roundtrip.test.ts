// What is written is read again, by the codec and by an oracle that shares nothing with it; bytes
// that nobody meant are refused by both or mean the same to both.
// test-limit: 180s
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import {
  decodeRecord,
  encodeGraphMessage,
  encodeRecord,
  recordFields,
} from '#lib/wire/graph/codec.js'
import { fromHex } from '#lib/core/bytes.js'
import * as payloads from '#lib/wire/graph/payloads.js'
import { GraphMessageReader } from '#lib/wire/graph/stream-reader.js'
import { floodBytes, messageVectors, recordVectors } from '../golden/graph.js'
import { suite } from '../harness.js'
import {
  GRAPH_ID,
  anyEndpoint,
  anyMessage,
  anyRecord,
  plainMessage,
  plainRecord,
  text,
} from '../helpers/graph-wire.js'
import { patched } from '../helpers/hex.js'
import { mutations } from '../helpers/mutations.js'
import { same } from '../helpers/readable.js'
import { canonicalMessage } from '../oracle/graph-canonical.js'
import { oracleMessage } from '../oracle/graph-oracle.js'
import { oracleRecord } from '../oracle/graph-record-oracle.js'

const test = suite('graph round trips and hostile bytes')
const MAX_MESSAGE = 100_000
const ORDERS = ['big-endian', 'little-endian'] as const
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function readOne(bytes: Uint8Array, graphId = GRAPH_ID) {
  const options = { stringOrder: 'big-endian', graphId, maxMessage: MAX_MESSAGE } as const
  const reader = new GraphMessageReader(options)
  reader.push(bytes)
  const item = reader.next()
  if (item !== undefined) assert.is(reader.next(), undefined, 'one item of one message')
  return { item, buffered: reader.buffered }
}

test('every message comes back, and means the same to the oracle', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const bytes = encodeGraphMessage(message)
      const { item } = readOne(bytes)
      assert.ok(item?.kind === 'message')
      same(item.message, message)
      assert.equal(plainMessage(message), oracleMessage(bytes, MAX_MESSAGE))
      assert.is(hexOf(canonicalMessage(bytes)), hexOf(bytes), 'it is written canonically')
    }),
    { numRuns: 2000 },
  )
})

test('every record comes back, in either dialect and from either byte order (GA-01)', () => {
  fc.assert(
    fc.property(anyRecord, fc.constantFrom(...ORDERS), (fields, order) => {
      const record = encodeRecord(fields, { stringOrder: order })
      same(recordFields(record), fields)
      assert.equal(plainRecord(record), oracleRecord(record.bytes, GRAPH_ID, order))
      for (const stringOrder of ORDERS) {
        const decoded = decodeRecord(record.bytes, { stringOrder }, GRAPH_ID)
        assert.ok(decoded.ok)
        same(recordFields(decoded.record), fields)
        const wanted = encodeRecord(fields, { stringOrder })
        assert.is(hexOf(decoded.record.bytes), hexOf(wanted.bytes))
      }
    }),
    { numRuns: 1000 },
  )
})

test('a record may be kept while what it came in is overwritten', () => {
  fc.assert(
    fc.property(anyRecord, fc.boolean(), (fields, lookFirst) => {
      const record = encodeRecord(fields, { stringOrder: 'big-endian' })
      const stream = encodeGraphMessage({ type: 'FLOOD', record })
      const { item } = readOne(stream)
      assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
      const kept = item.message.record
      if (lookFirst) same(recordFields(kept), fields)
      assert.is(kept.retain(), kept)
      stream.fill(0xff)
      same(recordFields(kept), fields)
      assert.is(hexOf(kept.bytes), hexOf(record.bytes))
    }),
    { numRuns: 300 },
  )
})

test('every payload comes back', () => {
  const dialects = fc.constantFrom(...ORDERS.map((stringOrder) => ({ stringOrder })))
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const addresses = fc.array(anyEndpoint, { maxLength: 300, size: 'max' })
  const info = fc.record({
    ...{ deferExpiration: fc.boolean(), graphId: text(1, 255), creatorId: text(1, 255) },
    scope: fc.constantFrom('global' as const, 'site-local' as const, 'link-local' as const),
    ...{ friendlyName: text(0, 255), comment: text(0, 511) },
    presenceLifetimeS: fc.oneof(fc.constant(0), fc.integer({ min: 300, max: 0xffffffff })),
    maxPresenceRecords: fc.nat(0xffffffff),
    maxRecordSize: fc.oneof(fc.constant(0), fc.integer({ min: 1024, max: 62_914_560 })),
  })
  fc.assert(
    fc.property(info, dialects, (payload, dialect) => {
      const decoded = payloads.decodeGraphInfo(payloads.encodeGraphInfo(payload, dialect), dialect)
      same(decoded, { ok: true, payload })
    }),
    { numRuns: 200 },
  )
  const presence = fc.record({ nodeId: u64, attributes: text(0, 9000), addresses })
  fc.assert(
    fc.property(presence, dialects, (payload, dialect) => {
      const decoded = payloads.decodePresence(payloads.encodePresence(payload, dialect), dialect)
      same(decoded, { ok: true, payload })
    }),
    { numRuns: 60 },
  )
  fc.assert(
    fc.property(fc.record({ signature: u64, nodeId: u64, addresses }), (payload) => {
      same(payloads.decodeContact(payloads.encodeContact(payload)), { ok: true, payload })
    }),
    { numRuns: 60 },
  )
})

const seen = { accepted: 0, refused: 0, lenient: 0, dropped: 0 }

/** A whole message with a Message Size that fits, so that the rest of it is looked at. */
const fitted = (bytes: Uint8Array): Uint8Array =>
  bytes.length < 8
    ? bytes
    : patched(
        bytes,
        0,
        0,
        (bytes.length >> 16) & 255,
        (bytes.length >> 8) & 255,
        bytes.length & 255,
      )

/** What follows the message is the start of the next one. */
function firstOf(bytes: Uint8Array): Uint8Array {
  const size = bytes.length < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return size >= 8 && size < bytes.length ? bytes.slice(0, size) : bytes
}

function judgeMessage(input: Uint8Array): void {
  const bytes = firstOf(input)
  const expected = oracleMessage(bytes, MAX_MESSAGE)
  const { item } = readOne(bytes)
  if (expected === undefined) {
    seen.refused += 1
    // too short for its own Message Size: it may go on
    if (item === undefined) return
    assert.ok(item.kind === 'error', `accepted, but should be refused: ${hexOf(bytes)}`)
    return
  }
  if (expected['type'] === 'FLOOD') {
    judgeFlood(bytes, expected['record'] as Uint8Array)
    return
  }
  seen.accepted += 1
  assert.ok(item?.kind === 'message', `refused, but should be accepted: ${hexOf(bytes)}`)
  assert.equal(plainMessage(item.message), expected, hexOf(bytes))
  const again = encodeGraphMessage(item.message)
  if (hexOf(again) === hexOf(bytes)) return
  seen.lenient += 1
  assert.is(hexOf(again), hexOf(canonicalMessage(bytes)), hexOf(bytes))
}

function judgeFlood(bytes: Uint8Array, recordBytes: Uint8Array): void {
  const { item } = readOne(bytes)
  const record = oracleRecord(recordBytes, GRAPH_ID, 'big-endian')
  if (record === undefined) {
    seen.dropped += 1
    assert.is(item?.kind, 'dropped', hexOf(bytes))
    return
  }
  seen.accepted += 1
  assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD', hexOf(bytes))
  assert.equal(plainRecord(item.message.record), record, hexOf(bytes))
}

const floods = anyRecord.map((fields) =>
  encodeGraphMessage({
    type: 'FLOOD',
    record: encodeRecord(fields, { stringOrder: 'big-endian' }),
  }),
)
const seeds = fc.oneof(
  fc.constantFrom(...messageVectors.map(({ bytes }) => bytes), floodBytes),
  anyMessage.map(encodeGraphMessage),
  floods,
)

test('messages with something wrong are refused by both, or the same to both', () => {
  const spoiled = fc
    .tuple(seeds, mutations, fc.boolean())
    .map(([bytes, mutate, fit]) => (fit ? fitted(mutate(bytes)) : mutate(bytes)))
  fc.assert(fc.property(spoiled, judgeMessage), { numRuns: 6000 })
  assert.ok(seen.refused > 500, 'too few are refused to mean anything')
  assert.ok(seen.accepted > 500, 'too few are accepted to mean anything')
  assert.ok(seen.lenient > 50, 'too few lenient readings to mean anything')
  assert.ok(seen.dropped > 100, 'too few records are invalid to mean anything')
})

test('a byte that leads no UTF-8 sequence is refused, whatever follows it', () => {
  // Found by the test above: f5 before four continuation bytes, in the friendly name of a WELCOME.
  const welcome = fromHex(
    '00000063100300000000000000000000000000000000000001000020003400540017000000000000' +
      '000000000000000000000000f0908080f0908080f0908080e0a080f0908080f0908080f0908080f0' +
      '9080800001f0908080f0908080f58090808000',
  )
  assert.ok(welcome)
  const refused = seen.refused
  judgeMessage(welcome)
  assert.is(seen.refused, refused + 1)
})

test('10,000 random messages in a row', () => {
  const headed = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.uint8Array({ maxLength: 200 }))
    .map(([type, body]) => fitted(new Uint8Array([0, 0, 0, 0, 0x10, type, 0, 0, ...body])))
  const anything = fc.oneof(fc.uint8Array({ maxLength: 300 }).map(fitted), headed)
  fc.assert(fc.property(anything, judgeMessage), { numRuns: 10_000 })
})

test('every truncation of a record is refused', () => {
  for (const { bytes, name } of recordVectors) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = decodeRecord(bytes.subarray(0, length), { stringOrder: 'big-endian' }, 'g1')
      assert.ok(!cut.ok, `${name}, ${length} bytes`)
    }
  }
})

test('every truncation of a message is refused, waits for more, or is as the oracle says', () => {
  for (const { bytes } of [...messageVectors, { bytes: floodBytes }]) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      const { item, buffered } = readOne(cut)
      assert.is(item, undefined, 'the size of the whole message is awaited')
      assert.is(buffered, length)
      // and with a Message Size that lies
      judgeMessage(fitted(cut))
    }
  }
})

test.run()
