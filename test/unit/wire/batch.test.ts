// Batches: many datagrams, one native call, rows in place of objects (lib/wire/batch.ts).
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { BatchDecoder, BatchEncoder, makeSpans } from '#lib/wire/batch.js'
import { decodeMessage, encodeMessage, messageTypeOf } from '#lib/wire/codec.js'
import { MessageType } from '#lib/wire/constants.js'
import { encodeBatch } from '#lib/native/codec.js'
import { BufferRow, CpaRow, Look, MessageRow, PayloadRow, Present } from '#lib/wire/rows.js'
import { messageVector, messageVectors } from '../../golden/messages.js'
import { bufferVector, cpaVector } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { hex, patched } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { throwsInvalid } from '../../helpers/wire.js'
import { anyMessage } from '../../helpers/wire-arbitraries.js'

/** Datagrams one behind the other, with gaps, and where they are. */
function slabOf(datagrams: readonly Uint8Array[], gap = 3) {
  const spans = makeSpans(datagrams.length)
  const total = datagrams.reduce((sum, bytes) => sum + bytes.length + gap, gap)
  const slab = new Uint8Array(total).fill(0xee)
  let at = gap
  for (const [index, bytes] of datagrams.entries()) {
    slab.set(bytes, at)
    spans.words.set([at, bytes.length], index * 2)
    at += bytes.length + gap
  }
  return { slab, spans }
}

/** The datagrams that an encode call left in `out`. */
function datagramsIn(out: Uint8Array, words: Int32Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const at = words[index * 2] as number
    return out.slice(at, at + (words[index * 2 + 1] as number))
  })
}

/** Decodes the datagrams, and encodes the rows over the same slab. */
function throughRows(datagrams: readonly Uint8Array[], look: number): Uint8Array[] {
  const { slab, spans } = slabOf(datagrams)
  const decoder = new BatchDecoder(datagrams.length)
  assert.is(decoder.decode(slab, spans, datagrams.length, look), datagrams.length)
  const out = new Uint8Array(slab.length)
  const written = makeSpans(datagrams.length)
  encodeBatch(slab, decoder.rows, written.words, 2, datagrams.length, out)
  return datagramsIn(out, written.words, datagrams.length)
}

const golden = messageVectors.map(({ bytes }) => bytes)

test('rows over the slab they were decoded from encode to the same datagrams', () => {
  same(throughRows(golden, Look.MESSAGE), golden)
  const whole = messageVectors.filter(({ name }) => name !== 'authority-fragment')
  same(
    throughRows(
      whole.map(({ bytes }) => bytes),
      Look.ALL,
    ),
    whole.map(({ bytes }) => bytes),
  )
})

test('arbitrary messages go through a batch as they go one by one', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 20 }), (messages) => {
      const datagrams = messages.map((message) => encodeMessage(message, { asReceived: true }))
      same(throughRows(datagrams, Look.MESSAGE), datagrams)
    }),
    { numRuns: 50 },
  )
})

test('a row says what the object says', () => {
  const { bytes } = messageVector('lookup-full')
  const { slab, spans } = slabOf([golden[0] as Uint8Array, bytes])
  const decoder = new BatchDecoder(2)
  decoder.decode(slab, spans, 2)
  decoder.seek(1)
  assert.is(decoder.code, 0)
  assert.is(decoder.word(MessageRow.TYPE), MessageType.LOOKUP)
  assert.is(decoder.word(MessageRow.MESSAGE_ID), 12)
  assert.is(decoder.word(MessageRow.FLAGS), 2)
  assert.is(decoder.word(MessageRow.PRECISION), 17)
  assert.is(decoder.word(MessageRow.CRITERIA), 8)
  assert.is(decoder.word(MessageRow.REASON), 2)
  assert.is(decoder.word(MessageRow.ROUTE_PORT), 3540)
  assert.is(decoder.word(MessageRow.ENTRY_COUNT), 2)
  assert.equal([decoder.endpointPort(0), decoder.endpointPort(1)], [3540, 65535])
  const address = new Uint8Array(16)
  decoder.copy(decoder.endpointAt(1), address)
  same(address, bytes.slice(-16))
  const target = new Uint8Array(32)
  decoder.copy(decoder.word(MessageRow.TARGET), target)
  same(target, bytes.slice(28, 60))
})

test('Message IDs above 2^31 are unsigned', () => {
  const { slab, spans } = slabOf([messageVector('solicit-full').bytes])
  const decoder = new BatchDecoder(1)
  decoder.decode(slab, spans, 1)
  assert.is(decoder.word(MessageRow.MESSAGE_ID), 0xffffffff)
})

test('what is malformed among good ones has its own code and offset', () => {
  const bad = patched(messageVector('lookup-full').bytes, 20, 3)
  const { slab, spans } = slabOf([golden[0] as Uint8Array, bad, golden[1] as Uint8Array])
  const decoder = new BatchDecoder(3)
  assert.is(decoder.decode(slab, spans, 3), 2)
  decoder.seek(1)
  assert.is(decoder.word(MessageRow.AT), 20)
  const single = decodeMessage(bad)
  assert.ok(!single.ok && single.code === 'ERR_PEERNET_BAD_VALUE' && single.offset === 20)
  assert.not.equal(decoder.code, 0)
})

test('spans may be columns of a wider table', () => {
  const { slab, spans } = slabOf(golden)
  const words = new Int32Array(golden.length * 7)
  for (const index of golden.keys()) {
    words.set(spans.words.subarray(index * 2, index * 2 + 2), index * 7)
  }
  const decoder = new BatchDecoder(golden.length)
  assert.is(decoder.decode(slab, { words, stride: 7 }, golden.length), golden.length)
})

test('a LOOKUP built field by field is the one that encodeMessage makes', () => {
  const { message } = messageVector('lookup-full')
  assert.ok(message.type === 'LOOKUP' && message.routeEntry !== undefined)
  const encoder = new BatchEncoder(2, 4096)
  for (const messageId of [12, 13]) {
    assert.ok(encoder.begin(MessageType.LOOKUP, messageId))
    encoder.set(MessageRow.PRESENT, Present.ROUTE)
    encoder.set(MessageRow.FLAGS, 2)
    encoder.set(MessageRow.PRECISION, 17)
    encoder.set(MessageRow.CRITERIA, 8)
    encoder.set(MessageRow.REASON, 2)
    encoder.set(MessageRow.TARGET, encoder.put(message.targetPnrpId))
    encoder.set(MessageRow.VALIDATE, encoder.put(message.validatePnrpId))
    encoder.set(MessageRow.ROUTE_ID, encoder.put(message.routeEntry.pnrpId))
    encoder.set(MessageRow.ROUTE_PORT, message.routeEntry.port)
    encoder.set(MessageRow.ROUTE_ADDRESS_COUNT, 1)
    encoder.set(MessageRow.ROUTE_ADDRESSES, encoder.put(message.routeEntry.addresses[0] as never))
    encoder.set(MessageRow.ENTRIES, encoder.end)
    encoder.set(MessageRow.ENTRY_COUNT, 2)
    for (const { address, port } of message.flaggedPath) encoder.putEndpoint(address, port)
  }
  assert.not.ok(encoder.begin(MessageType.ACK, 1), 'the table is full')
  const out = new Uint8Array(1024)
  const spans = makeSpans(2)
  assert.is(encoder.encode(out, spans), 2 * 204)
  const [first, second] = datagramsIn(out, spans.words, 2)
  same(first, messageVector('lookup-full').bytes)
  same(second, encodeMessage({ ...message, messageId: 13 }))
  encoder.clear()
  assert.is(encoder.encode(out, spans), 0)
})

test('an AUTHORITY is encoded with its CPA from one row', () => {
  const { bytes, cpa } = cpaVector('cpa-smallest-revoke')
  const encoder = new BatchEncoder(1, 4096)
  encoder.begin(MessageType.AUTHORITY, 9)
  encoder.set(MessageRow.ACKED_MESSAGE_ID, 8)
  encoder.set(MessageRow.PRESENT, Present.BUFFER | Present.CPA_FIELDS)
  encoder.set(BufferRow.PRESENT, Present.CPA)
  encoder.set(CpaRow.FLAGS, 0x05)
  encoder.set(CpaRow.NOT_AFTER_LOW, Number(cpa.notAfter & 0xffffffffn))
  encoder.set(CpaRow.NOT_AFTER_HIGH, Number(cpa.notAfter >> 32n))
  // bytes in the order of the wire
  encoder.set(CpaRow.SERVICE_LOCATION, encoder.put(bytes.slice(16, 32)))
  encoder.set(CpaRow.AUTHORITY, encoder.put(bytes.slice(48, 68)))
  encoder.set(CpaRow.PUBLIC_KEY, encoder.put(cpa.publicKey))
  encoder.set(CpaRow.SIGNATURE, encoder.put(cpa.signature as Uint8Array))
  const out = new Uint8Array(1024)
  const spans = makeSpans(1)
  // 28 + 8 + 4 + 381; Size 393
  assert.is(encoder.encode(out, spans), 421)
  same(
    out.slice(0, 421),
    hex`0010 000c 51 04 00 08 00000009 0018 0008 00000008 0098 0008 0189 0000
        0040 0006 0000 0000 009b 0181 ${bytes}`,
  )
})

test('looking to the end fills the rows of what is nested', () => {
  const { bytes } = bufferVector('buffer-full')
  const size = bytes.length
  const ids = { messageId: 1, ackedMessageId: 2, size, offset: 0, buffer: bytes }
  const datagram = encodeMessage({ type: 'AUTHORITY', ...ids })
  const { slab, spans } = slabOf([datagram], 5)
  const decoder = new BatchDecoder(1)
  assert.is(decoder.decode(slab, spans, 1, Look.ALL), 1)
  const present = Present.BUFFER | Present.CPA_FIELDS | Present.PAYLOAD_FIELDS
  assert.is(decoder.word(MessageRow.PRESENT), present)
  assert.is(decoder.word(BufferRow.CLASSIFIER_UNITS), 3)
  // 5 gap + 28 + offset in the buffer; a CPA's key is at 94 + 29, the payload's data at 74
  assert.is(decoder.word(CpaRow.PUBLIC_KEY), 5 + 28 + 324 + 123)
  assert.is(decoder.word(PayloadRow.DATA), 5 + 28 + 44 + 74)
  same(throughRows([datagram], Look.ALL), [datagram])
  assert.is(messageTypeOf(datagram), MessageType.AUTHORITY)
})

test('more bytes than there is room for are refused', () => {
  const encoder = new BatchEncoder(1, 40)
  encoder.put(new Uint8Array(30))
  const isFull = (error: { code: string }) => error.code === 'ERR_PEERNET_LIMIT'
  assert.throws(() => encoder.put(new Uint8Array(11)), isFull)
  assert.throws(() => encoder.putEndpoint(new Uint8Array(16), 3540), isFull)
  assert.is(encoder.put(new Uint8Array(10)), 30)
})

test('capacity has to be a positive integer', () => {
  for (const capacity of [0, -1, 1.5]) throwsInvalid(() => new BatchDecoder(capacity))
})

test.run()
